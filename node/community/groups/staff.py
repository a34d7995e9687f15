"""What a group's staff and its node's operator do: decide requests, admit nodes, remove, invite, give roles.

The operator (`staff` None) may do all this for groups hosted here. Staff of a group hosted elsewhere decide requests too:
their decision travels to the group's host, which checks their role.
"""

from __future__ import annotations

from typing import Any

import msgspec

from node.community.hosting import own_arrival, record
from node.domain import access
from node.domain.actors import Actor, Member
from node.domain.groups import ROLES, Group, Membership, may_become
from node.domain.peers import Peer
from node.foundation.errors import Conflict, Forbidden, Invalid, NotFound
from node.foundation.text import clean_text
from node.inbox.dispatch import Tables
from node.outbox.publish import DIRECT, prove, send
from node.store.actors import get_actor, get_actor_by_uri, insert_actor
from node.store.audit import write_audit
from node.store.core import Core
from node.store.engine import Tx
from node.store.rosters import (
    count_owners,
    get_membership,
    get_staff_group,
    put_request,
)

from . import activities, admission, hosting
from .service import require_group, send_to_host


async def decide_request(
    core: Core, tables: Tables, *, staff: Member | None, group_id: int, actor_id: int, approve: bool, note: str, by: str
) -> None:
    """Approve or reject somebody's request, here or as staff of a group elsewhere.

    Args:
        core: This node.
        tables: The tables of dispatch.
        staff: Who decides; None for the operator, who may for groups hosted here.
        group_id: The group.
        actor_id: Who asked.
        approve: Yes or no.
        note: Told to who asked, on a no.
        by: For the audit log.

    Raises:
        Conflict: There is no open request, or the node is not admitted.
        Forbidden: Not staff.
    """
    await core.write(_decide, core, tables, staff, group_id, actor_id, approve, note, by)


async def admit_node(
    core: Core, tables: Tables, *, staff: Member | None, group_id: int, peer: Peer, because_of: str, by: str
) -> str:
    """Let a node hold a group's content; return "admitted", "already", or "waiting" for a second person to agree."""
    return await core.write(_admit, core, tables, staff, group_id, peer, because_of, by)


async def remove_from_group(
    core: Core, tables: Tables, *, staff: Member | None, group_id: int, actor_id: int, ban: bool, reason: str, by: str
) -> None:
    """Remove or ban somebody from a group that we host."""
    await core.write(_remove, core, tables, staff, group_id, actor_id, ban, clean_text(reason, limit=2000), by)


async def invite_to_group(
    core: Core, tables: Tables, *, staff: Member | None, group_id: int, invited: Actor, by: str
) -> None:
    """Invite somebody into a group that we host; their node must be admitted before."""
    await core.write(_invite, core, tables, staff, group_id, invited, by)


async def set_role(
    core: Core, tables: Tables, *, owner: Member | None, group_id: int, actor_id: int, role: str, by: str
) -> None:
    """Give a member of a group that we host another role."""
    if role not in ROLES:
        raise Invalid(f"The role is one of {', '.join(ROLES)}.")
    await core.write(_set_role, core, tables, owner, group_id, actor_id, role, by)


async def _check_staff(tx: Tx, group: Group, staff: Member | None, check: Any = access.may_moderate) -> None:
    """Raise unless the member may; the operator (None) may for groups hosted here."""
    if staff is None:
        if not group.is_local:
            raise Forbidden("This group is hosted elsewhere; its staff decides there.")
        return
    place = await get_membership(tx, group_id=group.group_id, actor_id=staff.actor_id)
    decision = check(staff.viewer, place)
    if not decision:
        raise Forbidden(decision.reason)


async def _decide(
    tx: Tx,
    core: Core,
    tables: Tables,
    staff: Member | None,
    group_id: int,
    actor_id: int,
    approve: bool,
    note: str,
    by: str,
) -> None:
    group = await require_group(tx, group_id)
    await _check_staff(tx, group, staff)
    membership = await get_membership(tx, group_id=group_id, actor_id=actor_id)
    if membership is None or membership.state != "requested":
        raise Conflict("There is no open request of this person.")
    actor = await get_actor(tx, actor_id=actor_id)
    assert actor is not None
    if group.is_local and approve:
        await hosting.bring_in(tx, core, tables, group=group, actor=actor, by=by)
    elif group.is_local:
        await hosting.put_out(
            tx, core, tables, group=group, actor=actor, state="rejected", by=by, reason=clean_text(note, limit=2000)
        )
    else:
        await _decide_elsewhere(tx, core, group, staff, membership, approve=approve, note=note)


async def _decide_elsewhere(
    tx: Tx, core: Core, group: Group, staff: Member | None, membership: Membership, *, approve: bool, note: str
) -> None:
    companion = await get_staff_group(tx, group_id=group.group_id)
    if staff is None or companion is None or membership.request_uri is None:
        raise Conflict("This request can be decided by its host only.")
    verb = "Accept" if approve else "Reject"
    decision = activities.build_decision(
        core, staff.uri, verb=verb, request_uri=membership.request_uri, staff_uri=companion.uri, note=note
    )
    await send_to_host(tx, core, group, staff.actor_id, prove(core, core.keyring.at_hand(staff.actor_id), decision))


async def _admit(
    tx: Tx, core: Core, tables: Tables, staff: Member | None, group_id: int, peer: Peer, because_of: str, by: str
) -> str:
    group = await require_group(tx, group_id)
    await _check_staff(tx, group, staff, access.may_admit_node)
    if not group.is_local:
        raise Conflict("This group is hosted elsewhere; its host admits nodes.")
    if peer.state != "active":
        raise Conflict(f"{peer.host} is {peer.state}; only an active peer can be admitted.")
    if not peer.policy.host_groups:
        raise Conflict(f"The policy for {peer.host} does not let its members into groups here.")
    voter = staff.uri if staff is not None else None
    done = await admission.admit(tx, core, group=group, peer=peer, by=by, because_of=because_of, voter=voter)
    if done == "admitted":
        await hosting.let_in_approved(tx, core, tables, group=group, peer=peer, by=by)
    return done


async def _remove(
    tx: Tx,
    core: Core,
    tables: Tables,
    staff: Member | None,
    group_id: int,
    actor_id: int,
    ban: bool,
    reason: str,
    by: str,
) -> None:
    group = await require_group(tx, group_id)
    await _check_staff(tx, group, staff)
    if not group.is_local:
        raise Conflict("This group is hosted elsewhere; its host removes people.")
    membership = await get_membership(tx, group_id=group_id, actor_id=actor_id)
    actor = await get_actor(tx, actor_id=actor_id)
    if membership is None or actor is None:
        raise NotFound("This person is not in the group.")
    if membership.is_staff and staff is not None:
        await _check_staff(tx, group, staff, access.may_own)
    if membership.is_member and membership.role == "owner" and await count_owners(tx, group_id=group_id) == 1:
        raise Conflict("This is the group's last owner. Make somebody else owner first.")
    state = "banned" if ban else "removed"
    await hosting.put_out(tx, core, tables, group=group, actor=actor, state=state, by=by, reason=reason)


async def _invite(
    tx: Tx, core: Core, tables: Tables, staff: Member | None, group_id: int, invited: Actor, by: str
) -> None:
    group = await require_group(tx, group_id)
    await _check_staff(tx, group, staff)
    actor = await get_actor_by_uri(tx, uri=invited.uri)
    if actor is None:
        await insert_actor(tx, actor=invited)
        actor = invited
    if not group.is_local or not await admission.is_admitted(tx, core, group=group, actor=actor):
        raise Conflict(admission.NOT_ADMITTED)
    membership = await get_membership(tx, group_id=group_id, actor_id=actor.actor_id)
    if membership is not None and membership.state == "invited":
        return
    if not may_become(membership.state if membership else None, "invited"):
        raise Conflict("This person is in the group already, or asked for it, or is banned.")
    invite = activities.build_invite(core, group.uri, group, actor.uri)
    await put_request(
        tx, group_id=group_id, actor_id=actor.actor_id, state="invited", request_uri=invite["id"],
        request_document=msgspec.json.encode(invite).decode(),
    )  # fmt: skip
    await write_audit(tx, actor=by, action="group.invite", target=f"{group.handle} {actor.address}")
    peer = core.peers.by_host(actor.host)
    if peer is not None and not actor.is_local:
        inbox_uri = actor.inbox_uri or f"{peer.origin}/inbox"
        await send(
            tx, core, peer_id=peer.peer_id, stream=DIRECT, actor_id=group_id, activity=invite, inbox_uri=inbox_uri
        )


async def _set_role(
    tx: Tx, core: Core, tables: Tables, owner: Member | None, group_id: int, actor_id: int, role: str, by: str
) -> None:
    group = await require_group(tx, group_id)
    await _check_staff(tx, group, owner, access.may_own)
    if not group.is_local:
        raise Conflict("This group is hosted elsewhere; its host gives roles.")
    membership = await get_membership(tx, group_id=group_id, actor_id=actor_id)
    actor = await get_actor(tx, actor_id=actor_id)
    if membership is None or actor is None or not membership.is_member:
        raise NotFound("This person is not in the group.")
    if membership.role == role:
        return
    if membership.role == "owner" and await count_owners(tx, group_id=group_id) == 1:
        raise Conflict("This is the group's last owner. Make somebody else owner first.")
    await hosting.give_role(tx, core, tables, group=group, actor=actor, membership=membership, role=role, by=by)
    current = await require_group(tx, group_id)
    activity = activities.build_role(core, group.uri, current, member_uri=actor.uri, role=role)
    proved = prove(core, core.keyring.at_hand(group_id), activity)
    await record(tx, core, tables, group=current, kind="role", arrival=own_arrival(proved))

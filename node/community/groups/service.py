"""What members and operators do about groups. Here a group may be ours or another node's; the door does not care."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import Any

import msgspec

from node.community.hosting import own_arrival, record
from node.community.purge import purge_group
from node.domain import access
from node.domain.actors import Actor, Member, is_handle
from node.domain.groups import HISTORIES, POLICIES, ROLES, Group, Membership, may_become
from node.domain.peers import Peer
from node.federation.grouplog.entry import chain_zero
from node.foundation.errors import Conflict, Forbidden, Invalid, NotFound
from node.foundation.text import clean_line, clean_text
from node.inbox.dispatch import Tables
from node.outbox.publish import DIRECT, prove, send
from node.store.actors import get_actor, get_actor_by_address, get_actor_by_uri, insert_actor
from node.store.audit import write_audit
from node.store.core import Core
from node.store.engine import Tx
from node.store.keyring import insert_own_keys
from node.store.rosters import (
    count_local,
    count_owners,
    get_group,
    get_group_by_uri,
    get_membership,
    get_request_document,
    get_staff_group,
    insert_group,
    let_in,
    put_request,
    take_group,
    update_membership_state,
)

from . import activities, hosting
from .stubs import ensure_group

_REASON_CHARACTERS = 2000


@dataclass(frozen=True, slots=True)
class NewGroup:
    """What a new group shall be."""

    handle: str
    title: str
    policy: str = "request"
    is_hidden: bool = False
    history: str = "all"
    purpose: str = ""


async def create_group(core: Core, tables: Tables, new: NewGroup, *, owner: Member, by: str) -> Group:
    """Create a group hosted here, with keys, its hidden companion, and its owner as first member.

    Raises:
        Invalid: A value cannot be used.
        Conflict: The handle is taken, or was once.
    """
    if not is_handle(new.handle):
        raise Invalid("A handle has 2 to 30 of a-z, 0-9 and underscore.")
    if not clean_line(new.title):
        raise Invalid("A group needs a title.")
    if new.policy not in POLICIES:
        raise Invalid(f"The policy is one of {', '.join(POLICIES)}.")
    if new.history not in HISTORIES:
        raise Invalid(f"The history is one of {', '.join(HISTORIES)}.")
    if owner.state != "active" and owner.state != "invited":
        raise Conflict(f"{owner.handle} is {owner.state}.")
    uri = f"{core.origin}/groups/{new.handle}"
    existing = await core.store.read(_group_by_uri, uri)
    if existing is not None:
        if (existing.title, existing.policy, existing.is_hidden) == (clean_line(new.title), new.policy, new.is_hidden):
            return existing
        raise Conflict(f"The handle {new.handle} is taken. Handles are never used twice.")
    ids = core.ids.number(), core.ids.number()
    rings = await asyncio.gather(
        asyncio.to_thread(core.keyring.make, ids[0], uri),
        asyncio.to_thread(core.keyring.make, ids[1], f"{uri}/staff"),
    )
    sealed = [core.keyring.seal(keys) for keys in rings]
    return await core.write(_create, core, tables, new, ids, sealed, owner, by)


async def join_group(core: Core, tables: Tables, *, member: Member, group_uri: str, reason: str) -> Membership:
    """Ask to join a group, here or elsewhere; an invitation or an open policy lets in at once where we host it.

    Raises:
        NotFound: The group is not known here; fetch its actor first.
        Conflict: In it already, or not permitted.
    """
    reason = clean_text(reason, limit=_REASON_CHARACTERS).strip()
    follow = activities.build_follow(core, member, group_uri, reason)
    keys = await core.keyring.own(member.actor_id)
    return await core.write(_join, core, tables, member, group_uri, reason, prove(core, keys, follow))


async def leave_group(core: Core, tables: Tables, *, member: Member, group_id: int) -> None:
    """Leave a group, or take back a request. With our last member goes everything we hold of a group elsewhere."""
    await core.write(_leave, core, tables, member, group_id)


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


async def admit_node(core: Core, *, staff: Member | None, group_id: int, peer: Peer, because_of: str, by: str) -> bool:
    """Let a node hold a group's content from now on; return False when it may already."""
    return await core.write(_admit, core, staff, group_id, peer, because_of, by)


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


async def find_group(core: Core, uri: str) -> Group | None:
    """Return a group that we know, by id."""
    return await core.store.read(_group_by_uri, uri)


async def find_group_by_address(core: Core, *, handle: str, host: str) -> Group | None:
    """Return a group that we know, by `handle@host`."""
    return await core.store.read(_group_by_address, handle, host)


async def know_group(core: Core, uri: str) -> Group | None:
    """Return a group whose actor has been fetched, keeping it from now on."""
    return await core.store.write(_ensure, core, uri)


async def _ensure(tx: Tx, core: Core, uri: str) -> Group | None:
    return await ensure_group(tx, core, uri=uri)


async def _group_by_uri(tx: Tx, uri: str) -> Group | None:
    return await get_group_by_uri(tx, uri=uri)


async def _group_by_address(tx: Tx, handle: str, host: str) -> Group | None:
    actor = await get_actor_by_address(tx, host=host, handle=handle, kind="group")
    return await get_group(tx, group_id=actor.actor_id) if actor else None


async def _create(
    tx: Tx,
    core: Core,
    tables: Tables,
    new: NewGroup,
    ids: tuple[int, int],
    sealed: list[list[Any]],
    owner: Member,
    by: str,
) -> Group:
    uri = f"{core.origin}/groups/{new.handle}"
    title, purpose = clean_line(new.title), clean_text(new.purpose, limit=_REASON_CHARACTERS)
    rows = [
        (ids[0], uri, new.handle, title, None),
        (ids[1], f"{uri}/staff", f"{new.handle}/staff", f"{title}: staff", ids[0]),
    ]
    for (group_id, group_uri, handle, name, staff_of), keys in zip(rows, sealed, strict=True):
        actor = Actor(
            group_id, group_uri, "group", handle, core.host, True, None, name, purpose, f"{core.origin}/inbox"
        )
        if not await insert_actor(tx, actor=actor):
            raise Conflict(f"The handle {new.handle} is taken. Handles are never used twice.")
        await insert_own_keys(tx, actor_id=group_id, sealed=keys)
        zero = chain_zero(group_uri)
        group = Group(
            group_id=group_id,
            uri=group_uri,
            handle=handle,
            host=core.host,
            is_local=True,
            peer_id=None,
            staff_of=staff_of,
            title=name,
            policy=new.policy if staff_of is None else "invite",
            is_hidden=new.is_hidden or staff_of is not None,
            history=new.history if staff_of is None else "all",
            new_node_approvals=1,
            epoch=1,
            base_seq=0,
            base_chain=zero,
            head_seq=0,
            head_chain=zero,
            applied_seq=0,
        )
        await insert_group(tx, group=group)
        await put_request(tx, group_id=group_id, actor_id=owner.actor_id, state="requested", role="owner")
        await let_in(
            tx, group_id=group_id, actor_id=owner.actor_id, role="owner", joined_seq=0, visible_after=0, decided_by=by
        )
    await write_audit(tx, actor=by, action="group.create", target=new.handle, reason=new.policy)
    return await _require_group(tx, ids[0])


async def _require_group(tx: Tx, group_id: int) -> Group:
    """Lock a group's row and return it.

    Raises:
        NotFound: There is no such group.
    """
    group = await take_group(tx, group_id=group_id)
    if group is None:
        raise NotFound("There is no such group.")
    return group


async def _join(
    tx: Tx, core: Core, tables: Tables, member: Member, group_uri: str, reason: str, follow: dict[str, Any]
) -> Membership:
    known = await get_group_by_uri(tx, uri=group_uri) or await ensure_group(tx, core, uri=group_uri)
    if known is None:
        raise NotFound("This group is not known here.")
    group = await _require_group(tx, known.group_id)
    membership = await get_membership(tx, group_id=group.group_id, actor_id=member.actor_id)
    if membership is not None and membership.state in ("member", "requested"):
        return membership
    if member.state != "active":
        raise Forbidden(f"{member.handle} is {member.state}.")
    if group.is_hidden and (membership is None or membership.state in ("left", "rejected")):
        raise NotFound("There is no such group.")
    decision = access.may_request(group, membership)
    if not decision:
        raise Conflict(decision.reason)
    was_invited = membership is not None and membership.state == "invited"
    await put_request(
        tx,
        group_id=group.group_id,
        actor_id=member.actor_id,
        state="requested",
        reason=reason,
        request_uri=follow["id"],
        request_document=msgspec.json.encode(follow).decode(),
    )
    if group.is_local:
        await _ask_here(tx, core, tables, group, member, follow, was_invited=was_invited)
    else:
        await _send_to_host(tx, core, group, member, follow)
    result = await get_membership(tx, group_id=group.group_id, actor_id=member.actor_id)
    assert result is not None
    return result


async def _ask_here(
    tx: Tx, core: Core, tables: Tables, group: Group, member: Member, follow: dict[str, Any], *, was_invited: bool
) -> None:
    actor = await get_actor(tx, actor_id=member.actor_id)
    assert actor is not None
    if group.policy == "open" or was_invited:
        await hosting.bring_in(tx, core, tables, group=group, actor=actor, by="policy")
        return
    staff = await get_staff_group(tx, group_id=group.group_id)
    if staff is not None:
        held = await _require_group(tx, staff.group_id)
        offered = {name: value for name, value in follow.items() if name != "proof"}
        offer = activities.build_offer(core, group, offered, held.uri)
        proved = prove(core, core.keyring.at_hand(group.group_id), offer)
        await record(tx, core, tables, group=held, kind="create", arrival=own_arrival(proved))


async def _send_to_host(tx: Tx, core: Core, group: Group, member: Member, activity: dict[str, Any]) -> None:
    """Send an activity of a member to the host of a group elsewhere."""
    actor = await get_actor(tx, actor_id=group.group_id)
    if group.peer_id is None or actor is None or actor.inbox_uri is None:
        raise Conflict("The host of this group cannot be reached.")
    await send(
        tx,
        core,
        peer_id=group.peer_id,
        stream=DIRECT,
        actor_id=member.actor_id,
        activity=activity,
        inbox_uri=actor.inbox_uri,
    )


async def _leave(tx: Tx, core: Core, tables: Tables, member: Member, group_id: int) -> None:
    group = await _require_group(tx, group_id)
    membership = await get_membership(tx, group_id=group_id, actor_id=member.actor_id)
    if membership is None or not may_become(membership.state, "left"):
        raise Conflict("You are not in this group.")
    if group.is_local:
        if membership.is_member and membership.role == "owner" and await count_owners(tx, group_id=group_id) == 1:
            raise Conflict("You are this group's last owner. Make somebody else owner first.")
        actor = await get_actor(tx, actor_id=member.actor_id)
        assert actor is not None
        await hosting.put_out(tx, core, tables, group=group, actor=actor, state="left", by=member.handle, reason="")
        return
    follow = await get_request_document(tx, group_id=group_id, actor_id=member.actor_id)
    undone = msgspec.json.decode(follow) if follow else {"type": "Follow", "actor": member.uri, "object": group.uri}
    await _end_here(tx, core, group, member)
    undo = activities.build_undo(core, member.uri, undone, group.uri)
    await _send_to_host(tx, core, group, member, undo)


async def _end_here(tx: Tx, core: Core, group: Group, member: Member) -> None:
    """End a member's place in a group elsewhere and in its staff; the last one takes our copies along."""
    staff = await get_staff_group(tx, group_id=group.group_id)
    for place in (group, staff):
        membership = None
        if place is not None:
            membership = await get_membership(tx, group_id=place.group_id, actor_id=member.actor_id)
        if place is None or membership is None or not may_become(membership.state, "left"):
            continue
        await update_membership_state(
            tx, group_id=place.group_id, actor_id=member.actor_id, state="left", decided_by=member.handle
        )
        if await count_local(tx, group_id=place.group_id) == 0:
            await purge_group(tx, core, group_id=place.group_id)


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
    group = await _require_group(tx, group_id)
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
    await _send_to_host(tx, core, group, staff, prove(core, core.keyring.at_hand(staff.actor_id), decision))


async def _admit(tx: Tx, core: Core, staff: Member | None, group_id: int, peer: Peer, because_of: str, by: str) -> bool:
    group = await _require_group(tx, group_id)
    await _check_staff(tx, group, staff, access.may_admit_node)
    if not group.is_local:
        raise Conflict("This group is hosted elsewhere; its host admits nodes.")
    if peer.state != "active":
        raise Conflict(f"{peer.host} is {peer.state}; only an active peer can be admitted.")
    if not peer.policy.host_groups:
        raise Conflict(f"The policy for {peer.host} does not let its members into groups here.")
    return await hosting.admit(tx, core, group=group, peer=peer, by=by, because_of=because_of)


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
    group = await _require_group(tx, group_id)
    await _check_staff(tx, group, staff)
    if not group.is_local:
        raise Conflict("This group is hosted elsewhere; its host removes people.")
    membership = await get_membership(tx, group_id=group_id, actor_id=actor_id)
    actor = await get_actor(tx, actor_id=actor_id)
    if membership is None or actor is None:
        raise NotFound("This person is not in the group.")
    if membership.is_member and membership.role == "owner" and await count_owners(tx, group_id=group_id) == 1:
        raise Conflict("This is the group's last owner. Make somebody else owner first.")
    state = "banned" if ban else "removed"
    await hosting.put_out(tx, core, tables, group=group, actor=actor, state=state, by=by, reason=reason)


async def _invite(
    tx: Tx, core: Core, tables: Tables, staff: Member | None, group_id: int, invited: Actor, by: str
) -> None:
    group = await _require_group(tx, group_id)
    await _check_staff(tx, group, staff)
    actor = await get_actor_by_uri(tx, uri=invited.uri)
    if actor is None:
        await insert_actor(tx, actor=invited)
        actor = invited
    if not group.is_local or not await hosting.is_admitted(tx, core, group=group, actor=actor):
        raise Conflict(hosting.NOT_ADMITTED)
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
    group = await _require_group(tx, group_id)
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
    current = await _require_group(tx, group_id)
    activity = activities.build_role(core, group.uri, current, member_uri=actor.uri, role=role)
    proved = prove(core, core.keyring.at_hand(group_id), activity)
    await record(tx, core, tables, group=current, kind="role", arrival=own_arrival(proved))

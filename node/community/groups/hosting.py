"""The host's side of a group: let in, put out, admit nodes, say who can read. Inside a transaction with the group's row.

Whoever calls these has decided by `domain.access` that it may be done.
"""

from __future__ import annotations

import msgspec

from node.community.hosting import judge_level, own_arrival, record
from node.community.members.service import list_operator_names
from node.domain.access import may_moderate, may_node_see_card
from node.domain.actors import Actor
from node.domain.groups import Group, Membership, may_become
from node.domain.peers import Peer
from node.federation.grouplog.entry import chain_zero
from node.federation.grouplog.position import Position
from node.federation.vocabulary import without_private_addressing
from node.foundation.errors import Conflict
from node.inbox.dispatch import Arrival, Tables
from node.outbox.publish import CONTROL, prove, send
from node.store.actors import get_actor_by_uri, list_keys_of
from node.store.assents import forget_assents, list_subjects
from node.store.audit import write_audit
from node.store.core import Core
from node.store.engine import Tx
from node.store.logs import get_chain
from node.store.readers import Reader, list_readers, replace_readers
from node.store.rosters import (
    end_admission,
    get_admission,
    get_group,
    get_membership,
    get_request_document,
    get_staff_group,
    has_interest_at_host,
    has_members_at_host,
    let_in,
    list_hosts,
    put_request,
    take_group,
    update_membership_state,
    update_role,
)
from node.store.streams import close_lane, open_lane

from . import activities
from .admission import NOT_ADMITTED, admit, is_admitted, list_agreed


async def is_known_to(tx: Tx, group: Group, host: str) -> bool:
    """Say whether a node may know that a group exists; to others a hidden one answers nothing, not even a refusal."""
    interest = await has_interest_at_host(tx, group_id=group.group_id, host=host)
    return bool(may_node_see_card(group, has_member_or_invitation=interest))


async def bring_in(
    tx: Tx, core: Core, tables: Tables, *, group: Group, actor: Actor, role: str = "member", by: str
) -> None:
    """Make somebody a member: their place, their node's lane, the Accept, and the new readers.

    Raises:
        Conflict: Their node is not admitted, they cannot become a member from where they are, or what is attested of
            them is less than the group asks for.
    """
    membership = await get_membership(tx, group_id=group.group_id, actor_id=actor.actor_id)
    if not may_become(membership.state if membership else None, "member"):
        raise Conflict("This person is in the group already, or may not join it.")
    if not await is_admitted(tx, core, group=group, actor=actor):
        raise Conflict(NOT_ADMITTED)
    level = await judge_level(tx, core, group=group, actor_id=actor.actor_id, is_member=False)
    if not level:
        raise Conflict(level.reason)
    if membership is None:
        await put_request(tx, group_id=group.group_id, actor_id=actor.actor_id, state="requested")
    await forget_assents(tx, group_id=group.group_id, subject=actor.uri)
    is_first = not await has_members_at_host(tx, group_id=group.group_id, host=actor.host)
    visible_after = 0 if group.history == "all" else group.head_seq
    await let_in(
        tx,
        group_id=group.group_id,
        actor_id=actor.actor_id,
        role=role,
        joined_seq=group.head_seq,
        visible_after=visible_after,
        decided_by=by,
    )
    if not actor.is_local:
        await _welcome(tx, core, group=group, actor=actor, role=role, visible_after=visible_after)
    await write_audit(tx, actor=by, action="group.let_in", target=f"{group.handle} {actor.address}")
    if is_first and not group.is_staff_room:
        await publish_readers(tx, core, tables, group=group)
    if role != "member":
        await _bring_into_staff(tx, core, tables, group=group, actor=actor, by=by)


async def _welcome(tx: Tx, core: Core, *, group: Group, actor: Actor, role: str, visible_after: int) -> None:
    """Open the lane to a new member's node and send the Accept, before anything of the group."""
    peer = core.peers.by_host(actor.host)
    admission = await get_admission(tx, group_id=group.group_id, peer_id=peer.peer_id) if peer else None
    if peer is None or admission is None or actor.inbox_uri is None:
        raise Conflict(NOT_ADMITTED)
    await open_lane(tx, peer_id=peer.peer_id, stream=group.uri, group_id=group.group_id, cursor=admission.base_seq)
    text = await get_request_document(tx, group_id=group.group_id, actor_id=actor.actor_id)
    request = msgspec.json.decode(text) if text else {"type": "Follow", "actor": actor.uri, "object": group.uri}
    accept = activities.build_accept(
        core,
        group,
        request,
        member_uri=actor.uri,
        role=role,
        joined_seq=group.head_seq,
        visible_after=visible_after,
        base=await position_at(tx, group, admission.base_seq),
    )
    await send(
        tx,
        core,
        peer_id=peer.peer_id,
        stream=CONTROL,
        actor_id=group.group_id,
        activity=accept,
        inbox_uri=actor.inbox_uri,
    )


async def let_in_approved(tx: Tx, core: Core, tables: Tables, *, group: Group, peer: Peer, by: str) -> None:
    """Bring in those of a node just admitted whom staff said yes to before."""
    for subject in await list_subjects(tx, group_id=group.group_id):
        actor = await get_actor_by_uri(tx, uri=subject)
        if actor is None or actor.host != peer.host:
            continue
        if not await list_agreed(tx, group_id=group.group_id, subject=subject, check=may_moderate):
            continue  # whoever said yes is of the staff no more
        if await judge_level(tx, core, group=group, actor_id=actor.actor_id, is_member=False):
            await bring_in(tx, core, tables, group=group, actor=actor, by=by)


async def position_at(tx: Tx, group: Group, seq: int) -> Position:
    """Return the position of a log at one of its numbers."""
    if seq == 0:
        return Position(group.epoch, 0, chain_zero(group.uri))
    if seq == group.base_seq:
        return Position(group.epoch, seq, group.base_chain)
    chain = await get_chain(tx, group_id=group.group_id, seq=seq)
    if chain is None:
        raise Conflict(internal=f"no entry {seq} in {group.uri}")
    return Position(group.epoch, seq, chain)


async def put_out(
    tx: Tx, core: Core, tables: Tables, *, group: Group, actor: Actor, state: str, by: str, reason: str
) -> None:
    """End a membership or a request: `left`, `removed`, `banned` or `rejected`. Delivery ends in this transaction."""
    membership = await get_membership(tx, group_id=group.group_id, actor_id=actor.actor_id)
    if membership is None or not may_become(membership.state, state):
        raise Conflict("This person is not in the group.")
    was_member = membership.is_member
    await forget_assents(tx, group_id=group.group_id, subject=actor.uri)
    request = await get_request_document(tx, group_id=group.group_id, actor_id=actor.actor_id)
    await update_membership_state(
        tx, group_id=group.group_id, actor_id=actor.actor_id, state=state, decided_by=by, reason=reason
    )
    await write_audit(tx, actor=by, action=f"group.{state}", target=f"{group.handle} {actor.address}")
    if not actor.is_local:
        await part_from(tx, core, group=group, actor=actor, state=state, request=request, reason=reason)
    if was_member:
        await _leave_staff(tx, core, tables, group=group, actor=actor, by=by)
        is_last = not await has_members_at_host(tx, group_id=group.group_id, host=actor.host)
        if is_last and not group.is_staff_room:
            await publish_readers(tx, core, tables, group=group)


async def part_from(
    tx: Tx, core: Core, *, group: Group, actor: Actor, state: str, request: str | None, reason: str
) -> None:
    """Tell a member's node that it is over, and stop sending to it when it was the node's last."""
    peer = core.peers.by_host(actor.host)
    if peer is None:
        return
    if state != "left" and actor.inbox_uri is not None:
        rejected = msgspec.json.decode(request) if request else actor.uri
        summary = f"{state}: {reason}" if reason else state
        messages = [activities.build_reject(core, group, rejected, to=actor.uri, summary=summary)]
        if state == "banned":
            messages.append(activities.build_block(core, group, member_uri=actor.uri, summary=reason))
        for message in messages:
            await send(
                tx,
                core,
                peer_id=peer.peer_id,
                stream=CONTROL,
                actor_id=group.group_id,
                activity=message,
                inbox_uri=actor.inbox_uri,
            )
    if not await has_members_at_host(tx, group_id=group.group_id, host=actor.host):
        await end_admission(tx, group_id=group.group_id, peer_id=peer.peer_id)
        await close_lane(tx, peer_id=peer.peer_id, stream=group.uri)


async def give_role(
    tx: Tx, core: Core, tables: Tables, *, group: Group, actor: Actor, membership: Membership, role: str, by: str
) -> None:
    """Give a member another role; staff come into the companion group, and go from it."""
    await update_role(tx, group_id=group.group_id, actor_id=actor.actor_id, role=role)
    await write_audit(tx, actor=by, action="group.role", target=f"{group.handle} {actor.address}", reason=role)
    if role == "member":
        await _leave_staff(tx, core, tables, group=group, actor=actor, by=by)
    elif membership.role == "member":
        await _bring_into_staff(tx, core, tables, group=group, actor=actor, by=by)


async def _bring_into_staff(tx: Tx, core: Core, tables: Tables, *, group: Group, actor: Actor, by: str) -> None:
    """Let somebody into the hidden companion of a group; whoever may hold the group may hold it."""
    staff = await get_staff_group(tx, group_id=group.group_id)
    if staff is None:
        return
    staff = await take_group(tx, group_id=staff.group_id)
    assert staff is not None
    place = await get_membership(tx, group_id=staff.group_id, actor_id=actor.actor_id)
    if place is not None and place.is_member:
        return
    peer = None if actor.is_local else core.peers.by_host(actor.host)
    if peer is not None:
        await admit(tx, core, group=staff, peer=peer, by=by, because_of=actor.uri)
    await bring_in(tx, core, tables, group=staff, actor=actor, by=by)


async def _leave_staff(tx: Tx, core: Core, tables: Tables, *, group: Group, actor: Actor, by: str) -> None:
    staff = await get_staff_group(tx, group_id=group.group_id)
    if staff is None:
        return
    place = await get_membership(tx, group_id=staff.group_id, actor_id=actor.actor_id)
    if place is not None and place.is_member:
        held = await take_group(tx, group_id=staff.group_id)
        assert held is not None
        await put_out(tx, core, tables, group=held, actor=actor, state="removed", by=by, reason="")


async def publish_readers(tx: Tx, core: Core, tables: Tables, *, group: Group) -> None:
    """Put into the log which nodes hold the group now, each with its name and how many members it has there."""
    readers = await count_by_node(tx, core, group_id=group.group_id)
    if readers == await list_readers(tx, group_id=group.group_id):
        return
    current = await get_group(tx, group_id=group.group_id)
    assert current is not None
    keys = core.keyring.at_hand(group.group_id)
    activity = prove(core, keys, activities.build_readers(core, current, readers))
    await record(tx, core, tables, group=current, kind="readers", arrival=own_arrival(activity))
    await replace_readers(tx, group_id=group.group_id, readers=readers)


async def count_by_node(tx: Tx, core: Core, *, group_id: int) -> list[Reader]:
    """Return which nodes hold a group that we host at this moment, each with how many members it has there."""
    return [
        await _reader(tx, core, host=row.host, members=int(row.members))
        for row in await list_hosts(tx, group_id=group_id)
    ]


async def list_readers_now(tx: Tx, core: Core, *, group: Group) -> list[Reader]:
    """Return who can read a group: counted where it is hosted here, else as its host last told."""
    if group.is_local:
        return await count_by_node(tx, core, group_id=group.group_id)
    return await list_readers(tx, group_id=group.group_id)


async def _reader(tx: Tx, core: Core, *, host: str, members: int) -> Reader:
    peer = core.peers.by_host(host)
    if peer is not None:
        return Reader(host, peer.name, peer.name, members)
    operators = await list_operator_names(tx)
    return Reader(host, core.config.name, ", ".join(operators) or core.config.name, members)


async def find_flaw(tx: Tx, arrival: Arrival, actor: Actor) -> str | None:
    """Return what keeps an activity out of a log although its sender may do what it says; None when nothing does.

    A log forwards it as it is. Blind copies would be seen by all (T29); without its author's proof no member's node
    would take it, and every lane of the group would stop. Software without Ed25519 keys has no proof to give.
    """
    if without_private_addressing(arrival.document) is not arrival.document:
        return "What is said in a group names nobody blindly."
    if arrival.is_proved:
        return None
    keys = await list_keys_of(tx, actor_id=actor.actor_id)
    has_key = any(key.algorithm == "ed25519" and key.state == "current" for key in keys)
    return "The activity does not carry its author's proof." if has_key else None


async def refuse(tx: Tx, core: Core, *, group: Group, actor: Actor, arrival: Arrival, code: str, reason: str) -> None:
    """Send `Reject{actor: G, object: <the activity's id>, summary: "code: sentence"}` on the control stream."""
    peer = core.peers.by_id(arrival.peer_id or 0)
    if peer is None or actor.inbox_uri is None:
        return
    rejected = arrival.document if arrival.type in ("Follow", "Join") else arrival.uri
    message = activities.build_reject(core, group, rejected, to=actor.uri, summary=f"{code}: {reason}")
    await send(
        tx,
        core,
        peer_id=peer.peer_id,
        stream=CONTROL,
        actor_id=group.group_id,
        activity=message,
        inbox_uri=actor.inbox_uri,
    )


async def count_readers(tx: Tx, core: Core, tables: Tables, group_id: int) -> None:
    """Say anew which nodes hold a group, if that or their numbers of members have changed."""
    group = await take_group(tx, group_id=group_id)
    if group is not None and group.head_seq > 0:
        await publish_readers(tx, core, tables, group=group)

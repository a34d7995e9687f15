"""What members and operators do about groups. Here a group may be ours or another node's; the door does not care."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import Any

import msgspec

from node.community.hosting import judge_level, own_arrival, record
from node.community.purge import purge_group
from node.domain import access
from node.domain.actors import ASSURANCE_LEVELS, Actor, Member, is_handle
from node.domain.groups import HISTORIES, POLICIES, RESERVED_HANDLES, Group, Membership, may_become
from node.federation.grouplog.entry import chain_zero
from node.foundation.errors import Conflict, Forbidden, Invalid, NotFound
from node.foundation.text import clean_line, clean_text
from node.inbox.dispatch import Tables
from node.outbox.publish import DIRECT, prove, send
from node.store.actors import get_actor, get_actor_by_address, insert_actor
from node.store.audit import write_audit
from node.store.core import Core
from node.store.engine import Tx
from node.store.keyring import insert_own_keys
from node.store.papers import set_paper
from node.store.rosters import (
    count_owners,
    get_group,
    get_group_by_uri,
    get_membership,
    get_request_document,
    get_staff_group,
    has_local_members,
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
    rules: str = ""
    questions: str = ""
    new_node_approvals: int = 1
    required_assurance: str = "A0"


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
    if new.new_node_approvals not in (1, 2):
        raise Invalid("One person admits a new node, or two must agree.")
    if new.required_assurance not in ASSURANCE_LEVELS:
        raise Invalid(f"The assurance is one of {', '.join(ASSURANCE_LEVELS)}.")
    if owner.state != "active" and owner.state != "invited":
        raise Conflict(f"{owner.handle} is {owner.state}.")
    uri = f"{core.origin}/groups/{new.handle}"
    taken = Conflict(f"The handle {new.handle} is taken. Handles are never used twice.")
    if new.handle in RESERVED_HANDLES:
        raise taken
    existing, is_theirs = await core.store.read(_find_existing, uri, owner.actor_id)
    if existing is not None:
        if is_theirs and (existing.title, existing.policy, existing.is_hidden) == (
            clean_line(new.title),
            new.policy,
            new.is_hidden,
        ):
            return existing
        raise taken
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


async def _find_existing(tx: Tx, uri: str, owner_id: int) -> tuple[Group | None, bool]:
    """Return a group of this id, and whether somebody owns it: what another owns is never given out as made."""
    group = await get_group_by_uri(tx, uri=uri)
    place = await get_membership(tx, group_id=group.group_id, actor_id=owner_id) if group else None
    return group, place is not None and place.is_member and place.role == "owner"


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
            new_node_approvals=new.new_node_approvals if staff_of is None else 1,
            epoch=1,
            base_seq=0,
            base_chain=zero,
            head_seq=0,
            head_chain=zero,
            applied_seq=0,
            required_assurance=new.required_assurance if staff_of is None else "A0",
        )
        level = await judge_level(tx, core, group=group, actor_id=owner.actor_id, is_member=False)
        if not level:
            raise Conflict(level.reason)
        await insert_group(tx, group=group)
        await put_request(tx, group_id=group_id, actor_id=owner.actor_id, state="requested", role="owner")
        await let_in(
            tx, group_id=group_id, actor_id=owner.actor_id, role="owner", joined_seq=0, visible_after=0, decided_by=by
        )
    rules, questions = (clean_text(text, limit=_REASON_CHARACTERS).strip() for text in (new.rules, new.questions))
    await set_paper(tx, group_id=ids[0], rules=rules, questions=questions)
    await write_audit(tx, actor=by, action="group.create", target=new.handle, reason=new.policy)
    return await require_group(tx, ids[0])


async def require_group(tx: Tx, group_id: int) -> Group:
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
    group = await require_group(tx, known.group_id)
    membership = await get_membership(tx, group_id=group.group_id, actor_id=member.actor_id)
    if membership is not None and membership.state in ("member", "requested"):
        return membership
    if member.state != "active":
        raise Forbidden(f"{member.handle} is {member.state}.")
    if group.is_hidden and (membership is None or membership.state in ("left", "rejected")):
        raise NotFound("There is no such group.")
    peer = core.peers.by_id(group.peer_id or 0)
    decision = access.may_request(group, membership, shares_groups=peer is None or peer.policy.host_groups)
    if not decision:
        raise Conflict(decision.reason)
    if group.is_local:  # the host of another decides by what it accepts of us
        level = await judge_level(tx, core, group=group, actor_id=member.actor_id, is_member=False)
        if not level:
            raise Conflict(level.reason)
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
        await send_to_host(tx, core, group, member.actor_id, follow)
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
        held = await require_group(tx, staff.group_id)
        offered = {name: value for name, value in follow.items() if name != "proof"}
        offer = activities.build_offer(core, group, offered, held.uri, by=actor)
        proved = prove(core, core.keyring.at_hand(group.group_id), offer)
        await record(tx, core, tables, group=held, kind="create", arrival=own_arrival(proved))


async def send_to_host(tx: Tx, core: Core, group: Group, actor_id: int, activity: dict[str, Any]) -> None:
    """Send an activity of a member to the host of a group elsewhere.

    Raises:
        Conflict: The host cannot be reached.
    """
    host = await get_actor(tx, actor_id=group.group_id)
    if group.peer_id is None or host is None or host.inbox_uri is None:
        raise Conflict("The host of this group cannot be reached.")
    await send(
        tx,
        core,
        peer_id=group.peer_id,
        stream=DIRECT,
        actor_id=actor_id,
        activity=activity,
        inbox_uri=host.inbox_uri,
    )


async def _leave(tx: Tx, core: Core, tables: Tables, member: Member, group_id: int) -> None:
    group = await require_group(tx, group_id)
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
    asked = await get_request_document(tx, group_id=group_id, actor_id=member.actor_id)
    request = msgspec.json.decode(asked) if asked else {"type": "Follow", "actor": member.uri, "object": group.uri}
    await _end_here(tx, core, group, member)
    if membership.state == "invited":
        answer = activities.build_decline(core, member.uri, request, group.uri)
    else:
        answer = activities.build_undo(core, member.uri, request, group.uri)
    await send_to_host(tx, core, group, member.actor_id, answer)


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
        if not await has_local_members(tx, group_id=place.group_id):
            await purge_group(tx, core, group_id=place.group_id)

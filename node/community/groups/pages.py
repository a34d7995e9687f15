"""Page models of belonging: how to come into a group, who asks to, who is in it, what leaving means, what people share.

One read body each. What a viewer may not know of is absent; what only staff may see is absent for everybody else.
"""

from __future__ import annotations

from dataclasses import dataclass

import msgspec

from node.community.posts.service import withdraw_post
from node.domain import access
from node.domain.actors import Member
from node.domain.groups import Group, GroupPaper, Membership
from node.domain.peers import Peer
from node.foundation.errors import Conflict, NotFound
from node.foundation.text import html_to_text
from node.inbox.dispatch import Tables
from node.store.actors import get_actor, get_actor_document
from node.store.core import Core
from node.store.engine import Tx
from node.store.papers import get_paper
from node.store.places import list_staff
from node.store.readers import Reader, list_readers
from node.store.rosters import RosterRow, count_owners, get_admission, get_group, get_membership

from . import repository
from .admission import list_agreed
from .hosting import list_readers_now
from .reports import Report, list_reports
from .repository import PAGE_MEMBERS, Said
from .service import leave_group
from .stubs import read_paper


@dataclass(frozen=True, slots=True)
class JoinPage:
    """A group from outside.

    way: "open", "request", "invited" (may come in or ask); "asked" (waits); "member"; or why not: "by_invitation",
    "banned", "not_shared".
    """

    group: Group
    place: Membership | None
    way: str
    purpose: str
    paper: GroupPaper


@dataclass(frozen=True, slots=True)
class Asking:
    """Somebody who asks to join.

    peer: their node as we know it; None for our own members and for nodes not on our list.
    is_admitted: their node may hold the group already. may_be_admitted: it could be let hold it.
    voters: who said yes to the node, where two must. approved_by: who said yes to the person already.
    """

    person: RosterRow
    peer: Peer | None
    is_admitted: bool
    may_be_admitted: bool
    voters: list[str]
    approved_by: list[str]


@dataclass(frozen=True, slots=True)
class RequestsPage:
    """What lies before a group's staff. posts: how many the group has so far."""

    group: Group
    place: Membership
    waiting: list[Asking]
    posts: int
    may_admit: bool
    reports: list[Report]


@dataclass(frozen=True, slots=True)
class MembersPage:
    """Who is in a group, as a member sees it.

    members: those without a role; more_after: behind whom the next page begins. invited, banned: for staff.
    chosen: whom the viewer wants to do something about; may_own, may_put_out: what of it they may.
    """

    group: Group
    place: Membership
    readers: list[Reader]
    staff: list[RosterRow]
    members: list[RosterRow]
    more_after: int | None
    invited: list[RosterRow]
    banned: list[RosterRow]
    chosen: RosterRow | None
    may_own: bool
    may_put_out: bool
    may_invite: bool
    posts: int


@dataclass(frozen=True, slots=True)
class LeavePage:
    """What leaving a group would mean. posts: own ones that still stand. is_last_owner: leaving must wait."""

    group: Group
    place: Membership
    posts: int
    is_last_owner: bool


@dataclass(frozen=True, slots=True)
class Shared:
    """What two people have in common: groups, and what the other wrote there last, each with its group."""

    groups: list[Group]
    said: list[tuple[Said, Group]]


async def read_join_page(core: Core, *, viewer: Member, group_id: int) -> JoinPage:
    """Return a group from outside; the caller has asked whether the viewer may know of it."""
    return await core.store.read(_join_page, core, viewer, group_id)


async def read_requests_page(core: Core, *, viewer: Member, group_id: int) -> RequestsPage:
    """Return who asks to join a group, and what was reported in it.

    Raises:
        NotFound: The viewer is not of its staff.
    """
    return await core.store.read(_requests_page, core, viewer, group_id)


async def read_members_page(
    core: Core, *, viewer: Member, group_id: int, after_id: int = 0, chosen: str = ""
) -> MembersPage:
    """Return who is in a group, by page.

    Args:
        core: This node.
        viewer: Who looks.
        group_id: The group.
        after_id: Show members behind this one.
        chosen: `handle@host` of somebody to do something about; only staff can choose.

    Raises:
        NotFound: The viewer is not in the group, or there is nobody of that address in it.
    """
    return await core.store.read(_members_page, core, viewer, group_id, after_id, chosen)


async def read_leave_page(core: Core, *, viewer: Member, group_id: int) -> LeavePage:
    """Return what leaving would mean.

    Raises:
        NotFound: The viewer is not in the group.
    """
    return await core.store.read(_leave_page, viewer, group_id)


async def leave_with_choice(core: Core, tables: Tables, *, member: Member, group_id: int, withdraw: bool) -> None:
    """Leave a group, or take a request back; with `withdraw` take one's posts back first.

    Raises:
        Conflict: Not in it, or its last owner: then nothing is taken back.
    """
    if await core.store.read(_is_last_owner, member.actor_id, group_id):
        raise Conflict("You are this group's last owner. Make somebody else owner first.")
    if withdraw:
        for post_id in await core.store.read(_left_behind, member.actor_id, group_id):
            await withdraw_post(core, tables, author=member, post_id=post_id)
    await leave_group(core, tables, member=member, group_id=group_id)


async def read_shared(core: Core, *, viewer: Member, actor_id: int) -> Shared:
    """Return what a member shares with somebody whom they may see."""
    return await core.store.read(_shared, viewer.actor_id, actor_id)


async def _join_page(tx: Tx, core: Core, viewer: Member, group_id: int) -> JoinPage:
    group, actor = await get_group(tx, group_id=group_id), await get_actor(tx, actor_id=group_id)
    if group is None or actor is None:
        raise NotFound("There is no such group.")
    place = await get_membership(tx, group_id=group_id, actor_id=viewer.actor_id)
    purpose = actor.summary if group.is_local else html_to_text(actor.summary)
    return JoinPage(group, place, _way_in(core, group, place), purpose, await _paper(tx, group))


async def _paper(tx: Tx, group: Group) -> GroupPaper:
    if group.is_local:
        return await get_paper(tx, group_id=group.group_id)
    row = await get_actor_document(tx, uri=group.uri)
    return read_paper(msgspec.json.decode(row.document)) if row is not None and row.document else GroupPaper()


def _way_in(core: Core, group: Group, place: Membership | None) -> str:
    state = place.state if place is not None else None
    if state in ("member", "invited", "banned"):
        return str(state)
    if state == "requested":
        return "asked"
    peer = core.peers.by_id(group.peer_id or 0)
    shares_groups = group.is_local or (peer is not None and peer.state == "active" and peer.policy.host_groups)
    if access.may_request(group, place, shares_groups=shares_groups):
        return group.policy
    return "by_invitation" if shares_groups else "not_shared"


async def _member_of(tx: Tx, viewer: Member, group_id: int) -> tuple[Group, Membership]:
    group = await get_group(tx, group_id=group_id)
    place = await get_membership(tx, group_id=group_id, actor_id=viewer.actor_id)
    if group is None or place is None or not place.is_member:
        raise NotFound("There is no such group.")
    return group, place


async def _requests_page(tx: Tx, core: Core, viewer: Member, group_id: int) -> RequestsPage:
    group, place = await _member_of(tx, viewer, group_id)
    if not access.may_moderate(viewer.viewer, place):
        raise NotFound("There is no such page.")
    holders = {reader.host for reader in await list_readers(tx, group_id=group_id)} | {core.host, group.host}
    waiting = []
    for person in await repository.list_in_state(tx, group_id=group_id, state="requested"):
        peer = None if person.is_local else core.peers.by_host(person.host)
        is_admitted, may_be = person.host in holders, not group.is_local
        if group.is_local and not person.is_local:
            admission = await get_admission(tx, group_id=group_id, peer_id=peer.peer_id) if peer else None
            is_admitted = admission is not None
            may_be = peer is not None and peer.state == "active" and peer.policy.host_groups
        voters = await list_agreed(tx, group_id=group_id, subject=person.host, check=access.may_admit_node)
        approved_by = await list_agreed(tx, group_id=group_id, subject=person.uri, check=access.may_moderate)
        waiting.append(Asking(person, peer, is_admitted, may_be, voters, approved_by))
    return RequestsPage(
        group=group,
        place=place,
        waiting=waiting,
        posts=await repository.count_posts(tx, group_id=group_id),
        may_admit=bool(access.may_admit_node(viewer.viewer, place)),
        reports=await list_reports(tx, viewer_id=viewer.actor_id, group_id=group_id),
    )


async def _members_page(tx: Tx, core: Core, viewer: Member, group_id: int, after_id: int, chosen: str) -> MembersPage:
    group, place = await _member_of(tx, viewer, group_id)
    is_staff = bool(access.may_moderate(viewer.viewer, place))
    may_own = group.is_local and bool(access.may_own(viewer.viewer, place))
    found = None
    if chosen:
        handle, _, host = chosen.partition("@")
        found = await repository.get_place_by_address(tx, group_id=group_id, handle=handle, host=host)
        if found is None or not is_staff or not group.is_local or found.actor_id == viewer.actor_id:
            raise NotFound("There is nobody of this name in the group.")
    rows = await repository.list_plain_members(tx, group_id=group_id, after_id=after_id)
    return MembersPage(
        group=group,
        place=place,
        readers=await list_readers_now(tx, core, group=group),
        staff=await list_staff(tx, group_id=group_id) if not after_id else [],
        members=rows[:PAGE_MEMBERS],
        more_after=rows[PAGE_MEMBERS - 1].actor_id if len(rows) > PAGE_MEMBERS else None,
        invited=await repository.list_in_state(tx, group_id=group_id, state="invited") if is_staff else [],
        banned=await _list_banned(tx, group) if is_staff else [],
        chosen=found,
        may_own=may_own,
        # Who has a role is put out by owners alone: a moderator does not remove those who appointed them.
        may_put_out=group.is_local and is_staff and (may_own or found is None or found.role == "member"),
        may_invite=group.is_local and is_staff,
        posts=await repository.count_posts(tx, group_id=group_id),
    )


async def find_banned(core: Core, *, group_id: int, address: str) -> RosterRow | None:
    """Return somebody who is banned from a group, by `handle@host`; the caller has asked whether the viewer is staff."""
    return await core.store.read(_banned_by_address, group_id, address)


async def _banned_by_address(tx: Tx, group_id: int, address: str) -> RosterRow | None:
    handle, _, host = address.partition("@")
    return await repository.get_banned_by_address(tx, group_id=group_id, handle=handle, host=host)


async def _list_banned(tx: Tx, group: Group) -> list[RosterRow]:
    """Return who is banned from a group; of a group elsewhere its host alone knows."""
    return await repository.list_in_state(tx, group_id=group.group_id, state="banned") if group.is_local else []


async def _leave_page(tx: Tx, viewer: Member, group_id: int) -> LeavePage:
    group, place = await _member_of(tx, viewer, group_id)
    posts = len(await _left_behind(tx, viewer.actor_id, group_id))
    return LeavePage(group, place, posts, await _is_last_owner(tx, viewer.actor_id, group_id))


async def _is_last_owner(tx: Tx, viewer_id: int, group_id: int) -> bool:
    group = await get_group(tx, group_id=group_id)
    place = await get_membership(tx, group_id=group_id, actor_id=viewer_id)
    if group is None or place is None or not group.is_local or not place.is_member or place.role != "owner":
        return False
    return await count_owners(tx, group_id=group_id) == 1


async def _left_behind(tx: Tx, viewer_id: int, group_id: int) -> list[int]:
    return await repository.list_left_behind(tx, viewer_id=viewer_id, group_id=group_id)


async def _shared(tx: Tx, viewer_id: int, actor_id: int) -> Shared:
    ids = await repository.list_shared_ids(tx, viewer_id=viewer_id, actor_id=actor_id)
    groups = [group for group in [await get_group(tx, group_id=each) for each in ids] if group is not None]
    said = await repository.list_said(tx, viewer_id=viewer_id, actor_id=actor_id)
    by_id = {group.group_id: group for group in groups}
    return Shared(groups, [(post, by_id[post.group_id]) for post in said if post.group_id in by_id])

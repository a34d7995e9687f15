"""Who is in a group, and who asks to be, as lists of accounts: what apps page through."""

from __future__ import annotations

from dataclasses import dataclass

from node.domain.actors import Member
from node.foundation.errors import Conflict, NotFound
from node.inbox.dispatch import Tables
from node.store.core import Core
from node.store.engine import Tx
from node.store.places import list_staff
from node.store.rosters import get_group, get_membership

from . import repository
from .pages import read_join_page
from .repository import Before
from .staff import decide_request


@dataclass(frozen=True, slots=True)
class GroupWords:
    """What a group says of itself. rules: in its owner's words. staff: names, the first first."""

    rules: str
    staff: list[str]


async def list_member_ids(
    core: Core, *, viewer: Member, group_id: int, before_id: int, after_id: int, oldest_first: bool
) -> list[int]:
    """Return the numbers of at most 40 members of a group, the largest first; nobody, to who is not in it."""
    return await core.store.read(_member_ids, viewer.actor_id, group_id, before_id, after_id, oldest_first)


async def list_shared_ids(core: Core, *, viewer: Member, actor_id: int) -> list[int]:
    """Return the numbers of the groups that a member shares with somebody whom they may see."""
    return await core.store.read(_shared_ids, viewer.actor_id, actor_id)


async def describe_group(core: Core, *, viewer: Member, group_id: int) -> GroupWords:
    """Return what a group that a member may know of says of itself; who looks after it is told to its members alone."""
    page = await read_join_page(core, viewer=viewer, group_id=group_id)
    is_member = page.place is not None and page.place.is_member
    return GroupWords(page.paper.rules, await core.store.read(_staff, group_id) if is_member else [])


async def list_asking(core: Core, *, viewer: Member) -> list[Before]:
    """Return the requests to join that a member may decide, the earliest first."""
    return await core.store.read(_asking, viewer.actor_id)


async def decide_about(core: Core, tables: Tables, *, staff: Member, actor_id: int, approve: bool) -> int:
    """Decide the one request of somebody that lies before a member; return the number of its group.

    Raises:
        NotFound: No request of theirs lies before the member.
        Conflict: They ask to join several groups of the member's, or their node is not admitted yet.
    """
    found = [each for each in await list_asking(core, viewer=staff) if each.actor_id == actor_id]
    if not found:
        raise NotFound("There is no open request of this person.")
    if len(found) > 1:
        titles = ", ".join(each.title for each in found)
        raise Conflict(f"This person asks to join several groups ({titles}). Decide on the pages of these groups.")
    await decide_request(
        core,
        tables,
        staff=staff,
        group_id=found[0].group_id,
        actor_id=actor_id,
        approve=approve,
        note="",
        by=staff.handle,
    )
    return found[0].group_id


async def _member_ids(
    tx: Tx, viewer_id: int, group_id: int, before_id: int, after_id: int, oldest_first: bool
) -> list[int]:
    group = await get_group(tx, group_id=group_id)
    place = await get_membership(tx, group_id=group_id, actor_id=viewer_id)
    if group is None or group.is_staff_room or place is None or not place.is_member:
        return []
    return await repository.list_member_ids(
        tx, group_id=group_id, before_id=before_id, after_id=after_id, oldest_first=oldest_first
    )


async def _shared_ids(tx: Tx, viewer_id: int, actor_id: int) -> list[int]:
    return await repository.list_shared_ids(tx, viewer_id=viewer_id, actor_id=actor_id)


async def _staff(tx: Tx, group_id: int) -> list[str]:
    return [each.name or each.handle for each in await list_staff(tx, group_id=group_id)]


async def _asking(tx: Tx, viewer_id: int) -> list[Before]:
    return await repository.list_before_staff(tx, viewer_id=viewer_id)

"""Page models of reading: catch-up, a member's groups, one group. One read body each.

*What is new to somebody.* A group has a mark: everything up to it is read. Of the posts by others after the mark those
count that lie beyond the member's position in their thread. Reading a thread moves the position; when nothing else in
the group is new, it moves the mark as well, so that catch-up of a member who keeps up asks one row for each group.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from node.community.groups.hosting import list_readers_now
from node.domain.actors import Member
from node.domain.groups import Group, Membership
from node.domain.posts import Post
from node.foundation.errors import NotFound
from node.store import places, progress, threads
from node.store.core import Core
from node.store.distance import list_hidden_authors
from node.store.engine import Tx
from node.store.following import get_level, list_levels
from node.store.profiles import list_joined
from node.store.readers import Reader
from node.store.rosters import RosterRow, count_in_state, get_group
from node.store.topics import Shape, list_shapes

from .reach import LeftBehind, list_nodes_left_behind
from .seen import list_labelled, require_joined

CATCH_UP_LIMIT = 7
# Of so many groups a list says whether something is new; whoever is in more finds the rest in catch-up.
_LOOKED_INTO = 30
_PLAIN = Shape()


@dataclass(frozen=True, slots=True)
class ThreadLine:
    """One thread in a list.

    post: its first post; None when that was written before the member joined. newest: its newest post.
    new: how many posts by others the member has not seen. title: one that staff gave; else empty.
    summary: of what stands before it, if the member has not seen it; summed_up: how many of the new ones those are.
    """

    root_id: int
    group: Group
    post: Post | None
    newest: Post | None
    posts: int
    new: int
    title: str = ""
    summary: Post | None = None
    summed_up: int = 0


@dataclass(frozen=True, slots=True)
class CatchUp:
    """What is new to a member: at most seven threads. has_more: there is more. newest_id: no post has a larger number."""

    lines: list[ThreadLine]
    has_more: bool
    groups: int
    newest_id: int


@dataclass(frozen=True, slots=True)
class GroupLine:
    """A group in a list. place: the member's, if any. new: whether others wrote what they have not seen."""

    group: Group
    place: Membership | None
    new: bool = False


@dataclass(frozen=True, slots=True)
class GroupPage:
    """One group, as a member of it sees it.

    level: how much of it they want to hear. newest_id: of its newest post. left_behind: for staff, where the group is hosted.
    """

    group: Group
    place: Membership
    readers: list[Reader]
    staff: list[RosterRow]
    requests: int
    pinned: list[ThreadLine]
    lines: list[ThreadLine]
    earlier_before: int | None
    level: str
    newest_id: int
    left_behind: list[LeftBehind]


async def catch_up(core: Core, *, viewer: Member) -> CatchUp:
    """Return what is new to a member in all their groups."""
    return await core.store.read(_catch_up, core, viewer.actor_id)


async def list_own_groups(core: Core, *, viewer: Member) -> tuple[list[GroupLine], list[GroupLine]]:
    """Return the groups a member is in, was invited to or asked for; and those they may ask to join."""
    return await core.store.read(_groups, viewer.actor_id)


async def read_group_page(core: Core, *, viewer: Member, group_id: int, before_id: int = 2**62) -> GroupPage:
    """Return one group with its threads, those with the newest posts first.

    Raises:
        NotFound: The viewer is not in the group; absent groups answer alike.
    """
    return await core.store.read(_group_page, core, viewer.actor_id, group_id, before_id)


async def mark_group_read(core: Core, *, viewer: Member, group_ids: list[int]) -> None:
    """Call everything in these groups read."""
    await core.store.write(_mark_read, viewer.actor_id, group_ids)


async def _catch_up(tx: Tx, core: Core, viewer_id: int) -> CatchUp:
    marks = await progress.list_marks(tx, actor_id=viewer_id)
    joined = await list_joined(tx, viewer_id=viewer_id)
    levels = await list_levels(tx, actor_id=viewer_id)
    quiet = {group_id for group_id, chosen in levels.items() if chosen.level == "quiet"}
    found: list[tuple[int, int, int]] = []  # newest post, root, group
    for each in joined:
        mark = marks.get(each.group_id, 0)
        if each.newest_post_id <= mark or each.group_id in quiet:
            continue
        if len(found) > CATCH_UP_LIMIT and each.newest_post_id < found[CATCH_UP_LIMIT][0]:
            break  # groups come newest first: nothing further down is newer than what is kept
        unread = await progress.list_unread(tx, viewer_id=viewer_id, group_id=each.group_id, mark_id=mark)
        found = sorted([*found, *((newest, root_id, each.group_id) for root_id, newest in unread)], reverse=True)
    kept = found[:CATCH_UP_LIMIT]
    counts: dict[int, int] = {}
    groups: dict[int, Group] = {}
    for group_id in dict.fromkeys(each[2] for each in kept):
        roots = [root_id for _, root_id, of_group in kept if of_group == group_id]
        mark = marks.get(group_id, 0)
        counts |= await progress.count_unread(tx, viewer_id=viewer_id, mark_id=mark, root_ids=roots)
        groups[group_id] = await _require_group(tx, group_id)
    posts = await list_labelled(tx, core, viewer_id, list({number for each in kept for number in each[:2]}))
    lines = [
        ThreadLine(root_id, groups[group_id], posts.get(root_id), posts.get(newest), 0, counts.get(root_id, 1))
        for newest, root_id, group_id in kept
    ]
    newest_id = joined[0].newest_post_id if joined else 0
    return CatchUp(await _tended(tx, core, viewer_id, lines), len(found) > len(kept), len(joined), newest_id)


async def _tended(tx: Tx, core: Core, viewer_id: int, lines: list[ThreadLine]) -> list[ThreadLine]:
    """Return lines of a list as they are shown: with what staff made of their threads, without whom the viewer keeps away."""
    shapes = await list_shapes(tx, root_ids=[line.root_id for line in lines if line.post is not None])
    wanted = [shape.summary_id for shape in shapes.values() if shape.summary_id is not None]
    summaries = await list_labelled(tx, core, viewer_id, wanted)
    tended = [await _tended_line(tx, viewer_id, line, shapes, summaries) for line in lines]
    hidden = await list_hidden_authors(tx, viewer_id=viewer_id)
    return [_without_distant(line, hidden) for line in tended]


def _without_distant(line: ThreadLine, hidden: set[int]) -> ThreadLine:
    """Return a line that does not name whoever is at a distance as the one who wrote last."""
    is_named = line.post is not None and line.newest is not None and line.newest.author_id in hidden
    return replace(line, newest=None) if is_named else line


async def _tended_line(
    tx: Tx, viewer_id: int, line: ThreadLine, shapes: dict[int, Shape], summaries: dict[int, Post]
) -> ThreadLine:
    shape = shapes.get(line.root_id)
    if shape is None:
        return line
    summary = summaries.get(shape.summary_id or 0)
    if summary is None or summary.state != "live" or not line.new:
        return replace(line, title=shape.title)
    where = {"viewer_id": viewer_id, "group_id": line.group.group_id, "root_id": line.root_id}
    summed_up = line.new - await threads.count_new(tx, after_id=summary.post_id - 1, **where)
    return replace(line, title=shape.title, summary=summary if summed_up > 0 else None, summed_up=max(summed_up, 0))


async def _require_group(tx: Tx, group_id: int) -> Group:
    group = await get_group(tx, group_id=group_id)
    if group is None:
        raise NotFound("There is no such group.")
    return group


async def _groups(tx: Tx, viewer_id: int) -> tuple[list[GroupLine], list[GroupLine]]:
    marks = await progress.list_marks(tx, actor_id=viewer_id)
    mine: list[GroupLine] = []
    for each in await places.list_places(tx, viewer_id=viewer_id):
        mark, new = marks.get(each.group.group_id, 0), False
        if each.place.is_member and each.newest_post_id > mark and len(mine) < _LOOKED_INTO:
            where = {"viewer_id": viewer_id, "group_id": each.group.group_id, "mark_id": mark}
            new = bool(await progress.list_unread(tx, **where))
        mine.append(GroupLine(each.group, each.place, new))
    return mine, [GroupLine(group, None) for group in await places.list_open_groups(tx, viewer_id=viewer_id)]


async def _group_page(tx: Tx, core: Core, viewer_id: int, group_id: int, before_id: int) -> GroupPage:
    group, place = await require_joined(tx, viewer_id, group_id)
    rows = await threads.list_active(tx, viewer_id=viewer_id, group_id=group_id, before_id=before_id)
    shown = rows[: threads.LIST_THREADS]
    pinned = [] if before_id < 2**62 else await threads.list_pinned(tx, viewer_id=viewer_id, group_id=group_id)
    ids = list({number for row in (*shown, *pinned) for number in (row.root_id, row.newest_id)})
    posts = await list_labelled(tx, core, viewer_id, ids)
    mark = await progress.get_mark(tx, actor_id=viewer_id, group_id=group_id)
    roots = list({row.root_id for row in (*shown, *pinned)})
    counts = await progress.count_unread(tx, viewer_id=viewer_id, mark_id=mark, root_ids=roots)

    def line(row: threads.ThreadRow) -> ThreadLine:
        first, newest = posts.get(row.root_id), posts.get(row.newest_id)
        return ThreadLine(row.root_id, group, first, newest, row.posts, counts.get(row.root_id, 0))

    pins = {row.root_id for row in pinned}
    return GroupPage(
        group=group,
        place=place,
        readers=await list_readers_now(tx, core, group=group),
        staff=await places.list_staff(tx, group_id=group_id),
        requests=await count_in_state(tx, group_id=group_id, state="requested") if place.is_staff else 0,
        pinned=await _tended(tx, core, viewer_id, [line(row) for row in pinned]),
        lines=await _tended(tx, core, viewer_id, [line(row) for row in shown if row.root_id not in pins]),
        earlier_before=shown[-1].newest_id if len(rows) > len(shown) else None,
        level=await get_level(tx, actor_id=viewer_id, group_id=group_id),
        newest_id=max((row.newest_id for row in rows), default=0),
        left_behind=await list_nodes_left_behind(tx, core, group=group) if place.is_staff and group.is_local else [],
    )


async def _mark_read(tx: Tx, viewer_id: int, group_ids: list[int]) -> None:
    newest = {each.group_id: each.newest_post_id for each in await list_joined(tx, viewer_id=viewer_id)}
    for group_id in group_ids or list(newest):
        if group_id in newest:
            await progress.raise_mark(tx, actor_id=viewer_id, group_id=group_id, post_id=newest[group_id])

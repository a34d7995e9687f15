"""One thread, page by page, as somebody in its group sees it; and how far they have read. One read body for a page."""

from __future__ import annotations

from dataclasses import dataclass

from node.community.groups.hosting import list_readers_now
from node.community.posts.service import label_author
from node.domain.actors import Member, Viewer
from node.domain.groups import Group, Membership
from node.domain.polls import Poll
from node.domain.posts import Image, Post
from node.foundation.errors import NotFound
from node.store import drafts, objects, progress, threads
from node.store.attestations import list_accepted
from node.store.core import Core
from node.store.drafts import SavedDraft
from node.store.engine import Tx
from node.store.following import get_following
from node.store.media import list_images
from node.store.polls import list_polls
from node.store.profiles import list_joined
from node.store.readers import Reader
from node.store.rosters import get_membership
from node.store.topics import Part, Shape, list_parts, list_shapes

from .marked import Marked, read_marked
from .quotes import Quote, list_quotes
from .reach import Reach, list_reaches
from .seen import find_joined, list_labelled

_PLAIN = Shape()


@dataclass(frozen=True, slots=True)
class ThreadPage:
    """Part of a thread.

    position: the newest post of it that the member has seen.
    posts: in order; first_number is the place of the first one in the whole thread. unread_id: where the member stopped.
    shape: what staff made of it. summary: the post that sums up what stands before it. parts: what became topics of
    their own. origin: the first post of the thread that this one was part of.
    quotes: what is shown of posts that some link to. follows: "follow", "mute" or "none".
    ticks: {author: stage} of those whose attestation counts here.
    reaches: where those posts are of which the member may know it. marked: what stands on them for the member alone.
    polls: what some of the posts ask.
    waiting: the member's own, not yet in the host's order. later_after, earlier_before: where other parts begin.
    """

    group: Group
    place: Membership
    readers: list[Reader]
    root: Post | None
    root_id: int
    position: int
    posts: list[Post]
    first_number: int
    total: int
    new: int
    unread_id: int | None
    waiting: list[Post]
    images: dict[int, tuple[Image, ...]]
    polls: dict[int, Poll]
    parents: dict[int, Post]
    quotes: dict[int, tuple[Quote, ...]]
    follows: str
    shape: Shape
    summary: Post | None
    parts: list[Part]
    origin: Post | None
    draft: SavedDraft | None
    ticks: dict[int, str]
    reaches: dict[int, Reach]
    marked: Marked
    later_after: int | None
    earlier_before: int | None


async def read_thread_page(
    core: Core,
    *,
    viewer: Member,
    handle: str,
    host: str | None,
    token: str,
    after_id: int | None = None,
    before_id: int | None = None,
) -> tuple[ThreadPage, Post]:
    """Return part of a thread, and the post it was asked by: from where the member stopped, or around a post.

    Args:
        core: This node.
        viewer: Who reads.
        handle: The group the thread is in.
        host: Of the group; None for this node.
        token: The page token of the thread's first post, or of any of its posts.
        after_id: Show what follows this post; 0 for the beginning.
        before_id: Show what stands before this post.

    Raises:
        NotFound: The viewer may not read it, or it is not there.
    """
    address = (handle, host or core.host)
    return await core.store.read(_thread_page, core, viewer.viewer, address, token, after_id, before_id)


async def note_read(core: Core, *, viewer: Member, page: ThreadPage) -> None:
    """Remember that a member has seen the posts of a page; nothing is written for what they had seen before."""
    if page.posts and page.posts[-1].post_id > page.position:
        await core.store.write(_note_read, viewer.actor_id, page.group.group_id, page.root_id, page.posts[-1].post_id)


async def _thread_page(
    tx: Tx,
    core: Core,
    viewer: Viewer,
    address: tuple[str, str],
    token: str,
    after_id: int | None,
    before_id: int | None,
) -> tuple[ThreadPage, Post]:
    viewer_id = viewer.actor_id
    group, place = await find_joined(tx, viewer_id, *address)
    group_id = group.group_id
    named = await threads.get_post_by_token(tx, viewer_id=viewer_id, group_id=group_id, token=token)
    if named is None:
        raise NotFound("There is no such thread.")
    root_id = named.root_id
    where = {"viewer_id": viewer_id, "group_id": group_id, "root_id": root_id}
    position = (await progress.list_positions(tx, actor_id=viewer_id, root_ids=[root_id])).get(root_id, 0)
    mark = max(position, await progress.get_mark(tx, actor_id=viewer_id, group_id=group_id))
    unread_id = await threads.find_first_unread(tx, after_id=mark, **where)
    total = await threads.count_up_to(tx, post_id=2**62, **where)
    after_id = _find_beginning(named, mark, total) if after_id is None else after_id
    posts, later_after = await _part_of_thread(tx, where, after_id, before_id)
    is_from_start = not posts or posts[0].post_id == root_id
    first_number = 1 if is_from_start else await threads.count_up_to(tx, post_id=posts[0].post_id, **where)
    news = 0 if unread_id is None else await threads.count_new(tx, after_id=mark, **where)
    root = posts[0] if posts and is_from_start else await objects.get_post(tx, viewer_id=viewer_id, post_id=root_id)
    waiting = [] if group.is_local else await threads.list_waiting(tx, **where)
    shape = (await list_shapes(tx, root_ids=[root_id])).get(root_id, _PLAIN)
    tended = await _list_tended(tx, core, viewer_id, shape)
    page = ThreadPage(
        group=group,
        place=place,
        readers=await list_readers_now(tx, core, group=group),
        root=None if root is None else label_author(core, root),
        root_id=root_id,
        position=position,
        posts=[label_author(core, post) for post in posts],
        first_number=first_number,
        total=total,
        new=news,
        unread_id=unread_id,
        waiting=waiting,
        images=await list_images(tx, post_ids=[post.post_id for post in (*posts, *waiting)]),
        polls=await list_polls(tx, viewer_id=viewer_id, post_ids=[post.post_id for post in (*posts, *waiting)]),
        parents=await _list_parents(tx, core, viewer_id, posts),
        quotes=await list_quotes(tx, viewer_id=viewer_id, origin=core.origin, group=group, posts=[*posts, *waiting]),
        follows=await get_following(tx, actor_id=viewer_id, root_id=root_id),
        shape=shape,
        summary=tended.get(shape.summary_id or 0),
        parts=await list_parts(tx, viewer_id=viewer_id, root_id=root_id),
        origin=tended.get(shape.from_root_id or 0),
        draft=await drafts.get_draft(tx, actor_id=viewer_id, group_id=group_id, parent_id=root_id),
        ticks=await list_accepted(tx, core.peers, actor_ids=(post.author_id for post in (*posts, *waiting))),
        reaches=await list_reaches(tx, core, group=group, viewer=viewer, place=place, posts=posts),
        marked=await read_marked(tx, viewer_id=viewer_id, posts=[*posts, *waiting]),
        later_after=later_after,
        earlier_before=posts[0].post_id if posts and first_number > 1 else None,
    )
    return page, label_author(core, named)


async def _list_parents(tx: Tx, core: Core, viewer_id: int, posts: list[Post]) -> dict[int, Post]:
    """Return what the posts of a part of a thread answer, and those posts, by number."""
    here = {post.post_id: post for post in posts}
    around = {post.parent_id for post in posts if post.parent_id} - here.keys()
    return await list_labelled(tx, core, viewer_id, list(around)) | here


async def _list_tended(tx: Tx, core: Core, viewer_id: int, shape: Shape) -> dict[int, Post]:
    """Return the summary of a thread and the first post of the one it was part of, by number."""
    wanted = [number for number in (shape.summary_id, shape.from_root_id) if number is not None]
    return await list_labelled(tx, core, viewer_id, wanted)


async def _part_of_thread(
    tx: Tx, where: dict[str, int], after_id: int, before_id: int | None
) -> tuple[list[Post], int | None]:
    """Return the posts of a part of a thread, and the last of them if the thread goes on behind it."""
    if before_id is not None:
        posts = await threads.list_page_before(tx, before_id=before_id, **where)
        return posts, posts[-1].post_id if posts else None
    rows = await threads.list_page(tx, after_id=after_id, **where)
    posts = rows[: threads.PAGE_POSTS]
    return posts, posts[-1].post_id if len(rows) > len(posts) else None


def _find_beginning(named: Post, mark: int, total: int) -> int:
    """Return behind which post to begin: where they stopped, so that the last post they read still shows.

    A short thread is shown whole; one that was asked for by a post of it begins at that post.
    """
    stopped = named.post_id if named.post_id != named.root_id else mark
    return 0 if total <= threads.PAGE_POSTS else stopped - 1


async def _note_read(tx: Tx, viewer_id: int, group_id: int, root_id: int, post_id: int) -> None:
    place = await get_membership(tx, group_id=group_id, actor_id=viewer_id)
    if place is None or not place.is_member:
        return
    await progress.advance_position(tx, actor_id=viewer_id, group_id=group_id, root_id=root_id, post_id=post_id)
    mark = await progress.get_mark(tx, actor_id=viewer_id, group_id=group_id)
    if not await progress.list_unread(tx, viewer_id=viewer_id, group_id=group_id, mark_id=mark):
        joined = {each.group_id: each.newest_post_id for each in await list_joined(tx, viewer_id=viewer_id)}
        await progress.raise_mark(tx, actor_id=viewer_id, group_id=group_id, post_id=joined.get(group_id, 0))

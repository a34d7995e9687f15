"""What members read in lists: home over all their groups, one group, one post, one thread. One read body each.

*How a list over several groups is made.* Groups are visited with the newest post first. Each gives the numbers of its
topics in the wanted span, and the newest of all so far are kept. Once there are enough, only what is newer than the
oldest kept one counts; a group whose newest post is older ends the walk, for every group after it is older still.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace

from node.domain import access
from node.domain.actors import Member, Viewer
from node.domain.attestations import NONE
from node.domain.filtering import Filter
from node.domain.polls import Poll
from node.domain.posts import SHOWN_PICTURES, Image, Post
from node.foundation.errors import NotFound
from node.store import objects
from node.store.attestations import find_standings
from node.store.core import Core
from node.store.engine import Tx
from node.store.filters import list_live_filters
from node.store.following import list_levels
from node.store.marks import NO_FLAGS, Flags, find_flags
from node.store.media import get_media, list_images
from node.store.polls import list_polls
from node.store.profiles import (
    Joined,
    Profile,
    get_profile_by_address,
    label_profile,
    list_joined,
    list_profiles,
)
from node.store.threads import get_post_by_token

from .pictures import fetch_again

SHOWN_LIMIT = 40
_SHOWN = ("live", "waiting_for_host")


@dataclass(frozen=True, slots=True)
class Span:
    """Which part of a list is wanted: posts between two numbers, both left out.

    oldest_first: those next to `after_id` rather than the newest; they are still returned newest first.
    """

    limit: int = 20
    before_id: int = 2**62
    after_id: int = 0
    oldest_first: bool = False


@dataclass(frozen=True, slots=True)
class Reading:
    """Posts with everything that is shown beside them, as of one moment.

    profiles: authors, people named, groups, by number.
    named: per post those mentioned in it; for a private message all its people but the author.
    parents: of the posts replied to, those that can be read: {post_id: author_id}.
    viewer_id: who reads. filters: their own, as far as they have not ended. flags: what they marked of these posts.
    """

    posts: list[Post]
    profiles: dict[int, Profile]
    named: dict[int, list[int]]
    images: dict[int, tuple[Image, ...]]
    replies: dict[int, int]
    parents: dict[int, int]
    viewer_id: int = 0
    filters: tuple[Filter, ...] = ()
    polls: Mapping[int, Poll] = field(default_factory=dict)
    flags: Flags = NO_FLAGS


@dataclass(frozen=True, slots=True)
class Thread:
    """What stands around a post: those it answers, the oldest first, and those that answer it, branch by branch."""

    before: list[Post]
    after: list[Post]
    reading: Reading


async def read_home(core: Core, *, viewer: Member, span: Span) -> Reading:
    """Return the topics of all groups a member is in, newest first; without those at the level `quiet`."""
    return await core.store.read(_home, core, viewer.actor_id, span)


async def read_group(core: Core, *, viewer: Member, group_id: int, span: Span) -> Reading:
    """Return the topics of one group, newest first.

    Raises:
        NotFound: The viewer is not in the group; absent groups answer alike.
    """
    return await core.store.read(_group, core, viewer.actor_id, group_id, span)


async def read_post(core: Core, *, viewer: Member, post_id: int) -> Reading:
    """Return one post or private message.

    Raises:
        NotFound: Absent, taken away, or not for this member.
    """
    return await core.store.read(_one, core, viewer.actor_id, post_id)


async def get_post_id(core: Core, *, viewer: Member, uri: str) -> int | None:
    """Return the number of a post that a member may read."""
    post = await core.store.read(_by_uri, viewer.actor_id, uri)
    return post.post_id if post else None


async def find_post_id(core: Core, *, viewer: Member, address: str) -> int | None:
    """Return the number of a post that a member may read, by its id or by the address of its page on this node."""
    found = await get_post_id(core, viewer=viewer, uri=address)
    if found is not None or not address.startswith(f"{core.origin}/groups/"):
        return found
    group, _, token = address.removeprefix(f"{core.origin}/groups/").partition("/threads/")
    handle, _, host = group.partition("@")
    return await core.store.read(_by_page, viewer.actor_id, handle, host or core.host, token)


async def read_posts(core: Core, *, viewer: Member, post_ids: list[int]) -> Reading:
    """Return those of some posts that a member may read, the newest first; the caller has chosen them by number."""
    return await core.store.read(read_ids, core, viewer.actor_id, post_ids)


async def read_thread(core: Core, *, viewer: Member, post_id: int) -> Thread:
    """Return what stands before and after a post in its thread.

    Raises:
        NotFound: Absent, taken away, or not for this member.
    """
    return await core.store.read(_thread, core, viewer.actor_id, post_id)


async def find_picture(core: Core, *, viewer: Member, token: str) -> tuple[str, str]:
    """Return (SHA-256, media type) of a picture on a post that a member may read, or that they added for one.

    One whose file went is fetched again.

    Raises:
        NotFound: Absent, not there yet, its post taken away, or not for this member.
        Unavailable: Its file went to make room, and cannot be had now.
    """
    sha256, media_type, is_gone = await core.store.read(_picture, viewer.viewer, token)
    if is_gone:
        await fetch_again(core, token)
    core.tally.use_picture(token)
    return sha256, media_type


async def _home(tx: Tx, core: Core, viewer_id: int, span: Span) -> Reading:
    levels = await list_levels(tx, actor_id=viewer_id)
    quiet = {group_id for group_id, chosen in levels.items() if chosen.level == "quiet"}
    joined = [each for each in await list_joined(tx, viewer_id=viewer_id) if each.group_id not in quiet]
    return await read_ids(tx, core, viewer_id, await merge_topics(tx, viewer_id, joined, span))


async def _group(tx: Tx, core: Core, viewer_id: int, group_id: int, span: Span) -> Reading:
    joined = [each for each in await list_joined(tx, viewer_id=viewer_id) if each.group_id == group_id]
    if not joined:
        raise NotFound("There is no such group.")
    return await read_ids(tx, core, viewer_id, await merge_topics(tx, viewer_id, joined, span))


async def merge_topics(
    tx: Tx,
    viewer_id: int,
    joined: list[Joined],
    span: Span,
    *,
    list_ids: Callable[..., Awaitable[list[int]]] = objects.list_topic_ids,
) -> list[int]:
    """Return the numbers of the wanted topics of several groups. Cost: one statement per group visited.

    Args:
        tx: The transaction.
        viewer_id: Who reads.
        joined: The groups they are in, the one with the newest post first.
        span: Which part.
        list_ids: Gives the numbers of one group; all its live topics, unless told otherwise.
    """
    limit = min(span.limit, SHOWN_LIMIT)
    kept: list[int] = []
    before_id, after_id = span.before_id, span.after_id
    for group in joined:
        if group.newest_post_id <= after_id:
            break
        kept += await list_ids(
            tx,
            viewer_id=viewer_id,
            group_id=group.group_id,
            before_id=before_id,
            after_id=after_id,
            oldest_first=span.oldest_first,
        )
        kept.sort(reverse=not span.oldest_first)
        del kept[limit:]
        if len(kept) == limit and span.oldest_first:
            before_id = kept[-1]
        elif len(kept) == limit:
            after_id = kept[-1]
    return kept


async def _one(tx: Tx, core: Core, viewer_id: int, post_id: int) -> Reading:
    post = await _shown(tx, viewer_id, post_id)
    return await gather(tx, core, viewer_id, [post])


async def _by_uri(tx: Tx, viewer_id: int, uri: str) -> Post | None:
    return await objects.get_post_by_uri(tx, viewer_id=viewer_id, uri=uri)


async def _by_page(tx: Tx, viewer_id: int, handle: str, host: str, token: str) -> int | None:
    group = await get_profile_by_address(tx, viewer_id=viewer_id, handle=handle, host=host, kind="group")
    if group is None:
        return None
    post = await get_post_by_token(tx, viewer_id=viewer_id, group_id=group.actor_id, token=token)
    return post.post_id if post else None


async def _shown(tx: Tx, viewer_id: int, post_id: int) -> Post:
    post = await objects.get_post(tx, viewer_id=viewer_id, post_id=post_id)
    if post is None or post.state not in _SHOWN:
        raise NotFound("There is no such post.")
    return post


async def _thread(tx: Tx, core: Core, viewer_id: int, post_id: int) -> Thread:
    focus = await _shown(tx, viewer_id, post_id)
    everything = await objects.list_thread(tx, viewer_id=viewer_id, root_id=focus.root_id)
    by_id = {post.post_id: post for post in everything}
    before = list(_walk_up(focus, by_id))[::-1]
    after = [by_id[number] for number in _walk_down(everything, post_id)]
    before, after = ([_lift(post, by_id) for post in part if post.state in _SHOWN] for part in (before, after))
    return Thread(before, after, await gather(tx, core, viewer_id, [*before, *after]))


def _walk_up(post: Post, by_id: dict[int, Post]) -> Iterator[Post]:
    """Yield what a post answers, what that answers, and so on; a parent is always older, so this ends."""
    while (parent := by_id.get(post.parent_id or 0)) is not None:
        yield parent
        post = parent


def _lift(post: Post, by_id: dict[int, Post]) -> Post:
    """Return a post as an answer to the nearest post above it that is still there, so that no branch hangs loose."""
    parent = next((each for each in _walk_up(post, by_id) if each.state in _SHOWN), None)
    return replace(post, parent_id=parent.post_id if parent else None)


def _walk_down(posts: list[Post], post_id: int) -> list[int]:
    """Return the numbers of all answers below a post: each followed by its own answers, the oldest branch first."""
    answers: dict[int, list[int]] = {}
    for post in posts:
        answers.setdefault(post.parent_id or 0, []).append(post.post_id)
    found: list[int] = []
    waiting = answers.pop(post_id, [])[::-1]
    while waiting:
        found.append(waiting.pop())
        waiting += answers.pop(found[-1], [])[::-1]
    return found


async def read_ids(tx: Tx, core: Core, viewer_id: int, post_ids: list[int]) -> Reading:
    """Return those of some posts that a viewer may read, the newest first; for read bodies that have chosen them."""
    if not post_ids:
        return Reading([], {}, {}, {}, {}, {})
    posts = await objects.list_posts_by_id(tx, viewer_id=viewer_id, post_ids=post_ids)
    return await gather(tx, core, viewer_id, [post for post in posts if post.state in _SHOWN])


async def gather(tx: Tx, core: Core, viewer_id: int, posts: list[Post], *, people: Iterable[int] = ()) -> Reading:
    """Return posts with what is shown beside them, the profiles of further `people` among it.

    Cost: at most fifteen statements, however many posts.
    """
    ids = [post.post_id for post in posts]
    parent_ids = list({post.parent_id for post in posts if post.parent_id is not None})
    parents: dict[int, int] = {}
    if parent_ids:
        parents = await objects.list_live_authors(tx, viewer_id=viewer_id, post_ids=parent_ids)
    named: dict[int, list[int]] = {}
    for row in await objects.list_mentioned(tx, post_ids=ids):
        named.setdefault(row.post_id, []).append(row.actor_id)
    if any(post.audience == "people" for post in posts):
        named |= await _people(tx, viewer_id, posts)
    actors = {post.author_id for post in posts} | {post.group_id for post in posts if post.group_id is not None}
    actors = actors.union(people, *named.values())
    profiles = await list_profiles(tx, actor_ids=list(actors))
    standings = await find_standings(tx, core.peers, actor_ids=list(actors))
    return Reading(
        posts=posts,
        profiles={
            actor_id: replace(label_profile(core.peers, profile), standing=standings.get(actor_id, NONE))
            for actor_id, profile in profiles.items()
        },
        named=named,
        images=await list_images(tx, post_ids=ids),
        replies=await objects.count_replies(tx, post_ids=ids),
        parents=parents,
        viewer_id=viewer_id,
        filters=await list_live_filters(tx, actor_id=viewer_id),
        polls=await list_polls(tx, viewer_id=viewer_id, post_ids=ids),
        flags=await find_flags(tx, viewer_id=viewer_id, post_ids=ids, root_ids=list({post.root_id for post in posts})),
    )


async def _people(tx: Tx, viewer_id: int, posts: list[Post]) -> dict[int, list[int]]:
    authors = {post.post_id: post.author_id for post in posts if post.audience == "people"}
    people: dict[int, list[int]] = {post_id: [] for post_id in authors}
    for row in await objects.list_people_of(tx, viewer_id=viewer_id, post_ids=list(authors)):
        if row.actor_id != authors[row.post_id]:
            people[row.post_id].append(row.actor_id)
    return people


async def _picture(tx: Tx, viewer: Viewer, token: str) -> tuple[str, str, bool]:
    row = await get_media(tx, token=token)
    if row is None or row.state not in SHOWN_PICTURES:
        raise NotFound
    if row.post_id is not None:
        await _shown(tx, viewer.actor_id, row.post_id)
    elif not access.may_see_upload(viewer, owner_id=row.owner_id):
        raise NotFound
    return row.sha256, row.media_type, row.state != "ready"

"""What a member comes to through an account, a tag, or the list of everything; as far as they may read it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from functools import partial

from node.domain.actors import Member
from node.domain.posts import Post
from node.domain.searching import Filters, Query, Sought
from node.foundation.errors import NotFound
from node.foundation.folding import fold_words
from node.foundation.hashtags import find_tags, fold_tag
from node.foundation.text import strip_marks
from node.store import browsing
from node.store.browsing import Choice
from node.store.core import Core
from node.store.engine import Tx
from node.store.objects import get_post, list_versions
from node.store.profiles import list_joined
from node.store.search import find_posts

from .reading import SHOWN_LIMIT, Reading, Span, merge_topics, read_ids

# So often posts are read for one page of a tag: the index knows words, and not whether a mark stood before them.
_ROUNDS = 10
_COMPARED_AT_ONCE = 60


@dataclass(frozen=True, slots=True)
class Version:
    """What a post said before it was changed."""

    title: str
    warning: str
    html: str
    written_at: datetime


async def read_author(core: Core, *, viewer: Member, author_id: int, span: Span, choice: Choice) -> Reading:
    """Return what somebody wrote in groups that the viewer is in, newest first. Private messages stand in no profile."""
    return await core.store.read(_author, core, viewer.actor_id, author_id, span, choice)


async def read_group_posts(core: Core, *, viewer: Member, group_id: int, span: Span, choice: Choice) -> Reading:
    """Return the posts of a group, newest first; nothing for who is not in it."""
    return await core.store.read(_groups, core, viewer.actor_id, group_id, span, choice)


async def read_everything(core: Core, *, viewer: Member, span: Span, choice: Choice) -> Reading:
    """Return the topics of all groups that the viewer is in, newest first."""
    return await core.store.read(_groups, core, viewer.actor_id, None, span, choice)


async def read_pinned(core: Core, *, viewer: Member, group_id: int) -> Reading:
    """Return what a group's staff pinned, newest first; nothing for who is not in it."""
    return await core.store.read(_pinned, core, viewer.actor_id, group_id)


async def read_versions(core: Core, *, viewer: Member, post_id: int) -> tuple[Reading, list[Version]]:
    """Return a post as it is, and what it said before, the oldest first.

    Raises:
        NotFound: Absent, taken away, or not for this member.
    """
    return await core.store.read(_versions, core, viewer.actor_id, post_id)


async def read_tagged(core: Core, *, viewer: Member, tag: str, span: Span, filters: Filters | None = None) -> Reading:
    """Return the posts with a tag that the viewer may read, newest first.

    Args:
        core: This node.
        viewer: Who reads.
        tag: With or without the mark before it; case does not count.
        span: Which part. Looked through from the newest down in any case; the work for one page has a limit.
        filters: One group or author, if no others are wanted.
    """
    words = tuple(fold_words(fold_tag(tag)))
    if not words:
        return Reading([], {}, {}, {}, {}, {})
    query = Query(Sought(terms=(words,)), filters or Filters())
    found: list[int] = []
    before_id: int | None = span.before_id
    wanted = SHOWN_LIMIT * _ROUNDS if span.oldest_first else min(span.limit, SHOWN_LIMIT)
    for _ in range(_ROUNDS):
        if before_id is None or len(found) >= wanted or before_id <= span.after_id:
            break
        posts, before_id = await core.store.read(_look, viewer.actor_id, query, before_id)
        found += [post.post_id for post in posts if post.post_id > span.after_id and has_tag(post, tag)]
    limit = min(span.limit, SHOWN_LIMIT)
    return await core.store.read(
        read_ids, core, viewer.actor_id, found[-limit:] if span.oldest_first else found[:limit]
    )


def has_tag(post: Post, tag: str) -> bool:
    """Return whether a tag stands in a post."""
    return fold_tag(tag) in list_tags(post)


def list_tags(post: Post) -> set[str]:
    """Return the tags in a post, in the form in which they are compared."""
    return {fold_tag(each) for each in find_tags(f"{post.title} {strip_marks(post.html)}")}


async def _author(tx: Tx, core: Core, viewer_id: int, author_id: int, span: Span, choice: Choice) -> Reading:
    ids = await browsing.list_ids_of_author(
        tx,
        viewer_id=viewer_id,
        author_id=author_id,
        before_id=span.before_id,
        after_id=span.after_id,
        oldest_first=span.oldest_first,
        choice=choice,
    )
    return await read_ids(tx, core, viewer_id, ids[: min(span.limit, SHOWN_LIMIT)])


async def _groups(tx: Tx, core: Core, viewer_id: int, group_id: int | None, span: Span, choice: Choice) -> Reading:
    joined = [
        each for each in await list_joined(tx, viewer_id=viewer_id) if group_id is None or each.group_id == group_id
    ]
    list_ids = partial(browsing.list_ids_of_group, choice=choice)
    return await read_ids(tx, core, viewer_id, await merge_topics(tx, viewer_id, joined, span, list_ids=list_ids))


async def _versions(tx: Tx, core: Core, viewer_id: int, post_id: int) -> tuple[Reading, list[Version]]:
    post = await get_post(tx, viewer_id=viewer_id, post_id=post_id)
    reading = await read_ids(tx, core, viewer_id, [post.post_id] if post is not None else [])
    if not reading.posts:
        raise NotFound("There is no such post.")
    rows = await list_versions(tx, viewer_id=viewer_id, post_id=reading.posts[0].post_id)
    return reading, [Version(row.title, row.warning, row.html, row.written_at) for row in rows]


async def _pinned(tx: Tx, core: Core, viewer_id: int, group_id: int) -> Reading:
    joined = {each.group_id for each in await list_joined(tx, viewer_id=viewer_id)}
    ids = await browsing.list_pinned_ids(tx, viewer_id=viewer_id, group_id=group_id) if group_id in joined else []
    return await read_ids(tx, core, viewer_id, ids)


async def _look(tx: Tx, viewer_id: int, query: Query, before_id: int) -> tuple[list[Post], int | None]:
    found = await find_posts(tx, viewer_id=viewer_id, query=query, count=_COMPARED_AT_ONCE, before_id=before_id)
    return found.posts, found.before_id

"""Threads in the store: the lists of a group's page, and one thread page by page. Everything for a viewer.

A thread is named by its first post. What stands in `threads` is kept by `objects` as posts take their place.
"""

from __future__ import annotations

from dataclasses import dataclass

from node.domain.posts import Post

from .distance import THREAD_NOT_DISTANT
from .engine import Tx
from .visibility import READABLE_IN_GROUP, READABLE_POST, START_IN_GROUP, WAITING_IN_GROUP

_POST = """p.post_id, p.uri, p.audience, p.group_id, p.author_id, a.uri AS author_uri, a.name AS author_name,
  a.handle AS author_handle, a.host AS author_host, a.known_through, p.parent_id, p.root_id, p.in_reply_to, p.seq,
  p.state, p.title, p.warning, p.source, p.html, p.reason, p.is_pinned, p.is_locked, p.published_at, p.edited_at"""
_FROM = "FROM posts p JOIN actors a ON a.actor_id = p.author_id"
# One look at each thread's newest post, in the order of the index, until there are enough: joined, PostgreSQL would take
# large groups for average ones, fetch every thread, and sort.
_ACTIVE = f"""SELECT t.root_id, t.newest_id, t.posts FROM threads t
  WHERE t.group_id = :group_id AND t.newest_id < :before_id AND t.newest_id > {START_IN_GROUP}
   AND (SELECT p.post_id FROM posts p WHERE p.post_id = t.newest_id AND {READABLE_IN_GROUP}) IS NOT NULL
   AND {THREAD_NOT_DISTANT} ORDER BY t.newest_id DESC LIMIT 21"""
_PINNED = f"""SELECT t.root_id, t.newest_id, t.posts FROM posts p JOIN threads t ON t.root_id = p.post_id
  WHERE p.post_id IN (SELECT kept.post_id FROM posts kept WHERE kept.group_id = :group_id AND kept.is_pinned = 1)
   AND p.state = 'live' AND {READABLE_POST} ORDER BY p.post_id DESC LIMIT 10"""
_NEWEST_IDS = "SELECT root_id, newest_id FROM threads WHERE root_id IN :root_ids"
_PAGE = f"""SELECT {_POST} {_FROM} WHERE p.root_id = :root_id AND {READABLE_IN_GROUP} AND p.post_id > :after_id
  ORDER BY p.post_id LIMIT 41"""
_PAGE_BEFORE = f"""SELECT {_POST} {_FROM} WHERE p.root_id = :root_id AND {READABLE_IN_GROUP} AND p.post_id < :before_id
  ORDER BY p.post_id DESC LIMIT 40"""
_BY_TOKEN = f"""SELECT {_POST} {_FROM} WHERE p.token = :token AND p.group_id = :group_id AND {READABLE_POST}"""
_COUNT_UP_TO = f"""SELECT COUNT(*) AS n FROM posts p
  WHERE p.root_id = :root_id AND p.post_id <= :post_id AND {READABLE_IN_GROUP}"""
_COUNT_NEW = f"""SELECT COUNT(*) AS n FROM posts p WHERE p.root_id = :root_id AND p.post_id > :after_id
  AND p.author_id <> :viewer_id AND {READABLE_IN_GROUP}"""
_FIRST_UNREAD = f"""SELECT p.post_id FROM posts p WHERE p.root_id = :root_id AND p.post_id > :after_id
  AND p.author_id <> :viewer_id AND {READABLE_IN_GROUP} ORDER BY p.post_id LIMIT 1"""
_WAITING = f"""SELECT {_POST} {_FROM} WHERE p.root_id = :root_id AND {WAITING_IN_GROUP}
  AND p.state = 'waiting_for_host' ORDER BY p.post_id LIMIT 20"""

PAGE_POSTS = 40
LIST_THREADS = 20


@dataclass(frozen=True, slots=True)
class ThreadRow:
    """One thread of a list. newest_id: its newest post. posts: how many took their place in it."""

    root_id: int
    newest_id: int
    posts: int


async def list_active(tx: Tx, *, viewer_id: int, group_id: int, before_id: int = 2**62) -> list[ThreadRow]:
    """Return at most 21 threads of a group, the one with the newest post first; the last says that there are more."""
    rows = await tx.all(_ACTIVE, viewer_id=viewer_id, group_id=group_id, before_id=before_id, after_id=0)
    return [ThreadRow(*row) for row in rows]


async def list_pinned(tx: Tx, *, viewer_id: int, group_id: int) -> list[ThreadRow]:
    """Return at most 10 pinned threads of a group."""
    return [ThreadRow(*row) for row in await tx.all(_PINNED, viewer_id=viewer_id, group_id=group_id)]


async def list_newest_ids(tx: Tx, *, root_ids: list[int]) -> dict[int, int]:
    """Return {root_id: newest post} of some threads; numbers alone, whoever may read them."""
    if not root_ids:
        return {}
    return {row.root_id: row.newest_id for row in await tx.all(_NEWEST_IDS, root_ids=root_ids)}


async def get_post_by_token(tx: Tx, *, viewer_id: int, group_id: int, token: str) -> Post | None:
    """Return a post of a group that the viewer may read, by the last part of its page here."""
    row = await tx.one(_BY_TOKEN, viewer_id=viewer_id, group_id=group_id, token=token)
    return Post(*row) if row else None


async def list_page(tx: Tx, *, viewer_id: int, group_id: int, root_id: int, after_id: int) -> list[Post]:
    """Return at most 41 posts of a thread after one of them, in order; the last says that there are more."""
    rows = await tx.all(_PAGE, viewer_id=viewer_id, group_id=group_id, root_id=root_id, after_id=after_id)
    return [Post(*row) for row in rows]


async def list_page_before(tx: Tx, *, viewer_id: int, group_id: int, root_id: int, before_id: int) -> list[Post]:
    """Return the 40 posts of a thread before one of them, in order."""
    rows = await tx.all(_PAGE_BEFORE, viewer_id=viewer_id, group_id=group_id, root_id=root_id, before_id=before_id)
    return [Post(*row) for row in rows][::-1]


async def count_up_to(tx: Tx, *, viewer_id: int, group_id: int, root_id: int, post_id: int) -> int:
    """Return which place a post has among those of its thread that the viewer may read, counted from 1."""
    found = await tx.value(_COUNT_UP_TO, viewer_id=viewer_id, group_id=group_id, root_id=root_id, post_id=post_id)
    return int(found)


async def count_new(tx: Tx, *, viewer_id: int, group_id: int, root_id: int, after_id: int) -> int:
    """Return how many posts by others a thread has after a position."""
    found = await tx.value(_COUNT_NEW, viewer_id=viewer_id, group_id=group_id, root_id=root_id, after_id=after_id)
    return int(found)


async def find_first_unread(tx: Tx, *, viewer_id: int, group_id: int, root_id: int, after_id: int) -> int | None:
    """Return the first post by somebody else after a position."""
    return await tx.value(  # type: ignore[no-any-return]
        _FIRST_UNREAD, viewer_id=viewer_id, group_id=group_id, root_id=root_id, after_id=after_id
    )


async def list_waiting(tx: Tx, *, viewer_id: int, group_id: int, root_id: int) -> list[Post]:
    """Return the viewer's own answers in a thread that wait for the group's host."""
    return [Post(*row) for row in await tx.all(_WAITING, viewer_id=viewer_id, group_id=group_id, root_id=root_id)]

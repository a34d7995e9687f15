"""What concerns a member: posts that name them, answers to what they wrote, and news of what they follow.

Read from the posts; nothing is kept. Of a thread that is followed the newest post stands for all that is new in it.
"""

from __future__ import annotations

from node.domain.posts import Post

from .engine import Tx
from .following import NOT_MUTED, NOT_QUIET
from .visibility import READABLE_IN_GROUP, READABLE_POST

_POST = """p.post_id, p.uri, p.audience, p.group_id, p.author_id, a.uri AS author_uri, a.name AS author_name,
  a.handle AS author_handle, a.host AS author_host, a.known_through, p.parent_id, p.root_id, p.in_reply_to, p.seq,
  p.state, p.title, p.warning, p.source, p.html, p.reason, p.is_pinned, p.is_locked, p.published_at, p.edited_at"""
_NAMED = f"""SELECT {_POST} FROM mentions n JOIN posts p ON p.post_id = n.post_id
  JOIN actors a ON a.actor_id = p.author_id
  WHERE n.actor_uri = :viewer_uri AND p.audience = 'group' AND p.state = 'live' AND p.author_id <> :viewer_id
   AND {READABLE_POST} ORDER BY n.post_id DESC LIMIT 30"""
_ANSWERS = f"""SELECT {_POST} FROM posts p JOIN actors a ON a.actor_id = p.author_id
  WHERE p.parent_id IN (SELECT mine.post_id FROM posts mine WHERE mine.author_id = :viewer_id
    ORDER BY mine.post_id DESC LIMIT 100)
   AND p.audience = 'group' AND p.state = 'live' AND p.author_id <> :viewer_id AND {NOT_MUTED} AND {NOT_QUIET}
   AND {READABLE_POST} ORDER BY p.post_id DESC LIMIT 30"""
_FOLLOWED = f"""SELECT {_POST} FROM followed_threads f JOIN threads t ON t.root_id = f.root_id
  JOIN posts p ON p.post_id = t.newest_id JOIN actors a ON a.actor_id = p.author_id
  WHERE f.actor_id = :viewer_id AND f.is_muted = 0 AND t.newest_id > f.since_id AND p.state = 'live'
   AND p.author_id <> :viewer_id AND {NOT_QUIET} AND {READABLE_POST} ORDER BY p.post_id DESC LIMIT 30"""
_IN_GROUP = f"""SELECT {_POST} FROM threads t JOIN posts p ON p.post_id = t.newest_id
  JOIN actors a ON a.actor_id = p.author_id
  WHERE t.group_id = :group_id AND t.newest_id > :since_id AND p.state = 'live' AND p.author_id <> :viewer_id
   AND {NOT_MUTED} AND {READABLE_IN_GROUP} ORDER BY t.newest_id DESC LIMIT 30"""


async def list_named(tx: Tx, *, viewer_id: int, viewer_uri: str) -> list[Post]:
    """Return the newest 30 posts by others that name somebody."""
    return [Post(*row) for row in await tx.all(_NAMED, viewer_id=viewer_id, viewer_uri=viewer_uri)]


async def list_answers(tx: Tx, *, viewer_id: int) -> list[Post]:
    """Return the newest 30 answers by others to somebody's newest hundred posts."""
    return [Post(*row) for row in await tx.all(_ANSWERS, viewer_id=viewer_id)]


async def list_followed(tx: Tx, *, viewer_id: int) -> list[Post]:
    """Return the newest post of at most 30 threads that somebody follows, where others wrote last since they began to."""
    return [Post(*row) for row in await tx.all(_FOLLOWED, viewer_id=viewer_id)]


async def list_in_group(tx: Tx, *, viewer_id: int, group_id: int, since_id: int) -> list[Post]:
    """Return the newest post of at most 30 threads of a group, where others wrote last and after a post."""
    rows = await tx.all(_IN_GROUP, viewer_id=viewer_id, group_id=group_id, since_id=since_id)
    return [Post(*row) for row in rows]

"""What concerns a member: posts that name them, and answers to what they wrote. Read from the posts; nothing is kept."""

from __future__ import annotations

from node.domain.posts import Post

from .engine import Tx
from .visibility import READABLE_POST

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
   AND p.audience = 'group' AND p.state = 'live' AND p.author_id <> :viewer_id AND {READABLE_POST}
  ORDER BY p.post_id DESC LIMIT 30"""


async def list_named(tx: Tx, *, viewer_id: int, viewer_uri: str) -> list[Post]:
    """Return the newest 30 posts by others that name somebody."""
    return [Post(*row) for row in await tx.all(_NAMED, viewer_id=viewer_id, viewer_uri=viewer_uri)]


async def list_answers(tx: Tx, *, viewer_id: int) -> list[Post]:
    """Return the newest 30 answers by others to somebody's newest hundred posts."""
    return [Post(*row) for row in await tx.all(_ANSWERS, viewer_id=viewer_id)]

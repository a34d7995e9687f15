"""Posts that other posts link to, for a viewer: asked through the same fragment as every other reading."""

from __future__ import annotations

from typing import Any

from .engine import Tx
from .visibility import READABLE_POST

_BY_TOKENS = f"""SELECT p.post_id, p.uri, p.token, p.title, p.warning, p.html, p.published_at, p.group_id,
   a.name AS author_name, a.uri AS author_uri, ga.uri AS group_uri, ga.handle AS group_handle, ga.host AS group_host,
   ga.is_local AS is_group_local
  FROM posts p JOIN actors a ON a.actor_id = p.author_id JOIN groups g ON g.group_id = p.group_id
   JOIN actors ga ON ga.actor_id = g.group_id
  WHERE p.token IN :tokens AND p.audience = 'group' AND p.state = 'live' AND p.seq IS NOT NULL
   AND g.staff_of IS NULL AND {READABLE_POST}"""


async def list_linked(tx: Tx, *, viewer_id: int, tokens: list[str]) -> list[Any]:
    """Return those of some posts of groups that a viewer may read, by the last part of their pages."""
    return await tx.all(_BY_TOKENS, viewer_id=viewer_id, tokens=tokens)

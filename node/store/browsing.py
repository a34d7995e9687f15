"""Posts by who wrote them, of one group with more choice than home has, and what is pinned: numbers alone.

The posts themselves are read by number through the viewer's fragment (`objects.list_posts_by_id`).
"""

from __future__ import annotations

from dataclasses import dataclass

from .distance import NOT_BLOCKED, NOT_DISTANT
from .engine import Tx
from .visibility import READABLE_IN_GROUP, READABLE_POST, START_IN_GROUP

_IN_SPAN = "p.post_id < :before_id AND p.post_id > :after_id"
_CHOSEN = """(CAST(:topics_only AS BIGINT) = 0 OR (p.parent_id IS NULL AND p.in_reply_to IS NULL))
  AND (CAST(:media_only AS BIGINT) = 0 OR EXISTS (SELECT 1 FROM media i
   WHERE i.post_id = p.post_id AND i.state IN ('ready', 'let_go')))
  AND (CAST(:from_here AS BIGINT) = -1 OR EXISTS (SELECT 1 FROM actors a
   WHERE a.actor_id = p.author_id AND a.is_local = CAST(:from_here AS BIGINT)))"""
_OF_GROUP = f"""SELECT p.post_id FROM posts p WHERE {READABLE_IN_GROUP} AND p.state = 'live'
  AND p.post_id < :before_id AND p.post_id > {START_IN_GROUP} AND {_CHOSEN} AND {NOT_DISTANT} ORDER BY p.post_id DESC LIMIT 40"""
_OLDEST_OF_GROUP = f"""SELECT p.post_id FROM posts p WHERE {READABLE_IN_GROUP} AND p.state = 'live'
  AND p.post_id < :before_id AND p.post_id > {START_IN_GROUP} AND {_CHOSEN} AND {NOT_DISTANT} ORDER BY p.post_id LIMIT 40"""
# Whoever is muted may still be looked up.
_OF_AUTHOR = f"""SELECT p.post_id FROM posts p WHERE p.author_id = :author_id AND p.audience = 'group'
  AND p.state IN ('live', 'waiting_for_host') AND {_IN_SPAN} AND {_CHOSEN} AND {READABLE_POST} AND {NOT_BLOCKED}
  ORDER BY p.post_id DESC LIMIT 40"""
_OLDEST_OF_AUTHOR = f"""SELECT p.post_id FROM posts p WHERE p.author_id = :author_id AND p.audience = 'group'
  AND p.state IN ('live', 'waiting_for_host') AND {_IN_SPAN} AND {_CHOSEN} AND {READABLE_POST} AND {NOT_BLOCKED}
  ORDER BY p.post_id LIMIT 40"""
# What a group's staff pinned stands for everybody (decision 0023).
_PINNED = f"""SELECT p.post_id FROM posts p WHERE {READABLE_IN_GROUP} AND p.is_pinned = 1 AND p.state = 'live'
  ORDER BY p.post_id DESC LIMIT 40"""


@dataclass(frozen=True, slots=True)
class Choice:
    """Which posts are wanted. from_here: by members of this node alone (True), by others alone (False), or all (None)."""

    topics_only: bool = True
    media_only: bool = False
    from_here: bool | None = None


async def list_ids_of_group(
    tx: Tx, *, viewer_id: int, group_id: int, before_id: int, after_id: int, oldest_first: bool, choice: Choice
) -> list[int]:
    """Return the numbers of at most 40 live posts of one group, newest first unless told otherwise."""
    rows = await tx.all(
        _OLDEST_OF_GROUP if oldest_first else _OF_GROUP,
        viewer_id=viewer_id,
        group_id=group_id,
        before_id=before_id,
        after_id=after_id,
        **_values(choice),
    )
    return [row.post_id for row in rows]


async def list_ids_of_author(
    tx: Tx, *, viewer_id: int, author_id: int, before_id: int, after_id: int, oldest_first: bool, choice: Choice
) -> list[int]:
    """Return the numbers of at most 40 posts that somebody wrote in groups, newest first unless told otherwise."""
    rows = await tx.all(
        _OLDEST_OF_AUTHOR if oldest_first else _OF_AUTHOR,
        viewer_id=viewer_id,
        author_id=author_id,
        before_id=before_id,
        after_id=after_id,
        **_values(choice),
    )
    return [row.post_id for row in rows]


async def list_pinned_ids(tx: Tx, *, viewer_id: int, group_id: int) -> list[int]:
    """Return the numbers of at most 40 pinned posts of a group, newest first."""
    return [row.post_id for row in await tx.all(_PINNED, viewer_id=viewer_id, group_id=group_id)]


def _values(choice: Choice) -> dict[str, int]:
    return {
        "topics_only": int(choice.topics_only),
        "media_only": int(choice.media_only),
        "from_here": -1 if choice.from_here is None else int(choice.from_here),
    }

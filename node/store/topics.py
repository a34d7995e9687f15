"""What staff make of threads: a part that becomes a topic of its own, and the post that sums a thread up.

The posts keep their authors' words and their parents; only the thread they are shown in changes, and with it the row in
`threads` that stands for it.
"""

from __future__ import annotations

from dataclasses import dataclass

from .engine import Tx
from .visibility import READABLE_POST

_SHAPES = """SELECT root_id, title, from_root_id, summary_id FROM threads
  WHERE root_id IN :root_ids AND (title IS NOT NULL OR summary_id IS NOT NULL)"""
_PARTS = f"""SELECT p.post_id, p.uri, COALESCE(t.title, p.title) AS title, t.posts, a.name AS by_name
  FROM threads t JOIN posts p ON p.post_id = t.root_id LEFT JOIN actors a ON a.actor_id = t.split_by_id
  WHERE t.from_root_id = :root_id AND {READABLE_POST} ORDER BY t.root_id LIMIT 40"""
_TITLE = "UPDATE threads SET title = :title WHERE root_id = :root_id"
_MOVE = """WITH RECURSIVE moved (post_id) AS (
   SELECT CAST(:post_id AS BIGINT) UNION SELECT p.post_id FROM posts p JOIN moved m ON p.parent_id = m.post_id)
  UPDATE posts SET root_id = :post_id WHERE post_id IN (SELECT post_id FROM moved) AND root_id = :from_root_id"""
_BEGIN = """INSERT INTO threads (root_id, group_id, newest_id, posts, title, from_root_id, split_by_id, summary_id)
  SELECT root_id, group_id, MAX(post_id), COUNT(*), CAST(:title AS TEXT), CAST(:from_root_id AS BIGINT),
    CAST(:by_id AS BIGINT), CAST(NULL AS BIGINT)
   FROM posts WHERE root_id = :root_id AND seq IS NOT NULL GROUP BY root_id, group_id
  ON CONFLICT (root_id) DO NOTHING"""
_RECOUNT = """UPDATE threads SET
   posts = (SELECT COUNT(*) FROM posts p WHERE p.root_id = threads.root_id AND p.seq IS NOT NULL),
   newest_id = COALESCE(
    (SELECT MAX(p.post_id) FROM posts p WHERE p.root_id = threads.root_id AND p.seq IS NOT NULL), newest_id),
   summary_id = (SELECT p.post_id FROM posts p WHERE p.post_id = threads.summary_id AND p.root_id = threads.root_id)
  WHERE root_id = :root_id"""
_KEEP_POSITIONS = """INSERT INTO read_positions (actor_id, root_id, group_id, post_id, read_at)
  SELECT actor_id, CAST(:root_id AS BIGINT), group_id, post_id, read_at FROM read_positions
  WHERE root_id = :from_root_id ON CONFLICT (actor_id, root_id) DO NOTHING"""
_SUM_UP = "UPDATE threads SET summary_id = :post_id WHERE root_id = :root_id"
_NO_SUMMARY = "UPDATE threads SET summary_id = NULL WHERE root_id = :root_id AND summary_id = :post_id"


@dataclass(frozen=True, slots=True)
class Shape:
    """What staff made of a thread.

    title: theirs, for a part that became a topic; else empty. from_root_id: the thread it was part of.
    summary_id: the post that sums up what stands before it.
    """

    title: str = ""
    from_root_id: int | None = None
    summary_id: int | None = None


@dataclass(frozen=True, slots=True)
class Part:
    """A part of a thread that was made a topic of its own. by_name: who did it, if we know them."""

    post_id: int
    uri: str
    title: str
    posts: int
    by_name: str | None


async def list_shapes(tx: Tx, *, root_ids: list[int]) -> dict[int, Shape]:
    """Return what staff made of those of some threads that they touched; the caller has read them through a viewer."""
    if not root_ids:
        return {}
    rows = await tx.all(_SHAPES, root_ids=root_ids)
    return {row.root_id: Shape(row.title or "", row.from_root_id, row.summary_id) for row in rows}


async def list_parts(tx: Tx, *, viewer_id: int, root_id: int) -> list[Part]:
    """Return at most 40 parts of a thread that are topics of their own now, as far as the viewer may read them."""
    return [Part(*row) for row in await tx.all(_PARTS, viewer_id=viewer_id, root_id=root_id)]


async def split_thread(tx: Tx, *, post_id: int, from_root_id: int, title: str, by_id: int | None) -> None:
    """Make a post, with all that answers it, a topic of its own. How far members have read goes with it."""
    if post_id != from_root_id:
        await tx.run(_MOVE, post_id=post_id, from_root_id=from_root_id)
        await tx.run(_BEGIN, root_id=post_id, from_root_id=from_root_id, title=title, by_id=by_id)
        await tx.run(_RECOUNT, root_id=from_root_id)
        await tx.run(_KEEP_POSITIONS, root_id=post_id, from_root_id=from_root_id)
    else:
        await tx.run(_TITLE, root_id=post_id, title=title)


async def set_summary(tx: Tx, *, root_id: int, post_id: int, is_summary: bool) -> None:
    """Let a post sum up its thread, or no longer."""
    await tx.run(_SUM_UP if is_summary else _NO_SUMMARY, root_id=root_id, post_id=post_id)

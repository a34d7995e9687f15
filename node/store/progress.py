"""How far members have read: a position in each thread, and a mark for each group below which everything is read.

A thread that a member muted never has anything unread for them.

Positions are the member's, on all their devices. They are numbers of posts and say nothing of what stands in them; all
the same they go when a group's last member leaves.
"""

from __future__ import annotations

from .distance import NOT_DISTANT, THREAD_NOT_DISTANT
from .engine import Tx
from .following import NOT_MUTED
from .visibility import READABLE_IN_GROUP, READABLE_POST, START_IN_GROUP

_POSITIONS = """SELECT root_id, post_id FROM read_positions
  WHERE actor_id = :actor_id AND root_id IN :root_ids"""
_ADVANCE = """INSERT INTO read_positions (actor_id, root_id, group_id, post_id, read_at)
  VALUES (:actor_id, :root_id, :group_id, :post_id, :read_at)
  ON CONFLICT (actor_id, root_id) DO UPDATE SET post_id = excluded.post_id, read_at = excluded.read_at
  WHERE read_positions.post_id < excluded.post_id"""
_MARK = "SELECT post_id FROM read_marks WHERE actor_id = :actor_id AND group_id = :group_id"
_MARKS = "SELECT group_id, post_id FROM read_marks WHERE actor_id = :actor_id"
_RAISE_MARK = """INSERT INTO read_marks (actor_id, group_id, post_id) VALUES (:actor_id, :group_id, :post_id)
  ON CONFLICT (actor_id, group_id) DO UPDATE SET post_id = excluded.post_id
  WHERE read_marks.post_id < excluded.post_id"""
# Like `threads._ACTIVE`: one look at each thread's newest post, in the order of the index, until there are enough. Where
# somebody at a distance wrote it, what others wrote before counts.
_UNREAD = f"""SELECT t.root_id, t.newest_id FROM threads t
  WHERE t.group_id = :group_id AND t.newest_id > {START_IN_GROUP}
   AND (SELECT p.post_id FROM posts p WHERE p.post_id = t.newest_id AND p.author_id <> :viewer_id
    AND p.post_id > COALESCE((SELECT r.post_id FROM read_positions r
     WHERE r.actor_id = :viewer_id AND r.root_id = t.root_id), 0)
    AND {NOT_MUTED} AND {READABLE_IN_GROUP}) IS NOT NULL
   AND {THREAD_NOT_DISTANT} AND ((SELECT p.post_id FROM posts p WHERE p.post_id = t.newest_id AND {NOT_DISTANT}) IS NOT NULL
    OR (SELECT p.post_id FROM posts p WHERE p.root_id = t.root_id AND p.post_id > :after_id
     AND p.post_id > COALESCE((SELECT r.post_id FROM read_positions r
      WHERE r.actor_id = :viewer_id AND r.root_id = t.root_id), 0)
     AND p.author_id <> :viewer_id AND {NOT_DISTANT} AND {READABLE_POST} LIMIT 1) IS NOT NULL)
  ORDER BY t.newest_id DESC LIMIT 8"""
# With the fragment for any post: that for one group would make SQLite walk the group's log instead of the threads.
_COUNTS = f"""SELECT p.root_id, COUNT(*) AS n FROM posts p
  LEFT JOIN read_positions r ON r.actor_id = :viewer_id AND r.root_id = p.root_id
  WHERE p.root_id IN :root_ids AND p.post_id > :mark_id AND p.post_id > COALESCE(r.post_id, 0)
   AND p.author_id <> :viewer_id AND p.state = 'live' AND {NOT_MUTED} AND {NOT_DISTANT} AND {READABLE_POST}
  GROUP BY p.root_id"""
_PURGE_POSITIONS = "DELETE FROM read_positions WHERE group_id = :group_id"
_PURGE_MARKS = "DELETE FROM read_marks WHERE group_id = :group_id"


async def list_positions(tx: Tx, *, actor_id: int, root_ids: list[int]) -> dict[int, int]:
    """Return {root_id: newest post read} of those of some threads that a member has opened."""
    if not root_ids:
        return {}
    rows = await tx.all(_POSITIONS, actor_id=actor_id, root_ids=root_ids)
    return {row.root_id: row.post_id for row in rows}


async def advance_position(tx: Tx, *, actor_id: int, group_id: int, root_id: int, post_id: int) -> None:
    """Remember that a member has read a thread up to a post; never backwards."""
    await tx.run(_ADVANCE, actor_id=actor_id, group_id=group_id, root_id=root_id, post_id=post_id, read_at=tx.now)


async def get_mark(tx: Tx, *, actor_id: int, group_id: int) -> int:
    """Return the post of a group up to which a member has read everything; 0 when there is none."""
    return int(await tx.value(_MARK, actor_id=actor_id, group_id=group_id) or 0)


async def list_marks(tx: Tx, *, actor_id: int) -> dict[int, int]:
    """Return {group_id: newest post below which everything is read} of a member."""
    return {row.group_id: row.post_id for row in await tx.all(_MARKS, actor_id=actor_id)}


async def raise_mark(tx: Tx, *, actor_id: int, group_id: int, post_id: int) -> None:
    """Remember that a member has read everything of a group up to a post; never backwards."""
    await tx.run(_RAISE_MARK, actor_id=actor_id, group_id=group_id, post_id=post_id)


async def list_unread(tx: Tx, *, viewer_id: int, group_id: int, mark_id: int) -> list[tuple[int, int]]:
    """Return (root_id, newest_id) of at most 8 threads of a group in which others wrote last and the viewer has not read it."""
    rows = await tx.all(_UNREAD, viewer_id=viewer_id, group_id=group_id, after_id=mark_id)
    return [(row.root_id, row.newest_id) for row in rows]


async def count_unread(tx: Tx, *, viewer_id: int, mark_id: int, root_ids: list[int]) -> dict[int, int]:
    """Return how many posts by others the viewer has not read, for each of some threads of one group that has any."""
    if not root_ids:
        return {}
    rows = await tx.all(_COUNTS, root_ids=root_ids, viewer_id=viewer_id, mark_id=mark_id)
    return {row.root_id: row.n for row in rows}


async def purge_progress(tx: Tx, *, group_id: int) -> None:
    """Delete how far anybody has read a group."""
    await tx.run(_PURGE_POSITIONS, group_id=group_id)
    await tx.run(_PURGE_MARKS, group_id=group_id)

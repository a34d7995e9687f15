"""Markers: how far a member's apps have read a timeline, by their own word. They say nothing of what was read."""

from __future__ import annotations

from node.domain.notifications import Marker

from .engine import Tx

_LIST = """SELECT timeline, last_read_id, version, updated_at FROM markers
  WHERE actor_id = :actor_id AND timeline IN :timelines ORDER BY timeline"""
_SET = """INSERT INTO markers (actor_id, timeline, last_read_id, version, updated_at)
  VALUES (:actor_id, :timeline, :last_read_id, 1, :updated_at)
  ON CONFLICT (actor_id, timeline) DO UPDATE SET last_read_id = excluded.last_read_id, version = markers.version + 1,
   updated_at = excluded.updated_at"""
_RAISE = """INSERT INTO markers (actor_id, timeline, last_read_id, version, updated_at)
  VALUES (:actor_id, :timeline, :last_read_id, 1, :updated_at)
  ON CONFLICT (actor_id, timeline) DO UPDATE SET last_read_id = excluded.last_read_id, version = markers.version + 1,
   updated_at = excluded.updated_at WHERE markers.last_read_id < excluded.last_read_id"""


async def list_markers(tx: Tx, *, actor_id: int, timelines: list[str]) -> list[Marker]:
    """Return how far a member has read some timelines; those without a marker are left out."""
    return [Marker(*row) for row in await tx.all(_LIST, actor_id=actor_id, timelines=timelines)]


async def get_marker(tx: Tx, *, actor_id: int, timeline: str) -> int:
    """Return the last that a member has read of a timeline; 0 when they never said."""
    found = await list_markers(tx, actor_id=actor_id, timelines=[timeline])
    return found[0].last_read_id if found else 0


async def set_marker(tx: Tx, *, actor_id: int, timeline: str, last_read_id: int) -> None:
    """Remember how far an app says it has read."""
    await tx.run(_SET, actor_id=actor_id, timeline=timeline, last_read_id=last_read_id, updated_at=tx.now)


async def raise_marker(tx: Tx, *, actor_id: int, timeline: str, last_read_id: int) -> None:
    """Remember that a member has read so far; never backwards."""
    await tx.run(_RAISE, actor_id=actor_id, timeline=timeline, last_read_id=last_read_id, updated_at=tx.now)

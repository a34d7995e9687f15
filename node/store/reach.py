"""How far the log of a group hosted here has got to each node that holds it: read from the lanes' cursors."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from .engine import Tx

# A node that came later with no right to what was before has a base above it, and is not waited for.
_LANES = """SELECT l.peer_id, l.cursor, a.base_seq, l.error_code, l.error_since_at FROM lanes l
  JOIN admissions a ON a.group_id = l.group_id AND a.peer_id = l.peer_id
  WHERE l.group_id = :group_id ORDER BY l.peer_id"""
_LEFT_BEHIND = """SELECT l.peer_id, e.appended_at FROM lanes l
  JOIN groups g ON g.group_id = l.group_id
  JOIN log_entries e ON e.group_id = l.group_id AND e.seq = l.cursor + 1
  WHERE l.group_id = :group_id AND l.cursor < g.head_seq AND e.appended_at <= :before_at
  ORDER BY e.appended_at, l.peer_id"""


@dataclass(frozen=True, slots=True)
class LaneReach:
    """One node that holds a group: it has every entry above `base_seq` up to `cursor`. error_since_at: of its trouble."""

    peer_id: int
    cursor: int
    base_seq: int
    error_code: str | None
    error_since_at: datetime | None


async def list_lane_reaches(tx: Tx, *, group_id: int) -> list[LaneReach]:
    """Return how far each other node has a group's log, by peer."""
    return [LaneReach(*row) for row in await tx.all(_LANES, group_id=group_id)]


async def list_left_behind(tx: Tx, *, group_id: int, before_at: datetime) -> list[tuple[int, datetime]]:
    """Return (peer_id, instant) of the nodes that lack something written before an instant; the longest waiting first."""
    rows = await tx.all(_LEFT_BEHIND, group_id=group_id, before_at=before_at)
    return [(row.peer_id, row.appended_at) for row in rows]

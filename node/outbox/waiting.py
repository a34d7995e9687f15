"""What waits for which peer, since when and why: lanes as operators see them, in commands and on pages."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from node.domain.peers import Peer
from node.store.core import Core
from node.store.engine import Tx
from node.store.streams import LaneRow, get_oldest_waiting, list_lanes


@dataclass(frozen=True, slots=True)
class WaitingLane:
    """A lane with what it means.

    peer: None when it is not on the list any more. state: idle, due, backoff or paused.
    queued: how many entries the peer does not have yet. oldest_at: since when the first of them waits.
    """

    row: LaneRow
    peer: Peer | None
    state: str
    queued: int
    oldest_at: datetime | None


async def list_waiting_lanes(tx: Tx, core: Core) -> list[WaitingLane]:
    """Return every lane, by peer and stream.

    Cost: one query, and one for each lane with something to send.
    """
    return [await _describe(tx, row, core.peers.by_id(row.peer_id)) for row in await list_lanes(tx)]


async def list_waiting_lanes_of(tx: Tx, peer: Peer) -> list[WaitingLane]:
    """Return the lanes of one peer, by stream."""
    return [await _describe(tx, row, peer) for row in await list_lanes(tx) if row.peer_id == peer.peer_id]


async def _describe(tx: Tx, row: LaneRow, peer: Peer | None) -> WaitingLane:
    queued = max(row.head - row.cursor, 0)
    oldest_at = await get_oldest_waiting(tx, lane=row) if queued else None
    return WaitingLane(row, peer, _state(row, queued, peer), queued, oldest_at)


def _state(row: LaneRow, queued: int, peer: Peer | None) -> str:
    if peer is not None and peer.state == "paused":
        return "paused"
    if not queued:
        return "idle"
    return "due" if row.state == "idle" else row.state

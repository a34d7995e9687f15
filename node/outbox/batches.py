"""What the lanes send next, and how far they have got: the deliverer's reading and writing.

One snapshot serves all lanes that are about to run: what a group's lanes have in common is read once for all of them. Who
may have a group's log is read each time, for these lanes alone: an admission and its lane end with the node's last member. Where
a host takes it may be known from a moment ago, since a group with a thousand hosts has a thousand addresses.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields

from node.domain.peers import Peer
from node.federation.grouplog.position import Position
from node.store.engine import Tx
from node.store.leases import LaneKey, Lease
from node.store.logs import StoredEntry, get_position, list_entries
from node.store.peers import update_peer_delivered
from node.store.rosters import list_bases, list_inboxes
from node.store.streams import (
    LaneRow,
    StreamEntry,
    bury_entry,
    forget_delivered,
    list_lanes_held,
    list_stream_entries,
    save_lane,
)

from .lane import Lane

BATCH_ENTRIES = 20
_COLUMNS = tuple(column.name for column in fields(Lane))

Inboxes = dict[int, dict[str, str]]
"""Where each host takes a group's log, by the group's number."""


@dataclass(frozen=True, slots=True)
class Batch:
    """The next entries of a lane, at most 20; none when the peer is to have nothing of it any more.

    head: where the stream ends. inbox_uri: where a group's entries go; others name it themselves.
    base_seq: what the peer may never have of a group's log: everything up to this number.
    """

    head: Position
    inbox_uri: str = ""
    entries: Sequence[StreamEntry | StoredEntry] = ()
    base_seq: int = 0


@dataclass(slots=True)
class _Log:
    """A hosted group's log as its lanes need it: who may have it, and pages of it that several lanes share."""

    head: Position
    inboxes: dict[str, str]
    bases: dict[int, int]
    pages: dict[int, list[StoredEntry]] = field(default_factory=dict)


async def read_batches(tx: Tx, lanes: Sequence[tuple[LaneRow, Peer]], inboxes: Inboxes) -> list[Batch]:
    """Return the next entries of each of these lanes; addresses that were not known are known afterwards."""
    logs = await _read_logs(tx, [row for row, _ in lanes], inboxes)
    return [await _read_batch(tx, row, peer, row.cursor, logs) for row, peer in lanes]


async def read_batch(tx: Tx, row: LaneRow, peer: Peer, cursor: int) -> Batch:
    """Return the entries of one lane behind a cursor."""
    return await _read_batch(tx, row, peer, cursor, await _read_logs(tx, [row], {}))


async def read_held(
    tx: Tx, owner: str, peers: Mapping[int, Peer], leases: Mapping[LaneKey, Lease], inboxes: Inboxes
) -> list[tuple[LaneRow, Batch]]:
    """Return the lanes that were leased just now, as they stand, with their next entries; a peer may have gone meanwhile."""
    held = await list_lanes_held(tx, owner=owner, peer_ids=sorted(peers))
    rows = [row for row in held if (row.peer_id, row.stream) in leases and row.head > row.cursor]
    logs = await _read_logs(tx, rows, inboxes)
    return [(row, await _read_batch(tx, row, peers[row.peer_id], row.cursor, logs)) for row in rows]


async def save_run(
    tx: Tx,
    row: LaneRow,
    lane: Lane,
    *,
    dead: StreamEntry | None = None,
    dead_id: int = 0,
    is_news: bool = False,
    lease: Lease | None = None,
) -> None:
    """Save how far a lane has got, bury the entry it left behind, and note that the peer took something.

    Raises:
        LeaseLost: Another process serves this lane now; nothing was written.
    """
    values = {name: getattr(lane, name) for name in _COLUMNS}
    await save_lane(tx, peer_id=row.peer_id, stream=row.stream, values=values, lease=lease)
    if dead is not None:
        await bury_entry(
            tx,
            dead_id=dead_id,
            peer_id=row.peer_id,
            stream=row.stream,
            entry=dead,
            reason="The peer refused this entry three times.",
            tries=3,
        )
    if row.group_id is None:
        await forget_delivered(tx, peer_id=row.peer_id, stream=row.stream, cursor=lane.cursor)
    if is_news:
        await update_peer_delivered(tx, peer_id=row.peer_id, at=tx.now)


def lane_of(row: LaneRow) -> Lane:
    """Return a stored lane as the state machine knows it."""
    return Lane(
        cursor=row.cursor,
        state=row.state,
        fails=row.fails,
        item_tries=row.item_tries,
        due_at=row.due_at,
        error_code=row.error_code,
        error_status=row.error_status,
        error_sentence=row.error_sentence,
        error_since_at=row.error_since_at,
        last_success_at=row.last_success_at,
    )


async def _read_logs(tx: Tx, rows: Sequence[LaneRow], inboxes: Inboxes) -> dict[int, _Log]:
    """Return what the lanes of each group have in common."""
    peers_of = defaultdict[int, list[int]](list)
    for row in rows:
        if row.group_id is not None:
            peers_of[row.group_id].append(row.peer_id)
    return {group_id: await _read_log(tx, group_id, peer_ids, inboxes) for group_id, peer_ids in peers_of.items()}


async def _read_log(tx: Tx, group_id: int, peer_ids: list[int], inboxes: Inboxes) -> _Log:
    position = await get_position(tx, group_id=group_id)
    head = Position(0, 0, "") if position is None else position.head
    if group_id not in inboxes:
        inboxes[group_id] = await list_inboxes(tx, group_id=group_id)
    return _Log(head, inboxes[group_id], await list_bases(tx, group_id=group_id, peer_ids=peer_ids))


async def _read_batch(tx: Tx, row: LaneRow, peer: Peer, cursor: int, logs: Mapping[int, _Log]) -> Batch:
    if row.group_id is None:
        found = await list_stream_entries(tx, peer_id=row.peer_id, stream=row.stream, cursor=cursor)
        return Batch(Position(0, found[-1].position if found else 0, ""), entries=found)
    log = logs[row.group_id]
    inbox_uri, base_seq = log.inboxes.get(peer.host), log.bases.get(row.peer_id)
    if inbox_uri is None or base_seq is None:
        return Batch(log.head)
    after = max(cursor, base_seq)
    if after not in log.pages:
        log.pages[after] = (await list_entries(tx, group_id=row.group_id, after=after))[:BATCH_ENTRIES]
    return Batch(log.head, inbox_uri, log.pages[after], base_seq)

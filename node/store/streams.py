"""Streams and lanes in the store: what is to be sent, in order, and how far each peer has it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from .engine import Tx
from .leases import Lease, LeaseLost

_NEXT = """INSERT INTO stream_heads (peer_id, stream, head) VALUES (:peer_id, :stream, 1)
  ON CONFLICT (peer_id, stream) DO UPDATE SET head = stream_heads.head + 1 RETURNING head"""
_INSERT = """INSERT INTO stream_entries (peer_id, stream, position, actor_id, activity_uri, inbox_uri, document, created_at)
  VALUES (:peer_id, :stream, :position, :actor_id, :activity_uri, :inbox_uri, :document, :created_at)"""
_OPEN_LANE = """INSERT INTO lanes (peer_id, stream, group_id, cursor, state, fails, item_tries, due_at)
  VALUES (:peer_id, :stream, :group_id, :cursor, 'idle', 0, 0, :due_at) ON CONFLICT (peer_id, stream) DO NOTHING"""
_CLOSE_LANE = "DELETE FROM lanes WHERE peer_id = :peer_id AND stream = :stream"
_ENTRIES = """SELECT position, actor_id, activity_uri, inbox_uri, document FROM stream_entries
  WHERE peer_id = :peer_id AND stream = :stream AND position > :cursor ORDER BY position LIMIT 20"""
_FORGET = "DELETE FROM stream_entries WHERE peer_id = :peer_id AND stream = :stream AND position <= :cursor"
_CANCEL = "DELETE FROM stream_entries WHERE activity_uri = :activity_uri"
_REPLACE = "UPDATE stream_entries SET document = :document WHERE activity_uri = :activity_uri"
_LANE = """l.peer_id, l.stream, l.group_id, l.cursor, l.state, l.fails, l.item_tries, l.due_at, l.last_success_at,
   l.error_code, l.error_status, l.error_sentence, l.error_since_at"""
_LIST = f"""SELECT {_LANE}, COALESCE(h.head, g.head_seq, 0) AS head FROM lanes l
  LEFT JOIN stream_heads h ON h.peer_id = l.peer_id AND h.stream = l.stream
  LEFT JOIN groups g ON g.group_id = l.group_id ORDER BY l.peer_id, l.stream"""
_BEHIND = f"""SELECT {_LANE}, COALESCE(h.head, g.head_seq, 0) AS head FROM lanes l
  LEFT JOIN stream_heads h ON h.peer_id = l.peer_id AND h.stream = l.stream
  LEFT JOIN groups g ON g.group_id = l.group_id
  WHERE COALESCE(h.head, g.head_seq, 0) > l.cursor AND g.recovering_at IS NULL ORDER BY l.peer_id, l.stream"""
_ONE = f"""SELECT {_LANE}, COALESCE(h.head, g.head_seq, 0) AS head FROM lanes l
  LEFT JOIN stream_heads h ON h.peer_id = l.peer_id AND h.stream = l.stream
  LEFT JOIN groups g ON g.group_id = l.group_id WHERE l.peer_id = :peer_id AND l.stream = :stream"""
_SAVE = """UPDATE lanes SET cursor = :cursor, state = :state, fails = :fails, item_tries = :item_tries, due_at = :due_at,
   last_success_at = :last_success_at, error_code = :error_code, error_status = :error_status,
   error_sentence = :error_sentence, error_since_at = :error_since_at
  WHERE peer_id = :peer_id AND stream = :stream"""
_SAVE_HELD = f"""{_SAVE} AND lease_owner = :owner AND lease_fence = :fence"""
_HASTEN = """UPDATE lanes SET state = 'due', due_at = :due_at
  WHERE peer_id = :peer_id AND stream = :stream AND due_at > :due_at"""
_HELD = f"""SELECT {_LANE}, COALESCE(h.head, g.head_seq, 0) AS head FROM lanes l
  JOIN peers p ON p.peer_id = l.peer_id AND p.state = 'active'
  LEFT JOIN stream_heads h ON h.peer_id = l.peer_id AND h.stream = l.stream
  LEFT JOIN groups g ON g.group_id = l.group_id
  WHERE l.peer_id IN :peer_ids AND l.lease_owner = :owner AND g.recovering_at IS NULL ORDER BY l.peer_id, l.stream"""
_OLDEST = "SELECT MIN(created_at) AS oldest_at FROM stream_entries WHERE peer_id = :peer_id AND stream = :stream"
_OLDEST_ENTRY = """SELECT appended_at AS oldest_at FROM log_entries WHERE group_id = :group_id AND seq > :cursor
  ORDER BY seq LIMIT 1"""
_BURY = """INSERT INTO dead_letters (dead_id, peer_id, stream, actor_id, activity_uri, inbox_uri, document, reason, tries,
   created_at)
  VALUES (:dead_id, :peer_id, :stream, :actor_id, :activity_uri, :inbox_uri, :document, :reason, :tries, :created_at)"""
_DEAD = """SELECT dead_id, peer_id, stream, actor_id, activity_uri, inbox_uri, document, reason, tries, created_at
  FROM dead_letters ORDER BY dead_id LIMIT 200"""
_ONE_DEAD = """SELECT dead_id, peer_id, stream, actor_id, activity_uri, inbox_uri, document, reason, tries, created_at
  FROM dead_letters WHERE dead_id = :dead_id"""
_UNBURY = "DELETE FROM dead_letters WHERE dead_id = :dead_id"
_COUNT_DEAD = "SELECT COUNT(*) AS n FROM dead_letters"
_COUNT_DUE = """SELECT COUNT(*) AS n FROM lanes l JOIN peers p ON p.peer_id = l.peer_id AND p.state <> 'parted'
  LEFT JOIN stream_heads h ON h.peer_id = l.peer_id AND h.stream = l.stream
  LEFT JOIN groups g ON g.group_id = l.group_id
  WHERE COALESCE(h.head, g.head_seq, 0) > l.cursor"""


@dataclass(frozen=True, slots=True)
class StreamEntry:
    """One thing to send to one peer. document: the activity as JSON text. actor_id: who signs."""

    position: int
    actor_id: int
    activity_uri: str
    inbox_uri: str
    document: str


@dataclass(frozen=True, slots=True)
class LaneRow:
    """A lane with the head of its stream."""

    peer_id: int
    stream: str
    group_id: int | None
    cursor: int
    state: str
    fails: int
    item_tries: int
    due_at: datetime
    last_success_at: datetime | None
    error_code: str | None
    error_status: int | None
    error_sentence: str | None
    error_since_at: datetime | None
    head: int


async def append_to_stream(
    tx: Tx, *, peer_id: int, stream: str, actor_id: int, activity_uri: str, inbox_uri: str, document: str
) -> int:
    """Append to a peer's `control` or `direct` stream, opening its lane; return the position."""
    position = int(await tx.value(_NEXT, peer_id=peer_id, stream=stream))
    await tx.run(
        _INSERT,
        peer_id=peer_id,
        stream=stream,
        position=position,
        actor_id=actor_id,
        activity_uri=activity_uri,
        inbox_uri=inbox_uri,
        document=document,
        created_at=tx.now,
    )
    if position == 1:
        await open_lane(tx, peer_id=peer_id, stream=stream, group_id=None, cursor=0)
    return position


async def open_lane(tx: Tx, *, peer_id: int, stream: str, group_id: int | None, cursor: int) -> None:
    """Start a lane behind `cursor`, unless it is there."""
    await tx.run(_OPEN_LANE, peer_id=peer_id, stream=stream, group_id=group_id, cursor=cursor, due_at=tx.now)


async def close_lane(tx: Tx, *, peer_id: int, stream: str) -> None:
    """End a lane: nothing more goes to this peer."""
    await tx.run(_CLOSE_LANE, peer_id=peer_id, stream=stream)


async def list_stream_entries(tx: Tx, *, peer_id: int, stream: str, cursor: int) -> list[StreamEntry]:
    """Return at most 20 entries behind a cursor, in order."""
    return [StreamEntry(*row) for row in await tx.all(_ENTRIES, peer_id=peer_id, stream=stream, cursor=cursor)]


async def forget_delivered(tx: Tx, *, peer_id: int, stream: str, cursor: int) -> None:
    """Delete what the peer has."""
    await tx.run(_FORGET, peer_id=peer_id, stream=stream, cursor=cursor)


async def cancel_undelivered(tx: Tx, *, activity_uri: str) -> int:
    """Delete an activity from every stream it still waits in; return from how many."""
    return await tx.run(_CANCEL, activity_uri=activity_uri)


async def replace_undelivered(tx: Tx, *, activity_uri: str, document: str) -> None:
    """Put other words into an activity that still waits to be sent."""
    await tx.run(_REPLACE, activity_uri=activity_uri, document=document)


async def list_lanes(tx: Tx) -> list[LaneRow]:
    """Return every lane with its head, by peer and stream."""
    return [LaneRow(*row) for row in await tx.all(_LIST)]


async def list_lanes_behind(tx: Tx) -> list[LaneRow]:
    """Return the lanes that have something to send, by peer and stream."""
    return [LaneRow(*row) for row in await tx.all(_BEHIND)]


async def get_lane(tx: Tx, *, peer_id: int, stream: str) -> LaneRow | None:
    """Return one lane with its head."""
    row = await tx.one(_ONE, peer_id=peer_id, stream=stream)
    return LaneRow(*row) if row else None


async def list_lanes_held(tx: Tx, *, owner: str, peer_ids: list[int]) -> list[LaneRow]:
    """Return the lanes to these peers that a session has leased, as far as the peers are active."""
    return [LaneRow(*row) for row in await tx.all(_HELD, owner=owner, peer_ids=peer_ids)]


async def save_lane(tx: Tx, *, peer_id: int, stream: str, values: dict[str, Any], lease: Lease | None = None) -> None:
    """Set a lane's cursor, state, next try and error; `values` names every column of `Lane`.

    Raises:
        LeaseLost: It was leased, and is no longer; nothing was written.
    """
    if lease is None:
        await tx.run(_SAVE, peer_id=peer_id, stream=stream, **values)
    elif not await tx.run(_SAVE_HELD, peer_id=peer_id, stream=stream, owner=lease.owner, fence=lease.fence, **values):
        raise LeaseLost(internal=f"the lane {stream} of peer {peer_id} has gone to another process")


async def hasten_lane(tx: Tx, *, peer_id: int, stream: str, due_at: datetime) -> None:
    """Let a lane be tried at an instant if it would be tried later. How far it has got is left to whoever serves it."""
    await tx.run(_HASTEN, peer_id=peer_id, stream=stream, due_at=due_at)


async def get_oldest_waiting(tx: Tx, *, lane: LaneRow) -> datetime | None:
    """Return since when the oldest undelivered entry of a lane waits."""
    if lane.group_id is None:
        return await tx.value(_OLDEST, peer_id=lane.peer_id, stream=lane.stream)  # type: ignore[no-any-return]
    return await tx.value(_OLDEST_ENTRY, group_id=lane.group_id, cursor=lane.cursor)  # type: ignore[no-any-return]


async def bury_entry(
    tx: Tx, *, dead_id: int, peer_id: int, stream: str, entry: StreamEntry, reason: str, tries: int
) -> None:
    """Make a dead letter of an entry that the peer will not take."""
    await tx.run(
        _BURY,
        dead_id=dead_id,
        peer_id=peer_id,
        stream=stream,
        actor_id=entry.actor_id,
        activity_uri=entry.activity_uri,
        inbox_uri=entry.inbox_uri,
        document=entry.document,
        reason=reason,
        tries=tries,
        created_at=tx.now,
    )


async def list_dead_letters(tx: Tx) -> list[Any]:
    """Return at most 200 dead letters, oldest first."""
    return await tx.all(_DEAD)


async def count_dead_letters(tx: Tx) -> int:
    """Return how many entries no peer would take."""
    return int(await tx.value(_COUNT_DEAD))


async def retry_dead_letter(tx: Tx, *, dead_id: int) -> Any | None:
    """Put a dead letter back at the end of its stream and return it, or None when there is none."""
    row = await tx.one(_ONE_DEAD, dead_id=dead_id)
    if row is None:
        return None
    await tx.run(_UNBURY, dead_id=dead_id)
    await append_to_stream(
        tx,
        peer_id=row.peer_id,
        stream=row.stream,
        actor_id=row.actor_id,
        activity_uri=row.activity_uri,
        inbox_uri=row.inbox_uri,
        document=row.document,
    )
    return row


async def count_lanes_behind(tx: Tx) -> int:
    """Return how many lanes have something to send, to peers we have not parted from."""
    return int(await tx.value(_COUNT_DUE))

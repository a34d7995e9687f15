"""Delivery: the hands of the lanes. One request in flight per lane, 64 in all, a quarter of them for failing peers.

*How it works.* The deliverer looks at the lanes that are behind their streams when the bell rings, and each second. One
that is due is drained by a task of its own: up to 20 entries are read, sent one after the other, and the cursor is saved
once per such run or at the first trouble; after a crash at most these are sent again, and the peer takes each once.
A peer's control lane goes before its others. Requests are signed when they are sent. What is to be done after an
answer is decided by `lane.advance` alone.
"""

from __future__ import annotations

import asyncio
import email.utils
import random
from collections import OrderedDict
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec

from node.domain.peers import Peer
from node.federation.grouplog.entry import build_announce
from node.federation.grouplog.position import HEADER, Position, format_position, parse_position
from node.federation.message import Answer
from node.foundation.errors import NodeError, Refusing, Unreachable
from node.foundation.logs import get_logger
from node.store.core import Core
from node.store.engine import Tx
from node.store.logs import StoredEntry, get_position, list_entries
from node.store.peers import update_peer_delivered
from node.store.rosters import get_admission, get_inbox_at_host
from node.store.streams import (
    LaneRow,
    StreamEntry,
    bury_entry,
    forget_delivered,
    get_lane,
    list_lanes_behind,
    list_stream_entries,
    save_lane,
)

from .lane import Lane, Outcome, Reply, advance, contact
from .publish import CONTROL, LANES_BELL, encode

LOOK_SECONDS = 1.0
BATCH_ENTRIES = 20
_BODIES_KEPT = 512
_DELIVERED_EVERY = timedelta(seconds=10)
_CONTACT_LONGEST_SECONDS = 30.0


@dataclass(frozen=True, slots=True)
class _Batch:
    """The next entries of a lane.

    inbox_uri: where a group's entries go; others name it themselves.
    base_seq: what the peer may never have of a group's log: everything up to this number.
    """

    head: Position
    inbox_uri: str
    entries: list[StreamEntry] | list[StoredEntry]
    base_seq: int = 0


class Deliverer:
    """Brings streams to peers. One per process."""

    def __init__(self, core: Core) -> None:
        self._core = core
        self._slots = asyncio.Semaphore(core.config.limits.deliveries)
        self._failing_slots = asyncio.Semaphore(max(1, core.config.limits.deliveries // 4))
        self._running: dict[tuple[int, str], asyncio.Task[None]] = {}
        self._bodies: OrderedDict[tuple[str, int], bytes] = OrderedDict()
        self._delivered_at: dict[int, datetime] = {}
        self._stopping = False

    @property
    def in_flight(self) -> int:
        """How many lanes are being drained now."""
        return len(self._running)

    async def run(self) -> None:
        """Deliver until `stop` is called."""
        while not self._stopping:
            try:
                await self._look()
            except NodeError as error:
                get_logger().error("lanes_unread", code=error.code, reason=error.internal)
            await self._core.bell.wait(LANES_BELL, at_most_seconds=LOOK_SECONDS)

    async def stop(self, *, grace_seconds: float = 15.0) -> None:
        """Start nothing new, let what is in flight end within the grace, cut off the rest."""
        self._stopping = True
        self._core.bell.ring(LANES_BELL)
        if self._running:
            await asyncio.wait(self._running.values(), timeout=grace_seconds)
        for task in list(self._running.values()):
            task.cancel()

    async def _note_contact(self, rows: list[LaneRow], contacted: set[int]) -> list[LaneRow]:
        """A valid signed request came from these peers: what waited for them is due soon, though not all at once."""
        waiting = [row for row in rows if row.peer_id in contacted and row.error_code]
        if not waiting:
            return rows
        spread = min(_CONTACT_LONGEST_SECONDS, len(waiting) / 10)
        for row in waiting:
            now = self._core.clock.now()
            lane = contact(_lane(row), now=now, delay_seconds=random.random() * spread)  # noqa: S311 a spread in time
            if lane.due_at != row.due_at:
                await self._core.store.write(_save, row, lane)
        return await self._core.store.read(list_lanes_behind)

    async def _look(self) -> None:
        rows = await self._core.store.read(list_lanes_behind)
        if contacted := self._core.peers.take_contacted():
            rows = await self._note_contact(rows, contacted)
        now = self._core.clock.now()
        held_back = {row.peer_id for row in rows if row.stream == CONTROL}
        for row in rows:
            peer = self._core.peers.by_id(row.peer_id)
            if row.due_at > now or peer is None or peer.state != "active":
                continue
            if row.peer_id in held_back and row.stream != CONTROL:
                continue
            if (row.peer_id, row.stream) not in self._running and not self._stopping:
                self._start(row, peer)

    def _start(self, row: LaneRow, peer: Peer) -> None:
        key = (row.peer_id, row.stream)
        task = asyncio.create_task(self._drain(row, peer))
        self._running[key] = task

        def ended(done: asyncio.Task[None]) -> None:
            self._running.pop(key, None)
            if not done.cancelled() and (error := done.exception()) is not None:
                get_logger().error("lane_stopped", peer=peer.host, reason=f"{type(error).__name__}: {error}")
            self._core.bell.ring(LANES_BELL)

        task.add_done_callback(ended)

    async def _drain(self, row: LaneRow, peer: Peer) -> None:
        """Send what is behind the cursor until the lane is at its head or in trouble."""
        lane = _lane(row)
        while not self._stopping and self._is_active(peer.peer_id):
            batch = await self._core.store.read(_next_batch, row, peer, lane.cursor)
            if not batch.entries:
                if row.group_id is None and lane.cursor < row.head:  # what stood between was taken back
                    await self._core.store.write(_save, row, replace(lane, cursor=row.head, state="idle"))
                return
            lane, dead = await self._send_batch(row, peer, lane, batch)
            await self._core.store.write(_save, row, lane, self._core.ids.number(), dead, self._news(peer, lane))
            if lane.error_code is not None and lane.state != "due":
                return

    async def _send_batch(self, row: LaneRow, peer: Peer, lane: Lane, batch: _Batch) -> tuple[Lane, StreamEntry | None]:
        """Send entries in order until one does not advance the cursor; return the lane, and the entry that died."""
        for item in batch.entries:
            position = item.seq if isinstance(item, StoredEntry) else item.position
            if not self._is_active(peer.peer_id):
                break
            if item is not batch.entries[0] and not await self._may_still_send(row):
                break
            reply = await self._send(row, peer, lane, batch, item)
            if reply.held_seq is not None:  # a peer that says it holds less does not get what lies before its base
                reply = replace(reply, held_seq=max(reply.held_seq, batch.base_seq))
            lane, outcome = advance(
                lane,
                reply,
                position=position,
                head=max(batch.head.seq, position),
                may_skip=row.group_id is None,
                now=self._core.clock.now(),
                chance=random.random(),  # noqa: S311 a spread in time, not a secret
            )
            if outcome is Outcome.DEAD and isinstance(item, StreamEntry):
                return lane, item
            if outcome is not Outcome.ADVANCE or lane.cursor != position:
                get_logger().info("delivery_held", peer=peer.host, status=reply.status, outcome=outcome.value)
                break
        return lane, None

    async def _send(
        self, row: LaneRow, peer: Peer, lane: Lane, batch: _Batch, item: StreamEntry | StoredEntry
    ) -> Reply:
        """Make one request and return what came back."""
        slots = self._failing_slots if lane.fails else self._slots
        async with slots:
            if isinstance(item, StoredEntry):
                actor_id, url, body = row.group_id or 0, batch.inbox_uri, self._announce(row.stream, item)
                headers: tuple[tuple[str, str], ...] = ((HEADER, format_position(row.stream, batch.head)),)
            else:
                actor_id, url, body = item.actor_id, item.inbox_uri, item.document.encode()
                headers = ()
            keys = await self._core.keyring.own(actor_id)
            if not url.startswith(f"{peer.origin}/"):
                get_logger().warning("delivery_refused_here", peer=peer.host, reason="an inbox on another origin")
                return Reply(0)
            try:
                answer = await self._core.client.post(
                    url, body, signer=self._core.sign_for(keys, peer.origin), headers=headers
                )
            except Unreachable as error:
                get_logger().info("delivery_failed", peer=peer.host, reason=error.internal)
                return Reply(0)
            except Refusing as error:
                get_logger().warning("delivery_refused_here", peer=peer.host, reason=error.internal)
                return Reply(0)
        return _read_reply(answer, row.stream, now=self._core.clock.now())

    def _announce(self, group_uri: str, entry: StoredEntry) -> bytes:
        """Return the Announce of an entry; made once for all peers."""
        key = (group_uri, entry.seq) if entry.salt else (group_uri, -entry.seq)
        body = self._bodies.get(key)
        if body is None:
            body = self._bodies[key] = encode(announce_entry(group_uri, entry))
            while len(self._bodies) > _BODIES_KEPT:
                self._bodies.popitem(last=False)
        return body

    async def _may_still_send(self, row: LaneRow) -> bool:
        """Ask again after each entry: a member may have been removed while the one before was on its way (T17).

        A node's admission ends with its last member, in that very transaction.
        """
        return row.group_id is None or await self._core.store.read(_is_admitted, row.group_id, row.peer_id)

    def _is_active(self, peer_id: int) -> bool:
        peer = self._core.peers.by_id(peer_id)
        return peer is not None and peer.state == "active"

    def _news(self, peer: Peer, lane: Lane) -> bool:
        """Say whether the peer's last delivery is worth a write: at most every ten seconds."""
        now = self._core.clock.now()
        known = self._delivered_at.get(peer.peer_id)
        if lane.error_code is not None or (known is not None and now - known < _DELIVERED_EVERY):
            return False
        self._delivered_at[peer.peer_id] = now
        return True


def announce_entry(group_uri: str, entry: StoredEntry) -> dict[str, Any]:
    """Return an entry as the Announce that carries it; the author's JSON goes through as it was stored."""
    return build_announce(
        entry.entry(group_uri),
        proof=msgspec.json.decode(entry.proof),
        activity=msgspec.Raw(entry.document.encode()),  # type: ignore[arg-type]
        salt=entry.salt,
        media=entry.media,
    )


async def _next_batch(tx: Tx, row: LaneRow, peer: Peer, cursor: int) -> _Batch:
    if row.group_id is None:
        entries = await list_stream_entries(tx, peer_id=row.peer_id, stream=row.stream, cursor=cursor)
        return _Batch(Position(0, entries[-1].position if entries else 0, ""), "", entries)
    position = await get_position(tx, group_id=row.group_id)
    inbox_uri = await get_inbox_at_host(tx, group_id=row.group_id, host=peer.host)
    is_open = await get_lane(tx, peer_id=row.peer_id, stream=row.stream) is not None
    admission = await get_admission(tx, group_id=row.group_id, peer_id=row.peer_id)
    if position is None or inbox_uri is None or admission is None or not is_open:
        return _Batch(Position(0, 0, ""), "", [])
    found = await list_entries(tx, group_id=row.group_id, after=max(cursor, admission.base_seq))
    return _Batch(position.head, inbox_uri, found[:BATCH_ENTRIES], admission.base_seq)


async def _is_admitted(tx: Tx, group_id: int, peer_id: int) -> bool:
    return await get_admission(tx, group_id=group_id, peer_id=peer_id) is not None


async def _save(
    tx: Tx,
    row: LaneRow,
    lane: Lane,
    dead_id: int = 0,
    dead: StreamEntry | None = None,
    has_news: bool = False,
) -> None:
    await save_lane(tx, peer_id=row.peer_id, stream=row.stream, values=asdict(lane))
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
    if has_news:
        await update_peer_delivered(tx, peer_id=row.peer_id, at=tx.now)


def _lane(row: LaneRow) -> Lane:
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


def _read_reply(answer: Answer, stream: str, *, now: datetime) -> Reply:
    held = parse_position(answer.one(HEADER))
    held_seq = held[1].seq if held is not None and held[0] == stream else None
    return Reply(answer.status, held_seq, _retry_after_seconds(answer.one("retry-after"), now))


def _retry_after_seconds(value: str | None, now: datetime) -> float | None:
    """Return the seconds of a Retry-After header, given as a number or as a date; None when it says nothing usable."""
    if not value:
        return None
    if value.isascii() and value.isdigit():
        return float(value[:9])
    try:
        at = email.utils.parsedate_to_datetime(value)
    except (ValueError, TypeError):
        return None
    return (at.replace(tzinfo=at.tzinfo or UTC) - now).total_seconds()

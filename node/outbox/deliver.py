"""Delivery: the hands of the lanes. One request in flight per lane, 64 in all, a quarter of them for failing peers.

*How it works.* The deliverer looks at the lanes that are behind their streams when the bell rings, and each second. As
many as there are slots for are started, each with its next 20 entries, all read in one snapshot; whoever was served
longest ago goes first. A lane sends its entries one after the other and saves its cursor once per such run, or at the
first trouble; after a crash at most these are sent again, and the peer takes each once. A peer's control lane goes before
its others. Requests are signed when they are sent. What an answer means for the lane is decided by `lane.advance` alone.
"""

from __future__ import annotations

import asyncio
import email.utils
import random
from collections import OrderedDict
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec

from node.domain.peers import Peer
from node.federation.grouplog.entry import build_announce
from node.federation.grouplog.position import HEADER, format_position, parse_position
from node.federation.message import Answer
from node.foundation.errors import NodeError, Refusing, Unreachable
from node.foundation.logs import get_logger
from node.store.core import Core
from node.store.engine import Tx
from node.store.logs import StoredEntry
from node.store.rosters import get_admission
from node.store.streams import LaneRow, StreamEntry, list_lanes_behind
from node.store.tally import DELIVERED, FAILED

from .batches import BATCH_ENTRIES, Batch, lane_of, read_batch, read_batches, save_run
from .lane import Lane, Outcome, Reply, advance, contact
from .publish import CONTROL, LANES_BELL, encode

LOOK_SECONDS = 1.0
_BODIES_KEPT = 512
_DELIVERED_EVERY = timedelta(seconds=10)
_CONTACT_LONGEST_SECONDS = 30.0


@dataclass(slots=True)
class _Running:
    """A lane that is being served. is_wanted: more came for it meanwhile."""

    task: asyncio.Task[None]
    is_failing: bool
    head: int
    is_wanted: bool = False


class Deliverer:
    """Brings streams to peers. One per process."""

    def __init__(self, core: Core) -> None:
        self._core = core
        self._running: dict[tuple[int, str], _Running] = {}
        self._served: dict[tuple[int, str], int] = {}
        self._turn = 0
        self._is_crowded = False
        self._bodies: OrderedDict[tuple[str, int], bytes] = OrderedDict()
        self._delivered_at: dict[int, datetime] = {}
        self._stopping = False

    @property
    def in_flight(self) -> int:
        """How many lanes are being served now."""
        return len(self._running)

    async def run(self) -> None:
        """Deliver until `stop` is called."""
        while not self._stopping:
            try:
                await self.look()
            except NodeError as error:
                get_logger().error("lanes_unread", code=error.code, reason=error.internal)
            await self._core.bell.wait(LANES_BELL, at_most_seconds=LOOK_SECONDS)

    async def stop(self, *, grace_seconds: float = 15.0) -> None:
        """Start nothing new, let what is in flight end within the grace, cut off the rest."""
        self._stopping = True
        self._core.bell.ring(LANES_BELL)
        await self.settle(within_seconds=grace_seconds)
        for running in self._running.values():
            running.task.cancel()

    async def settle(self, *, within_seconds: float | None = None) -> None:
        """Wait until the lanes that are being served now have ended."""
        if self._running:
            await asyncio.wait([running.task for running in self._running.values()], timeout=within_seconds)

    async def look(self) -> None:
        """Start what is due now."""
        busy = dict(self._running)  # before the read: what a lane saved as it ended is seen by it
        rows = await self._core.store.read(list_lanes_behind)
        if contacted := self._core.peers.take_contacted():
            rows = await self._note_contact(rows, contacted)
        chosen = self._choose(rows, busy)
        if not chosen:
            return
        batches = await self._core.store.read(read_batches, chosen)
        for (row, peer), batch in zip(chosen, batches, strict=True):
            if not self._stopping:
                self._start(row, peer, batch)

    async def _note_contact(self, rows: list[LaneRow], contacted: set[int]) -> list[LaneRow]:
        """A valid signed request came from these peers: what waited for them is due soon, though not all at once."""
        waiting = [row for row in rows if row.peer_id in contacted and row.error_code]
        if not waiting:
            return rows
        spread = min(_CONTACT_LONGEST_SECONDS, len(waiting) / 10)
        for row in waiting:
            now = self._core.clock.now()
            lane = contact(lane_of(row), now=now, delay_seconds=random.random() * spread)  # noqa: S311 a spread in time
            if lane.due_at != row.due_at:
                await self._core.store.write(save_run, row, lane)
        return await self._core.store.read(list_lanes_behind)

    def _choose(self, rows: list[LaneRow], busy: dict[tuple[int, str], _Running]) -> list[tuple[LaneRow, Peer]]:
        """Return the lanes to start now: those that are due, as many as there are slots for, the longest unserved first.

        busy: the lanes that ran when the rows were read; theirs may be out of date.
        """
        now, limit = self._core.clock.now(), self._core.config.limits.deliveries
        slots = limit - len(self._running)
        failing_slots = max(1, limit // 4) - sum(running.is_failing for running in self._running.values())
        held_back = {row.peer_id for row in rows if row.stream == CONTROL}
        chosen: list[tuple[LaneRow, Peer]] = []
        self._is_crowded = False
        for row in sorted(rows, key=lambda row: self._served.get((row.peer_id, row.stream), 0)):
            key, peer = (row.peer_id, row.stream), self._core.peers.by_id(row.peer_id)
            if key in busy:
                if row.head > busy[key].head:
                    self._look_again_after(key)
            elif row.due_at > now or peer is None or peer.state != "active":
                continue
            elif row.peer_id in held_back and row.stream != CONTROL:
                continue  # the end of the control lane rings
            elif slots <= 0 or (row.fails and failing_slots <= 0):
                self._is_crowded = True
            else:
                slots -= 1
                failing_slots -= 1 if row.fails else 0
                chosen.append((row, peer))
        return chosen

    def _look_again_after(self, key: tuple[int, str]) -> None:
        if key in self._running:
            self._running[key].is_wanted = True
        else:
            self._core.bell.ring(LANES_BELL)

    def _start(self, row: LaneRow, peer: Peer, batch: Batch) -> None:
        key = (row.peer_id, row.stream)
        self._turn += 1
        self._served[key] = self._turn
        task = asyncio.create_task(self._drain(row, peer, batch))
        self._running[key] = _Running(task, row.fails > 0, row.head)

        def ended(done: asyncio.Task[None]) -> None:
            running = self._running.pop(key)
            if not done.cancelled() and (error := done.exception()) is not None:
                get_logger().error("lane_stopped", peer=peer.host, reason=f"{type(error).__name__}: {error}")
            if running.is_wanted or self._is_crowded or key[1] == CONTROL:
                self._core.bell.ring(LANES_BELL)

        task.add_done_callback(ended)

    async def _drain(self, row: LaneRow, peer: Peer, batch: Batch) -> None:
        """Send what is behind the cursor until the lane is at its head, in trouble, or others wait for its slot."""
        lane = lane_of(row)
        while not self._stopping and self._is_active(peer.peer_id):
            if not batch.entries:
                if row.group_id is None and lane.cursor < row.head:  # what stood between was taken back
                    await self._core.store.write(save_run, row, replace(lane, cursor=row.head, state="idle"))
                return
            lane, dead = await self._send_batch(row, peer, lane, batch)
            is_news = self._is_news(peer, lane)
            dead_id = self._core.ids.number()
            await self._core.store.write(save_run, row, lane, dead=dead, dead_id=dead_id, is_news=is_news)
            is_in_trouble = lane.error_code is not None and lane.state != "due"
            if is_in_trouble or (len(batch.entries) < BATCH_ENTRIES and lane.cursor >= row.head) or self._is_crowded:
                return
            batch = await self._core.store.read(read_batch, row, peer, lane.cursor)

    async def _send_batch(self, row: LaneRow, peer: Peer, lane: Lane, batch: Batch) -> tuple[Lane, StreamEntry | None]:
        """Send entries in order until one does not advance the cursor; return the lane, and the entry that died."""
        for item in batch.entries:
            position = item.seq if isinstance(item, StoredEntry) else item.position
            if not self._is_active(peer.peer_id):
                break
            if item is not batch.entries[0] and not await self._may_still_send(row):
                break
            reply = await self._send(row, peer, batch, item)
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
            if outcome is not Outcome.REWIND:
                kind = DELIVERED if outcome is Outcome.ADVANCE else FAILED
                self._core.tally.count(kind, self._core.clock.now())
            if outcome is Outcome.DEAD and isinstance(item, StreamEntry):
                return lane, item
            if outcome is not Outcome.ADVANCE or lane.cursor != position:
                get_logger().info("delivery_held", peer=peer.host, status=reply.status, outcome=outcome.value)
                break
        return lane, None

    async def _send(self, row: LaneRow, peer: Peer, batch: Batch, item: StreamEntry | StoredEntry) -> Reply:
        """Make one request and return what came back."""
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
        now = self._core.clock.now()
        self._core.tally.hear_clock(peer.peer_id, answer.one("date"), now)
        if answer.status == 409 and row.group_id is not None:
            self._doubt(row, batch, answer)
        return _read_reply(answer, row.stream, now=now)

    def _doubt(self, row: LaneRow, batch: Batch, answer: Answer) -> None:
        """A peer that stands beyond our log, or of another epoch, may hold what we lost."""
        told = parse_position(answer.one(HEADER))
        if told is not None and told[0] == row.stream and row.group_id is not None:
            position = told[1]
            if position.seq >= batch.head.seq or position.epoch != batch.head.epoch:
                self._core.doubt(row.group_id, row.peer_id, position.chain)

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

    def _is_news(self, peer: Peer, lane: Lane) -> bool:
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


async def _is_admitted(tx: Tx, group_id: int, peer_id: int) -> bool:
    return await get_admission(tx, group_id=group_id, peer_id=peer_id) is not None


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

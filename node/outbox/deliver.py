"""Delivery: the hands of the lanes. One request in flight per lane, 64 in all, a quarter of them for failing peers.

*How it works.* The deliverer looks at the lanes that are behind their streams when the bell rings, and each second. As
many as there are slots for are started, each with its next 20 entries, all read in one snapshot; which ones is decided by
`choosing.choose` alone. Those for which there was no slot come from the same look as slots become free: with a thousand
lanes a look is dear. A lane sends its entries one after the other and saves its cursor once per such run, or at the
first trouble; after a crash at most these are sent again, and the peer takes each once. Where several processes share the
database, a lane is leased before it is served (`leasing`). Requests are signed when they are sent. What an answer means
for the lane is decided by `lane.advance` alone.
"""

from __future__ import annotations

import asyncio
import contextlib
import email.utils
import random
from collections import OrderedDict
from collections.abc import Awaitable
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta

from node.domain.peers import Peer
from node.federation.grouplog.position import HEADER, format_position, parse_position
from node.federation.message import Answer
from node.foundation.errors import NodeError, Refusing, Unreachable
from node.foundation.logs import get_logger
from node.store.core import Core
from node.store.engine import Tx
from node.store.leases import LeaseLost
from node.store.logs import StoredEntry
from node.store.streams import LaneRow, StreamEntry, hasten_lane, list_lanes_behind
from node.store.tally import DELIVERED, FAILED

from .batches import BATCH_ENTRIES, Batch, Inboxes, lane_of, read_batch, save_run
from .choosing import SLOW_SECONDS, STARTS_PER_SECOND, Flight, Starts, choose, is_hastened, is_room
from .lane import CONTACT_SECONDS, Lane, Outcome, Reply, advance, contact
from .leasing import Served, Wanted, open_slots
from .publish import CONTROL, LANES_BELL, encode

LOOK_SECONDS = 1.0
_BODIES_KEPT = 512
_DELIVERED_EVERY = timedelta(seconds=10)
_CONTACT_LONGEST_SECONDS = 30.0


@dataclass(slots=True)
class _Running:
    """A lane that is being served.

    is_failing: it was in trouble when it began. is_wanted: more came for it meanwhile. has_failed: it is in trouble now.
    asked_at: since when its request is under way.
    """

    task: asyncio.Task[None]
    is_failing: bool
    head: int
    is_wanted: bool = False
    has_failed: bool = False
    asked_at: float | None = None


@dataclass(slots=True)
class _Seen:
    """What a look found: active lanes behind their streams, the longest unserved first.

    begun: those that ran then, whose rows may be out of date, and those that were begun since.
    """

    rows: list[LaneRow] = field(default_factory=list)
    begun: set[tuple[int, str]] = field(default_factory=set)
    inboxes: Inboxes = field(default_factory=dict)


class Deliverer:
    """Brings streams to peers. One per process."""

    def __init__(self, core: Core) -> None:
        self._core = core
        self._slots = open_slots(core)
        self._running: dict[tuple[int, str], _Running] = {}
        self._served: dict[tuple[int, str], int] = {}
        self._turn = 0
        self._seen = _Seen()
        self._beginning = asyncio.Lock()
        self._room = asyncio.Event()
        self._is_crowded = False
        self._held: frozenset[int] = frozenset()
        self._starts = Starts()
        self._answered: set[int] = set()
        self._hastened: dict[tuple[int, str], float] = {}
        self._bodies: OrderedDict[tuple[str, int], bytes] = OrderedDict()
        self._delivered_at: dict[int, datetime] = {}
        self._stopping = False

    @property
    def in_flight(self) -> int:
        """How many lanes are being served now."""
        return len(self._running)

    async def run(self) -> None:
        """Deliver until `stop` is called."""
        keeping, filling = asyncio.create_task(self._slots.keep()), asyncio.create_task(self._fill_up())
        try:
            while not self._stopping:
                await _told(self.look())
                await self._core.bell.wait(LANES_BELL, at_most_seconds=LOOK_SECONDS)
            async with self._beginning:  # what is being begun has begun before everything is waited for
                filling.cancel()
            await self.settle()
        finally:
            keeping.cancel()
            filling.cancel()

    async def _fill_up(self) -> None:
        """Go on with what the last look found, as slots become free."""
        while True:
            await self._room.wait()
            self._room.clear()
            async with self._beginning:
                if self._core.pressure.may_sign:
                    await _told(self._begin())

    async def stop(self, *, grace_seconds: float = 15.0) -> None:
        """Start nothing new, let what is in flight end within the grace, cut off the rest."""
        self._stopping = True
        self._core.bell.ring_here(LANES_BELL)
        await self.settle(within_seconds=grace_seconds)
        for running in self._running.values():
            running.task.cancel()
        await self.settle(within_seconds=1)
        await asyncio.sleep(0)  # for the callbacks that let go
        with contextlib.suppress(NodeError):
            await self._slots.release()

    async def settle(self, *, within_seconds: float | None = None) -> None:
        """Wait until the lanes that are being served now have ended."""
        if self._running:
            await asyncio.wait([running.task for running in self._running.values()], timeout=within_seconds)

    async def look(self) -> None:
        """Start what is due now; nothing by a clock that was set under our feet."""
        if not self._core.pressure.may_sign:
            return
        async with self._beginning:
            await self._slots.release()
            busy = dict(self._running)  # before the read: what a lane saved as it ended is seen by it
            rows = await self._core.store.read(list_lanes_behind)
            contacted, answered = self._core.peers.take_contacted(), self._answered
            self._answered = set()
            if waiting := [row for row in rows if row.error_code and is_hastened(row, contacted, answered)]:
                rows = await self._hasten(rows, waiting)
            for row in rows:
                if (running := busy.get((row.peer_id, row.stream))) is not None and row.head > running.head:
                    self._look_again_after((row.peer_id, row.stream))
            active = [row for row in rows if self._is_active(row.peer_id)]
            active.sort(key=lambda row: self._served.get((row.peer_id, row.stream), 0))
            self._seen = _Seen(active, set(busy))
            await self._begin()

    async def _begin(self) -> None:
        """Start as many of the lanes that were seen as there is room for."""
        chosen: Wanted = self._choose(self._seen)
        while chosen and not self._stopping:
            taken, chosen = await self._slots.take(chosen, self._seen.inboxes)
            for served in taken:
                self._start(served)

    async def _hasten(self, rows: list[LaneRow], waiting: list[LaneRow]) -> list[LaneRow]:
        """The peers of these lanes are there: what waited for them is due soon, though not all at once, nor all the time."""
        seconds = self._core.clock.monotonic()
        self._hastened = {key: at for key, at in self._hastened.items() if seconds - at < CONTACT_SECONDS}
        waiting = [row for row in waiting if (row.peer_id, row.stream) not in self._hastened]
        spread = min(_CONTACT_LONGEST_SECONDS, len(waiting) / STARTS_PER_SECOND)
        for row in waiting:
            now = self._core.clock.now()
            lane = contact(lane_of(row), now=now, delay_seconds=random.random() * spread)  # noqa: S311 a spread in time
            if lane.due_at != row.due_at:
                self._hastened[row.peer_id, row.stream] = seconds
                await self._core.store.write(_hasten, row, lane.due_at)
        return await self._core.store.read(list_lanes_behind) if waiting else rows

    def _choose(self, seen: _Seen) -> list[tuple[LaneRow, Peer]]:
        """Return the lanes to start now, the longest unserved first; they are not chosen from this look again."""
        seconds, limit = self._core.clock.monotonic(), self._core.config.limits.deliveries
        left = {key for row in seen.rows if self._slots.is_left(key := (row.peer_id, row.stream))}
        flights = {
            key: Flight(one.is_failing, one.asked_at is not None and seconds - one.asked_at > SLOW_SECONDS)
            for key, one in self._running.items()
        }
        starts = self._starts.left(seconds)
        choice = choose(seen.rows, seen.begun | left, flights, now=self._core.clock.now(), limit=limit, starts=starts)
        self._starts.take(choice.failing)
        self._is_crowded, self._held = choice.is_crowded, choice.held
        seen.begun.update((row.peer_id, row.stream) for row in choice.chosen)
        found = ((row, self._core.peers.by_id(row.peer_id)) for row in choice.chosen)
        return [(row, peer) for row, peer in found if peer is not None]

    def _look_again_after(self, key: tuple[int, str]) -> None:
        if key in self._running:
            self._running[key].is_wanted = True
        else:
            self._core.bell.ring_here(LANES_BELL)

    def _start(self, served: Served) -> None:
        key = served.key
        self._turn += 1
        self._served[key] = self._turn
        task = asyncio.create_task(self._drain(served))
        self._running[key] = _Running(task, served.row.fails > 0, served.row.head)

        def ended(done: asyncio.Task[None]) -> None:
            running = self._running.pop(key)
            self._slots.let_go(served)
            if done.cancelled() or (error := done.exception()) is None:
                pass
            elif isinstance(error, LeaseLost):
                get_logger().warning("lane_lost", peer=served.peer.host, reason=error.internal)
            else:
                get_logger().error("lane_stopped", peer=served.peer.host, reason=f"{type(error).__name__}: {error}")
            if key[1] == CONTROL:
                self._core.bell.ring(LANES_BELL)  # other processes may hold its peer's lanes back, too
            elif running.is_wanted or key[0] in self._held:
                self._core.bell.ring_here(LANES_BELL)
            elif self._is_crowded and is_room(len(self._running), limit=self._core.config.limits.deliveries):
                self._core.bell.ring_here(LANES_BELL) if running.has_failed else self._room.set()

        task.add_done_callback(ended)

    async def _drain(self, served: Served) -> None:
        """Send what is behind the cursor until the lane is at its head, in trouble, or others wait for its slot."""
        row, peer, batch, lease = served.row, served.peer, served.batch, served.lease
        lane = lane_of(row)
        while not self._stopping and self._is_active(peer.peer_id):
            if not batch.entries:
                if row.group_id is None and lane.cursor < row.head:  # what stood between was taken back
                    await self._core.store.write(
                        save_run, row, replace(lane, cursor=row.head, state="idle"), lease=lease
                    )
                return
            lane, dead, may_go_on = await self._send_batch(served, lane, batch)
            if lane.error_code is None:
                self._answered.add(peer.peer_id)
            self._running[served.key].has_failed = lane.error_code is not None
            is_news = self._is_news(peer, lane)
            dead_id = self._core.ids.number()
            await self._core.store.write(save_run, row, lane, dead=dead, dead_id=dead_id, is_news=is_news, lease=lease)
            is_put_off = not may_go_on or lane.due_at > self._core.clock.now()
            if is_put_off or (len(batch.entries) < BATCH_ENTRIES and lane.cursor >= row.head) or self._is_crowded:
                return
            batch = await self._core.store.read(read_batch, row, peer, lane.cursor)

    async def _send_batch(self, served: Served, lane: Lane, batch: Batch) -> tuple[Lane, StreamEntry | None, bool]:
        """Send entries in order until one does not advance the cursor.

        Returns:
            The lane, the entry that died, and whether the peer may have more.
        """
        row, peer = served.row, served.peer
        for item in batch.entries:
            position = item.seq if isinstance(item, StoredEntry) else item.position
            if not self._is_active(peer.peer_id):
                break
            running = self._running[served.key]
            running.asked_at = self._core.clock.monotonic()
            reply = await self._send(served, batch, item)
            running.asked_at = None
            if reply is None:
                return lane, None, False
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
                return lane, item, True
            if outcome is not Outcome.ADVANCE or lane.cursor != position:
                get_logger().info("delivery_held", peer=peer.host, status=reply.status, outcome=outcome.value)
                break
        return lane, None, True

    async def _send(self, served: Served, batch: Batch, item: StreamEntry | StoredEntry) -> Reply | None:
        """Make one request and return what came back; None when the peer is to have nothing more of this lane."""
        row, peer = served.row, served.peer
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
        is_first = batch is served.batch and item is batch.entries[0]
        if not await self._slots.may_send(served, is_first=is_first):  # nothing waits between this and the request
            return None
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
            body = self._bodies[key] = encode(entry.announce(group_uri))
            while len(self._bodies) > _BODIES_KEPT:
                self._bodies.popitem(last=False)
        return body

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


async def _told(looking: Awaitable[None]) -> None:
    """Wait for a look, and say it when the database had none."""
    try:
        await looking
    except NodeError as error:
        get_logger().error("lanes_unread", code=error.code, reason=error.internal)


async def _hasten(tx: Tx, row: LaneRow, due_at: datetime) -> None:
    await hasten_lane(tx, peer_id=row.peer_id, stream=row.stream, due_at=due_at)


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

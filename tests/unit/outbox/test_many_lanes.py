"""Many lanes at once, on their way through the deliverer: who hangs, who comes back, who was away while we were."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import Any

import pytest

from node.domain.actors import Member
from node.domain.peers import Peer
from node.federation.message import Answer
from node.foundation.errors import Unreachable
from node.outbox.choosing import SLOW_SECONDS, STARTS_PER_SECOND
from node.outbox.deliver import Deliverer
from node.outbox.lane import CONTACT_SECONDS
from node.outbox.publish import CONTROL, DIRECT, send
from node.store.engine import Tx
from node.store.streams import LaneRow, get_lane
from tests.support.clock import NOON
from tests.support.lone_house import Delivery, LoneHouse
from tests.support.requesters import know_peer
from tests.support.waiting import until

_QUARTER = 16


def host_of(delivery: Delivery) -> str:
    """Return whom a delivery goes to."""
    return delivery.url.split("/")[2]


class Line:
    """The other end of the wire: some hosts never answer until they are let go; it counts who is asked at once."""

    def __init__(self, lone: LoneHouse, *hanging: str) -> None:
        self.hanging = set(hanging)
        self.open: Counter[str] = Counter()
        self.most: Counter[str] = Counter()
        self.most_hanging = 0
        self._gone = asyncio.Event()
        lone.wire.reply = self.reply

    async def reply(self, delivery: Delivery) -> Answer:
        """Answer, or hang."""
        host = host_of(delivery)
        self.open[host] += 1
        self.most[host] = max(self.most[host], self.open[host])
        self.most_hanging = max(self.most_hanging, sum(self.open[each] for each in self.hanging))
        try:
            if host in self.hanging:
                await self._gone.wait()
                raise Unreachable(internal="timeout: nothing came")
            return Answer(202)
        finally:
            self.open[host] -= 1

    def time_out(self) -> None:
        """Let what hangs end without an answer."""
        self._gone.set()
        self._gone = asyncio.Event()


async def turn(lone: LoneHouse, line: Line, *, looks: int = 1) -> None:
    """Let the node look what is due, and wait until only what hangs is under way."""
    for _ in range(looks):
        await lone.house.deliverer.look()
        await until(lambda: lone.house.deliverer.in_flight == sum(line.open[host] for host in line.hanging))


async def write_to(lone: LoneHouse, author: Member, peer: Peer, *streams: str) -> None:
    """Put something into streams of a peer."""
    for stream in streams or (DIRECT,):
        number = lone.core.ids.number()
        document = {"type": "View", "id": f"{author.uri}/{number}", "actor": author.uri, "object": author.uri}
        await lone.core.store.write(_send, lone, author, peer, stream, document)


async def lane_to(lone: LoneHouse, peer: Peer, stream: str = DIRECT) -> LaneRow:
    """Return how far a stream has got."""
    lane = await lone.core.store.read(_lane, peer, stream)
    assert lane is not None
    return lane


async def some_peers(lone: LoneHouse, count: int) -> list[Peer]:
    """Put peers on the list."""
    return [await know_peer(lone.core, f"peer{number}.example") for number in range(count)]


@pytest.fixture
async def mia(lone: LoneHouse) -> Member:
    """Give somebody of ours who writes."""
    return await lone.member("mia")


async def test_control_is_sent_before_content_and_content_waits_for_its_answer(lone: LoneHouse, mia: Member) -> None:
    [peer] = await some_peers(lone, 1)
    line = Line(lone, peer.host)
    await write_to(lone, mia, peer, DIRECT, CONTROL)

    await turn(lone, line, looks=3)
    while_it_waits = len(lone.wire.deliveries)
    line.hanging.clear()
    line.time_out()
    await lone.settle()
    lone.clock.advance(60)
    await lone.deliver()

    assert while_it_waits == 1
    assert [(await lane_to(lone, peer, stream)).cursor for stream in (CONTROL, DIRECT)] == [1, 1]
    assert line.most[peer.host] == 1


async def test_t46_peers_that_hang_with_many_lanes_each_hold_no_more_than_a_quarter_and_the_others_are_served(
    lone: LoneHouse, mia: Member
) -> None:
    peers = await some_peers(lone, 40)
    line = Line(lone, *(peer.host for peer in peers[:5]))
    for peer in peers[:5]:
        await write_to(lone, mia, peer, *(f"stream{number}" for number in range(12)))

    for _ in range(8):
        for peer in peers[5:]:
            await write_to(lone, mia, peer)
        await turn(lone, line, looks=2)
        assert all([(lane := await lane_to(lone, peer)).cursor == lane.head for peer in peers[5:]])
        lone.clock.advance(SLOW_SECONDS)
    line.time_out()
    await lone.settle()
    lone.clock.advance(3600)
    await turn(lone, line, looks=2)

    assert 0 < line.most_hanging <= _QUARTER
    assert sum(line.open[peer.host] for peer in peers[:5]) == 5  # who gave no answer is tried by one lane
    line.time_out()
    await lone.settle()


async def test_after_a_restart_lanes_in_trouble_begin_ten_a_second_and_the_healthy_at_once(
    lone: LoneHouse, mia: Member
) -> None:
    peers = await some_peers(lone, 60)
    lone.wire.reply = _answering(503, peers[:40])
    for peer in peers[:40]:
        await write_to(lone, mia, peer)
    await lone.deliver()
    lone.clock.advance(7200)
    for peer in peers[40:]:
        await write_to(lone, mia, peer)
    lone.house.deliverer = Deliverer(lone.core)
    lone.wire.reply, lone.wire.deliveries[:] = None, []

    counts = []
    for _ in range(4):
        await lone.deliver()
        counts.append(len(lone.wire.deliveries))
        lone.clock.advance(1)

    assert counts == [20 + STARTS_PER_SECOND, 20 + 2 * STARTS_PER_SECOND, 20 + 3 * STARTS_PER_SECOND, 60]


async def test_contact_brings_a_try_forward_once_a_minute_however_often_a_peer_speaks(
    lone: LoneHouse, mia: Member
) -> None:
    [peer] = await some_peers(lone, 1)
    lone.wire.reply = _answering(403, [peer])
    await write_to(lone, mia, peer)
    for _ in range(12):
        await lone.deliver()
        lone.clock.advance(3600)
    before = len(lone.wire.deliveries)

    for _ in range(10 * int(CONTACT_SECONDS)):
        lone.core.peers.note_received(peer.peer_id, lone.clock.now())
        await lone.deliver()
        lone.clock.advance(1)

    assert 9 <= len(lone.wire.deliveries) - before <= 12


async def test_a_peer_that_answers_one_lane_again_need_not_be_waited_for_by_the_others(
    lone: LoneHouse, mia: Member
) -> None:
    [peer] = await some_peers(lone, 1)
    streams = [f"stream{number}" for number in range(8)]
    line = Line(lone, peer.host)
    for _ in range(30):
        await write_to(lone, mia, peer, *streams)
        await turn(lone, line)
        line.time_out()
        await lone.settle()
        lone.clock.advance(600)
    line.hanging.clear()

    lone.clock.advance(3600)
    for _ in range(15):
        await lone.deliver()
        lone.clock.advance(1)

    lanes = [await lane_to(lone, peer, stream) for stream in streams]
    assert [(lane.head - lane.cursor, lane.error_code) for lane in lanes] == [(0, None)] * len(streams)
    assert line.most[peer.host] <= 3


async def test_t46_a_peer_that_asks_for_ten_minutes_gets_them_though_it_speaks_to_us(
    lone: LoneHouse, mia: Member
) -> None:
    [peer] = await some_peers(lone, 1)
    lone.wire.reply = _answering(429, [peer], ("retry-after", "600"))
    await write_to(lone, mia, peer)
    await lone.deliver()

    lone.core.peers.note_received(peer.peer_id, lone.clock.now())
    lone.clock.advance(599)
    await lone.deliver()

    assert len(lone.wire.deliveries) == 1
    assert (await lane_to(lone, peer)).due_at == NOON + timedelta(minutes=10)


def _answering(status: int, peers: list[Peer], *headers: tuple[str, str]) -> Callable[[Delivery], Awaitable[Answer]]:
    hosts = {peer.host for peer in peers}

    async def reply(delivery: Delivery) -> Answer:
        return Answer(status, headers) if host_of(delivery) in hosts else Answer(202)

    return reply


async def _send(tx: Tx, lone: LoneHouse, author: Member, peer: Peer, stream: str, document: dict[str, Any]) -> None:
    await send(
        tx, lone.core, peer_id=peer.peer_id, stream=stream, actor_id=author.actor_id, activity=document,
        inbox_uri=f"{peer.origin}/inbox",
    )  # fmt: skip


async def _lane(tx: Tx, peer: Peer, stream: str) -> LaneRow | None:
    return await get_lane(tx, peer_id=peer.peer_id, stream=stream)

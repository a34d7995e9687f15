"""What a peer answers, on its way through the deliverer: odd Retry-After values, broken answers, dead peers."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from node.domain.actors import Member
from node.domain.peers import Peer
from node.federation.message import Answer
from node.foundation.errors import Refusing, Unreachable
from node.outbox.publish import DIRECT, send
from node.store.engine import Tx
from node.store.streams import LaneRow, get_lane, list_dead_letters
from tests.support.clock import NOON, FrozenClock
from tests.support.lone_house import Delivery, LoneHouse
from tests.support.requesters import know_peer

Reply = Callable[[Delivery], Awaitable[Answer]]


async def write_to(lone: LoneHouse, author: Member, peer: Peer, *, number: int = 1) -> None:
    """Put something of a member's into a peer's direct stream."""
    document = {"type": "View", "id": f"{author.uri}/activities/{number}", "actor": author.uri, "object": author.uri}
    await lone.core.store.write(_send, lone, author, peer, document)


async def lane_to(lone: LoneHouse, peer: Peer) -> LaneRow:
    """Return how far a peer's direct stream has got."""
    lane = await lone.core.store.read(_lane, peer)
    assert lane is not None
    return lane


def always(answer: Answer | Exception) -> Reply:
    """Return a reply that is the same each time."""

    async def reply(delivery: Delivery) -> Answer:
        if isinstance(answer, Exception):
            raise answer
        return answer

    return reply


@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        ("120", 120),
        ("0", 1),
        ("315360000", 3600),
        ("99999999999999999999999999", 3600),
        ("Sat, 21 Nov 2026 12:02:00 GMT", 120),
        ("Sat, 21 Nov 2026 11:00:00 GMT", 1),
        ("Sat, 21 Nov 2036 12:00:00 GMT", 3600),
        ("Sat, 21 Nov 2026 12:02:00 -0000", 120),
    ],
)
async def test_t46_retry_after_is_read_as_seconds_or_as_a_date(lone: LoneHouse, value: str, seconds: int) -> None:
    peer = await know_peer(lone.core, "friend.example")
    await write_to(lone, await lone.member("mia"), peer)
    lone.wire.reply = always(Answer(503, (("retry-after", value),)))

    await lone.deliver()

    assert (await lane_to(lone, peer)).due_at == NOON + timedelta(seconds=seconds)


@pytest.mark.parametrize(
    "value", ["", "-5", "soon", "1.5", "²", "12 seconds", "١٢", "Sat, 99 Nov 2026 12:00:00 GMT", "+1"]
)
async def test_t46_a_retry_after_that_says_nothing_leaves_the_usual_back_off(lone: LoneHouse, value: str) -> None:
    peer = await know_peer(lone.core, "friend.example")
    await write_to(lone, await lone.member("mia"), peer)
    lone.wire.reply = always(Answer(503, (("retry-after", value),)))

    await lone.deliver()

    lane = await lane_to(lone, peer)
    assert (lane.state, lane.fails) == ("backoff", 1)
    assert NOON + timedelta(seconds=2.5) <= lane.due_at <= NOON + timedelta(seconds=7.5)


@given(
    status=st.sampled_from([0, 100, 202, 303, 409, 429, 503, 999]),
    names=st.lists(st.sampled_from(["retry-after", "rounds-log", "date"]), max_size=3),
    values=st.lists(st.text(st.characters(max_codepoint=255), max_size=60), min_size=3, max_size=3),
)
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
async def test_t46_no_answer_breaks_a_lane_or_makes_it_try_without_end(
    lone: LoneHouse, status: int, names: list[str], values: list[str]
) -> None:
    peer = lone.core.peers.by_host("friend.example") or await know_peer(lone.core, "friend.example")
    author = await lone.member(f"mia_{lone.core.ids.number() % 10**9}")
    await write_to(lone, author, peer, number=lone.core.ids.number())
    lone.wire.reply = always(Answer(status, tuple(zip(names, values, strict=False))))
    before = len(lone.wire.deliveries)

    for _ in range(3):
        await lone.house.deliverer.look()
        await lone.settle()
    tried = len(lone.wire.deliveries) - before
    lone.wire.reply = None
    lone.clock.advance(3601)
    await lone.deliver()

    lane = await lane_to(lone, peer)
    assert tried <= 2
    assert (lane.cursor, lane.error_code) == (lane.head, None)


@pytest.mark.parametrize("trouble", [Unreachable(internal="dns: x"), Refusing(internal="x"), Answer(401), Answer(404)])
async def test_t46_a_dead_peer_keeps_what_waits_and_costs_few_tries_a_day(lone: LoneHouse, trouble: Any) -> None:
    peer = await know_peer(lone.core, "friend.example")
    author = await lone.member("mia")
    for number in range(30):
        await write_to(lone, author, peer, number=number)
    lone.wire.reply = always(trouble)

    await _pass(lone.clock, lone, hours=24)
    tries = len(lone.wire.deliveries)
    lone.wire.reply = None
    await _pass(lone.clock, lone, hours=1)

    assert tries < 70
    ids = [delivery.document["id"] for delivery in lone.wire.deliveries[tries:]]
    assert ids == [f"{author.uri}/activities/{number}" for number in range(30)]


async def test_t46_a_dead_peer_holds_up_nobody_else(lone: LoneHouse) -> None:
    friend, ally = [await know_peer(lone.core, host) for host in ("friend.example", "ally.example")]
    author = await lone.member("mia")
    for number in range(5):
        await write_to(lone, author, friend, number=number)
        await write_to(lone, author, ally, number=number)

    async def reply(delivery: Delivery) -> Answer:
        return Answer(503 if "friend" in delivery.url else 202)

    lone.wire.reply = reply
    await lone.deliver()

    lane = await lane_to(lone, ally)
    assert (lane.cursor, lane.head) == (5, 5)


async def test_what_a_peer_refuses_three_times_is_kept_as_a_dead_letter(lone: LoneHouse) -> None:
    friend = await know_peer(lone.core, "friend.example")
    author = await lone.member("mia")
    for number in (1, 2):
        await write_to(lone, author, friend, number=number)

    async def reply(delivery: Delivery) -> Answer:
        return Answer(422 if delivery.document["id"].endswith("/1") else 202)

    lone.wire.reply = reply
    await _pass(lone.clock, lone, hours=1)

    letters = await lone.core.store.read(list_dead_letters)
    assert [(letter.activity_uri, letter.tries) for letter in letters] == [(f"{author.uri}/activities/1", 3)]
    assert (await lane_to(lone, friend)).cursor == 2


async def _pass(clock: FrozenClock, lone: LoneHouse, *, hours: int) -> None:
    """Let time pass, minute by minute, and the node send."""
    for _ in range(hours * 60):
        await lone.deliver()
        clock.advance(60)


async def _send(tx: Tx, lone: LoneHouse, author: Member, peer: Peer, document: dict[str, Any]) -> None:
    await send(
        tx, lone.core, peer_id=peer.peer_id, stream=DIRECT, actor_id=author.actor_id, activity=document,
        inbox_uri=f"{peer.origin}/inbox",
    )  # fmt: skip


async def _lane(tx: Tx, peer: Peer) -> LaneRow | None:
    return await get_lane(tx, peer_id=peer.peer_id, stream=DIRECT)

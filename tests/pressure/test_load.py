"""When more comes than a node can act on: who sends much comes back later, others and members do not notice."""

from __future__ import annotations

import asyncio

import pytest

from node.domain import pressure
from node.domain.pressure import ALWAYS_TAKEN, WAITING_LIMIT, Load, may_take
from node.store.activities import insert_activity
from node.store.core import ARRIVALS_AT_ONCE
from node.store.engine import Tx
from tests.support.corridor import Corridor
from tests.support.requesters import ask

_SLICE, _FEW = 500, 200


async def _wait_here(tx: Tx, peer_id: int, first: int, count: int) -> None:
    for number in range(first, first + count):
        await insert_activity(
            tx, activity_id=10**12 + number, uri=f"https://friend.example/activities/{number}", peer_id=peer_id,
            actor_uri="https://friend.example/people/finn", type="Like", digest="", document="{}",
        )  # fmt: skip


async def _let_wait(corridor: Corridor, count: int) -> None:
    """Let so many activities of friend.example wait for their handler."""
    peer = corridor.lone.core.peers.by_host("friend.example")
    assert peer is not None
    for first in range(0, count, _SLICE):
        await corridor.lone.core.store.write(_wait_here, peer.peer_id, first, min(_SLICE, count - first))


async def _bring(corridor: Corridor, who: str, number: int) -> tuple[int, int]:
    """Bring a post; return status and Retry-After."""
    foreign = getattr(corridor, who)
    create = foreign.post_in(corridor.ward.uri, "Hello", number=number)
    answer = await ask(corridor.lone.app, foreign.deliver(create, corridor.now))
    return answer.status, int(answer.one("retry-after") or "0")


async def test_a_peer_with_more_than_its_share_waiting_comes_back_later_and_others_are_taken(
    corridor: Corridor, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pressure, "WAITING_LIMIT", _FEW)
    watcher = corridor.lone.house.watcher
    await _let_wait(corridor, _FEW)
    await watcher.look()
    at_the_limit = await _bring(corridor, "fay", 1)
    await watcher.look()

    refused = [await _bring(corridor, "fay", 2 + number) for number in range(12)]
    taken = await _bring(corridor, "abe", 1)
    alerts = corridor.lone.core.pressure.alerts
    await corridor.lone.work()
    await watcher.look()
    afterwards = await _bring(corridor, "fay", 50)

    assert at_the_limit[0] == taken[0] == afterwards[0] == 202
    assert {status for status, _ in refused} == {429}
    assert len({seconds for _, seconds in refused}) > 1  # not all at once
    assert all(5 <= seconds <= 15 for _, seconds in refused)
    assert "load" in alerts
    assert corridor.lone.core.pressure.alerts == ()


async def test_what_has_waited_for_a_minute_slows_those_who_sent_it(corridor: Corridor) -> None:
    await _let_wait(corridor, ALWAYS_TAKEN)
    corridor.lone.clock.advance(61)

    await corridor.lone.house.watcher.look()

    assert (await _bring(corridor, "fay", 1))[0] == 429
    assert (await _bring(corridor, "abe", 1))[0] == 202


@pytest.mark.only_on("sqlite", reason="processes on PostgreSQL speak with each other meanwhile")
async def test_nothing_is_counted_for_a_request(corridor: Corridor) -> None:
    friend = corridor.lone.core.peers.by_host("friend.example")
    assert friend is not None
    corridor.lone.core.pressure.load = Load({friend.peer_id: WAITING_LIMIT + 1})
    before = corridor.lone.core.store.counts.statements

    answer = await _bring(corridor, "fay", 1)

    assert answer[0] == 429
    assert corridor.lone.core.store.counts.statements == before


@pytest.mark.parametrize(
    ("waiting", "oldest", "taken"),
    [
        ({1: 4999}, 0, True),
        ({1: 5001}, 0, False),
        ({1: 5001, 2: 10}, 0, False),
        ({1: 10, 2: 5000}, 0, True),
        ({1: 30, 2: 5000, 3: 5000}, 0, True),
        ({1: 200}, 61, False),
        ({1: 40}, 61, True),
        (dict.fromkeys(range(1, 102), 51), 0, False),
        (dict.fromkeys(range(1, 202), 26), 0, True),
    ],
)
def test_a_peers_share_of_what_waits(waiting: dict[int, int], oldest: float, taken: bool) -> None:
    assert may_take(Load(waiting, oldest), 1) is taken


async def test_a_members_write_does_not_stand_behind_what_arrives(corridor: Corridor) -> None:
    core, order = corridor.lone.core, list[str]()

    async def arrive(number: int) -> None:
        await core.write_arrival(_nothing)
        order.append("arrival")

    async def member_writes() -> None:
        await core.store.write(_nothing)
        order.append("member")

    await asyncio.gather(*(core.store.write(_nothing) for _ in range(32)))  # connections are open from here on
    arriving = [asyncio.create_task(arrive(number)) for number in range(600)]
    await asyncio.sleep(0)
    await asyncio.gather(member_writes(), *arriving)

    # On SQLite it goes with the next commit; on PostgreSQL half of the connections are free for it.
    assert order.index("member") <= 3 * ARRIVALS_AT_ONCE[core.store.dialect]


async def _nothing(tx: Tx) -> None:
    await tx.value("SELECT 1 AS one")

"""Rows 21 and 24: an activity that no handler can take, and a flood of requests under keys that nobody knows."""

from __future__ import annotations

import asyncio
import sqlite3
import sys
import time
from collections import Counter
from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from tests.faults.boundaries import ROOT
from tests.support.foreign import ForeignPeer
from tests.support.neighbours import Neighbours, make_due, the_neighbours
from tests.support.process_node import ProcessNode
from tests.support.village import MovingClock
from tests.support.waiting import until_true

pytestmark = [pytest.mark.slow, pytest.mark.timeout(240), pytest.mark.asyncio(loop_scope="module")]
_POISON = "canary-of-poison"
_FLOOD = 1000
_BUCKET = 300


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def pair(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Neighbours]:
    """Give two nodes whose handlers have a fault: they raise at one word."""

    def prepare(node: ProcessNode) -> None:
        node.program = [sys.executable, "-m", "tests.faults.launcher"]
        node.environment |= {"FAIL_ON_WORD": _POISON, "PYTHONPATH": str(ROOT)}

    async with the_neighbours(tmp_path_factory.mktemp("pair"), ["sqlite:"] * 2, prepare=prepare) as made:
        await made.rest()
        yield made


async def test_row_21_an_arrival_that_no_handler_takes_is_one_dead_letter_and_the_rest_goes_on(
    pair: Neighbours,
) -> None:
    posted = await pair.b.tell("post", "add", pair.ward, "--as", "ben", text=f"about {_POISON}")
    later = [await pair.speak(pair.b) for _ in range(3)]
    for uri in later:
        await until_true(lambda uri=uri: pair.has(pair.a, uri))  # type: ignore[misc]

    for _ in range(4):
        await make_due(pair.a)
        await until_true(lambda: _has_tried(pair.a))
    dead = (await pair.a.tell("deadletter", "list"))["deadletters"]

    assert len(dead) == 1, dead
    assert not await pair.has(pair.a, posted["uri"])
    assert [await pair.has(pair.a, uri) for uri in later] == [True, True, True]
    await until_true(lambda: _is_well(pair))


async def _is_well(pair: Neighbours) -> bool:
    """Return whether all rules hold but the one about what is left over: that is what these tests leave."""
    return [broken for broken in await pair.check() if not broken.startswith("5:")] == []


async def _has_tried(node: ProcessNode) -> bool:
    """Return whether nothing is due at a node: it failed again, and waits or was given up."""
    connection = sqlite3.connect(f"file:{node.data / 'rounds.sqlite'}?mode=ro", uri=True)
    try:
        now = int(time.time() * 1_000_000)
        due = "SELECT COUNT(*) FROM activities WHERE state = 'waiting' AND due_at <= ?"
        return connection.execute(due, (now,)).fetchone()[0] == 0
    finally:
        connection.close()


async def test_row_24_a_flood_of_unknown_keys_costs_a_bounded_number_of_fetches_and_friends_are_served(
    pair: Neighbours,
) -> None:
    flooder, stranger = ForeignPeer(MovingClock().now), ForeignPeer(MovingClock().now)
    await flooder.start()
    await stranger.start()
    await pair.a.tell("peer", "add", flooder.origin, "--unpinned", "--yes")
    before, statuses, took = len(flooder.requests), Counter[int](), []
    numbers = iter(range(_FLOOD))
    began = time.monotonic()

    async def flood() -> None:
        for number in numbers:
            by = stranger if number % 5 == 0 else flooder
            view = by.activity("View", by.instance, pair.a.origin, proved=False)
            key_id = f"{by.origin}/people/nobody{number}#main-key"
            statuses[(await by.send(f"{pair.a.origin}/inbox", view, by.instance, key_id=key_id)).status] += 1

    flooding = [asyncio.create_task(flood()) for _ in range(16)]
    while not all(task.done() for task in flooding):
        sent = time.monotonic()
        uri = await pair.speak(pair.b)
        await until_true(lambda uri=uri: pair.has(pair.a, uri))  # type: ignore[misc]
        took.append(time.monotonic() - sent)
    lasted = time.monotonic() - began
    asked = [each for each in flooder.requests[before:] if each.method == "GET"]
    await pair.a.tell("peer", "part", flooder.host, "--yes")
    await flooder.stop()
    await stranger.stop()

    assert set(statuses) <= {401, 403, 429}, statuses
    assert statuses[403] == _FLOOD / 5
    assert stranger.requests == [], "who is not on the list is asked nothing"
    assert len(asked) <= _BUCKET + lasted + 5
    assert took
    assert max(took) < 5, took
    await until_true(lambda: _is_well(pair))

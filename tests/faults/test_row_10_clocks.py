"""Row 10: a node with a wrong clock, or one that jumps. Up to five minutes nobody notices; beyond, it is refused and named."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from pathlib import Path
from typing import Any

import aiohttp
import pytest
import pytest_asyncio

from node.cli.remote import ask
from tests.support.fake_time import at_another_time
from tests.support.neighbours import Neighbours, make_due, the_neighbours
from tests.support.process_node import ProcessNode
from tests.support.waiting import until_true

pytestmark = [pytest.mark.long, pytest.mark.slow, pytest.mark.timeout(240), pytest.mark.asyncio(loop_scope="module")]


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def pair(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Neighbours]:
    """Give two nodes; a file beside the second one's directory says how wrong its clock is."""
    folder = tmp_path_factory.mktemp("pair")

    def prepare(node: ProcessNode) -> None:
        if node.data.name == "hospital":
            node.environment |= at_another_time("+0s", file=folder / "offset")

    async with the_neighbours(folder, ["sqlite:"] * 2, prepare=prepare) as made:
        await made.rest()
        yield made


async def _set_clock(pair: Neighbours, offset: str) -> None:
    """Let the second node's clock jump while it runs, and wait until it has."""
    await asyncio.to_thread(Path(pair.b.data.with_name("offset")).write_text, f"{offset}\n")
    seconds = int(offset[:-1]) * {"s": 1, "m": 60, "h": 3600}[offset[-1]]
    await until_true(lambda: _is_off_by(pair.b, seconds), seconds=20)


async def _is_off_by(node: ProcessNode, seconds: int) -> bool:
    async with aiohttp.ClientSession() as session, session.get(f"{node.origin}/health") as answer:
        shown = parsedate_to_datetime(answer.headers["Date"])
    return abs((shown - datetime.now(UTC)).total_seconds() - seconds) < 3


async def _errors(node: ProcessNode) -> set[str]:
    lanes = (await node.tell("lane", "list"))["lanes"]
    return {lane["error"]["code"] for lane in lanes if lane["error"]}


async def _talk(pair: Neighbours) -> list[str]:
    return [await pair.speak(node) for node in pair.nodes]


@pytest.mark.parametrize("offset", ["+30s", "-30s", "+4m"])
async def test_row_10_a_clock_that_is_a_little_wrong_does_not_matter(pair: Neighbours, offset: str) -> None:
    await _set_clock(pair, offset)

    await _talk(pair)
    await pair.rest()

    assert await _errors(pair.a) == await _errors(pair.b) == set()
    assert await pair.check() == []
    await _set_clock(pair, "+0s")


# Our window is 65 minutes back and five ahead: what comes from a clock ten minutes behind ours is still taken.
@pytest.mark.parametrize(("offset", "is_refused"), [("+10m", False), ("-10m", True), ("+3h", True), ("-3h", True)])
async def test_row_10_a_clock_that_is_far_wrong_is_noticed_and_named_and_nothing_is_lost(
    pair: Neighbours, offset: str, is_refused: bool
) -> None:
    await _set_clock(pair, offset)

    await _talk(pair)
    await until_true(lambda: _says_so(pair.b), seconds=40)
    if is_refused:
        await until_true(lambda: _is_refused(pair), seconds=40)
    named = await _ask_both(pair)
    await _set_clock(pair, "+0s")
    await make_due(pair.b)  # what was put off by a clock that ran ahead stays put off by as much
    await pair.rest()

    assert "The two clocks differ by" in "".join(named)
    assert await pair.check() == []


async def _says_so(node: ProcessNode) -> bool:
    """Return whether a node's own status says that its clock has jumped: it signs nothing then."""
    return "clock_jump" in {alert["name"] for alert in (await node.tell("status"))["alerts"]}


async def _is_refused(pair: Neighbours) -> bool:
    """Return whether the node with the wrong clock refuses the other."""
    await pair.a.tell("lane", "retry", pair.b.host)
    return "refused" in await _errors(pair.a)


async def _ask_both(pair: Neighbours) -> list[Any]:
    """Return what each node's operator is told when they try the way to the other."""
    tests = [(node.data, ["peer", "test", other.host]) for node, other in ((pair.a, pair.b), (pair.b, pair.a))]
    replies = await asyncio.gather(*(asyncio.to_thread(ask, data, words) for data, words in tests))
    return [reply.out for reply in replies if reply is not None]

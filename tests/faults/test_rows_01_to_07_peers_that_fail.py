"""Rows 1 to 7: a peer that hangs, drips, resets, answers with errors. The lane to it waits; nothing is lost, nobody else waits.

Three nodes share a group; what goes wrong happens to the bytes before the second one. Each test ends with peace, and then the
six rules hold. Time is not waited for: the next try of a lane is asked for, as an operator does with `rounds lane retry`.
"""

from __future__ import annotations

import asyncio
import contextlib
import email.utils
import time
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio

from node.cli.remote import ask
from tests.support.neighbours import Neighbours, the_neighbours
from tests.support.process_node import ProcessNode
from tests.support.proxy_faults import (
    Fault,
    Seen,
    answer_with,
    drip,
    hang,
    lose_answers,
    lose_requests,
)
from tests.support.waiting import until, until_true

pytestmark = [pytest.mark.slow, pytest.mark.timeout(120), pytest.mark.asyncio(loop_scope="module")]
# A delivery that gets no answer is given up after this, instead of after twenty seconds.
_SETTINGS = "deliver_timeout_seconds = 2"


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def three(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Neighbours]:
    """Give three nodes whose members share a group, for all tests of this file."""
    folder: Path = tmp_path_factory.mktemp("three")
    async with the_neighbours(folder, ["sqlite:"] * 3, settings=_SETTINGS) as made:
        await made.rest()
        yield made


@contextlib.asynccontextmanager
async def _trouble(three: Neighbours, fault: Fault) -> AsyncIterator[None]:
    """Let something happen to what reaches the second node; afterwards there is peace, and the rules hold."""
    three.b.proxy.disturb(fault)
    try:
        yield
    finally:
        three.b.proxy.disturb(None)
    await three.rest()
    assert await three.check() == []
    assert await _lane(three) | {"error": None, "queued": 0} == await _lane(three)


async def _lane(three: Neighbours) -> dict[str, Any]:
    """Return the lane of the group to the second node."""
    lanes = (await three.a.tell("lane", "list"))["lanes"]
    [lane] = [each for each in lanes if (each["peer"], each["stream"]) == (three.b.host, three.ward)]
    return dict(lane)


async def _fail(three: Neighbours, times: int) -> list[dict[str, Any]]:
    """Return the lane after each of so many more tries that failed, with `now`, the time around it."""
    shown = []
    for _ in range(times):
        before = (await _lane(three))["fails"]
        await three.a.tell("lane", "retry", three.b.host)

        async def has_failed(before: int = before) -> bool:
            return int((await _lane(three))["fails"]) > before

        await until_true(has_failed)
        shown.append(await _lane(three) | {"now": datetime.now(UTC)})
    return shown


def _wait_seconds(lane: dict[str, Any]) -> float:
    """Return how long a lane waits from when it was looked at."""
    return (datetime.fromisoformat(lane["due_at"]) - lane["now"]).total_seconds()


def _memory_bytes(node: ProcessNode) -> int:
    """Return how much of the machine's memory a node's process has."""
    return int(Path(f"/proc/{node.pid}/statm").read_text().split()[1]) * 4096


async def _is_at(three: Neighbours, node: ProcessNode, uri: str) -> bool:
    shown = await node.tell("post", "list", three.ward, "--as", three.reader(node).handle)
    return any(post["uri"] == uri for post in shown["posts"])


async def test_row_01_a_peer_that_takes_and_never_answers_holds_up_nobody_else(three: Neighbours) -> None:
    seen, took = Seen(), []

    async with _trouble(three, hang(seen)):
        for _ in range(12):
            began = time.monotonic()
            status = await three.say(three.a)
            assert status is not None
            await until_true(lambda uri=status["uri"]: _is_at(three, three.nodes[2], uri))  # type: ignore[misc]
            took.append(time.monotonic() - began)

        assert max(took) < 3, took
        await until(lambda: bool(seen.posts))
        assert (await _lane(three))["queued"] >= 12
        [lane] = await _fail(three, 1)
        assert lane["error"]["code"] == "unreachable"


@pytest.mark.long
async def test_row_02_a_peer_that_answers_byte_by_byte_is_cut_off_and_memory_stays(three: Neighbours) -> None:
    before = _memory_bytes(three.a)

    async with _trouble(three, drip()):
        await three.say(three.a)
        began = time.monotonic()
        lanes = await _fail(three, 3)

        assert time.monotonic() - began < 15
        assert {lane["error"]["code"] for lane in lanes} == {"unreachable"}
        assert _memory_bytes(three.a) - before < 20_000_000


@pytest.mark.long
async def test_row_02_those_who_ask_byte_by_byte_are_cut_off_and_the_others_are_served(three: Neighbours) -> None:
    host, _, port = three.a.host.partition(":")
    before, began = _memory_bytes(three.a), time.monotonic()
    slow = [await asyncio.open_connection(host, int(port)) for _ in range(60)]

    async def drip_in(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> float:
        with contextlib.suppress(ConnectionError):
            for byte in b"POST /inbox HTTP/1.1\r\nHost: " + b"a" * 200:
                writer.write(bytes([byte]))
                await writer.drain()
                try:
                    async with asyncio.timeout(1):
                        if not await reader.read(100):
                            break
                except TimeoutError:
                    continue
        writer.transport.abort()
        return time.monotonic() - began

    dripping = [asyncio.create_task(drip_in(*each)) for each in slow]
    status = await three.say(three.a)
    served = time.monotonic() - began
    ends = await asyncio.gather(*dripping)
    await three.rest()

    assert status is not None
    assert served < 3
    assert max(ends) < 15, "a head must be there within ten seconds"
    assert _memory_bytes(three.a) - before < 20_000_000
    assert await three.check() == []


@pytest.mark.parametrize("kind", ["the request", "half of the request", "the answer"])
async def test_row_03_a_reset_costs_at_most_one_more_delivery_and_has_no_effect(three: Neighbours, kind: str) -> None:
    seen = Seen()
    fault = {
        "the request": lose_requests(3, seen=seen),
        "half of the request": lose_requests(3, torn=True, seen=seen),
        "the answer": lose_answers(3, seen=seen),
    }[kind]
    passed = len(three.b.proxy.conversations)

    async with _trouble(three, fault):
        for _ in range(6):
            assert await three.say(three.a) is not None
        await three.rest()

        assert len(seen.posts) >= 2
        assert len(seen.posts) == len(set(seen.posts)), "what is sent again is signed again"
        assert len(three.b.proxy.conversations) == passed


@pytest.mark.long
@pytest.mark.parametrize("status", [500, 502, 503])
async def test_row_04_a_storm_of_errors_is_waited_out_longer_and_longer_and_the_first_success_ends_it(
    three: Neighbours, status: int
) -> None:
    async with _trouble(three, answer_with(status)):
        await three.say(three.a)
        await until_true(lambda: _has_failed(three))
        lanes = await _fail(three, 5)

        for lane in lanes:
            usual = 5 * 2 ** (lane["fails"] - 1)
            assert 0.5 * usual - 2 <= _wait_seconds(lane) <= 1.5 * usual, lane
            assert lane["error"]["status"] == status
    assert (await _lane(three))["fails"] == 0


async def _has_failed(three: Neighbours) -> bool:
    return bool((await _lane(three))["fails"])


def _in_seconds(seconds: float) -> str:
    return email.utils.format_datetime(datetime.now(UTC) + timedelta(seconds=seconds), usegmt=True)


_RETRY_AFTER = {
    "120": 120.0,
    "a date": 600.0,
    "315360000": 3600.0,
    "a date in ten years": 3600.0,
    "-5": None,
    "soon": None,
}


@pytest.mark.parametrize("said", _RETRY_AFTER)
async def test_row_05_what_a_peer_asks_for_is_kept_up_to_an_hour(three: Neighbours, said: str) -> None:
    header = {"a date": _in_seconds(600), "a date in ten years": _in_seconds(315_360_000)}.get(said, said)
    wanted = _RETRY_AFTER[said]

    async with _trouble(three, answer_with(429, f"Retry-After: {header}")):
        await three.say(three.a)
        await until_true(lambda: _has_failed(three))
        lane = await _lane(three) | {"now": datetime.now(UTC)}

        if wanted is None:
            assert _wait_seconds(lane) <= 7.5 * 2 ** (lane["fails"] - 1)
        else:
            assert abs(_wait_seconds(lane) - wanted) < 5, lane


@pytest.mark.parametrize("status", [401, 403])
async def test_row_06_a_peer_that_refuses_us_for_an_hour_loses_nothing_and_clocks_are_compared(
    three: Neighbours, status: int
) -> None:
    async with _trouble(three, answer_with(status, f"Date: {_in_seconds(-700)}")):
        for _ in range(3):
            await three.say(three.a)
        await until_true(lambda: _has_failed(three))
        lanes = await _fail(three, 9)  # by the usual waits, the ninth comes after more than half an hour

        assert lanes[-1]["queued"] >= 3
        assert lanes[-1]["error"]["code"] == "refused"
        assert _wait_seconds(lanes[-1]) > 600
        assert (await three.a.tell("deadletter", "list"))["deadletters"] == []
        tested = await asyncio.to_thread(ask, three.a.data, ["peer", "test", three.b.host])
        assert tested is not None
        assert "The two clocks differ by 70" in tested.out


@pytest.mark.parametrize("status", [404, 410, 301])
async def test_row_07_an_inbox_that_is_gone_pauses_the_lane_and_is_said(three: Neighbours, status: int) -> None:
    async with _trouble(three, answer_with(status, "Location: http://localhost:9/elsewhere")):
        await three.say(three.a)
        await until_true(lambda: _has_failed(three))
        [lane] = await _fail(three, 1)

        assert lane["state"] == "paused"
        assert lane["queued"] >= 1
        assert lane["error"]["code"] == ("redirect" if status == 301 else "gone")
        assert lane["error"]["sentence"]

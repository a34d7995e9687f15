"""Errors keep what is safe apart from what is not; logs are events; the bell is a hint."""

from __future__ import annotations

import asyncio
import inspect
import io
import json
from collections.abc import Iterator

import pytest

from node.foundation import errors
from node.foundation.bell import Bell
from node.foundation.logs import configure_logs, get_logger

_FAMILY = [
    found
    for _, found in inspect.getmembers(errors, inspect.isclass)
    if issubclass(found, errors.NodeError) and found is not errors.ConfigError
]


@pytest.mark.parametrize("kind", _FAMILY)
def test_only_the_safe_sentence_is_meant_for_others(kind: type[errors.NodeError]) -> None:
    error = kind(internal="the key of ana is wrong")

    assert "ana" not in error.safe
    assert error.safe.endswith(".")
    assert str(error) == "the key of ana is wrong"


@pytest.mark.parametrize("kind", _FAMILY)
def test_every_error_has_a_code_and_a_status_of_an_error(kind: type[errors.NodeError]) -> None:
    assert kind.code == kind.code.lower().replace(" ", "_")
    assert 400 <= kind.status < 600


def test_codes_are_not_used_twice() -> None:
    codes = [kind.code for kind in _FAMILY]

    assert len(codes) == len(set(codes))


def test_the_tree_at_the_top_names_every_error() -> None:
    tree = errors.__doc__ or ""

    assert [kind.__name__ for kind in _FAMILY if kind.__name__ not in tree] == []


def test_a_configuration_error_lists_every_problem() -> None:
    error = errors.ConfigError("One.", "Two.")

    assert (error.problems, error.safe) == (("One.", "Two."), "One. Two.")


@pytest.fixture
def stream() -> Iterator[io.StringIO]:
    written = io.StringIO()
    configure_logs(level="info", stream=written)
    yield written


def test_an_event_is_one_line_of_json_with_its_fields(stream: io.StringIO) -> None:
    get_logger(peer="b.example").info("delivery_failed", status=503)

    [line] = stream.getvalue().splitlines()
    event = json.loads(line)
    assert (event["event"], event["peer"], event["status"], event["level"]) == (
        "delivery_failed",
        "b.example",
        503,
        "info",
    )
    assert event["timestamp"].endswith("Z")


def test_events_below_the_level_are_not_written(stream: io.StringIO) -> None:
    get_logger().debug("detail")

    assert stream.getvalue() == ""


def test_an_exception_stays_on_its_line(stream: io.StringIO) -> None:
    try:
        raise LookupError("absent\nand more")
    except LookupError:
        get_logger().exception("job_failed")

    [line] = stream.getvalue().splitlines()
    assert "LookupError" in json.loads(line)["exception"]


async def test_who_waits_is_woken_by_the_bell() -> None:
    bell = Bell()
    waiting = asyncio.create_task(bell.wait("inbox", at_most_seconds=30))
    await asyncio.sleep(0)

    bell.ring("inbox")

    assert await waiting is True


async def test_a_ring_before_the_wait_is_not_lost_and_two_count_once() -> None:
    bell = Bell()

    bell.ring("inbox")
    bell.ring("inbox")

    assert await bell.wait("inbox", at_most_seconds=30) is True
    assert await bell.wait("inbox", at_most_seconds=0.001) is False


async def test_another_name_wakes_nobody() -> None:
    bell = Bell()

    bell.ring("outbox")

    assert await bell.wait("inbox", at_most_seconds=0.001) is False

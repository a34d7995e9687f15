"""How a node is judged: good, to be watched, to be acted on now."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from pathlib import Path

import pytest

from node.community.operating.checks import Trouble, check_clock, check_disk, check_inbox, check_peers, is_private
from node.community.operating.service import Disk

NOW = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("free", "state"), [(50, "good"), (10, "good"), (9, "warn"), (5, "warn"), (4, "bad"), (0, "bad")]
)
def test_a_disk_is_judged_by_what_is_free(free: int, state: str) -> None:
    assert check_disk(Disk(100, free)).state == state


@pytest.mark.parametrize(("waiting", "state"), [(0, "good"), (99, "good"), (100, "warn"), (5000, "bad")])
def test_an_inbox_is_judged_by_what_waits(waiting: int, state: str) -> None:
    assert check_inbox(waiting).state == state


@pytest.mark.parametrize(
    ("code", "hours", "state"),
    [("unreachable", 1, "warn"), ("unreachable", 25, "bad"), ("key_changed", 0, "bad"), ("refused", None, "warn")],
)
def test_a_node_that_is_not_reached_is_urgent_after_a_day_or_with_another_key(
    code: str, hours: int | None, state: str
) -> None:
    since = None if hours is None else NOW - timedelta(hours=hours)

    found = check_peers([Trouble("B", code, since)], now=NOW)

    assert (found.state, found.values) == (state, {"n": 1, "names": "B"})


@pytest.mark.parametrize(
    ("offsets", "state"),
    [([0], "good"), ([-20], "good"), ([40], "warn"), ([-400], "bad"), ([0, 4000, 1], "good"), ([400, 390, 0], "bad")],
)
def test_a_clock_is_judged_by_the_one_in_the_middle(offsets: list[int], state: str) -> None:
    heard = [(format_datetime(NOW + timedelta(seconds=offset), usegmt=True), NOW) for offset in offsets]

    found = check_clock(heard, now=NOW)

    assert found is not None
    assert found.state == state


@pytest.mark.parametrize("said", ["", "yesterday", "Sun, 99 Nov 2026 12:00:00 GMT", "²"])
def test_a_clock_that_says_nothing_readable_counts_for_nothing(said: str) -> None:
    assert check_clock([(said, NOW)], now=NOW) is None


def test_what_a_clock_said_long_ago_counts_for_nothing() -> None:
    assert check_clock([(format_datetime(NOW, usegmt=True), NOW - timedelta(days=2))], now=NOW) is None


def test_a_file_that_others_can_read_is_not_private(tmp_path: Path) -> None:
    path = tmp_path / "node.key"
    assert is_private(path)
    path.write_bytes(b"")

    path.chmod(0o600)
    assert is_private(path)
    path.chmod(0o640)
    assert not is_private(path)

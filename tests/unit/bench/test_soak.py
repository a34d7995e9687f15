"""What `make soak` judges; and forty seconds of it, where there is time."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import replace

import pytest

from bench.soak import Sample, Soak, expected_rates, judge
from tests.support.house import ROOT

_WELL = Sample(at=0, memory_bytes=100_000_000, descriptors=30, oldest_lane_seconds=0.1, log_bytes=4_000_000)


def a_soak(last: Sample = _WELL) -> Soak:
    """Return what twenty looks saw, of which the last eight saw something else."""
    looks = [replace(_WELL, at=number * 60) for number in range(12)]
    looks += [replace(last, at=number * 60) for number in range(12, 20)]
    return Soak(looks, lags=[5.0] * 200, bare_lags=[1.0] * 200, done={"posts": 3})


def broken(soak: Soak) -> list[str]:
    """Return the limits that were not held."""
    return [each.what for each in judge(soak, 60) if each.is_held is False]


def test_a_node_that_stays_as_it_is_holds_everything() -> None:
    assert broken(a_soak()) == []
    assert broken(a_soak(replace(_WELL, memory_bytes=104_900_000, descriptors=33))) == []


@pytest.mark.parametrize(
    ("last", "what"),
    [
        (replace(_WELL, memory_bytes=106_000_000), "memory"),
        (replace(_WELL, descriptors=40), "descriptors"),
        (replace(_WELL, oldest_lane_seconds=6.0), "oldest lane"),
        (replace(_WELL, log_bytes=65_000_000), "the database's log"),
    ],
)
def test_what_grows_is_named(last: Sample, what: str) -> None:
    assert broken(a_soak(last)) == [what]


@pytest.mark.parametrize(("bare", "found"), [(1.0, ["lag of the loop, p99"]), (40.0, [])])
def test_a_loop_that_is_kept_from_turning_is_named_unless_the_machine_is_the_cause(
    bare: float, found: list[str]
) -> None:
    soak = a_soak()
    soak.lags, soak.bare_lags = [100.0] * 200, [bare] * 200

    assert broken(soak) == found


def test_growth_in_the_first_minute_is_none() -> None:
    soak = a_soak()
    soak.samples[0] = replace(soak.samples[0], memory_bytes=50_000_000)

    assert broken(soak) == []


def test_the_load_is_ten_times_the_peak_of_the_paper() -> None:
    rates = expected_rates()

    assert rates.posts * 4 == pytest.approx(2.1, abs=0.05)  # each of ours goes to four other nodes
    assert rates.posts + rates.entries + rates.submissions == pytest.approx(2.65, abs=0.05)


@pytest.mark.long
@pytest.mark.timeout(300)
def test_forty_seconds_of_it_end_with_a_verdict_on_each_limit() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "bench.soak", "--minutes", "0.67"], cwd=ROOT, capture_output=True, text=True, check=False
    )

    assert done.returncode == (1 if "NOT HELD" in done.stdout else 0), done.stderr
    for what in ("memory", "descriptors", "lag of the loop, p99", "oldest lane", "the database's log"):
        assert f"\n{what} " in done.stdout
    for what in ("descriptors", "oldest lane", "the database's log"):
        assert (
            f"\n{what} " in done.stdout and "NOT HELD" not in done.stdout.partition(f"\n{what} ")[2].partition("\n")[0]
        )

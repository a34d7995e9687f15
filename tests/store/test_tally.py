"""The counters of what came and went: written in batches, added up, forgotten after a month."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from node.community.operating.service import read_traffic
from node.foundation.errors import Busy
from node.store.tally import DELIVERED, FAILED, KEPT, RECEIVED, hour_of, list_counts
from tests.support.clock import FrozenClock
from tests.support.databases import Databases
from tests.support.lone_house import a_lone_house


async def test_what_was_counted_is_written_once_and_added_up(databases: Databases, clock: FrozenClock) -> None:
    async with a_lone_house(databases, clock) as lone:
        tally, store, now = lone.core.tally, lone.core.store, clock.now()
        for kind in (RECEIVED, RECEIVED, DELIVERED):
            tally.count(kind, now)
        before = store.counts.bodies
        await tally.save(store)
        tally.count(RECEIVED, now)
        await tally.save(store)
        await tally.save(store)

        written = await store.read(lambda tx: list_counts(tx, since=hour_of(now)))

        assert dict(written) == {(hour_of(now), RECEIVED): 3, (hour_of(now), DELIVERED): 1}
        assert store.counts.bodies - before == 2


async def test_counts_of_more_than_a_month_ago_go(databases: Databases, clock: FrozenClock) -> None:
    async with a_lone_house(databases, clock) as lone:
        tally, store, then = lone.core.tally, lone.core.store, clock.now()
        tally.count(FAILED, then)
        await tally.save(store)
        clock.advance((KEPT + timedelta(hours=2)).total_seconds())
        tally.count(FAILED, clock.now())

        await tally.save(store)

        written = await store.read(lambda tx: list_counts(tx, since=hour_of(then)))
        assert list(written) == [(hour_of(clock.now()), FAILED)]


async def test_what_cannot_be_written_is_kept_for_the_next_time(databases: Databases, clock: FrozenClock) -> None:
    async with a_lone_house(databases, clock) as lone:
        tally, now = lone.core.tally, clock.now()
        tally.count(RECEIVED, now)
        with pytest.raises(Busy):
            await tally.save(_Full())  # type: ignore[arg-type]
        tally.count(RECEIVED, now)

        await tally.save(lone.core.store)

        written = await lone.core.store.read(lambda tx: list_counts(tx, since=hour_of(now)))
        assert dict(written) == {(hour_of(now), RECEIVED): 2}


async def test_the_last_day_is_read_hour_by_hour_with_what_is_not_written_yet(
    databases: Databases, clock: FrozenClock
) -> None:
    async with a_lone_house(databases, clock) as lone:
        tally = lone.core.tally
        tally.count(RECEIVED, clock.now() - timedelta(hours=30))
        tally.count(RECEIVED, clock.now() - timedelta(hours=23))
        tally.count(RECEIVED, clock.now())
        await tally.save(lone.core.store)
        tally.count(RECEIVED, clock.now())

        traffic = await read_traffic(lone.core)

        assert len(traffic.hours) == 24
        assert (traffic.numbers[RECEIVED][0], traffic.numbers[RECEIVED][-1]) == (1, 2)
        assert traffic.totals == {RECEIVED: 3, DELIVERED: 0, FAILED: 0}


class _Full:
    """A store that cannot write now."""

    async def write(self, body: Any, *args: Any) -> None:
        raise Busy

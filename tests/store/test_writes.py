"""What `store.write` promises, on both databases."""

from __future__ import annotations

import asyncio
import contextlib
import threading

import pytest

from node.foundation.errors import Busy, Duplicate
from node.store.engine import WAITING_LIMIT, WAITING_LIMIT_SECONDS, Store, Tx
from node.store.postgres import WRITERS
from tests.support.clock import FrozenClock
from tests.support.databases import Databases
from tests.support.gate import Gate
from tests.support.rows import change, get, names, put, put_then_fail


async def test_a_write_returns_what_its_body_returns(store: Store) -> None:
    written = await store.write(put, "a", value="1")

    assert written == "a"
    assert await store.read(get, "a") == "1"


async def test_a_written_row_is_there_after_reopening(databases: Databases, clock: FrozenClock) -> None:
    address, data = await databases.new_data()
    first = await databases.open(address, data, clock)
    await first.write(put, "a")

    second = await databases.open(address, data, clock)

    assert await second.read(names) == ["a"]


async def test_a_body_that_fails_leaves_nothing(store: Store) -> None:
    with pytest.raises(LookupError):
        await store.write(put_then_fail, "a")

    assert await store.read(names) == []


async def test_a_body_that_fails_does_not_hurt_those_beside_it(store: Store) -> None:
    bodies = [store.write(put_then_fail if number % 3 == 1 else put, f"{number:03}") for number in range(60)]

    results = await asyncio.gather(*bodies, return_exceptions=True)

    assert [type(result) for result in results] == [LookupError if n % 3 == 1 else str for n in range(60)]
    assert await store.read(names) == [f"{number:03}" for number in range(60) if number % 3 != 1]


async def test_a_second_row_with_the_same_key_is_a_duplicate(store: Store) -> None:
    await store.write(put, "a", value="first")

    with pytest.raises(Duplicate):
        await store.write(put, "a", value="second")

    assert await store.read(get, "a") == "first"


async def test_an_answer_about_a_row_is_given_only_when_that_row_is_on_disk(
    databases: Databases, clock: FrozenClock
) -> None:
    address, data = await databases.new_data()
    store = await databases.open(address, data, clock)
    onlooker = await databases.open(address, data, clock)

    async def put_and_look() -> list[str]:
        with contextlib.suppress(Duplicate):
            await store.write(put, "a")
        return await onlooker.read(names)

    seen = await asyncio.gather(*(put_and_look() for _ in range(20)))

    assert seen == [["a"]] * 20


async def test_a_missing_value_is_not_mistaken_for_a_duplicate(store: Store) -> None:
    with pytest.raises(Exception) as caught:
        await store.write(put, "a", value=None)  # type: ignore[arg-type]

    assert not isinstance(caught.value, Duplicate | Busy)
    assert await store.read(names) == []


async def test_a_value_of_the_wrong_type_is_our_mistake_and_not_a_busy_store(store: Store) -> None:
    with pytest.raises(Exception) as caught:
        await store.write(put, "a", value=1.5)  # type: ignore[arg-type]

    assert not isinstance(caught.value, Busy)


async def test_a_write_inside_a_write_raises(store: Store) -> None:
    async def nested(tx: Tx) -> None:
        await put(tx, "outer")
        await store.write(put, "inner")

    with pytest.raises(RuntimeError, match="inside the transaction"):
        await store.write(nested)

    assert await store.read(names) == []


async def test_a_read_inside_a_write_raises_and_readers_go_on(store: Store) -> None:
    async def nested(tx: Tx) -> None:
        await store.read(names)

    with pytest.raises(RuntimeError, match="inside the transaction"):
        await store.write(nested)

    assert await store.read(names) == []


async def test_the_write_of_a_caller_who_went_away_still_happens(store: Store) -> None:
    caller = asyncio.create_task(store.write(put, "a"))
    await asyncio.sleep(0)

    caller.cancel()

    with pytest.raises(asyncio.CancelledError):
        await caller
    await store.write(put, "b")
    await store.close()
    assert store.counts.bodies == 2


async def test_what_waits_for_the_commit_runs_in_the_loop_before_the_caller_goes_on(store: Store) -> None:
    ran: list[tuple[threading.Thread, asyncio.AbstractEventLoop]] = []

    async def body(tx: Tx) -> None:
        tx.after_commit(lambda: ran.append((threading.current_thread(), asyncio.get_running_loop())))
        await put(tx, "a")
        assert ran == []

    await store.write(body)

    assert ran == [(threading.current_thread(), asyncio.get_running_loop())]


async def test_what_waits_for_the_commit_never_runs_when_the_body_fails(store: Store) -> None:
    ran: list[str] = []

    async def body(tx: Tx) -> None:
        tx.after_commit(lambda: ran.append("ran"))
        await put_then_fail(tx, "a")

    with pytest.raises(LookupError):
        await store.write(body)

    assert ran == []


async def test_an_effect_that_fails_neither_undoes_the_write_nor_stops_others(store: Store) -> None:
    ran: list[str] = []

    async def body(tx: Tx) -> str:
        tx.after_commit(lambda: ran.remove("absent"))
        tx.after_commit(lambda: ran.append("ran"))
        return await put(tx, "a")

    written = await store.write(body)

    assert (written, ran) == ("a", ["ran"])
    assert await store.write(put, "b") == "b"


async def test_more_than_two_thousand_waiting_writes_are_told_to_come_back(store: Store) -> None:
    more = 100
    everybody = [store.write(put, str(number)) for number in range(WAITING_LIMIT + more)]

    results = await asyncio.gather(*everybody, return_exceptions=True)

    assert sum(isinstance(result, Busy) for result in results) == more
    assert len(await store.read(names)) == WAITING_LIMIT


async def test_writes_are_told_to_come_back_when_one_has_waited_for_two_seconds(
    store: Store, clock: FrozenClock
) -> None:
    gate = Gate(store)

    async def hold(tx: Tx) -> None:
        await gate.wait()

    holding = [asyncio.create_task(store.write(hold)) for _ in range(WRITERS)]
    await gate.reached.wait()
    waiting = asyncio.create_task(store.write(put, "waiting"))
    await asyncio.sleep(0)
    clock.advance(WAITING_LIMIT_SECONDS + 0.1)
    with pytest.raises(Busy):
        await store.write(put, "late")
    gate.open()

    await asyncio.gather(*holding, waiting)
    assert await store.write(put, "afterwards") == "afterwards"
    assert await store.read(names) == ["afterwards", "waiting"]


async def test_a_transaction_has_the_instant_of_the_clock(store: Store, clock: FrozenClock) -> None:
    async def now(tx: Tx) -> object:
        return tx.now

    clock.advance(5)

    assert await store.write(now) == await store.read(now) == clock.now()


async def test_a_count_of_touched_rows_comes_back(store: Store) -> None:
    await store.write(put, "a")

    assert await store.write(change, "a", "1") == 1
    assert await store.write(change, "absent", "1") == 0


async def test_the_store_says_what_it_is_and_that_it_waits_for_the_disk(store: Store) -> None:
    described = await store.describe()

    assert described["kind"] == store.dialect
    assert described["version"][0].isdigit()
    assert described["synchronous"] in ("full", "on")

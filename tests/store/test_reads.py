"""What `store.read` promises, on both databases."""

from __future__ import annotations

import asyncio

import pytest

from node.store.engine import Store, Tx
from tests.support.gate import Gate
from tests.support.rows import get, names, put


async def test_a_read_sees_one_moment_even_when_others_write_meanwhile(store: Store) -> None:
    gate = Gate(store)
    await store.write(put, "a")

    async def look_twice(tx: Tx) -> tuple[list[str], list[str]]:
        before = await names(tx)
        await gate.wait()
        return before, await names(tx)

    reading = asyncio.create_task(store.read(look_twice))
    await gate.reached.wait()
    await store.write(put, "b")
    gate.open()

    assert await reading == (["a"], ["a"])
    assert await store.read(names) == ["a", "b"]


async def test_a_read_cannot_write(store: Store) -> None:
    with pytest.raises(RuntimeError, match="tried to write"):
        await store.read(put, "a")

    assert await store.read(names) == []


async def test_a_read_that_fails_does_not_hurt_those_beside_it(store: Store) -> None:
    await store.write(put, "a", value="1")

    async def fail(tx: Tx) -> None:
        raise LookupError(await get(tx, "a"))

    reads = [store.read(fail), store.read(put, "b"), *(store.read(get, "a") for _ in range(20))]
    results = await asyncio.gather(*reads, return_exceptions=True)

    assert [type(result) for result in results[:2]] == [LookupError, RuntimeError]
    assert results[2:] == ["1"] * 20


async def test_one_row_of_many_and_none_of_nothing(store: Store) -> None:
    await store.write(put, "a", value="1")
    await store.write(put, "b", value="2")

    async def first(tx: Tx) -> tuple[object, object, object]:
        every = "SELECT name, value FROM settings ORDER BY name"
        absent = "SELECT name FROM settings WHERE name = :name"
        return await tx.one(every), await tx.one(absent, name="c"), await tx.value(absent, name="c")

    row, nothing, no_value = await store.read(first)

    assert (row, nothing, no_value) == (("a", "1"), None, None)
    assert row.value == "1"  # type: ignore[attr-defined]


async def test_a_write_is_seen_by_the_read_that_follows_it(store: Store) -> None:
    for number in range(50):
        await store.write(put, f"{number:02}")

        assert len(await store.read(names)) == number + 1

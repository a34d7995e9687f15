"""What is PostgreSQL's own: transactions side by side, which the database may ask us to run again."""

from __future__ import annotations

import asyncio
import contextvars
from pathlib import Path

import asyncpg
import pytest

from node.foundation.errors import Busy, StoreError
from node.store.engine import Store, Tx
from node.store.opening import open_store
from tests.support.clock import FrozenClock
from tests.support.gate import Gate
from tests.support.postgres import a_cluster, start
from tests.support.rows import change, get, names, put

pytestmark = pytest.mark.only_on("postgresql", reason="SQLite has one writer: nothing runs side by side")

_REPEATABLE = "SET TRANSACTION ISOLATION LEVEL REPEATABLE READ"
_ASK_AGAIN = "DO $$ BEGIN RAISE EXCEPTION 'again' USING ERRCODE = '40001'; END $$"


async def test_two_writes_that_lock_each_other_out_both_happen(store: Store) -> None:
    await store.write(put, "a")
    await store.write(put, "b")
    both_hold_one = asyncio.Barrier(2)
    tries: list[str] = []

    async def change_both(tx: Tx, first: str, second: str, value: str) -> None:
        tries.append(value)
        await change(tx, first, value)
        if tries.count(value) == 1:
            await both_hold_one.wait()
        await change(tx, second, value)

    await asyncio.gather(
        store.write(change_both, "a", "b", "forwards"), store.write(change_both, "b", "a", "backwards")
    )

    assert len(tries) >= 3  # one waits, one is told to try again: at once, or after it met the other once more
    assert await store.read(get, "a") == await store.read(get, "b") == tries[-1]


async def test_a_write_whose_snapshot_grew_old_runs_again(store: Store) -> None:
    await store.write(put, "a", value="0")
    tries: list[str | None] = []
    no_transaction = contextvars.copy_context()

    async def add_one(tx: Tx) -> None:
        await tx.run(_REPEATABLE)
        value = await get(tx, "a")
        tries.append(value)
        if len(tries) == 1:
            await asyncio.create_task(somebody_else(), context=no_transaction)
        await change(tx, "a", str(int(value or 0) + 1))

    async def somebody_else() -> None:
        await store.write(change, "a", "10")

    await store.write(add_one)

    assert tries == ["0", "10"]
    assert await store.read(get, "a") == "11"


async def test_effects_of_a_try_that_was_undone_never_run(store: Store) -> None:
    ran: list[int] = []
    tries: list[int] = []

    async def body(tx: Tx) -> None:
        tries.append(len(tries))
        number = tries[-1]
        tx.after_commit(lambda: ran.append(number))
        if number == 0:
            await tx.run(_ASK_AGAIN)

    await store.write(body)

    assert (tries, ran) == ([0, 1], [1])


async def test_a_write_is_run_again_at_most_three_times(store: Store) -> None:
    tries: list[int] = []

    async def never_fits(tx: Tx) -> None:
        tries.append(1)
        await put(tx, "a")
        await tx.run(_ASK_AGAIN)

    with pytest.raises(Busy):
        await store.write(never_fits)

    assert len(tries) == 4
    assert await store.read(names) == []


async def test_a_row_that_somebody_holds_for_too_long_makes_the_store_busy(store: Store) -> None:
    await store.write(put, "a")
    gate = Gate(store)

    async def hold(tx: Tx) -> None:
        await change(tx, "a", "held")
        await gate.wait()

    async def be_impatient(tx: Tx) -> None:
        await tx.run("SET LOCAL lock_timeout = '20ms'")
        await change(tx, "a", "never")

    holding = asyncio.create_task(store.write(hold))
    await gate.reached.wait()
    with pytest.raises(Busy):
        await store.write(be_impatient)
    gate.open()

    await holding
    assert await store.read(get, "a") == "held"


async def test_commits_wait_for_the_disk_and_locks_do_not_wait_for_ever(store: Store) -> None:
    async def settings(tx: Tx) -> list[str]:
        return [await tx.value(f"SHOW {name}") for name in ("synchronous_commit", "lock_timeout")]

    assert await store.write(settings) == ["on", "2s"]


async def test_a_server_that_is_not_there_is_named_without_its_password(
    database_kind: str, tmp_path: Path, clock: FrozenClock
) -> None:
    address = f"postgresql://rounds:secret@/rounds?host={tmp_path}"

    with pytest.raises(StoreError, match="cannot be reached") as caught:
        await open_store(address, data=tmp_path, clock=clock)

    assert "secret" not in str(caught.value)


async def test_a_server_that_dies_makes_the_store_busy_until_it_is_back(
    server: object, tmp_path: Path, clock: FrozenClock
) -> None:
    with a_cluster(is_durable=True) as cluster:
        admin = await asyncpg.connect(cluster.address("postgres"))
        await admin.execute("CREATE TABLE settings (name TEXT PRIMARY KEY, value TEXT NOT NULL)")
        await admin.close()
        store = await open_store(cluster.address("postgres"), data=tmp_path, clock=clock)
        await store.write(put, "before")

        cluster.kill()
        with pytest.raises(Busy):
            await store.write(put, "meanwhile")
        with pytest.raises(Busy):
            await store.read(names)

        again = start(cluster.folder, is_durable=True)
        try:
            await store.write(put, "after")
            assert await store.read(names) == ["after", "before"]
            await store.close()
        finally:
            again.stop()

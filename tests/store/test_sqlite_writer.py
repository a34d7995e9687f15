"""What is SQLite's own: one writer thread, group commit, a disk that can be full."""

from __future__ import annotations

import asyncio
import importlib.metadata
import sqlite3
import stat
import threading
import tomllib
from pathlib import Path
from typing import Any

import aiosqlite
import pytest

from node.foundation.errors import Busy, Duplicate, StoreError
from node.store.engine import Store, Tx
from node.store.sqlite import SqliteStore, has_checkpoint_race
from tests.support.clock import FrozenClock
from tests.support.rows import get, names, put, put_then_fail

pytestmark = pytest.mark.only_on("sqlite", reason="PostgreSQL has no writer thread and no batches")


async def test_two_hundred_writes_at_once_share_a_few_commits(store: Store) -> None:
    await asyncio.gather(*(store.write(put, f"{number:03}") for number in range(200)))

    assert store.counts.bodies == 200
    assert store.counts.commits <= 10


async def test_an_error_is_told_when_the_row_it_speaks_of_is_on_disk(store: Store) -> None:
    assert isinstance(store, SqliteStore)
    first = asyncio.create_task(store.write(put, "a"))
    second = asyncio.create_task(store.write(put, "a"))

    with pytest.raises(Duplicate):
        await second

    with sqlite3.connect(store.path) as onlooker:
        assert onlooker.execute("SELECT name FROM settings").fetchall() == [("a",)]
    onlooker.close()
    assert store.counts.commits == 1
    await first


async def test_a_body_that_waits_for_something_else_is_our_mistake(store: Store) -> None:
    async def wait_in_the_middle(tx: Tx) -> None:
        await put(tx, "a")
        await asyncio.sleep(0)

    beside = asyncio.create_task(store.write(put, "b"))
    with pytest.raises(RuntimeError, match="awaited something that is not its transaction"):
        await store.write(wait_in_the_middle)

    assert await beside == "b"
    assert await store.read(names) == ["b"]


async def test_bodies_of_one_batch_see_what_those_before_them_wrote(store: Store) -> None:
    written, failed, seen = await asyncio.gather(
        store.write(put, "a"), store.write(put_then_fail, "b"), store.write(names), return_exceptions=True
    )

    assert (written, type(failed), seen) == ("a", LookupError, ["a"])


async def test_a_full_disk_makes_the_whole_batch_wait_and_loses_nothing(store: Store) -> None:
    await store.write(put, "before", value="kept")
    await _limit_to_present_size(store)

    large = "x" * 1_000_000
    refused = await asyncio.gather(
        store.write(put, "small"), store.write(put, "large", value=large), return_exceptions=True
    )

    assert [type(answer) for answer in refused] == [Busy, Busy]
    assert await store.read(get, "before") == "kept"
    assert await store.read(names) == ["before"]


async def test_writing_goes_on_when_there_is_room_again(store: Store) -> None:
    large = "x" * 1_000_000
    await _limit_to_present_size(store)
    with pytest.raises(Busy):
        await store.write(put, "large", value=large)

    await _run_on_writer(store, "PRAGMA max_page_count = 1000000")

    await store.write(put, "large", value=large)
    assert await store.read(get, "large") == large


async def test_a_closed_store_answers_and_does_not_hang(store: Store) -> None:
    await store.close()

    with pytest.raises(Busy):
        await asyncio.wait_for(store.write(put, "a"), 5)
    with pytest.raises(Busy):
        await asyncio.wait_for(store.read(names), 5)


async def test_closing_waits_for_what_was_asked_before(store: Store) -> None:
    asked = [asyncio.create_task(store.write(put, f"{number:03}")) for number in range(500)]
    await asyncio.sleep(0)

    await store.close()

    assert [task.result() for task in asked] == [f"{number:03}" for number in range(500)]


async def test_the_writer_waits_for_the_disk_and_overwrites_what_is_deleted(store: Store) -> None:
    assert await _run_on_writer(store, "PRAGMA journal_mode") == "wal"
    assert await _run_on_writer(store, "PRAGMA synchronous") == 2
    assert await _run_on_writer(store, "PRAGMA secure_delete") == 1
    assert await _run_on_writer(store, "PRAGMA foreign_keys") == 1


async def test_readers_neither_write_nor_checkpoint(store: Store) -> None:
    assert await _run_on_reader(store, "PRAGMA query_only") == 1
    assert await _run_on_reader(store, "PRAGMA wal_autocheckpoint") == 0


async def test_nobody_else_may_read_the_files(store: Store) -> None:
    assert isinstance(store, SqliteStore)
    await store.write(put, "a")

    assert set(_modes(store.path.parent).values()) == {0o600}
    assert len(_modes(store.path.parent)) == 3


async def test_a_new_file_and_its_log_are_for_our_eyes_only_from_the_start(
    database_kind: str, tmp_path: Path, clock: FrozenClock
) -> None:
    store = await SqliteStore.open(tmp_path / "rounds.sqlite", clock=clock)

    assert _modes(tmp_path) == {
        "rounds.sqlite": 0o600, "rounds.sqlite-shm": 0o600, "rounds.sqlite-wal": 0o600,
    }  # fmt: skip
    await store.close()


async def test_a_file_that_is_no_database_is_named(database_kind: str, tmp_path: Path, clock: FrozenClock) -> None:
    file = tmp_path / "rounds.sqlite"
    file.write_text("This is a letter, and not a database at all. " * 100)

    with pytest.raises(StoreError, match=r"rounds\.sqlite cannot be opened"):
        await SqliteStore.open(file, clock=clock)


async def test_a_folder_that_is_not_there_is_named(database_kind: str, tmp_path: Path, clock: FrozenClock) -> None:
    with pytest.raises(StoreError, match="absent"):
        await SqliteStore.open(tmp_path / "absent" / "rounds.sqlite", clock=clock)


def test_the_private_parts_of_aiosqlite_that_we_use_are_those_of_the_pinned_version(database_kind: str) -> None:
    project = tomllib.loads(Path("pyproject.toml").read_text("utf-8"))["project"]

    assert f"aiosqlite=={importlib.metadata.version('aiosqlite')}" in project["dependencies"]
    assert callable(aiosqlite.Connection._execute)
    assert isinstance(aiosqlite.Connection._conn, property)


async def test_functions_given_to_aiosqlite_run_in_order_on_one_thread(database_kind: str, tmp_path: Path) -> None:
    connection = await aiosqlite.connect(tmp_path / "any.sqlite")
    ran: list[tuple[int, int]] = []

    def note(number: int) -> int:
        ran.append((number, threading.get_ident()))
        return number

    results = await asyncio.gather(*(connection._execute(note, number) for number in range(20)))  # type: ignore[no-untyped-call]

    await connection.close()
    assert results == [number for number, _ in ran] == list(range(20))
    assert len({thread for _, thread in ran} - {threading.get_ident()}) == 1


def test_the_race_between_two_checkpoints_is_known_by_its_version(database_kind: str) -> None:
    assert has_checkpoint_race() == (sqlite3.sqlite_version_info < (3, 51, 3))


def _modes(folder: Path) -> dict[str, int]:
    return {file.name: stat.S_IMODE(file.stat().st_mode) for file in folder.glob("rounds.sqlite*")}


async def _limit_to_present_size(store: Store) -> None:
    pages = await _run_on_writer(store, "PRAGMA page_count")
    await _run_on_writer(store, f"PRAGMA max_page_count = {pages}")


async def _run_on_writer(store: Store, pragma: str) -> Any:
    assert isinstance(store, SqliteStore)
    return (await store._writer.connection.execute_fetchall(pragma))[0][0]  # type: ignore[index]


async def _run_on_reader(store: Store, pragma: str) -> Any:
    assert isinstance(store, SqliteStore)
    return (await store._reader.connection.execute_fetchall(pragma))[0][0]  # type: ignore[index]

"""Bringing a database to the newest schema: once, in order, and never half."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest

from node.foundation.errors import SchemaTooNew, StoreError
from node.store.engine import Store, Tx
from node.store.migrate import Migration, list_migrations, migrate
from tests.support.clock import NOON, FrozenClock
from tests.support.databases import Databases

_APPLIED = "SELECT version, name, applied_at FROM schema_versions ORDER BY version"
_CHANGE = "UPDATE schema_versions SET checksum = 'other' WHERE version = :version"
_FROM_THE_FUTURE = """INSERT INTO schema_versions (version, name, checksum, applied_at)
  VALUES (9999, '9999_later', '', :now_at)"""
_HEAD = "SELECT n, hash FROM audit_head"
_POSTS = "SELECT COUNT(*) AS n FROM posts"
_NAMES = [migration.name for migration in list_migrations()]


async def _applied(tx: Tx) -> list[Any]:
    return await tx.all(_APPLIED)


async def _heads(tx: Tx) -> list[Any]:
    return await tx.all(_HEAD)


@pytest.fixture
async def empty(databases: Databases, tmp_path: Path, clock: FrozenClock) -> Store:
    """Give a store without any table."""
    return await databases.open(await databases.new_empty_address(), tmp_path, clock)


async def test_an_empty_database_gets_every_migration_in_order(empty: Store) -> None:
    done = await migrate(empty, now=NOON)

    applied = await empty.read(_applied)
    assert done == [row.name for row in applied] == _NAMES
    assert {row.applied_at for row in applied} == {NOON}


async def test_a_second_run_does_nothing(empty: Store) -> None:
    await migrate(empty, now=NOON)

    done = await migrate(empty, now=NOON)

    assert done == []
    assert len(await empty.read(_heads)) == 1


async def test_a_run_that_was_cut_off_between_two_files_is_taken_up_where_it_stopped(
    empty: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as cut_off:
        cut_off.setattr("node.store.migrate.list_migrations", lambda: list_migrations()[:1])
        await migrate(empty, now=NOON)

    done = await migrate(empty, now=NOON)

    assert done == _NAMES[1:]
    assert len(await empty.read(_heads)) == 1


async def test_a_file_that_fails_in_the_middle_leaves_nothing_of_itself(
    empty: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    await migrate(empty, now=NOON)
    broken = Migration(9000, "9000_broken", "CREATE TABLE half (n BIGINT);\nCREATE TABLE half (n BIGINT);\n")

    with monkeypatch.context() as next_release:
        next_release.setattr("node.store.migrate.list_migrations", lambda: [*list_migrations(), broken])
        with pytest.raises(Exception, match="half"):
            await migrate(empty, now=NOON)

    assert [row.name for row in await empty.read(_applied)] == _NAMES
    await empty.script(["CREATE TABLE half (n BIGINT PRIMARY KEY)"])


async def test_a_released_file_that_was_changed_stops_the_start(empty: Store) -> None:
    await migrate(empty, now=NOON)

    async def change(tx: Tx) -> None:
        await tx.run(_CHANGE, version=2)

    await empty.write(change)

    with pytest.raises(StoreError, match=_NAMES[1]):
        await migrate(empty, now=NOON)


async def test_a_database_of_a_newer_release_is_refused_and_left_alone(empty: Store) -> None:
    await migrate(empty, now=NOON)

    async def arrive_from_the_future(tx: Tx) -> None:
        await tx.run(_FROM_THE_FUTURE, now_at=tx.now)

    await empty.write(arrive_from_the_future)

    with pytest.raises(SchemaTooNew):
        await migrate(empty, now=NOON)


@pytest.mark.only_on("postgresql", reason="on SQLite the data directory's lock admits one process")
async def test_two_processes_that_start_at_once_migrate_once(databases: Databases, tmp_path: Path) -> None:
    address = await databases.new_empty_address()
    stores = [await databases.open(address, tmp_path, FrozenClock()) for _ in range(3)]

    done = await asyncio.gather(*(migrate(store, now=NOON) for store in stores))

    assert sorted(name for names in done for name in names) == _NAMES
    assert len(await stores[0].read(_heads)) == 1


def test_migrations_are_numbered_without_gaps(database_kind: str) -> None:
    assert [migration.version for migration in list_migrations()] == list(range(1, len(_NAMES) + 1))


def test_statements_are_split_where_a_line_ends_in_a_semicolon(database_kind: str) -> None:
    text = "-- first; a comment\nCREATE TABLE a (\n  b TEXT -- why; because\n);\n\nINSERT INTO a VALUES ('x;y');\n"

    assert Migration(1, "1_a", text).statements == [
        "CREATE TABLE a (\n  b TEXT -- why; because\n)",
        "INSERT INTO a VALUES ('x;y');",
    ]


def test_schema_uses_three_types_and_no_default(database_kind: str) -> None:
    text = "\n".join(migration.text for migration in list_migrations()).upper()

    for word in ("INTEGER", "BOOLEAN", "TIMESTAMP", "VARCHAR", "SERIAL", "AUTOINCREMENT", "DEFAULT ", "JSONB", "BLOB"):
        assert word not in text


async def test_a_value_of_every_column_named_for_its_type_has_that_type(store: Store) -> None:
    """`…_at` is a BIGINT, `is_…` a SMALLINT and `…_json` a TEXT, or the conversion by name would be wrong."""
    columns = await store.read(_columns, store.dialect)

    wrong = [
        (table, column, found)
        for table, column, found in columns
        for suffix, wanted in (("_at", "bigint"), ("_json", "text"))
        if column.endswith(suffix) and found.lower() != wanted
    ]
    flags = [(table, column, found) for table, column, found in columns if column.startswith("is_")]
    assert len(columns) > 100
    assert wrong == []
    assert {found.lower() for _, _, found in flags} == {"smallint"}


_COLUMNS = {
    "sqlite": """SELECT t.name, c.name AS column_name, c.type FROM sqlite_schema t, pragma_table_info(t.name) c
      WHERE t.type = 'table'""",
    "postgresql": """SELECT table_name, column_name, data_type FROM information_schema.columns
      WHERE table_schema = 'public'""",
}


async def _columns(tx: Tx, dialect: str) -> list[tuple[str, str, str]]:
    return [(row[0], row[1], row[2]) for row in await tx.all(_COLUMNS[dialect])]

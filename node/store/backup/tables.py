"""Every row of a node from PostgreSQL into an SQLite file, or the other way. The only place that knows both at once.

*How it works.* Both databases have the tables of this release already: `migrate` makes them. Rows are read in batches from
one snapshot and written in one transaction, tables in the order of their references. While they pass, each table's rows
are counted and their hashes added up, so that the order does not matter; reading the other side again must give the same.

What search looks through is made from the posts: it is not copied but made anew (`store/search_index.py`), and what each
database knows of itself (`schema_versions`) stays its own. A PostgreSQL database that takes rows holds a mark until all is
done, by which an interrupted copy is known again; one that holds anything else is left alone.

Names of tables and columns come from the schema, never from rows. asyncpg is an extra: whoever imports this needs it.
"""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import sqlite3
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from graphlib import TopologicalSorter
from pathlib import Path
from typing import Any

import asyncpg
import msgspec

from node.foundation.errors import Conflict, StoreError

from ..postgres import SETTINGS
from .snapshot import open_file

BATCH_ROWS = 500
# Made anew, or of one database alone. `search_words` and what FTS5 keeps for it begin alike.
_NOT_COPIED = {"schema_versions", "search_shards", "sqlite_sequence"}
_SEARCH = "search_words"
_MARK = "moving"
_FILL = "search_filled_up_to"
_NOT_MOVED = frozenset({_MARK, _FILL, "search_erased"})

_TABLES = "SELECT name FROM sqlite_schema WHERE type = 'table' ORDER BY name"
_COLUMNS = 'PRAGMA table_info("{table}")'
_REFERENCES = 'PRAGMA foreign_key_list("{table}")'
_ROWS = 'SELECT {columns} FROM "{table}"'
_ONE_ROW = 'SELECT 1 AS yes FROM "{table}" LIMIT 1'
_PUT_ROW = 'INSERT INTO "{table}" ({columns}) VALUES ({places})'
_PUT_SETTING = "INSERT INTO settings (name, value) VALUES ($1, $2)"
_EMPTY_ONE = 'DELETE FROM "{table}"'
_EMPTY_ALL = "TRUNCATE {tables}"
_IN_POSTGRES = "SELECT tablename FROM pg_tables WHERE schemaname = 'public'"
_MARK_OF = "SELECT value FROM settings WHERE name = $1"
_UNMARK = "DELETE FROM settings WHERE name = $1"

Progress = Callable[[str, int], object]
_encode = msgspec.msgpack.Encoder().encode


@dataclass(slots=True)
class Sum:
    """What a table's rows amount to, in whatever order they come. total: the sum of their hashes."""

    rows: int = 0
    total: int = 0

    def add(self, row: Sequence[Any]) -> None:
        """Count a row."""
        self.rows += 1
        digest = hashlib.sha256(_encode(list(row))).digest()
        self.total = (self.total + int.from_bytes(digest)) % 2**256


@dataclass(frozen=True, slots=True)
class Table:
    """A table and its columns, in the order in which both sides read and write them."""

    name: str
    columns: tuple[str, ...]

    @property
    def select(self) -> str:
        """The statement that reads all rows."""
        return _ROWS.format(table=self.name, columns=", ".join(f'"{column}"' for column in self.columns))

    def is_moved(self, row: Sequence[Any]) -> bool:
        """Return whether a row goes to the other side; what `settings` says of an index or of a copy does not."""
        return self.name != "settings" or row[self.columns.index("name")] not in _NOT_MOVED


@dataclass(slots=True)
class Copied:
    """What was copied: {table: its sum}."""

    sums: dict[str, Sum] = field(default_factory=dict)

    @property
    def rows(self) -> int:
        """How many rows, over all tables."""
        return sum(each.rows for each in self.sums.values())


def list_tables(file: Path) -> list[Table]:
    """Return the tables of an SQLite file whose rows are copied, each behind those it refers to."""
    with open_file(file) as connection:
        names = [
            name
            for (name,) in connection.execute(_TABLES)
            if name not in _NOT_COPIED and not name.startswith((_SEARCH, "sqlite_"))
        ]
        needs = {
            name: {row[2] for row in connection.execute(_REFERENCES.format(table=name))} - {name} for name in names
        }
        columns = {name: [row[1] for row in connection.execute(_COLUMNS.format(table=name))] for name in names}
    return [Table(name, tuple(columns[name])) for name in TopologicalSorter(needs).static_order()]


async def copy_to_sqlite(address: str, file: Path, *, note: Progress) -> Copied:
    """Put one snapshot of a PostgreSQL database into a migrated SQLite file, in place of what its tables hold.

    Raises:
        StoreError: The database cannot be reached, or there is no room.
    """
    tables, copied = list_tables(file), Copied()
    async with _connected(address) as connection, connection.transaction(isolation="repeatable_read", readonly=True):
        writer = _FileWriter(file)
        try:
            await asyncio.to_thread(writer.open)
            for table in tables:
                await asyncio.to_thread(writer.begin, table)
                copied.sums[table.name] = total = Sum()
                async for rows in _batches(connection, table, total):
                    await asyncio.to_thread(writer.put, table, rows)
                    note(table.name, copied.rows)
            await asyncio.to_thread(writer.finish)
        finally:
            await asyncio.to_thread(writer.close)
    return copied


async def require_free(address: str, file: Path, *, mark: str) -> None:
    """Return when a PostgreSQL database can take the rows of a node: empty, or with our own mark from an earlier try.

    Raises:
        Conflict: It holds something else.
        StoreError: It cannot be reached.
    """
    known = {table.name for table in list_tables(file)} | _NOT_COPIED | {_SEARCH}
    async with _connected(address) as connection:
        found = {row["tablename"] for row in await connection.fetch(_IN_POSTGRES)}
        if not found:
            return
        if not found <= known or "schema_versions" not in found:
            raise Conflict("This PostgreSQL database holds something else. Give an empty one. Nothing was changed.")
        if "settings" in found and await connection.fetchval(_MARK_OF, _MARK) == mark:
            return
        for name in ("actors", "members", "audit", "posts"):
            if name in found and await connection.fetchval(_ONE_ROW.format(table=name)) is not None:
                raise Conflict(
                    "There is a node in this PostgreSQL database already. Give an empty one. Nothing was changed."
                )


async def copy_to_postgres(file: Path, address: str, *, mark: str, note: Progress) -> Copied:
    """Put every row of an SQLite file into a migrated PostgreSQL database, all of them or none, with a mark.

    Raises:
        StoreError: The database cannot be reached, or does not take a row.
    """
    tables, copied = list_tables(file), Copied()
    async with _connected(address) as connection:
        async with connection.transaction():
            names = ", ".join(f'"{name}"' for name in [*(table.name for table in tables), "search_shards", _SEARCH])
            await connection.execute(_EMPTY_ALL.format(tables=names))
            with open_file(file) as reader:
                for table in tables:
                    copied.sums[table.name] = total = Sum()
                    note(table.name, copied.rows)
                    rows = _passing(reader, table, total, lambda name=table.name: note(name, copied.rows))  # type: ignore[misc]
                    await _put_all(connection, table, rows)
            await connection.execute(_PUT_SETTING, _FILL, "0")
            await connection.execute(_PUT_SETTING, _MARK, mark)
        await connection.execute("ANALYZE")
    return copied


async def sum_postgres(address: str, tables: Sequence[Table], *, note: Progress) -> Copied:
    """Return what the rows of a PostgreSQL database amount to.

    Raises:
        StoreError: It cannot be reached.
    """
    found = Copied()
    async with _connected(address) as connection, connection.transaction(isolation="repeatable_read", readonly=True):
        for table in tables:
            found.sums[table.name] = total = Sum()
            async for _ in _batches(connection, table, total):
                note(table.name, found.rows)
    return found


def sum_sqlite(file: Path) -> Copied:
    """Return what the rows of an SQLite file amount to. Blocks: call it in a thread."""
    found = Copied()
    with open_file(file) as reader:
        for table in list_tables(file):
            found.sums[table.name] = total = Sum()
            for _ in _passing(reader, table, total, lambda: None):
                pass
    return found


def require_same(here: Copied, there: Copied) -> None:
    """Return when both sides hold the same rows.

    Raises:
        StoreError: They do not; the sentence names a table.
    """
    for name, total in here.sums.items():
        if there.sums.get(name) != total:
            raise StoreError(f"The copy of {name} is not the same as the original. Nothing was changed.")


async def unmark(address: str) -> None:
    """Take the mark away: this database is a node's now, and no copy may begin in it again."""
    async with _connected(address) as connection:
        await connection.execute(_UNMARK, _MARK)


class _FileWriter:
    """Writes rows into an SQLite file that nobody else knows. Called in threads, one call at a time."""

    def __init__(self, file: Path) -> None:
        self._stack = contextlib.ExitStack()
        self._file = file
        self._connection: sqlite3.Connection

    def open(self) -> None:
        self._connection = self._stack.enter_context(open_file(self._file, in_a_hurry=True, in_many_threads=True))
        self._connection.execute("BEGIN")

    def begin(self, table: Table) -> None:
        self._connection.execute(_EMPTY_ONE.format(table=table.name))

    def put(self, table: Table, rows: Sequence[Sequence[Any]]) -> None:
        columns = ", ".join(f'"{column}"' for column in table.columns)
        places = ", ".join("?" * len(table.columns))
        self._connection.executemany(_PUT_ROW.format(table=table.name, columns=columns, places=places), rows)

    def finish(self) -> None:
        for name in (_SEARCH, "search_shards"):
            self._connection.execute(_EMPTY_ONE.format(table=name))
        values = ("name", "value")
        self.put(Table("settings", values), [(_FILL, "0")])
        self._connection.execute("COMMIT")

    def close(self) -> None:
        self._stack.close()


def _passing(
    reader: sqlite3.Connection, table: Table, total: Sum, note: Callable[[], object]
) -> Iterator[tuple[Any, ...]]:
    """Yield the rows of a table that go to the other side, adding them up."""
    cursor = reader.execute(table.select)
    while rows := cursor.fetchmany(BATCH_ROWS):
        for row in rows:
            if table.is_moved(row):
                total.add(row)
                yield row
        note()


async def _batches(connection: Any, table: Table, total: Sum) -> AsyncIterator[list[tuple[Any, ...]]]:
    """Yield the rows of a table of PostgreSQL that go to the other side, adding them up."""
    batch: list[tuple[Any, ...]] = []
    async for record in connection.cursor(table.select, prefetch=BATCH_ROWS):
        row = tuple(record)
        if table.is_moved(row):
            total.add(row)
            batch.append(row)
        if len(batch) == BATCH_ROWS:
            yield batch
            batch = []
    if batch:
        yield batch


async def _put_all(connection: Any, table: Table, rows: Iterator[tuple[Any, ...]]) -> None:
    try:
        await connection.copy_records_to_table(table.name, records=rows, columns=table.columns, timeout=None)
    except asyncpg.PostgresError as error:
        raise StoreError(
            f"PostgreSQL does not take the rows of {table.name}. Nothing was switched over.",
            internal=f"{type(error).__name__} at {table.name}",
        ) from None


@asynccontextmanager
async def _connected(address: str) -> AsyncIterator[Any]:
    """Give a connection of our own, beside the pools: what is done here takes minutes."""
    try:
        connection: Any = await asyncpg.connect(address, server_settings=SETTINGS | {"lock_timeout": "0"})
    except (OSError, asyncpg.PostgresError, asyncpg.InterfaceError, ValueError) as error:
        raise StoreError(f"The PostgreSQL database cannot be reached: {type(error).__name__}.") from None
    try:
        yield connection
    except (
        asyncpg.InterfaceError,
        asyncpg.PostgresConnectionError,
        asyncpg.OperatorInterventionError,
        OSError,
    ) as error:
        raise StoreError(f"The PostgreSQL database went away: {type(error).__name__}.") from None
    finally:
        await connection.close()

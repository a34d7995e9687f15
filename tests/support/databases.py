"""Databases for tests: an empty one, or one with every migration applied, of the kind that the test runs on.

Migrations run once per kind and session. On SQLite each test copies that file. On PostgreSQL making a database takes
half a second, so a database that a test gave back is emptied and used again.
"""

from __future__ import annotations

import shutil
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import asyncpg

from node.foundation.clock import Clock
from node.store.engine import Store
from node.store.migrate import migrate
from node.store.opening import open_store
from tests.support.clock import NOON, FrozenClock
from tests.support.postgres import Cluster

KINDS = ("sqlite", "postgresql")
_TABLES = "SELECT tablename FROM pg_tables WHERE schemaname = 'public' ORDER BY tablename"
_DISCONNECT = """SELECT pg_terminate_backend(pid) FROM pg_stat_activity
  WHERE datname = current_database() AND pid <> pg_backend_pid()"""


@dataclass(slots=True)
class Spares:
    """What this session made and can use again.

    folder: holds the migrated SQLite file. free: the names of migrated PostgreSQL databases that nobody uses.
    """

    folder: Path
    free: list[str] = field(default_factory=list)
    count: int = 0

    def next_name(self) -> str:
        """Return a name that was never used."""
        self.count += 1
        return f"test_{self.count}"


class Databases:
    """Makes databases of one kind for one test, and takes them back."""

    def __init__(self, kind: str, spares: Spares, folder: Path, cluster: Cluster | None) -> None:
        self.kind = kind
        self._spares = spares
        self._folder = folder
        self._cluster = cluster
        self._reusable: list[str] = []
        self._to_drop: list[str] = []
        self._stores: list[Store] = []

    async def new_empty_address(self) -> str:
        """Return the address of a database without any table."""
        if self.kind == "sqlite":
            return "sqlite:"
        name = self._spares.next_name()
        self._to_drop.append(name)
        await self._administer("postgres", f"CREATE DATABASE {name}")
        return self._at(name)

    async def new_address(self) -> str:
        """Return the address of a database for a whole node, as a configuration names it.

        On SQLite that is `sqlite:` each time: the file lies in the node's own data directory. On PostgreSQL every table
        is there already, without rows, and `migrate` finds nothing to do.
        """
        return "sqlite:" if self.kind == "sqlite" else await self._take_spare()

    async def new_data(self) -> tuple[str, Path]:
        """Return the address of a migrated database and the data directory that belongs to it."""
        data = self._folder / self._spares.next_name()
        data.mkdir()
        if self.kind == "postgresql":
            return await self._take_spare(), data
        shutil.copy(await self._migrated_file(), data)
        return "sqlite:", data

    async def new_store(self, clock: Clock) -> Store:
        """Return an open store with every table; it is closed after the test."""
        address, data = await self.new_data()
        return await self.open(address, data, clock)

    async def open(self, address: str, data: Path, clock: Clock) -> Store:
        """Open a store that is closed after the test."""
        store = await open_store(address, data=data, clock=clock)
        self._stores.append(store)
        return store

    async def give_back(self) -> None:
        """Close every store; empty or drop every database."""
        for store in self._stores:
            await store.close()
        for name in self._reusable:
            await self._empty(name)
            self._spares.free.append(name)
        for name in self._to_drop:
            await self._administer("postgres", f"DROP DATABASE {name} WITH (FORCE)")

    async def _migrated_file(self) -> Path:
        file = self._spares.folder / "rounds.sqlite"
        if not file.exists():
            store = await open_store("sqlite:", data=self._spares.folder, clock=FrozenClock())
            await migrate(store, now=NOON)
            await store.close()
        return file

    async def _take_spare(self) -> str:
        name = self._spares.free.pop() if self._spares.free else await self._make_spare()
        self._reusable.append(name)
        return self._at(name)

    async def _make_spare(self) -> str:
        name = self._spares.next_name()
        await self._administer("postgres", f"CREATE DATABASE {name}")
        store = await open_store(self._at(name), data=self._folder, clock=FrozenClock())
        await migrate(store, now=NOON)
        await store.close()
        tables = await self._tables(name)
        copies = [f"CREATE TABLE initial.{table} AS SELECT * FROM {table}" for table in tables]
        await self._administer(name, ";".join(["CREATE SCHEMA initial", *copies]))
        return name

    async def _empty(self, name: str) -> None:
        script = [_DISCONNECT, "SET session_replication_role = replica"]  # so that no foreign key asks for an order
        for table in await self._tables(name):
            script += [f"DELETE FROM {table}", f"INSERT INTO {table} SELECT * FROM initial.{table}"]
        await self._administer(name, ";".join(script))

    async def _tables(self, name: str) -> list[str]:
        connection: Any = await asyncpg.connect(self._at(name))
        try:
            return [row["tablename"] for row in await connection.fetch(_TABLES)]
        finally:
            await connection.close()

    async def _administer(self, name: str, script: str) -> None:
        connection: Any = await asyncpg.connect(self._at(name))
        try:
            await connection.execute(script)
        finally:
            await connection.close()

    def _at(self, name: str) -> str:
        assert self._cluster is not None
        return self._cluster.address(name)

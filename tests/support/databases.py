"""Databases for tests: an empty one, or one with every migration applied, of the kind that the test runs on.

Migrations run once per kind and session, and so does whatever a test's database begins with (`Filling`). On SQLite each
test copies that file. On PostgreSQL making a database takes half a second, so a database that a test gave back is put
back into the state of its beginning and used again.
"""

from __future__ import annotations

import shutil
from collections import defaultdict
from collections.abc import Awaitable, Callable
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
from tests.support.restoring import Restorer

# Puts into a migrated database what every test with this filling begins with. It is run once per session, so it is a
# function of a module, and nothing in what it writes may be about one test.
Filling = Callable[[Store], Awaitable[None]]

KINDS = ("sqlite", "postgresql")


@dataclass(slots=True)
class Spares:
    """What this session made and can use again.

    folder: holds the migrated SQLite files. free: the names of PostgreSQL databases that nobody uses, by their filling.
    """

    folder: Path
    restorer: Restorer = field(default_factory=Restorer)
    free: dict[Filling | None, list[str]] = field(default_factory=lambda: defaultdict(list))
    files: dict[Filling | None, Path] = field(default_factory=dict)
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
        self._reusable: list[tuple[Filling | None, str]] = []
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

    async def new_data(self, filling: Filling | None = None) -> tuple[str, Path]:
        """Return the address of a migrated database and the data directory that belongs to it."""
        data = self._folder / self._spares.next_name()
        data.mkdir()
        if self.kind == "postgresql":
            return await self._take_spare(filling), data
        shutil.copyfile(await self._first_file(filling), data / "rounds.sqlite")
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
        """Close every store; restore or drop every database."""
        for store in self._stores:
            await store.close()
        for filling, name in self._reusable:
            await self._spares.restorer.restore(self._at(name))
            self._spares.free[filling].append(name)
        for name in self._to_drop:
            await self._administer("postgres", f"DROP DATABASE {name} WITH (FORCE)")

    async def _first_file(self, filling: Filling | None) -> Path:
        if filling not in self._spares.files:
            folder = self._spares.folder / self._spares.next_name()
            folder.mkdir()
            await self._begin("sqlite:", folder, filling)
            self._spares.files[filling] = folder / "rounds.sqlite"
        return self._spares.files[filling]

    async def _take_spare(self, filling: Filling | None = None) -> str:
        free = self._spares.free[filling]
        name = free.pop() if free else await self._make_spare(filling)
        self._reusable.append((filling, name))
        return self._at(name)

    async def _make_spare(self, filling: Filling | None) -> str:
        name = self._spares.next_name()
        await self._administer("postgres", f"CREATE DATABASE {name}")
        await self._begin(self._at(name), self._folder, filling)
        await self._spares.restorer.remember(self._at(name))
        return name

    async def _begin(self, address: str, folder: Path, filling: Filling | None) -> None:
        store = await open_store(address, data=folder, clock=FrozenClock())
        await migrate(store, now=NOON)
        if filling is not None:
            await filling(store)
        await store.close()

    async def _administer(self, name: str, script: str) -> None:
        connection: Any = await asyncpg.connect(self._at(name))
        try:
            await connection.execute(script)
        finally:
            await connection.close()

    def _at(self, name: str) -> str:
        assert self._cluster is not None
        return self._cluster.address(name)

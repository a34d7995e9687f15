"""Moving a stopped node from its SQLite file to a PostgreSQL database.

*How it works.* A mark is written into the data directory and goes with the rows; they are copied in one transaction and
read again; the index of search is made; then `rounds.toml` is switched in one step. Until that step the node is on SQLite and
nothing has happened to it; after it, it is on PostgreSQL. Killed anywhere, the same command again either begins anew in the
database that carries its mark, or tidies up what is left to tidy.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from node.foundation.clock import Clock
from node.foundation.config import CONFIG_NAME, load_config
from node.foundation.errors import ConfigError, StoreError
from node.foundation.settings_file import set_database
from node.store.backup.archive import DATABASE_NAME
from node.store.backup.folders import replace_file
from node.store.backup.tables import (
    copy_to_postgres,
    list_tables,
    require_free,
    require_same,
    sum_postgres,
    unmark,
)
from node.store.migrate import migrate
from node.store.opening import open_store

from .service import count_node

Note = Callable[[str], object]
_MARK_NAME = "moving"
_MOVED = ".moved"


@dataclass(frozen=True, slots=True)
class Moved:
    """What a move did. rows: how many were copied; 0 where everything was done before."""

    rows: int
    tables: int


async def move(data: Path, address: str, *, clock: Clock, note: Note) -> Moved:
    """Move a stopped node; the caller holds the directory's lock.

    Raises:
        ConfigError: The address is none, or the node is on another database.
        Conflict: The database holds something else.
        StoreError: The copy failed, or is not the same; the node is on SQLite as before.
    """
    if not address.startswith("postgresql://"):
        raise ConfigError("--to takes the address of a PostgreSQL database: postgresql://…")
    config, effective = load_config(data, {}), load_config(data)
    if config.database != effective.database:
        raise ConfigError("ROUNDS_DATABASE is set and goes before rounds.toml. Take it away first.")
    if config.database == address:
        await _tidy(data, address)
        return Moved(0, 0)
    if config.database != "sqlite:":
        raise ConfigError("This node is on another PostgreSQL database. Move it with PostgreSQL's own tools.")
    mark = _take_mark(data)
    moved = await copy_rows(data, address, mark=mark, clock=clock, note=note)
    text = (data / CONFIG_NAME).read_text("utf-8")
    replace_file(data / CONFIG_NAME, set_database(text, address).encode())
    await _tidy(data, address)
    return moved


async def copy_rows(folder: Path, address: str, *, mark: str, clock: Clock, note: Note) -> Moved:
    """Copy the SQLite file of a folder to a PostgreSQL database, check every row, and make the index of search.

    Raises:
        Conflict, StoreError: As for `move`.
    """
    file = folder / DATABASE_NAME
    store = await open_store("sqlite:", data=folder, clock=clock)
    try:
        await migrate(store, now=clock.now())
        counts, _ = await store.read(count_node)
        await store.tidy()
    finally:
        await store.close()
    await require_free(address, file, mark=mark)
    target = await open_store(address, data=folder, clock=clock)
    try:
        note("Making the tables.")
        await migrate(target, now=clock.now())
        copied = await copy_to_postgres(
            file, address, mark=mark, note=lambda name, rows: note(f"Copying {name}: {rows} rows.")
        )
        found = await sum_postgres(
            address, list_tables(file), note=lambda name, rows: note(f"Comparing {name}: {rows} of {copied.rows} rows.")
        )
        require_same(copied, found)
        note("Making the index of search.")
        await migrate(target, now=clock.now())
        there, _ = await target.read(count_node)
        if there != counts:
            raise StoreError(
                "The copy counts other members, groups or posts than the original. Nothing was switched over."
            )
        await target.tidy()
    finally:
        await target.close()
    return Moved(copied.rows, len(copied.sums))


def _take_mark(data: Path) -> str:
    """Return the mark of this directory's move; the same one after an interruption."""
    path = data / _MARK_NAME
    if not path.exists():
        replace_file(path, f"move {secrets.token_hex(16)}".encode())
    return path.read_text("utf-8")


async def _tidy(data: Path, address: str) -> None:
    """Do what comes after the switch, as far as it is not done: put the SQLite file aside, take the mark away."""
    for ending in ("", "-wal", "-shm"):
        path = data / f"{DATABASE_NAME}{ending}"
        if path.exists():
            path.rename(data / f"{DATABASE_NAME}{_MOVED}{ending}")
    if (data / _MARK_NAME).exists():
        await unmark(address)
        (data / _MARK_NAME).unlink()

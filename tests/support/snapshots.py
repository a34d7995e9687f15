"""Snapshots of a stopped node's database, and going back to them as `rounds restore` leaves a node: the journal stays."""

from __future__ import annotations

import shutil
import sqlite3
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

import asyncpg

from node.foundation.config import load_config

from .village import Node

# A closed connection's session may end a moment later than the connection.
_END_SESSIONS = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{name}'"
_BEGUN = "INSERT INTO recoveries (recovery_id, state, taken_at, restored_at) VALUES (1, 'begun', 0, 0)"


async def take_snapshot(node: Node) -> str:
    """Keep a stopped node's database as it is now; return where."""
    address = load_config(node.data, {}).database
    if address == "sqlite:":
        kept = node.data.with_name(f"{node.data.name}.kept")
        shutil.copyfile(node.data / "rounds.sqlite", kept)
        return str(kept)
    name = _name_of(address)
    await _administer(
        address,
        _END_SESSIONS.format(name=name),
        f"DROP DATABASE IF EXISTS {name}_kept",
        f"CREATE DATABASE {name}_kept TEMPLATE {name}",
    )
    return f"{name}_kept"


async def go_back(node: Node, kept: str, *, is_declared: bool = True) -> None:
    """Put a snapshot in the place of a stopped node's database.

    Args:
        node: The node.
        kept: From `take_snapshot`.
        is_declared: Whether it is known here to be restored, as after `rounds restore`; not so after a disk image.
    """
    address = load_config(node.data, {}).database
    if address == "sqlite:":
        for name in ("rounds.sqlite-wal", "rounds.sqlite-shm"):
            (node.data / name).unlink(missing_ok=True)
        shutil.copyfile(kept, node.data / "rounds.sqlite")
        if is_declared:
            _declare_on_sqlite(node.data / "rounds.sqlite")
        return
    name = _name_of(address)
    await _administer(address, f"DROP DATABASE {name} WITH (FORCE)", f"CREATE DATABASE {name} TEMPLATE {kept}")
    if is_declared:
        connection = await asyncpg.connect(address)
        await connection.execute(_BEGUN)
        await connection.close()


def _declare_on_sqlite(path: Path) -> None:
    connection = sqlite3.connect(path)
    with connection:
        connection.execute(_BEGUN)
    connection.close()


def _name_of(address: str) -> str:
    return urlsplit(address).path.removeprefix("/")


async def _administer(address: str, *statements: str) -> None:
    connection = await asyncpg.connect(urlunsplit(urlsplit(address)._replace(path="/postgres")))
    try:
        for statement in statements:
            await connection.execute(statement)
    finally:
        await connection.close()

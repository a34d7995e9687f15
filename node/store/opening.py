"""Opening: the database that the configuration names, as a `Store`."""

from __future__ import annotations

from pathlib import Path

from node.foundation.clock import Clock

from .engine import Store
from .sqlite import SqliteStore


async def open_store(database: str, *, data: Path, clock: Clock) -> Store:
    """Open the database that the configuration names.

    Args:
        database: `sqlite:` for `rounds.sqlite` in `data`, or a postgresql:// address.
        data: The data directory.
        clock: Gives `tx.now`.

    Raises:
        StoreError: It cannot be opened; the sentence says why.
    """
    if database.startswith("postgresql://"):
        from .postgres import PostgresStore  # asyncpg is an extra: only nodes on PostgreSQL need it

        return await PostgresStore.open(database, clock=clock)
    return await SqliteStore.open(data / "rounds.sqlite", clock=clock)

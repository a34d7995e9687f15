"""Put a PostgreSQL database back to what it was: a function in it knows how, and a connection to it stays open.

A connection that has looked at sixty tables knows them; a new one reads about each of them first, which takes longer
than all the rest. Connections belong to an event loop and each test has its own, so they live in a loop on a thread.
"""

from __future__ import annotations

import asyncio
import threading
from typing import Any

import asyncpg

_TABLES = "SELECT tablename FROM pg_tables WHERE schemaname = 'public' ORDER BY tablename"
_DISCONNECT = """SELECT pg_terminate_backend(pid) FROM pg_stat_activity
  WHERE datname = current_database() AND pid <> pg_backend_pid()"""
_UNORDERED = "SET session_replication_role = replica"  # so that no foreign key asks for an order
_RESTORE = "SELECT initial.restore()"
# More bytes than this in one table and every table gets new files: rows that are deleted stay in the old ones.
_BIG_BYTES = 4_000_000


class Restorer:
    """Remembers what databases were like, and restores that."""

    def __init__(self) -> None:
        self._loop: asyncio.AbstractEventLoop | None = None
        self._thread = threading.Thread()
        self._connections: dict[str, Any] = {}

    async def remember(self, address: str) -> None:
        """Remember a database as it is now."""
        await self._run(self._remember(address))

    async def restore(self, address: str) -> None:
        """Disconnect everybody from a database that was remembered, and make it what it was."""
        await self._run(self._restore(address))

    def close(self) -> None:
        """Let go of every connection, and end the thread."""
        if self._loop is None:
            return
        asyncio.run_coroutine_threadsafe(self._let_go(), self._loop).result(10)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(10)
        self._loop.close()
        self._loop = None

    async def _let_go(self) -> None:
        for connection in self._connections.values():
            connection.terminate()
        self._connections.clear()
        await asyncio.sleep(0)

    async def _run(self, work: Any) -> None:
        if self._loop is None:
            self._loop = asyncio.new_event_loop()
            self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
            self._thread.start()
        await asyncio.wrap_future(asyncio.run_coroutine_threadsafe(work, self._loop))

    async def _remember(self, address: str) -> None:
        connection = await self._connect(address)
        tables = [row["tablename"] for row in await connection.fetch(_TABLES)]
        await connection.execute("CREATE SCHEMA initial")
        filled = []
        for table in tables:
            await connection.execute(f"CREATE TABLE initial.{table} AS SELECT * FROM {table}")
            if await connection.fetchval(f"SELECT EXISTS (SELECT FROM {table})"):
                filled.append(table)
        await connection.execute(_function(tables, filled))

    async def _restore(self, address: str) -> None:
        connection = self._connections[address]
        if connection.is_closed():  # a test ended every connection to its database
            connection = await self._connect(address)
        await connection.execute(_DISCONNECT)
        await connection.execute(_RESTORE)

    async def _connect(self, address: str) -> Any:
        connection = self._connections[address] = await asyncpg.connect(address)
        await connection.execute(_UNORDERED)
        return connection


def _function(tables: list[str], filled: list[str]) -> str:
    """Return the statement that makes `initial.restore`; the tables that had rows in the beginning get them again."""
    is_big = (
        f"(SELECT max(pg_relation_size(oid)) FROM pg_class WHERE relnamespace = 'public'::regnamespace) > {_BIG_BYTES}"
    )
    deletes = "".join(f"DELETE FROM {table};" for table in tables)
    inserts = "".join(f"INSERT INTO {table} SELECT * FROM initial.{table};" for table in filled)
    return f"""CREATE FUNCTION initial.restore() RETURNS void LANGUAGE plpgsql AS $$ BEGIN
      IF {is_big} THEN TRUNCATE {", ".join(tables)}; ELSE {deletes} END IF; {inserts} END $$"""

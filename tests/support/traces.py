"""Look for a word wherever a node may have left it: in every row, every file, every byte on the wire."""

from __future__ import annotations

import base64
import sqlite3
from pathlib import Path
from typing import Any

import asyncpg

_TABLES = "SELECT tablename FROM pg_tables WHERE schemaname = 'public' ORDER BY tablename"
_SQLITE_TABLES = "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%' ORDER BY name"


def list_spellings(word: str) -> list[bytes]:
    """Return a word as it may stand in bytes: plain, and as part of a longer text in base64, at each of its three places.

    >>> list_spellings("canary")[0]
    b'canary'
    """
    plain = word.encode()
    found = [plain]
    for ahead in range(3):
        encoded = base64.b64encode(bytes(ahead) + plain)
        first = -(-ahead * 4 // 3)
        whole = (ahead + len(plain)) * 4 // 3
        found.append(encoded[first:whole])
    return found


def find_in_bytes(word: str, data: bytes) -> bool:
    """Return whether a word lies in some bytes, plain or in base64."""
    return any(spelling in data for spelling in list_spellings(word))


def find_in_folder(word: str, folder: Path) -> list[str]:
    """Return the files below a folder that hold a word."""
    files = [path for path in folder.rglob("*") if path.is_file()]
    return [str(path.relative_to(folder)) for path in files if find_in_bytes(word, path.read_bytes())]


def find_in_rows(word: str, rows: dict[str, list[str]]) -> list[str]:
    """Return the tables with a row that holds a word."""
    return [
        f"table {table}" for table, texts in rows.items() if any(find_in_bytes(word, text.encode()) for text in texts)
    ]


async def read_rows(address: str, data: Path) -> dict[str, list[str]]:
    """Return every row of every table as text, sorted, by table.

    Args:
        address: As in the configuration.
        data: The data directory, where SQLite keeps its file.
    """
    return await _read_postgres(address) if address.startswith("postgresql:") else _read_sqlite(data / "rounds.sqlite")


def _read_sqlite(path: Path) -> dict[str, list[str]]:
    connection = sqlite3.connect(f"file:{path}?mode=ro", uri=True)
    try:
        tables = [name for (name,) in connection.execute(_SQLITE_TABLES).fetchall()]
        return {table: sorted(map(repr, connection.execute(f"SELECT * FROM {table}"))) for table in tables}
    finally:
        connection.close()


async def _read_postgres(address: str) -> dict[str, list[str]]:
    connection: Any = await asyncpg.connect(address)
    try:
        tables = [row["tablename"] for row in await connection.fetch(_TABLES)]
        return {
            table: sorted(repr(tuple(row)) for row in await connection.fetch(f"SELECT * FROM {table}"))
            for table in tables
        }
    finally:
        await connection.close()

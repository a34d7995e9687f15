"""The smallest bodies: rows of the table `settings`, for tests of the store itself."""

from __future__ import annotations

from node.store.engine import Tx

_PUT = "INSERT INTO settings (name, value) VALUES (:name, :value)"
_CHANGE = "UPDATE settings SET value = :value WHERE name = :name"
_GET = "SELECT value FROM settings WHERE name = :name"
_NAMES = "SELECT name FROM settings ORDER BY name"


async def put(tx: Tx, name: str, value: str = "") -> str:
    """Insert a row and return its name."""
    await tx.run(_PUT, name=name, value=value)
    return name


async def put_then_fail(tx: Tx, name: str) -> None:
    """Insert a row, then break."""
    await put(tx, name)
    raise LookupError(name)


async def change(tx: Tx, name: str, value: str) -> int:
    """Change a row; return how many were."""
    return await tx.run(_CHANGE, name=name, value=value)


async def get(tx: Tx, name: str) -> str | None:
    """Return a row's value."""
    value: str | None = await tx.value(_GET, name=name)
    return value


async def names(tx: Tx) -> list[str]:
    """Return the name of every row."""
    return [row.name for row in await tx.all(_NAMES)]

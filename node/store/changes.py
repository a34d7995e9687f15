"""What other processes of this node keep in memory and must read again: a count for each topic, in the transaction itself."""

from __future__ import annotations

from .engine import Tx

KEYS = "keys"

_BUMP = "INSERT INTO changes (topic, n) VALUES (:topic, 1) ON CONFLICT (topic) DO UPDATE SET n = changes.n + 1"
_ALL = "SELECT topic, n FROM changes"


async def note_change(tx: Tx, topic: str) -> None:
    """Say that what is kept in memory of a topic is out of date, once this is committed."""
    await tx.run(_BUMP, topic=topic)


async def read_changes(tx: Tx) -> dict[str, int]:
    """Return {topic: how often it changed}."""
    return {row.topic: row.n for row in await tx.all(_ALL)}

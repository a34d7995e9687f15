"""The list of nodes that operators share, as it was imported last; and who was taken off it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from .engine import Tx

_ALL = "SELECT host, fingerprint, listed_at, left_at FROM shared_list ORDER BY host"
_ONE = "SELECT host, fingerprint, listed_at, left_at FROM shared_list WHERE host = :host"
_PUT = """INSERT INTO shared_list (host, fingerprint, listed_at, left_at)
  VALUES (:host, :fingerprint, :listed_at, NULL)
  ON CONFLICT (host) DO UPDATE SET fingerprint = excluded.fingerprint, left_at = NULL"""
_LEAVE = "UPDATE shared_list SET left_at = :left_at WHERE host = :host AND left_at IS NULL"
_FORGET = "DELETE FROM shared_list WHERE host = :host"


@dataclass(frozen=True, slots=True)
class Listed:
    """A node of the shared list. fingerprint: as the list gives it, or nothing. left_at: since when it is off it."""

    host: str
    fingerprint: str
    listed_at: datetime
    left_at: datetime | None


async def list_listed(tx: Tx) -> list[Listed]:
    """Return every node that is on the list, or was taken off it, by host."""
    return [Listed(*row) for row in await tx.all(_ALL)]


async def get_listed(tx: Tx, *, host: str) -> Listed | None:
    """Return what the list says of a node, or said before it was taken off."""
    row = await tx.one(_ONE, host=host)
    return Listed(*row) if row else None


async def put_listed(tx: Tx, *, host: str, fingerprint: str) -> None:
    """Put a node on the list, or back onto it."""
    await tx.run(_PUT, host=host, fingerprint=fingerprint, listed_at=tx.now)


async def leave_list(tx: Tx, *, host: str) -> None:
    """Note that a node is not on the list any more; the first time counts."""
    await tx.run(_LEAVE, host=host, left_at=tx.now)


async def forget_listed(tx: Tx, *, host: str) -> None:
    """Forget that a node was on the list."""
    await tx.run(_FORGET, host=host)

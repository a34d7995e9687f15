"""The audit chain: who did what, each row sealed to the one before. No words of members stand in it.

hash(n) = SHA-256 over the JSON array [hash(n−1), n, instant in microseconds, actor, action, target, reason], written without
spaces. Stored format: the order of those fields may never change; new facts go into `reason`.
"""

from __future__ import annotations

import hashlib
from datetime import datetime
from typing import Any

import msgspec

from node.foundation.clock import to_micros

from .engine import Tx

_TAKE = "UPDATE audit_head SET n = n + 1 WHERE one = 1 RETURNING n, hash"
_HEAD = "SELECT n, hash FROM audit_head WHERE one = 1"
_MOVE = "UPDATE audit_head SET hash = :hash WHERE one = 1"
_INSERT = """INSERT INTO audit (n, written_at, actor, action, target, reason, hash)
  VALUES (:n, :written_at, :actor, :action, :target, :reason, :hash)"""
_LIST = "SELECT n, written_at, actor, action, target, reason, hash FROM audit WHERE n > :after ORDER BY n LIMIT 500"
_NEWEST = """SELECT n, written_at, actor, action, target, reason FROM audit
  WHERE n < :before ORDER BY n DESC LIMIT 50"""
_LAST = """SELECT n, written_at, actor, action, target, reason FROM audit
  WHERE target = :target AND action = :action ORDER BY n DESC LIMIT 1"""
_OF_TARGET = """SELECT n, written_at, actor, action, target, reason FROM audit
  WHERE target = :target ORDER BY n DESC LIMIT 10"""


async def write_audit(tx: Tx, *, actor: str, action: str, target: str, reason: str | None = None) -> None:
    """Append one row: who (an address, or "operator"), what ("peer.add"), to whom, and why."""
    head = await tx.one(_TAKE)
    assert head is not None
    digest = chain_audit(head.hash, head.n, tx.now, actor, action, target, reason)
    await tx.run(
        _INSERT, n=head.n, written_at=tx.now, actor=actor, action=action, target=target, reason=reason, hash=digest
    )
    await tx.run(_MOVE, hash=digest)


def chain_audit(before: str, n: int, at: datetime, actor: str, action: str, target: str, reason: str | None) -> str:
    """Return the hash of a row, given the hash of the row before."""
    fields = (before, n, to_micros(at), actor, action, target, reason)
    return hashlib.sha256(msgspec.json.encode(fields)).hexdigest()


async def list_audit(tx: Tx, *, after: int = 0) -> list[Any]:
    """Return at most 500 rows (n, written_at, actor, action, target, reason, hash) above `after`, oldest first."""
    return await tx.all(_LIST, after=after)


async def list_newest_audit(tx: Tx, *, before: int) -> list[Any]:
    """Return at most 50 rows (n, written_at, actor, action, target, reason) below `before`, newest first."""
    return await tx.all(_NEWEST, before=before)


async def list_audit_of(tx: Tx, *, target: str) -> list[Any]:
    """Return the last 10 rows about something, newest first."""
    return await tx.all(_OF_TARGET, target=target)


async def find_audit(tx: Tx, *, target: str, action: str) -> Any | None:
    """Return the last row that says that something was done to somebody, or None."""
    return await tx.one(_LAST, target=target, action=action)


async def find_first_bad(tx: Tx) -> tuple[int, int | None]:
    """Return how many rows there are, and the number of the first that does not fit the one before, or None."""
    before, expected, counted = "", 1, 0
    while rows := await list_audit(tx, after=expected - 1):
        for row in rows:
            digest = chain_audit(before, row.n, row.written_at, row.actor, row.action, row.target, row.reason)
            if row.n != expected or row.hash != digest:
                return counted, row.n
            before, expected, counted = digest, expected + 1, counted + 1
    head = await tx.one(_HEAD)
    is_whole = head is not None and head.n == counted and head.hash == before
    return counted, None if is_whole else expected

"""Requests that may be sent twice: what the first one made. Kept with what it made, in one transaction."""

from __future__ import annotations

from .engine import Tx

_GET = "SELECT result FROM idempotency WHERE owner = :owner AND request_key = :request_key"
_KEEP = """INSERT INTO idempotency (owner, request_key, result, created_at)
  VALUES (:owner, :request_key, :result, :created_at)"""


async def get_result(tx: Tx, *, owner: str, request_key: str) -> str | None:
    """Return what a request with this key made, or None when it is the first."""
    return await tx.value(_GET, owner=owner, request_key=request_key)  # type: ignore[no-any-return]


async def keep_result(tx: Tx, *, owner: str, request_key: str, result: str) -> None:
    """Remember what a request made.

    Raises:
        Duplicate: Another with the same key was faster; nothing of this one is written.
    """
    await tx.run(_KEEP, owner=owner, request_key=request_key, result=result, created_at=tx.now)

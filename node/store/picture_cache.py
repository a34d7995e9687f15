"""Pictures of groups hosted elsewhere, in the store: a cache, whose files may go because the host has them.

`let_go` is the state of a picture whose file went to make room. Whoever looks at it has it fetched again.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta

from .engine import Tx

_USED = """UPDATE media SET used_at = :now_at WHERE token IN :tokens AND source_uri IS NOT NULL
  AND (used_at IS NULL OR used_at < :before_at)"""
_OF_PEERS = """FROM media m JOIN groups g ON g.group_id = m.group_id
  WHERE m.state = 'ready' AND m.source_uri IS NOT NULL AND g.peer_id IS NOT NULL"""
_SIZE = f"SELECT COALESCE(SUM(m.size_bytes), 0) AS n {_OF_PEERS}"
_OLDEST = f"""SELECT m.token, m.size_bytes, COALESCE(m.used_at, m.created_at) AS last_at {_OF_PEERS}
  ORDER BY COALESCE(m.used_at, m.created_at), m.token LIMIT 200"""
_LET_GO = "UPDATE media SET state = 'let_go' WHERE token IN :tokens AND state = 'ready'"
_HASHES = "SELECT DISTINCT sha256 FROM media WHERE token IN :tokens"
_IN_USE = "SELECT COUNT(*) AS n FROM media WHERE sha256 = :sha256 AND state = 'ready'"
_WANT = "UPDATE media SET state = 'wanted', tries = 0, due_at = :now_at WHERE token = :token AND state = 'let_go'"


@dataclass(frozen=True, slots=True)
class CachedPicture:
    """A picture of another node. last_at: when somebody last looked at it, to the day; or when it came."""

    token: str
    size_bytes: int
    last_at: datetime


async def note_used(tx: Tx, *, tokens: Collection[str]) -> None:
    """Note that somebody looked at these pictures; once a day is enough."""
    before_at = tx.now - timedelta(days=1)
    await tx.run(_USED, tokens=list(tokens), now_at=tx.now, before_at=before_at)


async def measure_cache(tx: Tx) -> int:
    """Return how many bytes the pictures of other nodes take."""
    return int(await tx.value(_SIZE))


async def list_longest_unused(tx: Tx) -> list[CachedPicture]:
    """Return the 200 pictures of other nodes that nobody has looked at for the longest."""
    return [CachedPicture(*row) for row in await tx.all(_OLDEST)]


async def let_pictures_go(tx: Tx, *, tokens: list[str]) -> list[str]:
    """Give up the files of pictures; return the hashes whose files nobody needs now."""
    await tx.run(_LET_GO, tokens=tokens)
    hashes = [row.sha256 for row in await tx.all(_HASHES, tokens=tokens)]
    return [sha256 for sha256 in hashes if not await tx.value(_IN_USE, sha256=sha256)]


async def want_again(tx: Tx, *, token: str) -> bool:
    """Have a picture fetched again whose file went; False where it is not one."""
    return await tx.run(_WANT, token=token, now_at=tx.now) == 1

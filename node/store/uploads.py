"""Pictures that members added and that are on no post yet, in the store: described, taken away, forgotten after a day."""

from __future__ import annotations

import asyncio
from datetime import timedelta

from node.foundation.logs import get_logger

from .core import Core
from .engine import Row, Tx
from .files import delete_files

LEFT_DAYS = 1
_COUNT = "SELECT COUNT(*) AS n FROM media WHERE owner_id = :owner_id AND post_id IS NULL"
_DESCRIBE = "UPDATE media SET alt = :alt WHERE token = :token AND owner_id = :owner_id AND post_id IS NULL"
_DELETE = "DELETE FROM media WHERE token = :token AND owner_id = :owner_id AND post_id IS NULL"
_LEFT = """SELECT token, sha256 FROM media
  WHERE post_id IS NULL AND owner_id IS NOT NULL AND created_at < :before_at LIMIT 200"""
_FORGET = "DELETE FROM media WHERE token IN :tokens AND post_id IS NULL AND owner_id IS NOT NULL"
_STILL_NAMED = "SELECT DISTINCT sha256 FROM media WHERE sha256 IN :hashes"


async def count_uploads(tx: Tx, *, owner_id: int) -> int:
    """Return how many pictures of a member are on no post."""
    return int(await tx.value(_COUNT, owner_id=owner_id))


async def describe_upload(tx: Tx, *, token: str, owner_id: int, alt: str) -> bool:
    """Change what a picture is described as; False when it is not theirs or is on a post already."""
    return await tx.run(_DESCRIBE, token=token, owner_id=owner_id, alt=alt) == 1


async def delete_upload(tx: Tx, *, token: str, owner_id: int, sha256: str) -> list[str] | None:
    """Delete a picture; return the hashes whose files nobody needs now, or None when it is not theirs or on a post."""
    if await tx.run(_DELETE, token=token, owner_id=owner_id) != 1:
        return None
    return await _unneeded(tx, [sha256])


async def forget_uploads(core: Core) -> int:
    """Forget the pictures that have been on no post for a day; return how many there were."""
    count = 0
    while await core.store.read(_list_left):
        tokens, hashes = await core.store.write(_forget_some)
        await asyncio.to_thread(delete_files, core, hashes)
        count += len(tokens)
    if count:
        get_logger().info("uploads_forgotten", count=count)
    return count


async def _list_left(tx: Tx) -> list[Row]:
    return await tx.all(_LEFT, before_at=tx.now - timedelta(days=LEFT_DAYS))


async def _forget_some(tx: Tx) -> tuple[list[str], list[str]]:
    rows = await _list_left(tx)
    tokens = [row.token for row in rows]
    if not tokens:
        return [], []
    await tx.run(_FORGET, tokens=tokens)
    return tokens, await _unneeded(tx, [row.sha256 for row in rows])


async def _unneeded(tx: Tx, hashes: list[str]) -> list[str]:
    """Return those of some hashes that no picture has any more."""
    named = {row.sha256 for row in await tx.all(_STILL_NAMED, hashes=hashes)}
    return [sha256 for sha256 in dict.fromkeys(hashes) if sha256 not in named]

"""What was taken back in each group: posts that were deleted or removed, whether they came before that or come after it."""

from __future__ import annotations

from .engine import Tx

_NOTE = """INSERT INTO taken_back (group_id, post_uri, seq) VALUES (:group_id, :post_uri, :seq)
  ON CONFLICT (group_id, post_uri) DO UPDATE SET seq = COALESCE(taken_back.seq, excluded.seq)"""
_WAS = "SELECT 1 AS yes FROM taken_back WHERE group_id = :group_id AND post_uri = :post_uri"
_IS_SAID = "SELECT seq FROM taken_back WHERE group_id = :group_id AND post_uri = :post_uri"
_UNSAID = """SELECT t.post_uri FROM taken_back t JOIN posts p ON p.uri = t.post_uri AND p.group_id = t.group_id
  WHERE t.group_id = :group_id AND t.seq IS NULL AND p.seq IS NOT NULL ORDER BY t.post_uri LIMIT 1000"""
_CUT = "DELETE FROM taken_back WHERE group_id = :group_id AND seq > :seq"
_PURGE = "DELETE FROM taken_back WHERE group_id = :group_id"


async def note_taken_back(tx: Tx, *, group_id: int, post_uri: str, seq: int | None) -> None:
    """Note that a post is gone: by an entry of the group's log, or (None) because the journal says so."""
    await tx.run(_NOTE, group_id=group_id, post_uri=post_uri, seq=seq)


async def was_taken_back(tx: Tx, *, group_id: int, post_uri: str) -> bool:
    """Say whether a post is gone."""
    return await tx.value(_WAS, group_id=group_id, post_uri=post_uri) is not None


async def is_said_gone(tx: Tx, *, group_id: int, post_uri: str) -> bool:
    """Say whether an entry of the group's log says that a post is gone."""
    return await tx.value(_IS_SAID, group_id=group_id, post_uri=post_uri) is not None


async def list_unsaid(tx: Tx, *, group_id: int) -> list[str]:
    """Return posts in a group's log that are gone by the journal, without an entry that says so; at most 1,000."""
    return [row.post_uri for row in await tx.all(_UNSAID, group_id=group_id)]


async def cut_taken_back(tx: Tx, *, group_id: int, seq: int) -> None:
    """Forget what entries behind a number took back: they were taken out of our copy."""
    await tx.run(_CUT, group_id=group_id, seq=seq)


async def purge_taken_back(tx: Tx, *, group_id: int) -> None:
    """Delete all that is kept here of a group."""
    await tx.run(_PURGE, group_id=group_id)

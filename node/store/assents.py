"""Yes-words that wait: to a node where two people must agree, to a person whose node may not hold the group yet."""

from __future__ import annotations

from .engine import Tx

_GIVE = """INSERT INTO assents (group_id, subject, voter, given_at) VALUES (:group_id, :subject, :voter, :given_at)
  ON CONFLICT (group_id, subject, voter) DO NOTHING"""
_VOTERS = "SELECT voter FROM assents WHERE group_id = :group_id AND subject = :subject ORDER BY given_at, voter"
_SUBJECTS = "SELECT DISTINCT subject FROM assents WHERE group_id = :group_id ORDER BY subject"
_FORGET = "DELETE FROM assents WHERE group_id = :group_id AND subject = :subject"


async def give_assent(tx: Tx, *, group_id: int, subject: str, voter: str) -> None:
    """Remember that somebody said yes to a node, by its host, or to a person, by their id."""
    await tx.run(_GIVE, group_id=group_id, subject=subject, voter=voter, given_at=tx.now)


async def list_voters(tx: Tx, *, group_id: int, subject: str) -> list[str]:
    """Return who said yes so far, in order."""
    return [row.voter for row in await tx.all(_VOTERS, group_id=group_id, subject=subject)]


async def list_subjects(tx: Tx, *, group_id: int) -> list[str]:
    """Return about which nodes and people of a group something was said."""
    return [row.subject for row in await tx.all(_SUBJECTS, group_id=group_id)]


async def forget_assents(tx: Tx, *, group_id: int, subject: str) -> None:
    """Forget what was said: it took effect, or was overtaken."""
    await tx.run(_FORGET, group_id=group_id, subject=subject)

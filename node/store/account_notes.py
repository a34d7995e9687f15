"""What a member notes about other accounts, for their own eyes."""

from __future__ import annotations

from .engine import Tx

_NOTES = "SELECT about_id, note FROM account_notes WHERE actor_id = :actor_id AND about_id IN :about_ids"
_SET = """INSERT INTO account_notes (actor_id, about_id, note) VALUES (:actor_id, :about_id, :note)
  ON CONFLICT (actor_id, about_id) DO UPDATE SET note = excluded.note"""
_DROP = "DELETE FROM account_notes WHERE actor_id = :actor_id AND about_id = :about_id"


async def get_notes(tx: Tx, *, actor_id: int, about_ids: list[int]) -> dict[int, str]:
    """Return what a member noted about those of some accounts about which they did."""
    return {row.about_id: row.note for row in await tx.all(_NOTES, actor_id=actor_id, about_ids=about_ids)}


async def set_note(tx: Tx, *, actor_id: int, about_id: int, note: str) -> None:
    """Note something about an account; an empty note takes the old one away."""
    if note:
        await tx.run(_SET, actor_id=actor_id, about_id=about_id, note=note)
    else:
        await tx.run(_DROP, actor_id=actor_id, about_id=about_id)

"""What a member notes about other accounts, for their own eyes; it leaves this node never."""

from __future__ import annotations

from node.domain.actors import Member
from node.foundation.text import clean_text
from node.store import account_notes
from node.store.core import Core
from node.store.engine import Tx

NOTE_LIMIT_CHARACTERS = 2000


async def list_notes(core: Core, *, viewer: Member, actor_ids: list[int]) -> dict[int, str]:
    """Return what a member noted about those of some accounts about which they did."""
    return await core.store.read(_notes, viewer.actor_id, actor_ids)


async def set_note(core: Core, *, viewer: Member, actor_id: int, note: str) -> None:
    """Note something about an account that the member may see; an empty note takes the old one away."""
    cleaned = clean_text(note, limit=NOTE_LIMIT_CHARACTERS).strip()
    await core.store.write(_set, viewer.actor_id, actor_id, cleaned)


async def _notes(tx: Tx, viewer_id: int, actor_ids: list[int]) -> dict[int, str]:
    return await account_notes.get_notes(tx, actor_id=viewer_id, about_ids=actor_ids)


async def _set(tx: Tx, viewer_id: int, about_id: int, note: str) -> None:
    await account_notes.set_note(tx, actor_id=viewer_id, about_id=about_id, note=note)

"""What the corridor asks about members: whether peers may find them."""

from __future__ import annotations

from .engine import Tx

_SEARCHABLE = "SELECT is_searchable FROM members WHERE actor_id = :actor_id AND state IN ('active', 'suspended')"


async def get_searchable(tx: Tx, *, actor_id: int) -> bool | None:
    """Return whether a member lets trusted nodes find them; None when there is no such member."""
    found: bool | None = await tx.value(_SEARCHABLE, actor_id=actor_id)
    return found

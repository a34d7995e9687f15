"""What members of this node say of themselves."""

from __future__ import annotations

from .engine import Tx

_SET = "UPDATE actors SET summary = :summary WHERE actor_id = :actor_id AND is_local = 1 AND summary <> :summary"


async def set_about(tx: Tx, *, actor_id: int, about: str) -> bool:
    """Keep what a member says of themselves, as plain text; False when they said the same before."""
    return await tx.run(_SET, actor_id=actor_id, summary=about) == 1

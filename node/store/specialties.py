"""What members practise, as their application said when it was decided, and whether they want it shown."""

from __future__ import annotations

from typing import Any

from .engine import Tx

_GET = "SELECT specialty, is_shown FROM specialties WHERE actor_id = :actor_id"
_PUT = """INSERT INTO specialties (actor_id, specialty, is_shown) VALUES (:actor_id, :specialty, :is_shown)
  ON CONFLICT (actor_id) DO UPDATE SET specialty = excluded.specialty, is_shown = excluded.is_shown"""
_SHOW = "UPDATE specialties SET is_shown = :is_shown WHERE actor_id = :actor_id"


async def get_specialty(tx: Tx, *, actor_id: int) -> Any | None:
    """Return (specialty, is_shown) of a member; None where nothing was decided. What is not shown is the desk's."""
    return await tx.one(_GET, actor_id=actor_id)


async def put_specialty(tx: Tx, *, actor_id: int, specialty: str, is_shown: bool) -> None:
    """Remember what a member practises, in place of what stood there."""
    await tx.run(_PUT, actor_id=actor_id, specialty=specialty, is_shown=is_shown)


async def show_specialty(tx: Tx, *, actor_id: int, is_shown: bool) -> bool:
    """Show it on the profile, or not; False where there is nothing to show."""
    return await tx.run(_SHOW, actor_id=actor_id, is_shown=is_shown) == 1

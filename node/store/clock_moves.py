"""After the clock was set back: what waits for an hour that was here before would wait for it a second time."""

from __future__ import annotations

from .engine import Tx

_LANES = "UPDATE lanes SET due_at = :now_at WHERE due_at > :now_at"
_ARRIVALS = "UPDATE activities SET due_at = :now_at WHERE state = 'waiting' AND due_at > :now_at"
_ENTRIES = "UPDATE groups SET apply_due_at = :now_at WHERE apply_due_at > :now_at"
_PICTURES = "UPDATE media SET due_at = :now_at WHERE state = 'wanted' AND due_at > :now_at"


async def bring_forward(tx: Tx) -> None:
    """Let everything be due that waits for its time: to be sent, acted on, applied or fetched. What fails waits anew."""
    await tx.run(_LANES, now_at=tx.now)
    await tx.run(_ARRIVALS, now_at=tx.now)
    await tx.run(_ENTRIES, now_at=tx.now)
    await tx.run(_PICTURES, now_at=tx.now)

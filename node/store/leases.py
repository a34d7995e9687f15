"""Leases: which process serves a lane, or does a duty, so that never two do, and none writes after its time.

*How it works.* A lease belongs to a session of the database (`Company`): it ends when its time is over by the database's
clock, and at once when that session ends, as it does with its process. Each time it is given its *fence* counts up. Who
writes under a lease says owner and fence in the writing transaction; a process that was stopped and woke up late, or was
cut off, finds another fence there and writes nothing.

A holder locks its duty's row FOR KEY SHARE: it is no obstacle to other transactions of the holder, nor to its heartbeat,
and whoever takes the duty over must wait for them to end.

On SQLite there is one process and nobody asks for a lease. Spec: reliability.md 4.5; decision 0017.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from node.foundation.errors import StoreError

from .engine import Tx
from .pairs import (
    CLAIM_DUTIES,
    CLAIM_LANES,
    HOLDS_DUTY,
    HOLDS_LANE,
    KEEP_DUTIES,
    KEEP_LANES,
)

# Shorter than the minute that reliability.md names: nothing waits longer for a process that is stuck.
LEASE_SECONDS = 15
KEEP_SECONDS = 4.0
_MICROS = LEASE_SECONDS * 1_000_000
_RELEASE_LANES = """UPDATE lanes SET lease_owner = NULL, leased_until_at = 0
  WHERE lease_owner = :owner AND peer_id IN :peer_ids AND peer_id || ' ' || stream IN :lanes"""
_OPEN_DUTY = """INSERT INTO duties (name, lease_owner, lease_fence, leased_until_at) VALUES (:name, NULL, 0, 0)
  ON CONFLICT (name) DO NOTHING"""
_RELEASE_DUTIES = """UPDATE duties SET lease_owner = NULL, leased_until_at = 0
  WHERE lease_owner = :owner AND name IN :names"""

LaneKey = tuple[int, str]


class LeaseLost(StoreError):
    """Somebody else has this work now; nothing was written."""

    code = "lease_lost"
    sentence = "Another process of this node does this now."


@dataclass(frozen=True, slots=True)
class Lease:
    """What was given. owner: the session it belongs to."""

    owner: str
    fence: int


async def claim_lanes(tx: Tx, *, owner: str, keys: Sequence[LaneKey]) -> dict[LaneKey, Lease]:
    """Take those of these lanes that nobody has; lanes that somebody claims at this moment are left to them."""
    rows = await tx.all(CLAIM_LANES, owner=owner, micros=_MICROS, **_name_lanes(keys))
    return {(row.peer_id, row.stream): Lease(owner, row.lease_fence) for row in rows}


async def keep_lanes(tx: Tx, *, owner: str, keys: Sequence[LaneKey]) -> dict[LaneKey, int]:
    """Hold lanes for longer; return {lane: fence} of those that are held still."""
    rows = await tx.all(KEEP_LANES, owner=owner, micros=_MICROS, **_name_lanes(keys))
    return {(row.peer_id, row.stream): row.lease_fence for row in rows}


async def release_lanes(tx: Tx, *, owner: str, keys: Sequence[LaneKey]) -> None:
    """Let go of lanes."""
    await tx.run(_RELEASE_LANES, owner=owner, **_name_lanes(keys))


async def may_send(tx: Tx, *, key: LaneKey, lease: Lease) -> bool:
    """Say whether a lane is held still, and its peer may have what is in it: listed, active, and in the group."""
    held = await tx.value(HOLDS_LANE, peer_id=key[0], stream=key[1], owner=lease.owner, fence=lease.fence)
    return held is not None


async def open_duties(tx: Tx, *, names: Iterable[str]) -> None:
    """Make duties known; those that are stay as they are."""
    for name in sorted(names):
        await tx.run(_OPEN_DUTY, name=name)


async def claim_duties(tx: Tx, *, owner: str, names: Sequence[str]) -> dict[str, Lease]:
    """Take those of these duties that nobody has."""
    rows = await tx.all(CLAIM_DUTIES, owner=owner, micros=_MICROS, names=list(names))
    return {row.name: Lease(owner, row.lease_fence) for row in rows}


async def keep_duties(tx: Tx, *, owner: str, names: Sequence[str]) -> dict[str, int]:
    """Hold duties for longer; return {duty: fence} of those that are held still."""
    rows = await tx.all(KEEP_DUTIES, owner=owner, micros=_MICROS, names=list(names))
    return {row.name: row.lease_fence for row in rows}


async def release_duties(tx: Tx, *, owner: str, names: Sequence[str]) -> None:
    """Let go of duties."""
    await tx.run(_RELEASE_DUTIES, owner=owner, names=list(names))


async def check_duty(tx: Tx, *, name: str, lease: Lease) -> None:
    """Raise unless a duty is held, and let nobody take it before this transaction has ended.

    Raises:
        LeaseLost: Somebody else has it.
    """
    if await tx.value(HOLDS_DUTY, name=name, owner=lease.owner, fence=lease.fence) is None:
        raise LeaseLost(internal=f"the duty {name} has gone to another process")


def _name_lanes(keys: Sequence[LaneKey]) -> dict[str, list[int] | list[str]]:
    return {
        "peer_ids": sorted({peer_id for peer_id, _ in keys}),
        "lanes": [f"{peer_id} {stream}" for peer_id, stream in keys],
    }

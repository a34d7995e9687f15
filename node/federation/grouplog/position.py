"""Where a node is in a group's log, and what it does with an entry that arrives.

    next in order         stored, 202; the first of a new epoch, too
    already held          202, nothing changes
    beyond the next       409, not stored: the sender rewinds, or we pull
    of a new epoch, elsewhere   409: the host was restored; we pull, and find out from where (`align`)
    same place, other chain, or a `prev` that is not ours   409: the histories differ

Every answer and every delivery carries `Rounds-Log: <group>; epoch=1; seq=412; chain=<hex>`.

Spec: wire.md 4.11.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import Enum

from .entry import LogEntry

HEADER = "rounds-log"
_HEADER = re.compile(r"(\S{1,2000}); epoch=(\d{1,16}); seq=(\d{1,16}); chain=([0-9a-f]{64})")


@dataclass(frozen=True, slots=True)
class Position:
    """How far a copy of a log goes. seq 0 with chain(0) is an empty one."""

    epoch: int
    seq: int
    chain: str


class Verdict(Enum):
    """What an arriving entry is to us."""

    NEXT = "next"
    HELD = "held"
    GAP = "gap"
    RECOUNTED = "recounted"
    DIVERGED = "diverged"


def judge(entry: LogEntry, ours: Position, *, base_seq: int, held_chain: str | None) -> Verdict:
    """Decide what an entry is to a copy of its log.

    Args:
        entry: What arrived.
        ours: How far our copy goes.
        base_seq: Our copy starts after this number.
        held_chain: The chain of the entry that we hold at this number, if we hold one.
    """
    if held_chain == entry.chain or (entry.seq <= base_seq and entry.epoch <= ours.epoch):
        return Verdict.HELD
    if entry.epoch < ours.epoch:
        return Verdict.DIVERGED
    if entry.seq == ours.seq + 1 and entry.prev == ours.chain:
        return Verdict.NEXT
    if entry.epoch > ours.epoch:
        return Verdict.RECOUNTED
    return Verdict.GAP if entry.seq > ours.seq + 1 else Verdict.DIVERGED


def status_of(verdict: Verdict) -> int:
    """Return the answer to an entry: 202 for what we hold durably, 409 with our position for everything else."""
    return 202 if verdict in (Verdict.NEXT, Verdict.HELD) else 409


def format_position(group: str, position: Position) -> str:
    """Return the value of a `Rounds-Log` header."""
    return f"{group}; epoch={position.epoch}; seq={position.seq}; chain={position.chain}"


def parse_position(value: str | None) -> tuple[str, Position] | None:
    """Return the group and the position of a `Rounds-Log` header, or None when it is absent or not one."""
    found = _HEADER.fullmatch(value) if value else None
    if found is None:
        return None
    return found[1], Position(int(found[2]), int(found[3]), found[4])

"""What a node does less of when it is short of room or of time: pure rules, asked once a second, answered from memory.

*Room.* Four steps of a ladder. Each step keeps what the one before it gave up, and gives up more:

    plenty   everything
    low      pictures of other nodes are not fetched; they are when there is room again
    scarce   no uploads, and other nodes are told to come back later
    full     nothing new is written by members; reading and signing in go on, and so does taking away

A step begins below a part of the disk, or below a size on disks so large that the part is much; it ends when a quarter
more than that is free again, so that a node does not waver.

*Load.* When too much that came waits for its handler, peers are told to come back later: those who have more than their
share of what waits. Who has little waiting is still taken.

Spec: reliability.md 4.7; decision 0018.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import IntEnum

WAITING_LIMIT = 5000
OLDEST_LIMIT_SECONDS = 60.0
# What a peer may have waiting at any time, however crowded it is.
ALWAYS_TAKEN = 50
CLOCK_JUMP_SECONDS = 300.0
# A log of the database beyond the first is told to the operator; beyond the second peers come back later.
LOG_WARN_BYTES, LOG_LIMIT_BYTES = 64 * 2**20, 256 * 2**20
CERTIFICATE_DAYS = (21, 7, 2)
_LEAVE_AT = 1.25
_GIGABYTE = 10**9


class Room(IntEnum):
    """How much room there is, by what the node still does."""

    PLENTY = 0
    LOW = 1
    SCARCE = 2
    FULL = 3


# (step, below which part of the disk it begins, and below which size at most), the narrowest first.
_LADDER = (
    (Room.FULL, 0.02, 2 * _GIGABYTE),
    (Room.SCARCE, 0.05, 5 * _GIGABYTE),
    (Room.LOW, 0.10, 10 * _GIGABYTE),
)


@dataclass(frozen=True, slots=True)
class Load:
    """What came and waits for its handler, of each peer: {peer: how many}; and since when the longest is due."""

    waiting: Mapping[int, int] = field(default_factory=dict)
    oldest_seconds: float = 0.0

    @property
    def total(self) -> int:
        """How many wait, of all peers."""
        return sum(self.waiting.values())

    @property
    def is_too_much(self) -> bool:
        """Whether peers with more than their share are told to come back later."""
        return self.total > WAITING_LIMIT or self.oldest_seconds > OLDEST_LIMIT_SECONDS


@dataclass(frozen=True, slots=True)
class Announcement:
    """What an operator tells everybody on this node. until_at: when it ends by itself; None until somebody ends it."""

    announcement_id: int
    text: str
    from_at: datetime
    until_at: datetime | None
    is_maintenance: bool

    def is_shown(self, now: datetime) -> bool:
        """Whether pages show it now: a maintenance is told of before it begins."""
        return (self.is_maintenance or self.from_at <= now) and (self.until_at is None or now < self.until_at)


def judge_room(*, total_bytes: int, free_bytes: int, before: Room = Room.PLENTY) -> Room:
    """Return the step of a disk.

    >>> judge_room(total_bytes=100 * 10**9, free_bytes=4 * 10**9).name
    'SCARCE'
    >>> judge_room(total_bytes=4000 * 10**9, free_bytes=100 * 10**9).name
    'PLENTY'
    """
    for step, part, most in _LADDER:
        limit = min(total_bytes * part, most)
        if free_bytes < limit * (_LEAVE_AT if before >= step else 1):
            return step
    return Room.PLENTY


def may_take(load: Load, peer_id: int) -> bool:
    """Return whether an activity of a peer is taken now: always where there is little, else within its fair share."""
    if not load.is_too_much:
        return True
    share = load.total / max(1, len(load.waiting))
    return load.waiting.get(peer_id, 0) < max(ALWAYS_TAKEN, share)


def has_jumped(*, wall: timedelta, monotonic_seconds: float) -> bool:
    """Return whether the machine's clock was set, or stood still, while so much time went by."""
    return abs(wall.total_seconds() - monotonic_seconds) > CLOCK_JUMP_SECONDS


def days_to_warn(ends_at: datetime, *, now: datetime) -> int | None:
    """Return the warning that a certificate has reached: 21, 7 or 2 days; None when it is good for longer."""
    left = ends_at - now
    return min((days for days in CERTIFICATE_DAYS if left < timedelta(days=days)), default=None)

"""How this node is, for `rounds status`, `rounds doctor` and the operators' pages. Reads and measures, changes nothing."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from node import __version__
from node.community.members.service import count_members
from node.domain.pressure import Room, judge_room
from node.store.activities import count_activities, count_dead_activities, count_waiting
from node.store.audit import find_first_bad, list_newest_audit
from node.store.backups import BackupState, read_backup_state
from node.store.core import Core
from node.store.engine import Tx
from node.store.logs import count_pulls, count_unapplied
from node.store.media import count_media, count_wanted
from node.store.objects import count_posts
from node.store.reserve import measure_volume
from node.store.rosters import list_groups
from node.store.streams import count_dead_letters, count_lanes_behind
from node.store.submissions import count_submissions
from node.store.tally import KINDS, Counts, hour_of, list_counts

AUDIT_PAGE = 50
CHART_HOURS = 24


@dataclass(frozen=True, slots=True)
class Disk:
    """The disk of the data directory."""

    total_bytes: int
    free_bytes: int

    @property
    def free(self) -> float:
        """The free part, from 0 to 1."""
        return self.free_bytes / self.total_bytes

    @property
    def room(self) -> Room:
        """Which step of the ladder that is."""
        return judge_room(total_bytes=self.total_bytes, free_bytes=self.free_bytes)

    @property
    def is_low(self) -> bool:
        """Whether it is time to make room."""
        return self.room > Room.PLENTY


@dataclass(frozen=True, slots=True)
class Health:
    """How the node is.

    database: {"kind", "version", "synchronous"}. stored, waiting: {what: how many}.
    dead_received, dead_sent: what could not be handled, and what no peer would take.
    backup: what is known of backups.
    """

    version: str
    database: dict[str, str]
    database_bytes: int
    disk: Disk
    stored: dict[str, int]
    waiting: dict[str, int]
    dead_received: int
    dead_sent: int
    backup: BackupState

    @property
    def dead_letters(self) -> int:
        """Dead letters of both directions."""
        return self.dead_received + self.dead_sent


@dataclass(frozen=True, slots=True)
class Traffic:
    """How much came and went in the last day, by hour, oldest first; the last hour is still running.

    hours: when each began. numbers: {"received", "delivered", "failed": as many numbers as there are hours}.
    """

    hours: list[datetime]
    numbers: dict[str, list[int]]

    @property
    def totals(self) -> dict[str, int]:
        """The sum of each kind."""
        return {kind: sum(numbers) for kind, numbers in self.numbers.items()}


@dataclass(frozen=True, slots=True)
class AuditPage:
    """A part of the audit log, newest first.

    rows: (n, written_at, actor, action, target, reason). next_before: where the next page starts, None at the end.
    counted: how many rows the chain has, None when it was not checked. first_bad: the first that does not fit, or None.
    """

    rows: list[Any]
    next_before: int | None
    counted: int | None
    first_bad: int | None


def measure_disk(data: Path) -> Disk:
    """Return how much room a data directory has."""
    volume = measure_volume(data)
    return Disk(volume.total_bytes, volume.free_bytes)


async def count_node(tx: Tx) -> tuple[dict[str, int], dict[str, int]]:
    """Return ({what is stored: how many}, {what waits: how many})."""
    stored = {
        "members": await count_members(tx),
        "groups": len(await list_groups(tx)),
        "posts": await count_posts(tx),
        "activities": await count_activities(tx),
        "media": await count_media(tx),
    }
    waiting = {
        "inbox": await count_waiting(tx),
        "jobs": await count_unapplied(tx) + await count_wanted(tx) + await count_pulls(tx),
        "lanes_due": await count_lanes_behind(tx),
        "submissions": await count_submissions(tx),
    }
    return stored, waiting


async def read_health(core: Core) -> Health:
    """Return how the node is, now."""
    stored, waiting, dead_received, dead_sent = await core.store.read(_counts)
    return Health(
        version=__version__,
        database=await core.store.describe(),
        database_bytes=await core.store.measure(),
        disk=await asyncio.to_thread(measure_disk, core.data),
        stored=stored,
        waiting=waiting,
        dead_received=dead_received,
        dead_sent=dead_sent,
        backup=await core.store.read(read_backup_state),
    )


async def read_traffic(core: Core) -> Traffic:
    """Return how much came and went in the last day, with what was counted a moment ago."""
    newest = hour_of(core.clock.now())
    hours = [newest - timedelta(hours=ago) for ago in range(CHART_HOURS - 1, -1, -1)]
    counts = await core.store.read(_counts_since, hours[0]) + core.tally.counts
    return Traffic(hours, {kind: [counts[hour, kind] for hour in hours] for kind in KINDS})


async def read_audit(core: Core, *, before: int | None) -> AuditPage:
    """Return 50 rows of the audit log below `before`; from the newest, and with the chain checked, when it is None."""
    rows = await core.store.read(_newest, before)
    next_before = rows[-1].n if len(rows) == AUDIT_PAGE and rows[-1].n > 1 else None
    if before is not None:
        return AuditPage(rows, next_before, None, None)
    counted, first_bad = await core.store.read(_check)
    return AuditPage(rows, next_before, counted, first_bad)


async def _counts(tx: Tx) -> tuple[dict[str, int], dict[str, int], int, int]:
    return (*await count_node(tx), await count_dead_activities(tx), await count_dead_letters(tx))


async def _counts_since(tx: Tx, since: datetime) -> Counts:
    return await list_counts(tx, since=since)


async def _newest(tx: Tx, before: int | None) -> list[Any]:
    return await list_newest_audit(tx, before=2**62 if before is None else before)


async def _check(tx: Tx) -> tuple[int, int | None]:
    return await find_first_bad(tx)

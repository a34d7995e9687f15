"""What is looked at to say how a node is: each check is good, to be watched, or to be acted on now. Pure rules.

The pages say each in words, by its name and state (`checks.disk_warn`), with what to do (`checks.disk_do`).
"""

from __future__ import annotations

import email.utils
import stat
import statistics
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from node.domain.pressure import LOG_LIMIT_BYTES, LOG_WARN_BYTES, Room, days_to_warn
from node.foundation.config import CONFIG_NAME
from node.store.backups import BackupState
from node.store.core import Core
from node.store.sqlite import has_checkpoint_race

from .recovery import has_recovery_key, recovery_path
from .service import Disk, Health

GOOD, WARN, BAD = "good", "warn", "bad"
_INBOX_WARN, _INBOX_BAD = 100, 5000
_STATE_OF_ROOM = {Room.PLENTY: GOOD, Room.LOW: WARN, Room.SCARCE: BAD, Room.FULL: BAD}
_CERTIFICATE_BAD_DAYS = 7
_TRANSACTION_WARN = timedelta(minutes=5)
_TROUBLE_BAD = timedelta(hours=24)
_CLOCK_WARN, _CLOCK_BAD = timedelta(seconds=30), timedelta(minutes=5)
_BACKUP_EVERY, _BACKUP_BAD, _DRILL_WARN = timedelta(hours=24), timedelta(days=7), timedelta(days=35)
_CLOCK_IS_NEWS = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Check:
    """One thing that was looked at. state: good, warn or bad. values: what its sentence names; `n` is counted."""

    name: str
    state: str
    values: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Trouble:
    """A node that is not reached. code: why; since: since when."""

    name: str
    code: str
    since: datetime | None


def look_at_node(core: Core, health: Health, troubles: Sequence[Trouble], *, is_working: bool) -> list[Check]:
    """Return every check of the node's health page, in the order of the page."""
    found = [
        Check("work", GOOD if is_working else BAD),
        check_peers(troubles, now=core.clock.now()),
        _check_dead(health),
        check_inbox(health.waiting["inbox"]),
        *look_at_machine(core, health.disk),
        *look_at_pressure(core),
        *check_backups(
            health.backup,
            every=timedelta(hours=core.config.backup.every),
            now=core.clock.now(),
            has_code=has_recovery_key(core.data),
            is_test=core.config.is_test_node,
        ),
    ]
    clock = check_clock(list(core.tally.clocks.values()), now=core.clock.now())
    return [*found, clock] if clock is not None else found


def look_at_machine(core: Core, disk: Disk) -> list[Check]:
    """Return the checks of the machine under the node: what `rounds doctor` looks at, too."""
    open_files = [path.name for path in private_files(core.data) if not is_private(path)]
    is_sqlite = core.store.dialect == "sqlite"
    return [
        check_disk(disk, core.pressure.room),
        Check("files", BAD if open_files else GOOD, {"names": ", ".join(open_files)}),
        Check("engine", WARN if is_sqlite and has_checkpoint_race() else GOOD),
    ]


def private_files(data: Path) -> list[Path]:
    """Return the files of a data directory that nobody else may read."""
    return [data / CONFIG_NAME, data / "keys" / "node.key", recovery_path(data)]


def is_private(path: Path) -> bool:
    """Return whether only a file's owner can read it; one that is not there cannot be read by others either."""
    try:
        return not stat.S_IMODE(path.stat().st_mode) & 0o077
    except FileNotFoundError:
        return True


def look_at_pressure(core: Core, disk: Disk | None = None) -> list[Check]:
    """Return what the watch has found and is not good; nothing where all is. disk: where it is to be judged, too."""
    pressure, now = core.pressure, core.clock.now()
    found = []
    if disk is not None and (judged := check_disk(disk, pressure.room)).state != GOOD:
        found.append(judged)
    if pressure.is_spent:
        found.append(Check("reserve", BAD))
    if core.store.trouble and core.store.trouble != "full":
        found.append(Check(f"database_{core.store.trouble}", BAD))
    if core.store.journal.is_failing:
        found.append(Check("journal", BAD))
    if pressure.recovering:
        found.append(Check("recovering", WARN, {"n": pressure.recovering}))
    if pressure.load.is_too_much:
        found.append(Check("load", BAD, {"n": pressure.load.total, "seconds": round(pressure.load.oldest_seconds)}))
    if pressure.jumped_seconds is not None:
        found.append(Check("clock_jump", BAD, {"n": abs(pressure.jumped_seconds)}))
    if pressure.log_bytes > LOG_WARN_BYTES:
        state = BAD if pressure.log_bytes > LOG_LIMIT_BYTES else WARN
        found.append(Check("log", state, {"size": pressure.log_bytes}))
    if pressure.oldest_seconds > _TRANSACTION_WARN.total_seconds():
        found.append(Check("transaction", WARN, {"n": pressure.oldest_seconds // 60}))
    return found + _check_certificates(core, now) + _check_peer_clocks(core, now)


def check_disk(disk: Disk, room: Room = Room.PLENTY) -> Check:
    """Judge the room on the disk. room: what the watch says, which stays careful for a while."""
    room = max(room, disk.room)
    values = {"part": round(disk.free * 100), "size": disk.free_bytes}
    name = "disk" if room is Room.PLENTY else f"disk_{room.name.lower()}"
    return Check(name, _STATE_OF_ROOM[room], values)


def check_inbox(waiting: int) -> Check:
    """Judge how much that came has not been acted on."""
    state = BAD if waiting >= _INBOX_BAD else WARN if waiting >= _INBOX_WARN else GOOD
    return Check("inbox", state, {"n": waiting})


def check_peers(troubles: Sequence[Trouble], *, now: datetime) -> Check:
    """Judge the way to other nodes: a day without it, or another key, is more than weather."""
    if not troubles:
        return Check("peers", GOOD)
    is_bad = any(
        each.code == "key_changed" or (each.since is not None and now - each.since > _TROUBLE_BAD) for each in troubles
    )
    return Check(
        "peers", BAD if is_bad else WARN, {"n": len(troubles), "names": ", ".join(each.name for each in troubles)}
    )


def check_backups(known: BackupState, *, every: timedelta, now: datetime, has_code: bool, is_test: bool) -> list[Check]:
    """Judge when the last good backup was made, and whether one was ever tried.

    Args:
        known: What the database knows.
        every: How often they are to be made; zero where the node does not do it by itself.
        now: Our time.
        has_code: Whether there is something to seal them to.
        is_test: A test node without backups is no reason to act.
    """
    missing = WARN if is_test else BAD
    found = [] if has_code else [Check("recovery", missing)]
    if known.problem:
        found.append(Check("backup_failed", WARN, {"problem": known.problem}))
    if known.newest_at is None:
        return [*found, Check("backup", missing)]
    age = now - known.newest_at
    state = BAD if age > _BACKUP_BAD else WARN if age > 2 * (every or _BACKUP_EVERY) else GOOD
    found.append(Check("backup_age", state, {"n": max(0, int(age.total_seconds() // 3600))}))
    if known.drilled_at is None:
        return [*found, Check("drill_never", WARN)]
    if not known.drill_is_good:
        return [*found, Check("drill", BAD, {"n": (now - known.drilled_at).days})]
    days = now - known.drilled_at
    return [*found, Check("drill", WARN if days > _DRILL_WARN else GOOD, {"n": days.days})]


def check_clock(heard: Sequence[tuple[str, datetime]], *, now: datetime) -> Check | None:
    """Judge our clock by those of peers: (their `Date`, our time then) of each; None when none was heard of late.

    With two peers or more the one in the middle counts: one wrong clock elsewhere says nothing about ours.
    """
    offsets = [
        (at - said).total_seconds()
        for text, at in heard
        if now - at < _CLOCK_IS_NEWS and (said := _read_date(text)) is not None
    ]
    if not offsets:
        return None
    seconds = abs(statistics.median(offsets))
    state = BAD if seconds > _CLOCK_BAD.total_seconds() else WARN if seconds > _CLOCK_WARN.total_seconds() else GOOD
    return Check("clock", state, {"n": round(seconds)})


def read_skews(core: Core, now: datetime) -> dict[int, float]:
    """Return {number of a peer: by how many seconds its clock is ahead of ours} as far as was heard of late."""
    found: dict[int, tuple[datetime, float]] = {}
    for peer_id, (text, at) in core.tally.clocks.items():
        if (said := _read_date(text)) is not None:
            found[peer_id] = (at, (said - at).total_seconds())
    for peer_id, (signed, at) in core.tally.signed.items():
        if peer_id not in found or at > found[peer_id][0]:
            found[peer_id] = (at, (signed - at).total_seconds())
    return {peer_id: skew for peer_id, (at, skew) in found.items() if now - at < _CLOCK_IS_NEWS}


def _check_peer_clocks(core: Core, now: datetime) -> list[Check]:
    """Name the peers whose clocks differ so much that signatures are refused, where most agree with ours."""
    skews = {peer_id: skew for peer_id, skew in read_skews(core, now).items() if core.peers.by_id(peer_id) is not None}
    wrong = [peer_id for peer_id, skew in skews.items() if abs(skew) > _CLOCK_BAD.total_seconds()]
    if not wrong:
        return []
    names = ", ".join(peer.name for peer in core.peers.all() if peer.peer_id in wrong)
    most = round(max(abs(skews[peer_id]) for peer_id in wrong) / 60)
    return [Check("peer_clocks", WARN, {"n": most, "names": names})]


def _check_certificates(core: Core, now: datetime) -> list[Check]:
    """Judge the certificates that were seen: 21, 7 and 2 days before they end, and when they are not good at all."""
    found = []
    for host, seen in sorted(core.pressure.certificates.items()):
        name = "certificate_own" if host == core.host else "certificate_peer"
        if seen.ends_at is None:
            found.append(Check(f"{name}_refused", BAD, {"host": host, "problem": seen.problem}))
        elif (warned := days_to_warn(seen.ends_at, now=now)) is not None:
            days = max(0, (seen.ends_at - now).days)
            found.append(Check(name, BAD if warned <= _CERTIFICATE_BAD_DAYS else WARN, {"n": days, "host": host}))
    return found


def _check_dead(health: Health) -> Check:
    values = {"n": health.dead_letters, "received": health.dead_received, "sent": health.dead_sent}
    return Check("dead", WARN if health.dead_letters else GOOD, values)


def _read_date(text: str) -> datetime | None:
    try:
        found = email.utils.parsedate_to_datetime(text)
    except (ValueError, TypeError):
        return None
    return found if found.tzinfo else found.replace(tzinfo=UTC)

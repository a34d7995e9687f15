"""What the database knows of backups: those that were made, drills, restores, and which process makes the next one."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from .engine import Tx

_INSERT = """INSERT INTO backups (backup_id, name, size_bytes, problem, taken_at, finished_at)
  VALUES (:backup_id, :name, :size_bytes, :problem, :taken_at, :finished_at)"""
_FORGET = "DELETE FROM backups WHERE finished_at < :before_at"
_NEWEST = """SELECT backup_id, name, size_bytes, problem, taken_at, finished_at FROM backups
  ORDER BY finished_at DESC, backup_id DESC LIMIT 50"""
_NEWEST_GOOD = "SELECT taken_at FROM backups WHERE problem = '' ORDER BY finished_at DESC LIMIT 1"
_LAST = "SELECT problem, finished_at FROM backups ORDER BY finished_at DESC, backup_id DESC LIMIT 1"
_INSERT_DRILL = """INSERT INTO drills (drill_id, is_good, taken_at, drilled_at)
  VALUES (:drill_id, :is_good, :taken_at, :drilled_at)"""
_DRILLS = "SELECT drill_id, is_good, taken_at, drilled_at FROM drills ORDER BY drilled_at DESC, drill_id DESC LIMIT 50"
_CLAIM = """UPDATE backup_lease SET owner = :owner, lease_until_at = :until_at
  WHERE one = 1 AND (lease_until_at < :now_at OR owner = :owner)"""
_RELEASE = "UPDATE backup_lease SET lease_until_at = 0 WHERE one = 1 AND owner = :owner"
_BEGIN_RECOVERY = """INSERT INTO recoveries (recovery_id, state, taken_at, restored_at)
  VALUES (:recovery_id, 'begun', :taken_at, :restored_at)"""
_SEALED_KEYS = """SELECT k.key_id, k.algorithm, k.public_key, k.sealed_private, k.state FROM actor_keys k
  WHERE k.sealed_private IS NOT NULL AND k.key_id > :after ORDER BY k.key_id LIMIT 500"""
_ATTESTATION_KEYS = "SELECT key_id, public_key, sealed_private FROM attestation_keys ORDER BY key_id LIMIT 500"
_NEWEST_POST = "SELECT published_at FROM posts ORDER BY post_id DESC LIMIT 1"
_LOGS = "SELECT g.group_id, a.uri FROM groups g JOIN actors a ON a.actor_id = g.group_id ORDER BY g.group_id"
_LAST_SCHEDULED = """SELECT problem, taken_at, finished_at FROM backups WHERE name <> ''
  ORDER BY finished_at DESC, backup_id DESC LIMIT 1"""


@dataclass(frozen=True, slots=True)
class BackupState:
    """What health says of backups.

    newest_at: of when the newest good one is. problem: why the last one failed; empty when it did not.
    drilled_at, drill_is_good: the last drill.
    """

    newest_at: datetime | None = None
    problem: str = ""
    tried_at: datetime | None = None
    drilled_at: datetime | None = None
    drill_is_good: bool = False


async def insert_backup(
    tx: Tx, *, backup_id: int, name: str, size_bytes: int, problem: str, taken_at: datetime, finished_at: datetime
) -> None:
    """Note that a backup was made, or was not."""
    await tx.run(
        _INSERT, backup_id=backup_id, name=name, size_bytes=size_bytes, problem=problem, taken_at=taken_at,
        finished_at=finished_at,
    )  # fmt: skip


async def forget_backups(tx: Tx, *, before: datetime) -> None:
    """Forget what was noted of backups before an instant."""
    await tx.run(_FORGET, before_at=before)


async def list_backups(tx: Tx) -> list[Any]:
    """Return the newest 50 (backup_id, name, size_bytes, problem, taken_at, finished_at), newest first."""
    return await tx.all(_NEWEST)


async def insert_drill(tx: Tx, *, drill_id: int, is_good: bool, taken_at: datetime) -> None:
    """Note that a backup was tried."""
    await tx.run(_INSERT_DRILL, drill_id=drill_id, is_good=is_good, taken_at=taken_at, drilled_at=tx.now)


async def list_drills(tx: Tx) -> list[Any]:
    """Return the newest 50 (drill_id, is_good, taken_at, drilled_at), newest first."""
    return await tx.all(_DRILLS)


async def read_backup_state(tx: Tx) -> BackupState:
    """Return what health says of backups."""
    good, last, drill = await tx.one(_NEWEST_GOOD), await tx.one(_LAST), await tx.one(_DRILLS)
    return BackupState(
        newest_at=good.taken_at if good else None,
        problem=last.problem if last else "",
        tried_at=last.finished_at if last else None,
        drilled_at=drill.drilled_at if drill else None,
        drill_is_good=bool(drill and drill.is_good),
    )


async def claim_backups(tx: Tx, *, owner: str, until: datetime) -> bool:
    """Take, or keep, the right to make the backups of the schedule until an instant; False while another process has it."""
    return await tx.run(_CLAIM, owner=owner, until_at=until, now_at=tx.now) == 1


async def release_backups(tx: Tx, *, owner: str) -> None:
    """Give that right back."""
    await tx.run(_RELEASE, owner=owner)


async def begin_recovery(tx: Tx, *, recovery_id: int, taken_at: datetime) -> None:
    """Note that this node has just been restored: what it did after `taken_at`, only others know."""
    await tx.run(_BEGIN_RECOVERY, recovery_id=recovery_id, taken_at=taken_at, restored_at=tx.now)


async def list_sealed_keys(tx: Tx, *, after: str) -> list[Any]:
    """Return at most 500 keys of our actors above `after` (key_id, algorithm, public_key, sealed_private)."""
    return await tx.all(_SEALED_KEYS, after=after)


async def list_attestation_keys(tx: Tx) -> list[Any]:
    """Return the keys by which the node attests (key_id, public_key, sealed_private)."""
    return await tx.all(_ATTESTATION_KEYS)


async def list_logs(tx: Tx) -> list[Any]:
    """Return every group of which something is kept here, rooms of staff among them (group_id, uri)."""
    return await tx.all(_LOGS)


async def find_newest_post(tx: Tx) -> datetime | None:
    """Return when the newest post was published; None when there is none."""
    return await tx.value(_NEWEST_POST)  # type: ignore[no-any-return]


async def find_last_scheduled(tx: Tx) -> Any | None:
    """Return (problem, taken_at, finished_at) of the schedule's last backup, made or not."""
    return await tx.one(_LAST_SCHEDULED)

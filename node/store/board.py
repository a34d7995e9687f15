"""What operators announce to everybody on this node, in the store."""

from __future__ import annotations

from datetime import datetime

from node.domain.pressure import Announcement

from .engine import Tx

_INSERT = """INSERT INTO announcements (announcement_id, text, from_at, until_at, is_maintenance, created_by, created_at)
  VALUES (:announcement_id, :text, :from_at, :until_at, :is_maintenance, :created_by, :now_at)"""
_LIST = """SELECT announcement_id, text, from_at, until_at, is_maintenance FROM announcements
  WHERE until_at IS NULL OR until_at > :now_at ORDER BY from_at, announcement_id LIMIT 20"""
_END = """UPDATE announcements SET until_at = :now_at
  WHERE announcement_id = :announcement_id AND (until_at IS NULL OR until_at > :now_at)"""
_PUT_AWAY = """INSERT INTO announcements_put_away (actor_id, announcement_id)
  SELECT CAST(:actor_id AS BIGINT), a.announcement_id FROM announcements a WHERE a.announcement_id = :announcement_id
  ON CONFLICT (actor_id, announcement_id) DO NOTHING"""
_LIST_PUT_AWAY = "SELECT announcement_id FROM announcements_put_away WHERE actor_id = :actor_id"
_ACCEPT_CLOCK = """INSERT INTO settings (name, value) VALUES ('clock_accepted', :value)
  ON CONFLICT (name) DO UPDATE SET value = excluded.value"""
_CLOCK_ACCEPTED = "SELECT value FROM settings WHERE name = 'clock_accepted'"


async def insert_announcement(tx: Tx, *, announcement: Announcement, created_by: str) -> None:
    """Insert an announcement."""
    await tx.run(
        _INSERT,
        announcement_id=announcement.announcement_id,
        text=announcement.text,
        from_at=announcement.from_at,
        until_at=announcement.until_at,
        is_maintenance=announcement.is_maintenance,
        created_by=created_by,
        now_at=tx.now,
    )


async def list_announcements(tx: Tx) -> list[Announcement]:
    """Return at most 20 announcements that have not ended, those that begin later among them, the earliest first."""
    return [Announcement(*row) for row in await tx.all(_LIST, now_at=tx.now)]


async def end_announcement(tx: Tx, *, announcement_id: int) -> bool:
    """End an announcement now; False when it has ended, or never was."""
    return await tx.run(_END, announcement_id=announcement_id, now_at=tx.now) == 1


async def put_away_announcement(tx: Tx, *, actor_id: int, announcement_id: int) -> None:
    """Note that a member has read an announcement."""
    await tx.run(_PUT_AWAY, actor_id=actor_id, announcement_id=announcement_id)


async def list_put_away(tx: Tx, *, actor_id: int) -> set[int]:
    """Return the numbers of the announcements that a member has put away in their apps."""
    return {row.announcement_id for row in await tx.all(_LIST_PUT_AWAY, actor_id=actor_id)}


async def accept_clock(tx: Tx, *, at: datetime) -> None:
    """Note that an operator says that the clock is right; every process of the node reads it."""
    await tx.run(_ACCEPT_CLOCK, value=at.isoformat())


async def find_clock_accepted(tx: Tx) -> str | None:
    """Return a mark that is another one each time that an operator accepts the clock."""
    return await tx.value(_CLOCK_ACCEPTED)  # type: ignore[no-any-return]

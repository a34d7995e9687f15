"""What members want to hear of: a level for each group, and threads they follow or have muted (`domain.following`).

The fragments keep from a viewer what they do not want to hear of; they permit nothing and stand beside those of
`visibility`.
"""

from __future__ import annotations

from dataclasses import dataclass

from node.domain.following import FOLLOWED, MUTED, UNFOLLOWED, USUAL_LEVEL

from .engine import Tx

NOT_MUTED = """NOT EXISTS (SELECT 1 FROM followed_threads quieted
  WHERE quieted.actor_id = :viewer_id AND quieted.root_id = p.root_id AND quieted.is_muted = 1)"""
NOT_QUIET = """NOT EXISTS (SELECT 1 FROM group_levels calmed
  WHERE calmed.actor_id = :viewer_id AND calmed.group_id = p.group_id AND calmed.level = 'quiet')"""

_LEVELS = "SELECT group_id, level, since_id FROM group_levels WHERE actor_id = :actor_id"
_LEVEL = "SELECT level FROM group_levels WHERE actor_id = :actor_id AND group_id = :group_id"
_SET_LEVEL = """INSERT INTO group_levels (actor_id, group_id, level, since_id)
  SELECT CAST(:actor_id AS BIGINT), g.group_id, CAST(:level AS TEXT), g.newest_post_id FROM groups g
   WHERE g.group_id = :group_id
  ON CONFLICT (actor_id, group_id) DO UPDATE SET level = excluded.level, since_id = excluded.since_id
  WHERE group_levels.level <> excluded.level"""
_DROP_LEVEL = "DELETE FROM group_levels WHERE actor_id = :actor_id AND group_id = :group_id"
_THREAD = "SELECT is_muted FROM followed_threads WHERE actor_id = :actor_id AND root_id = :root_id"
_MUTED = """SELECT root_id FROM followed_threads WHERE actor_id = :actor_id AND is_muted = 1
  ORDER BY root_id DESC LIMIT 50"""
_SET_THREAD = """INSERT INTO followed_threads (actor_id, root_id, group_id, is_muted, since_id)
  SELECT CAST(:actor_id AS BIGINT), CAST(:root_id AS BIGINT), g.group_id, CAST(:is_muted AS SMALLINT), g.newest_post_id
   FROM groups g WHERE g.group_id = :group_id
  ON CONFLICT (actor_id, root_id) DO UPDATE SET is_muted = excluded.is_muted, since_id = excluded.since_id
  WHERE followed_threads.is_muted <> excluded.is_muted"""
_DROP_THREAD = "DELETE FROM followed_threads WHERE actor_id = :actor_id AND root_id = :root_id"
# Private messages have no group.
_MUTE_MESSAGES = """INSERT INTO followed_threads (actor_id, root_id, group_id, is_muted, since_id)
  VALUES (:actor_id, :root_id, 0, 1, 0) ON CONFLICT (actor_id, root_id) DO UPDATE SET is_muted = 1"""
_BEGIN = """INSERT INTO followed_threads (actor_id, root_id, group_id, is_muted, since_id)
  VALUES (:actor_id, :root_id, :group_id, 0, :post_id) ON CONFLICT (actor_id, root_id) DO NOTHING"""
_CARRY = """INSERT INTO followed_threads (actor_id, root_id, group_id, is_muted, since_id)
  SELECT actor_id, CAST(:root_id AS BIGINT), group_id, is_muted, since_id FROM followed_threads
   WHERE root_id = :from_root_id ON CONFLICT (actor_id, root_id) DO NOTHING"""
_PURGE_LEVELS = "DELETE FROM group_levels WHERE group_id = :group_id"
_PURGE_THREADS = "DELETE FROM followed_threads WHERE group_id = :group_id"


@dataclass(frozen=True, slots=True)
class Level:
    """How much a member hears of a group. since_id: the group's newest post when they chose it."""

    level: str
    since_id: int


async def list_levels(tx: Tx, *, actor_id: int) -> dict[int, Level]:
    """Return {group_id: level} of the groups for which a member chose another level than the usual one."""
    return {row.group_id: Level(row.level, row.since_id) for row in await tx.all(_LEVELS, actor_id=actor_id)}


async def get_level(tx: Tx, *, actor_id: int, group_id: int) -> str:
    """Return how much a member hears of a group."""
    return await tx.value(_LEVEL, actor_id=actor_id, group_id=group_id) or USUAL_LEVEL


async def set_level(tx: Tx, *, actor_id: int, group_id: int, level: str) -> None:
    """Remember how much a member wants to hear of a group."""
    if level == USUAL_LEVEL:
        await tx.run(_DROP_LEVEL, actor_id=actor_id, group_id=group_id)
    else:
        await tx.run(_SET_LEVEL, actor_id=actor_id, group_id=group_id, level=level)


async def get_following(tx: Tx, *, actor_id: int, root_id: int) -> str:
    """Return "follow", "mute" or "none"."""
    row = await tx.one(_THREAD, actor_id=actor_id, root_id=root_id)
    if row is None:
        return UNFOLLOWED
    return MUTED if row.is_muted else FOLLOWED


async def list_muted(tx: Tx, *, actor_id: int) -> list[int]:
    """Return the first posts of at most 50 threads that a member muted, the newest first."""
    return [row.root_id for row in await tx.all(_MUTED, actor_id=actor_id)]


async def set_following(tx: Tx, *, actor_id: int, group_id: int, root_id: int, wanted: str) -> None:
    """Follow a thread from now on, mute it, or neither."""
    if wanted == UNFOLLOWED:
        await tx.run(_DROP_THREAD, actor_id=actor_id, root_id=root_id)
    else:
        is_muted = wanted == MUTED
        await tx.run(_SET_THREAD, actor_id=actor_id, group_id=group_id, root_id=root_id, is_muted=is_muted)


async def set_muted_messages(tx: Tx, *, actor_id: int, root_id: int, is_muted: bool) -> None:
    """Mute a thread of private messages, or end that."""
    if is_muted:
        await tx.run(_MUTE_MESSAGES, actor_id=actor_id, root_id=root_id)
    else:
        await tx.run(_DROP_THREAD, actor_id=actor_id, root_id=root_id)


async def begin_following(tx: Tx, *, actor_id: int, group_id: int, root_id: int, post_id: int) -> None:
    """Follow a thread because one has written in it; what was muted stays muted."""
    await tx.run(_BEGIN, actor_id=actor_id, group_id=group_id, root_id=root_id, post_id=post_id)


async def carry_following(tx: Tx, *, root_id: int, from_root_id: int) -> None:
    """Let those who follow a thread, or muted it, do so with a part of it that became a thread of its own."""
    await tx.run(_CARRY, root_id=root_id, from_root_id=from_root_id)


async def purge_following(tx: Tx, *, group_id: int) -> None:
    """Forget what anybody wants to hear of a group."""
    await tx.run(_PURGE_LEVELS, group_id=group_id)
    await tx.run(_PURGE_THREADS, group_id=group_id)

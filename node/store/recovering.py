"""Groups on their way back after a restore, in the store; and entries that wait outside their log."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from node.federation.grouplog.entry import LogEntry

from .engine import Tx

_HAS_BEGUN = "SELECT 1 AS yes FROM recoveries WHERE state = 'begun' LIMIT 1"
_TAKEN_UP = "UPDATE recoveries SET state = 'asking' WHERE state = 'begun'"
_ENDED = """UPDATE recoveries SET state = 'done' WHERE state = 'asking'
  AND NOT EXISTS (SELECT 1 FROM groups WHERE recovering_at IS NOT NULL)"""
_BEGIN = """UPDATE groups SET recovering_at = COALESCE(recovering_at, CAST(:now_at AS BIGINT)),
   next_epoch = CASE WHEN COALESCE(next_epoch, 0) > :next_epoch THEN next_epoch ELSE CAST(:next_epoch AS BIGINT) END
  WHERE group_id = :group_id"""
_LIST = "SELECT group_id, recovering_at, next_epoch FROM groups WHERE recovering_at IS NOT NULL ORDER BY group_id"
_SINCE = "SELECT recovering_at FROM groups WHERE group_id = :group_id"
_END = """UPDATE groups SET recovering_at = NULL, epoch = next_epoch, next_epoch = NULL
  WHERE group_id = :group_id AND recovering_at IS NOT NULL RETURNING epoch"""
_LOWER_PLACES = """UPDATE memberships SET visible_after = g.head_seq FROM groups g
  WHERE g.group_id = :group_id AND memberships.group_id = g.group_id AND memberships.visible_after > g.head_seq"""
_LOWER_BASES = """UPDATE admissions SET base_seq = g.head_seq FROM groups g
  WHERE g.group_id = :group_id AND admissions.group_id = g.group_id AND admissions.base_seq > g.head_seq"""
_LOWER_LANES = """UPDATE lanes SET cursor = g.head_seq, state = 'due', due_at = :now_at FROM groups g
  WHERE g.group_id = :group_id AND lanes.group_id = g.group_id AND lanes.cursor > g.head_seq"""
_COPIED = """SELECT g.group_id FROM groups g WHERE g.peer_id IS NOT NULL AND EXISTS (SELECT 1 FROM memberships m
  JOIN members l ON l.actor_id = m.actor_id WHERE m.group_id = g.group_id AND m.state = 'member')"""
_LOWER = "UPDATE memberships SET visible_after = :seq WHERE group_id = :group_id AND visible_after > :seq"
_KEEP = """INSERT INTO orphans (group_id, chain, activity_uri, seq, epoch, document, asks, kept_at)
  VALUES (:group_id, :chain, :activity_uri, :seq, :epoch, :document, 0, :kept_at) ON CONFLICT (group_id, chain) DO NOTHING"""
_ORPHANS = """SELECT chain, activity_uri, seq, epoch, document, asks, kept_at FROM orphans
  WHERE group_id = :group_id ORDER BY epoch, seq, chain"""
_ASKED = "UPDATE orphans SET asks = asks + 1 WHERE group_id = :group_id"
_DROP = "DELETE FROM orphans WHERE group_id = :group_id AND activity_uri = :activity_uri"
_DROP_ONE = "DELETE FROM orphans WHERE group_id = :group_id AND chain = :chain"
_DROP_ALL = "DELETE FROM orphans WHERE group_id = :group_id"
_GROUPS = "SELECT DISTINCT group_id FROM orphans"


@dataclass(frozen=True, slots=True)
class RecoveringGroup:
    """A group hosted here that asks its members' nodes. since_at: when it began. next_epoch: what begins afterwards."""

    group_id: int
    since_at: datetime
    next_epoch: int


@dataclass(frozen=True, slots=True)
class Orphan:
    """An entry outside its log. document: the Announce that carried it, as text. asks: how often its parent was asked for."""

    chain: str
    activity_uri: str
    seq: int
    epoch: int
    document: str
    asks: int
    kept_at: datetime


async def has_begun(tx: Tx) -> bool:
    """Say whether this data directory was restored and nothing was done about it yet."""
    return await tx.value(_HAS_BEGUN) is not None


async def mark_taken_up(tx: Tx) -> None:
    """Say that the journal was replayed, and groups are asking."""
    await tx.run(_TAKEN_UP)


async def begin(tx: Tx, *, group_id: int, next_epoch: int) -> None:
    """Stop a group hosted here: nothing goes out and nothing gets a number until `end`."""
    await tx.run(_BEGIN, group_id=group_id, next_epoch=next_epoch, now_at=tx.now)


async def list_recovering(tx: Tx) -> list[RecoveringGroup]:
    """Return the groups that are asking."""
    return [RecoveringGroup(*row) for row in await tx.all(_LIST)]


async def is_recovering(tx: Tx, *, group_id: int) -> bool:
    """Say whether a group is asking."""
    return await tx.value(_SINCE, group_id=group_id) is not None


async def end(tx: Tx, *, group_id: int) -> int | None:
    """Let a group's log go on; return the epoch that begins, or None if it went on already.

    What was promised for numbers that are lost (where members begin, where lanes stand) is brought down to the head.
    """
    epoch = await tx.value(_END, group_id=group_id)
    if epoch is None:
        return None
    await tx.run(_LOWER_PLACES, group_id=group_id)
    await tx.run(_LOWER_BASES, group_id=group_id)
    await tx.run(_LOWER_LANES, group_id=group_id, now_at=tx.now)
    await tx.run(_ENDED)
    return int(epoch)


async def keep_orphan(tx: Tx, *, group_id: int, entry: LogEntry, document: str) -> bool:
    """Keep an entry outside its log; return False when it is kept already."""
    kept = await tx.run(
        _KEEP, group_id=group_id, chain=entry.chain, activity_uri=entry.activity, seq=entry.seq, epoch=entry.epoch,
        document=document, kept_at=tx.now,
    )  # fmt: skip
    return kept == 1


async def list_orphans(tx: Tx, *, group_id: int) -> list[Orphan]:
    """Return the entries outside a group's log, by epoch and number."""
    return [Orphan(*row) for row in await tx.all(_ORPHANS, group_id=group_id)]


async def count_ask(tx: Tx, *, group_id: int) -> None:
    """Count one more time that a node was asked for what entries of a group need."""
    await tx.run(_ASKED, group_id=group_id)


async def drop_orphans_of(tx: Tx, *, group_id: int, activity_uri: str) -> None:
    """The log shows this activity: no entry of it need be kept any more."""
    await tx.run(_DROP, group_id=group_id, activity_uri=activity_uri)


async def drop_orphan(tx: Tx, *, group_id: int, chain: str) -> None:
    """Keep one entry no longer."""
    await tx.run(_DROP_ONE, group_id=group_id, chain=chain)


async def drop_orphans(tx: Tx, *, group_id: int) -> None:
    """Delete what is kept outside a group's log."""
    await tx.run(_DROP_ALL, group_id=group_id)


async def list_groups_with_orphans(tx: Tx) -> list[int]:
    """Return the groups of which something is kept outside the log."""
    return [row.group_id for row in await tx.all(_GROUPS)]


async def list_copied(tx: Tx) -> list[int]:
    """Return the groups elsewhere of which we keep a copy for members of ours."""
    return [row.group_id for row in await tx.all(_COPIED)]


async def lower_places(tx: Tx, *, group_id: int, seq: int) -> None:
    """Let our members read a copy that begins anew at a lower number than theirs."""
    await tx.run(_LOWER, group_id=group_id, seq=seq)

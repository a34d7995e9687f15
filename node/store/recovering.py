"""Groups on their way back after a restore, in the store; and entries that wait outside their log."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from node.federation.grouplog.entry import LogEntry
from node.federation.grouplog.position import Position
from node.federation.grouplog.recovery import PATIENCE_SECONDS

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
_ORPHANS = """SELECT group_id, chain, activity_uri, seq, epoch, document, asks, kept_at FROM orphans
  WHERE group_id = :group_id ORDER BY epoch, seq, chain"""
_ASKED = "UPDATE orphans SET asks = asks + 1 WHERE group_id = :group_id"
_DROP = "DELETE FROM orphans WHERE group_id = :group_id AND activity_uri = :activity_uri"
_DROP_ONE = "DELETE FROM orphans WHERE group_id = :group_id AND chain = :chain"
_DROP_ALL = "DELETE FROM orphans WHERE group_id = :group_id"
_NEWEST = """SELECT epoch, seq, chain FROM orphans WHERE group_id = :group_id ORDER BY epoch DESC, seq DESC LIMIT 1"""
_PAGE = """SELECT group_id, chain, activity_uri, seq, epoch, document, asks, kept_at FROM orphans
  WHERE group_id = :group_id AND chain > :after ORDER BY chain LIMIT 50"""
_HEARD = "UPDATE admissions SET heard_chain = :chain WHERE group_id = :group_id AND peer_id = :peer_id"
_HEARD_AT = "SELECT heard_chain FROM admissions WHERE group_id = :group_id AND peer_id = :peer_id"
_UNHEARD = "SELECT peer_id FROM admissions WHERE group_id = :group_id AND heard_chain IS NULL ORDER BY peer_id"
_UNHEAR = """UPDATE admissions SET heard_chain = NULL WHERE group_id = :group_id
  AND EXISTS (SELECT 1 FROM groups g WHERE g.group_id = :group_id AND g.recovering_at IS NULL)"""
_HAS_ANY = "SELECT 1 AS yes FROM orphans WHERE group_id = :group_id LIMIT 1"
_HANDED = "UPDATE orphans SET asks = asks + 1 WHERE group_id = :group_id AND chain = :chain"
_DROP_HANDED = "DELETE FROM orphans WHERE group_id = :group_id AND asks > 0"
_END_WAITING = "UPDATE groups SET recovering_at = :since_at WHERE group_id = :group_id AND recovering_at IS NOT NULL"
_GROUPS = "SELECT DISTINCT group_id FROM orphans"


# As many as `list_orphans_after` returns at once.
ORPHANS_AT_ONCE = 50


@dataclass(frozen=True, slots=True)
class RecoveringGroup:
    """A group hosted here that asks its members' nodes. since_at: when it began. next_epoch: what begins afterwards."""

    group_id: int
    since_at: datetime
    next_epoch: int


@dataclass(frozen=True, slots=True)
class Orphan:
    """An entry outside its log. document: the Announce that carried it, as text.

    asks: how often, at a group's host, its parent was asked for; elsewhere how often its host was given it.
    """

    group_id: int
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
    await tx.run(_UNHEAR, group_id=group_id)
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


async def list_orphans_after(tx: Tx, *, group_id: int, chain: str) -> list[Orphan]:
    """Return the next entries outside a group's log, by chain, behind one."""
    return [Orphan(*row) for row in await tx.all(_PAGE, group_id=group_id, after=chain)]


async def get_newest_orphan(tx: Tx, *, group_id: int) -> Position | None:
    """Return where the last entry stood that is kept outside a group's log."""
    row = await tx.one(_NEWEST, group_id=group_id)
    return Position(*row) if row else None


async def has_orphans(tx: Tx, *, group_id: int) -> bool:
    """Say whether anything is kept outside a group's log."""
    return await tx.value(_HAS_ANY, group_id=group_id) is not None


async def note_heard(tx: Tx, *, group_id: int, peer_id: int, chain: str) -> None:
    """Note where a node stood when it had given all that it kept for us."""
    await tx.run(_HEARD, group_id=group_id, peer_id=peer_id, chain=chain)


async def list_unheard(tx: Tx, *, group_id: int) -> list[int]:
    """Return the numbers of the peers that hold a group and were not heard since its recovery began."""
    return [row.peer_id for row in await tx.all(_UNHEARD, group_id=group_id)]


async def get_heard(tx: Tx, *, group_id: int, peer_id: int) -> str | None:
    """Return where a node stood when it had given all that it kept for us."""
    return await tx.value(_HEARD_AT, group_id=group_id, peer_id=peer_id)  # type: ignore[no-any-return]


async def end_waiting(tx: Tx, *, group_id: int) -> bool:
    """Wait no longer for nodes that were not heard; False when the group waits for nobody."""
    since_at = tx.now - timedelta(seconds=PATIENCE_SECONDS)
    return await tx.run(_END_WAITING, group_id=group_id, since_at=since_at) == 1


async def count_ask(tx: Tx, *, group_id: int) -> None:
    """Count one more time that a node was asked for what entries of a group need."""
    await tx.run(_ASKED, group_id=group_id)


async def note_handed(tx: Tx, *, group_id: int, chain: str) -> None:
    """Count one more time that a group's host was given what we keep for it."""
    await tx.run(_HANDED, group_id=group_id, chain=chain)


async def drop_handed(tx: Tx, *, group_id: int) -> int:
    """Let go of what a group's host was given, and is done with; return how many entries."""
    return await tx.run(_DROP_HANDED, group_id=group_id)


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

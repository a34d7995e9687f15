"""Whom a member keeps at a distance: muted and blocked people. Their own affair; it leaves this node never.

The fragments leave out of a list what stands at a distance from whoever looks; they permit nothing and stand beside those
of `visibility`. A block leaves out both ways, a mute one way. A thread is read whole: they stand in no statement of one.
Each is a list of few numbers that the database makes once for a statement, whatever else it walks.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from .engine import Tx

_BLOCKED = """SELECT b.target_id FROM blocks b WHERE b.actor_id = :viewer_id
  UNION ALL SELECT b.actor_id FROM blocks b WHERE b.target_id = :viewer_id"""
_MUTED_BY_VIEWER = "UNION ALL SELECT m.target_id FROM mutes m WHERE m.actor_id = :viewer_id"

# A post is `p`. Messages, bookmarks: who was muted may still speak to one, and stand among what one kept.
NOT_BLOCKED = f"p.author_id NOT IN ({_BLOCKED})"
# Lists of what is to be read.
NOT_DISTANT = f"p.author_id NOT IN ({_BLOCKED} {_MUTED_BY_VIEWER})"
# Threads, `t`, by who began them; one whose beginning is not here stands for itself.
THREAD_NOT_DISTANT = f"""COALESCE((SELECT begun.author_id FROM posts begun WHERE begun.post_id = t.root_id), 0)
  NOT IN ({_BLOCKED} {_MUTED_BY_VIEWER})"""
# A person is `a`: in lists of people.
PERSON_NOT_BLOCKED = f"a.actor_id NOT IN ({_BLOCKED})"
# Who thanked is `k`: whose thanks are not shown.
THANKS_NOT_HUSHED = f"k.actor_id NOT IN ({_BLOCKED} {_MUTED_BY_VIEWER} AND m.is_for_notices = 1)"
# Posts for many viewers at once, as in `visibility.READABLE_BY_MEMBERS`: `vm` is the membership of one of them.
NOT_DISTANT_BY_MEMBERS = """NOT EXISTS (SELECT 1 FROM blocks b WHERE b.actor_id = vm.actor_id AND b.target_id = p.author_id)
  AND NOT EXISTS (SELECT 1 FROM blocks b WHERE b.target_id = vm.actor_id AND b.actor_id = p.author_id)
  AND NOT EXISTS (SELECT 1 FROM mutes m WHERE m.actor_id = vm.actor_id AND m.target_id = p.author_id)"""

_MUTE = """INSERT INTO mutes (mute_id, actor_id, target_id, is_for_notices, until_at)
  VALUES (:mute_id, :actor_id, :target_id, :is_for_notices, :until_at)
  ON CONFLICT (actor_id, target_id) DO UPDATE SET is_for_notices = excluded.is_for_notices, until_at = excluded.until_at"""
_UNMUTE = "DELETE FROM mutes WHERE actor_id = :actor_id AND target_id = :target_id"
_END_MUTES = "DELETE FROM mutes WHERE until_at <= :now_at"
_BLOCK = """INSERT INTO blocks (block_id, actor_id, target_id) VALUES (:block_id, :actor_id, :target_id)
  ON CONFLICT (actor_id, target_id) DO NOTHING"""
_UNBLOCK = "DELETE FROM blocks WHERE actor_id = :actor_id AND target_id = :target_id"
_MUTES_OF = "SELECT target_id, is_for_notices FROM mutes WHERE actor_id = :actor_id AND target_id IN :target_ids"
_BLOCKS_OF = "SELECT target_id FROM blocks WHERE actor_id = :actor_id AND target_id IN :target_ids"
_LIST_MUTES = """SELECT mute_id, target_id, until_at FROM mutes
  WHERE actor_id = :actor_id AND mute_id < :before_id AND mute_id > :after_id ORDER BY mute_id DESC LIMIT 40"""
_OLDEST_MUTES = """SELECT mute_id, target_id, until_at FROM mutes
  WHERE actor_id = :actor_id AND mute_id < :before_id AND mute_id > :after_id ORDER BY mute_id LIMIT 40"""
_LIST_BLOCKS = """SELECT block_id, target_id, NULL AS until_at FROM blocks
  WHERE actor_id = :actor_id AND block_id < :before_id AND block_id > :after_id ORDER BY block_id DESC LIMIT 40"""
_OLDEST_BLOCKS = """SELECT block_id, target_id, NULL AS until_at FROM blocks
  WHERE actor_id = :actor_id AND block_id < :before_id AND block_id > :after_id ORDER BY block_id LIMIT 40"""
_HIDDEN = f"SELECT hidden.target_id FROM ({_BLOCKED} {_MUTED_BY_VIEWER}) hidden"


@dataclass(frozen=True, slots=True)
class Distance:
    """How a member keeps somebody at a distance. is_hushed: a mute that covers notices."""

    is_blocked: bool = False
    is_muted: bool = False
    is_hushed: bool = False


@dataclass(frozen=True, slots=True)
class Kept:
    """Somebody in a list of those kept at a distance. row_id: of the mute or block. until_at: when it ends by itself."""

    row_id: int
    target_id: int
    until_at: datetime | None


NEAR = Distance()


async def put_mute(
    tx: Tx, *, mute_id: int, actor_id: int, target_id: int, is_for_notices: bool, until_at: datetime | None
) -> None:
    """Mute somebody, or mute them otherwise than before."""
    values = {"mute_id": mute_id, "actor_id": actor_id, "target_id": target_id}
    await tx.run(_MUTE, **values, is_for_notices=is_for_notices, until_at=until_at)


async def drop_mute(tx: Tx, *, actor_id: int, target_id: int) -> None:
    """End a mute."""
    await tx.run(_UNMUTE, actor_id=actor_id, target_id=target_id)


async def end_mutes(tx: Tx) -> None:
    """End the mutes whose time is over."""
    await tx.run(_END_MUTES, now_at=tx.now)


async def put_block(tx: Tx, *, block_id: int, actor_id: int, target_id: int) -> None:
    """Block somebody."""
    await tx.run(_BLOCK, block_id=block_id, actor_id=actor_id, target_id=target_id)


async def drop_block(tx: Tx, *, actor_id: int, target_id: int) -> None:
    """End a block."""
    await tx.run(_UNBLOCK, actor_id=actor_id, target_id=target_id)


async def find_distances(tx: Tx, *, actor_id: int, target_ids: list[int]) -> dict[int, Distance]:
    """Return how a member keeps each of some people at a distance; whoever is near is left out. What they do is not told."""
    if not target_ids:
        return {}
    mutes = {
        row.target_id: row.is_for_notices for row in await tx.all(_MUTES_OF, actor_id=actor_id, target_ids=target_ids)
    }
    blocks = {row.target_id for row in await tx.all(_BLOCKS_OF, actor_id=actor_id, target_ids=target_ids)}
    return {
        number: Distance(number in blocks, number in mutes, mutes.get(number, False))
        for number in blocks | mutes.keys()
    }


async def list_mutes(tx: Tx, *, actor_id: int, before_id: int, after_id: int, oldest_first: bool = False) -> list[Kept]:
    """Return at most 40 whom a member muted, the newest first unless told otherwise."""
    span = {"actor_id": actor_id, "before_id": before_id, "after_id": after_id}
    return [Kept(*row) for row in await tx.all(_OLDEST_MUTES if oldest_first else _LIST_MUTES, **span)]


async def list_blocks(
    tx: Tx, *, actor_id: int, before_id: int, after_id: int, oldest_first: bool = False
) -> list[Kept]:
    """Return at most 40 whom a member blocked, the newest first unless told otherwise."""
    span = {"actor_id": actor_id, "before_id": before_id, "after_id": after_id}
    return [Kept(*row) for row in await tx.all(_OLDEST_BLOCKS if oldest_first else _LIST_BLOCKS, **span)]


async def list_hidden_authors(tx: Tx, *, viewer_id: int) -> set[int]:
    """Return whose posts stand in no list of a viewer's, where a list cannot leave them out by a fragment."""
    return {row.target_id for row in await tx.all(_HIDDEN, viewer_id=viewer_id)}

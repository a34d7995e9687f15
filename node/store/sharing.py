"""What this node shares with a peer: groups that both hold, and how many people of each side are in them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from .engine import Tx

_SHARED = """FROM groups g JOIN actors a ON a.actor_id = g.group_id
  WHERE g.staff_of IS NULL AND (g.peer_id = :peer_id
   OR EXISTS (SELECT 1 FROM admissions d WHERE d.group_id = g.group_id AND d.peer_id = :peer_id))"""
_LIST = f"""SELECT g.title, a.handle, a.host, g.is_hidden,
   (SELECT COUNT(*) FROM memberships m JOIN actors p ON p.actor_id = m.actor_id
     WHERE m.group_id = g.group_id AND m.state = 'member' AND p.is_local = 1) AS ours,
   (SELECT COUNT(*) FROM memberships m JOIN actors p ON p.actor_id = m.actor_id
     WHERE m.group_id = g.group_id AND m.state = 'member' AND p.host = :host) AS theirs
  {_SHARED} ORDER BY g.title, g.group_id LIMIT 200"""
_COUNT = f"SELECT COUNT(*) AS n {_SHARED}"
_AFFECTED = """SELECT COUNT(DISTINCT m.actor_id) AS n FROM memberships m JOIN actors p ON p.actor_id = m.actor_id
  JOIN groups g ON g.group_id = m.group_id
  WHERE m.state = 'member' AND p.is_local = 1 AND g.staff_of IS NULL AND (g.peer_id = :peer_id
   OR EXISTS (SELECT 1 FROM admissions d WHERE d.group_id = g.group_id AND d.peer_id = :peer_id))"""

# Nodes that can have a member's document because they were told of them: the member wrote to the node, is in a group of
# it, or has written in a group that it holds. Being in a group and silent is known to the group's host alone.
_KNOWING = """SELECT p.peer_id FROM peers p WHERE p.state IN ('active', 'paused') AND (
   EXISTS (SELECT 1 FROM acquaintances q WHERE q.peer_id = p.peer_id AND q.actor_id = :actor_id)
   OR EXISTS (SELECT 1 FROM memberships m JOIN groups g ON g.group_id = m.group_id
    WHERE m.actor_id = :actor_id AND m.state IN ('member', 'requested') AND g.peer_id = p.peer_id)
   OR EXISTS (SELECT 1 FROM actors a JOIN author_cards c ON c.actor_uri = a.uri
    JOIN admissions d ON d.group_id = c.group_id WHERE a.actor_id = :actor_id AND d.peer_id = p.peer_id)
   OR EXISTS (SELECT 1 FROM actors a JOIN author_cards c ON c.actor_uri = a.uri
    JOIN readers r ON r.group_id = c.group_id WHERE a.actor_id = :actor_id AND r.host = p.host))
  ORDER BY p.peer_id"""


@dataclass(frozen=True, slots=True)
class SharedGroup:
    """A group that this node and a peer both hold. ours, theirs: how many people of each are in it."""

    title: str
    handle: str
    host: str
    is_hidden: bool
    ours: int
    theirs: int


async def list_shared_groups(tx: Tx, *, peer_id: int, host: str) -> list[SharedGroup]:
    """Return at most 200 groups that a peer holds too, wherever they are hosted, by title."""
    rows: list[Any] = await tx.all(_LIST, peer_id=peer_id, host=host)
    return [SharedGroup(*row) for row in rows]


async def count_shared_groups(tx: Tx, *, peer_id: int) -> int:
    """Return how many groups a peer holds too, without the staff rooms."""
    return int(await tx.value(_COUNT, peer_id=peer_id))


async def count_sharing_members(tx: Tx, *, peer_id: int) -> int:
    """Return how many of our members are in groups that a peer holds too, each once."""
    return int(await tx.value(_AFFECTED, peer_id=peer_id))


async def list_peers_knowing(tx: Tx, *, actor_id: int) -> list[int]:
    """Return the numbers of the active and paused peers that may have a member's document already."""
    return [row.peer_id for row in await tx.all(_KNOWING, actor_id=actor_id)]

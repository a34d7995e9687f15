"""What open pages are told: numbers of new posts, never their words or authors. For everybody who looks, at once.

A round asks how far each group has come, which sessions still live, and, for a group that has come further, what is new
in it to which of those who look. So a round costs as many statements with one open page as with a thousand.
"""

from __future__ import annotations

from dataclasses import dataclass

from .distance import NOT_DISTANT, NOT_DISTANT_BY_MEMBERS
from .engine import Tx
from .following import NOT_MUTED, NOT_QUIET
from .visibility import READABLE_BY_MEMBERS, READABLE_IN_GROUP, START_IN_GROUP

_GROUPS = "SELECT group_id, applied_seq, version FROM groups WHERE staff_of IS NULL"
_ALIVE = """SELECT s.session_id FROM sessions s JOIN members m ON m.actor_id = s.actor_id
  WHERE s.session_id IN :session_ids AND s.expires_at > :now_at AND m.state = 'active'"""
_NEW = f"""SELECT vm.actor_id AS viewer_id, p.post_id, p.root_id
  FROM posts p JOIN memberships vm ON vm.group_id = p.group_id
  WHERE p.group_id = :group_id AND p.seq > :after_seq AND p.seq <= :up_to_seq AND p.state = 'live'
   AND vm.actor_id IN :viewer_ids AND p.author_id <> vm.actor_id AND {READABLE_BY_MEMBERS}
   AND NOT EXISTS (SELECT 1 FROM followed_threads f
    WHERE f.actor_id = vm.actor_id AND f.root_id = p.root_id AND f.is_muted = 1)
   AND NOT EXISTS (SELECT 1 FROM group_levels l
    WHERE l.actor_id = vm.actor_id AND l.group_id = p.group_id AND l.level = 'quiet')
   AND {NOT_DISTANT_BY_MEMBERS}
  ORDER BY p.post_id"""
_SINCE = f"""SELECT p.post_id, p.root_id FROM posts p WHERE {READABLE_IN_GROUP} AND p.post_id > {START_IN_GROUP}
  AND p.state = 'live' AND p.author_id <> :viewer_id AND {NOT_MUTED} AND {NOT_QUIET} AND {NOT_DISTANT}
  ORDER BY p.post_id DESC LIMIT 50"""
_STILL_IN = """SELECT actor_id FROM memberships
  WHERE group_id = :group_id AND actor_id IN :viewer_ids AND state = 'member'"""

# Of a group that jumps ahead, as after an outage of its host, no more than its newest posts are looked at.
_AT_MOST = 50


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a group has come. version: goes up with whatever changes the group, its members too."""

    applied_seq: int
    version: int


@dataclass(frozen=True, slots=True)
class Novelty:
    """A new post, for one who may read it now and did not write it."""

    viewer_id: int
    post_id: int
    root_id: int


async def list_group_progress(tx: Tx) -> dict[int, Progress]:
    """Return {group_id: how far it has come} of every group here, without staff rooms.

    Cost: one walk over the groups of the node, whoever looks.
    """
    return {row.group_id: Progress(row.applied_seq, row.version) for row in await tx.all(_GROUPS)}


async def list_living(tx: Tx, *, session_ids: list[int]) -> set[int]:
    """Return those of some sessions that have not ended, of members who are active."""
    return {row.session_id for row in await tx.all(_ALIVE, session_ids=session_ids, now_at=tx.now)}


async def list_novelties(
    tx: Tx, *, group_id: int, after_seq: int, up_to_seq: int, viewer_ids: list[int]
) -> list[Novelty]:
    """Return what is new in a group between two numbers of its log, for each of some viewers."""
    after_seq = max(after_seq, up_to_seq - _AT_MOST)
    values = {"group_id": group_id, "after_seq": after_seq, "up_to_seq": up_to_seq, "viewer_ids": viewer_ids}
    return [Novelty(*row) for row in await tx.all(_NEW, **values)]


async def list_since(tx: Tx, *, viewer_id: int, group_id: int, after_id: int) -> list[Novelty]:
    """Return the newest 50 posts of a group after one of them, for a viewer who did not write them."""
    rows = await tx.all(_SINCE, viewer_id=viewer_id, group_id=group_id, after_id=after_id)
    return [Novelty(viewer_id, *row) for row in rows]


async def list_still_in(tx: Tx, *, group_id: int, viewer_ids: list[int]) -> set[int]:
    """Return those of some viewers who are in a group now."""
    return {row.actor_id for row in await tx.all(_STILL_IN, group_id=group_id, viewer_ids=viewer_ids)}

"""Groups as one member sees them in lists: those they are in or on the way into, and those they may ask to join."""

from __future__ import annotations

from dataclasses import dataclass

from node.domain.groups import Group, Membership

from .engine import Tx
from .rosters import RosterRow
from .visibility import VIEWER_IS_ACTIVE

_GROUP = """g.group_id, a.uri, a.handle, a.host, a.is_local, g.peer_id, g.staff_of, g.title, g.policy, g.is_hidden,
  g.history, g.new_node_approvals, g.epoch, g.base_seq, g.base_chain, g.head_seq, g.head_chain, g.applied_seq,
  g.required_assurance"""
_PLACE = """m.group_id, m.actor_id, m.role, m.state, m.reason, m.request_uri, m.joined_seq, m.visible_after,
  m.requested_at, m.joined_at"""
_MINE = f"""SELECT {_GROUP}, {_PLACE}, g.newest_post_id FROM memberships m
  JOIN groups g ON g.group_id = m.group_id JOIN actors a ON a.actor_id = g.group_id
  WHERE m.actor_id = :viewer_id AND m.state IN ('member', 'requested', 'invited') AND g.staff_of IS NULL
   AND {VIEWER_IS_ACTIVE} ORDER BY g.newest_post_id DESC LIMIT 500"""
_LISTED = f"""SELECT {_GROUP} FROM groups g JOIN actors a ON a.actor_id = g.group_id
  WHERE g.staff_of IS NULL AND g.is_hidden = 0 AND {VIEWER_IS_ACTIVE} AND NOT EXISTS (SELECT 1 FROM memberships m
    WHERE m.group_id = g.group_id AND m.actor_id = :viewer_id AND m.state IN ('member', 'requested', 'invited'))
  ORDER BY g.title LIMIT 200"""
_STAFF = """SELECT a.actor_id, a.uri, a.name, a.handle, a.host, a.is_local, m.role, m.state, m.joined_seq, m.joined_at,
   m.requested_at, m.reason
  FROM memberships m JOIN actors a ON a.actor_id = m.actor_id
  WHERE m.group_id = :group_id AND m.state = 'member' AND m.role <> 'member' ORDER BY m.joined_at, a.uri LIMIT 200"""
_GROUP_FIELDS, _PLACE_FIELDS = 19, 10


@dataclass(frozen=True, slots=True)
class Place:
    """A group with somebody's place in it. newest_post_id: no post of it has a larger number."""

    group: Group
    place: Membership
    newest_post_id: int


async def list_places(tx: Tx, *, viewer_id: int) -> list[Place]:
    """Return at most 500 groups a member is in, asked for or was invited to, the one with the newest post first."""
    return [
        Place(
            Group(*row[:_GROUP_FIELDS]),
            Membership(*row[_GROUP_FIELDS : _GROUP_FIELDS + _PLACE_FIELDS]),
            row.newest_post_id,
        )
        for row in await tx.all(_MINE, viewer_id=viewer_id)
    ]


async def list_open_groups(tx: Tx, *, viewer_id: int) -> list[Group]:
    """Return at most 200 listed groups that a member is not in, by title."""
    return [Group(*row) for row in await tx.all(_LISTED, viewer_id=viewer_id)]


async def list_staff(tx: Tx, *, group_id: int) -> list[RosterRow]:
    """Return the owners, facilitators and moderators of a group, those who came first first."""
    return [RosterRow(*row) for row in await tx.all(_STAFF, group_id=group_id)]

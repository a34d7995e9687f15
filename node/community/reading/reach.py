"""Where a post has arrived, as its author and the group's staff are told: one question to the lanes' cursors.

A group's host knows which nodes have taken an entry; elsewhere we know that the host has it, because it came back with its
number. Spec: reliability.md 4.1.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from node.domain.access import may_see_reach
from node.domain.actors import Member, Viewer
from node.domain.groups import Group, Membership
from node.domain.posts import Post
from node.foundation.errors import NotFound
from node.store import objects
from node.store.core import Core
from node.store.engine import Tx
from node.store.reach import LaneReach, list_lane_reaches, list_left_behind
from node.store.rosters import get_group, get_membership

LEFT_BEHIND_AFTER = timedelta(days=14)


@dataclass(frozen=True, slots=True)
class Missing:
    """A node that does not have a post yet. since, code: of its trouble, where there is one."""

    host: str
    name: str
    since: datetime | None = None
    code: str | None = None


@dataclass(frozen=True, slots=True)
class Reach:
    """Where a post is.

    host: the node that gave it its number. is_host_here: whether that is this one; only then the rest is known.
    have, nodes: so many of all nodes that hold the group and may have it, this one among them. missing: the others.
    """

    host: str
    is_host_here: bool
    have: int = 1
    nodes: int = 1
    missing: tuple[Missing, ...] = ()


@dataclass(frozen=True, slots=True)
class LeftBehind:
    """A node that has not taken anything of a group for long. since: when what it lacks first was written."""

    name: str
    since: datetime


async def read_reach(core: Core, *, viewer: Member, post_id: int) -> tuple[Post, Reach | None]:
    """Return a post and where it is; None while it waits for the group's host.

    Raises:
        NotFound: The viewer is neither its author nor of the group's staff, or it is not there.
    """
    return await core.store.read(_read_reach, core, viewer.viewer, post_id)


async def list_reaches(
    tx: Tx, core: Core, *, group: Group, viewer: Viewer, place: Membership, posts: Iterable[Post]
) -> dict[int, Reach]:
    """Return where posts of a group are, for those of which the viewer may know it.

    Cost: one query, and none when the viewer may know it of none, or the group is hosted elsewhere.
    """
    known = [post for post in posts if post.seq is not None and post.state == "live"]
    known = [post for post in known if may_see_reach(viewer, author_id=post.author_id, membership=place)]
    if not known or not group.is_local:
        return {post.post_id: Reach(group.host, False) for post in known if post.author_id == viewer.actor_id}
    lanes = await list_lane_reaches(tx, group_id=group.group_id)
    return {post.post_id: _count(core, group, post.seq or 0, lanes) for post in known}


async def list_nodes_left_behind(tx: Tx, core: Core, *, group: Group) -> list[LeftBehind]:
    """Return the nodes that lack what was written in a group hosted here fourteen days ago."""
    rows = await list_left_behind(tx, group_id=group.group_id, before_at=tx.now - LEFT_BEHIND_AFTER)
    return [LeftBehind(_name(core, peer_id)[1], since) for peer_id, since in rows]


async def _read_reach(tx: Tx, core: Core, viewer: Viewer, post_id: int) -> tuple[Post, Reach | None]:
    post = await objects.get_post(tx, viewer_id=viewer.actor_id, post_id=post_id)
    group = await get_group(tx, group_id=post.group_id or 0) if post is not None else None
    if post is None or group is None:
        raise NotFound("There is no such post.")
    place = await get_membership(tx, group_id=group.group_id, actor_id=viewer.actor_id)
    if place is None or not may_see_reach(viewer, author_id=post.author_id, membership=place):
        raise NotFound("There is no such post.")
    found = await list_reaches(tx, core, group=group, viewer=viewer, place=place, posts=[post])
    return post, found.get(post_id)


def _count(core: Core, group: Group, seq: int, lanes: list[LaneReach]) -> Reach:
    wanted = [lane for lane in lanes if lane.base_seq < seq]
    missing = tuple(
        Missing(*_name(core, lane.peer_id), lane.error_since_at, lane.error_code)
        for lane in wanted
        if lane.cursor < seq
    )
    return Reach(group.host, True, 1 + len(wanted) - len(missing), 1 + len(wanted), missing)


def _name(core: Core, peer_id: int) -> tuple[str, str]:
    """Return the host and the name of a peer."""
    peer = core.peers.by_id(peer_id)
    return (peer.host, peer.name) if peer is not None else ("", "")

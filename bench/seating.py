"""What is put into a node that nobody serves: members on hundreds of other nodes, and thousands of posts.

Through the store's and the services' own functions. To let a thousand in one by one would tell each of them of each other:
half a million deliveries before anything is measured.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from pathlib import Path

from node.community.house import House, close_core, open_core
from node.community.members.repository import get_member
from node.community.posts.service import create_post
from node.domain.actors import Actor
from node.domain.peers import Peer as PeerRow
from node.domain.peers import PeerPolicy
from node.domain.posts import Draft
from node.foundation.errors import NotFound
from node.foundation.logs import configure_logs
from node.store.actors import insert_actor
from node.store.core import Core
from node.store.engine import Tx
from node.store.logs import get_position
from node.store.peers import insert_peer
from node.store.rosters import admit_peer, get_group_by_uri, let_in, put_request
from node.store.streams import open_lane

from .peers import Peer

_AT_ONCE = 50


def seat(data: Path, groups: Sequence[str], peers: Sequence[Peer]) -> None:
    """Make these peers active ones of a node, each with a member in each of its groups, given by their ids."""
    configure_logs(level="error")
    asyncio.run(_seat(data, groups, peers))


def write_posts(data: Path, group: str, author: str, count: int) -> None:
    """Have a member post so often in a group hosted on the node, given by its id."""
    configure_logs(level="error")
    asyncio.run(_write_posts(data, group, author, count))


async def _seat(data: Path, groups: Sequence[str], peers: Sequence[Peer]) -> None:
    core = await open_core(data)
    try:
        for first in range(0, len(peers), _AT_ONCE):
            await core.store.write(_insert, core, groups, peers[first : first + _AT_ONCE])
    finally:
        await close_core(core)


async def _insert(tx: Tx, core: Core, groups: Sequence[str], peers: Sequence[Peer]) -> None:
    for peer in peers:
        software = "rounds" if peer.speaks_rounds else None
        row = PeerRow(
            core.ids.number(), peer.host, peer.origin, peer.host, "active", None, False, f"{peer.origin}/actor", software,
            None, PeerPolicy(), None, None, None, None, None, None,
        )  # fmt: skip
        await insert_peer(tx, peer=row)
        actor_id, uri = core.ids.number(), f"{peer.origin}/people/p0"
        actor = Actor(actor_id, uri, "person", "p0", peer.host, False, None, "P", "", f"{peer.origin}/inbox")
        await insert_actor(tx, actor=actor, fetched_at=tx.now)
        for group in groups:
            await _let_in(tx, group, row.peer_id, actor_id)


async def _let_in(tx: Tx, uri: str, peer_id: int, actor_id: int) -> None:
    group = await get_group_by_uri(tx, uri=uri)
    position = await get_position(tx, group_id=group.group_id) if group is not None else None
    if group is None or position is None:
        raise NotFound(internal=f"there is no group {uri}")
    group_id, seq = group.group_id, position.head.seq
    await admit_peer(tx, group_id=group_id, peer_id=peer_id, decided_by="bench", because_of="bench", base_seq=seq)
    await put_request(tx, group_id=group_id, actor_id=actor_id, state="requested")
    await let_in(
        tx, group_id=group_id, actor_id=actor_id, role="member", joined_seq=seq, visible_after=seq, decided_by="bench"
    )
    await open_lane(tx, peer_id=peer_id, stream=uri, group_id=group_id, cursor=seq)


async def _write_posts(data: Path, group_uri: str, handle: str, count: int) -> None:
    core = await open_core(data)
    try:
        tables = House(core).tables
        author = await core.store.read(get_member, handle=handle)
        group = await core.store.read(get_group_by_uri, uri=group_uri)
        if author is None or group is None:
            raise NotFound(internal=f"there is no {handle} or no {group_uri}")
        for first in range(0, count, _AT_ONCE):
            drafts = [Draft(f"Word {number}.") for number in range(first, min(first + _AT_ONCE, count))]
            await asyncio.gather(
                *(create_post(core, tables, author=author, group_id=group.group_id, draft=draft) for draft in drafts)
            )
    finally:
        await close_core(core)

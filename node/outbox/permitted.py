"""What a peer may read of people and groups here: each answer asks `domain.access`; what it may not is absent."""

from __future__ import annotations

from node.domain.access import may_node_read, may_node_see_card, may_node_see_person
from node.domain.actors import Actor
from node.domain.groups import Group
from node.domain.peers import Peer
from node.foundation.errors import NotFound, Recovering
from node.store.actors import get_actor_by_uri, is_acquainted
from node.store.core import Core
from node.store.engine import Tx
from node.store.people import get_searchable
from node.store.recovering import is_recovering
from node.store.rosters import (
    get_admission,
    get_group_by_uri,
    has_interest_at_host,
    has_members_at_host,
    shares_group,
)


async def visible_person(tx: Tx, core: Core, peer: Peer, handle: str) -> Actor:
    """Return a member of ours that a peer may know.

    Raises:
        NotFound: Nobody, or nobody this peer may know.
    """
    actor = await get_actor_by_uri(tx, uri=f"{core.origin}/people/{handle}")
    searchable = None if actor is None else await get_searchable(tx, actor_id=actor.actor_id)
    if actor is None or searchable is None:
        raise NotFound
    acquainted = await is_acquainted(tx, actor_id=actor.actor_id, peer_id=peer.peer_id) or await shares_group(
        tx, actor_id=actor.actor_id, peer_id=peer.peer_id, host=peer.host
    )
    if not may_node_see_person(is_searchable=searchable, searches=peer.policy.people_search, is_acquainted=acquainted):
        raise NotFound
    return actor


async def visible_group(tx: Tx, core: Core, peer: Peer, handle: str) -> tuple[Group, Actor]:
    """Return a group hosted here whose card a peer may see, with its actor.

    Raises:
        NotFound: There is none, or it is hidden from this peer.
    """
    group = await get_group_by_uri(tx, uri=f"{core.origin}/groups/{handle}")
    actor = await get_actor_by_uri(tx, uri=f"{core.origin}/groups/{handle}")
    if group is None or actor is None or not group.is_local:
        raise NotFound
    interest = await has_interest_at_host(tx, group_id=group.group_id, host=peer.host)
    admitted = await get_admission(tx, group_id=group.group_id, peer_id=peer.peer_id) is not None
    if not may_node_see_card(group, has_member_or_invitation=interest or admitted):
        raise NotFound
    return group, actor


async def readable_group(tx: Tx, core: Core, peer: Peer, handle: str) -> Group:
    """Return a group hosted here whose content a peer may read: one with a member on it.

    Raises:
        NotFound: There is none, or this peer has no member in it.
    """
    group, _ = await visible_group(tx, core, peer, handle)
    await check_may_read(tx, group, peer)
    return group


async def check_may_read(tx: Tx, group: Group, peer: Peer) -> int:
    """Return the number above which a peer reads a group.

    Raises:
        NotFound: It may not.
        Recovering: Nobody may now.
    """
    admission = await get_admission(tx, group_id=group.group_id, peer_id=peer.peer_id)
    has_member = await has_members_at_host(tx, group_id=group.group_id, host=peer.host)
    if admission is None or not may_node_read(is_admitted=has_member):
        raise NotFound
    if await is_recovering(tx, group_id=group.group_id):
        raise Recovering(retry_after_seconds=30)
    return admission.base_seq

"""After a restore: what the journal says is done again, and every group hosted here stops until its members were asked.

Runs before anything else works. A backup from before a removal knows nothing of it; the journal does. Nobody who was put
out may get one line more, even if no peer can be reached and the operator has not looked yet.

Spec: reliability.md 4.7; decision 0012.
"""

from __future__ import annotations

from node.community.members.service import end_account, sign_everybody_out
from node.community.purge import purge_group
from node.domain.actors import Actor
from node.domain.groups import Group, Membership
from node.domain.journal import Place, Told
from node.federation.grouplog.entry import build_tombstone
from node.foundation.logs import get_logger
from node.outbox.publish import decode, encode
from node.store import recovering
from node.store.actors import get_actor_by_uri
from node.store.core import Core
from node.store.engine import Tx
from node.store.journal import catch_up_with, was_put_back
from node.store.logs import erase_entry, get_entry_by_activity
from node.store.objects import drop_version, empty_post, find_post
from node.store.peers import update_peer_state
from node.store.rosters import (
    admit_peer,
    end_admission,
    get_group_by_uri,
    get_membership,
    has_local_members,
    has_members_at_host,
    let_in,
    list_groups,
    put_request,
    update_membership_state,
)
from node.store.streams import close_lane, open_lane

_BY = "journal"


async def take_up(core: Core) -> bool:
    """Do what a restore asks for, once; return whether there was one, said or not."""
    store = core.store
    if not await store.read(recovering.has_begun) and not await was_put_back(store, store.journal):
        return False
    told = store.journal.read()
    await store.write(_replay, core, told)
    await catch_up_with(store, store.journal)
    get_logger().warning("restored", places=len(told.places), erased=sum(map(len, told.erased.values())))
    return True


async def _replay(tx: Tx, core: Core, told: Told) -> None:
    await sign_everybody_out(tx)
    for peer in core.peers.all():
        state = told.peers.get(peer.host)
        if state in ("paused", "parted") and state != peer.state:
            await update_peer_state(tx, peer_id=peer.peer_id, state=state)
    for uri, state in told.accounts.items():
        actor = await get_actor_by_uri(tx, uri=uri)
        if actor is not None and actor.is_local and state != "active":
            await end_account(tx, actor_id=actor.actor_id, state=state)
    for (group_uri, actor_uri), place in told.places.items():
        group, actor = await get_group_by_uri(tx, uri=group_uri), await get_actor_by_uri(tx, uri=actor_uri)
        if group is not None and actor is not None:
            await _set_place(tx, core, group, actor, place)
    for group_uri, activities in told.erased.items():
        group = await get_group_by_uri(tx, uri=group_uri)
        for activity in activities:
            if group is not None:
                await _erase(tx, group.group_id, activity)
    for group in await list_groups(tx):
        if group.is_local:
            epochs = {group.epoch, *told.epochs.get(group.uri, ())}
            await recovering.begin(tx, group_id=group.group_id, next_epoch=max(epochs) + 1)
    await recovering.mark_taken_up(tx)


async def _set_place(tx: Tx, core: Core, group: Group, actor: Actor, place: Place) -> None:
    membership = await get_membership(tx, group_id=group.group_id, actor_id=actor.actor_id)
    if place.is_out:
        if membership is not None and membership.state in ("member", "requested", "invited"):
            await _put_out(tx, core, group, actor, place)
    elif group.is_local and (membership is None or not membership.is_member):
        await _bring_back(tx, core, group, actor, membership, place)


async def _put_out(tx: Tx, core: Core, group: Group, actor: Actor, place: Place) -> None:
    await update_membership_state(
        tx, group_id=group.group_id, actor_id=actor.actor_id, state=place.state, decided_by=_BY
    )
    peer = None if actor.is_local else core.peers.by_host(actor.host)
    if not group.is_local:
        if not await has_local_members(tx, group_id=group.group_id):
            await purge_group(tx, core, group_id=group.group_id)
    elif peer is not None and not await has_members_at_host(tx, group_id=group.group_id, host=actor.host):
        await end_admission(tx, group_id=group.group_id, peer_id=peer.peer_id)
        await close_lane(tx, peer_id=peer.peer_id, stream=group.uri)


async def _bring_back(
    tx: Tx, core: Core, group: Group, actor: Actor, membership: Membership | None, place: Place
) -> None:
    """Give somebody the place back that they were given after the backup; their node need not ask again."""
    group_id, actor_id = group.group_id, actor.actor_id
    peer = None if actor.is_local else core.peers.by_host(actor.host)
    if not actor.is_local and (peer is None or peer.state != "active"):
        return
    if membership is None:
        await put_request(tx, group_id=group_id, actor_id=actor_id, state="requested")
    if peer is not None:
        base = place.visible_after
        await admit_peer(
            tx, group_id=group_id, peer_id=peer.peer_id, decided_by=_BY, because_of=actor.uri, base_seq=base
        )
        await open_lane(tx, peer_id=peer.peer_id, stream=group.uri, group_id=group_id, cursor=base)
    await let_in(
        tx,
        group_id=group_id,
        actor_id=actor_id,
        role=place.role,
        joined_seq=place.joined_seq,
        visible_after=place.visible_after,
        decided_by=_BY,
    )


async def _erase(tx: Tx, group_id: int, activity_uri: str) -> None:
    """Erase again what was erased after the backup: the entry, and the text that the post or a version of it had."""
    entry = await get_entry_by_activity(tx, group_id=group_id, activity_uri=activity_uri)
    if entry is None or entry.salt is None:
        return
    said = decode(entry.document).get("object")
    tombstone = encode(build_tombstone(activity_uri)).decode()
    await erase_entry(tx, group_id=group_id, activity_uri=activity_uri, tombstone=tombstone)
    post = await find_post(tx, uri=str(said.get("id")) if isinstance(said, dict) else "")
    if post is None:
        return
    await drop_version(tx, post_id=post.post_id, activity_uri=activity_uri)
    if post.activity_uri == activity_uri and post.state == "live":
        await empty_post(tx, post_id=post.post_id, state="withdrawn", reason=None)

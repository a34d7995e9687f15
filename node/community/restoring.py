"""After a restore: what the journal says is done again, and every group hosted here stops until its members were asked.

Runs before anything else works. A backup from before a removal knows nothing of it; the journal does. Nobody who was put
out may get one line more, even if no peer can be reached and the operator has not looked yet.

Spec: reliability.md 4.7; decision 0012.
"""

from __future__ import annotations

from collections.abc import Sequence
from urllib.parse import urlsplit

from node.community.groups.hosting import part_from
from node.community.members.service import end_account, sign_everybody_out
from node.community.purge import purge_group
from node.community.revoking import revoke_again
from node.domain.actors import Actor
from node.domain.groups import Group, Membership
from node.domain.journal import Place, Told
from node.federation.grouplog.entry import build_tombstone
from node.foundation.logs import get_logger
from node.outbox.publish import decode, encode
from node.store import journal, recovering
from node.store.actors import get_actor_by_uri, insert_actor
from node.store.attestations import drop_attestation
from node.store.core import TIDY_BELL, Core
from node.store.engine import Tx
from node.store.files import delete_files
from node.store.logs import erase_entry, get_entry_by_activity
from node.store.media import forget_media_of_post
from node.store.objects import drop_version, empty_post, find_post
from node.store.peers import update_peer_state
from node.store.rosters import (
    admit_peer,
    get_group_by_uri,
    get_membership,
    get_request_document,
    has_local_members,
    let_in,
    list_groups,
    put_request,
    update_membership_state,
    update_role,
)
from node.store.streams import open_lane
from node.store.takings import note_taken_back
from node.store.verifications import take_verification, update_verification_state

_BY = "journal"


async def take_up(core: Core) -> bool:
    """Do what a restore asks for, once; return whether there was one, said or not."""
    store = core.store
    is_said = await store.read(recovering.has_begun)
    if not is_said and not await journal.was_put_back(store, store.journal):
        return False
    lines, told = store.journal.read()
    await core.write(_replay, core, lines, told, is_said and store.journal.is_new)
    get_logger().warning("restored", places=len(told.places), erased=sum(map(len, told.erased.values())))
    return True


async def _replay(tx: Tx, core: Core, lines: Sequence[journal.Line], told: Told, is_lost: bool) -> None:
    await journal.take_in(tx, lines)
    if is_lost:
        await journal.note(tx, "lost")
    await _end_again(tx, core, told)
    for (group_uri, actor_uri), place in told.places.items():
        group = await get_group_by_uri(tx, uri=group_uri)
        actor = await _know(tx, core, actor_uri, is_banned=place.state == "banned")
        if group is not None and actor is not None:
            await _set_place(tx, core, group, actor, place)
    for (group_uri, actor_uri), role in told.roles.items():
        await _set_role(tx, group_uri, actor_uri, role)
    for group_uri, activities in told.erased.items():
        group = await get_group_by_uri(tx, uri=group_uri)
        for activity in activities if group is not None else ():
            assert group is not None
            await _erase(tx, core, group.group_id, activity, told.posts.get(activity))
    for group in await list_groups(tx):
        if group.is_local:
            epochs = {group.epoch, *told.epochs.get(group.uri, ())}
            await recovering.begin(tx, group_id=group.group_id, next_epoch=max(epochs) + 1)
    await recovering.mark_taken_up(tx)
    tx.after_commit(lambda: core.bell.ring(TIDY_BELL))


async def _end_again(tx: Tx, core: Core, told: Told) -> None:
    """Sign everybody out, and end again what was ended of peers, accounts and verifications."""
    await sign_everybody_out(tx)
    await revoke_again(tx, core, told)
    for peer in core.peers.all():
        state = told.peers.get(peer.host)
        if state in ("paused", "parted") and state != peer.state:
            await update_peer_state(tx, peer_id=peer.peer_id, state=state)
    for uri, state in told.accounts.items():
        actor = await get_actor_by_uri(tx, uri=uri)
        if actor is not None and actor.is_local and state != "active":
            await end_account(tx, actor_id=actor.actor_id, state=state)
    for uri, (level, state) in told.verifications.items():
        await _set_verification(tx, uri, level, state)


async def _know(tx: Tx, core: Core, uri: str, *, is_banned: bool) -> Actor | None:
    """Return an actor; who came after the backup and was banned is known by their id alone, until their node tells more."""
    actor = await get_actor_by_uri(tx, uri=uri)
    if actor is None and is_banned:
        handle, host = uri.rpartition("/")[2], urlsplit(uri).netloc
        actor = Actor(core.ids.number(), uri, "person", handle, host, False, None, handle, "", None)
        await insert_actor(tx, actor=actor)
    return actor


async def _set_verification(tx: Tx, uri: str, level: str, state: str) -> None:
    """End again what was ended after the backup; who was verified at a lower level is verified anew."""
    actor = await get_actor_by_uri(tx, uri=uri)
    known = await take_verification(tx, actor_id=actor.actor_id) if actor is not None and actor.is_local else None
    if known is None or known.state != "current" or (state == "current" and level >= known.level):
        return
    await update_verification_state(tx, verification=known, state="ended" if state == "current" else state, by=_BY)
    await drop_attestation(tx, actor_id=known.actor_id)  # the node says anew what is so


async def _set_role(tx: Tx, group_uri: str, actor_uri: str, role: str) -> None:
    group, actor = await get_group_by_uri(tx, uri=group_uri), await get_actor_by_uri(tx, uri=actor_uri)
    if group is None or actor is None or not group.is_local:
        return
    membership = await get_membership(tx, group_id=group.group_id, actor_id=actor.actor_id)
    if membership is not None and membership.is_member and membership.role != role:
        await update_role(tx, group_id=group.group_id, actor_id=actor.actor_id, role=role)


async def _set_place(tx: Tx, core: Core, group: Group, actor: Actor, place: Place) -> None:
    membership = await get_membership(tx, group_id=group.group_id, actor_id=actor.actor_id)
    if not place.is_out:
        if group.is_local and (membership is None or not membership.is_member):
            await _bring_back(tx, core, group, actor, membership, place)
    elif membership is None and place.state == "banned":  # asked and banned, all after the backup
        await put_request(tx, group_id=group.group_id, actor_id=actor.actor_id, state="requested")
        await _put_out(tx, core, group, actor, place)
    elif membership is None or membership.state == place.state:
        return
    elif membership.state not in ("requested", "invited") or place.state != "removed":  # who was removed may ask again
        await _put_out(tx, core, group, actor, place)


async def _put_out(tx: Tx, core: Core, group: Group, actor: Actor, place: Place) -> None:
    await update_membership_state(
        tx, group_id=group.group_id, actor_id=actor.actor_id, state=place.state, decided_by=_BY
    )
    if group.is_local and not actor.is_local:  # the word to their node may be lost as well
        request = await get_request_document(tx, group_id=group.group_id, actor_id=actor.actor_id)
        await part_from(tx, core, group=group, actor=actor, state=place.state, request=request, reason="")
    elif not group.is_local and not await has_local_members(tx, group_id=group.group_id):
        await purge_group(tx, core, group_id=group.group_id)


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
        base = place.base_seq
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


async def _erase(tx: Tx, core: Core, group_id: int, activity_uri: str, gone: str | None) -> None:
    """Erase again what was erased after the backup: the entry, and the text and pictures that the post or a version had.

    gone: the post that is gone with it; None when only an earlier text of it is.
    """
    if gone is not None:
        await note_taken_back(tx, group_id=group_id, post_uri=gone, seq=None)
    entry = await get_entry_by_activity(tx, group_id=group_id, activity_uri=activity_uri)
    if entry is None or entry.salt is None:
        return
    said = decode(entry.document).get("object")
    post_uri = str(said.get("id")) if isinstance(said, dict) else ""
    tombstone = encode(build_tombstone(activity_uri)).decode()
    await erase_entry(tx, group_id=group_id, activity_uri=activity_uri, tombstone=tombstone, post_uri=gone)
    post = await find_post(tx, uri=post_uri)
    if post is None:
        return
    await drop_version(tx, post_id=post.post_id, activity_uri=activity_uri)
    if post.activity_uri == activity_uri and post.state == "live":
        await empty_post(tx, post_id=post.post_id, state="withdrawn", reason=None)
        hashes = await forget_media_of_post(tx, post_id=post.post_id)
        tx.after_commit(lambda: delete_files(core, hashes))

"""Telling peers that an actor of ours has other keys: an `Update` of its document on the control stream, before any content.

Spec: reliability.md 4.7; decision 0019.
"""

from __future__ import annotations

from typing import Any

import msgspec

from node.domain.actors import Actor
from node.store.actors import get_actor
from node.store.attestations import list_own_attestation_keys
from node.store.core import Core
from node.store.engine import Tx
from node.store.key_changes import list_successions
from node.store.keyring import OwnKeys, list_attesting
from node.store.papers import get_paper
from node.store.rosters import get_group, list_admissions
from node.store.sharing import list_peers_knowing

from .actors import CONTEXT, build_group, build_instance, describe_instance
from .attesting import document_of
from .publish import CONTROL, published_keys, send


async def tell_of_keys(tx: Tx, core: Core, *, actor_id: int) -> list[tuple[int, int]]:
    """Tell every peer that may have an actor's document; return (peer, position in its control stream) of each.

    The activity carries no proof of its own: the request is signed with what the actor signs with when it is sent, and
    the document of the node itself is fetched by whoever hears of it.
    """
    actor = await get_actor(tx, actor_id=actor_id)
    assert actor is not None
    document, told = await _describe(tx, core, actor), []
    for peer_id in await _list_peers(tx, core, actor):
        peer = core.peers.by_id(peer_id)
        if peer is None or peer.state not in ("active", "paused"):
            continue
        activity = {
            "@context": CONTEXT,
            "type": "Update",
            "id": f"{core.origin}/activities/{core.ids.token()}",
            "actor": actor.uri,
            "object": document,
            "to": [f"{peer.origin}/actor"],
        }
        inbox_uri = f"{peer.origin}/inbox"
        position = await send(
            tx, core, peer_id=peer_id, stream=CONTROL, actor_id=actor_id, activity=activity, inbox_uri=inbox_uri
        )
        told.append((peer_id, position))
    return told


async def instance_document(tx: Tx, core: Core, keys: OwnKeys) -> dict[str, Any]:
    """Return the node itself as everybody may see it. `keys`: what it signs with."""
    actor = await get_actor(tx, actor_id=core.instance_id)
    assert actor is not None
    return build_instance(core, keys, await published_keys(tx, actor), await _read_successions(tx))


async def _read_successions(tx: Tx) -> tuple[dict[str, Any], ...]:
    return tuple(msgspec.json.decode(text) for text in await list_successions(tx))


async def _describe(tx: Tx, core: Core, actor: Actor) -> dict[str, Any]:
    if actor.kind == "instance":
        attesting = list_attesting(await list_own_attestation_keys(tx), core.instance_uri)
        return describe_instance(core, await published_keys(tx, actor), await _read_successions(tx), attesting)
    group = await get_group(tx, group_id=actor.actor_id)
    if group is not None:
        paper = await get_paper(tx, group_id=actor.actor_id)
        return build_group(core, group, actor, await published_keys(tx, actor), paper)
    return await document_of(tx, core, actor)


async def _list_peers(tx: Tx, core: Core, actor: Actor) -> list[int]:
    if actor.kind == "instance":
        return [peer.peer_id for peer in core.peers.all()]
    admitted = {each.peer_id for each in await list_admissions(tx, group_id=actor.actor_id)}
    return sorted({*await list_peers_knowing(tx, actor_id=actor.actor_id), *admitted})

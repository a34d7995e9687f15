"""A peer whose key has changed: two people compare the new one, and it goes on where it stopped.

A node that shows another key than the compared one is paused, by itself or by an operator; what waits on both sides is
kept. When the words of the new key are read and fit, the key takes the old one's place, every key of the node's people is
forgotten and fetched anew, what it stated of them by the old one counts no more, and the pause ends. Parting, which drops
what waited, is not needed for that.

Spec: signatures.md T62.
"""

from __future__ import annotations

from dataclasses import replace

from node.domain.actors import Actor
from node.domain.peers import KEY_CHANGED, Peer
from node.foundation.errors import Conflict, Forbidden
from node.foundation.fingerprints import matches_fingerprint
from node.outbox.publish import LANES_BELL
from node.store.actors import get_actor_by_uri, insert_actor, insert_key, retire_keys_of_host
from node.store.attestations import forget_words_of
from node.store.audit import write_audit
from node.store.core import Core
from node.store.engine import Tx
from node.store.officers import forget_assents_to_keys
from node.store.peers import (
    clear_peer_error,
    get_peer,
    take_peer,
    update_peer_error,
    update_peer_facts,
    update_peer_offered,
    update_peer_state,
)

from .facts import Facts, ask_facts
from .officers import NEEDS_OFFICERS, agree_to_key, wants_two
from .service import (
    LOCKED,
    WrongFingerprint,
    add_peer,
    check_software,
    lock_attempt,
    propose_peer,
    require_peer,
    with_facts,
)

_ANOTHER_KEY = "This peer shows another key than the one you compared. Call its operator before you go on."


async def rekey_peer(core: Core, text: str, *, fingerprint: str, by: str, officer_id: int | None = None) -> Peer:
    """Compare the key that a paused peer shows now, and let it take the old one's place.

    Where the node asks for two officers, the first one's words are kept, and the pause stays until the second's.

    Args:
        core: This node.
        text: Host or URL.
        fingerprint: Hex or eight words of the new key, as the other operator told it.
        by: For the audit log.
        officer_id: Which operator that is; None for a command, which names nobody.

    Raises:
        NotFound: It is not on the list.
        Forbidden: Two officers are asked for, and a command names none.
        Conflict: It is not paused, or shows the key we know, or wrong words ended an attempt.
        WrongFingerprint: The words are not those of the key it shows; the attempt ends and is on record.
        RemoteFailure: It could not be reached.
    """
    peer = require_peer(core, text)
    if wants_two(core) and officer_id is None:
        raise Forbidden(NEEDS_OFFICERS)
    if peer.state != "paused":
        raise Conflict(f"{peer.host} is {peer.state}. Pause it before you compare a new key.")
    if peer.is_locked:
        raise Conflict(LOCKED)
    facts = await ask_facts(core, peer.origin)
    if facts.fingerprint == peer.fingerprint:
        raise Conflict(f"{peer.host} shows the key you compared before. End the pause instead.")
    if not matches_fingerprint(fingerprint, facts.fingerprint):
        await core.store.write(lock_attempt, core, peer, by, facts.fingerprint)
        raise WrongFingerprint("The words are not those of the key this node shows now. Nothing was changed.")
    check_software(facts.software)
    return await core.store.write(_confirm, core, peer, facts, by, officer_id)


async def begin_again(core: Core, text: str, *, by: str) -> Peer:
    """After wrong words: ask the node for its key once more, so that it can be compared anew.

    Raises:
        NotFound: It is not on the list.
        RemoteFailure: It could not be reached.
    """
    peer = require_peer(core, text)
    if peer.state == "draft":
        return await propose_peer(core, peer.origin, by=by)
    if not peer.is_locked:
        return peer
    if peer.state == "verified":  # what was compared before the wrong words is compared anew
        return await add_peer(core, peer.origin, fingerprint=None, activate=False, unpinned=False, by=by)
    facts = await ask_facts(core, peer.origin)
    return await core.store.write(_offer, core, peer, facts, by)


async def _confirm(tx: Tx, core: Core, peer: Peer, facts: Facts, by: str, officer_id: int | None) -> Peer:
    state = await take_peer(tx, peer_id=peer.peer_id)
    if state != "paused":
        raise Conflict(f"{peer.host} is {state}.")
    if await agree_to_key(tx, core, peer_id=peer.peer_id, fingerprint=facts.fingerprint, officer_id=officer_id):
        return await take_key(tx, core, peer, facts, by)
    await update_peer_offered(tx, peer_id=peer.peer_id, fingerprint=facts.fingerprint)
    await update_peer_error(tx, peer_id=peer.peer_id, code=KEY_CHANGED, sentence=_ANOTHER_KEY)
    await write_audit(tx, actor=by, action="peer.rekey_confirmed", target=peer.host, reason=facts.fingerprint)
    return await _put(tx, core, peer)


async def take_key(tx: Tx, core: Core, peer: Peer, facts: Facts, by: str) -> Peer:
    """Let the key that a paused peer shows take the old one's place; whoever calls this holds the peer's row."""
    await update_peer_facts(tx, peer=replace(with_facts(peer, facts), is_pinned=True))
    await update_peer_state(tx, peer_id=peer.peer_id, state="active")
    await clear_peer_error(tx, peer_id=peer.peer_id)
    await retire_keys_of_host(tx, host=peer.host)
    await forget_words_of(tx, host=peer.host)
    await _keep_keys(tx, core, peer, facts)
    await write_audit(tx, actor=by, action="peer.rekeyed", target=peer.host, reason=facts.fingerprint)
    return await _put(tx, core, peer)


async def _keep_keys(tx: Tx, core: Core, peer: Peer, facts: Facts) -> None:
    """Keep the node's own new keys: what it signs with them is taken at once, without asking it again."""
    actor = await get_actor_by_uri(tx, uri=facts.instance_uri)
    if actor is None:
        actor = Actor(
            core.ids.number(), facts.instance_uri, "instance", peer.host, peer.host, False, None, facts.name, "",
            f"{peer.origin}/inbox",
        )  # fmt: skip
        await insert_actor(tx, actor=actor)
    for key in facts.keys:
        await insert_key(tx, actor_id=actor.actor_id, key=key, sealed_private=None)


async def _offer(tx: Tx, core: Core, peer: Peer, facts: Facts, by: str) -> Peer:
    await take_peer(tx, peer_id=peer.peer_id)
    await clear_peer_error(tx, peer_id=peer.peer_id)
    await forget_assents_to_keys(tx, peer_id=peer.peer_id)
    if facts.fingerprint != peer.fingerprint:
        await update_peer_offered(tx, peer_id=peer.peer_id, fingerprint=facts.fingerprint)
        await update_peer_error(tx, peer_id=peer.peer_id, code=KEY_CHANGED, sentence=_ANOTHER_KEY)
    await write_audit(tx, actor=by, action="peer.again", target=peer.host, reason=facts.fingerprint)
    return await _put(tx, core, peer)


async def _put(tx: Tx, core: Core, peer: Peer) -> Peer:
    current = await get_peer(tx, peer_id=peer.peer_id)
    assert current is not None

    def tell() -> None:
        core.keyring.forget_host(peer.host)
        core.peers.put(current)
        core.bell.ring(LANES_BELL)

    tx.after_commit(tell)
    return current

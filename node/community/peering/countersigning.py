"""The second officer's word: a key that one operator confirmed holds once another one has confirmed it, too.

It is for a node that is added, and for the new key of a paused peer. Pausing and parting need nobody's consent: whoever
sees that something is wrong stops it.
"""

from __future__ import annotations

from node.domain.peers import Peer
from node.foundation.errors import Conflict
from node.store.audit import write_audit
from node.store.core import Core
from node.store.engine import Tx
from node.store.officers import list_assents_to_key
from node.store.peers import clear_peer_error, get_peer, take_peer, update_peer_state

from .facts import Facts, ask_facts
from .officers import agree_to_key, wants_two
from .rekey import take_key
from .service import LOCKED, require_peer, tell_peer

OWN_WORD = "You confirmed this node's key yourself. Another operator of this node has to countersign."
NOTHING = "There is nothing to countersign here."
_CHANGED = "This node shows another key than the one that was confirmed. Its words have to be compared anew."


async def countersign_peer(core: Core, text: str, *, officer_id: int, by: str) -> Peer:
    """Confirm, as an operator, a key that was compared before; with the second word it holds.

    Args:
        core: This node.
        text: Host or URL.
        officer_id: Which operator confirms.
        by: Their address, for the audit log.

    Raises:
        NotFound: It is not on the list.
        Conflict: The same operator confirmed it before, or nothing waits, or the node shows another key by now.
        RemoteFailure: Its new key has to be asked for once more, and it cannot be reached.
    """
    peer = require_peer(core, text)
    if peer.is_locked:
        raise Conflict(LOCKED)
    key = find_key_to_confirm(core, peer)
    if key is None:
        raise Conflict(NOTHING)
    if peer.state == "verified" and peer.offered not in (None, key):
        raise Conflict(_CHANGED)
    facts = await ask_facts(core, peer.origin) if peer.state == "paused" else None
    if facts is not None and facts.fingerprint != key:
        raise Conflict(_CHANGED)
    done = await core.store.write(_countersign, core, peer, key, facts, officer_id, by)
    if done is None:
        raise Conflict(OWN_WORD)
    return done


def find_key_to_confirm(core: Core, peer: Peer) -> str | None:
    """Return the fingerprint of the key that officers may countersign, in hex; None where none waits for them."""
    if not wants_two(core):
        return None
    if peer.state == "verified" and peer.is_pinned:
        return peer.fingerprint
    return peer.offered if peer.state == "paused" else None


async def list_officers(core: Core, peer: Peer) -> list[str]:
    """Return the handles of our operators who confirmed the key that waits for another one's word."""
    key = find_key_to_confirm(core, peer)
    return [] if key is None else await core.store.read(_list_handles, peer.peer_id, key)


async def _list_handles(tx: Tx, peer_id: int, key: str) -> list[str]:
    return [each.handle for each in await list_assents_to_key(tx, peer_id=peer_id, fingerprint=key)]


async def _countersign(
    tx: Tx, core: Core, peer: Peer, key: str, facts: Facts | None, officer_id: int, by: str
) -> Peer | None:
    """Return the peer as it is now; None where the officer had confirmed it before, which is put on record."""
    await take_peer(tx, peer_id=peer.peer_id)
    current = await get_peer(tx, peer_id=peer.peer_id)
    if current is None or find_key_to_confirm(core, current) != key:
        raise Conflict(NOTHING)
    given = await list_assents_to_key(tx, peer_id=peer.peer_id, fingerprint=key)
    if any(each.officer_id == officer_id for each in given):
        await write_audit(tx, actor=by, action="peer.own_countersign", target=peer.host, reason=key)
        return None
    if current.state == "paused" and not given:
        raise Conflict(NOTHING)  # nobody has compared the words of the new key yet
    is_agreed = await agree_to_key(tx, core, peer_id=peer.peer_id, fingerprint=key, officer_id=officer_id)
    await write_audit(tx, actor=by, action="peer.countersigned", target=peer.host, reason=key)
    if is_agreed and facts is not None:
        return await take_key(tx, core, current, facts, by)
    if is_agreed:
        await update_peer_state(tx, peer_id=peer.peer_id, state="active")
        await clear_peer_error(tx, peer_id=peer.peer_id)
        await write_audit(tx, actor=by, action="peer.active", target=peer.host, reason=key)
    return await tell_peer(tx, core, peer.peer_id)

"""When a peer last reached us; kept at most every ten seconds, so that a flood costs no writes."""

from __future__ import annotations

from datetime import timedelta

from node.domain.peers import Peer
from node.store.core import Core
from node.store.engine import Tx
from node.store.peers import update_peer_received

CONTACT_BELL = "lanes"
_EVERY = timedelta(seconds=10)


async def note_received(tx: Tx, core: Core, peer: Peer) -> None:
    """Remember that a peer reached us now; it counts as contact, and lanes that waited for it are tried again."""
    current = core.peers.by_id(peer.peer_id) or peer
    if current.last_received_at is not None and tx.now - current.last_received_at < _EVERY:
        return
    at = tx.now
    await update_peer_received(tx, peer_id=peer.peer_id, at=at)

    def tell() -> None:
        core.peers.note_received(peer.peer_id, at)
        core.bell.ring(CONTACT_BELL)

    tx.after_commit(tell)

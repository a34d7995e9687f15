"""What another node says of itself: that it has other keys. It is asked, and what it answers at its own address counts.

Spec: reliability.md 4.7; signatures.md T62.
"""

from __future__ import annotations

from typing import Any

import msgspec

from node.federation.credentials import KEY_MEMBER
from node.federation.vocabulary import ActorView
from node.federation.vocabulary.actors import read_keys
from node.inbox.dispatch import Arrival, Done, Need, Outcome
from node.store.actors import get_actor_document
from node.store.core import Core
from node.store.engine import Tx


async def on_instance_changed(tx: Tx, core: Core, arrival: Arrival) -> Outcome | None:
    """A peer's node has other keys: its document is fetched, unless the one that we have says the same.

    What the activity carries is a notice and no more: the fetch compares with the pinned key, and pauses or follows.
    """
    view, peer = arrival.view.inner, core.peers.by_id(arrival.peer_id or 0)
    if peer is None or not isinstance(view, ActorView) or arrival.actor_uri != f"{peer.origin}/actor":
        return None
    if view.id != arrival.actor_uri:
        return None
    row = await get_actor_document(tx, uri=view.id)
    known = msgspec.json.decode(row.document) if row is not None and row.document else {}
    told, ours = _list_keys(view.document), _list_keys(known)
    # It may say less by now than we know, for several keys may have changed since.
    return Done() if set(told) <= set(ours) and told[:1] == ours[:1] else Need(view.id)


def _list_keys(document: dict[str, Any]) -> list[str]:
    """Return the ids of the keys that a node shows, the one that it signs with first."""
    attesting = document.get(KEY_MEMBER)
    several = attesting if isinstance(attesting, list) else [attesting]
    ids = [key.key_id for key in sorted(read_keys(document), key=lambda key: (key.algorithm, not key.signs))]
    return ids + [str(key.get("id")) for key in several if isinstance(key, dict)]

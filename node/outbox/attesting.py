"""What this node states of its members, and that peers learn of it. Always inside the caller's transaction.

A statement is made when a verification changes, and anew when half its life is over. Every peer that can have the
member's document is sent an `Update` of it on the control stream, before any content: a revocation must not wait behind
what the person wrote.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import msgspec

from node.domain.actors import Actor
from node.domain.attestations import Attested
from node.domain.verification import Verification
from node.federation.credentials import LIFE, Statement, build_statement, day_of
from node.store.actors import get_actor
from node.store.attestations import drop_attestation, get_statement, own_word, put_attestation
from node.store.core import Core
from node.store.engine import Tx
from node.store.sharing import list_peers_knowing
from node.store.verifications import list_verifications

from .actors import CONTEXT, build_person
from .publish import CONTROL, prove, published_keys, send

_SECOND = timedelta(seconds=1)


async def attest(tx: Tx, core: Core, *, actor_id: int) -> None:
    """State anew what is recorded of a member, and tell every peer that can have their document."""
    actor = await get_actor(tx, actor_id=actor_id)
    found = (await list_verifications(tx, actor_ids=[actor_id])).get(actor_id)
    if actor is None or not actor.is_local or found is None:
        return
    word = own_word(*found, core.host, tx.now)
    document = None if word.level == "A0" else _state(core, actor, found[0], word, tx.now)
    if document is None:
        await drop_attestation(tx, actor_id=actor_id)
    else:
        ends_at = _ends(found[0], word, tx.now)
        kept = Attested(
            word.state, word.level, word.stage, word.methods, word.jurisdictions, word.since, word.checked, ends_at,
            core.host,
        )  # fmt: skip
        text = msgspec.json.encode(document).decode()
        await put_attestation(tx, actor_id=actor_id, attested=kept, starts_at=day_of(tx.now), document=text)
    await tell_peers(tx, core, actor=actor)


async def tell_peers(tx: Tx, core: Core, *, actor: Actor) -> None:
    """Send a member's document to every peer that can have it."""
    document = await document_of(tx, core, actor)
    for peer_id in await list_peers_knowing(tx, actor_id=actor.actor_id):
        peer = core.peers.by_id(peer_id)
        if peer is None:
            continue
        activity = {
            "@context": CONTEXT,
            "type": "Update",
            "id": f"{core.origin}/activities/{core.ids.token()}",
            "actor": actor.uri,
            "object": document,
            "to": [f"{peer.origin}/actor"],
        }
        proved = prove(core, core.keyring.at_hand(actor.actor_id), activity)
        inbox_uri = f"{peer.origin}/inbox"
        await send(
            tx, core, peer_id=peer_id, stream=CONTROL, actor_id=actor.actor_id, activity=proved, inbox_uri=inbox_uri
        )


async def document_of(tx: Tx, core: Core, actor: Actor) -> dict[str, Any]:
    """Return a member of ours as peers may see them, with what this node states of them."""
    keys = await published_keys(tx, actor)
    statement = await get_statement(tx, actor_id=actor.actor_id)
    return build_person(core, actor, keys, msgspec.json.decode(statement) if statement else None)


def _state(core: Core, actor: Actor, verification: Verification, word: Attested, now: datetime) -> dict[str, Any]:
    key = core.keyring.attesting
    statement = Statement(
        subject=actor.uri,
        issuer=core.instance_uri,
        state=word.state,
        level=word.level,
        stage=word.stage,
        methods=word.methods,
        jurisdictions=word.jurisdictions,
        since=word.since,
        checked=word.checked,
        starts_at=day_of(now),
        ends_at=_ends(verification, word, now),
    )
    return build_statement(statement, key.private, key_id=key.key_id)


def _ends(verification: Verification, word: Attested, now: datetime) -> datetime:
    """Return until when a statement is good: 30 days, and never beyond what it is about."""
    end = day_of(now) + LIFE
    return min(end, verification.lapses_at.replace(microsecond=0) + _SECOND) if word.state == "current" else end

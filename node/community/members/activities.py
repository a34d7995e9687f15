"""What people elsewhere say of themselves: a changed profile, a new key, another attestation by their node.

Somebody speaks for themselves only: `federation.origin` has checked that actor and object are the same (T05, T12). Their
inboxes and keys must be of their own origin, or our words would go to another node, and a key of another would be theirs.
"""

from __future__ import annotations

import msgspec

from node.community.hosting import is_said_otherwise, renew_cards
from node.domain.actors import Actor
from node.federation.credentials import MEMBER
from node.federation.origin import check_actor_origins, parse_origin
from node.federation.vocabulary import ActorView
from node.foundation.errors import OriginMismatch
from node.foundation.text import clean_line, sanitize_html
from node.inbox.attested import learn_attestation, needs_instance
from node.inbox.dispatch import Arrival, Done, Dropped, Need, Outcome
from node.store.actors import get_actor_by_uri, save_remote_actor
from node.store.core import Core
from node.store.engine import Tx


async def on_person_changed(tx: Tx, core: Core, arrival: Arrival) -> Outcome | None:
    """Somebody on a peer changed their profile or their keys; the activity was signed by a key they had before."""
    view = arrival.view.inner
    if not isinstance(view, ActorView) or view.id != arrival.actor_uri:
        return None
    known = await get_actor_by_uri(tx, uri=view.id)
    if known is None or known.is_local or known.kind == "instance":
        return None
    try:
        origin = parse_origin(view.id, allow_insecure=core.allow_insecure)
        check_actor_origins(view, expected_origin=origin, allow_insecure=core.allow_insecure)
    except OriginMismatch as error:
        return Dropped(error.safe)
    actor = Actor(
        actor_id=known.actor_id,
        uri=known.uri,
        kind=known.kind,
        handle=known.handle,
        host=known.host,
        is_local=False,
        known_through=None,
        name=clean_line(view.name or "") or known.name,
        summary=sanitize_html(view.summary or ""),
        inbox_uri=view.shared_inbox or view.inbox,
    )
    needed = await needs_instance(tx, core, actor=actor, document=view.document, only_missing=True)
    if needed is not None:
        return Need(needed)
    keys = tuple(key for key in view.keys if key.owner == view.id)
    text = msgspec.json.encode(view.document).decode()
    await save_remote_actor(tx, actor=actor, document=text, keys=keys)
    is_news = await learn_attestation(tx, core, actor=actor, document=view.document)
    # It may be no news to us, who fetched their document before this came, and still be news to our groups.
    if is_news or await is_said_otherwise(tx, actor_uri=actor.uri, statement=view.document.get(MEMBER)):
        await renew_cards(tx, core, actor_uri=actor.uri)
    tx.after_commit(lambda: core.keyring.forget(view.id))
    return Done()

"""new.example: a node that operators get to know in a test, with its key, its words, and what it says of itself."""

from __future__ import annotations

import json
from typing import Any

import pytest

from node.community.peering.service import add_peer
from node.federation.nodeinfo import SCHEMA_URL, build_nodeinfo
from node.federation.signatures.keys import fingerprint_hex
from node.foundation.errors import KeyUnavailable
from node.foundation.fingerprints import fingerprint_words
from node.store.audit import list_audit
from node.store.peers import get_peer_by_host
from tests.support.corridor import Corridor
from tests.support.requesters import ForeignActor, a_foreign_actor

HOST = "new.example"
NEW = a_foreign_actor(HOST, kind="Application")
CHANGED = a_foreign_actor(HOST, kind="Application", key="changed")
HERE = f"/peers/{HOST}"
NOBODYS = " ".join(fingerprint_words("0" * 64))


def print_of(actor: ForeignActor) -> str:
    """Return the fingerprint of an instance actor, in hex."""
    return fingerprint_hex(actor.ed25519.public)


def words_of(actor: ForeignActor) -> str:
    """Return the eight words of an instance actor."""
    return " ".join(fingerprint_words(print_of(actor)))


def show(corridor: Corridor, actor: ForeignActor, **told: Any) -> None:
    """Let new.example show an instance actor, WebFinger, and NodeInfo with these members of its metadata."""
    info = build_nodeinfo("2.1", "0.1.0", features=told)
    corridor.lone.wire.documents = {
        actor.uri: actor.prove(actor.document(), corridor.now),
        f"https://{HOST}/.well-known/nodeinfo": {
            "links": [{"rel": f"{SCHEMA_URL}2.1", "href": f"https://{HOST}/nodeinfo/2.1"}]
        },
        f"https://{HOST}/nodeinfo/2.1": json.dumps(info).encode(),
        f"https://{HOST}/.well-known/webfinger?resource=acct:{HOST}@{HOST}": {
            "subject": f"acct:{HOST}@{HOST}",
            "links": [{"rel": "self", "type": "application/activity+json", "href": actor.uri}],
        },
    }


async def activate(corridor: Corridor) -> Any:
    """Make new.example an active peer whose words were compared."""
    return await add_peer(
        corridor.lone.core, HOST, fingerprint=print_of(NEW), activate=True, unpinned=False, by="operator"
    )


async def find_peer(corridor: Corridor, host: str = HOST) -> Any:
    """Return a peer as the store has it; memory says the same."""
    found = await corridor.lone.core.store.read(lambda tx: get_peer_by_host(tx, host=host))
    assert corridor.lone.core.peers.by_host(host) == found
    return found


async def list_actions(corridor: Corridor) -> list[str]:
    """Return what was done, oldest first."""
    return [row.action for row in await corridor.lone.core.store.read(list_audit)]


async def show_another_key(corridor: Corridor) -> None:
    """Let the active peer show another key, and our node notice it."""
    show(corridor, CHANGED)
    with pytest.raises(KeyUnavailable):
        await corridor.lone.house.dereferencer.fetch_actor(CHANGED.uri, await find_peer(corridor))

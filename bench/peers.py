"""Other nodes as far as the node under test can tell: origins with actors, keys, documents and signed requests.

Nothing here is stubbed on the other side: keys are real, signatures are made as any node makes them. Everything dear
(keys, signatures, proofs) is made before time is taken.
"""

from __future__ import annotations

import itertools
import json
import secrets
import socket
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from node.federation.mediatypes import ACTIVITY_JSON
from node.federation.message import Request
from node.federation.nodeinfo import build_discovery, build_nodeinfo
from node.federation.signatures.cavage import sign_cavage
from node.federation.signatures.keys import (
    PrivateKey,
    format_multikey,
    format_public_pem,
    generate_ed25519_key,
    generate_rsa_key,
)
from node.federation.signatures.rfc9421 import sign_rfc9421

CONTEXT = ["https://www.w3.org/ns/activitystreams", "https://w3id.org/security/v1"]
_KEYS = 16


@dataclass(frozen=True, slots=True)
class Keys:
    """A pair of private keys with the public halves as actors publish them."""

    rsa: PrivateKey
    ed25519: PrivateKey
    pem: str
    multikey: str


class KeyBox:
    """A few keys, made once and handed out in turn: an RSA key takes 0.1 s to make."""

    def __init__(self, count: int = _KEYS) -> None:
        self._keys = [_make_keys() for _ in range(count)]
        self._next: Iterator[Keys] = itertools.cycle(self._keys)

    def take(self) -> Keys:
        """Return the next pair."""
        return next(self._next)


@dataclass(slots=True)
class Peer:
    """One other node. documents: what it answers to GET, by path: (content type, body)."""

    origin: str
    listener: socket.socket
    speaks_rounds: bool
    documents: dict[str, tuple[str, str]] = field(default_factory=dict)

    @property
    def host(self) -> str:
        """Its authority."""
        return self.origin.partition("://")[2]

    def publish(self, path: str, document: dict[str, Any], content_type: str = ACTIVITY_JSON) -> None:
        """Answer a path with a document from now on; call before the world is started."""
        self.documents[path] = (content_type, json.dumps(document))


@dataclass(frozen=True, slots=True)
class Actor:
    """Somebody on a peer: a person, a group or the instance."""

    peer: Peer
    uri: str
    keys: Keys

    @property
    def inbox(self) -> str:
        """Where it takes activities."""
        return f"{self.peer.origin}/inbox"


def make_peer(keys: KeyBox, *, speaks_rounds: bool = False) -> Peer:
    """Return a peer that listens on a port of its own and has an instance actor."""
    listener = socket.socket()
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    listener.bind(("127.0.0.1", 0))
    peer = Peer(f"http://localhost:{listener.getsockname()[1]}", listener, speaks_rounds)
    make_actor(peer, "/actor", "Application", keys)
    if speaks_rounds:
        peer.publish("/.well-known/nodeinfo", build_discovery(peer.origin), "application/json")
        peer.publish("/nodeinfo/2.1", dict(build_nodeinfo("2.1", "0.1.0")), "application/json")
    return peer


def make_actor(peer: Peer, path: str, kind: str, keys: KeyBox) -> Actor:
    """Return an actor and publish its document."""
    actor = Actor(peer, f"{peer.origin}{path}", keys.take())
    peer.publish(path, describe_actor(actor, kind))
    return actor


def describe_actor(actor: Actor, kind: str) -> dict[str, Any]:
    """Return the document of an actor."""
    uri = actor.uri
    return {
        "@context": CONTEXT,
        "type": kind,
        "id": uri,
        "preferredUsername": uri.rpartition("/")[2],
        "name": f"Doctor {uri.rpartition('/')[2]}",
        "inbox": actor.inbox,
        "outbox": f"{uri}/outbox",
        "followers": f"{uri}/followers",
        "endpoints": {"sharedInbox": actor.inbox},
        "publicKey": {"id": f"{uri}#main-key", "owner": uri, "publicKeyPem": actor.keys.pem},
        "assertionMethod": [multikey_of(actor)],
    }


def multikey_of(actor: Actor) -> dict[str, Any]:
    """Return an actor's Ed25519 key as it is published."""
    uri = actor.uri
    return {"id": f"{uri}#ed25519", "type": "Multikey", "controller": uri, "publicKeyMultibase": actor.keys.multikey}


def sign_post(
    actor: Actor, origin: str, body: bytes, *, path: str = "/inbox", headers: tuple[tuple[str, str], ...] = ()
) -> bytes:
    """Return a whole POST of an activity to a node, as bytes for the wire, signed by the actor (RSA, draft-cavage)."""
    request = Request("POST", path, (*_usual_headers(origin), ("content-type", ACTIVITY_JSON), *headers), body)
    return _to_bytes(sign_cavage(request, actor.keys.rsa, f"{actor.uri}#main-key", now=datetime.now(UTC)))


def sign_post_ed25519(actor: Actor, origin: str, body: bytes, *, headers: tuple[tuple[str, str], ...] = ()) -> bytes:
    """Return the same as our own nodes sign it: RFC 9421 with Ed25519."""
    request = Request("POST", "/inbox", (*_usual_headers(origin), ("content-type", ACTIVITY_JSON), *headers), body)
    signed = sign_rfc9421(
        request, actor.keys.ed25519, f"{actor.uri}#ed25519", now=datetime.now(UTC), origin=origin,
        expires_in_seconds=3600,
    )  # fmt: skip
    return _to_bytes(signed)


def sign_get(actor: Actor, origin: str, path: str) -> bytes:
    """Return a whole GET of an ActivityPub document, signed by the actor (RSA, draft-cavage)."""
    request = Request("GET", path, (*_usual_headers(origin), ("accept", ACTIVITY_JSON)))
    return _to_bytes(sign_cavage(request, actor.keys.rsa, f"{actor.uri}#main-key", now=datetime.now(UTC)))


def plain_get(origin: str, path: str, *, token: str) -> bytes:
    """Return a whole GET of an app that is signed in."""
    headers = (*_usual_headers(origin), ("accept", "application/json"), ("authorization", f"Bearer {token}"))
    return _to_bytes(Request("GET", path, headers))


def new_token() -> str:
    """Return a random name for a document, as long as a node's own."""
    return secrets.token_hex(13)


def _usual_headers(origin: str) -> tuple[tuple[str, str], ...]:
    return (("host", origin.partition("://")[2]), ("user-agent", "bench"))


def _to_bytes(request: Request) -> bytes:
    lines = [f"{request.method} {request.target} HTTP/1.1"]
    lines += [f"{name}: {value}" for name, value in request.headers]
    if request.body:
        lines.append(f"content-length: {len(request.body)}")
    return "\r\n".join([*lines, "", ""]).encode("latin-1") + request.body


def _make_keys() -> Keys:
    rsa, ed25519 = generate_rsa_key(), generate_ed25519_key()
    return Keys(rsa, ed25519, format_public_pem(rsa.public), format_multikey(ed25519.public))

"""Who asks a node for something, and how: people on other nodes with real keys, strangers, forgers, browsers and apps.

    fay = a_foreign_actor("friend.example", "fay")
    answer = await ask(lone.app, fay.sign(a_get("/groups/ward"), clock.now()))

Nothing here knows what the answer should be.
"""

from __future__ import annotations

import asyncio
import base64
import functools
from collections.abc import MutableMapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any
from urllib.parse import unquote

import msgspec

from node.domain.actors import Actor
from node.domain.peers import Peer, PeerPolicy
from node.federation.integrity import sign_document
from node.federation.message import Answer, KeyDocument, Request
from node.federation.signatures.cavage import sign_cavage, signing_string
from node.federation.signatures.keys import PrivateKey, format_multikey, format_public_pem, generate_ed25519_key
from node.federation.signatures.rfc9421 import sign_rfc9421
from node.foundation.clock import format_instant
from node.store.actors import save_remote_actor
from node.store.core import Core
from node.store.engine import Tx
from node.store.peers import get_peer_by_host, insert_peer
from tests.support.lone_house import HOST, ORIGIN, body_of, rsa_key

ACTIVITY = "application/activity+json"
# What differs from answer to answer, whatever was asked for.
_CHANGING = ("date", "x-request-id", "x-ratelimit-remaining")
CONTEXT = ["https://www.w3.org/ns/activitystreams", "https://w3id.org/security/data-integrity/v1"]


@functools.cache
def _ed25519_key(uri: str) -> PrivateKey:
    return generate_ed25519_key()


@dataclass(frozen=True, slots=True)
class ForeignActor:
    """Somebody on another node, with keys of their own.

    uri: their id. rsa, ed25519: what they sign with. kind: `Person`, `Group` or `Application`.
    """

    uri: str
    rsa: PrivateKey
    ed25519: PrivateKey
    kind: str = "Person"

    @property
    def origin(self) -> str:
        """Their node's origin."""
        return "/".join(self.uri.split("/")[:3])

    @property
    def handle(self) -> str:
        """What they are called there."""
        return self.uri.rpartition("/")[2]

    @property
    def rsa_key_id(self) -> str:
        """The id of their RSA key."""
        return f"{self.uri}#main-key"

    @property
    def keys(self) -> tuple[KeyDocument, ...]:
        """Their public keys as they publish them."""
        return (
            KeyDocument(self.rsa_key_id, self.uri, "rsa", format_public_pem(self.rsa.public)),
            KeyDocument(f"{self.uri}#ed25519", self.uri, "ed25519", format_multikey(self.ed25519.public)),
        )

    def document(self, **more: Any) -> dict[str, Any]:
        """Return their actor document as their node serves it."""
        rsa, ed25519 = self.keys
        return {
            "@context": [*CONTEXT, "https://w3id.org/security/v1", "https://w3id.org/security/multikey/v1"],
            "type": self.kind,
            "id": self.uri,
            "preferredUsername": self.handle,
            "name": self.handle.capitalize(),
            "inbox": f"{self.uri}/inbox",
            "outbox": f"{self.uri}/outbox",
            "endpoints": {"sharedInbox": f"{self.origin}/inbox"},
            "publicKey": {"id": rsa.key_id, "owner": self.uri, "publicKeyPem": rsa.text},
            "assertionMethod": [
                {
                    "id": ed25519.key_id,
                    "type": "Multikey",
                    "controller": self.uri,
                    "publicKeyMultibase": ed25519.text,
                }
            ],
            **more,
        }

    def sign(self, request: Request, now: datetime, *, key_id: str | None = None) -> Request:
        """Sign in the draft dialect with the RSA key, as most of the fediverse does."""
        return sign_cavage(request, self.rsa, key_id or self.rsa_key_id, now=now)

    def sign_9421(self, request: Request, now: datetime) -> Request:
        """Sign by RFC 9421 with the Ed25519 key, as our own nodes do."""
        return sign_rfc9421(request, self.ed25519, f"{self.uri}#ed25519", now=now, origin=ORIGIN)

    def prove(self, activity: dict[str, Any], now: datetime) -> dict[str, Any]:
        """Return an activity with their proof."""
        return sign_document(activity, self.ed25519, method=f"{self.uri}#ed25519", created=format_instant(now))

    def deliver(self, activity: Any, now: datetime, *, target: str = "/inbox") -> Request:
        """Return the request that brings an activity, signed; one that has no proof gets theirs first."""
        if isinstance(activity, dict) and "proof" not in activity:
            activity = self.prove(activity, now)
        return self.sign(a_post(activity, target=target), now)

    def activity(self, verb: str, about: Any, *, number: int | str = 1, **more: Any) -> dict[str, Any]:
        """Return an activity of theirs, without a proof."""
        return {
            "@context": CONTEXT,
            "type": verb,
            "id": f"{self.origin}/activities/{self.handle}-{number}",
            "actor": self.uri,
            "object": about,
            **more,
        }

    def note(self, text: str, *, to: list[str], number: int | str = 1, **more: Any) -> dict[str, Any]:
        """Return a post of theirs."""
        return {
            "id": f"{self.origin}/posts/{self.handle}-{number}",
            "type": "Note",
            "attributedTo": self.uri,
            "to": to,
            "cc": [],
            "content": f"<p>{text}</p>",
            "published": "2026-11-21T11:00:00Z",
            **more,
        }

    def post_in(self, group_uri: str, text: str, *, number: int | str = 1, **more: Any) -> dict[str, Any]:
        """Return the Create of a post of theirs in a group, without a proof."""
        to = [group_uri, f"{group_uri}/followers"]
        note = self.note(text, to=to, number=number, audience=group_uri, **more)
        return self.activity("Create", note, number=f"create-{number}", to=to, audience=group_uri)


def a_foreign_actor(host: str, handle: str = "fay", *, kind: str = "Person", key: str | None = None) -> ForeignActor:
    """Return somebody on another node; actors of one node share an RSA key unless `key` names another."""
    folder = {"Person": "people", "Group": "groups"}.get(kind)
    uri = f"https://{host}/{folder}/{handle}" if folder else f"https://{host}/actor"
    return ForeignActor(uri, rsa_key(key or host), _ed25519_key(f"{uri} {key}"), kind)


async def know_peer(core: Core, host: str, *, state: str = "active", software: str | None = None) -> Peer:
    """Put another node on the list, in any state."""
    peer = Peer(
        peer_id=core.ids.number(),
        host=host,
        origin=f"https://{host}",
        name=host,
        state=state,
        fingerprint=None,
        is_pinned=False,
        instance_uri=f"https://{host}/actor",
        software_name=software,
        software_version=None,
        policy=PeerPolicy(),
        agreement_version=None,
        last_received_at=None,
        last_delivered_at=None,
        error_code=None,
        error_sentence=None,
        error_since_at=None,
    )
    await core.store.write(_insert_peer, peer)
    core.peers.put(peer)
    return peer


def put_peer_into(core: Core, peer: Peer, state: str) -> None:
    """Let the list in memory say another state of a peer, as a service does after its commit."""
    core.peers.put(replace(peer, state=state))


async def know_actor(core: Core, foreign: ForeignActor) -> Actor:
    """Keep somebody of another node with their keys, as if their document had been fetched."""
    kind = {"Person": "person", "Group": "group"}.get(foreign.kind, "instance")
    actor = Actor(
        actor_id=core.ids.number(),
        uri=foreign.uri,
        kind=kind,
        handle=foreign.handle,
        host=foreign.origin.removeprefix("https://"),
        is_local=False,
        known_through=None,
        name=foreign.handle.capitalize(),
        summary="",
        inbox_uri=f"{foreign.origin}/inbox",
    )
    text = msgspec.json.encode(foreign.document()).decode()
    return await core.store.write(lambda tx: save_remote_actor(tx, actor=actor, document=text, keys=foreign.keys))


async def _insert_peer(tx: Tx, peer: Peer) -> None:
    if await get_peer_by_host(tx, host=peer.host) is None:
        await insert_peer(tx, peer=peer)


def a_get(target: str, *, accept: str = ACTIVITY, method: str = "GET", host: str = HOST, **headers: str) -> Request:
    """Return an unsigned GET; further headers with `_` for `-`."""
    return Request(method, target, (("host", host), ("accept", accept), *_named(headers)))


def a_post(document: Any, *, target: str = "/inbox", content_type: str = ACTIVITY, host: str = HOST) -> Request:
    """Return an unsigned POST of a document, or of bytes as they are."""
    return Request("POST", target, (("host", host), ("content-type", content_type)), body_of(document))


def with_header(request: Request, name: str, value: str) -> Request:
    """Return a request with all headers of a name replaced by one."""
    kept = tuple(header for header in request.headers if header[0] != name)
    return replace(request, headers=(*kept, (name, value)))


def sign_over(foreign: ForeignActor, request: Request, covered: str, now: datetime) -> Request:
    """Sign over any headers, as a careless peer might; what is covered must be in the request."""
    base = signing_string(request, tuple(covered.split()), created=str(int(now.timestamp())))
    signature = base64.b64encode(foreign.rsa.sign(base)).decode()
    value = f'keyId="{foreign.rsa_key_id}",algorithm="hs2019",headers="{covered}",signature="{signature}"'
    if "(created)" in covered:
        value += f",created={int(now.timestamp())}"
    return with_header(request, "signature", value)


def scope_of(request: Request, *, client: tuple[str, int] = ("192.0.2.7", 40_000)) -> dict[str, Any]:
    """Return a request as a server gives it to an ASGI application."""
    path, _, query = request.target.partition("?")
    return {
        "type": "http",
        "asgi": {"version": "3.0", "spec_version": "2.4"},
        "http_version": "1.1",
        "method": request.method,
        "scheme": "https",
        "path": unquote(path),
        "raw_path": path.encode("latin-1"),
        "query_string": query.encode("latin-1"),
        "root_path": "",
        "headers": [(name.encode("latin-1"), value.encode("latin-1")) for name, value in request.headers],
        "client": client,
        "server": ("127.0.0.1", 8000),
        "extensions": {},
    }


async def ask(app: Any, request: Request, *, client: tuple[str, int] = ("192.0.2.7", 40_000)) -> Answer:
    """Put a request to an ASGI application, as a server would, and return the answer; of a stream its beginning."""
    scope = scope_of(request, client=client)
    body, gone = [request.body], asyncio.Event()
    sent: list[MutableMapping[str, Any]] = []

    async def receive() -> MutableMapping[str, Any]:
        if not body:
            await gone.wait()
            return {"type": "http.disconnect"}
        return {"type": "http.request", "body": body.pop(), "more_body": False}

    async def send(message: MutableMapping[str, Any]) -> None:
        sent.append(message)
        if (b"content-type", b"text/event-stream") in sent[0]["headers"] and message.get("body"):
            gone.set()  # it would go on for ever

    await app(scope, receive, send)
    head = next(message for message in sent if message["type"] == "http.response.start")
    headers = tuple((name.decode("latin-1").lower(), value.decode("latin-1")) for name, value in head["headers"])
    chunks = [message.get("body", b"") for message in sent if message["type"] == "http.response.body"]
    return Answer(head["status"], headers, b"".join(chunks))


def shape(answer: Answer) -> tuple[int, tuple[tuple[str, str], ...], bytes]:
    """Return what must be equal in a pair of answers: status, headers but for date, request id and calls left, body."""
    kept = tuple(header for header in answer.headers if header[0] not in _CHANGING)
    return answer.status, kept, answer.body


def _named(headers: dict[str, str]) -> tuple[tuple[str, str], ...]:
    return tuple((name.replace("_", "-"), value) for name, value in headers.items())

"""An outside party with its own keys, its own web server and its own reading of the papers.

It can be a person, the host of a group, the node that speaks for both; and it does what a test tells it, right or wrong.
It shares no code with the node for what it signs and hashes (`foreign_papers`), and remembers every request it gets.
"""

from __future__ import annotations

import itertools
import json
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import aiohttp
from aiohttp import web
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey, generate_private_key

from tests.support.foreign_papers import (
    ForeignLog,
    multikey,
    prove,
    public_pem,
    read_signature,
    sign_request,
)
from tests.support.waiting import until

ACTIVITY_JSON = "application/activity+json"
_AS2 = "https://www.w3.org/ns/activitystreams"
_CONTEXT = [_AS2, "https://w3id.org/security/v1", "https://w3id.org/security/data-integrity/v1"]
# Real keys, made once per process: whoever uses one again is another actor on another port.
_RSA_KEYS: list[RSAPrivateKey] = []


@dataclass(frozen=True, slots=True)
class Received:
    """One request that came in."""

    method: str
    path: str
    headers: dict[str, str]
    body: bytes

    @property
    def document(self) -> dict[str, Any]:
        """The body as JSON; empty where there is none."""
        return dict(json.loads(self.body)) if self.body else {}

    @property
    def type(self) -> str:
        """The type of the activity that came."""
        return str(self.document.get("type", ""))

    @property
    def key_id(self) -> str:
        """Who signed, as they say."""
        return read_signature(self.headers).get("keyId", "")


@dataclass(frozen=True, slots=True)
class Reply:
    """What a node answered."""

    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def document(self) -> Any:
        """The body as JSON."""
        return json.loads(self.body)


@dataclass(slots=True)
class ForeignActor:
    """Somebody there: a person, a group, the node itself."""

    uri: str
    kind: str
    name: str
    rsa: RSAPrivateKey
    ed25519: Ed25519PrivateKey = field(default_factory=Ed25519PrivateKey.generate)
    more: dict[str, Any] = field(default_factory=dict)

    @property
    def origin(self) -> str:
        """The origin of the id."""
        return "/".join(self.uri.split("/")[:3])

    @property
    def method(self) -> str:
        """The id of the key that proves this actor's words."""
        return f"{self.uri}#ed25519"

    @property
    def document(self) -> dict[str, Any]:
        """What the actor's own node says of it."""
        return {
            "@context": _CONTEXT,
            "type": self.kind,
            "id": self.uri,
            "preferredUsername": self.uri.rpartition("/")[2],
            "name": self.name,
            "inbox": f"{self.uri}/inbox",
            "outbox": f"{self.uri}/outbox",
            "endpoints": {"sharedInbox": f"{self.origin}/inbox"},
            "publicKey": {"id": f"{self.uri}#main-key", "owner": self.uri, "publicKeyPem": public_pem(self.rsa)},
            "assertionMethod": [self.multikey],
            **self.more,
        }

    @property
    def multikey(self) -> dict[str, str]:
        """The key that proves this actor's words, as published."""
        value = multikey(self.ed25519)
        return {"id": self.method, "type": "Multikey", "controller": self.uri, "publicKeyMultibase": value}

    @property
    def card(self) -> dict[str, Any]:
        """What a group's host says of this actor (wire.md 4.9)."""
        return {
            "id": self.uri,
            "type": self.kind,
            "name": self.name,
            "preferredUsername": self.uri.rpartition("/")[2],
            "assertionMethod": [self.multikey],
        }


class ForeignPeer:
    """The outside party: a web server on loopback and whoever lives there.

    Args:
        now: Gives the time at which it signs.
    """

    def __init__(self, now: Callable[[], datetime]) -> None:
        self.requests: list[Received] = []
        self.inbox_status = 202
        self.inbox_headers: dict[str, str] = {}
        self.answers: dict[str, Callable[[Received], web.Response]] = {}
        self._now = now
        self._actors: dict[str, ForeignActor] = {}
        self._count = itertools.count(1)
        self._logs: dict[str, ForeignLog] = {}
        self._runner: web.AppRunner | None = None
        self._session: aiohttp.ClientSession | None = None
        self.origin = ""

    @property
    def host(self) -> str:
        """The authority in its ids."""
        return self.origin.partition("://")[2]

    @property
    def instance(self) -> ForeignActor:
        """The actor that speaks for the node itself."""
        return self._actors["/actor"]

    @property
    def deliveries(self) -> list[Received]:
        """What was brought to an inbox."""
        return [each for each in self.requests if each.method == "POST"]

    async def start(self) -> None:
        """Begin to listen."""
        app = web.Application(client_max_size=16 * 1024 * 1024)
        app.router.add_route("*", "/{path:.*}", self._answer)
        self._runner = web.AppRunner(app, access_log=None)
        await self._runner.setup()
        site = web.TCPSite(self._runner, "127.0.0.1", 0)
        await site.start()
        self.origin = f"http://localhost:{self._runner.addresses[0][1]}"
        self._session = aiohttp.ClientSession(auto_decompress=False, cookie_jar=aiohttp.DummyCookieJar())
        self._add("/actor", "Application", "Elsewhere")

    async def stop(self) -> None:
        """Stop listening."""
        if self._session is not None:
            await self._session.close()
        if self._runner is not None:
            await self._runner.cleanup()

    def person(self, handle: str) -> ForeignActor:
        """Return somebody who lives there, made when first named."""
        return self._actors.get(f"/people/{handle}") or self._add(f"/people/{handle}", "Person", handle.capitalize())

    def group(self, handle: str, *, policy: str = "request") -> tuple[ForeignActor, ForeignLog]:
        """Return a group hosted there and its log, made when first named."""
        path = f"/groups/{handle}"
        actor = self._actors.get(path)
        if actor is None:
            actor = self._add(path, "Group", handle.capitalize())
            actor.more = {
                "followers": f"{actor.uri}/followers",
                "manuallyApprovesFollowers": policy != "open",
                "joinPolicy": policy,
                "historyVisibility": "all",
                "log": f"{actor.uri}/log",
            }
            self._logs[path] = ForeignLog(actor.uri, actor.ed25519)
        return actor, self._logs[path]

    def answer_json(self, path: str, document: Any) -> None:
        """Answer requests for a path with a document, whatever else is there."""
        self.answers[path] = lambda _: self._give(document)

    def forget(self, actor: ForeignActor) -> None:
        """Serve an actor's document no more."""
        self._actors.pop(actor.uri.removeprefix(self.origin))

    def activity(self, verb: str, by: ForeignActor, about: Any, *, proved: bool = True, **more: Any) -> dict[str, Any]:
        """Return an activity with a fresh id and its author's proof."""
        document = {
            "@context": _CONTEXT,
            "type": verb,
            "id": f"{self.origin}/activities/{next(self._count)}",
            "actor": by.uri,
            "object": about,
            **more,
        }
        return self.prove(document, by) if proved else document

    def prove(self, document: dict[str, Any], by: ForeignActor) -> dict[str, Any]:
        """Return a document with an actor's proof, in place of one that it has."""
        bare = {name: value for name, value in document.items() if name != "proof"}
        created = self._now().strftime("%Y-%m-%dT%H:%M:%SZ")
        return prove(bare, by.ed25519, by.method, created=created)

    def note(self, by: ForeignActor, group: str, text: str = "Hello", **more: Any) -> dict[str, Any]:
        """Return a post in a group, as its author's node says it."""
        return {
            "type": "Note" if "inReplyTo" in more else "Page",
            "id": f"{self.origin}/posts/{next(self._count)}",
            "attributedTo": by.uri,
            "to": [group, f"{group}/followers"],
            "cc": [],
            "audience": group,
            "content": f"<p>{text}</p>",
            "mediaType": "text/html",
            "published": self._now().strftime("%Y-%m-%dT%H:%M:%SZ"),
            **more,
        }

    def create(self, by: ForeignActor, group: str, text: str = "Hello", **more: Any) -> dict[str, Any]:
        """Return the Create of a post in a group; `more` goes into the post."""
        return self.submit("Create", by, group, self.note(by, group, text, **more))

    def message(self, by: ForeignActor, people: list[str], text: str = "Hello", **more: Any) -> dict[str, Any]:
        """Return the Create of a private message; `more` goes into the message."""
        note = {
            "type": "Note",
            "id": f"{self.origin}/posts/{next(self._count)}",
            "attributedTo": by.uri,
            "to": people,
            "cc": [],
            "content": f"<p>{text}</p>",
        }
        return self.activity("Create", by, note | more, to=people, cc=[])

    def submit(self, verb: str, by: ForeignActor, group: str, about: Any, **more: Any) -> dict[str, Any]:
        """Return an activity for the members of a group."""
        to = [group, f"{group}/followers"]
        return self.activity(verb, by, about, **({"to": to, "cc": [], "audience": group} | more))

    def accept(self, group: ForeignActor, follow: dict[str, Any], *, after: int = 0, **more: Any) -> dict[str, Any]:
        """Return the Accept that lets somebody into a group hosted there, their copy to start after a number."""
        member = {"type": "Member", "object": follow["actor"], "context": group.uri, "role": "member",
                  "joinedSeq": after, "visibleAfter": after, "historyVisibility": "all"}  # fmt: skip
        checkpoint = self._logs[group.uri.removeprefix(self.origin)].checkpoint(after)
        said = {"to": [follow["actor"]], "result": member, "checkpoint": checkpoint} | more
        return self.activity("Accept", group, follow, proved=False, **said)

    async def send(
        self,
        url: str,
        activity: dict[str, Any],
        by: ForeignActor,
        *,
        headers: dict[str, str] | None = None,
        key_id: str = "",
    ) -> Reply:
        """Bring an activity to an inbox, signed by an actor of this party; `key_id` where it is not the usual one."""
        body = json.dumps(activity).encode()
        signed = sign_request("POST", url, body, key=by.rsa, key_id=key_id or f"{by.uri}#main-key", now=self._now())
        return await self.request("POST", url, body=body, headers={**signed, **(headers or {})})

    async def get(self, url: str, by: ForeignActor | None = None) -> Reply:
        """Ask for a document, signed by the node's own actor unless another is named."""
        by = by or self.instance
        signed = sign_request("GET", url, b"", key=by.rsa, key_id=f"{by.uri}#main-key", now=self._now())
        return await self.request("GET", url, headers={**signed, "accept": ACTIVITY_JSON})

    async def request(
        self, method: str, url: str, *, headers: dict[str, str] | None = None, body: bytes = b""
    ) -> Reply:
        """Make a request with exactly these headers."""
        assert self._session is not None
        async with self._session.request(
            method, url, headers=headers, data=body or None, allow_redirects=False
        ) as answer:
            named = {name.lower(): value for name, value in answer.headers.items()}
            return Reply(answer.status, named, await answer.read())

    async def wait_for(self, type_name: str, *, count: int = 1) -> Received:
        """Wait until activities of a type were brought, and return the newest of them."""
        await until(lambda: len(self.received(type_name)) >= count)
        return self.received(type_name)[-1]

    def received(self, type_name: str) -> list[Received]:
        """Return the activities of a type that were brought so far."""
        return [each for each in self.deliveries if each.type == type_name]

    def _add(self, path: str, kind: str, name: str) -> ForeignActor:
        number = len(self._actors)
        while len(_RSA_KEYS) <= number:
            _RSA_KEYS.append(generate_private_key(public_exponent=65537, key_size=2048))
        actor = ForeignActor(f"{self.origin}{path}", kind, name, _RSA_KEYS[number])
        self._actors[path] = actor
        return actor

    async def _answer(self, request: web.Request) -> web.Response:
        named = {name.lower(): value for name, value in request.headers.items()}
        received = Received(request.method, request.path_qs, named, await request.read())
        self.requests.append(received)
        if request.path in self.answers:
            return self.answers[request.path](received)
        if request.method == "POST":
            return web.Response(status=self.inbox_status, headers=self.inbox_headers)
        if request.path in self._actors:
            return self._give(self._signed_actor(request.path))
        if request.path.endswith("/log") and request.path.removesuffix("/log") in self._logs:
            return self._give(self._page(request.path, int(request.query.get("after", "0"))))
        return web.Response(status=404)

    def _signed_actor(self, path: str) -> dict[str, Any]:
        actor = self._actors[path]
        return self.prove(actor.document, actor) if path == "/actor" else actor.document

    def _page(self, path: str, after: int) -> dict[str, Any]:
        log = self._logs[path.removesuffix("/log")]
        items = log.announces[after : after + 50]
        uri = f"{self.origin}{path}"
        return {"@context": _AS2, "type": "OrderedCollectionPage", "id": f"{uri}?after={after}&limit=50",
                "partOf": uri, "orderedItems": items}  # fmt: skip

    @staticmethod
    def _give(document: Any) -> web.Response:
        return web.Response(body=json.dumps(document).encode(), content_type=ACTIVITY_JSON)

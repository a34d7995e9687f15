"""The application: how a request finds its way.

POST to an inbox and whatever asks for ActivityPub, or is signed, goes through the corridor's own doors, which need no web
framework (decision 0002: half the cost per activity). Everything else is a page, an app's call or a document for
everybody, and goes to Quart.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

from node.api import build_api
from node.api.streaming import STREAMING_PATH
from node.community.house import House
from node.federation.message import Answer, Request
from node.foundation.errors import Malformed, NodeError, NotFound, SignatureInvalid, TooLarge, Unavailable
from node.foundation.logs import get_logger
from node.inbox.routes import answer_inbox, is_inbox, refuse
from node.outbox.routes import answer_get
from node.views.gates import retry_after_seconds
from node.views.site import build_site

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]
Asgi = Callable[[Scope, Receive, Send], Awaitable[None]]

# What everybody may ask for, signed or not; Quart answers.
_OPEN_PAGES = frozenset({"/", "/sign-in", "/support", "/charter", "/about", "/actor", "/health", "/ready"})
_OPEN_FOLDERS = ("/nodeinfo/", "/.well-known/", "/static/", "/api/", "/oauth/", "/invitations/", "/set-up/")
_ACTIVITY_TYPES = ("application/activity+json", "application/ld+json")


class Application:
    """What a server runs for one house."""

    def __init__(self, house: House) -> None:
        self._house = house
        self._core = house.core
        site = build_site(house)
        site.register_blueprint(build_api(house))
        self._site: Any = site

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one connection."""
        if scope["type"] == "http" and self._is_for_corridor(scope):
            request = await _read_request(scope, receive, limit_bytes=self._core.config.limits.inbox_bytes)
            answer = refuse(_without_body(scope), TooLarge()) if request is None else await self.answer(request)
            await _send_answer(send, answer, is_head=scope["method"] == "HEAD")
        elif scope["type"] == "websocket" and scope["path"].rstrip("/") != STREAMING_PATH:
            await receive()
            await send({"type": "websocket.close", "code": 1000})  # nothing else here speaks so, whoever asks
        else:
            await self._site(scope, receive, send)

    async def answer(self, request: Request) -> Answer:
        """Answer a request of the corridor."""
        if (away := self._core.pressure.find_maintenance(self._core.clock.now())) is not None:
            seconds = retry_after_seconds(away.until_at, self._core.clock.now())
            return refuse(request, Unavailable(internal="maintenance", retry_after_seconds=seconds))
        try:
            if self._core.company is not None:  # what another process refuses now, this one refuses too
                await self._core.company.keep_up()
            if request.method == "POST" and is_inbox(request.path):
                answer = await answer_inbox(self._core, self._house.receiver, request)
            else:
                answer = await self._answer_get(request)
        except NodeError as error:
            return refuse(request, error)
        except Exception:  # a mistake of ours must not look like one of theirs, and must not kill the connection
            get_logger().exception("request_failed", path=request.path)
            return Answer(500)
        return answer

    async def _answer_get(self, request: Request) -> Answer:
        try:
            claim, peer = self._house.receiver.identify(request)
            await self._house.receiver.verify(request, claim, peer)
            if request.method not in ("GET", "HEAD"):
                raise NotFound
            return await answer_get(self._core, peer, request)
        except Malformed as error:
            return refuse(request, SignatureInvalid(internal=error.internal))
        except NodeError as error:
            # To read, a stranger's signature is worth as much as a wish for something absent (contract.md 2.5).
            return refuse(request, NotFound() if error.status == 403 else error)

    def _is_for_corridor(self, scope: Scope) -> bool:
        path = scope["path"]
        if path in _OPEN_PAGES or path.startswith(_OPEN_FOLDERS):
            return False
        if scope["method"] == "POST" and is_inbox(path):
            return True
        for name, value in scope["headers"]:
            if name in (b"signature", b"signature-input"):
                return True
            if name == b"accept" and any(kind in value.decode("latin-1") for kind in _ACTIVITY_TYPES):
                return True
        return False


async def _read_request(scope: Scope, receive: Receive, *, limit_bytes: int) -> Request | None:
    """Return the whole request, or None when its body is larger than we read."""
    chunks, size = [], 0
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            break
        chunk = message.get("body", b"")
        size += len(chunk)
        if size > limit_bytes:
            return None
        chunks.append(chunk)
        if not message.get("more_body"):
            break
    return Request(scope["method"], _target(scope), _headers(scope), b"".join(chunks))


def _without_body(scope: Scope) -> Request:
    return Request(scope["method"], _target(scope), _headers(scope))


def _target(scope: Scope) -> str:
    raw: bytes = scope.get("raw_path") or scope["path"].encode()
    query: bytes = scope.get("query_string", b"")
    return (raw + (b"?" + query if query else b"")).decode("latin-1")


def _headers(scope: Scope) -> tuple[tuple[str, str], ...]:
    return tuple((name.decode("latin-1").lower(), value.decode("latin-1").strip()) for name, value in scope["headers"])


async def _send_answer(send: Send, answer: Answer, *, is_head: bool) -> None:
    headers = [(name.encode(), value.encode("latin-1")) for name, value in answer.headers]
    headers.append((b"content-length", str(len(answer.body)).encode()))
    await send({"type": "http.response.start", "status": answer.status, "headers": headers})
    await send({"type": "http.response.body", "body": b"" if is_head else answer.body})

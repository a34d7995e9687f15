"""An app that listens: a websocket as a server gives it to the application, or an event stream.

app = await ListeningApp.connect(practice.lone.app, token, "stream=user")
assert app.is_open
[told] = await app.told()
"""

from __future__ import annotations

import asyncio
from collections.abc import MutableMapping
from typing import Any

import msgspec

from node.federation.message import Request
from tests.support.api_watch import find_entity_faults
from tests.support.lone_house import HOST
from tests.support.phone import Phone
from tests.support.practice import Practice
from tests.support.requesters import scope_of

_PATIENCE_SECONDS = 20.0
_PATH = "/api/v1/streaming"
# What each event carries.
_ENTITIES = {
    "update": "Status", "status.update": "Status", "notification": "Notification", "conversation": "Conversation",
}  # fmt: skip


class ListeningApp:
    """One connection.

    status: 101 once it is open, else that of the refusal. subprotocol: what the node echoed. code: with which it was closed.
    faults: where a payload differs from the schema of what it is.
    """

    def __init__(self) -> None:
        self.status = 0
        self.subprotocol: str | None = None
        self.code: int | None = None
        self.body = b""
        self.is_over = False
        self.faults: list[str] = []
        self._heard: list[dict[str, Any]] = []
        self._read = 0
        self._changed = asyncio.Event()
        self._to_node: asyncio.Queue[MutableMapping[str, Any]] = asyncio.Queue()
        self._task: asyncio.Task[None] | None = None

    @classmethod
    async def connect(
        cls, app: Any, token: str | None, query: str = "", *, place: str = "protocol", **headers: str
    ) -> ListeningApp:
        """Open a websocket; place: where the token stands: protocol, query or header."""
        listening = cls()
        lines = [("host", HOST), *((name.replace("_", "-"), value) for name, value in headers.items())]
        if token is not None and place == "query":
            query = f"{query}&access_token={token}"
        if token is not None and place == "header":
            lines.append(("authorization", f"Bearer {token}"))
        protocols = [token] if token is not None and place == "protocol" else []
        if protocols:
            lines.append(("sec-websocket-protocol", protocols[0]))
        scope = scope_of(Request("GET", f"{_PATH}?{query}", tuple(lines), b""))
        scope |= {"type": "websocket", "scheme": "wss", "subprotocols": protocols}
        scope["extensions"] = {"websocket.http.response": {}}
        listening._to_node.put_nowait({"type": "websocket.connect"})
        listening._task = asyncio.create_task(listening._run(app, scope))
        await listening._wait_for(lambda: listening.status != 0 or listening.is_over)
        return listening

    @property
    def is_open(self) -> bool:
        """Whether the node listens and tells."""
        return self.status == 101 and not self.is_over

    @property
    def json(self) -> Any:
        """The body of a refusal."""
        return msgspec.json.decode(self.body)

    async def say(self, **message: str) -> None:
        """Say something as an app does, and wait until the node has heard it."""
        await self.say_bytes(msgspec.json.encode(message).decode())

    async def say_bytes(self, text: str) -> None:
        """Say anything."""
        self._to_node.put_nowait({"type": "websocket.receive", "text": text})
        for _ in range(20):  # the node's own tasks take it; nothing here waits for time to pass
            await asyncio.sleep(0)

    async def told(self, least: int = 1) -> list[dict[str, Any]]:
        """Wait for so much that was not told before, and return it."""
        await self._wait_for(lambda: len(self._heard) - self._read >= least)
        return self.heard()

    def heard(self) -> list[dict[str, Any]]:
        """Return what was told since the last time, without waiting."""
        assert self.faults == []
        new, self._read = self._heard[self._read :], len(self._heard)
        return new

    async def ended(self) -> None:
        """Wait until the node has closed it."""
        await self._wait_for(lambda: self.is_over)

    async def leave(self) -> None:
        """Go away."""
        self._to_node.put_nowait({"type": "websocket.disconnect", "code": 1001})
        await self.ended()

    async def _wait_for(self, is_so: Any) -> None:
        async with asyncio.timeout(_PATIENCE_SECONDS):
            while not is_so():
                self._changed.clear()
                await self._changed.wait()

    async def _run(self, app: Any, scope: dict[str, Any]) -> None:
        try:
            await app(scope, self._to_node.get, self._send)
        finally:
            self.is_over = True
            self._changed.set()

    async def _send(self, message: MutableMapping[str, Any]) -> None:
        kind = message["type"]
        if kind == "websocket.accept":
            self.status, self.subprotocol = 101, message.get("subprotocol")
        elif kind == "websocket.http.response.start":
            self.status = message["status"]
        elif kind == "websocket.http.response.body":
            self.body += message.get("body", b"")
        elif kind == "websocket.send":
            said = msgspec.json.decode(message["text"])
            if "event" in said:
                self.faults += find_payload_faults(said["event"], said["payload"])
            self._heard.append(said)
        elif kind == "websocket.close":
            self.code = message.get("code")
        self._changed.set()


class EventStream:
    """An event stream. status: of the answer. said: every byte that came. is_over: the node has closed it."""

    def __init__(self) -> None:
        self.status = 0
        self.headers: dict[str, str] = {}
        self.said = b""
        self.is_over = False
        self._read = 0
        self._is_asked = False
        self._changed, self._gone = asyncio.Event(), asyncio.Event()
        self._task: asyncio.Task[None] | None = None

    @classmethod
    async def open(cls, app: Any, token: str | None, path: str, *, place: str = "header") -> EventStream:
        """Open a stream below `/api/v1/streaming`; place: where the token stands: header or query."""
        stream = cls()
        lines = [("host", HOST), ("accept", "text/event-stream")]
        target = f"{_PATH}{path}"
        if token is not None and place == "header":
            lines.append(("authorization", f"Bearer {token}"))
        elif token is not None:
            target += f"{'&' if '?' in path else '?'}access_token={token}"
        stream._task = asyncio.create_task(stream._run(app, scope_of(Request("GET", target, tuple(lines), b""))))
        await stream._wait_for(lambda: stream.said != b"" or stream.is_over)
        return stream

    async def told(self, least: int = 1) -> list[tuple[str, Any]]:
        """Wait for so many (event, payload) that were not told before, and return them."""
        await self._wait_for(lambda: self.said[self._read :].count(b"event: ") >= least)
        return self.heard()

    def heard(self) -> list[tuple[str, Any]]:
        """Return what was told since the last time, without waiting."""
        new, self._read = self.said[self._read :], len(self.said)
        found = []
        for part in new.decode().split("\n\n"):
            if part.startswith("event: "):
                name, data = part.split("\n", 1)
                event, payload = name.removeprefix("event: "), data.removeprefix("data: ")
                assert find_payload_faults(event, payload) == []
                found.append((event, msgspec.json.decode(payload)))
        return found

    async def ended(self) -> None:
        """Wait until the stream is over."""
        await self._wait_for(lambda: self.is_over)

    async def leave(self) -> None:
        """Go away."""
        self._gone.set()
        await self.ended()

    async def _wait_for(self, is_so: Any) -> None:
        async with asyncio.timeout(_PATIENCE_SECONDS):
            while not is_so():
                self._changed.clear()
                await self._changed.wait()

    async def _run(self, app: Any, scope: dict[str, Any]) -> None:
        try:
            await app(scope, self._receive, self._send)
        finally:
            self.is_over = True
            self._changed.set()

    async def _receive(self) -> MutableMapping[str, Any]:
        if not self._is_asked:
            self._is_asked = True
            return {"type": "http.request", "body": b"", "more_body": False}
        await self._gone.wait()
        return {"type": "http.disconnect"}

    async def _send(self, message: MutableMapping[str, Any]) -> None:
        if message["type"] == "http.response.start":
            self.status = message["status"]
            self.headers |= {name.decode().lower(): value.decode() for name, value in message["headers"]}
        self.said += message.get("body", b"")
        self._changed.set()


def find_payload_faults(event: str, payload: str) -> list[str]:
    """Return where what a stream tells differs from the schema of the entity that it is."""
    if event == "delete":
        return [] if payload.isdigit() else [f"{payload} is no id"]
    return find_entity_faults(msgspec.json.decode(payload), _ENTITIES[event])


async def listen(practice: Practice, phone: Phone, query: str = "stream=user", **more: Any) -> ListeningApp:
    """Return an app of somebody's that listens."""
    app = await ListeningApp.connect(practice.lone.app, phone.token, query, **more)
    assert app.is_open, (app.status, app.body)
    return app


def brief(told: list[dict[str, Any]]) -> list[tuple[str, str, str]]:
    """Return (stream, event, words or id) of each."""
    return [(" ".join(each["stream"]), each["event"], words_of(each["event"], each["payload"])) for each in told]


def words_of(event: str, payload: str) -> str:
    """Return what a payload says, or the id of what is gone."""
    if event == "delete":
        return payload.strip('"')
    entity = msgspec.json.decode(payload)
    status = entity.get("last_status") if event == "conversation" else entity.get("status", entity)
    status = status.get("reblog") or status
    return str(status["content"]).strip().removeprefix("<p>").removesuffix("</p>")

"""The process in which all synthetic peers live: answers GET with documents, POST with 202, or behaves badly if told.

`python -m bench.peer_server FILE`: the file is JSON, [{"fd": n, "documents": {path: [content type, body]}}, …]; each
`fd` is an inherited listening socket. Any of them also answers the benchmark itself: `GET /bench/state`,
`GET /bench/times`, `POST /bench/reset`, and `POST /bench/mode` with {"place": n, "mode": "take" | "hang" | "busy"}.
"""

from __future__ import annotations

import asyncio
import json
import re
import socket
import sys
import time
from collections import Counter, deque
from pathlib import Path
from typing import Any

import uvloop

_LENGTH = re.compile(rb"\r\ncontent-length: *([0-9]+)\r\n", re.IGNORECASE)
_KEPT = 20
_TIMES_KEPT = 1000
_TAKEN = b"HTTP/1.1 202 Accepted\r\ncontent-length: 0\r\n\r\n"
_BUSY = b"HTTP/1.1 503 Service Unavailable\r\ncontent-length: 0\r\n\r\n"
_ABSENT = b"HTTP/1.1 404 Not Found\r\ncontent-length: 0\r\n\r\n"


class Host:
    """One synthetic peer and what happened to it since the last reset."""

    def __init__(self, documents: dict[str, list[str]]) -> None:
        self.answers = {
            path.encode(): (
                f"HTTP/1.1 200 OK\r\ncontent-type: {kind}\r\ncontent-length: {len(body.encode())}\r\n\r\n{body}"
            ).encode()
            for path, (kind, body) in documents.items()
        }
        self.mode = "take"
        self.reset()

    def reset(self) -> None:
        """Forget what happened."""
        self.posts = 0
        self.last_at = 0.0
        self.times: deque[float] = deque(maxlen=_TIMES_KEPT)
        self.fetches: Counter[str] = Counter()
        self.bodies: list[str] = []

    def state(self) -> dict[str, Any]:
        """Return how many POSTs came, when the last one did, what was fetched how often, and the first bodies."""
        return {"posts": self.posts, "last_at": self.last_at, "fetches": self.fetches, "bodies": self.bodies}


class Visit(asyncio.Protocol):
    """One connection to a synthetic peer."""

    def __init__(self, host: Host, hosts: list[Host]) -> None:
        self._host, self._hosts = host, hosts
        self._received = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport: asyncio.Transport = transport  # type: ignore[assignment]

    def data_received(self, data: bytes) -> None:
        self._received += data
        while (end := self._received.find(b"\r\n\r\n")) >= 0:
            length = _LENGTH.search(self._received, 0, end + 2)
            size = end + 4 + (int(length[1]) if length else 0)
            if len(self._received) < size:
                return
            head, body = self._received[:end], self._received[end + 4 : size]
            self._received = self._received[size:]
            answer = self._answer(head, body)
            if answer:
                self._transport.write(answer)

    def _answer(self, head: bytes, body: bytes) -> bytes:
        method, target, _ = head.split(b" ", 2)
        path = target.partition(b"?")[0]
        if path.startswith(b"/bench/"):
            return self._control(path, body)
        host = self._host
        if method == b"POST":
            host.posts += 1
            host.last_at = time.monotonic()
            host.times.append(host.last_at)
            if len(host.bodies) < _KEPT:
                host.bodies.append(body.decode())
            return {"take": _TAKEN, "busy": _BUSY, "hang": b""}[host.mode]
        host.fetches[path.decode()] += 1
        return b"" if host.mode == "hang" else host.answers.get(path, _ABSENT)

    def _control(self, path: bytes, body: bytes) -> bytes:
        if path == b"/bench/reset":
            for host in self._hosts:
                host.reset()
        elif path == b"/bench/mode":
            wanted = json.loads(body)
            self._hosts[wanted["place"]].mode = wanted["mode"]
        shown = [list(host.times) if path == b"/bench/times" else host.state() for host in self._hosts]
        text = json.dumps(shown).encode()
        return b"HTTP/1.1 200 OK\r\ncontent-length: %d\r\n\r\n%b" % (len(text), text)


async def serve(described: list[dict[str, Any]]) -> None:
    """Serve all peers until the process is ended."""
    loop = asyncio.get_running_loop()
    hosts = [Host(each["documents"]) for each in described]
    for each, host in zip(described, hosts, strict=True):
        listener = socket.socket(fileno=each["fd"])
        listener.setblocking(False)
        await loop.create_server(lambda host=host: Visit(host, hosts), sock=listener, backlog=512)  # type: ignore[misc]
    print("ready", flush=True)
    await asyncio.Event().wait()


if __name__ == "__main__":
    uvloop.run(serve(json.loads(Path(sys.argv[1]).read_text())))

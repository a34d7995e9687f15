"""A node on loopback that answers as a test wants, and a client that may speak with it."""

from __future__ import annotations

import asyncio
import contextlib
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field

from node.federation.client import SignedClient
from node.federation.egress import EgressPolicy, Lookup
from node.federation.message import Request

NOTE = b'{"id":"x","type":"Note"}'
ACTIVITY = "application/activity+json"
AS_PROFILE = 'application/ld+json; profile="https://www.w3.org/ns/activitystreams"'

Handler = Callable[[Request, asyncio.StreamWriter], Awaitable[None]]


def an_answer(body: bytes = NOTE, *, status: int = 200, content_type: str = ACTIVITY, more: str = "") -> bytes:
    head = f"HTTP/1.1 {status} X\r\ncontent-length: {len(body)}\r\n"
    head += f"content-type: {content_type}\r\n" if content_type else ""
    return f"{head}{more}\r\n".encode() + body


def a_redirect(location: str, *, status: int = 302) -> bytes:
    return an_answer(b"", status=status, more=f"location: {location}\r\n")


@dataclass
class Peer:
    """A node on loopback that answers as it is told and keeps what it was asked."""

    port: int = 0
    answers: dict[str, bytes] = field(default_factory=dict)
    otherwise: bytes = an_answer()
    handler: Handler | None = None
    requests: list[Request] = field(default_factory=list)
    connections: int = 0
    stopping: asyncio.Event = field(default_factory=asyncio.Event)
    serving: set[asyncio.Task[None]] = field(default_factory=set)

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        task = asyncio.current_task()
        assert task is not None
        self.serving.add(task)
        with contextlib.suppress(OSError, asyncio.IncompleteReadError):
            while True:
                request = await read_request(reader)
                self.requests.append(request)
                if self.handler is not None:
                    await self.handler(request, writer)
                    break
                writer.write(self.answers.get(request.target, self.otherwise))
                await writer.drain()
        writer.close()
        with contextlib.suppress(OSError):
            await writer.wait_closed()

    async def drip(self, request: Request, writer: asyncio.StreamWriter) -> None:
        """Promise a document, then send one byte of it now and then, for ever."""
        writer.write(an_answer(b"", more="x-more: ")[: -len("\r\n")])
        while not self.stopping.is_set():
            writer.write(b"a")
            await writer.drain()
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self.stopping.wait(), 0.02)

    async def drip_body(self, request: Request, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 200 X\r\ncontent-type: application/activity+json\r\ncontent-length: 100000\r\n\r\n")
        await self.drip(request, writer)

    async def stay_silent(self, request: Request, writer: asyncio.StreamWriter) -> None:
        await self.stopping.wait()

    async def hang_up(self, request: Request, writer: asyncio.StreamWriter) -> None:
        writer.close()

    async def speak_another_protocol(self, request: Request, writer: asyncio.StreamWriter) -> None:
        writer.write(b"220 mail.example ESMTP ready\r\n")


async def read_request(reader: asyncio.StreamReader) -> Request:
    head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
    first, *lines = head.strip().split("\r\n")
    method, target, _ = first.split(" ")
    headers = tuple((name.lower(), value.strip()) for name, _, value in (line.partition(":") for line in lines))
    length = int(dict(headers).get("content-length", "0"))
    return Request(method, target, headers, await reader.readexactly(length))


@contextlib.asynccontextmanager
async def a_peer(tls: ssl.SSLContext | None = None) -> AsyncIterator[Peer]:
    peer = Peer()
    server = await asyncio.start_server(peer.serve, "127.0.0.1", 0, ssl=tls)
    peer.port = server.sockets[0].getsockname()[1]
    try:
        yield peer
    finally:
        peer.stopping.set()
        server.close()
        if peer.serving:  # whoever still writes when the loop ends leaves a warning to a later test
            await asyncio.wait(peer.serving, timeout=2)


async def everybody_is_on_loopback(host: str, port: int) -> list[str]:
    if host == "unknown.test":
        raise OSError("no such name")
    return ["127.0.0.1"]


@contextlib.asynccontextmanager
async def a_client(
    *, stranger_port: int = 0, seconds: float = 5.0, ca_file: str = "", lookup: Lookup = everybody_is_on_loopback
) -> AsyncIterator[SignedClient]:
    """A client of a test node that may speak with everybody on loopback but the stranger."""
    policy = EgressPolicy(
        lambda origin: not origin.endswith(f":{stranger_port}"), insecure_loopback=True, lookup=lookup
    )
    client = SignedClient(policy, ca_file=ca_file, fetch_timeout_seconds=seconds, deliver_timeout_seconds=seconds)
    await client.start()
    try:
        yield client
    finally:
        await client.close()


def unsigned(request: Request) -> Request:
    return request

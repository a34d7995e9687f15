"""What a proxy may do to requests on their way to its node: nothing of it is a stub, all of it happens to bytes.

    b.proxy.disturb(answer_with(503, "Retry-After: 120"))
    ...
    b.proxy.disturb(None)

A fault is asked once for each request that comes, with its bytes, with `exchange`, which asks the node itself and returns
its answer's bytes, and with the writer to whoever asked. What it does not pass on never reaches the node.
"""

from __future__ import annotations

import asyncio
import contextlib
import random
import re
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

Exchange = Callable[[bytes], Awaitable[bytes]]
Fault = Callable[[bytes, Exchange, asyncio.StreamWriter], Awaitable[None]]

_LENGTH = re.compile(rb"\r\ncontent-length: *(\d+)", re.IGNORECASE)
_CHUNKED = re.compile(rb"\r\ntransfer-encoding: *chunked", re.IGNORECASE)


class Reset(Exception):
    """The connection is to be reset."""


@dataclass(slots=True)
class Seen:
    """The requests that a fault has had to do with."""

    requests: list[bytes] = field(default_factory=list)

    @property
    def posts(self) -> list[bytes]:
        """Those that bring something."""
        return [each for each in self.requests if each.startswith(b"POST")]


def answer_with(status: int, *headers: str, seen: Seen | None = None) -> Fault:
    """Answer every request that brings something with a status, without asking the node."""

    async def fault(request: bytes, exchange: Exchange, writer: asyncio.StreamWriter) -> None:
        if not request.startswith(b"POST"):
            writer.write(await exchange(request))
            return
        _note(seen, request)
        lines = [f"HTTP/1.1 {status} Said", "Content-Length: 0", *headers]
        writer.write("\r\n".join([*lines, "", ""]).encode())

    return fault


def hang(seen: Seen | None = None) -> Fault:
    """Take every request and never answer."""

    async def fault(request: bytes, exchange: Exchange, writer: asyncio.StreamWriter) -> None:
        _note(seen, request)
        await asyncio.Event().wait()

    return fault


def drip(seconds: float = 1.0) -> Fault:
    """Give the node's answers one byte at a time."""

    async def fault(request: bytes, exchange: Exchange, writer: asyncio.StreamWriter) -> None:
        for byte in await exchange(request):
            writer.write(bytes([byte]))
            await writer.drain()
            await asyncio.sleep(seconds)

    return fault


def lose_answers(every: int = 1, seen: Seen | None = None) -> Fault:
    """Let the node have every request, and reset the connection before its answer for each n-th that brings something."""
    count = 0

    async def fault(request: bytes, exchange: Exchange, writer: asyncio.StreamWriter) -> None:
        nonlocal count
        answer = await exchange(request)
        count += request.startswith(b"POST")
        if request.startswith(b"POST") and count % every == 0:
            _note(seen, request)
            raise Reset
        writer.write(answer)

    return fault


def lose_requests(every: int = 1, *, torn: bool = False, seen: Seen | None = None) -> Fault:
    """Reset the connection for each n-th request that brings something; `torn`: the node has had half of it."""
    count = 0

    async def fault(request: bytes, exchange: Exchange, writer: asyncio.StreamWriter) -> None:
        nonlocal count
        count += request.startswith(b"POST")
        if request.startswith(b"POST") and count % every == 0:
            _note(seen, request)
            if torn:
                with contextlib.suppress(Reset, TimeoutError):
                    async with asyncio.timeout(0.2):
                        await exchange(request[: len(request) - 40])
            raise Reset
        writer.write(await exchange(request))

    return fault


def change(alter: Callable[[bytes], bytes], every: int = 1, seen: Seen | None = None) -> Fault:
    """Change the body of each n-th request that brings something, on its way to the node."""
    count = 0

    async def fault(request: bytes, exchange: Exchange, writer: asyncio.StreamWriter) -> None:
        nonlocal count
        count += request.startswith(b"POST")
        if request.startswith(b"POST") and count % every == 0:
            _note(seen, request)
            request = with_body(request, alter(body_of(request)))
        writer.write(await exchange(request))

    return fault


def repeat(chance: random.Random, seen: Seen | None = None) -> Fault:
    """Let the node have every request twice, and now and then one from long ago, out of its order."""
    kept: list[bytes] = []

    async def fault(request: bytes, exchange: Exchange, writer: asyncio.StreamWriter) -> None:
        answer = await exchange(request)
        if request.startswith(b"POST"):
            kept.append(request)
            for old in (request, chance.choice(kept)):
                _note(seen, old)
                await exchange(old)
        writer.write(answer)

    return fault


def head_of(message: bytes) -> bytes:
    """Return the head of a request or answer, without the empty line."""
    return message.partition(b"\r\n\r\n")[0]


def body_of(message: bytes) -> bytes:
    """Return the body of a request or answer."""
    return message.partition(b"\r\n\r\n")[2]


def with_body(request: bytes, body: bytes) -> bytes:
    """Return a request with another body, its length told truly."""
    head = _LENGTH.sub(f"\r\nContent-Length: {len(body)}".encode(), head_of(request))
    return head + b"\r\n\r\n" + body


async def take_requests(
    reader: asyncio.StreamReader, writer: asyncio.StreamWriter, port: int | None, current: Callable[[], Fault | None]
) -> None:
    """Serve one connection request by request, each through the fault of that moment.

    Raises:
        Reset: The connection is to be reset.
    """

    async def exchange(request: bytes) -> bytes:
        if port is None:
            raise Reset
        try:
            inner_reader, inner_writer = await asyncio.open_connection("127.0.0.1", port)
        except OSError:
            raise Reset from None
        try:
            inner_writer.write(request)
            await inner_writer.drain()
            answer = await read_message(inner_reader)
        except (ConnectionError, asyncio.IncompleteReadError):
            raise Reset from None
        finally:
            inner_writer.transport.abort()
        if not answer:
            raise Reset
        return answer

    with contextlib.suppress(ConnectionError, asyncio.IncompleteReadError):
        while request := await read_message(reader):
            fault = current()
            if fault is None:
                writer.write(await exchange(request))
            else:
                await fault(request, exchange, writer)
            await writer.drain()


async def read_message(reader: asyncio.StreamReader) -> bytes:
    """Return the bytes of one request or answer; nothing at the end of the connection."""
    try:
        head = await reader.readuntil(b"\r\n\r\n")
    except asyncio.IncompleteReadError:
        return b""
    if found := _LENGTH.search(head):
        return head + await reader.readexactly(int(found[1]))
    if not _CHUNKED.search(head):
        return head
    body = b""
    while True:
        line = await reader.readuntil(b"\r\n")
        body += line + await reader.readexactly(int(line.split(b";")[0], 16) + 2)
        if int(line.split(b";")[0], 16) == 0:
            return head + body


def _note(seen: Seen | None, request: bytes) -> None:
    if seen is not None:
        seen.requests.append(request)

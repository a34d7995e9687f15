"""Bytes on a socket, through the web server of production: what two programs could read in two ways is refused (T10)."""

from __future__ import annotations

import asyncio
import contextlib
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from node.cli import serve
from node.cli.serve import build_server
from node.federation.message import Request
from tests.support.corridor import Corridor
from tests.support.waiting import until

_PATIENCE_SECONDS = 0.5


class Wire:
    """A node's port."""

    def __init__(self, port: int) -> None:
        self.port = port

    async def send(self, raw: bytes) -> bytes:
        """Send bytes and return everything that comes back until the node closes, or says nothing for a while."""
        reader, writer = await asyncio.open_connection("127.0.0.1", self.port)
        answer = b""
        with contextlib.suppress(TimeoutError, ConnectionError):
            writer.write(raw)
            await writer.drain()
            while piece := await asyncio.wait_for(reader.read(65_536), _PATIENCE_SECONDS):
                answer += piece
        writer.close()
        return answer


@asynccontextmanager
async def a_served_port(corridor: Corridor) -> AsyncIterator[Wire]:
    """Serve a node as `rounds serve` does, on a port of loopback."""
    listener = socket.socket()
    listener.bind(("127.0.0.1", 0))
    server = build_server(corridor.lone.app)
    serving = asyncio.create_task(server.serve(sockets=[listener]))
    await until(lambda: server.started)
    try:
        yield Wire(listener.getsockname()[1])
    finally:
        server.should_exit = True
        await serving


@pytest.fixture
async def wire(corridor: Corridor) -> AsyncIterator[Wire]:
    async with a_served_port(corridor) as served:
        yield served


def in_bytes(request: Request, *more: bytes, without: str = "", body: bytes | None = None) -> bytes:
    """Return a request as it goes over the wire, with more lines in its head."""
    body = request.body if body is None else body
    lines = [f"{name}: {value}".encode("latin-1") for name, value in request.headers if name != without]
    head = [f"{request.method} {request.target} HTTP/1.1".encode(), *lines, *more, b"connection: close"]
    if not any(line.lower().startswith((b"content-length", b"transfer-encoding")) for line in more):
        head.append(b"content-length: %d" % len(body))
    return b"\r\n".join(head) + b"\r\n\r\n" + body


def status_of(answer: bytes) -> int:
    """Return the status of an answer; 0 when the connection was closed without one."""
    return int(answer.split(b" ", 2)[1]) if answer.startswith(b"HTTP/1.1 ") else 0


def a_signed(corridor: Corridor, number: int = 1) -> Request:
    """Return a post that would be taken."""
    activity = corridor.fay.post_in(corridor.ward.uri, f"Number {number}", number=number)
    return corridor.fay.deliver(activity, corridor.now)


async def test_a_plain_request_arrives_whole(corridor: Corridor, wire: Wire) -> None:
    answer = await wire.send(in_bytes(a_signed(corridor)))
    await corridor.lone.work()

    assert status_of(answer) == 202
    assert await corridor.texts() == ["<p>Number 1</p>"]


async def test_t10_what_could_be_read_in_two_ways_is_refused(corridor: Corridor, wire: Wire) -> None:
    request = a_signed(corridor)
    size, signature = len(request.body), (request.one("signature") or "").encode()
    digest = (request.one("digest") or "").encode()
    chunked = b"%x\r\n%b\r\n0\r\n\r\n" % (size, request.body)
    cases = {
        "two signatures": in_bytes(request, b"signature: " + signature),
        "another signature first": in_bytes(request, b'Signature: keyId="x",signature="AAAA"'),
        "two hosts": in_bytes(request, b"host: stranger.example"),
        "two digests": in_bytes(request, b"digest: SHA-256=AAAA"),
        "two digests in one": in_bytes(request, b"digest: " + digest + b",SHA-256=AAAA", without="digest"),
        "two dates": in_bytes(request, b"date: Sat, 21 Nov 2026 12:00:01 GMT"),
        "two content types": in_bytes(request, b"content-type: text/html"),
        "two key ids": in_bytes(
            request, b'signature: keyId="https://ally.example/people/abe#main-key",' + signature, without="signature"
        ),
        "a folded signature": in_bytes(
            request, b"signature: " + signature.replace(b",", b",\r\n ", 1), without="signature"
        ),
        "two lengths": in_bytes(request, b"content-length: %d" % size, b"content-length: %d" % (size - 1)),
        "a length and chunks": in_bytes(
            request, b"content-length: %d" % size, b"transfer-encoding: chunked", body=chunked
        ),
        "chunks and a length": in_bytes(
            request, b"transfer-encoding: chunked", b"content-length: %d" % size, body=chunked
        ),
        "odd chunks": in_bytes(request, b"transfer-encoding: xchunked", body=chunked),
        "a signed length": in_bytes(request, b"content-length: +%d" % size),
        "a length in hex": in_bytes(request, b"content-length: 0x%x" % size),
        "a list of lengths": in_bytes(request, b"content-length: %d, %d" % (size, size)),
        "a short body": in_bytes(request, body=request.body[:-10]),
        "a space before the colon": in_bytes(request, b"signature : " + signature, without="signature"),
        "no host": in_bytes(request, without="host"),
        "a NUL in a header": in_bytes(request, b"x: a\0b"),
        "a bare line feed": in_bytes(request).replace(b"\r\n", b"\n"),
        "another version": in_bytes(request).replace(b"HTTP/1.1", b"HTTP/3.7"),
        "another host in the target": in_bytes(request).replace(b"POST /inbox", b"POST http://stranger.example/inbox"),
        "a space in the target": in_bytes(request).replace(b"POST /inbox", b"POST /in box"),
        "a fragment in the target": in_bytes(request).replace(b"POST /inbox", b"POST /inbox#a"),
        "an endless header": in_bytes(request, b"x: " + b"a" * 2_000_000),
        "a hundred thousand headers": in_bytes(request, *[b"x-%d: 1" % number for number in range(100_000)]),
    }

    taken = {case: status_of(await wire.send(raw)) for case, raw in cases.items()}
    await corridor.lone.work()

    # A target may name another host, or a part of a page: what is signed is the path, and our host is configured.
    one_reading = {"another host in the target", "a fragment in the target"}
    assert {case for case, status in taken.items() if 200 <= status < 300} <= one_reading
    assert {case: status for case, status in taken.items() if status >= 500} == {}
    assert len(await corridor.texts()) <= 1


async def test_t10_a_smuggled_second_request_is_not_answered(corridor: Corridor, wire: Wire) -> None:
    first, second = a_signed(corridor, 1), a_signed(corridor, 2)
    hidden = in_bytes(second)
    raw = in_bytes(first, b"content-length: %d" % (len(first.body) + len(hidden)), b"transfer-encoding: chunked",
                   body=b"0\r\n\r\n" + hidden)  # fmt: skip

    answer = await wire.send(raw)
    await corridor.lone.work()

    assert answer.count(b"HTTP/1.1") <= 1
    assert await corridor.texts() == []


async def test_t10_the_node_serves_on_after_all_that(corridor: Corridor, wire: Wire) -> None:
    for raw in (
        b"",
        b"\r\n" * 100,
        b"\x16\x03\x01\x02\x00",
        b"GET",
        b"\xff" * 1000,
        b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
    ):
        await wire.send(raw)

    assert status_of(await wire.send(in_bytes(a_signed(corridor)))) == 202


@pytest.mark.parametrize(
    "drip", [b"POST /inbox HTTP/1.1\r\nx: ", b"POST /inbox HTTP/1.1\r\nhost: a\r\ncontent-length: 9\r\n\r\na"]
)
async def test_t35_a_request_that_never_ends_is_cut_off(
    corridor: Corridor, wire: Wire, monkeypatch: pytest.MonkeyPatch, drip: bytes
) -> None:
    monkeypatch.setattr(serve, "HEAD_SECONDS", 0.1)
    monkeypatch.setattr(serve, "REQUEST_SECONDS", 0.1)
    reader, writer = await asyncio.open_connection("127.0.0.1", wire.port)
    writer.write(drip)

    async with asyncio.timeout(10):
        answer = await reader.read()

    writer.close()
    assert answer == b""


async def test_t60_no_answer_says_what_serves_it(corridor: Corridor, wire: Wire) -> None:
    answer = await wire.send(b"GET /about HTTP/1.1\r\nhost: home.example\r\nconnection: close\r\n\r\n")

    head = answer.partition(b"\r\n\r\n")[0].lower()
    assert status_of(answer) == 200
    assert not any(word in head for word in (b"server:", b"x-powered-by", b"uvicorn", b"quart"))

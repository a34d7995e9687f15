"""A node that is told to stop ends within thirty seconds, whatever it is in the middle of, and has lost nothing."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import time
from collections.abc import AsyncIterator
from pathlib import Path
from urllib.parse import urlencode

import aiohttp
import pytest
from aiohttp import web

from tests.support.commands import PASSWORD
from tests.support.foreign import ForeignPeer
from tests.support.process_node import ProcessNode
from tests.support.village import MovingClock
from tests.support.waiting import until, until_true

STOP_SECONDS = 30.0
SENDERS = 8
pytestmark = [pytest.mark.slow, pytest.mark.timeout(110)]


class HangingPeer(ForeignPeer):
    """Takes every delivery and answers none of them, from the moment that a test says so until the end."""

    def __init__(self) -> None:
        super().__init__(MovingClock().now)
        self.is_hanging = False
        self.held = 0
        self.is_over = asyncio.Event()

    async def _answer(self, request: web.Request) -> web.Response:
        if self.is_hanging and request.method == "POST":
            self.held += 1
            await self.is_over.wait()
            return web.Response(status=202)
        return await super()._answer(request)


@pytest.fixture
async def peer() -> AsyncIterator[HangingPeer]:
    made = HangingPeer()
    await made.start()
    yield made
    made.is_over.set()
    await made.stop()


@pytest.fixture
async def host(tmp_path: Path, peer: HangingPeer) -> AsyncIterator[ProcessNode]:
    """Give a node with ana's group, in which somebody of the peer is a member."""
    made = await ProcessNode.make(tmp_path / "host", name="Society")
    try:
        await made.start()
        await made.member("ana")
        ward = await made.group("ward", owner="ana", policy="open")
        await made.run("peer", "add", peer.origin, "--unpinned", "--yes")
        await made.run("group", "admit", "ward", peer.host, "--yes")
        mel = peer.person("mel")
        await peer.send(f"{ward}/inbox", peer.activity("Follow", mel, ward, to=[ward]), mel)
        await made.rest()
        yield made
    finally:
        await made.close()


async def _write_until(over: asyncio.Event, host: ProcessNode, peer: ForeignPeer, acknowledged: set[str]) -> None:
    """Bring posts, one after the other, and remember those that were acknowledged."""
    ward, mel = f"{host.origin}/groups/ward", peer.person("mel")
    while not over.is_set():
        create = peer.create(mel, ward)
        with contextlib.suppress(aiohttp.ClientError, OSError):
            if (await peer.send(f"{ward}/inbox", create, mel)).status == 202:
                acknowledged.add(create["object"]["id"])
        await asyncio.sleep(0.01)


async def _connect(host: ProcessNode, head: str) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    """Send the head of a request straight to the process, past the proxy, which would cut the connection."""
    assert host.proxy._target is not None
    reader, writer = await asyncio.open_connection("127.0.0.1", host.proxy._target, limit=1024)
    writer.write(head.replace("HOST", host.host).encode())
    await writer.drain()
    return reader, writer


async def _sign_in(host: ProcessNode) -> str:
    """Return the cookie of ana's browser."""
    body = urlencode({"handle": "ana", "password": PASSWORD})
    head = f"POST /sign-in HTTP/1.1\r\nHost: HOST\r\nContent-Type: application/x-www-form-urlencoded\r\nContent-Length: {len(body)}\r\nConnection: close\r\n\r\n{body}"  # noqa: E501
    reader, writer = await _connect(host, head)
    answer = (await reader.read(4096)).decode()
    writer.close()
    return next(line for line in answer.split("\r\n") if line.lower().startswith("set-cookie:")).split()[1].rstrip(";")


async def test_a_stop_ends_in_time_under_load_with_a_hanging_peer_and_open_connections(
    host: ProcessNode, peer: HangingPeer
) -> None:
    cookie, acknowledged, over = await _sign_in(host), set[str](), asyncio.Event()
    live = await _connect(host, f"GET /live HTTP/1.1\r\nHost: HOST\r\nCookie: {cookie}\r\n\r\n")
    assert (await live[0].readline()).startswith(b"HTTP/1.1 200")
    slow = await _connect(host, f"GET /static/rounds.css HTTP/1.1\r\nHost: HOST\r\nCookie: {cookie}\r\n\r\n")
    half = await _connect(host, "POST /inbox HTTP/1.1\r\nHost: HOST\r\nContent-Length: 100000\r\n\r\nhalf")
    writers = [asyncio.create_task(_write_until(over, host, peer, acknowledged)) for _ in range(SENDERS)]
    peer.is_hanging = True
    await until(lambda: peer.held > 0 and len(acknowledged) > 50)

    begun = time.monotonic()
    port = host.proxy._target or 0
    stopping = asyncio.create_task(host.stop())
    await until(lambda: _refuses(port), seconds=3)  # nobody new is sent here
    code = await stopping
    took = time.monotonic() - begun
    over.set()
    await asyncio.gather(*writers)
    for _, writer in (live, slow, half):
        writer.close()
    log = host.data / "rounds.sqlite-wal"

    assert (code, took < STOP_SECONDS) == (0, True), f"exit {code} after {took:.1f} s"
    assert not log.exists() or log.stat().st_size == 0
    await host.start()
    await until_true(lambda: _has_acted(host))
    assert acknowledged <= {post["uri"] for post in await host.posts("ward", as_="ana")}


async def _has_acted(host: ProcessNode) -> bool:
    return not (await host.run("status"))["waiting"]["inbox"]


def _refuses(port: int) -> bool:
    """Say whether nobody listens any more."""
    with socket.socket() as tried:
        return tried.connect_ex(("127.0.0.1", port)) != 0

"""Websockets through the web server of production: the handshake, what is said, what is logged, and what is refused."""

from __future__ import annotations

import asyncio
import logging
import socket
from collections.abc import AsyncIterator

import aiohttp
import pytest

from node.cli import serve
from node.cli.serve import build_server
from node.community.members.service import suspend_member
from tests.support.practice import Practice
from tests.support.waiting import until


class _Line:
    """A node's port, and a client of ours."""

    def __init__(self, port: int, client: aiohttp.ClientSession) -> None:
        self.address = f"ws://127.0.0.1:{port}/api/v1/streaming"
        self.client = client


@pytest.fixture
async def line(practice: Practice) -> AsyncIterator[_Line]:
    """Serve the practice as `rounds serve` does, on a port of loopback."""
    listener = socket.socket()
    listener.bind(("127.0.0.1", 0))
    server = build_server(practice.lone.app)
    serving = asyncio.create_task(server.serve(sockets=[listener]))
    await until(lambda: server.started)
    async with aiohttp.ClientSession() as client:
        yield _Line(listener.getsockname()[1], client)
    practice.lone.house.streams.stop()
    server.should_exit = True
    await serving
    await practice.lone.house.streams.rest()


async def test_a_socket_with_the_token_as_its_protocol_is_told_until_it_may_be_no_more(
    practice: Practice, line: _Line, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(serve, "REQUEST_SECONDS", 0.0)  # a socket that is open has no request that could take too long
    token = practice.ben.token or ""

    async with line.client.ws_connect(f"{line.address}?stream=user", protocols=(token,)) as app:
        await practice.say(practice.ana, "@ward Hello")
        told = await asyncio.wait_for(app.receive_json(), 10)
        await suspend_member(practice.lone.core, "ben", by="a test", reason="")
        closed = await asyncio.wait_for(app.receive(), 10)

    assert app.protocol == token
    assert (told["stream"], told["event"]) == (["user"], "update")
    assert (closed.type, app.close_code) == (aiohttp.WSMsgType.CLOSE, 1008)
    assert practice.lone.house.streams.count == 0


async def test_a_refused_handshake_says_why_in_json(practice: Practice, line: _Line) -> None:
    with pytest.raises(aiohttp.WSServerHandshakeError) as refused:
        await line.client.ws_connect(f"{line.address}?stream=user&access_token=nothing")
    answer = await line.client.get(
        line.address.replace("ws://", "http://") + "?stream=user&access_token=nothing",
        headers={"Connection": "Upgrade", "Upgrade": "websocket", "Sec-WebSocket-Version": "13",
                 "Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ=="},
    )  # fmt: skip

    assert refused.value.status == 401
    assert (answer.status, await answer.json()) == (401, {"error": "The access token is invalid"})


async def test_t28_no_token_of_a_socket_is_logged(
    practice: Practice, line: _Line, caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
) -> None:
    token = practice.ben.token or ""
    caplog.set_level(logging.DEBUG)

    for query, protocols in ((f"&access_token={token}", ()), ("", (token,))):
        async with line.client.ws_connect(f"{line.address}?stream=user{query}", protocols=protocols) as app:
            await app.send_str('{"type":"subscribe","stream":"direct"}')

    written = capfd.readouterr()
    assert token not in caplog.text + written.out + written.err


async def test_a_message_that_is_too_long_ends_the_socket_and_other_paths_have_none(
    practice: Practice, line: _Line
) -> None:
    token = practice.ben.token or ""
    async with line.client.ws_connect(f"{line.address}?stream=user", protocols=(token,)) as app:
        await app.send_str("x" * (serve.SOCKET_MESSAGE_BYTES + 1))
        ended = await asyncio.wait_for(app.receive(), 10)
    refused = []
    for path in ("/live", "/api/v1/nothing", "/"):
        with pytest.raises(aiohttp.WSServerHandshakeError) as error:
            await line.client.ws_connect(line.address.replace("/api/v1/streaming", path), protocols=(token,))
        refused.append(error.value.status)

    assert ended.type in (aiohttp.WSMsgType.CLOSE, aiohttp.WSMsgType.CLOSED)
    assert refused == [403, 403, 403]
    await until(lambda: practice.lone.house.streams.count == 0)

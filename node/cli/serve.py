"""`rounds serve`: web and work in one process, commands through the socket, a clean end on SIGTERM or SIGINT."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import signal
import socket
import sys
from pathlib import Path
from typing import Any

import uvicorn
import uvloop
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from node.app import Application
from node.community.house import House, close_core, open_core
from node.foundation.config import load_config
from node.foundation.errors import ConfigError, NodeError
from node.foundation.logs import configure_logs, get_logger

from .context import DONE, REFUSED, USAGE
from .lock import DataLock
from .remote import LINE_LIMIT_BYTES, SOCKET_NAME
from .runner import run_command

DRAIN_SECONDS = 10
HEAD_LIMIT_BYTES = 65_536
HEAD_SECONDS = 10.0
REQUEST_SECONDS = 60.0


class _Server(uvicorn.Server):
    """uvicorn under our own signal handlers: a clean stop ends with 0."""

    @contextlib.contextmanager
    def capture_signals(self):  # type: ignore[no-untyped-def]
        """Leave signals alone."""
        yield


class _Protocol(HttpToolsProtocol):
    """Reads a head of 64 kB, and one piece more, within 10 s, a request within a minute; uvicorn has no end (T35)."""

    _is_in_head = False
    _head_bytes = 0
    _timer: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Expect a head."""
        super().connection_made(transport)
        self._expect_head()

    def connection_lost(self, exc: Exception | None) -> None:
        """Expect nothing more."""
        self._expect_for(None)
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Read on, unless this head has become too long."""
        self._head_bytes += len(data)
        super().data_received(data)
        if self._is_in_head and self._head_bytes > HEAD_LIMIT_BYTES:
            self.transport.close()

    def on_message_begin(self) -> None:
        """Expect the head of one more request."""
        self._expect_head()
        super().on_message_begin()

    def on_headers_complete(self) -> None:
        """Expect the body."""
        self._is_in_head = False
        self._expect_for(REQUEST_SECONDS)
        super().on_headers_complete()

    def on_message_complete(self) -> None:
        """Expect nothing: it is our turn."""
        self._expect_for(None)
        super().on_message_complete()

    def _expect_head(self) -> None:
        self._is_in_head, self._head_bytes = True, 0
        self._expect_for(HEAD_SECONDS)

    def _expect_for(self, seconds: float | None) -> None:
        """Close the connection unless the next step comes in time."""
        if self._timer is not None:
            self._timer.cancel()
        self._timer = None if seconds is None else self.loop.call_later(seconds, self._too_late)

    def _too_late(self) -> None:
        self.transport.close()


def build_server(application: Any) -> uvicorn.Server:
    """Return the web server for an application, as `rounds serve` runs it."""
    config = uvicorn.Config(
        application,
        loop="none",
        http=_Protocol,
        ws="none",
        lifespan="off",
        log_config=None,
        access_log=False,
        server_header=False,
        date_header=True,
        proxy_headers=False,
        timeout_graceful_shutdown=DRAIN_SECONDS,
        timeout_keep_alive=15,
        backlog=2048,
    )
    return _Server(config)


def run_serve(data: Path, bind: str) -> int:
    """Serve until told to stop; return the exit code."""
    try:
        config = load_config(data)
        configure_logs(level=config.log_level)
        host, port = parse_bind(bind)
        with DataLock(data), _listen(host, port) as listener:
            uvloop.run(_serve(data, listener, f"http://{host}:{listener.getsockname()[1]}"))
    except ConfigError as error:
        print("\n".join(error.problems) or error.safe, file=sys.stderr)
        return USAGE
    except NodeError as error:
        print(error.safe, file=sys.stderr)
        return USAGE if error.code == "schema_too_new" else REFUSED
    return DONE


def parse_bind(bind: str) -> tuple[str, int]:
    """Return host and port of HOST:PORT.

    Raises:
        ConfigError: It is not one.
    """
    host, _, port = bind.rpartition(":")
    if not host or not port.isdigit() or int(port) > 65535:
        raise ConfigError(f"--bind takes HOST:PORT, not {bind}.")
    return host.strip("[]"), int(port)


def _listen(host: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listener = socket.socket(family, socket.SOCK_STREAM)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((host, port))
    except OSError as error:
        listener.close()
        raise ConfigError(f"{host}:{port} cannot be used: {error.strerror}.") from None
    listener.listen(2048)
    return listener


async def _serve(data: Path, listener: socket.socket, address: str) -> None:
    stopping = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stopping.set)
    core = await open_core(data)
    house = House(core)
    server = build_server(Application(house))
    commands = await _open_socket(data, house)
    house.start()
    serving = asyncio.create_task(server.serve(sockets=[listener]))
    print(f"Listening on {address}", file=sys.stderr, flush=True)
    try:
        await asyncio.wait([serving, asyncio.create_task(stopping.wait())], return_when=asyncio.FIRST_COMPLETED)
    finally:
        house.is_ready = False
        commands.close()
        house.live.stop()  # open pages would keep the server waiting
        server.should_exit = True
        await serving
        await house.stop()
        await close_core(core)
        with contextlib.suppress(FileNotFoundError):
            (data / SOCKET_NAME).unlink()


async def _open_socket(data: Path, house: House) -> asyncio.Server:
    """Listen for commands; the socket is for the owner of the data directory alone."""
    path = data / SOCKET_NAME
    with contextlib.suppress(FileNotFoundError):
        path.unlink()
    folder = os.open(data, os.O_RDONLY | os.O_DIRECTORY)
    listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    mask = os.umask(0o177)
    try:
        listener.bind(f"/proc/self/fd/{folder}/{SOCKET_NAME}")
    finally:
        os.umask(mask)
        os.close(folder)
    listener.setblocking(False)

    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await _answer_command(house, reader, writer)

    return await asyncio.start_unix_server(handle, sock=listener, limit=LINE_LIMIT_BYTES)


async def _answer_command(house: House, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    def say(name: str, value: object) -> None:
        writer.write(json.dumps({name: value}).encode() + b"\n")

    loop = asyncio.get_running_loop()

    async def hand_over(data: bytes) -> None:
        writer.write(json.dumps({"bytes": len(data)}).encode() + b"\n" + data)
        await writer.drain()

    def send(data: bytes) -> None:
        asyncio.run_coroutine_threadsafe(hand_over(data), loop).result()

    def warn(text: str) -> None:
        say("err", text)

    try:
        request = json.loads(await reader.readline())
        code = await run_command(house, request["argv"], request["text"], lambda text: say("out", text), warn, send)
        say("exit", code)
        await writer.drain()
    except (ValueError, KeyError, ConnectionError, asyncio.CancelledError):
        pass  # whoever asked went away, or the node stops: they see the end of the connection
    except Exception:
        get_logger().exception("command_crashed")
        say("err", "Something went wrong here. The node's log says what.\n")
        say("exit", REFUSED)
    finally:
        writer.close()

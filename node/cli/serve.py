"""`rounds serve`: web and work in one process, commands through the socket, a clean end on SIGTERM or SIGINT."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import socket
import sys
from pathlib import Path
from typing import Any

import uvicorn
import uvloop
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol
from uvicorn.protocols.websockets.wsproto_impl import WSProtocol

from node.app import Application
from node.community.house import House, close_core, open_core
from node.foundation.config import load_config
from node.foundation.errors import ConfigError, NodeError
from node.foundation.logs import configure_logs

from .context import DONE, REFUSED, USAGE
from .listening import listen_for_stop, open_socket, remove_socket
from .lock import DataLock, require_shared_database

DRAIN_SECONDS = 10
HEAD_LIMIT_BYTES = 65_536
HEAD_SECONDS = 10.0
REQUEST_SECONDS = 60.0
# Apps say little through a websocket: which streams they want.
SOCKET_MESSAGE_BYTES, SOCKET_PING_SECONDS = 4096, 20.0


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

    def handle_websocket_upgrade(self) -> None:
        """Expect nothing more: from here on the other protocol reads, and asks now and then whether anybody is there."""
        self._expect_for(None)
        super().handle_websocket_upgrade()

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


class _SocketProtocol(WSProtocol):
    """A websocket. uvicorn would write its address into the log, in which a token may stand (T28)."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.logger = logging.getLogger("node.sockets")
        self.logger.setLevel(logging.ERROR)


def build_server(application: Any) -> uvicorn.Server:
    """Return the web server for an application, as `rounds serve` runs it."""
    config = uvicorn.Config(
        application,
        loop="none",
        http=_Protocol,
        ws=_SocketProtocol,
        ws_max_size=SOCKET_MESSAGE_BYTES,
        ws_ping_interval=SOCKET_PING_SECONDS,
        ws_ping_timeout=SOCKET_PING_SECONDS,
        ws_per_message_deflate=False,
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


def run_serve(data: Path, bind: str, *, works: bool = True) -> int:
    """Serve until told to stop; return the exit code. works: whether this process does the node's work, too."""
    try:
        config = load_config(data)
        configure_logs(level=config.log_level)
        host, port = parse_bind(bind)
        if not works:
            require_shared_database(config)
        with DataLock(data), _listen(host, port) as listener:
            uvloop.run(_serve(data, listener, f"http://{host}:{listener.getsockname()[1]}", works=works))
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


async def _serve(data: Path, listener: socket.socket, address: str, *, works: bool) -> None:
    stopping = listen_for_stop()
    core = await open_core(data)
    house = House(core)
    server = build_server(Application(house))
    commands = await open_socket(data, house)
    house.start(works=works)
    serving = asyncio.create_task(server.serve(sockets=[listener]))
    print(f"Listening on {address}", file=sys.stderr, flush=True)
    try:
        await asyncio.wait([serving, asyncio.create_task(stopping.wait())], return_when=asyncio.FIRST_COMPLETED)
    finally:
        house.is_ready = False
        commands.close()
        house.live.stop()  # open pages, and apps that listen, would keep the server waiting
        house.streams.stop()
        server.should_exit = True
        # Answers are finished while sends are: one after the other they would take longer than a stop may.
        await asyncio.gather(serving, house.stop())
        await close_core(core)
        remove_socket(data)

"""A TCP proxy that stands before each node of a village: it remembers every byte, and can take the node off the net.

A node's address is its proxy's. What one node says to another therefore passes here, whoever of the two began, and a
test can ask whether a word was ever among it.
"""

from __future__ import annotations

import asyncio
import contextlib
import re
import socket
import ssl
from dataclasses import dataclass, field

from .proxy_faults import Fault, Reset, take_requests

# Both dialects of HTTP signatures name the key, and with it who speaks.
_SPEAKER = re.compile(rb'key[iI]d="https?://([^/"]+)')
_CHUNK_BYTES = 65_536


@dataclass(slots=True)
class Conversation:
    """One connection: who answered, what was said to them, what they said."""

    server: str
    sent: bytearray = field(default_factory=bytearray)
    answered: bytearray = field(default_factory=bytearray)

    @property
    def client(self) -> str | None:
        """The host of whoever opened the connection, by the first signature on it; None when nothing was signed."""
        found = _SPEAKER.search(self.sent)
        return found[1].decode() if found else None

    def concerns(self, host: str) -> bool:
        """Return whether a host may have seen these bytes; who did not sign may be anybody."""
        return host == self.server or self.client in (host, None)


class Proxy:
    """Listens on a port of loopback that stays the same for as long as it lives, and passes on what comes.

    Args:
        tls: Shows a certificate and ends TLS, as the web server before a node does; None for plain http.
    """

    def __init__(self, tls: ssl.SSLContext | None = None) -> None:
        self.conversations: list[Conversation] = []
        self._tls = tls
        self.is_cut = False
        # What happens to requests on their way, see `proxy_faults`; connections that are open already are not touched.
        self.fault: Fault | None = None
        self._faulty: set[asyncio.Future[None]] = set()
        self._target: int | None = None
        self._open: set[asyncio.StreamWriter] = set()
        self._tasks: set[asyncio.Task[None]] = set()
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._server: asyncio.Server | None = None

    @property
    def port(self) -> int:
        """The port that others know."""
        return int(self._listener.getsockname()[1])

    @property
    def host(self) -> str:
        """The authority of the node behind it, as it stands in ids."""
        return f"localhost:{self.port}"

    @property
    def bytes_passed(self) -> int:
        """How much was said so far, by both sides."""
        return sum(len(each.sent) + len(each.answered) for each in self.conversations)

    async def start(self) -> None:
        """Begin to listen."""
        self._server = await asyncio.start_server(self._take, sock=self._listener, backlog=512, ssl=self._tls)

    def lead_to(self, port: int | None) -> None:
        """Pass on to this port from now on; None: nobody is there, connections are reset."""
        self._target = port

    def disturb(self, fault: Fault | None) -> None:
        """Let a fault happen to requests from now on; None: to none. What is open is reset, so that all come anew."""
        self.fault = fault
        self._end_faults()
        for writer in list(self._open):
            _reset(writer)

    def cut(self) -> None:
        """Take the node off the net: what is open is reset, and so is whatever comes."""
        self.is_cut = True
        self._end_faults()
        for writer in list(self._open):
            _reset(writer)

    def mend(self) -> None:
        """Put the node back on the net."""
        self.is_cut = False

    async def stop(self) -> None:
        """Close everything."""
        if self._server is not None:
            self._server.close()
        self._end_faults()
        for writer in list(self._open):
            writer.transport.abort()
        if self._tasks:
            await asyncio.wait(self._tasks)

    def _end_faults(self) -> None:
        """End what a fault does to requests now; one that hangs would never end."""
        for serving in self._faulty:
            serving.cancel()

    async def _take(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        self._open.add(writer)
        try:
            await self._carry(reader, writer)
        finally:
            self._open.discard(writer)
            writer.transport.abort()

    async def _carry(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if self.is_cut or self._target is None:
            _reset(writer)
            return
        if self.fault is not None:
            serving = asyncio.ensure_future(take_requests(reader, writer, self._target, lambda: self.fault))
            self._faulty.add(serving)
            await asyncio.wait([serving])
            self._faulty.discard(serving)
            if serving.cancelled() or isinstance(serving.exception(), Reset):
                _reset(writer)
            return
        try:
            inner_reader, inner_writer = await asyncio.open_connection("127.0.0.1", self._target)
        except OSError:
            _reset(writer)
            return
        talk = Conversation(self.host)
        self.conversations.append(talk)
        self._open.add(inner_writer)
        try:
            there = asyncio.create_task(_pass_on(reader, inner_writer, talk.sent))
            back = asyncio.create_task(_pass_on(inner_reader, writer, talk.answered))
            await asyncio.wait((there, back), return_when=asyncio.FIRST_COMPLETED)
            # A side that is done speaking may still be listening, but neither of our programs does so.
            for half in (there, back):
                half.cancel()
            await asyncio.wait((there, back))
        finally:
            self._open.discard(inner_writer)
            inner_writer.transport.abort()
            if not self.is_cut:
                with contextlib.suppress(ConnectionError, TimeoutError):
                    async with asyncio.timeout(1):
                        await writer.drain()


async def _pass_on(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, record: bytearray) -> None:
    with contextlib.suppress(ConnectionError):
        while data := await reader.read(_CHUNK_BYTES):
            record += data
            writer.write(data)
            await writer.drain()


def _reset(writer: asyncio.StreamWriter) -> None:
    """End a connection in the way of a machine that lost its power: not politely."""
    raw = writer.get_extra_info("socket")
    if raw is not None:
        with contextlib.suppress(OSError):
            raw.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\x01\x00\x00\x00\x00\x00\x00\x00")
    writer.transport.abort()

"""Send prepared requests as fast as they are answered: one in flight per connection, nothing made while time is taken."""

from __future__ import annotations

import asyncio
import re
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field

import uvloop

_LENGTH = re.compile(rb"\r\ncontent-length: *([0-9]+)\r\n", re.IGNORECASE)
_SECONDS = 300.0


@dataclass(slots=True)
class Outcome:
    """What came back. statuses: how often which; seconds: from the first request to the last answer."""

    statuses: Counter[int] = field(default_factory=Counter)
    seconds: float = 0.0
    last_body: bytes = b""

    def require(self, status: int) -> Outcome:
        """Return itself when every answer had this status.

        Raises:
            ValueError: One had not; what was measured then means nothing.
        """
        if set(self.statuses) != {status}:
            raise ValueError(f"wanted {status} only, got {dict(self.statuses)}")
        return self


def send_all(port: int, queues: Sequence[Sequence[bytes]]) -> Outcome:
    """Send each queue over a connection of its own, each request once the one before it is answered."""
    return uvloop.run(_send_all(port, queues))


def spread(requests: Sequence[bytes], connections: int) -> list[list[bytes]]:
    """Deal requests out to connections in turn."""
    return [list(requests[place::connections]) for place in range(connections)]


async def _send_all(port: int, queues: Sequence[Sequence[bytes]]) -> Outcome:
    outcome = Outcome()
    loop = asyncio.get_running_loop()
    senders = [_Sender(queue, outcome, loop.create_future()) for queue in queues if queue]
    for sender in senders:
        await loop.create_connection(lambda sender=sender: sender, "127.0.0.1", port)  # type: ignore[misc]
    began = time.perf_counter()
    for sender in senders:
        sender.send_next()
    async with asyncio.timeout(_SECONDS):
        await asyncio.gather(*(sender.ended for sender in senders))
    outcome.seconds = time.perf_counter() - began
    return outcome


class _Sender(asyncio.Protocol):
    """One connection and what is to be sent over it."""

    def __init__(self, queue: Sequence[bytes], outcome: Outcome, ended: asyncio.Future[None]) -> None:
        self._queue = queue
        self._next = 0
        self._outcome = outcome
        self._received = b""
        self.ended = ended

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport: asyncio.Transport = transport  # type: ignore[assignment]

    def send_next(self) -> None:
        """Send the next request, or end."""
        if self._next == len(self._queue):
            self._transport.close()
            if not self.ended.done():
                self.ended.set_result(None)
            return
        self._transport.write(self._queue[self._next])
        self._next += 1

    def data_received(self, data: bytes) -> None:
        received = self._received = self._received + data
        end = received.find(b"\r\n\r\n")
        if end < 0:
            return
        length = _LENGTH.search(received, 0, end + 2)
        size = int(length[1]) if length else 0
        if len(received) < end + 4 + size:
            return
        self._outcome.statuses[int(received[9:12])] += 1
        self._outcome.last_body = received[end + 4 :]
        self._received = b""
        self.send_next()

    def connection_lost(self, error: Exception | None) -> None:
        if not self.ended.done():
            self.ended.set_exception(error or ConnectionError("the server hung up"))

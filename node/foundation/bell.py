"""The bell: who should look again. A hint only; whoever sleeps on it also looks by itself now and then."""

from __future__ import annotations

import asyncio
from collections import defaultdict


class Bell:
    """Named wake-ups within one process. Ringing twice before somebody looks counts once."""

    def __init__(self) -> None:
        self._events: dict[str, asyncio.Event] = defaultdict(asyncio.Event)

    def ring(self, name: str) -> None:
        """Wake whoever waits for `name`, or the next to wait for it."""
        self.ring_here(name)

    def ring_here(self, name: str) -> None:
        """Wake whoever waits for `name` in this process, where other processes would hear `ring`."""
        self._events[name].set()

    async def wait(self, name: str, *, at_most_seconds: float) -> bool:
        """Wait until `name` rings; return False when it did not within the time."""
        event = self._events[name]
        try:
            async with asyncio.timeout(at_most_seconds):
                await event.wait()
        except TimeoutError:
            return False
        event.clear()
        return True

"""Virtual time: events in order, seconds that cost nothing."""

from __future__ import annotations

import heapq
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

_BEGINNING = datetime(2026, 1, 5, 8, 0, tzinfo=UTC)


class Crashed(Exception):
    """The node died in the middle of what it was doing; nothing of it is committed."""


class Clock:
    """One clock for all nodes."""

    def __init__(self) -> None:
        self.now = 0.0
        self._events: list[tuple[float, int, Callable[[], None]]] = []
        self._count = 0

    @property
    def instant(self) -> datetime:
        """Return the present as production's cores take it."""
        return _BEGINNING + timedelta(seconds=self.now)

    def seconds_until(self, instant: datetime) -> float:
        """Return how long it is until an instant."""
        return (instant - self.instant).total_seconds()

    def after(self, seconds: float, action: Callable[[], None]) -> None:
        """Do something later. Of two things at one instant the one that was asked for first comes first."""
        self._count += 1
        heapq.heappush(self._events, (self.now + seconds, self._count, action))

    def run_until(self, end: float) -> None:
        """Let time pass."""
        while self._events and self._events[0][0] <= end:
            self.now, _, action = heapq.heappop(self._events)
            try:
                action()
            except Crashed:
                continue
        self.now = end

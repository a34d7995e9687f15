"""Time as an argument: instants are aware UTC, durations come from a monotonic clock."""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta
from typing import Protocol

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class Clock(Protocol):
    """What everything that needs time takes as an argument."""

    def now(self) -> datetime:
        """Return the current instant, aware, in UTC."""
        ...

    def monotonic(self) -> float:
        """Return seconds that never go back; only differences mean something."""
        ...


class SystemClock:
    """The machine's clock."""

    def now(self) -> datetime:
        """Return the current instant, aware, in UTC."""
        return datetime.now(UTC)

    def monotonic(self) -> float:
        """Return seconds that never go back."""
        return time.monotonic()


def to_micros(instant: datetime) -> int:
    """Return microseconds since 1970 for an aware instant: the form in which the store keeps time."""
    return (instant - EPOCH) // timedelta(microseconds=1)


def from_micros(micros: int) -> datetime:
    """Return the aware UTC instant for microseconds since 1970."""
    return EPOCH + timedelta(microseconds=micros)


def format_instant(instant: datetime) -> str:
    """Return an instant as `2026-11-21T17:40:00Z`: whole seconds, always UTC.

    Spec: contract.md 2.1; RFC 3339 §5.6.
    """
    return instant.astimezone(UTC).replace(microsecond=0, tzinfo=None).isoformat() + "Z"


def parse_instant(value: str) -> datetime | None:
    """Return the aware UTC instant of an RFC 3339 text, or None when it is not one or names no zone."""
    try:
        parsed = datetime.fromisoformat(value)
    except (ValueError, OverflowError):
        return None
    if parsed.tzinfo is None:
        return None
    try:
        return parsed.astimezone(UTC)
    except OverflowError:
        return None

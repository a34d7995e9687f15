"""Time that stands still until a test moves it, and names that can be foretold."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

NOON = datetime(2026, 11, 21, 12, 0, 0, tzinfo=UTC)
_ALPHABET = "abcdefghijklmnopqrstuvwxyz234567"


class FrozenClock:
    """A clock that a test moves by hand; both of its times move together."""

    def __init__(self, now: datetime = NOON) -> None:
        self._now = now
        self._seconds = 1000.0

    def now(self) -> datetime:
        """Return the instant at which the clock stands."""
        return self._now

    def monotonic(self) -> float:
        """Return seconds since an arbitrary start."""
        return self._seconds

    def advance(self, seconds: float) -> None:
        """Let time pass."""
        self._now += timedelta(seconds=seconds)
        self._seconds += seconds


class CountingIds:
    """Ids that count: numbers from `start`, tokens and secrets of the right length that carry the count."""

    def __init__(self, start: int = 1) -> None:
        self._next = start

    def number(self) -> int:
        """Return the next number."""
        self._next += 1
        return self._next - 1

    def token(self) -> str:
        """Return 26 base32 characters."""
        return _in_base32(self.number()).rjust(26, "a")

    def secret(self) -> str:
        """Return 43 URL-safe characters."""
        return _in_base32(self.number()).rjust(43, "s")


def _in_base32(number: int) -> str:
    digits = ""
    while number:
        number, digit = divmod(number, 32)
        digits = _ALPHABET[digit] + digits
    return digits

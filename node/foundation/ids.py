"""Names for new things: our own numbers, and random ids that say nothing.

A *number* (`post_id`, `actor_id`) orders rows on this node and never leaves it as an ActivityPub id: 42 bits of
milliseconds, 21 bits that count up from a random start. A *token* (the R in `/posts/R`) is 130 random bits in
base32: it carries neither time nor order, because times link aliases (design.md D2).
"""

from __future__ import annotations

import base64
import secrets
import threading
from datetime import datetime
from typing import Protocol

from .clock import Clock, to_micros

TOKEN_LENGTH = 26
_SEQUENCE_BITS = 21


class Ids(Protocol):
    """Where new names come from; tests use a predictable one."""

    def number(self) -> int:
        """Return a positive 63-bit number, larger than any returned before by this source."""
        ...

    def token(self) -> str:
        """Return 26 characters of lower-case base32: 130 random bits."""
        ...

    def secret(self) -> str:
        """Return 43 URL-safe characters: 256 random bits, for tokens that are shown once."""
        ...


def number_at(instant: datetime) -> int:
    """Return a number below all that sources give out from an instant on, and above those before."""
    return (to_micros(instant) // 1000) << _SEQUENCE_BITS


class RandomIds:
    """Ids for real use. Safe to share between threads."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._last = 0
        self._lock = threading.Lock()

    def number(self) -> int:
        """Return a number that grows; two processes in one millisecond differ by their random low bits."""
        millis = to_micros(self._clock.now()) // 1000
        fresh = (millis << _SEQUENCE_BITS) | secrets.randbits(_SEQUENCE_BITS - 3)
        with self._lock:
            self._last = max(fresh, self._last + 1)
            return self._last

    def token(self) -> str:
        """Return 26 random base32 characters."""
        return random_token()

    def secret(self) -> str:
        """Return 43 random URL-safe characters."""
        return secrets.token_urlsafe(32)


def random_token() -> str:
    """Return 26 lower-case base32 characters, 130 random bits."""
    return base64.b32encode(secrets.token_bytes(17)).decode("ascii").lower()[:TOKEN_LENGTH]

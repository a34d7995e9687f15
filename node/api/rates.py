"""How often an app may ask: so many calls within five minutes for each token, and for each address without one.

Counted in memory, in windows that begin every five minutes for everybody; where several processes serve a node, each counts
what it is asked. Whoever asks too often is told when to come back, and nothing of theirs is lost.

No forwarding header is read (T48). Behind a proxy on this machine everybody without a token comes from the machine itself:
that is nobody's address, and is not counted.

Spec: Mastodon API, Rate limits; RFC 9110 §10.2.3 (Retry-After).
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta

from quart import Response, g, request

from node.federation.egress import is_loopback_address
from node.foundation.clock import Clock, from_micros, to_micros
from node.foundation.errors import TooMany

from .entities import format_moment

WINDOW = timedelta(minutes=5)
_REMEMBERED = 20_000
_WINDOW_MICROS = int(WINDOW.total_seconds()) * 1_000_000
_TOO_MANY = "Too many requests. Please try again in a few minutes."


@dataclass(frozen=True, slots=True)
class Rate:
    """How often somebody may ask, may still ask, and when counting begins anew."""

    limit: int
    remaining: int
    reset_at: datetime


@dataclass(slots=True)
class Rates:
    """The calls of the present window, by who made them; bounded: with too many callers, counting begins anew.

    limit: how many there may be. A whole hospital may stand behind one address, so an address has as many as a token.
    """

    clock: Clock
    limit: int
    _window: int = -1
    _calls: dict[str, int] = field(default_factory=dict)

    def count(self, caller: str) -> Rate:
        """Count one call and return what is left; one too many is not counted and has a remaining of -1."""
        window, reset_at = self._find_window()
        if window != self._window or len(self._calls) >= _REMEMBERED:
            self._window = window
            self._calls.clear()
        calls = self._calls.get(caller, 0)
        if calls >= self.limit:
            return Rate(self.limit, -1, reset_at)
        self._calls[caller] = calls + 1
        return Rate(self.limit, self.limit - calls - 1, reset_at)

    def _find_window(self) -> tuple[int, datetime]:
        window = to_micros(self.clock.now()) // _WINDOW_MICROS
        return window, from_micros((window + 1) * _WINDOW_MICROS)


def open_rates(rates: Rates) -> None:
    """Let the present request be counted."""
    g.rates = rates


def count_token(token_hash: str) -> None:
    """Count the present request for a token that is alive.

    Raises:
        TooMany: It has asked too often.
    """
    _count(f"token {token_hash}")


def count_address() -> None:
    """Count the present request for where it comes from: it has no token that is alive.

    Raises:
        TooMany: That address has asked too often.
    """
    address = request.remote_addr or ""
    if address and not is_loopback_address(address):
        _count(f"address {address}")


def tell_rate(response: Response) -> Response:
    """Say in an answer how often whoever got it may still ask."""
    rate: Rate | None = g.get("rate")
    if rate is not None:
        response.headers["X-RateLimit-Limit"] = str(rate.limit)
        response.headers["X-RateLimit-Remaining"] = str(max(rate.remaining, 0))
        response.headers["X-RateLimit-Reset"] = format_moment(rate.reset_at)
    return response


def _count(caller: str) -> None:
    rates: Rates = g.rates
    g.rate = rate = rates.count(caller)
    if rate.remaining < 0:
        seconds = (rate.reset_at - rates.clock.now()).total_seconds()
        raise TooMany(_TOO_MANY, retry_after_seconds=max(int(seconds) + 1, 1))

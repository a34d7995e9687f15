"""What failed a short while ago and is not asked again yet (T33).

Key fetches hold one of these, so that a peer which names a broken key id again and again causes one request, not many.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable

NEGATIVE_TTL_SECONDS = 600.0
NEGATIVE_LIMIT = 4096


class NegativeCache:
    """Remember for ten minutes which URLs failed, so that nobody makes us ask again and again (T33).

    Args:
        monotonic: Seconds that never go back.
        limit: How many URLs at most; the oldest goes first.
        ttl_seconds: How long one is remembered.
    """

    def __init__(
        self, monotonic: Callable[[], float], *, limit: int = NEGATIVE_LIMIT, ttl_seconds: float = NEGATIVE_TTL_SECONDS
    ) -> None:
        self._monotonic = monotonic
        self._limit = limit
        self._ttl_seconds = ttl_seconds
        self._failures: OrderedDict[str, tuple[float, str]] = OrderedDict()

    def __len__(self) -> int:
        """Return how many URLs are held, those about to expire included."""
        return len(self._failures)

    def remember(self, url: str, reason: str) -> None:
        """Remember that a URL failed just now, and why."""
        self._failures.pop(url, None)
        self._failures[url] = (self._monotonic() + self._ttl_seconds, reason)
        if len(self._failures) > self._limit:
            self._failures.popitem(last=False)

    def find(self, url: str) -> str | None:
        """Return why a URL failed within the last ten minutes, or None when it may be asked."""
        held = self._failures.get(url)
        if held is None:
            return None
        expires, reason = held
        if self._monotonic() < expires:
            return reason
        del self._failures[url]
        return None

    def forget(self, url: str) -> None:
        """Permit a URL to be asked again at once."""
        self._failures.pop(url, None)

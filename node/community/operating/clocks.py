"""The clock's watch: a clock that was set while the node runs signs nothing until it is known to be right.

A signature says when it was made, and peers refuse one that is minutes off; what waits in the lanes loses nothing. The
node trusts its clock again when it is set back, when a peer's signed request shows the same time, or when an operator
says so (`rounds clock accept`).

Spec: reliability.md 4.7; signatures.md T09.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from node.domain.pressure import has_jumped
from node.foundation.logs import get_logger
from node.store.core import Core

# A peer whose clock stands so near to ours confirms it.
AGREES_WITHIN = timedelta(seconds=60)


class ClockWatch:
    """Compares the machine's clock with the time that has gone by, for one process."""

    def __init__(self, core: Core) -> None:
        self._core = core
        self._wall = core.clock.now()
        self._steady = core.clock.monotonic()
        self._accepted: str | None = None
        self._jumped_at: datetime | None = None

    def look(self, accepted: str | None) -> bool:
        """Compare once; return whether the clock is trusted again, as from now.

        Args:
            accepted: The operators' mark, another one each time that they accept the clock.
        """
        core = self._core
        now, steady = core.clock.now(), core.clock.monotonic()
        gone, passed = now - self._wall, steady - self._steady
        if not has_jumped(wall=gone, monotonic_seconds=passed):
            is_news = self._jumped_at is not None
            if is_news:
                self._trust("set back")
            self._wall, self._steady, self._accepted = now, steady, accepted
            return is_news
        if self._jumped_at is None:
            self._jumped_at = now
            get_logger().error("clock_jumped", seconds=round(gone.total_seconds() - passed))
        core.pressure.jumped_seconds = round(gone.total_seconds() - passed)
        agrees = any(at > self._jumped_at and abs(said - at) < AGREES_WITHIN for said, at in core.tally.signed.values())
        if accepted == self._accepted and not agrees:
            return False
        self._trust("a peer agrees" if agrees else "accepted")
        self._accepted = accepted
        return True

    def _trust(self, reason: str) -> None:
        core = self._core
        get_logger().warning("clock_trusted", reason=reason)
        self._wall, self._steady = core.clock.now(), core.clock.monotonic()
        self._jumped_at = core.pressure.jumped_seconds = None

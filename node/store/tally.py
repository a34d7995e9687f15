"""How much came and went in each hour: counted in memory, written once a minute, never for a single activity.

What was counted since the last write is lost when the process dies: these numbers draw a chart and decide nothing.
"""

from __future__ import annotations

from collections import Counter
from datetime import datetime, timedelta

from .engine import Store, Tx

RECEIVED, DELIVERED, FAILED = KINDS = ("received", "delivered", "failed")
KEPT = timedelta(days=31)
_USED_LIMIT = 10_000

_ADD = """INSERT INTO counters (hour_at, kind, n) VALUES (:hour_at, :kind, :n)
  ON CONFLICT (hour_at, kind) DO UPDATE SET n = counters.n + excluded.n"""
_FORGET = "DELETE FROM counters WHERE hour_at < :before_at"
_SINCE = "SELECT hour_at, kind, n FROM counters WHERE hour_at >= :since_at ORDER BY hour_at LIMIT 3000"

Counts = Counter[tuple[datetime, str]]


class Tally:
    """What happened since the last write, and what the clocks of peers said last."""

    def __init__(self) -> None:
        self._counts: Counts = Counter()
        self._clocks: dict[int, tuple[str, datetime]] = {}
        self._signed: dict[int, tuple[datetime, datetime]] = {}
        self._used: set[str] = set()

    def count(self, kind: str, now: datetime) -> None:
        """Note that one of these happened."""
        self._counts[hour_of(now), kind] += 1

    def hear_clock(self, peer_id: int, said: str | None, now: datetime) -> None:
        """Note the `Date` of a peer's answer, as written, and when it came; it is read by whoever looks."""
        if said:
            self._clocks[peer_id] = (said[:64], now)

    @property
    def clocks(self) -> dict[int, tuple[str, datetime]]:
        """{number of a peer: (what its clock said, our time then)}."""
        return dict(self._clocks)

    def hear_signed(self, peer_id: int, said: datetime | None, now: datetime) -> None:
        """Note when a peer says that it made a signature, which held, and when it came."""
        if said is not None:
            self._signed[peer_id] = (said, now)

    def use_picture(self, token: str) -> None:
        """Note that somebody looked at a picture."""
        if len(self._used) < _USED_LIMIT:
            self._used.add(token)

    def take_used(self) -> set[str]:
        """Return the pictures that were looked at since this was asked last."""
        used, self._used = self._used, set()
        return used

    @property
    def signed(self) -> dict[int, tuple[datetime, datetime]]:
        """{number of a peer: (when it says it signed its last request, our time then)}."""
        return dict(self._signed)

    @property
    def counts(self) -> Counts:
        """What is not written yet."""
        return Counter(self._counts)

    async def save(self, store: Store) -> None:
        """Write what was counted, if anything was; what cannot be written now is kept for the next time."""
        counts, self._counts = self._counts, Counter()
        if not counts:
            return
        try:
            await store.write(_save, counts)
        except BaseException:
            self._counts += counts
            raise


def hour_of(instant: datetime) -> datetime:
    """Return the hour an instant is in."""
    return instant.replace(minute=0, second=0, microsecond=0)


async def list_counts(tx: Tx, *, since: datetime) -> Counts:
    """Return what was written of the hours from `since` on."""
    return Counter({(row.hour_at, row.kind): row.n for row in await tx.all(_SINCE, since_at=since)})


async def _save(tx: Tx, counts: Counts) -> None:
    for (hour, kind), n in sorted(counts.items()):
        await tx.run(_ADD, hour_at=hour, kind=kind, n=n)
    await tx.run(_FORGET, before_at=tx.now - KEPT)

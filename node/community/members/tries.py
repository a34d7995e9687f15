"""Wrong passwords, counted in memory per handle and per address: guessing is slow, and nobody is locked out for long.

Spec: signatures.md T48, T57.
"""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from node.foundation.clock import Clock
from node.foundation.errors import TooMany

TRIES, TRIES_WITHIN = 10, timedelta(minutes=10)
_REMEMBERED = 10_000


@dataclass(slots=True)
class Tries:
    """Wrong passwords of the last minutes, by handle and by address; bounded, the oldest forgotten first."""

    clock: Clock
    _times: OrderedDict[str, list[datetime]] = field(default_factory=OrderedDict)

    def check(self, *names: str) -> None:
        """Raise unless another try is due.

        Raises:
            TooMany: There were ten within ten minutes.
        """
        since = self.clock.now() - TRIES_WITHIN
        for name in names:
            recent = [at for at in self._times.get(name, ()) if at > since]
            if len(recent) >= TRIES:
                raise TooMany("Too many wrong passwords. Wait ten minutes, or ask your node's operator for a link.")

    def note(self, *names: str) -> None:
        """Count a wrong password."""
        now = self.clock.now()
        for name in names:
            times = self._times.setdefault(name, [])
            times.append(now)
            del times[:-TRIES]
            self._times.move_to_end(name)
        while len(self._times) > _REMEMBERED:
            self._times.popitem(last=False)

    def forget(self, *names: str) -> None:
        """Somebody was right after all."""
        for name in names:
            self._times.pop(name, None)

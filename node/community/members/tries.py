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
# A whole hospital may stand behind one address.
ADDRESS_TRIES = 50
_REMEMBERED = 10_000


@dataclass(slots=True)
class Tries:
    """Wrong passwords of the last minutes, by handle and by address; bounded, the oldest forgotten first."""

    clock: Clock
    _times: OrderedDict[str, list[datetime]] = field(default_factory=OrderedDict)

    def check(self, handle: str, address: str) -> None:
        """Raise unless another try is due.

        Args:
            handle: For whom.
            address: From where; empty when that says nothing.

        Raises:
            TooMany: There were ten for this handle, or fifty from this address, within ten minutes.
        """
        since = self.clock.now() - TRIES_WITHIN
        for name, limit in _limits(handle, address).items():
            if sum(at > since for at in self._times.get(name, ())) >= limit:
                raise TooMany("Too many wrong passwords. Wait ten minutes, or ask your node's operator for a link.")

    def note(self, handle: str, address: str) -> None:
        """Count a wrong password."""
        now = self.clock.now()
        for name, limit in _limits(handle, address).items():
            times = self._times.setdefault(name, [])
            times.append(now)
            del times[:-limit]
            self._times.move_to_end(name)
        while len(self._times) > _REMEMBERED:
            self._times.popitem(last=False)

    def forget(self, handle: str) -> None:
        """Somebody was right after all."""
        self._times.pop(f"handle {handle}", None)


def _limits(handle: str, address: str) -> dict[str, int]:
    limits = {f"handle {handle}": TRIES}
    return limits | {f"address {address}": ADDRESS_TRIES} if address else limits

"""What the tests of pressure may ask for: a corridor whose watch measures the disk that a test gives it."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from node.community.operating.watching import Watcher
from node.federation.certificates import Seen
from node.store.reserve import Volume
from tests.support.clock import FrozenClock
from tests.support.corridor import Corridor, a_corridor
from tests.support.databases import Databases

GIGABYTE = 10**9


@dataclass
class Disk:
    """A disk of 100 GB with as much free as a test says. own: the certificate that the node's public address shows."""

    free_bytes: float = 50 * GIGABYTE
    own: Seen | None = None

    def measure(self, folder: Path, *, missing_bytes: int = 0) -> Volume:
        """Return the room."""
        return Volume(100 * GIGABYTE, int(max(0, self.free_bytes - missing_bytes)))

    async def look_at_own(self, *asked: object) -> Seen | None:
        """Return the certificate."""
        return self.own


@pytest.fixture
def disk() -> Disk:
    return Disk()


@pytest.fixture
async def corridor(databases: Databases, clock: FrozenClock, disk: Disk) -> AsyncIterator[Corridor]:
    """Give a node with a group and people elsewhere; nothing of it works by itself."""
    async with a_corridor(databases, clock, disk={"reserve_bytes": 65_536}) as made:
        house = made.lone.house
        house.watcher = Watcher(house.core, disk.measure, disk.look_at_own)
        yield made

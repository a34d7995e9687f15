"""The stage of these tests: a node with two peers, for each of them anew."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from tests.support.clock import FrozenClock
from tests.support.corridor import Corridor, a_corridor
from tests.support.databases import Databases


@pytest.fixture
async def corridor(databases: Databases, clock: FrozenClock) -> AsyncIterator[Corridor]:
    async with a_corridor(databases, clock) as made:
        yield made

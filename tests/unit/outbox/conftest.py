"""A node with two peers and a group that some of their members are in."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from tests.support.clock import FrozenClock
from tests.support.databases import Databases
from tests.support.lone_house import LoneHouse, a_lone_house


@pytest.fixture
async def lone(databases: Databases, clock: FrozenClock) -> AsyncIterator[LoneHouse]:
    async with a_lone_house(databases, clock) as opened:
        yield opened

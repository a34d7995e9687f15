"""What the tests of the client API may ask for."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from node.community.posts.streaming import StreamHub
from tests.support.clock import FrozenClock
from tests.support.databases import Databases
from tests.support.practice import Practice, a_practice


@pytest.fixture
async def practice(databases: Databases, clock: FrozenClock) -> AsyncIterator[Practice]:
    """Give a node with the group `ward`, its owner Ana, its member Ben, and Cy who is not in it."""
    async with a_practice(databases, clock) as made:
        yield made


@pytest.fixture
async def hub(practice: Practice) -> AsyncIterator[StreamHub]:
    """Give the hub of the practice's node, whose rounds the tests call themselves."""
    hub = practice.lone.house.streams
    hub.pace_seconds = 3600
    yield hub
    hub.stop()
    await hub.rest()

"""What the tests of pages may ask for: a node with a group, and an empty village, on each kind of database."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.support.clock import FrozenClock
from tests.support.databases import Databases
from tests.support.reading_room import Ward, a_reading_room
from tests.support.village import KeyPool, Village, open_village


@pytest.fixture
async def ward(databases: Databases, clock: FrozenClock) -> AsyncIterator[Ward]:
    """Give a node with the group `ward`, its owner Ana, its member Ben, and Cy who is not in it."""
    async with a_reading_room(databases, clock) as made:
        yield made


@pytest.fixture(scope="session")
def key_pool() -> KeyPool:
    """Give the RSA keys of this session."""
    return KeyPool()


@pytest.fixture
async def village(
    databases: Databases, tmp_path: Path, key_pool: KeyPool, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[Village]:
    """Give a village without nodes."""
    async with open_village(databases, tmp_path, key_pool, monkeypatch) as made:
        yield made

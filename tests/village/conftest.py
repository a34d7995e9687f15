"""What the tests of several nodes may ask for: an empty village, on each kind of database."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.support.databases import Databases
from tests.support.village import KeyPool, Village, open_village


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

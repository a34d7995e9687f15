"""What the tests of failures may ask for: nodes in processes of their own, whose databases wait for the disk."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import asyncpg
import pytest

from tests.support.foreign import ForeignPeer
from tests.support.postgres import Cluster, a_cluster
from tests.support.process_node import ProcessNode
from tests.support.village import MovingClock


@pytest.fixture(scope="session")
def durable(cluster: Cluster) -> Iterator[Cluster]:
    """Give a PostgreSQL server that waits for the disk; the other one, which does not, has shown that it is installed."""
    with a_cluster(is_durable=True) as running:
        yield running


@pytest.fixture
def data_folder(tmp_path: Path) -> Path:
    """Give a folder on disk: here it is asked what a failure leaves there."""
    return tmp_path


@pytest.fixture
async def address(database_kind: str, request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[str]:
    """Give the address of an empty, durable database."""
    if database_kind == "sqlite":
        yield "sqlite:"
        return
    server: Cluster = request.getfixturevalue("durable")
    name = f"node_{abs(hash(tmp_path)) % 10**9}"
    await _administer(server, f"CREATE DATABASE {name}")
    yield server.address(name)
    await _administer(server, f"DROP DATABASE {name} WITH (FORCE)")


async def _administer(server: Cluster, statement: str) -> None:
    connection: Any = await asyncpg.connect(server.address("postgres"))
    try:
        await connection.execute(statement)
    finally:
        await connection.close()


@pytest.fixture
async def host(address: str, tmp_path: Path) -> AsyncIterator[ProcessNode]:
    """Give a node in a process of its own, serving, with ana and her group `ward`."""
    made = await ProcessNode.make(tmp_path / "host", name="Society", database=address)
    try:
        await made.start()
        await made.member("ana")
        await made.group("ward", owner="ana")
        yield made
    finally:
        await made.close()


@pytest.fixture
async def peer() -> AsyncIterator[ForeignPeer]:
    """Give an outside party with its own keys."""
    made = ForeignPeer(MovingClock().now)
    await made.start()
    yield made
    await made.stop()

"""Row 14: PostgreSQL ends by force, another server takes over, too many connect at once. Nodes find back by themselves.

What ends at a commit boundary, the server among it, is in row 13.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import shutil
import subprocess
import tempfile
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import asyncpg
import pytest
import pytest_asyncio

from tests.faults.rounds import Server, a_server
from tests.support.neighbours import Neighbours, the_neighbours
from tests.support.postgres import Cluster, a_cluster, as_owner, find_programs, start
from tests.support.waiting import until_true

pytestmark = [
    pytest.mark.slow,
    pytest.mark.timeout(240),
    pytest.mark.only_on("postgresql", reason="SQLite has no server"),
]


@pytest.fixture
def ended_by_force(cluster: Cluster) -> Iterator[tuple[Cluster, Server]]:
    """Give a server that waits for the disk and may be ended."""
    with a_cluster(is_durable=True) as running, a_server(running) as server:
        yield running, server


@pytest_asyncio.fixture
async def pair(ended_by_force: tuple[Cluster, Server], tmp_path: Path) -> AsyncIterator[Neighbours]:
    """Give two nodes on one server."""
    addresses = [await _make_database(ended_by_force[0], name) for name in ("society", "hospital")]
    async with the_neighbours(tmp_path, addresses) as made:
        yield made


async def _make_database(cluster: Cluster, name: str) -> str:
    connection: Any = await asyncpg.connect(cluster.address("postgres"))
    await connection.execute(f"CREATE DATABASE {name}")
    await connection.close()
    return cluster.address(name)


async def test_row_14_nodes_come_back_with_their_database_and_have_lost_nothing(
    pair: Neighbours, ended_by_force: tuple[Cluster, Server], database_kind: str
) -> None:
    _, server = ended_by_force
    pids = [node.pid for node in pair.nodes]

    for _ in range(2):
        writing = [asyncio.create_task(pair.say(node)) for node in pair.nodes for _ in range(6)]
        await asyncio.wait(writing, return_when=asyncio.FIRST_COMPLETED)
        server.kill()
        await asyncio.gather(*writing)
        assert await pair.say(pair.a) is None  # nobody is told that anything was kept
        server.start()
        await until_true(lambda: pair.say(pair.a), seconds=20)
        await until_true(lambda: pair.say(pair.b), seconds=20)

    await pair.rest()
    assert [node.pid for node in pair.nodes] == pids
    assert await pair.check() == []
    assert await pair.check_doors(pair.b) == []


async def test_row_14_a_storm_of_connections_is_answered_with_later_and_passes(
    pair: Neighbours, ended_by_force: tuple[Cluster, Server], database_kind: str
) -> None:
    cluster, _ = ended_by_force
    taken: list[Any] = []
    with contextlib.suppress(asyncpg.PostgresError):
        for _ in range(250):
            taken.append(await asyncpg.connect(cluster.address("postgres")))

    said = await asyncio.gather(*(pair.say(pair.a) for _ in range(40)))  # more than it has connections
    for connection in taken:
        await connection.close()
    await until_true(lambda: pair.say(pair.b), seconds=20)
    await pair.rest()

    assert len(taken) > 100
    assert any(said), "the connections that a node has serve on"
    assert await pair.check() == []


@contextlib.contextmanager
def _a_standby(primary: Cluster) -> Iterator[Cluster]:
    """Give a second server that has every commit before the first one says so (synchronous replication)."""
    folder = Path(tempfile.mkdtemp(prefix="rounds-pg-standby-"))
    try:
        if os.geteuid() == 0:
            shutil.chown(folder, "postgres")
        copy = [*as_owner(), str(find_programs() / "pg_basebackup"), "-h", str(primary.folder), "-U", "postgres",
                "-D", str(folder / "data"), "-R", "-X", "stream"]  # fmt: skip
        subprocess.run(copy, check=True, capture_output=True, cwd=folder)
        standby = start(folder, is_durable=True)
        try:
            yield standby
        finally:
            standby.stop()
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@pytest.mark.long
async def test_row_14_when_a_synchronous_standby_takes_over_nothing_acknowledged_is_missing(
    cluster: Cluster, tmp_path: Path, database_kind: str
) -> None:
    with a_cluster(is_durable=True) as primary:
        name = (await _make_database(primary, "society")).partition("?")[0].rpartition("/")[2]
        with _a_standby(primary) as standby:
            await _tell(primary, "ALTER SYSTEM SET synchronous_standby_names = '*'", "SELECT pg_reload_conf()")
            both = f"host={primary.folder},{standby.folder}&port=5432,5432&target_session_attrs=read-write"
            async with the_neighbours(tmp_path, [f"postgresql://postgres@/{name}?{both}", "sqlite:"]) as pair:
                await pair.rest()
                writing = [asyncio.create_task(pair.say(node)) for node in pair.nodes for _ in range(8)]
                await asyncio.wait(writing, return_when=asyncio.FIRST_COMPLETED)

                primary.kill()
                await asyncio.gather(*writing)
                await _tell(standby, "SELECT pg_promote()")
                await until_true(lambda: pair.say(pair.a), seconds=30)
                await pair.rest()

                pair.addresses[0] = standby.address(name)
                assert len(pair.truth.acknowledged) >= 2
                assert await pair.check() == []


async def _tell(cluster: Cluster, *statements: str) -> None:
    connection: Any = await asyncpg.connect(cluster.address("postgres"))
    for statement in statements:
        await connection.execute(statement)
    await connection.close()

"""Acknowledged means on disk: what a killed process had acknowledged is there when the store is opened again."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import asyncpg
import pytest

from tests.support.clock import FrozenClock
from tests.support.databases import Databases
from tests.support.postgres import a_cluster, start
from tests.support.rows import names

_ROUNDS = 3
_ACKNOWLEDGED = 300


def _write_until_killed(
    address: str, data: Path, *, run: str, kill: Callable[[subprocess.Popen[str]], None]
) -> list[str]:
    """Run a writer, end it or its server by force after some acknowledgements, and return all that it printed."""
    command = [sys.executable, "-m", "tests.support.acknowledging_writer", address, str(data), run]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True) as writer:
        assert writer.stdout is not None
        acknowledged = [writer.stdout.readline().strip() for _ in range(_ACKNOWLEDGED)]
        kill(writer)
        acknowledged += [line.strip() for line in writer.stdout if line.endswith("\n")]
    return acknowledged


async def test_every_row_that_a_killed_process_acknowledged_is_there(databases: Databases, clock: FrozenClock) -> None:
    address, data = await databases.new_data()
    acknowledged: list[str] = []

    for number in range(_ROUNDS):
        acknowledged += _write_until_killed(address, data, run=f"run{number}", kill=subprocess.Popen.kill)

    store = await databases.open(address, data, clock)
    present = set(await store.read(names))
    assert "" not in acknowledged
    assert len(acknowledged) >= _ROUNDS * _ACKNOWLEDGED
    assert set(acknowledged) <= present


@pytest.mark.only_on("postgresql", reason="on SQLite the server is the process")
async def test_every_row_that_was_acknowledged_before_the_server_was_killed_is_there(
    server: object, tmp_path: Path
) -> None:
    with a_cluster(is_durable=True) as cluster:
        address = cluster.address("postgres")
        admin = await asyncpg.connect(address)
        await admin.execute("CREATE TABLE settings (name TEXT PRIMARY KEY, value TEXT NOT NULL)")
        await admin.close()

        acknowledged = _write_until_killed(address, tmp_path, run="run", kill=lambda _: cluster.kill())

        again = start(cluster.folder, is_durable=True)
        onlooker = await asyncpg.connect(address)
        present = {row["name"] for row in await onlooker.fetch("SELECT name FROM settings")}
        await onlooker.close()
        again.stop()
    assert len(acknowledged) >= _ACKNOWLEDGED
    assert set(acknowledged) <= present

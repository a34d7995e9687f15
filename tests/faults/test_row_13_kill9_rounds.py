"""Row 13, and 14 in part: processes end at commit boundaries, PostgreSQL by force; nothing acknowledged is lost or doubled.

`make faults ROUNDS=100` goes through as many rounds as one likes, and prints which boundaries were hit.
"""

from __future__ import annotations

import contextlib
import os
from pathlib import Path

import asyncpg
import pytest

from tests.faults.boundaries import list_bodies, list_boundaries
from tests.faults.rounds import Report, Rounds, a_server
from tests.support.neighbours import the_neighbours
from tests.support.postgres import Cluster, a_cluster

ROUNDS = int(os.environ.get("FAULT_ROUNDS", "8"))
SEED = int(os.environ.get("FAULT_SEED", "13"))
pytestmark = [pytest.mark.slow, pytest.mark.timeout(240 + 60 * ROUNDS)]


def _write_down(report: Report) -> None:
    """Keep the table of a long run as it grows: FAULT_REPORT names the file, `{}` in it stands for the kind of database."""
    if where := os.environ.get("FAULT_REPORT"):
        Path(where.format(report.kind)).write_text(f"{report.format()}\n", "utf-8")


async def _make_databases(cluster: Cluster, *names: str) -> list[str]:
    connection = await asyncpg.connect(cluster.address("postgres"))
    try:
        for name in names:
            await connection.execute(f"CREATE DATABASE {name}")
    finally:
        await connection.close()
    return [cluster.address(name) for name in names]


@pytest.mark.long
async def test_row_13_what_was_acknowledged_is_everywhere_once_after_rounds_of_kill_9(
    database_kind: str, request: pytest.FixtureRequest, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with contextlib.ExitStack() as stack:
        server, addresses = None, ["sqlite:", "sqlite:"]
        if database_kind == "postgresql":
            request.getfixturevalue("cluster")  # says it where PostgreSQL is not installed
            cluster = stack.enter_context(a_cluster(is_durable=True))
            server = stack.enter_context(a_server(cluster))
            addresses = await _make_databases(cluster, "society", "hospital")
        async with the_neighbours(tmp_path, addresses) as pair:
            rounds = Rounds(pair, database_kind, seed=SEED, server=server)
            await rounds.prepare()

            report = await rounds.run(ROUNDS, _write_down)

            with capsys.disabled():
                if ROUNDS > 8:
                    print(f"\n{report.format()}")
            assert report.broken == [], report.format()
            assert report.rounds == ROUNDS
            assert report.acknowledged > ROUNDS
            assert await pair.check_doors(pair.a) == await pair.check_doors(pair.b) == []


def test_row_13_every_body_that_is_handed_to_a_store_has_a_name() -> None:
    bodies = list_bodies()

    assert len(bodies) > 100
    assert {"node.inbox.receive._keep", "node.outbox.batches.save_run", "node.inbox.process._apply"} <= set(bodies)
    assert len(list_boundaries()) == 2 * len(bodies)

"""A database that another program holds: said in words, bounded where we can, and over when that program lets go."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator

import asyncpg
import pytest

from node.domain.pressure import LOG_LIMIT_BYTES, LOG_WARN_BYTES
from node.foundation.errors import Busy
from node.store import wal
from node.store.engine import Tx
from node.store.sqlite import SqliteStore
from tests.support.corridor import Corridor
from tests.support.requesters import ask

_PIECE_BYTES = 4 * 2**20
_INSERT = "INSERT INTO settings (name, value) VALUES (:name, :value)"
on_sqlite = pytest.mark.only_on("sqlite", reason="PostgreSQL keeps its own log")


@pytest.fixture
def other_program(corridor: Corridor) -> Iterator[sqlite3.Connection]:
    """Give a connection of another program."""
    connection = sqlite3.connect(corridor.lone.core.data / "rounds.sqlite", isolation_level=None)
    yield connection
    connection.close()


async def _write_much(tx: Tx, name: str) -> None:
    await tx.run(_INSERT, name=name, value="x" * _PIECE_BYTES)


async def _look(corridor: Corridor) -> None:
    corridor.lone.clock.advance(61)
    await corridor.lone.house.watcher.look()


@on_sqlite
async def test_a_long_reader_of_another_program_is_named_and_the_log_is_emptied_when_it_ends(
    corridor: Corridor, other_program: sqlite3.Connection
) -> None:
    core = corridor.lone.core
    other_program.execute("BEGIN")
    other_program.execute("SELECT COUNT(*) FROM settings").fetchone()

    for number in range(LOG_WARN_BYTES // _PIECE_BYTES + 1):
        await core.store.write(_write_much, f"piece {number}")
    await _look(corridor)
    held, grown = core.pressure.alerts, core.pressure.log_bytes
    await core.store.tidy()  # waits for nobody: members write meanwhile
    was_tidy = core.store.is_tidy
    other_program.execute("COMMIT")
    await _look(corridor)  # tries again what could not be done
    await _look(corridor)

    assert grown > LOG_WARN_BYTES
    assert (held, was_tidy) == (("log",), False)
    assert (core.pressure.alerts, core.pressure.log_bytes) == ((), 0)


@on_sqlite
async def test_beyond_its_limit_the_log_stops_what_other_nodes_send(corridor: Corridor) -> None:
    core = corridor.lone.core
    core.pressure.log_bytes = LOG_LIMIT_BYTES + 1

    create = corridor.fay.post_in(corridor.ward.uri, "Hello")
    answer = await ask(corridor.lone.app, corridor.fay.deliver(create, corridor.now))

    assert answer.status == 503


@on_sqlite
async def test_a_locked_database_is_named_and_works_again_when_it_is_let_go(
    corridor: Corridor, other_program: sqlite3.Connection
) -> None:
    core = corridor.lone.core
    assert isinstance(core.store, SqliteStore)
    await core.store._writer.connection.execute("PRAGMA busy_timeout=50")
    other_program.execute("BEGIN IMMEDIATE")

    with pytest.raises(Busy):
        await core.store.write(_write_much, "piece")
    await _look(corridor)  # though it cannot be written into the audit log either
    held = core.pressure.alerts
    read = await core.store.read(_count)
    other_program.execute("ROLLBACK")
    await core.store.write(_write_much, "piece")
    await _look(corridor)

    assert held == ("database_locked",)
    assert read > 0
    assert core.pressure.alerts == ()


@on_sqlite
async def test_a_read_that_takes_too_long_is_broken_off(corridor: Corridor, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(wal, "READ_SECONDS", 0.1)

    with pytest.raises(Busy):
        await corridor.lone.core.store.read(_read_for_ever)

    assert await corridor.lone.core.store.read(_count) > 0


@pytest.mark.only_on("postgresql", reason="SQLite does not tell how long others read")
async def test_a_long_transaction_on_postgresql_is_measured(corridor: Corridor) -> None:
    core = corridor.lone.core
    connection = await asyncpg.connect(core.config.database)
    try:
        await connection.execute("BEGIN")
        await connection.fetchval("SELECT COUNT(*) FROM settings")
        _, seconds = await core.store.measure_strain()
    finally:
        await connection.close()
    core.pressure.oldest_seconds = 400
    await core.store.write(_nothing)

    assert seconds >= 0
    assert [check.name for check in _checks(corridor)] == ["transaction"]


def _checks(corridor: Corridor) -> list:  # type: ignore[type-arg]
    from node.community.operating.checks import look_at_pressure

    return look_at_pressure(corridor.lone.core)


async def _count(tx: Tx) -> int:
    return int(await tx.value("SELECT COUNT(*) AS n FROM members"))


async def _nothing(tx: Tx) -> None:
    await tx.value("SELECT 1 AS one")


async def _read_for_ever(tx: Tx) -> None:
    await tx.value(
        "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 1000000000) SELECT COUNT(*) FROM n"
    )

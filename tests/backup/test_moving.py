"""A node moves from its SQLite file to PostgreSQL: every row, compared, switched at the end, and again after any stop."""

from __future__ import annotations

import os
import shutil
from pathlib import Path
from typing import Any

import asyncpg
import pytest

from node.community.house import close_core, open_core
from node.community.operating import moving
from node.community.operating.moving import move
from node.foundation.config import build_config, load_config
from node.foundation.errors import ConfigError, Conflict, StoreError
from node.store.backup import tables
from node.store.backup.tables import Sum
from tests.support.backups import a_stocked_node, content_of
from tests.support.clock import FrozenClock
from tests.support.databases import Databases, Spares
from tests.support.traces import read_rows

pytestmark = pytest.mark.only_on("postgresql", reason="it is about moving there")
_SAID: list[str] = []
_HALF = "CREATE TABLE schema_versions (x BIGINT); CREATE TABLE mine (x BIGINT)"


@pytest.fixture
async def address(databases: Databases) -> str:
    return await databases.new_empty_address()


@pytest.fixture
async def data(tmp_path: Path, clock: FrozenClock, spares: Spares) -> Path:
    """Give the directory of a stopped node on SQLite with everything in it; it is made once."""
    made = spares.folder / "stocked"
    if not made.exists():
        async with a_stocked_node(Databases("sqlite", spares, tmp_path, None), clock) as stocked:
            left = stocked.core.data
        shutil.move(left, made)
    return Path(shutil.copytree(made, tmp_path / "node"))


async def _move(data: Path, address: str, clock: FrozenClock, said: list[str] | None = None) -> Any:
    return await move(data, address, clock=clock, note=(_SAID if said is None else said).append)


async def test_every_row_is_there_and_the_node_opens_on_postgresql(
    data: Path, address: str, clock: FrozenClock
) -> None:
    before, said = await content_of("sqlite:", data), []  # type: ignore[var-annotated]

    moved = await _move(data, address, clock, said)

    assert await content_of(address, data) == before
    assert load_config(data, {}).database == address
    assert [name for name in os.listdir(data) if name.startswith("rounds.sqlite")] == ["rounds.sqlite.moved"]
    assert moved.rows > 150
    assert any(sentence.startswith("Copying posts:") for sentence in said)
    assert any(f"of {moved.rows} rows" in sentence for sentence in said)
    config = build_config({"base_url": "https://home.example", "name": "Home", "database": address})
    core = await open_core(data, config=config, clock=clock)
    try:
        found = await core.store.read(lambda tx: tx.all("SELECT rowid FROM search_words"))
    finally:
        await close_core(core)
    assert len(found) == 3


async def test_moving_twice_is_done_already(data: Path, address: str, clock: FrozenClock) -> None:
    await _move(data, address, clock)
    before = await read_rows(address, data)

    assert (await _move(data, address, clock)).tables == 0
    assert await read_rows(address, data) == before
    with pytest.raises(ConfigError, match="another PostgreSQL"):
        await _move(data, f"{address}&x=1", clock)


@pytest.mark.parametrize("step", ["copy_to_postgres", "sum_postgres", "require_same", "set_database", "unmark"])
async def test_after_a_stop_anywhere_the_same_command_ends_it(
    data: Path, address: str, clock: FrozenClock, monkeypatch: pytest.MonkeyPatch, step: str
) -> None:
    before, real = await content_of("sqlite:", data), getattr(moving, step)

    def stop(*args: Any, **kwargs: Any) -> Any:
        raise KeyboardInterrupt

    monkeypatch.setattr(moving, step, stop)
    with pytest.raises(KeyboardInterrupt):
        await _move(data, address, clock)
    is_switched = load_config(data, {}).database == address
    monkeypatch.setattr(moving, step, real)
    await _move(data, address, clock)

    assert is_switched == (step == "unmark")
    assert await content_of(address, data) == before
    assert not (data / "moving").exists()
    assert not any("moving" in row for row in (await read_rows(address, data))["settings"])


async def test_a_copy_that_is_not_the_same_is_not_switched_to(
    data: Path, address: str, clock: FrozenClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def spoil(*args: Any, **kwargs: Any) -> Any:
        copied = await tables.copy_to_postgres(*args, **kwargs)
        connection: Any = await asyncpg.connect(address)
        await connection.execute("UPDATE posts SET html = html || '.' WHERE title = 'Nights'")
        await connection.close()
        return copied

    monkeypatch.setattr(moving, "copy_to_postgres", spoil)
    with pytest.raises(StoreError, match="The copy of posts is not the same"):
        await _move(data, address, clock)

    assert load_config(data, {}).database == "sqlite:"
    assert (data / "rounds.sqlite").exists()


@pytest.mark.parametrize(
    "holds", ["CREATE TABLE mine (x BIGINT)", "CREATE TABLE posts (x BIGINT)", _HALF],
)  # fmt: skip
async def test_a_database_that_holds_something_else_is_left_alone(
    data: Path, address: str, clock: FrozenClock, holds: str
) -> None:
    connection: Any = await asyncpg.connect(address)
    await connection.execute(holds)
    before = await read_rows(address, data)

    with pytest.raises(Conflict, match="holds something else"):
        await _move(data, address, clock)

    assert await read_rows(address, data) == before
    assert load_config(data, {}).database == "sqlite:"
    await connection.close()


async def test_the_database_of_another_node_is_left_alone(data: Path, databases: Databases, clock: FrozenClock) -> None:
    async with a_stocked_node(databases, clock) as other:
        theirs = other.core.config.database
        before = await read_rows(theirs, data)

        with pytest.raises(Conflict, match="a node in this PostgreSQL database already"):
            await _move(data, theirs, clock)

        assert await read_rows(theirs, data) == before


async def test_an_address_that_is_none_or_leads_nowhere_is_said(data: Path, clock: FrozenClock, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="--to takes"):
        await _move(data, "mysql://x", clock)
    with pytest.raises(StoreError, match="cannot be reached"):
        await _move(data, f"postgresql://nobody@/x?host={tmp_path}", clock)

    assert load_config(data, {}).database == "sqlite:"


async def test_a_variable_that_goes_before_the_file_is_named(
    data: Path, address: str, clock: FrozenClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ROUNDS_DATABASE", "postgresql:///other")

    with pytest.raises(ConfigError, match="ROUNDS_DATABASE"):
        await _move(data, address, clock)


def test_sums_do_not_depend_on_the_order_and_see_every_value() -> None:
    one, two, three = Sum(), Sum(), Sum()
    for row in ((1, "a"), (2, None)):
        one.add(row)
    for row in ((2, None), (1, "a")):
        two.add(row)
    for row in ((2, ""), (1, "a")):
        three.add(row)

    assert one == two
    assert one != three

"""What every test may ask for: a clock that stands still, and a database of both kinds.

A test that asks for `store`, `database`, `databases` or `database_kind` runs twice, on SQLite and on PostgreSQL. One that can
only be about one of them says so with `@pytest.mark.only_on("sqlite", reason="…")`.
"""

from __future__ import annotations

import gc
import os
import sys
from collections import Counter
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import pytest
import structlog

from node.store.engine import Store
from tests.support.clock import FrozenClock
from tests.support.databases import KINDS, Databases, Spares
from tests.support.memory import a_folder_in_memory
from tests.support.postgres import Cluster, a_cluster, has_programs

_TITLES = {"sqlite": "SQLite", "postgresql": "PostgreSQL"}
_LONG = ("cli", "faults", "scale")
_MISSING = "PostgreSQL is not installed: run `sudo apt-get install postgresql`."


def pytest_configure(config: pytest.Config) -> None:
    """Name our markers."""
    config.addinivalue_line("markers", "only_on(kind, reason): a test that can only be about one kind of database")
    config.addinivalue_line(
        "markers", "long_on(kind): on this kind of database the test runs when asked for, by -m long"
    )


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Let the long tests begin first, so that nobody waits for one of them at the end; the rest stay in random order.

    With several workers each begins with an equal part of the list. The browser is for the first of them alone.
    Tests that take minutes run when asked for: `-m long`.
    """
    if "long" not in config.option.markexpr:
        config.hook.pytest_deselected(items=[item for item in items if item.get_closest_marker("long")])
        items[:] = [item for item in items if not item.get_closest_marker("long")]
    workers = int(getattr(config, "workerinput", {}).get("workercount", 1))
    browser, others, rest = [], [], []
    for item in items:
        folder = item.path.parent.name
        (browser if folder == "browser" else others if folder in _LONG else rest).append(item)
    place = len(items) // workers - len(browser) if workers > 1 else 0
    items[:] = [*browser, *rest[: max(place, 0)], *others, *rest[max(place, 0) :]]


def pytest_collection_finish() -> None:
    """Take what collecting made out of the sight of the garbage collector: it is there until the end."""
    gc.collect()
    gc.freeze()


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Run every test that touches a database on both kinds."""
    if "database_kind" not in metafunc.fixturenames:
        return
    only = metafunc.definition.get_closest_marker("only_on")
    kinds = (only.args[0],) if only else KINDS
    late = metafunc.definition.get_closest_marker("long_on")
    marked = [pytest.param(kind, marks=[pytest.mark.long] if late and kind in late.args else []) for kind in kinds]
    metafunc.parametrize("database_kind", marked, indirect=True, ids=kinds)


def pytest_terminal_summary(terminalreporter: Any) -> None:
    """Say how many tests ran on each kind of database."""
    ran: Counter[str] = Counter()
    for outcome in ("passed", "failed"):
        for report in terminalreporter.stats.get(outcome, ()):
            if report.when == "call":
                ran.update(value for name, value in report.user_properties if name == "database")
    if ran:
        terminalreporter.write_line("Tests " + ", ".join(f"on {_TITLES[kind]}: {ran[kind]}" for kind in KINDS))


@pytest.fixture(autouse=True)
def _logs_of_its_own() -> Iterator[None]:
    """Forget where a test sent the logs: its stream is closed when the next one begins."""
    yield
    structlog.reset_defaults()


@pytest.fixture(autouse=True)
def _whole_answers_to_apps() -> Iterator[None]:
    """Fail whoever met an answer to an app that lacks something that an app cannot do without."""
    yield
    if (module := sys.modules.get("tests.support.api_watch")) is not None:
        faults = module.watch_applications().take()
        assert faults == [], "see docs/reference/openapi.json and tests/api/schemas"


@pytest.fixture
def clock() -> FrozenClock:
    """Give a clock that stands at noon until the test moves it."""
    return FrozenClock()


@pytest.fixture
def database_kind(request: pytest.FixtureRequest) -> str:
    """Give the kind of database that the test runs on: "sqlite" or "postgresql"."""
    request.node.user_properties.append(("database", request.param))
    return str(request.param)


@pytest.fixture(scope="session")
def cluster() -> Iterator[Cluster]:
    """Give the PostgreSQL server of this process, started when the first test needs it."""
    if not has_programs():
        if os.environ.get("ROUNDS_TEST_ALLOW_SKIP") == "1":
            pytest.skip(_MISSING)
        pytest.fail(_MISSING, pytrace=False)
    with a_cluster() as running:
        yield running


@pytest.fixture(scope="session")
def spares(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Spares]:
    """Give the databases that tests of this session hand on; whoever opens a node asks for one, so nodes share more."""
    # These import the whole node, which most tests do without.
    from tests.support.api_watch import watch_applications
    from tests.support.made_once import make_once

    make_once()
    watch_applications()
    made = Spares(tmp_path_factory.mktemp("spares"))
    yield made
    made.restorer.close()


@pytest.fixture
def server(database_kind: str, request: pytest.FixtureRequest) -> Cluster | None:
    """Give the PostgreSQL server, or None when the test runs on SQLite."""
    return request.getfixturevalue("cluster") if database_kind == "postgresql" else None


@pytest.fixture
def data_folder(tmp_path: Path) -> Iterator[Path]:
    """Give the folder for the data directories of a test's nodes: in memory, where there is room for them."""
    with a_folder_in_memory(tmp_path) as folder:
        yield folder


@pytest.fixture
async def databases(
    database_kind: str, server: Cluster | None, spares: Spares, data_folder: Path
) -> AsyncIterator[Databases]:
    """Give a maker of databases: one for each node that the test starts."""
    made = Databases(database_kind, spares, data_folder, server)
    yield made
    await made.give_back()


@pytest.fixture
async def database(databases: Databases) -> str:
    """Give the address of a database without rows, for a whole node; `databases.new_address()` gives one more."""
    return await databases.new_address()


@pytest.fixture
async def store(databases: Databases, clock: FrozenClock) -> Store:
    """Give an open store with every table, on the frozen clock."""
    return await databases.new_store(clock)

"""Every statement is understood by both databases, and none reads a large table from end to end."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from functools import partial
from typing import Any

import asyncpg
import pytest

from node.store.engine import Store
from node.store.migrate import list_migrations
from node.store.postgres import SETTINGS
from node.store.sqlite import SqliteStore
from node.store.statements import Plan
from tests.support.crowd import GROUPS, fill_with_a_crowd
from tests.support.databases import Databases
from tests.support.statement_list import list_statements

STATEMENTS = list_statements()
_LARGE = re.compile(
    r"\b(?:FROM|JOIN|UPDATE|INTO) (posts|log_entries|activities|stream_entries)\b(?: (?!WHERE|SET|ORDER)(\w+))?"
)
# Each with the reason why it may read a whole large table.
MAY_SCAN = {
    "objects._COUNT": "`status` counts; nobody waits for it",
    "activities._COUNT": "`status` counts; nobody waits for it",
    "backups._NEWEST_POST": "it walks the index of the key from its end, and takes one",
    "streams._CANCEL": "an author withdraws a message; the table holds only what is still on its way",
    "streams._REPLACE": "an author edits a message; the table holds only what is still on its way",
    "strays._CANCEL_STREAMS": "a group ends here; the table holds only what is still on its way",
    "submissions._IN_STREAM": "a submission is sent again; the table holds only what is still on its way",
}
# What pages, clients and peers wait for: they may touch so many rows of a large table, and no more.
HOT = (
    "objects._BY_ID", "objects._BY_URI", "objects._LOG_OF_GROUP", "objects._WAITING_OF_GROUP", "objects._TOPIC_IDS",
    "objects._OLDEST_TOPIC_IDS", "objects._THREAD", "objects._MESSAGES", "objects._PEOPLE", "objects._REPLIES", "logs._AFTER",
    "logs._NEWEST", "logs._ONE", "logs._CHAIN", "logs._BY_ACTIVITY", "logs._FIND",
    "threads._ACTIVE", "threads._PINNED", "threads._PAGE", "threads._PAGE_BEFORE", "threads._COUNT_UP_TO",
    "threads._FIRST_UNREAD", "progress._UNREAD", "progress._COUNTS", "quotes._BY_TOKENS",
    "announcements._NEW", "announcements._SINCE", "browsing._OF_GROUP",
)  # fmt: skip
_QUIET_GROUP = GROUPS[-1]
_VALUES: dict[str, Any] = {
    "viewer_id": 1, "group_id": _QUIET_GROUP, "post_id": 5000, "uri": "https://home.example/posts/5000", "after_seq": 0,
    "before_id": 2**62, "after_id": 0, "root_id": 5000, "post_ids": [5000, 5001], "after": 0, "last": 2**62, "seq": 3,
    "activity_uri": "https://home.example/activities/5000", "mark_id": 0, "root_ids": [5000, 5001],
    "tokens": ["x"], "viewer_ids": [1, 2, 3], "up_to_seq": 50, "topics_only": 1, "media_only": 0, "from_here": -1,
}  # fmt: skip
# Who was there from the beginning, and who came to the largest group when all but its last posts had been written.
_VIEWERS = {"old hand": {}, "latecomer": {"viewer_id": 2, "group_id": GROUPS[0]}}
# PostgreSQL may read what all groups got since a latecomer came, and pick theirs: more than it needs, never more than that.
_SINCE_THEY_CAME = {"latecomer": {"objects._TOPIC_IDS", "objects._OLDEST_TOPIC_IDS", "browsing._OF_GROUP"}}
_BY_TYPE: dict[str, Any] = {"int8": 1, "int4": 1, "int2": 0, "text": "x", "int8[]": [1], "text[]": ["x"]}


@pytest.fixture
async def connection(databases: Databases) -> Any:
    address, _ = await databases.new_data()
    opened = await asyncpg.connect(address, server_settings=SETTINGS)
    yield opened
    await opened.close()


@pytest.mark.only_on("postgresql", reason="PostgreSQL infers types, and refuses what it cannot infer")
async def test_postgresql_knows_the_type_of_every_value(connection: Any) -> None:
    wrong = {}
    for name, sql in STATEMENTS.items():
        plan = Plan(sql, "postgresql")
        try:
            types = [found.name for found in (await connection.prepare(plan.sql)).get_parameters()]
        except asyncpg.PostgresError as error:
            wrong[name] = str(error)
            continue
        misread = [pair for pair in zip(plan.names, types, strict=True) if pair[1] != _wanted_type(*pair)]
        if misread:
            wrong[name] = str(misread)

    assert wrong == {}


@pytest.mark.only_on("postgresql", reason="its plans are read in its own words")
async def test_postgresql_explains_every_statement(connection: Any) -> None:
    explained = 0
    for sql in STATEMENTS.values():
        prepared = await connection.prepare(Plan(sql, "postgresql").sql)
        plan = await prepared.explain(*[_BY_TYPE[found.name] for found in prepared.get_parameters()])
        explained += bool(plan)

    assert explained == len(STATEMENTS) > 150


@pytest.mark.only_on("sqlite", reason="its plans are read in its own words")
async def test_sqlite_explains_every_statement_and_scans_no_large_table(store: Store) -> None:
    partial = {statement.split()[2] for statement in _schema() if " WHERE " in statement}
    scans = {}
    for name, sql in STATEMENTS.items():
        details = await _explain_on_sqlite(store, Plan(sql, "sqlite"))
        assert details or sql.startswith("INSERT"), name
        large = {word for found in _LARGE.findall(sql) for word in found}
        found = [detail for detail in details if detail.startswith("SCAN ") and detail.split()[1] in large]
        if name not in MAY_SCAN and not all(detail.split()[-1] in partial for detail in found):
            scans[name] = found

    assert scans == {}


@pytest.mark.only_on("postgresql", reason="the same on SQLite is the test above and the one below")
async def test_postgresql_scans_no_large_table_once_it_is_large(connection: Any) -> None:
    await fill_with_a_crowd(connection.execute)
    await connection.execute("ANALYZE")
    scans = {}
    for name, sql in STATEMENTS.items():
        prepared = await connection.prepare(Plan(sql, "postgresql").sql)
        plan = await prepared.explain(*[_BY_TYPE[found.name] for found in prepared.get_parameters()])
        found = [node for node in _nodes(plan) if node["Node Type"].endswith("Seq Scan")]
        large = [node["Relation Name"] for node in found if node["Relation Name"] in {"posts", "log_entries"}]
        if large and name not in MAY_SCAN:
            scans[name] = large

    assert scans == {}


@pytest.mark.only_on("postgresql", reason="the same on SQLite is the test below")
@pytest.mark.parametrize("viewer", _VIEWERS)
async def test_postgresql_touches_few_rows_in_hot_statements(connection: Any, viewer: str) -> None:
    await fill_with_a_crowd(connection.execute)
    await connection.execute("ANALYZE")
    values = _VALUES | _VIEWERS[viewer]
    touched = {}
    for name in HOT:
        plan = Plan(STATEMENTS[name], "postgresql")
        prepared = await connection.prepare(plan.sql)
        explained = await prepared.explain(*[values[value] for value in plan.names], analyze=True)
        touched[name] = sum(
            (node["Actual Rows"] + node.get("Rows Removed by Filter", 0)) * node["Actual Loops"]
            for node in _nodes(explained)
            if node.get("Relation Name") in {"posts", "log_entries", "post_people", "threads"}
        )

    since = _SINCE_THEY_CAME.get(viewer, set())
    written_since = await connection.fetchval("SELECT COUNT(*) FROM posts WHERE post_id > 997 * 30")
    assert {name: rows for name, rows in touched.items() if rows > (written_since + 50 if name in since else 250)} == {}


@pytest.mark.only_on("sqlite", reason="the same on PostgreSQL is the test above")
@pytest.mark.parametrize("viewer", _VIEWERS)
async def test_sqlite_takes_few_steps_in_hot_statements(store: Store, viewer: str) -> None:
    assert isinstance(store, SqliteStore)
    values = _VALUES | _VIEWERS[viewer]
    writer = store._writer.connection
    await fill_with_a_crowd(writer.execute)
    steps = {}
    for name in HOT:
        plan = Plan(STATEMENTS[name], "sqlite")
        hundreds: list[None] = []
        await writer.set_progress_handler(partial(hundreds.append, None), 100)
        await writer.execute_fetchall(plan.sql, dict(zip(plan.names, plan.bind(values), strict=True)))
        steps[name] = 100 * len(hundreds)

    assert {name: taken for name, taken in steps.items() if taken > 20_000} == {}


def _schema() -> list[str]:
    """Return every statement of the schema; an index over some rows only ends in WHERE, and is as small as they are few."""
    return [statement for migration in list_migrations() for statement in migration.statements]


def _wanted_type(name: str, found: str) -> str:
    if name.endswith("_at"):
        return "int8"
    if name.startswith("is_"):
        return "int2"
    if name.endswith("_json"):
        return "text"
    return "int8" if found == "int4" else found  # an integer that nobody CAST may be taken for a small one


async def _explain_on_sqlite(store: Store, plan: Plan) -> list[str]:
    assert isinstance(store, SqliteStore)
    nothing: dict[str, Any] = dict.fromkeys(plan.names)
    rows = await store._writer.connection.execute_fetchall("EXPLAIN QUERY PLAN " + plan.sql, nothing)
    return [row[3] for row in rows]


def _nodes(plan: Any) -> Iterator[dict[str, Any]]:
    """Yield every node of a plan as PostgreSQL gives it in JSON."""
    if isinstance(plan, str):
        plan = json.loads(plan)
    for root in plan if isinstance(plan, list) else [plan]:
        node = root.get("Plan", root)
        yield node
        for inner in node.get("Plans", ()):
            yield from _nodes(inner)

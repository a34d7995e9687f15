"""How values go into the store and come out: the name says the type, on both databases alike."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from node.store.engine import Store, Tx
from node.store.statements import Plan
from tests.support.builders import a_group, a_member

_INSERT = """INSERT INTO one_time_links (token_hash, purpose, actor_id, detail_json, created_at, expires_at, used_at)
  VALUES (:token_hash, :purpose, :actor_id, :detail_json, :created_at, :expires_at, :used_at)
  ON CONFLICT (token_hash) DO UPDATE SET purpose = excluded.purpose, actor_id = excluded.actor_id,
   detail_json = excluded.detail_json, created_at = excluded.created_at, used_at = excluded.used_at"""
_SELECT = """SELECT purpose, actor_id, detail_json, created_at, expires_at, used_at FROM one_time_links
  WHERE token_hash = :token_hash"""
_SEARCHABLE = "SELECT is_searchable FROM members WHERE actor_id = :actor_id"
_STORED = "SELECT is_searchable AS stored, created_at AS since FROM members WHERE actor_id = :actor_id"
_CLASS = "SELECT handle, class FROM members WHERE actor_id = :actor_id"
_OF_NUMBERS = "SELECT handle FROM members WHERE actor_id IN :actor_ids ORDER BY handle"
_OF_WORDS = "SELECT handle FROM members WHERE handle IN :handles ORDER BY handle"
_NOT_OF = "SELECT handle FROM members WHERE NOT (handle IN :handles) AND actor_id IN :actor_ids ORDER BY handle"
_TAKE = "UPDATE groups SET version = version + 1 WHERE group_id = :group_id RETURNING version, is_hidden"

# What PostgreSQL can keep in a text: everything but NUL and halves of characters, which `foundation.text` takes out.
_texts = st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]))
_whole = st.integers(-(2**63), 2**63 - 1)
_instants = st.datetimes(datetime(1900, 1, 1), datetime(2300, 1, 1), timezones=st.just(UTC))
_json = st.recursive(
    st.none() | st.booleans() | _whole | _texts,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(_texts, inner, max_size=3),
    max_leaves=8,
)


async def _keep(tx: Tx, /, **values: Any) -> Any:
    usual: dict[str, Any] = {
        "purpose": "",
        "actor_id": None,
        "detail_json": {},
        "created_at": tx.now,
        "expires_at": tx.now,
    }
    await tx.run(_INSERT, **{"token_hash": "t", "used_at": None, **usual, **values})
    return await tx.one(_SELECT, token_hash="t")


@given(text=_texts, number=st.none() | _whole, document=_json, instant=_instants, perhaps=st.none() | _instants)
@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
async def test_what_goes_in_comes_out(
    store: Store, text: str, number: int | None, document: Any, instant: datetime, perhaps: datetime | None
) -> None:
    document = {"document": document}

    kept = await store.write(
        _keep, purpose=text, actor_id=number, detail_json=document, created_at=instant, used_at=perhaps
    )

    assert (kept.purpose, kept.actor_id, kept.detail_json) == (text, number, document)
    assert (kept.created_at, kept.used_at) == (instant, perhaps)


async def test_an_instant_of_another_zone_is_the_same_instant_in_utc(store: Store) -> None:
    berlin = datetime(2026, 11, 21, 13, 0, 0, 250_000, tzinfo=timezone(timedelta(hours=1)))

    kept = await store.write(_keep, created_at=berlin)

    assert kept.created_at == berlin
    assert kept.created_at.tzinfo is UTC


@pytest.mark.parametrize("naive", [datetime(2026, 11, 21, 12, 0), 1.5, b"bytes", object()])
async def test_a_value_that_has_no_place_in_the_store_is_refused(store: Store, naive: object) -> None:
    with pytest.raises(TypeError):
        await store.write(_keep, created_at=naive)


async def test_a_statement_names_the_value_that_is_missing(store: Store) -> None:
    async def ask_without(tx: Tx) -> None:
        await tx.one(_SELECT)

    with pytest.raises(TypeError, match=":token_hash"):
        await store.read(ask_without)


@pytest.mark.parametrize("is_searchable", [True, False])
async def test_a_bool_is_one_or_zero_in_the_table_and_a_bool_outside(store: Store, is_searchable: bool) -> None:
    ana = await store.write(a_member, "ana", is_searchable=is_searchable)

    async def look(tx: Tx) -> tuple[Any, Any]:
        return await tx.value(_SEARCHABLE, actor_id=ana.actor_id), await tx.one(_STORED, actor_id=ana.actor_id)

    searchable, stored = await store.read(look)

    assert searchable is is_searchable
    assert (stored.stored, type(stored.stored)) == (int(is_searchable), int)
    assert type(stored.since) is int


async def test_a_column_with_a_name_that_python_keeps_for_itself_is_reached_by_place(store: Store) -> None:
    ana = await store.write(a_member, "ana")

    async def look(tx: Tx) -> Any:
        return await tx.one(_CLASS, actor_id=ana.actor_id)

    row = await store.read(look)

    assert (row.handle, row[1]) == ("ana", "physician")


async def test_lists_of_numbers_and_words_find_those_named(store: Store) -> None:
    ana, ben, eva = [await store.write(a_member, handle) for handle in ("ana", "ben", "eva")]

    async def look(tx: Tx) -> list[list[str]]:
        found = [
            await tx.all(_OF_NUMBERS, actor_ids=[ana.actor_id, eva.actor_id, 999]),
            await tx.all(_OF_WORDS, handles=["ben", "o'hara", ""]),
            await tx.all(_NOT_OF, handles=["ben"], actor_ids=[ana.actor_id, ben.actor_id]),
        ]
        return [[row.handle for row in rows] for rows in found]

    assert await store.read(look) == [["ana", "eva"], ["ben"], ["ana"]]


async def test_an_empty_list_finds_nobody_and_excludes_nobody(store: Store) -> None:
    ana = await store.write(a_member, "ana")

    async def look(tx: Tx) -> tuple[list[Any], list[Any]]:
        nobody = await tx.all(_OF_NUMBERS, actor_ids=[])
        return nobody, await tx.all(_NOT_OF, handles=[], actor_ids=[ana.actor_id])

    nobody, everybody = await store.read(look)

    assert (nobody, [row.handle for row in everybody]) == ([], ["ana"])


async def test_a_list_of_ten_thousand_is_one_parameter(store: Store) -> None:
    ana = await store.write(a_member, "ana")

    async def look(tx: Tx) -> list[Any]:
        return await tx.all(_OF_NUMBERS, actor_ids=list(range(10_000)))

    assert [row.handle for row in await store.read(look)] == [ana.handle]


async def test_what_an_update_returns_is_converted_too(store: Store) -> None:
    ward = await store.write(a_group, "ward", is_hidden=True)

    async def take(tx: Tx) -> Any:
        return await tx.one(_TAKE, group_id=ward.group_id)

    row = await store.write(take)

    assert (row.version, row.is_hidden) == (2, True)


def test_a_name_that_stands_twice_is_one_parameter(database_kind: str) -> None:
    plan = Plan("SELECT 1 FROM t WHERE a = :x AND b IN :ys AND c = :x", database_kind)

    assert plan.names == ("x", "ys")
    assert plan.sql.count("?") == 0
    if database_kind == "postgresql":
        assert plan.sql == "SELECT 1 FROM t WHERE a = $1 AND b = ANY($2) AND c = $1"


def test_a_cast_is_not_mistaken_for_a_name(database_kind: str) -> None:
    assert Plan("SELECT a::text FROM t WHERE b = :b", database_kind).names == ("b",)

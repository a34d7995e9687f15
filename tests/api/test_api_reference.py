"""`docs/reference/openapi.json` says what the routes are: nothing more, and nothing less."""

from __future__ import annotations

import json
import re
from collections.abc import AsyncIterator
from typing import Any

import pytest

from node.domain.scopes import KNOWN
from tests.support.clock import FrozenClock
from tests.support.databases import Databases
from tests.support.lone_house import LoneHouse, a_lone_house
from tools.openapi import REFERENCE, SCHEMAS, list_routes, read_descriptions, read_schemas, render

pytestmark = pytest.mark.only_on("sqlite", reason="routes do not depend on the database")


@pytest.fixture
async def lone(databases: Databases, clock: FrozenClock) -> AsyncIterator[LoneHouse]:
    async with a_lone_house(databases, clock) as made:
        yield made


async def test_every_route_is_described_and_every_description_has_a_route(lone: LoneHouse) -> None:
    said, _ = read_descriptions()

    routes = {route.key for route in list_routes(lone.app._site)}

    assert routes - set(said) == set(), "describe them in tools/api_routes.toml"
    assert set(said) - routes == set()


async def test_the_reference_is_as_written_from_the_routes(lone: LoneHouse) -> None:
    assert REFERENCE.read_text("utf-8") == render(lone.app._site), "run `make reference`"


async def test_a_route_that_needs_no_token_says_so_and_no_other_does(lone: LoneHouse) -> None:
    said, _ = read_descriptions()

    unscoped = {route.key for route in list_routes(lone.app._site) if route.scope is None}

    undecided = {key for key, each in said.items() if each.scope or each.plain}
    assert unscoped == {key for key, each in said.items() if each.open} | undecided
    assert {route.scope for route in list_routes(lone.app._site)} - {None} <= set(KNOWN)


def test_every_parameter_is_used_and_every_one_that_is_used_is_described() -> None:
    said, parameters = read_descriptions()
    used = {name.removesuffix("!") for each in said.values() for name in (*each.query, *each.body)}
    used |= {name for each in parameters.values() for name in each.get("fields", ())}

    assert used - set(parameters) == set()
    assert set(parameters) - used == set()


def test_every_entity_has_a_use_and_every_one_that_is_used_a_schema() -> None:
    said, _ = read_descriptions()
    used = {each.gives.strip("[]{}") for each in said.values()} | {"Error", "Empty"}
    used |= {name for schema in read_schemas().values() for name in _references(schema)}

    assert used - {""} == {path.stem for path in SCHEMAS.glob("*.json")}


def test_the_reference_leads_nowhere_but_to_itself() -> None:
    document = json.loads(REFERENCE.read_text("utf-8"))

    for target in set(re.findall(r'"\$ref": "#/([^"]+)"', REFERENCE.read_text("utf-8"))):
        found: Any = document
        for part in target.split("/"):
            found = found[part]


def _references(schema: Any) -> set[str]:
    if isinstance(schema, list):
        return set().union(*(_references(each) for each in schema))
    if not isinstance(schema, dict):
        return set()
    own = {schema["$ref"]} if isinstance(schema.get("$ref"), str) else set()
    return own.union(*(_references(each) for each in schema.values()))

"""Every route with every kind of requester, generated from the router, against the table of what they must get."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace

import pytest

from tests.routes.asking import ask_as, list_requests, list_routes, route_of
from tests.routes.scene import Scene, a_scene
from tests.routes.table import NODES, PEOPLE, list_rows
from tests.support.clock import FrozenClock
from tests.support.databases import Databases
from tests.support.requesters import shape

pytestmark = pytest.mark.long_on("postgresql")


@pytest.fixture
async def scene(databases: Databases, clock: FrozenClock) -> AsyncIterator[Scene]:
    async with a_scene(databases, clock) as made:
        yield made


async def test_every_route_has_a_row_and_every_row_a_route(scene: Scene) -> None:
    rows = {route_of(name) for name in list_rows()}

    routes = set(list_routes(scene))

    assert rows == routes


@pytest.mark.parametrize("requester", [*PEOPLE, *NODES])
async def test_t22_t23_t26_a_requester_gets_what_the_table_says_and_cannot_tell_private_from_absent(
    scene: Scene, requester: str
) -> None:
    expected, found, unequal = {}, {}, []

    for name, row in list_rows().items():
        things = [shape(await ask_as(scene, requester, request)) for request in list_requests(scene, name)]
        statuses = [str(status) for status, _, _ in things]
        expected[name] = row[requester]
        if "/" in row[requester]:
            found[name] = f"{statuses[0]}/{'/'.join(dict.fromkeys(statuses[1:]))}"
            continue
        found[name] = "/".join(dict.fromkeys(statuses))
        if len(set(things)) > 1:
            unequal.append((name, things))

    assert {name: cell for name, cell in found.items() if cell != expected[name]} == {
        name: cell for name, cell in expected.items() if cell != found[name]
    }
    assert unequal == []


@pytest.mark.parametrize("requester", [*PEOPLE, *NODES])
async def test_t21_nothing_that_was_signed_for_may_be_cached(scene: Scene, requester: str) -> None:
    for name in list_rows():
        for request in list_requests(scene, name):
            if request.method != "GET" or request.path.startswith("/static/"):
                continue

            answer = await ask_as(scene, requester, request)

            assert answer.one("cache-control") == "private, no-store", name
            assert answer.one("vary") == "Accept, Signature, Signature-Input, Authorization", name


@pytest.mark.parametrize("requester", [*PEOPLE, *NODES])
async def test_t22_head_tells_no_more_than_get(scene: Scene, requester: str) -> None:
    for name in list_rows():
        for request in list_requests(scene, name):
            if request.method != "GET":
                continue

            await ask_as(scene, requester, request)  # what was new is read now
            got = await ask_as(scene, requester, request)
            headed = await ask_as(scene, requester, replace(request, method="HEAD"))

            assert shape(headed)[:2] == shape(got)[:2], name

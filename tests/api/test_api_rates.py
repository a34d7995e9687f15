"""How often apps may ask, what they are told of it, and that nobody asks in another's name (T48)."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import timedelta

import pytest

from node.api.rates import Rates
from node.community.members.service import make_token
from tests.support.clock import NOON, FrozenClock
from tests.support.databases import Databases
from tests.support.lone_house import HOST, LoneHouse, a_lone_house
from tests.support.phone import Phone

_LIMIT = 5


@pytest.fixture
async def lone(databases: Databases, clock: FrozenClock) -> AsyncIterator[LoneHouse]:
    """Give a node where five calls are enough."""
    async with a_lone_house(databases, clock, limits={"app_calls": _LIMIT}) as made:
        await made.member("ben")
        yield made


async def _phone(lone: LoneHouse) -> Phone:
    return Phone(lone.app, HOST, await make_token(lone.core, "ben", "read", by="a test"))


async def test_an_app_is_told_how_often_it_may_still_ask(lone: LoneHouse) -> None:
    phone = await _phone(lone)

    headers = [(await phone.get("/api/v1/lists")).headers for _ in range(2)]

    assert [each["x-ratelimit-limit"] for each in headers] == ["5", "5"]
    assert [each["x-ratelimit-remaining"] for each in headers] == ["4", "3"]
    assert {each["x-ratelimit-reset"] for each in headers} == {"2026-11-21T12:05:00.000Z"}


async def test_who_asks_too_often_is_told_when_to_come_back(lone: LoneHouse, clock: FrozenClock) -> None:
    phone, other = await _phone(lone), await _phone(lone)
    for _ in range(_LIMIT):
        assert (await phone.get("/api/v1/lists")).status == 200

    refused = await phone.get("/api/v1/lists")
    clock.advance(int(refused.headers["retry-after"]))
    later = await phone.get("/api/v1/lists")

    assert refused.status == 429
    assert refused.json == {"error": "Too many requests. Please try again in a few minutes."}
    assert refused.headers["x-ratelimit-remaining"] == "0"
    assert 0 < int(refused.headers["retry-after"]) <= 301
    assert (later.status, (await other.get("/api/v1/lists")).status) == (200, 200)


async def test_what_an_app_may_not_and_what_is_absent_count_too(lone: LoneHouse) -> None:
    phone = await _phone(lone)

    for target in ("/api/v1/nothing", "/api/v1/statuses/1", "/api/v1/accounts/1/follow"):
        await phone.send("POST" if target.endswith("follow") else "GET", target)

    assert (await phone.get("/api/v1/lists")).headers["x-ratelimit-remaining"] == "1"


async def test_t48_without_a_token_an_address_is_counted_on_every_open_route(lone: LoneHouse) -> None:
    nobody = Phone(lone.app, HOST)

    replies = [
        await nobody.get("/api/v2/instance"),
        await nobody.post("/api/v1/apps", {}),
        await nobody.post("/oauth/token", {}),
        await nobody.post("/oauth/revoke", {}),
        await Phone(lone.app, HOST, "0" * 43).get("/api/v1/lists"),
    ]
    refused = [
        await nobody.get("/api/v2/instance"),
        await nobody.post("/api/v1/apps", {}),
        await nobody.post("/oauth/token", {}),
        await nobody.post("/oauth/revoke", {}),
        await nobody.get("/.well-known/oauth-authorization-server"),
        await nobody.get("/api/v1/apps/verify_credentials"),
        await nobody.get("/oauth/nothing"),
        await nobody.get("/api/v1/lists"),
    ]

    assert [reply.headers["x-ratelimit-remaining"] for reply in replies] == ["4", "3", "2", "1", "0"]
    assert {reply.status for reply in refused} == {429}
    assert (await (await _phone(lone)).get("/api/v1/lists")).status == 200


@pytest.mark.parametrize("header", ["x_forwarded_for", "forwarded", "x_real_ip"])
async def test_t48_no_header_gives_somebody_another_address(lone: LoneHouse, header: str) -> None:
    nobody = Phone(lone.app, HOST)

    for number in range(_LIMIT):
        await nobody.get("/api/v2/instance", **{header: f"198.51.100.{number}"})

    assert (await nobody.get("/api/v2/instance", **{header: "203.0.113.1"})).status == 429


def test_counting_begins_anew_with_each_window() -> None:
    clock = FrozenClock()
    rates = Rates(clock, 2)

    first = [rates.count("a").remaining for _ in range(3)]
    clock.advance(299)
    same = rates.count("a")
    clock.advance(1)
    next_one = rates.count("a")

    assert first == [1, 0, -1]
    assert (same.remaining, same.reset_at) == (-1, NOON + timedelta(minutes=5))
    assert (next_one.remaining, next_one.reset_at) == (1, NOON + timedelta(minutes=10))


def test_no_flood_of_callers_fills_the_memory() -> None:
    rates = Rates(FrozenClock(), 2)

    for number in range(50_000):
        rates.count(f"address {number}")

    assert len(rates._calls) <= 20_000

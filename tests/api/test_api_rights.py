"""Every route of the client API, asked by everybody; a route without a row here fails.

They ask without a token, with a dead one, with too little scope, as a member without a right to the thing, as one with it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import pytest

from node.community.members.service import suspend_member
from tests.support.app_routes import MORE_ROUTES, OPEN_ROUTES
from tests.support.lone_house import HOST
from tests.support.phone import Phone, Reply
from tests.support.practice import Practice
from tests.support.told_routes import TOLD_ROUTES

_DEAD = "0" * 43


@dataclass(frozen=True, slots=True)
class Route:
    """One route, and how it answers.

    rule: as in the router; `{post}`, `{group}`, `{person}`, `{list}` in `target` are filled by the test.
    scope: what a token needs; "" when the route is open. wrong: scopes that do not suffice.
    outsider: what a member of the node who is not in the group gets.
    """

    method: str
    rule: str
    target: str
    scope: str
    wrong: str = "push"
    outsider: int = 200
    member: int = 200
    form: dict[str, Any] | None = None


ROUTES = (
    Route("GET", "/api/v1/instance", "/api/v1/instance", ""),
    Route("GET", "/api/v2/instance", "/api/v2/instance", ""),
    Route("POST", "/api/v1/apps", "/api/v1/apps", "", member=422, outsider=422),
    Route("GET", "/api/v1/apps/verify_credentials", "/api/v1/apps/verify_credentials", "", member=404, outsider=404),
    Route("GET", "/oauth/authorize", "/oauth/authorize?client_id=x", "", member=400, outsider=400),
    Route("POST", "/oauth/authorize", "/oauth/authorize", "", member=303, outsider=303, form={"decision": "allow"}),
    Route("POST", "/oauth/token", "/oauth/token", "", member=401, outsider=401, form={"grant_type": "x"}),
    Route("POST", "/oauth/revoke", "/oauth/revoke", "", member=400, outsider=400, form={}),
    Route("GET", "/oauth/<rest:rest>", "/oauth/nothing", "", member=404, outsider=404),
    Route("POST", "/oauth/", "/oauth/", "", member=404, outsider=404),
    Route(
        "GET", "/api/v1/accounts/verify_credentials", "/api/v1/accounts/verify_credentials", "read:accounts",
        wrong="write follow read:statuses",
    ),
    Route("GET", "/api/v1/accounts/lookup", "/api/v1/accounts/lookup?acct=ward", "read:accounts", wrong="write"),
    Route(
        "GET", "/api/v1/accounts/relationships", "/api/v1/accounts/relationships?id[]={group}", "read:follows",
        wrong="write read:accounts",
    ),
    Route("GET", "/api/v1/accounts/<account_id>", "/api/v1/accounts/{group}", "read:accounts", wrong="read:lists"),
    Route(
        "POST", "/api/v1/accounts/<account_id>/follow", "/api/v1/accounts/{group}/follow", "write:follows",
        wrong="read write:statuses",
    ),
    Route(
        "POST", "/api/v1/accounts/<account_id>/unfollow", "/api/v1/accounts/{group}/unfollow", "write:follows",
        wrong="read write:statuses",
    ),
    Route("GET", "/api/v1/lists", "/api/v1/lists", "read:lists", wrong="write read:statuses"),
    Route("GET", "/api/v1/timelines/home", "/api/v1/timelines/home", "read:statuses", wrong="write read:lists"),
    Route(
        "GET", "/api/v1/timelines/list/<list_id>", "/api/v1/timelines/list/{list}", "read:lists",
        wrong="write read:statuses", outsider=404,
    ),
    Route(
        "POST", "/api/v1/statuses", "/api/v1/statuses", "write:statuses", wrong="read follow write:follows",
        outsider=422, form={"status": "@ward Hello"},
    ),
    Route(
        "GET", "/api/v1/statuses/<status_id>", "/api/v1/statuses/{post}", "read:statuses", wrong="write read:accounts",
        outsider=404,
    ),
    Route(
        "GET", "/api/v1/statuses/<status_id>/context", "/api/v1/statuses/{post}/context", "read:statuses",
        wrong="write read:accounts", outsider=404,
    ),
    Route(
        "PUT", "/api/v1/statuses/<status_id>", "/api/v1/statuses/{post}", "write:statuses", wrong="read follow",
        outsider=404, form={"status": "@ward Changed"},
    ),
    Route(
        "DELETE", "/api/v1/statuses/<status_id>", "/api/v1/statuses/{post}", "write:statuses", wrong="read follow",
        outsider=404,
    ),
    *(
        Route(
            "POST", f"/api/v1/statuses/<status_id>/{act}", f"/api/v1/statuses/{{post}}/{act}", scope,
            wrong="read write:statuses", outsider=404, member=422 if act == "favourite" else 200,
        )
        for act, scope in (
            ("favourite", "write:favourites"), ("unfavourite", "write:favourites"), ("bookmark", "write:bookmarks"),
            ("unbookmark", "write:bookmarks"), ("mute", "write:mutes"), ("unmute", "write:mutes"),
        )
    ),
    *(
        Route(
            "POST", f"/api/v1/accounts/<account_id>/{act}", f"/api/v1/accounts/{{person}}/{act}", f"write:{what}",
            wrong="read write:follows write:accounts",
        )
        for act, what in (("mute", "mutes"), ("unmute", "mutes"), ("block", "blocks"), ("unblock", "blocks"))
    ),
    *(
        Route("GET", f"/api/v1/{name}", f"/api/v1/{name}", f"read:{name}", wrong="write read:statuses")
        for name in ("favourites", "bookmarks", "mutes", "blocks")
    ),
    *(Route(method, rule, target, scope, **more) for method, rule, target, scope, more in (*MORE_ROUTES, *TOLD_ROUTES)),
    Route("GET", "/api/", "/api/", "", member=404, outsider=404),
    Route("GET", "/api/<rest:rest>", "/api/v1/nothing", "", member=404, outsider=404),
)  # fmt: skip
OPEN = frozenset(
    {"/api/v1/instance", "/api/v2/instance", "/api/v1/apps", "/oauth/authorize", "/oauth/token", "/oauth/revoke",
     "/oauth/", "/oauth/<rest:rest>", *OPEN_ROUTES}
)  # fmt: skip
_CATCH_ALLS = {"/oauth", "/oauth/<rest:rest>", "/api", "/api/<rest:rest>"}
CLOSED = tuple(route for route in ROUTES if route.rule not in OPEN)
SCOPED = tuple(route for route in ROUTES if route.scope)


def _name(route: Route) -> str:
    return f"{route.method} {route.rule}"


@pytest.fixture
async def places(practice: Practice) -> dict[str, str]:
    """Give what the targets name: a post of Ben's, its group, Ana, and the group's list."""
    posted = await practice.say(practice.ben, "@ward Hello")
    group = str(practice.ward.group_id)
    return {"post": posted["id"], "group": group, "person": str(practice.ana.member.actor_id), "list": f"g{group}"}


async def _ask(phone: Phone, route: Route, places: dict[str, str]) -> Reply:
    target = route.target.format(**places)
    if route.form is not None:
        return await (phone.post if route.method == "POST" else phone.put)(target, route.form)
    return await phone.send(route.method, target)


async def test_every_route_of_the_api_stands_in_the_table(practice: Practice) -> None:
    site: Any = practice.lone.app._site

    rules = [rule for rule in site.url_map.iter_rules() if rule.rule.startswith(("/api", "/oauth"))]

    found = {(method, rule.rule.rstrip("/")) for rule in rules for method in rule.methods - {"HEAD", "OPTIONS"}}
    rows = {(route.method, route.rule.rstrip("/")) for route in ROUTES}
    assert {pair for pair in found if pair[1] not in _CATCH_ALLS} == {
        pair for pair in rows if pair[1] not in _CATCH_ALLS
    }
    assert {rule for _, rule in found} == {rule for _, rule in rows}


async def test_without_a_live_token_every_closed_route_answers_401_alike(
    practice: Practice, places: dict[str, str]
) -> None:
    askers = {
        "none": practice.nobody,
        "dead": Phone(practice.lone.app, HOST, _DEAD),
        "empty": Phone(practice.lone.app, HOST, ""),
        "long": Phone(practice.lone.app, HOST, "x" * 5000),
    }

    for route in CLOSED:
        for asker, phone in askers.items():
            reply = await _ask(phone, route, places)
            assert (reply.status, reply.json) == (401, {"error": "The access token is invalid"}), (_name(route), asker)
            assert reply.headers["www-authenticate"].startswith("Bearer")


async def test_what_is_open_needs_no_token(practice: Practice, places: dict[str, str]) -> None:
    for route in ROUTES:
        if route.rule in OPEN:
            assert (await _ask(practice.nobody, route, places)).status == route.member, _name(route)


async def test_an_authorization_that_is_no_bearer_token_is_none(practice: Practice) -> None:
    for header in ("Basic x", "Bearer", "bearer ", "Token {}", "{}", "Bearer {} x", "Bearer\u00a0{}"):
        value = header.format(practice.ben.token)

        assert (await practice.nobody.get("/api/v1/lists", authorization=value)).status == 401, header


async def test_a_token_in_the_address_is_not_read(practice: Practice) -> None:
    assert (await practice.nobody.get(f"/api/v1/lists?access_token={practice.ben.token}")).status == 401


async def test_the_word_bearer_may_be_written_in_any_case(practice: Practice) -> None:
    reply = await practice.nobody.get("/api/v1/lists", authorization=f"bEARER {practice.ben.token}")

    assert reply.status == 200


async def test_a_token_without_the_scope_is_refused_before_anything_is_looked_at(
    practice: Practice, places: dict[str, str]
) -> None:
    for route in SCOPED:
        phone = await practice.phone(practice.ben.member, route.wrong)
        absent = {"post": "2", "group": "2", "person": "2", "list": "g2"}

        for named in (places, absent):
            reply = await _ask(phone, route, named)
            assert reply.status == 403, _name(route)
            assert reply.json == {"error": "This action is outside the authorized scopes"}


async def test_the_scope_alone_or_its_family_lets_a_member_do_it(practice: Practice, places: dict[str, str]) -> None:
    phones = {
        scope: await practice.phone(practice.ben.member, scope)
        for scope in {part for route in SCOPED for part in (route.scope, route.scope.partition(":")[0])}
    }

    is_untouched = False
    for route in SCOPED:
        for scope in (route.scope, route.scope.partition(":")[0]):
            if not is_untouched:  # what the last one has taken away is there again
                await practice.join(practice.ward, practice.ben)
                places["post"] = (await practice.say(practice.ben, "@ward Hello"))["id"]
            is_untouched = route.method == "GET"

            assert (await _ask(phones[scope], route, places)).status == route.member, (_name(route), scope)


async def test_the_old_scope_follow_is_for_joining_muting_and_blocking_and_nothing_else(
    practice: Practice, places: dict[str, str]
) -> None:
    phone = await practice.phone(practice.cy.member, "follow")

    for route in SCOPED:
        is_covered = route.scope.partition(":")[2] in ("follows", "mutes", "blocks")
        expected = route.outsider if is_covered else 403
        assert (await _ask(phone, route, places)).status == expected, _name(route)


async def test_a_member_without_a_right_gets_what_the_table_says(practice: Practice, places: dict[str, str]) -> None:
    for route in ROUTES:
        if route.target.endswith(("follow", "unfollow")):
            continue  # whoever follows is an outsider no more
        assert (await _ask(practice.cy, route, places)).status == route.outsider, _name(route)


@pytest.mark.parametrize("method", ["PUT", "DELETE"])
async def test_nobody_changes_what_somebody_else_wrote(practice: Practice, places: dict[str, str], method: str) -> None:
    route = next(route for route in ROUTES if route.method == method)

    for phone in (practice.ana, practice.cy):
        assert (await _ask(phone, route, places)).status == 404
    assert "Hello" in (await practice.ben.get(f"/api/v1/statuses/{places['post']}")).json["content"]


async def test_a_suspended_members_token_dies_at_once(practice: Practice, places: dict[str, str]) -> None:
    assert (await practice.ben.get("/api/v1/timelines/home")).status == 200

    await suspend_member(practice.lone.core, "ben", by="a test", reason="")

    for route in CLOSED:
        assert (await _ask(practice.ben, route, places)).status == 401, _name(route)

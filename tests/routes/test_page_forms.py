"""Forms of pages, each with its token: where they may come from, and that they tell outsiders nothing either (T22, T58)."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any
from urllib.parse import urlencode

import pytest

from node.federation.message import Answer, Request
from node.views.visitor import csrf_of
from tests.routes.asking import dress, list_requests, route_of
from tests.routes.forms import FORMS, OPERATORS_FORMS
from tests.routes.scene import Scene, a_scene
from tests.routes.table import list_rows
from tests.support.clock import FrozenClock
from tests.support.databases import Databases
from tests.support.lone_house import HOST, ORIGIN
from tests.support.requesters import a_get, ask, shape, with_header

_OUTSIDE = {"other": "otto", "left": "lena", "operator": "ola"}
_FORM = "application/x-www-form-urlencoded"
# What every form could ask for, so that nothing is refused for want of a field.
_FIELDS = {
    "text": "Indeed.", "title": "Nights", "action": "send", "once": "1", "act": "pin", "decision": "approve", "note": "",
    "reason": "night shifts", "confirm": "1", "rule": "1", "person": "moe", "role": "moderator", "handle": "moe",
}  # fmt: skip
# Line ends, zeros, half a character, numbers that are none, and too much of anything.
_ODD = (
    "%00",
    "%0d%0aX:%20y",
    "%ff%fe",
    "%ed%a0%80",
    "%C2%B2",
    "a" * 3000,
    "'%22%3C",
    "@",
    "ward@",
    "@home.example",
    "%2e%2e",
)
_ODD_FIELDS = (
    ("text", "title", "warning", "address", "name", "host", "purpose", "password", "note", "reason"),
    ("session", "group", "once", "to", "token", "handle", "person"),
    ("act", "decision", "role", "rule", "language", "confirm", "assurance"),
)
_ODD_QUERIES = (
    "before=%C2%B2", "before=9999999999999999999", "before=-1", "before=%00", "after=9223372036854775808", "after=1e9",
    "reply=%00", "reply=" + "a" * 3000, "saved=%00",
)  # fmt: skip


@pytest.fixture
async def scene(databases: Databases, clock: FrozenClock) -> AsyncIterator[Scene]:
    async with a_scene(databases, clock) as made:
        yield made


def _form_names(text: str = FORMS + OPERATORS_FORMS) -> list[str]:
    return [line.strip() for line in text.splitlines() if line.strip()]


async def _send(
    scene: Scene, handle: str, target: str, *, fields: dict[str, str] | None = None, **headers: str
) -> Answer:
    """Send a filled form with the right token from the node's own page; headers with `_` for `-`."""
    cookie = scene.cookies[handle]
    given = _FIELDS | {"csrf": csrf_of(cookie.partition("=")[2])} | (fields or {})
    body = urlencode({name: value.encode("utf-8", "surrogatepass") for name, value in given.items()}).encode()
    named = {"host": HOST, "accept": "text/html", "content-type": _FORM, "cookie": cookie, "origin": ORIGIN}
    named |= {name.replace("_", "-"): value for name, value in headers.items()}
    return await ask(scene.app, Request("POST", target, tuple(named.items()), body))


@pytest.mark.parametrize("requester", _OUTSIDE)
async def test_t22_a_form_tells_outsiders_no_more_of_a_hidden_group_than_of_an_absent_one(
    scene: Scene, requester: str
) -> None:
    told = []

    for name in _form_names():
        if "<handle>" not in name or not name.startswith("POST /groups/"):
            continue
        hidden, *absent = list_requests(scene, f"{route_of(name)} (hidden)")
        answers = [await _send(scene, _OUTSIDE[requester], each.target) for each in (hidden, absent[-1])]
        if answers[0].status != 404 or shape(answers[0]) != shape(answers[1]):
            told.append((name, answers))

    assert told == []


async def test_a_members_form_does_nothing_at_the_operators_desk(scene: Scene) -> None:
    answers = {
        shape(await _send(scene, "mia", request.target))
        for name in [*_form_names(OPERATORS_FORMS), "GET /node (nothing)"]
        for request in list_requests(scene, name)
    }

    assert [status for status, _, _ in answers] == [404]


@pytest.mark.parametrize(
    "headers",
    [{"origin": "https://evil.example"}, {"origin": "null"}, {"sec_fetch_site": "cross-site"}, {"sec_fetch_site": "same-site"},
     {"origin": f"{ORIGIN}.evil.example"}, {"origin": ORIGIN.replace("https", "http")}],
    ids=lambda headers: " ".join(f"{name} {value}" for name, value in headers.items()),
)  # fmt: skip
async def test_t58_a_form_from_another_site_is_refused_whatever_it_carries(
    scene: Scene, headers: dict[str, str]
) -> None:
    found = {}

    for name in _form_names():
        found[name] = (await _send(scene, "ola", list_requests(scene, name)[0].target, **headers)).status

    assert set(found.values()) == {403}


async def test_t58_the_token_of_another_session_is_none(scene: Scene) -> None:
    other = csrf_of(scene.cookies["moe"].partition("=")[2])

    for token in (other, "", "é", "a" * 10_000):
        answer = await _send(scene, "mia", "/groups/ward/write", fields={"csrf": token})

        assert answer.status == 403, token[:10]


@pytest.mark.parametrize("requester", ["member", "operator"])
async def test_t48_an_apps_token_opens_no_page(scene: Scene, requester: str) -> None:
    token = scene.tokens[{"member": "mia", "operator": "ola"}[requester]]

    for name, row in list_rows().items():
        if name.startswith("GET ") and row["nobody"] == "303":
            for request in list_requests(scene, name):
                plain = dress(scene, "nobody", request)

                answer = await ask(scene.app, with_header(plain, "authorization", f"Bearer {token}"))

                assert shape(answer) == shape(await ask(scene.app, plain)), name


def _page_rules(scene: Scene, method: str) -> list[str]:
    """Return the paths with something variable in them, from the router."""
    site: Any = scene.app._site
    rules = [rule.rule for rule in site.url_map.iter_rules() if method in rule.methods and "<" in rule.rule]
    return [rule for rule in rules if not rule.startswith(("/api", "/oauth"))]


@pytest.mark.long_on("postgresql")
@pytest.mark.parametrize("handle", ["mia", "ola"])
async def test_no_odd_address_breaks_a_page(scene: Scene, handle: str) -> None:
    broken = []

    for rule in _page_rules(scene, "GET"):
        for odd in _ODD:
            pieces = [odd if piece.startswith("<") else piece for piece in rule.split("/")]
            near = [
                "ward" if piece == "<address>" else odd if piece.startswith("<") else piece for piece in rule.split("/")
            ]
            for target in ("/".join(pieces), "/".join(near)):
                answer = await ask(scene.app, _as(scene, handle, target))
                if answer.status == 500:
                    broken.append(target)

    assert broken == []


@pytest.mark.long_on("postgresql")
@pytest.mark.parametrize("handle", ["mia", "ola"])
async def test_no_odd_query_breaks_a_page(scene: Scene, handle: str) -> None:
    broken = []

    for name, row in list_rows().items():
        if name.startswith("GET ") and row["nobody"] == "303" and "(" not in name:
            for query in _ODD_QUERIES:
                target = f"{list_requests(scene, name)[0].target}?{query}"
                if (await ask(scene.app, _as(scene, handle, target))).status == 500:
                    broken.append(target)

    assert broken == []


@pytest.mark.long_on("postgresql")
@pytest.mark.parametrize("odd", ["\0", "²", "9" * 30, "\ud800"], ids=ascii)
async def test_no_odd_field_breaks_a_form(scene: Scene, odd: str) -> None:
    broken = []

    for name in [*_form_names(), "POST /sign-in", "POST /invitations/<token>"]:
        target = list_requests(scene, name)[0].target
        for handle in ("mia", "ola") if name in _form_names(OPERATORS_FORMS) else ("mia",):
            for fields in _ODD_FIELDS:
                if name == "POST /sign-out":
                    continue  # it ends the session that the next form needs
                answer = await _send(scene, handle, target, fields=dict.fromkeys(fields, odd))
                if answer.status == 500:
                    broken.append((name, fields))

    assert broken == []


def _as(scene: Scene, handle: str, target: str) -> Request:
    request = a_get(target, accept="text/html")
    return with_header(request, "cookie", scene.cookies[handle])

"""Ways around the check that worked elsewhere: other methods, other spellings of a path, forged headers, shared caches."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from dataclasses import replace
from typing import Any

import pytest

from node.community.posts.service import withdraw_post
from node.federation.message import Answer, Request
from tests.routes.asking import ask_as, dress, list_requests
from tests.routes.scene import ABSENT, CANARY, UPLOAD, WARD, Scene, a_scene
from tests.routes.table import list_rows
from tests.support.clock import FrozenClock
from tests.support.databases import Databases
from tests.support.group_life import let_in, put_out
from tests.support.lone_house import HOST
from tests.support.requesters import a_get, ask, shape, with_header

pytestmark = pytest.mark.long_on("postgresql")

# One of each kind: the rest of the table's requesters differ from these in a state only.
_STRANGERS = ("nobody", "robot", "other", "suspended", "ally", "stranger", "forged")
_SOME = (*_STRANGERS, "member", "friend")
_METHODS = ("POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "PROPFIND")
_SPELLINGS = (
    "{0}/", "{0}.json", "{0}.rss", "{0}.atom", "{0}/activity", "{0}?format=json", "{0}?raw=1&page=1", "/{0}", "{0}//",
    "{0}/../{1}", "{0}%2Ejson", "{0};v=1", "{0}/embed", "/api/../{0}", "/static/..{0}", "/static/%2e%2e{0}",
)  # fmt: skip
_FORGED_HEADERS = {
    "x-forwarded-for": "127.0.0.1",
    "forwarded": "for=127.0.0.1;host=friend.example;proto=https",
    "x-real-ip": "127.0.0.1",
    "x-original-url": "/about",
    "x-rewrite-url": "/about",
    "x-http-method-override": "GET",
    "x-forwarded-host": "evil.example",
    "x-forwarded-proto": "http",
    "via": "1.1 home.example",
}


@pytest.fixture
async def scene(databases: Databases, clock: FrozenClock) -> AsyncIterator[Scene]:
    async with a_scene(databases, clock) as made:
        yield made


def _pairs(scene: Scene) -> list[tuple[str, Request, Request]]:
    """Return every route of what peers read, with the requests for what exists and for what does not."""
    return [
        (name, *requests[:2])  # type: ignore[misc]
        for name, row in list_rows().items()
        if name.startswith("GET ")
        and row["stranger"] == "404"
        and "(" not in name
        and len(requests := list_requests(scene, name)) > 1
    ]


def _spelled(request: Request, spelling: str) -> Request:
    return replace(request, target=spelling.format(request.target, request.target.rpartition("/")[2]))


def _still(answer: Answer) -> tuple[Any, ...]:
    """Return the shape of an answer, without the number that each form gets anew."""
    status, headers, body = shape(answer)
    return status, headers, re.sub(rb'name="once" value="\w+"', b"", body)


def _is_harmless(answer: Answer) -> bool:
    if answer.status == 200:  # what OPTIONS says of a route, whoever asks
        return answer.body == b"" and answer.one("allow") is not None
    return answer.status in (303, 400, 401, 403, 404, 405, 503) and CANARY.encode() not in answer.body


@pytest.mark.parametrize("requester", _STRANGERS)
async def test_t22_no_spelling_of_a_path_gets_around_the_check(scene: Scene, requester: str) -> None:
    told = []

    for name, existing, absent in _pairs(scene):
        if "/" in list_rows()[name][requester]:
            continue
        for spelling in _SPELLINGS:
            answers = [await ask_as(scene, requester, _spelled(thing, spelling)) for thing in (existing, absent)]
            if not _is_harmless(answers[0]) or shape(answers[0]) != shape(answers[1]):
                told.append((name, spelling, answers))

    assert told == []


@pytest.mark.parametrize("requester", _SOME)
async def test_t22_no_other_method_tells_private_from_absent(scene: Scene, requester: str) -> None:
    told = []

    for name, existing, absent in _pairs(scene):
        for method in _METHODS:
            answers = [await ask_as(scene, requester, replace(thing, method=method)) for thing in (existing, absent)]
            if not _is_harmless(answers[0]) or shape(answers[0]) != shape(answers[1]):
                told.append((name, method, answers))

    assert told == []


@pytest.mark.parametrize("requester", _SOME)
async def test_t48_t58_no_forged_header_changes_an_answer(scene: Scene, requester: str) -> None:
    for name in list_rows():
        if "/api/" in name and not name.startswith("GET"):
            continue  # what makes something new makes it twice
        for request in list_requests(scene, name):
            plain = dress(scene, requester, request)
            forged = replace(plain, headers=(*plain.headers, *_FORGED_HEADERS.items()))

            assert _still(await ask(scene.app, forged)) == _still(await ask(scene.app, plain)), name


async def test_t48_the_address_of_the_caller_opens_nothing(scene: Scene) -> None:
    request = a_get(f"/posts/{scene.post}")

    answer = await ask(scene.app, request, client=("127.0.0.1", 1))

    assert answer.status == 401


@pytest.mark.parametrize("host", ["evil.example", "home.example:8443", "home.example.", "127.0.0.1"])
async def test_t58_another_host_header_stands_in_no_answer(scene: Scene, host: str) -> None:
    for name in list_rows():
        for request in list_requests(scene, name):
            if request.method != "GET" or host in request.target:
                continue

            answer = await ask(scene.app, with_header(dress(scene, "nobody", request), "host", host))

            assert host.encode() not in answer.body.replace(HOST.encode(), b""), name
            assert all(host not in value for header, value in answer.headers if header != "content-length"), name


async def test_t07_t58_a_signature_under_another_host_header_is_refused(scene: Scene) -> None:
    fay, now = scene.people["friend"], scene.lone.clock.now()

    answers = [
        await ask(scene.app, fay.sign(a_get("/groups/ward", host=host), now))
        for host in ("evil.example", "home.example:443", "home.example:8443", "xn--hme-8na.example")
    ]

    assert [answer.status for answer in answers] == [401, 401, 401, 401]


async def test_t21_an_answer_to_one_is_never_given_to_another(scene: Scene) -> None:
    targets = ("/groups/circle", f"/posts/{scene.post}", f"/media/{scene.media}", "/groups/ward/log", "/people/mia")

    before = {target: await ask_as(scene, "ally", a_get(target)) for target in targets}
    for target in targets:
        assert (await ask_as(scene, "friend", a_get(target))).status == 200
    after = {target: await ask_as(scene, "ally", a_get(target)) for target in targets}

    assert {target: answer.status for target, answer in before.items()} == dict.fromkeys(targets, 404)
    assert {target: shape(answer) for target, answer in after.items()} == {t: shape(a) for t, a in before.items()}


async def test_t24_a_picture_goes_with_the_right_to_it(scene: Scene) -> None:
    request = a_get(f"/media/{scene.media}")
    absent = shape(await ask_as(scene, "friend", a_get(f"/media/{ABSENT}")))

    first = await ask_as(scene, "friend", request)
    await put_out(scene.lone, scene.ward, scene.actors["friend"])
    removed = await ask_as(scene, "friend", request)

    assert (first.status, first.one("content-type"), first.one("x-content-type-options")) == (
        200,
        "image/png",
        "nosniff",
    )
    assert shape(removed) == absent


async def test_t24_a_picture_goes_with_its_post(scene: Scene) -> None:
    lone, request = scene.lone, a_get(f"/media/{scene.media}")
    absent = shape(await ask_as(scene, "friend", a_get(f"/media/{ABSENT}")))

    await withdraw_post(lone.core, lone.house.tables, author=scene.members["mia"], post_id=scene.post_id)

    assert shape(await ask_as(scene, "friend", request)) == absent
    assert [path.read_bytes() for path in (lone.core.data / "media").rglob("*") if path.is_file()] == [UPLOAD]


async def test_t15_whoever_left_reads_nothing_more_and_whoever_comes_back_reads_again(scene: Scene) -> None:
    targets = (f"/posts/{scene.post}", "/groups/ward/log", f"/groups/ward/log/{scene.seq}", "/groups/ward/outbox")

    await put_out(scene.lone, scene.ward, scene.actors["friend"])
    outside = [(await ask_as(scene, "friend", a_get(target))).status for target in targets]
    await let_in(scene.lone, scene.ward, scene.actors["friend"], scene.peers["friend"])
    inside = [(await ask_as(scene, "friend", a_get(target))).status for target in targets]

    assert outside == [404] * len(targets)
    assert inside == [200] * len(targets)


@pytest.mark.parametrize(
    "target",
    ["/metrics", "/debug", "/console", "/health?verbose=1", "/.env", "/rounds.toml", "/openapi.json", "/admin"],
)
async def test_t60_nothing_about_the_inside_is_served(scene: Scene, target: str) -> None:
    answer = await ask(scene.app, Request("GET", target, (("host", HOST),)))

    assert answer.status in (303, 404) or answer.body.strip() == b'{"alive":true}'
    assert not scene.app._site.debug and not scene.app._site.testing


async def test_t23_what_webfinger_says_of_the_absent_it_says_of_all_private_things(scene: Scene) -> None:
    targets = [f"/.well-known/webfinger?resource=acct:{name}@{HOST}" for name in ("otto", "circle", "nobody", "ola")]
    targets += [f"/.well-known/webfinger?resource={WARD}", "/.well-known/webfinger?resource=", "/.well-known/webfinger"]

    answers = {shape(await ask_as(scene, "ally", a_get(target))) for target in targets}

    assert len(answers) == 1

"""Tokens: for a code that works once, for the app that got it, at the address it was for; and how they end (T54, T55)."""

from __future__ import annotations

import asyncio
import base64
from collections.abc import Awaitable, Callable
from typing import Any

import msgspec
import pytest

from node.community.apps.service import CODE_LIFE, CODE_LIFE_BY_HAND
from node.community.members.service import make_reset_link, set_password_by_link, suspend_member
from node.community.members.tokens import TOKEN_LIFE
from node.domain.apps import OUT_OF_BAND
from node.domain.scopes import KNOWN
from node.store.audit import list_audit
from node.store.engine import Tx
from tests.support.browser_form import Browser
from tests.support.clock import FrozenClock
from tests.support.lone_house import HOST, ORIGIN
from tests.support.phone import Phone, Reply
from tests.support.practice import Practice
from tests.support.some_app import BACK, PKCE, VERIFIER, SomeApp

_ME = "/api/v1/accounts/verify_credentials"
_GRANT = {
    "error": "invalid_grant",
    "error_description": "This code does not work, or not any more. Let the app in again.",
}


@pytest.fixture
async def app(practice: Practice) -> SomeApp:
    """Give an app that has introduced itself."""
    return await SomeApp.introduce(practice.nobody)


@pytest.fixture
async def ben(practice: Practice, app: SomeApp) -> Browser:
    """Give Ben's browser, which hands over to the app."""
    return await Browser(practice.lone, apps=app.addresses).enter("ben")


def _with(practice: Practice, token: str) -> Phone:
    return Phone(practice.lone.app, HOST, token)


async def _is_alive(practice: Practice, token: str) -> bool:
    return (await _with(practice, token).get(_ME)).status == 200


def _is_refused(reply: Reply) -> bool:
    return (reply.status, reply.json) == (400, _GRANT)


async def test_a_code_is_good_for_a_token_with_everything_that_was_asked_for(
    practice: Practice, app: SomeApp, ben: Browser
) -> None:
    answer = await app.ask(ben, state="x y&z")

    reply = await app.redeem(answer["code"])

    assert (answer["state"], answer["iss"]) == ("x y&z", ORIGIN)
    assert reply.status == 200
    assert {name: reply.json[name] for name in ("token_type", "scope")} == {
        "token_type": "Bearer",
        "scope": "read write follow push",
    }
    assert reply.json["created_at"] == int(practice.lone.clock.now().timestamp())
    assert "no-store" in reply.headers["cache-control"]
    assert (await _with(practice, reply.json["access_token"]).get(_ME)).json["username"] == "ben"


async def test_an_app_may_prove_itself_by_basic_and_ask_in_json(practice: Practice, app: SomeApp, ben: Browser) -> None:
    code = (await app.ask(ben))["code"]
    basic = base64.b64encode("{client_id}:{client_secret}".format(**app.proof).encode()).decode()
    body = msgspec.json.encode({"grant_type": "authorization_code", "code": code, "redirect_uri": BACK})

    reply = await practice.nobody.send(
        "POST", "/oauth/token", body=body, content_type="application/json", authorization=f"Basic {basic}"
    )

    assert reply.status == 200, reply.body


async def test_t54_a_code_used_a_second_time_ends_what_it_gave(practice: Practice, app: SomeApp, ben: Browser) -> None:
    code = (await app.ask(ben))["code"]
    token = (await app.redeem(code)).json["access_token"]
    other = await app.sign_in(ben)
    before = await _is_alive(practice, token)

    again = await app.redeem(code)

    assert before and _is_refused(again)
    assert not await _is_alive(practice, token)
    assert await _is_alive(practice, other)
    last = (await practice.lone.core.store.read(list_audit))[-1]
    assert (last.action, last.target, last.reason) == ("app.end", "ben", "its code was used twice")


async def test_t54_of_two_uses_at_once_none_leaves_a_token_behind(
    practice: Practice, app: SomeApp, ben: Browser
) -> None:
    code = (await app.ask(ben))["code"]

    replies = await asyncio.gather(*(app.redeem(code) for _ in range(4)))

    given = [reply.json["access_token"] for reply in replies if reply.status == 200]
    assert sorted(reply.status for reply in replies) == [200, 400, 400, 400]
    assert not await _is_alive(practice, given[0])


@pytest.mark.parametrize("seconds", [59, 60])
async def test_t54_a_code_lives_for_a_minute(app: SomeApp, ben: Browser, clock: FrozenClock, seconds: int) -> None:
    code = (await app.ask(ben))["code"]

    clock.advance(seconds)
    reply = await app.redeem(code)

    assert CODE_LIFE.total_seconds() == 60
    assert reply.status == 200 if seconds < 60 else _is_refused(reply)


async def test_a_code_that_somebody_copies_lives_for_five(practice: Practice, clock: FrozenClock) -> None:
    app = await SomeApp.introduce(practice.nobody, redirect_uri=OUT_OF_BAND)
    browser = await Browser(practice.lone).enter("ben")
    await app.ask(browser)
    code = _shown_code(browser)

    clock.advance(CODE_LIFE_BY_HAND.total_seconds() - 1)

    assert (await app.redeem(code)).status == 200


async def test_t54_a_copied_code_dies_too(practice: Practice, clock: FrozenClock) -> None:
    app = await SomeApp.introduce(practice.nobody, redirect_uri=OUT_OF_BAND)
    browser = await Browser(practice.lone).enter("ben")
    await app.ask(browser)

    clock.advance(CODE_LIFE_BY_HAND.total_seconds())

    assert _is_refused(await app.redeem(_shown_code(browser)))


def _shown_code(browser: Browser) -> str:
    return browser.text.partition('id="code" value="')[2].partition('"')[0]


@pytest.mark.parametrize(
    "wrong",
    [
        {"redirect_uri": f"{BACK}/"},
        {"redirect_uri": f"{BACK}?x=1"},
        {"redirect_uri": "elephant://Back"},
        {"redirect_uri": OUT_OF_BAND},
        {"code_verifier": VERIFIER},
        {"code_verifier": "short"},
    ],
    ids=str,
)
async def test_t54_a_code_shown_wrongly_is_refused_and_spent(app: SomeApp, ben: Browser, wrong: dict[str, str]) -> None:
    code = (await app.ask(ben))["code"]

    assert _is_refused(await app.redeem(code, **wrong))
    assert _is_refused(await app.redeem(code))


@pytest.mark.parametrize("verifier", [None, "", "short", f"{VERIFIER}x", "é" * 43])
async def test_t54_a_code_with_a_challenge_wants_its_verifier(app: SomeApp, ben: Browser, verifier: str | None) -> None:
    code, second = [(await app.ask(ben, **PKCE))["code"] for _ in range(2)]

    assert _is_refused(await app.redeem(code, code_verifier=verifier))
    assert (await app.redeem(second, code_verifier=VERIFIER)).status == 200


async def test_t54_another_app_gets_nothing_for_a_code_and_it_is_spent(
    practice: Practice, app: SomeApp, ben: Browser
) -> None:
    thief = await SomeApp.introduce(practice.nobody, name="Thief")
    code = (await app.ask(ben))["code"]

    assert _is_refused(await thief.redeem(code))
    assert _is_refused(await app.redeem(code))


@pytest.mark.parametrize(
    "wrong", [{"client_secret": "x"}, {"client_secret": None}, {"client_id": "x"}, {"client_id": "é"}]
)
async def test_t54_an_app_that_cannot_prove_itself_gets_nothing_and_spends_nothing(
    app: SomeApp, ben: Browser, wrong: dict[str, str | None]
) -> None:
    code = (await app.ask(ben))["code"]

    reply = await app.redeem(code, **wrong)

    assert (reply.status, reply.json["error"]) == (401, "invalid_client")
    assert reply.headers["www-authenticate"].startswith("Basic")
    assert (await app.redeem(code)).status == 200


@pytest.mark.parametrize(
    ("form", "error"),
    [
        ({"grant_type": "password", "username": "ben", "password": "x"}, "unsupported_grant_type"),
        ({"grant_type": "refresh_token", "refresh_token": "x"}, "unsupported_grant_type"),
        ({"grant_type": "implicit"}, "unsupported_grant_type"),
        ({}, "unsupported_grant_type"),
        ({"grant_type": "authorization_code"}, "invalid_request"),
        ({"grant_type": "authorization_code", "code": "x"}, "invalid_request"),
        ({"grant_type": "authorization_code", "code": "x\x00", "redirect_uri": BACK}, "invalid_grant"),
        ({"grant_type": "client_credentials", "scope": "admin"}, "invalid_scope"),
    ],
    ids=str,
)
async def test_t54_there_is_no_other_way_to_a_token(app: SomeApp, form: dict[str, str], error: str) -> None:
    reply = await app.phone.post("/oauth/token", {**app.proof, **form})

    assert (reply.status, reply.json["error"]) == (400, error)
    assert reply.json["error_description"]


@pytest.mark.parametrize(
    ("body", "kind"), [(b"{", "application/json"), (b"[]", "application/json"), (b'{"code":{}}', "application/json")]
)
async def test_what_cannot_be_read_is_answered_in_the_words_of_oauth(
    practice: Practice, body: bytes, kind: str
) -> None:
    for path in ("/oauth/token", "/oauth/revoke"):
        reply = await practice.nobody.send("POST", path, body=body, content_type=kind)

        assert reply.status in (400, 401)
        assert reply.json["error"] in ("invalid_request", "invalid_client")


async def test_t54_a_token_that_reads_does_not_write(practice: Practice, app: SomeApp, ben: Browser) -> None:
    phone = _with(practice, await app.sign_in(ben, scope="read"))

    read = await phone.get("/api/v1/timelines/home")
    written = await phone.post("/api/v1/statuses", {"status": "@ward Hello"})

    assert read.status == 200
    assert (written.status, written.json) == (403, {"error": "This action is outside the authorized scopes"})


async def test_t54_a_narrow_token_does_one_thing(practice: Practice, app: SomeApp, ben: Browser) -> None:
    phone = _with(practice, await app.sign_in(ben, scope="read:lists"))

    assert (await phone.get("/api/v1/lists")).status == 200
    assert (await phone.get("/api/v1/timelines/home")).status == 403


async def test_t54_an_app_without_a_member_opens_no_account(practice: Practice, app: SomeApp) -> None:
    own = await practice.nobody.post("/oauth/token", {"grant_type": "client_credentials", "scope": "read", **app.proof})
    phone = _with(practice, own.json["access_token"])

    replies = [await phone.get(path) for path in (_ME, "/api/v1/timelines/home", "/api/v1/nothing")]
    replies.append(await phone.post("/api/v1/statuses", {"status": "@ward Hello"}))

    assert own.json["scope"] == "read"
    assert {(reply.status, reply.body) for reply in replies} == {
        (422, b'{"error":"This method requires an authenticated user"}')
    }
    assert (await phone.get("/api/v2/instance")).status == 200


async def test_only_the_newest_tokens_of_an_app_for_itself_stay(practice: Practice, app: SomeApp) -> None:
    form = {"grant_type": "client_credentials", **app.proof}

    tokens = []
    for _ in range(12):
        tokens.append((await practice.nobody.post("/oauth/token", form)).json["access_token"])
        practice.lone.clock.advance(1)

    path = "/api/v1/apps/verify_credentials"
    assert [(await _with(practice, token).get(path)).status for token in tokens] == [401] * 2 + [200] * 10


async def test_t54_t55_a_token_that_its_app_gives_back_is_dead_at_once(
    practice: Practice, app: SomeApp, ben: Browser
) -> None:
    token, other = await app.sign_in(ben), await app.sign_in(ben)

    reply = await app.revoke(token)

    assert (reply.status, reply.json) == (200, {})
    assert not await _is_alive(practice, token)
    assert await _is_alive(practice, other)
    assert (await app.revoke(token)).status == 200


async def test_a_token_of_an_app_for_itself_can_be_given_back(practice: Practice, app: SomeApp) -> None:
    form = {"grant_type": "client_credentials", **app.proof}
    token = (await practice.nobody.post("/oauth/token", form)).json["access_token"]
    thief = await SomeApp.introduce(practice.nobody, name="Thief")

    stolen, given = await thief.revoke(token), await app.revoke(token)

    assert (stolen.status, given.status) == (403, 200)
    assert (await _with(practice, token).get("/api/v1/apps/verify_credentials")).status == 401


@pytest.mark.parametrize("proof", ["another app's", "a wrong secret", "none"])
async def test_t54_nobody_else_gives_a_token_back(practice: Practice, app: SomeApp, ben: Browser, proof: str) -> None:
    token = await app.sign_in(ben)
    thief = await SomeApp.introduce(practice.nobody, name="Thief")
    given: dict[str, dict[str, str | None]] = {
        "another app's": dict(thief.proof),
        "a wrong secret": {"client_secret": "x"},
        "none": {"client_id": None, "client_secret": None},
    }

    reply = await app.revoke(token, **given[proof])

    assert (reply.status, reply.json["error"]) == (403, "unauthorized_client")
    assert await _is_alive(practice, token)


async def test_a_token_that_the_operator_made_is_given_back_by_whoever_has_it(practice: Practice) -> None:
    reply = await practice.nobody.post("/oauth/revoke", {"token": practice.ben.token})

    assert (reply.status, (await practice.ben.get(_ME)).status) == (200, 401)


async def _suspend(practice: Practice) -> None:
    await suspend_member(practice.lone.core, "ben", by="a test", reason="")


async def _reset(practice: Practice) -> None:
    core = practice.lone.core
    await set_password_by_link(
        core, (await make_reset_link(core, "ben", by="a test")).rpartition("/")[2], "a new horse"
    )


@pytest.mark.parametrize("end", [_suspend, _reset], ids=["a suspension", "a new password"])
async def test_t55_what_ends_tokens_ends_codes_on_their_way(
    practice: Practice, app: SomeApp, ben: Browser, end: Callable[[Practice], Awaitable[None]]
) -> None:
    token, code = await app.sign_in(ben), (await app.ask(ben))["code"]

    await end(practice)

    assert not await _is_alive(practice, token)
    assert _is_refused(await app.redeem(code))


async def test_t55_a_token_that_nobody_uses_for_half_a_year_ends(
    practice: Practice, app: SomeApp, ben: Browser, clock: FrozenClock
) -> None:
    used, unused = await app.sign_in(ben), await app.sign_in(ben)

    clock.advance(TOKEN_LIFE.total_seconds() / 2)
    await _is_alive(practice, used)
    clock.advance(TOKEN_LIFE.total_seconds() / 2 + 1)

    assert await _is_alive(practice, used)
    assert not await _is_alive(practice, unused)


async def test_t28_t54_of_codes_and_tokens_nothing_is_kept_that_could_be_used(
    practice: Practice, app: SomeApp, ben: Browser
) -> None:
    code = (await app.ask(ben))["code"]
    token = (await app.redeem(code)).json["access_token"]
    open_code = (await app.ask(ben))["code"]

    kept = str(await practice.lone.core.store.read(_everything))

    assert [secret for secret in (code, token, open_code, app.proof["client_secret"]) if secret in kept] == []


async def _everything(tx: Tx) -> list[Any]:
    found: list[Any] = []
    for table in ("apps", "authorization_codes", "api_tokens", "app_tokens", "audit"):
        found += await tx.all(f"SELECT * FROM {table}")
    return found


async def test_where_all_of_it_is_found(practice: Practice) -> None:
    reply = await practice.nobody.get("/.well-known/oauth-authorization-server", origin="https://phanpy.example")

    told = reply.json
    assert told["issuer"] == ORIGIN
    assert (told["authorization_endpoint"], told["token_endpoint"]) == (
        f"{ORIGIN}/oauth/authorize",
        f"{ORIGIN}/oauth/token",
    )
    assert (told["app_registration_endpoint"], told["revocation_endpoint"]) == (
        f"{ORIGIN}/api/v1/apps",
        f"{ORIGIN}/oauth/revoke",
    )
    assert told["code_challenge_methods_supported"] == ["S256"]
    assert told["response_types_supported"] == ["code"]
    assert told["grant_types_supported"] == ["authorization_code", "client_credentials"]
    assert told["scopes_supported"] == list(KNOWN)
    assert reply.headers["access-control-allow-origin"] == "*"

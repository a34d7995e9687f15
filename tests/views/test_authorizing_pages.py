"""Letting an app in: the consent page, signing in on the way and back, saying no, and ending it again (T54, T55, T58)."""

from __future__ import annotations

from typing import Any
from urllib.parse import parse_qsl, quote, urlsplit

import pytest

from node.community.apps import service as apps_service
from node.community.members.service import make_token, suspend_member
from node.domain.apps import OUT_OF_BAND
from node.views.visitor import csrf_of
from tests.support.browser_form import Browser
from tests.support.lone_house import HOST, ORIGIN
from tests.support.phone import Phone
from tests.support.reading_room import PASSWORD, Ward
from tests.support.some_app import BACK, PKCE, VERIFIER, SomeApp

_ME = "/api/v1/accounts/verify_credentials"


@pytest.fixture
async def app(ward: Ward) -> SomeApp:
    """Give an app that has introduced itself."""
    return await SomeApp.introduce(Phone(ward.lone.app, HOST))


async def _browser(ward: Ward, app: SomeApp, handle: str = "ben") -> Browser:
    return await Browser(ward.lone, apps=app.addresses).enter(handle)


async def _name(ward: Ward, token: str) -> str | None:
    reply = await Phone(ward.lone.app, HOST, token).get(_ME)
    return str(reply.json["username"]) if reply.status == 200 else None


async def test_the_page_says_who_asks_for_what_and_where_it_leads(ward: Ward, app: SomeApp) -> None:
    browser = await _browser(ward, app)

    await browser.get(app.wish(scope="read:lists write:statuses write:lists"))

    assert browser.status == 200
    assert "Let Elephant in?" in browser.words
    assert "You are signed in as Ben, ben@home.example." in browser.words
    assert "Nobody here has checked who makes it." in browser.words
    assert "Read your groups, each as a list" in browser.words
    assert "Write, change and take back posts, and send private messages" in browser.words
    assert "Read everything" not in browser.words
    assert "elephant:" in browser.words
    assert browser.find_form("authorize").method == "post"


async def test_a_narrow_scope_is_not_said_beside_the_wide_one(ward: Ward, app: SomeApp) -> None:
    browser = await _browser(ward, app)

    await browser.get(app.wish(scope="read read:lists"))

    assert "Read everything that you can read here" in browser.words
    assert "Read your groups, each as a list" not in browser.words


async def test_who_is_not_signed_in_signs_in_on_the_way_and_comes_back(ward: Ward, app: SomeApp) -> None:
    await ward.set_password("ben")
    browser = Browser(ward.lone, apps=app.addresses)

    await browser.get(app.wish(state="kept", **PKCE))
    asked = (browser.path.partition("?")[0], "Sign in first; then you are asked." in browser.words)
    await browser.submit("sign-in", handle="ben", password="not the horse")
    await browser.submit("sign-in", handle="ben", password=PASSWORD)
    shown = browser.words
    await browser.submit("authorize", decision="allow")
    answer = dict(parse_qsl(urlsplit(browser.left_for).query))
    reply = await app.redeem(answer["code"], code_verifier=VERIFIER)

    assert asked == ("/sign-in", True)
    assert "Let Elephant in?" in shown
    assert answer["state"] == "kept"
    assert await _name(ward, reply.json["access_token"]) == "ben"


async def test_somebody_else_may_sign_in_instead(ward: Ward, app: SomeApp) -> None:
    await ward.set_password("cy")
    browser = await _browser(ward, app)
    await browser.get(app.wish())

    await browser.submit("sign-out")
    await browser.submit("sign-in", handle="cy", password=PASSWORD)

    assert "You are signed in as Cy, cy@home.example." in browser.words


async def test_who_says_no_sends_the_app_back_with_nothing(ward: Ward, app: SomeApp) -> None:
    browser = await _browser(ward, app)

    answer = await app.ask(browser, decision="deny", state="kept")
    await browser.get("/me/apps")

    assert (answer["error"], answer["state"], answer["iss"]) == ("access_denied", "kept", ORIGIN)
    assert "code" not in answer
    assert "No app has access to your account." in browser.words


@pytest.mark.parametrize("decision", ["", "maybe", None])
async def test_who_says_neither_is_asked_again(ward: Ward, app: SomeApp, decision: str | None) -> None:
    browser = await _browser(ward, app)
    await browser.get(app.wish(state="kept"))
    form = [pair for pair in browser.find_form("authorize").pairs if pair[0] != "decision"]

    await browser.post("/oauth/authorize", [*form, *([("decision", decision)] if decision is not None else [])])

    assert (browser.status, len(browser.page.alerts)) == (422, 1)
    assert dict(browser.find_form("authorize").pairs)["state"] == "kept"


async def test_a_code_to_copy_is_shown_once_and_a_no_too(ward: Ward) -> None:
    app = await SomeApp.introduce(Phone(ward.lone.app, HOST), redirect_uri=OUT_OF_BAND)
    browser = await _browser(ward, app)

    await app.ask(browser)
    code, shown = browser.text.partition('id="code" value="')[2].partition('"')[0], browser.words
    await app.ask(browser, decision="deny")

    assert "It works once, within 5 minutes." in shown
    assert browser.answer.one("cache-control") == "private, no-store"
    assert (await app.redeem(code)).status == 200
    assert "Elephant was not let in" in browser.words


@pytest.mark.parametrize(
    "wrong",
    [
        {"redirect_uri": "https://evil.example/"},
        {"redirect_uri": f"{BACK}/more"},
        {"redirect_uri": f"{BACK}?x=1"},
        {"redirect_uri": "elephant://Back"},
        {"redirect_uri": OUT_OF_BAND},
        {"redirect_uri": None},
        {"client_id": "nothing"},
        {"client_id": "n\x00thing"},
        {"client_id": None},
    ],
    ids=str,
)
@pytest.mark.parametrize("handle", ["ben", ""])
async def test_t54_t58_nobody_is_sent_to_an_address_that_the_app_did_not_name(
    ward: Ward, app: SomeApp, wrong: dict[str, str | None], handle: str
) -> None:
    browser = await _browser(ward, app, handle) if handle else Browser(ward.lone)

    await browser.get(app.wish(**wrong))

    assert (browser.status, browser.steps) == (400, [400])
    assert "This app cannot be let in" in browser.words
    assert [link for link in browser.page.links if not link.startswith(("/", "#"))] == []
    assert [form.id for form in browser.page.forms if form.id == "authorize"] == []


@pytest.mark.parametrize(
    ("wrong", "error"),
    [
        ({"response_type": "token"}, "unsupported_response_type"),
        ({"scope": "read admin:write"}, "invalid_scope"),
        ({"code_challenge": "x", "code_challenge_method": "plain"}, "invalid_request"),
        ({"code_challenge": PKCE["code_challenge"]}, "invalid_request"),
    ],
    ids=str,
)
async def test_t54_t58_what_is_wrong_is_said_here_with_a_way_back_to_the_app(
    ward: Ward, app: SomeApp, wrong: dict[str, str], error: str
) -> None:
    browser = await _browser(ward, app)

    await browser.get(app.wish(state="kept", **wrong))

    [back] = [link for link in browser.page.links if link.startswith(BACK)]
    answer = dict(parse_qsl(urlsplit(back).query))
    assert (browser.status, answer["error"], answer["state"]) == (400, error, "kept")


async def test_t54_a_parameter_that_is_there_twice_is_refused(ward: Ward, app: SomeApp) -> None:
    browser = await _browser(ward, app)

    for again in ("client_id=x", f"redirect_uri={quote('https://evil.example/')}", "scope=write"):
        await browser.get(f"{app.wish()}&{again}")

        assert browser.status == 400, again


async def test_a_program_is_told_what_is_wrong_as_json(ward: Ward, app: SomeApp) -> None:
    reply = await app.phone.get("/oauth/authorize?client_id=nothing", accept="application/json")

    assert (reply.status, reply.json["error"]) == (400, "invalid_client")
    assert reply.headers["content-type"].startswith("application/json")


@pytest.mark.parametrize(
    ("back", "source"),
    [
        (BACK, "elephant:"),
        ("https://phanpy.example/?x=1", "https://phanpy.example"),
        ("http://localhost:4002/", "http://localhost:4002"),
        (OUT_OF_BAND, ""),
    ],
)
async def test_t58_the_form_may_end_at_the_app_and_nowhere_else(ward: Ward, back: str, source: str) -> None:
    app = await SomeApp.introduce(Phone(ward.lone.app, HOST), redirect_uri=back)
    browser = await _browser(ward, app)

    await browser.get(app.wish())

    policy = dict(each.split(" ", 1) for each in (browser.answer.one("content-security-policy") or "").split("; "))
    assert policy["form-action"] == f"'self' {source}".strip()
    assert (policy["frame-ancestors"], policy["default-src"]) == ("'none'", "'none'")
    # A pop-up of a web app must be able to tell its opener that it has come back.
    assert browser.answer.one("cross-origin-opener-policy") is None


@pytest.mark.parametrize("headers", [{"origin": "https://evil.example"}, {"sec_fetch_site": "cross-site"}])
async def test_t58_another_site_lets_no_app_in(ward: Ward, app: SomeApp, headers: dict[str, str]) -> None:
    browser = await _browser(ward, app)
    await browser.get(app.wish())
    form = browser.find_form("authorize").filled({"decision": "allow"})

    await browser.post("/oauth/authorize", form, **headers)

    assert (browser.status, browser.left_for) == (403, "")


async def test_t58_a_decision_without_the_members_own_token_is_none(ward: Ward, app: SomeApp) -> None:
    browser, other = await _browser(ward, app), await _browser(ward, app, "cy")
    await browser.get(app.wish())
    form = dict(browser.find_form("authorize").filled({"decision": "allow"}))

    for token in ("", csrf_of(other.cookie or "")):
        await browser.post("/oauth/authorize", form | {"csrf": token})
        assert (browser.status, browser.left_for) == (403, "")


@pytest.mark.parametrize(
    "place",
    [
        "https://evil.example/", "//evil.example", "/\\evil.example", "/oauth/authorize", "/oauth/authorized?x=1",
        "/me/settings", "/oauth/authorize?x=1\r\nSet-Cookie: a=b", "/oauth/authorize? x",
        "https://home.example/oauth/authorize?x=1", "/oauth/authorize?" + "x" * 17_000,
    ],
)  # fmt: skip
async def test_t58_signing_in_leads_back_to_the_consent_page_and_nowhere_else(ward: Ward, place: str) -> None:
    await ward.set_password("ben")
    browser = Browser(ward.lone)

    await browser.post("/sign-in", {"handle": "ben", "password": PASSWORD, "to": place})
    signed_in = browser.path
    await browser.get(f"/sign-in?to={quote(place, safe='')}")
    again = browser.path
    await browser.post("/sign-out", {"csrf": csrf_of(browser.cookie or ""), "to": place})

    assert (signed_in, again, browser.path) == ("/", "/", "/sign-in")


async def test_t55_whoever_was_suspended_meanwhile_lets_nothing_in(ward: Ward, app: SomeApp) -> None:
    browser = await _browser(ward, app)
    await browser.get(app.wish())

    await suspend_member(ward.lone.core, "ben", by="a test", reason="")
    await browser.submit("authorize", decision="allow")

    assert browser.left_for == ""
    assert browser.path.startswith("/sign-in?to=")


async def test_t55_a_member_sees_their_apps_and_ends_one(ward: Ward, app: SomeApp) -> None:
    other = await SomeApp.introduce(Phone(ward.lone.app, HOST), name="Mammoth")
    browser = await _browser(ward, app)
    first = await app.sign_in(browser, scope="read")
    await _name(ward, first)
    second = await other.sign_in(browser, scope="read:accounts write:statuses")

    await browser.get("/me/apps")
    before = browser.words
    await browser.submit("end-app-1")

    assert "Mammoth" in before and "Elephant" in before
    assert "Not used yet" in before and "Used " in before
    assert {await _name(ward, first), await _name(ward, second)} == {None, "ben"}
    assert "Access has ended." in browser.words


async def test_t55_a_member_ends_all_their_apps_at_once(ward: Ward, app: SomeApp) -> None:
    browser, anas = await _browser(ward, app), await _browser(ward, app, "ana")
    tokens = [await app.sign_in(browser) for _ in range(2)] + [await make_token(ward.lone.core, "ben", "read", by="x")]
    kept = await app.sign_in(anas)

    await browser.get("/me/apps")
    before = browser.words
    await browser.submit("end-apps", all="1")

    assert "A token that your node's operator made" in before
    assert [await _name(ward, token) for token in (*tokens, kept)] == [None, None, None, "ana"]
    assert "No app has access to your account." in browser.words


async def test_t55_all_at_once_is_all_of_them_and_those_on_their_way(ward: Ward, app: SomeApp) -> None:
    browser = await _browser(ward, app)
    tokens = [await make_token(ward.lone.core, "ben", "read", by="x") for _ in range(101)]
    code = (await app.ask(browser))["code"]

    await browser.get("/me/apps")
    await browser.submit("end-apps", all="1")

    assert [token for token in tokens if await _name(ward, token)] == []
    assert (await app.redeem(code)).status == 400


async def test_an_app_that_was_forgotten_meanwhile_is_not_let_in(
    ward: Ward, app: SomeApp, monkeypatch: pytest.MonkeyPatch
) -> None:
    browser = await _browser(ward, app)
    monkeypatch.setattr(apps_service, "_IDLE_MOST", 1)
    write = ward.lone.core.store.write

    async def forget_first(body: Any, *args: Any) -> Any:
        monkeypatch.undo()
        monkeypatch.setattr(apps_service, "_IDLE_MOST", 1)
        await SomeApp.introduce(Phone(ward.lone.app, HOST), name="Mammoth")
        return await write(body, *args)

    await browser.get(app.wish())
    monkeypatch.setattr(ward.lone.core.store, "write", forget_first)
    await browser.submit("authorize", decision="allow")

    assert (browser.status, browser.left_for) == (400, "")


async def test_t55_nobody_ends_an_app_of_somebody_else(ward: Ward, app: SomeApp) -> None:
    ben, cy = await _browser(ward, app), await _browser(ward, app, "cy")
    token = await app.sign_in(ben)
    await ben.get("/me/apps")
    named = dict(ben.find_form("/me/apps", "token").pairs)["token"]
    await cy.get("/me/apps")
    csrf = csrf_of(cy.cookie or "")

    taken = await cy.post("/me/apps", {"csrf": csrf, "token": named})
    absent = await cy.post("/me/apps", {"csrf": csrf, "token": "0" * 64})

    assert (taken.status, taken.body) == (404, absent.body)
    assert await _name(ward, token) == "ben"


async def test_t55_a_new_password_ends_every_app(ward: Ward, app: SomeApp) -> None:
    await ward.set_password("ben")
    browser = await _browser(ward, app)
    token = await app.sign_in(browser)
    await browser.get("/me/settings")

    await browser.submit("change-password", present=PASSWORD, password="a longer horse", again="a longer horse")

    assert browser.steps == [303, 200]
    assert await _name(ward, token) is None


async def test_t49_what_an_app_says_of_itself_is_words(ward: Ward) -> None:
    name = "<script>alert(1)</script>'\"><b>"
    app = await SomeApp.introduce(Phone(ward.lone.app, HOST), name=name)
    browser = await _browser(ward, app)

    await browser.get(app.wish(state='"><script>x</script>'))
    asked, state = browser.text, dict(browser.find_form("authorize").pairs)["state"]
    await app.sign_in(browser)
    await browser.get("/me/apps")

    assert "<script>alert" not in asked + browser.text and "<script>x" not in asked
    assert (state, name in browser.words) == ('"><script>x</script>', True)


async def test_the_page_is_read_in_german(ward: Ward, app: SomeApp) -> None:
    browser = await _browser(ward, app)

    await browser.get(app.wish(), accept_language="de")

    assert "Elephant Zugang geben?" in browser.words
    assert "Alles lesen, was Sie hier lesen können" in browser.words

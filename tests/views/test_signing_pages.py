"""Signing in and out, one-time links, settings, and what ends a session (T48, T55, T57, T58, T61)."""

from __future__ import annotations

from http.cookies import Morsel, SimpleCookie

import pytest

from node.community.members.service import make_reset_link, make_token, suspend_member
from node.community.members.tries import ADDRESS_TRIES, TRIES, TRIES_WITHIN
from node.federation.message import Answer
from tests.support.browser_form import Browser
from tests.support.clock import FrozenClock
from tests.support.databases import Databases
from tests.support.lone_house import a_lone_house
from tests.support.phone import Phone
from tests.support.reading_room import PASSWORD, Ward

_LIFE_SECONDS = 30 * 24 * 3600


def _cookie_set(answer: Answer) -> Morsel[str]:
    [morsel] = SimpleCookie(answer.one("set-cookie")).values()
    return morsel


async def _is_in(browser: Browser) -> bool:
    await browser.get("/me/settings")
    return (browser.status, browser.path) == (200, "/me/settings")


async def _post_sign_in(ward: Ward, password: str = PASSWORD, **headers: str) -> Browser:
    browser = Browser(ward.lone)
    await browser.post("/sign-in", {"handle": "ben", "password": password}, **headers)
    return browser


async def test_a_wrong_password_is_said_beside_the_handle_that_was_typed(ward: Ward) -> None:
    await ward.set_password("ben")
    browser = Browser(ward.lone)
    await browser.get("/sign-in")

    await browser.submit("sign-in", handle="Ben", password="not the horse")

    assert (browser.status, browser.path, browser.cookies) == (422, "/sign-in", {})
    assert browser.page.alerts == ["Handle and password do not fit. Nothing was changed."]
    assert dict(browser.find_form("sign-in").pairs) == {"csrf": "", "handle": "ben", "password": ""}
    assert "not the horse" not in browser.text


async def test_t48_an_unknown_handle_is_answered_like_a_wrong_password(ward: Ward) -> None:
    await ward.set_password("ben")
    browser = Browser(ward.lone)

    answers = [
        await browser.post("/sign-in", {"handle": handle, "password": "wrong"}) for handle in ("ben", "dan")
    ]  # a member, and nobody

    assert answers[0].body.replace(b"ben", b"dan") == answers[1].body


@pytest.mark.parametrize("where", ["one address", "many addresses"])
async def test_t57_the_eleventh_wrong_password_waits_even_if_it_is_right(
    ward: Ward, clock: FrozenClock, where: str
) -> None:
    await ward.set_password("ben")
    for number in range(TRIES):
        address = "192.0.2.7" if where == "one address" else f"192.0.2.{number}"
        await Browser(ward.lone, address=address).post("/sign-in", {"handle": "ben", "password": "wrong"})
    browser = Browser(ward.lone)
    await browser.get("/sign-in")

    await browser.submit("sign-in", handle="ben", password=PASSWORD)
    too_many = (browser.status, browser.page.alerts)
    clock.advance(TRIES_WITHIN.total_seconds() + 1)
    await browser.submit("sign-in", handle="ben", password=PASSWORD)

    assert too_many[0] == 429
    assert too_many[1] == ["Too many wrong passwords. Wait ten minutes, or ask your node's operator for a link."]
    assert (browser.status, browser.path) == (200, "/")


async def test_t57_who_tries_many_handles_from_one_address_is_stopped_too(ward: Ward) -> None:
    await ward.set_password("ben")
    for number in range(ADDRESS_TRIES):
        await Browser(ward.lone).post("/sign-in", {"handle": f"dan{number}", "password": "wrong"})

    here = await _post_sign_in(ward)
    elsewhere = Browser(ward.lone, address="198.51.100.1")
    await elsewhere.sign_in("ben", PASSWORD)

    assert here.status == 429
    assert elsewhere.status == 200


async def test_t57_behind_a_proxy_on_this_machine_nobody_is_stopped_by_others(ward: Ward) -> None:
    await ward.set_password("ben")
    for number in range(ADDRESS_TRIES):
        await Browser(ward.lone, address="127.0.0.1").post("/sign-in", {"handle": f"dan{number}", "password": "wrong"})

    ben = Browser(ward.lone, address="127.0.0.1")
    await ben.sign_in("ben", PASSWORD)

    assert (ben.status, ben.path) == (200, "/")


async def test_t48_the_cookie_of_a_session_is_for_this_node_and_no_script(ward: Ward) -> None:
    await ward.set_password("ben")
    browser = Browser(ward.lone)
    await browser.get("/sign-in")

    form = browser.find_form("sign-in").filled({"handle": "ben", "password": PASSWORD})
    browser.cookies["old"] = "one"
    answer = await _first_answer(browser, form)

    cookie = _cookie_set(answer)
    assert (cookie["secure"], cookie["httponly"], cookie["samesite"], cookie["path"]) == (True, True, "Lax", "/")
    assert (cookie["domain"], int(cookie["max-age"])) == ("", _LIFE_SECONDS)
    assert len(cookie.value) >= 43


async def _first_answer(browser: Browser, form: list[tuple[str, str]]) -> Answer:
    """Send the sign-in form and return the answer before the redirect."""
    seen: list[Answer] = []
    keep = browser.keep_cookies

    def note() -> None:
        seen.append(browser.answer)
        keep()

    browser.keep_cookies = note  # type: ignore[method-assign]
    await browser.post("/sign-in", form)
    return seen[0]


async def test_t48_two_nodes_of_one_machine_have_cookies_of_their_own(databases: Databases, clock: FrozenClock) -> None:
    names = set()

    for origin in ("http://localhost:8001", "http://localhost:8002"):
        async with a_lone_house(databases, clock, origin=origin, federation={"insecure_loopback": True}) as lone:
            await lone.member("ana")
            names |= (await Browser(lone).enter("ana")).cookies.keys()

    assert len(names) == 2


async def test_t48_signing_in_makes_a_new_session_whatever_cookie_was_there(ward: Ward) -> None:
    await ward.set_password("ben")
    browser = await ward.browser("cy")
    before = browser.cookie
    await browser.submit_sign_out()

    browser.cookies = {name: before or "" for name in (await ward.browser("cy")).cookies}
    await browser.get("/sign-in")
    await browser.submit("sign-in", handle="ben", password=PASSWORD)

    assert browser.status == 200
    assert browser.cookie != before


async def test_t55_signing_out_kills_the_cookie(ward: Ward) -> None:
    browser, other = await ward.browser("ben"), await ward.browser("ben")
    kept = dict(browser.cookies)

    await browser.submit_sign_out()
    gone = dict(browser.cookies)
    browser.cookies = kept

    assert gone == {}
    assert not await _is_in(browser)
    assert browser.path == "/sign-in"
    assert await _is_in(other)


async def test_t55_signing_out_everywhere_kills_every_cookie(ward: Ward) -> None:
    browsers = [await ward.browser("ben") for _ in range(3)]
    ana = await ward.browser("ana")
    kept = dict(browsers[0].cookies)

    await browsers[0].submit_sign_out(everywhere="1")
    browsers[0].cookies = kept

    assert [await _is_in(browser) for browser in browsers] == [False, False, False]
    assert await _is_in(ana)


async def test_t55_a_suspension_ends_sessions_at_once_and_opens_no_new_one(ward: Ward) -> None:
    await ward.set_password("ben")
    browser = await ward.browser("ben")
    await browser.get("/groups/ward/write")

    await suspend_member(ward.lone.core, "ben", by="a test", reason="")
    await browser.submit("write", text="One more thing")
    fresh = await _post_sign_in(ward)

    assert (browser.steps, browser.path) == ([303, 200], "/sign-in")
    assert fresh.status == 422
    assert (await (await ward.browser("ana")).get("/groups/ward")).body.count(b"One more thing") == 0


async def test_t55_t61_a_link_sets_the_password_once_and_ends_sessions_and_tokens(ward: Ward) -> None:
    core = ward.lone.core
    old, token = await ward.browser("ben"), await make_token(core, "ben", "read", by="a test")
    link = (await make_reset_link(core, "ben", by="a test")).removeprefix(core.origin)
    browser, second = Browser(ward.lone), Browser(ward.lone)

    await browser.get(link)
    shown = browser.words
    await browser.submit("invitation", password=PASSWORD, again=PASSWORD)
    await second.get(link)

    assert "A new password" in shown and "Your handle on Home is ben." in shown
    assert (browser.steps, browser.path) == ([303, 200], "/")
    assert await _is_in(browser)
    assert not await _is_in(old)
    assert (await Phone(ward.lone.app, "home.example", token).get("/api/v1/accounts/verify_credentials")).status == 401
    assert (second.status, second.page.forms) == (404, [])
    await Browser(ward.lone).sign_in("ben", PASSWORD)


@pytest.mark.parametrize(
    ("password", "again", "sentence"),
    [("short", "short", ""), (PASSWORD, f"{PASSWORD}!", "The two passwords differ."), ("", "", "")],
)
async def test_a_password_that_will_not_do_leaves_the_link_as_it_was(
    ward: Ward, password: str, again: str, sentence: str
) -> None:
    link = (await make_reset_link(ward.lone.core, "ben", by="a test")).removeprefix(ward.lone.core.origin)
    browser = Browser(ward.lone)
    await browser.get(link)

    await browser.submit("invitation", password=password, again=again)
    refused, alerts = browser.status, browser.page.alerts
    await browser.submit("invitation", password=PASSWORD, again=PASSWORD)

    assert refused == 422
    assert len(alerts) == 1 and sentence in alerts[0]
    assert (browser.status, browser.path) == (200, "/")


async def test_t53_the_address_of_a_link_goes_nowhere(ward: Ward) -> None:
    link = (await make_reset_link(ward.lone.core, "ben", by="a test")).removeprefix(ward.lone.core.origin)

    answer = await Browser(ward.lone).get(link)

    assert answer.one("referrer-policy") == "no-referrer"
    assert answer.one("cache-control") == "private, no-store"


async def test_a_link_too_old_is_as_good_as_none(ward: Ward, clock: FrozenClock) -> None:
    link = (await make_reset_link(ward.lone.core, "ben", by="a test")).removeprefix(ward.lone.core.origin)
    browser, other = Browser(ward.lone), Browser(ward.lone)

    clock.advance(24 * 3600 + 1)
    await browser.get(link)
    await other.get(f"/invitations/{'a' * 43}")

    assert browser.status == other.status == 404
    assert browser.text == other.text


@pytest.mark.parametrize("headers", [{"origin": "https://evil.example"}, {"sec_fetch_site": "cross-site"}])
async def test_t58_nobody_is_signed_in_by_another_site(ward: Ward, headers: dict[str, str]) -> None:
    await ward.set_password("ben")

    browser = await _post_sign_in(ward, **headers)

    assert (browser.status, browser.cookies) == (403, {})


async def test_t55_a_session_ends_after_thirty_days_without_use(ward: Ward, clock: FrozenClock) -> None:
    used, unused = await ward.browser("ben"), await ward.browser("ben")

    clock.advance(_LIFE_SECONDS / 2)
    await used.get("/me/settings")
    clock.advance(_LIFE_SECONDS / 2 + 1)

    assert await _is_in(used)
    assert not await _is_in(unused)


async def test_what_the_node_has_to_tell_is_told_until_it_is_understood(ward: Ward) -> None:
    await make_token(ward.lone.core, "ben", "read", by="a test")
    browser = await ward.browser("ben")

    await browser.get("/")
    told = browser.words
    await browser.submit("/me/notice")

    assert "Your node's operator made an access token for your account." in told
    assert "access token" not in browser.words


async def test_nobody_gets_the_same_answer_for_everything(ward: Ward) -> None:
    posted = await ward.say(ward.ana, "Between us")
    nobody = Browser(ward.lone)
    paths = ["/groups", "/groups/ward", f"/groups/ward/threads/{posted.uri[-26:]}", "/nothing", "/me/settings", "/me"]

    answers = {(await nobody.get(path)).body for path in paths}

    assert len(answers) == 1
    assert nobody.steps == [303, 200]

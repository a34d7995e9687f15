"""A member's own settings: how they read, their password, where they are signed in (T55, T57)."""

from __future__ import annotations

import pytest

from node.community.members.tries import TRIES
from tests.support.browser_form import Browser
from tests.support.reading_room import PASSWORD, Ward


async def _is_in(browser: Browser) -> bool:
    await browser.get("/me/settings")
    return (browser.status, browser.path) == (200, "/me/settings")


def _session_of(browser: Browser, action: str) -> str:
    """Return the number of the first other session that a page of settings lists."""
    return dict(browser.find_form(action, "session").pairs)["session"]


async def _enter(ward: Ward, password: str) -> Browser:
    browser = Browser(ward.lone)
    await browser.post("/sign-in", {"handle": "ben", "password": password})
    return browser


async def test_settings_are_kept_and_pages_follow_them(ward: Ward) -> None:
    await ward.say(ward.ana, "Rounds at noon", title="Noon")
    browser, second = await ward.browser("ben"), await ward.browser("ben")
    await browser.get("/groups/ward")
    before = browser.words

    await browser.get("/me/settings")
    await browser.submit("settings", language="de", time_zone="Asia/Tokyo", date_style="iso")
    saved = dict(browser.find_form("settings").pairs)
    await second.get("/groups/ward")

    assert "today, 12:00" in before
    assert (browser.steps, saved["language"], saved["time_zone"]) == ([303, 200], "de", "Asia/Tokyo")
    assert saved["date_style"] == "iso"
    assert "2026-11-21 21:00" in second.words
    assert '<html lang="de"' in second.text


async def test_who_has_not_chosen_a_language_reads_what_the_browser_asks_for(ward: Ward) -> None:
    browser = await ward.browser("ben")

    await browser.get("/me/settings", accept_language="de-AT,de;q=0.9,en;q=0.8")
    guessed = ('<html lang="de"' in browser.text, dict(browser.find_form("settings").pairs)["language"])
    await browser.submit("settings", language="en", time_zone="UTC", date_style="long")
    await browser.get("/me/settings", accept_language="de")

    assert guessed == (True, "de")
    assert '<html lang="en"' in browser.text


@pytest.mark.parametrize("field", ["language", "time_zone", "date_style"])
async def test_a_setting_that_nobody_has_is_refused(ward: Ward, field: str) -> None:
    browser = await ward.browser("ben")
    await browser.get("/me/settings")

    await browser.submit("settings", **{field: "../../etc/passwd"})
    refused, alerts = browser.status, browser.page.alerts
    await browser.get("/me/settings")

    assert (refused, len(alerts)) == (422, 1)
    assert "passwd" not in browser.text


async def test_t55_a_member_ends_sessions_of_their_own(ward: Ward) -> None:
    here, there = await ward.browser("ben", "Here"), await ward.browser("ben", "A library")
    await here.get("/me/settings")
    before = here.words

    await here.submit("/me/access", session=_session_of(here, "/me/access"))

    assert "A library" in before
    assert not await _is_in(there)
    assert await _is_in(here)
    assert "A library" not in here.words


async def test_t55_a_member_ends_all_other_sessions_at_once(ward: Ward) -> None:
    here, *others = [await ward.browser("ben") for _ in range(3)]
    await here.get("/me/settings")

    await here.submit("/me/access", others="1")

    assert await _is_in(here)
    assert [await _is_in(other) for other in others] == [False, False]


async def test_t55_nobody_ends_a_session_of_somebody_else(ward: Ward) -> None:
    ben, second, cy = await ward.browser("ben"), await ward.browser("ben"), await ward.browser("cy")
    await ben.get("/me/settings")
    bens = _session_of(ben, "/me/access")
    await cy.get("/me/settings")
    csrf = cy.csrf

    absent = await cy.post("/me/access", {"csrf": csrf, "session": "4242"})
    taken = await cy.post("/me/access", {"csrf": csrf, "session": bens})

    assert (taken.status, taken.body) == (404, absent.body)
    assert await _is_in(ben) and await _is_in(second)


async def test_a_member_changes_their_password_and_is_signed_out_everywhere_else(ward: Ward) -> None:
    await ward.set_password("ben")
    here, elsewhere = await ward.browser("ben"), await ward.browser("ben")
    await here.get("/me/settings")

    await here.submit("change-password", present=PASSWORD, password="a longer horse", again="a longer horse")

    assert here.steps == [303, 200]
    assert [await _is_in(browser) for browser in (here, elsewhere)] == [True, False]
    assert [(await _enter(ward, word)).status for word in (PASSWORD, "a longer horse")] == [422, 200]


@pytest.mark.parametrize(
    "typed",
    [
        {"present": "not the horse", "password": "a longer horse", "again": "a longer horse"},
        {"present": PASSWORD, "password": "xq7", "again": "xq7"},
        {"present": PASSWORD, "password": "a longer horse", "again": "another horse"},
    ],
)
async def test_a_password_that_cannot_be_taken_changes_nothing(ward: Ward, typed: dict[str, str]) -> None:
    await ward.set_password("ben")
    here, elsewhere = await ward.browser("ben"), await ward.browser("ben")
    await here.get("/me/settings")

    await here.submit("change-password", **typed)

    assert (here.status, len(here.page.alerts)) == (422, 1)
    assert [word for word in typed.values() if word in here.text] == []
    assert await _is_in(elsewhere)


async def test_t57_the_present_password_is_not_to_be_guessed_from_an_open_session(ward: Ward) -> None:
    await ward.set_password("ben")
    here = await ward.browser("ben")
    await here.get("/me/settings")

    for _ in range(TRIES):
        await here.submit("change-password", present="wrong", password="a longer horse", again="a longer horse")
    await here.submit("change-password", present=PASSWORD, password="a longer horse", again="a longer horse")

    assert here.status == 429

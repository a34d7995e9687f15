"""Live pages: told how much is new, in numbers, and only to those who may read it now (T15, T22, T26)."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest

from node.community.members.service import suspend_member
from node.community.members.sessions import Preferences, Session, find_session, sign_out
from node.community.posts.service import withdraw_post
from node.community.reading import live
from node.community.reading.following import set_following, set_levels
from node.community.reading.live import LiveHub
from node.domain.actors import Member
from tests.support.browser_form import Browser
from tests.support.group_life import let_in, make_group, put_out
from tests.support.live_page import LivePage
from tests.support.reading_room import Ward, page_of

_CANARY = "canaryofalivepage"


@pytest.fixture
async def hub(ward: Ward) -> AsyncIterator[LiveHub]:
    """Give the hub of the ward's node, whose rounds the tests call themselves."""
    hub = ward.lone.house.live
    hub.pace_seconds = 3600
    yield hub
    hub.stop()
    await hub.rest()


async def _open(ward: Ward, who: str | Browser, **asked: int) -> LivePage:
    browser = await ward.browser(who) if isinstance(who, str) else who
    return await LivePage.open(browser, ward.lone.app, **asked)


async def _session(ward: Ward, browser: Browser, member: Member) -> Session:
    assert browser.cookie is not None
    found = await find_session(ward.lone.core, browser.cookie)
    return found or Session(0, member, Preferences())


async def test_an_open_page_is_told_how_much_is_new_in_which_thread(ward: Ward, hub: LiveHub) -> None:
    topic = await ward.say(ward.ben, "How do you sleep?", title="Nights")
    page = await _open(ward, "ana", after=topic.post_id)

    await ward.say(ward.ben, "Well.", to=topic)
    await ward.say(ward.ben, "Or so.", to=topic)
    await hub.look()
    first = await page.told()
    await ward.say(ward.ben, "Not at all.", to=topic)
    await hub.look()

    thread = {"group": str(ward.group.group_id), "thread": str(topic.post_id)}
    assert (first, await page.told()) == ([thread | {"new": 2}], [thread | {"new": 1}])
    assert (page.status, page.headers["content-type"], page.headers["cache-control"]) == (
        200, "text/event-stream", "private, no-store",
    )  # fmt: skip


async def test_t26_a_stream_carries_numbers_and_no_word_or_name(ward: Ward, hub: LiveHub) -> None:
    page = await _open(ward, "ana")

    await ward.say(ward.ben, f"{_CANARY}.", title=_CANARY)
    await hub.look()
    [told] = await page.told()

    assert told.keys() == {"group", "thread", "new"}
    assert _CANARY.encode() not in page.said and b"ben" not in page.said.lower()


async def test_a_page_begins_with_what_is_newer_than_it_and_counts_nothing_twice(ward: Ward, hub: LiveHub) -> None:
    topic = await ward.say(ward.ben, "How do you sleep?", title="Nights")
    await ward.say(ward.ben, "Well.", to=topic)
    other = await _open(ward, "ana")  # rounds go on while the page is loaded
    await other.told()

    page = await _open(ward, "ana", after=topic.post_id)
    begun = await page.told()
    await hub.look()
    await ward.say(ward.ben, "Or so.", to=topic)
    await hub.look()

    assert [each["new"] for each in begun] == [1]
    assert [each["new"] for each in await page.told()] == [1]


async def test_ones_own_posts_and_those_taken_back_are_no_news(ward: Ward, hub: LiveHub) -> None:
    page = await _open(ward, "ana")
    core, tables = ward.lone.core, ward.lone.house.tables

    await ward.say(ward.ana, "Mine.", title="Mine")
    gone = await ward.say(ward.ben, "Gone.", title="Gone")
    await withdraw_post(core, tables, author=ward.ben, post_id=gone.post_id)
    await hub.look()
    await ward.say(ward.ben, "Here.", title="Here")
    await hub.look()

    assert [each["new"] for each in await page.told()] == [1]


async def test_t22_a_group_one_is_not_in_makes_no_sound(ward: Ward, hub: LiveHub) -> None:
    circle = await make_group(ward.lone, "circle", ward.ana, is_hidden=True)
    ben, cy = await _open(ward, "ben"), await _open(ward, "cy")

    await ward.say(ward.ana, _CANARY, title=_CANARY, group=circle)
    await hub.look()
    await ward.say(ward.ana, "For the ward.", title="Ward")
    await hub.look()

    assert [each["group"] for each in await ben.told()] == [str(ward.group.group_id)]
    assert cy.heard() == [] and not cy.is_over


async def test_t22_a_stream_of_a_hidden_group_is_answered_like_one_of_no_group(ward: Ward, hub: LiveHub) -> None:
    circle = await make_group(ward.lone, "circle", ward.ana, is_hidden=True)

    hidden, absent = [await _open(ward, "ben", group=number) for number in (circle.group_id, 4_242)]

    assert (hidden.status, hidden.said) == (absent.status, absent.said)
    assert hidden.status == 404 and hub.count == 0


async def test_t15_who_was_put_out_is_told_nothing_more(ward: Ward, hub: LiveHub) -> None:
    catch_up, of_group = await _open(ward, "ben"), await _open(ward, "ben", group=ward.group.group_id)

    await put_out(ward.lone, ward.group, ward.ben)
    await ward.say(ward.ana, _CANARY, title="After")
    await hub.look()
    await of_group.ended()
    await ward.say(ward.ana, _CANARY, title="Once more")
    await hub.look()

    assert catch_up.heard() == of_group.heard() == []
    assert not catch_up.is_over


async def test_who_came_later_is_told_only_of_what_they_may_see(ward: Ward, hub: LiveHub) -> None:
    late = await make_group(ward.lone, "late", ward.ana, history="since_join")
    await ward.say(ward.ana, "Before.", title="Before", group=late)
    await let_in(ward.lone, late, ward.cy)

    page = await _open(ward, "cy")
    await ward.say(ward.ana, "After.", title="After", group=late)
    await hub.look()

    assert [each["new"] for each in await page.told()] == [1]


async def test_t55_a_session_that_was_signed_out_is_told_nothing_more(ward: Ward, hub: LiveHub) -> None:
    browser = await ward.browser("ana")
    page, elsewhere = await _open(ward, browser), await _open(ward, "ana")

    await sign_out(ward.lone.core, await _session(ward, browser, ward.ana))
    await ward.say(ward.ben, "After.", title="After")
    await hub.look()
    await page.ended()

    assert page.heard() == []
    assert [each["new"] for each in await elsewhere.told()] == [1]


async def test_t15_a_suspended_member_is_told_nothing_more(ward: Ward, hub: LiveHub) -> None:
    page = await _open(ward, "ana")

    await suspend_member(ward.lone.core, "ana", by="a test", reason="a test")
    await ward.say(ward.ben, "After.", title="After")
    await hub.look()
    await page.ended()

    assert page.heard() == []


async def test_a_round_comes_by_itself_within_two_seconds(ward: Ward, hub: LiveHub) -> None:
    hub.pace_seconds = live.PACE_SECONDS
    page = await _open(ward, "ana")

    async with asyncio.timeout(2):
        await ward.say(ward.ben, "Well.", title="Nights")
        told = await page.told()
    async with asyncio.timeout(2):
        await suspend_member(ward.lone.core, "ana", by="a test", reason="a test")
        await page.ended()

    assert [each["new"] for each in told] == [1]


async def test_live_pages_obey_what_a_member_wants_to_hear_of(ward: Ward, hub: LiveHub) -> None:
    core, topic = ward.lone.core, await ward.say(ward.ben, "How do you sleep?", title="Nights")
    other = await ward.say(ward.ben, "What do you eat?", title="Days")
    page = await _open(ward, "ana", after=other.post_id)
    here = {"viewer": ward.ana, "group_id": ward.group.group_id}

    await set_following(core, root_id=topic.post_id, wanted="mute", **here)
    await ward.say(ward.ben, "Well.", to=topic)
    await ward.say(ward.ben, "Bread.", to=other)
    await hub.look()
    muted = await page.told()
    await set_levels(core, viewer=ward.ana, levels={ward.group.group_id: "quiet"})
    await ward.say(ward.ben, "Cheese.", to=other)
    await hub.look()
    reopened = await _open(ward, "ana", after=other.post_id)
    await set_levels(core, viewer=ward.ana, levels={ward.group.group_id: "all"})
    await ward.say(ward.ben, "Salt.", to=other)
    await hub.look()

    assert [each["thread"] for each in muted] == [str(other.post_id)]
    assert [each["new"] for each in await page.told()] == [1]
    assert [each["new"] for each in await reopened.told()] == [1]


async def test_a_fourth_page_of_a_session_ends_the_first_for_good(ward: Ward, hub: LiveHub) -> None:
    browser = await ward.browser("ana")

    pages = [await _open(ward, browser) for _ in range(4)]
    await pages[0].ended()

    assert pages[0].said.endswith(b"event: end\ndata:\n\n")
    assert [page.is_over for page in pages[1:]] == [False] * 3 and hub.count == 3


async def test_a_node_has_only_so_many_open_pages(ward: Ward, hub: LiveHub, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(live, "STREAMS_LIMIT", 1)

    first, second = await _open(ward, "ana"), await _open(ward, "ben")

    assert (first.status, first.is_over) == (200, False)
    assert (second.status, second.headers["retry-after"], second.is_over) == (503, "60", True)


async def test_a_page_that_is_closed_is_forgotten(ward: Ward, hub: LiveHub) -> None:
    page = await _open(ward, "ana")
    assert hub.count == 1

    await page.close()

    assert hub.count == 0


async def test_a_quiet_stream_says_now_and_then_that_it_is_there(ward: Ward, hub: LiveHub) -> None:
    hub.heartbeat_seconds = 0.01

    page = await _open(ward, "ana")
    await page.says(b"\n\n:\n\n:\n\n")

    assert page.heard() == []


async def test_a_node_that_stops_closes_every_page_at_once_and_opens_none(ward: Ward, hub: LiveHub) -> None:
    pages = [await _open(ward, handle) for handle in ("ana", "ben")]

    hub.stop()
    for page in pages:
        await page.ended()

    assert [page.said.endswith(b"event: end\ndata:\n\n") for page in pages] == [False, False]  # they come back
    assert (await _open(ward, "ana")).status == 503


async def test_a_round_asks_as_much_of_the_store_with_many_pages_as_with_one(ward: Ward, hub: LiveHub) -> None:
    counts = ward.lone.core.store.counts
    asked = []

    for more in (1, 12):
        pages = [await _open(ward, "ana") for _ in range(more)]
        await hub.look()
        before = counts.statements
        await hub.look()
        idle = counts.statements - before
        await ward.say(ward.ben, "Well.", title="Nights")
        before = counts.statements
        await hub.look()
        asked.append((idle, counts.statements - before))
        assert [len(await page.told()) >= 1 for page in pages] == [True] * more

    assert asked[0] == asked[1] == (2, 4)


async def test_open_pages_have_a_place_for_the_line_and_one_small_script(ward: Ward) -> None:
    topic = await ward.say(ward.ben, "How do you sleep?", title="Nights")
    ana, shown = await ward.browser("ana"), {}

    for path in ("/", "/groups/ward", page_of(topic)):
        await ana.get(path)
        shown[path] = (
            f'data-after="{topic.post_id}"' in ana.text,
            ana.text.count("<script"),
            'role="status"' in ana.text,
        )
    script = await ana.get("/static/live.js")

    assert set(shown.values()) == {(True, 1, True)}
    assert script.status == 200 and len(script.body) < 3000
    assert script.one("content-type") == "text/javascript; charset=utf-8"

"""The page of search: what it shows, how it is narrowed, what it says to odd questions, and whom it tells nothing."""

from __future__ import annotations

import re
from dataclasses import replace
from urllib.parse import urlencode

import pytest

from node.community.members.sessions import Preferences, change_preferences
from node.domain.peers import Peer, PeerPolicy
from node.foundation.text import markdown_to_html
from node.store import objects
from tests.support.clock import FrozenClock
from tests.support.group_life import let_in, make_group, put_out
from tests.support.reading_room import Ward, page_of

_ROW = re.compile(r'<h3 class="row-title"><a href="([^"]+)">(.*?)</a></h3>\s*<p class="soft">(.*?)</p>', re.DOTALL)


async def _look(ward: Ward, handle: str, q: str = "", **more: str) -> str:
    """Return the page of a search, as HTML."""
    browser = await ward.browser(handle)
    await browser.get(f"/search?{urlencode({'q': q} | {name.strip('_'): value for name, value in more.items()})}")
    assert browser.status == 200, browser.words
    return browser.text


async def _count(ward: Ward, handle: str, q: str = "", **more: str) -> int:
    return len(_ROW.findall(await _look(ward, handle, q, **more)))


async def test_a_member_finds_a_post_and_gets_to_its_place(ward: Ward) -> None:
    topic = await ward.say(ward.ana, "Who covers nights?", title="Rota in December")
    answer = await ward.say(ward.ben, "I cover the first Müller week.", to=topic)
    browser = await ward.browser("ben")

    await browser.get("/search")
    await browser.submit("search", q="muller")

    [(link, title, snippet)] = _ROW.findall(browser.text)
    assert link == f"{page_of(answer)}#{answer.uri.rpartition('/')[2]}"
    assert (title, snippet) == ("Rota in December", "I cover the first <mark>Müller</mark> week.")
    await browser.get(link.partition("#")[0])
    assert f'id="{link.partition("#")[2]}"' in browser.text


async def test_what_was_found_is_words_not_html(ward: Ward) -> None:
    await ward.say(ward.ana, "a <script>canary</script> & `<b>canary</b>`", title="<img src=x> canary")

    page = await _look(ward, "ben", 'canary "><script>')

    assert "<script" not in page
    assert "<img" not in page
    page = await _look(ward, "ben", "canary")
    assert "&lt;b&gt;<mark>canary</mark>&lt;/b&gt;" in page
    assert "&lt;img src=x&gt; <mark>canary</mark>" in page


async def test_a_post_with_a_warning_shows_the_warning_alone(ward: Ward) -> None:
    topic = await ward.say(ward.ana, "gruesome canary")
    posted = await ward.lone.core.store.read(lambda tx: objects.find_post_by_id(tx, post_id=topic.post_id))
    await ward.lone.core.store.write(
        objects.update_post_text, post_id=topic.post_id, title="Birds", warning="blood", source="", html=posted.html,
        document=posted.document, activity_uri=posted.activity_uri, edited_at=ward.lone.clock.now(),
    )  # fmt: skip

    [(_, _, snippet)] = _ROW.findall(await _look(ward, "ben", "canary"))

    assert "blood" in snippet
    assert "gruesome" not in snippet


async def test_filters_narrow_what_is_found(ward: Ward, clock: FrozenClock) -> None:
    clinic = await make_group(ward.lone, "clinic", ward.ana)
    await ward.say(ward.ana, "canary")
    await ward.say(ward.ben, "canary, see https://a.example/paper")
    await ward.say(ward.ana, "canary", group=clinic)

    assert await _count(ward, "ana", "canary") == 3
    assert await _count(ward, "ana", "canary", group="clinic") == 1
    assert await _count(ward, "ana", "canary", person="ben@home.example") == 1
    assert await _count(ward, "ana", "canary", person="@ben") == 1
    assert await _count(ward, "ana", person="ben") == 1
    assert await _count(ward, "ana", "canary", sources="1") == 1
    assert await _count(ward, "ana", "canary", from_="2026-11-21") == 3
    assert await _count(ward, "ana", "canary", to="2026-11-20") == 0


async def test_a_day_is_a_day_where_the_reader_lives(ward: Ward, clock: FrozenClock) -> None:
    clock.advance(10 * 3600)  # 22:00 UTC
    await ward.say(ward.ana, "canary")
    there = replace(Preferences(), time_zone="Pacific/Auckland")
    await change_preferences(ward.lone.core, ward.ben, there)

    assert await _count(ward, "ana", "canary", from_="2026-11-22") == 0
    assert await _count(ward, "ana", "canary", to="2026-11-21") == 1
    assert await _count(ward, "ben", "canary", from_="2026-11-22") == 1
    assert await _count(ward, "ben", "canary", to="2026-11-21") == 0


@pytest.mark.parametrize(
    ("asked", "sentence"),
    [
        ({"q": "x" * 201}, "at most 200 characters"),
        ({"q": "a b c d e f g h i"}, "at most eight"),
        ({"q": '""'}, "no word in that"),
        ({"q": "((("}, "no word in that"),
        ({"q": "\\"}, "no word in that"),
        ({"q": "🙂 … *"}, "no word in that"),
        ({"group": "ward"}, "no word in that"),
        ({"q": "canary", "group": "nothing"}, "no such group"),
        ({"q": "canary", "group": "hidden"}, "no such group"),
        ({"q": "canary", "person": "nobody"}, "has this address"),
        ({"q": "canary", "person": "a b@@c\u202e"}, "has this address"),
        ({"q": "canary", "from": "22.11.2026"}, "A date is not written"),
        ({"q": "canary", "to": "0001-01-01"}, "A date is not written"),
        ({"q": "canary", "from": "2026-11-22", "to": "2026-11-20"}, "later than the last"),
    ],
)
async def test_an_odd_question_gets_a_sentence_and_keeps_its_text(
    ward: Ward, asked: dict[str, str], sentence: str
) -> None:
    await make_group(ward.lone, "hidden", ward.ana, is_hidden=True)
    browser = await ward.browser("ben")

    await browser.get(f"/search?{urlencode(asked)}")

    assert browser.status == 422
    assert 'role="alert"' in browser.text
    assert sentence in browser.words
    assert browser.find_form("search").filled({})[0] == ("q", asked.get("q", ""))


@pytest.mark.parametrize("q", ["NEAR(a b)", "a* OR b", "'; DROP TABLE posts", '"canary', "夜勤", "ü" * 200])
async def test_whatever_is_typed_is_looked_for(ward: Ward, q: str) -> None:
    assert "Nothing was found" in await _look(ward, "ben", q)


async def test_a_search_that_finds_nothing_says_what_to_do(ward: Ward) -> None:
    page = await _look(ward, "ben", "canary")

    assert "Nothing was found" in page
    assert 'href="/write"' in page


async def test_older_posts_stand_on_further_pages(ward: Ward) -> None:
    for number in range(25):
        await ward.say(ward.ana, f"canary number{number:02}")
    browser = await ward.browser("ben")

    await browser.get("/search?q=canary&group=ward")
    first = [snippet[-8:] for _, _, snippet in _ROW.findall(browser.text)]
    [older] = re.findall(r'href="(/search\?[^"]*before=\d+)"', browser.text)
    await browser.get(older.replace("&amp;", "&"))

    second = [snippet[-8:] for _, _, snippet in _ROW.findall(browser.text)]
    assert [*first, *second] == [f"number{n:02}" for n in reversed(range(25))]
    assert "before=" not in browser.text


async def test_phrases_are_looked_for_beyond_posts_that_only_have_their_words(ward: Ward) -> None:
    await ward.say(ward.ana, "a night shift")
    for _ in range(30):
        await ward.say(ward.ana, "shift of a night")

    assert await _count(ward, "ben", '"night shift"') == 1


async def test_people_and_groups_are_found_by_name(ward: Ward) -> None:
    await make_group(ward.lone, "nephrology", ward.ana)
    await make_group(ward.lone, "nephrosecrets", ward.ana, is_hidden=True)

    page = await _look(ward, "cy", "neph")
    assert "/groups/nephrology" in page
    assert "nephrosecrets" not in page.lower()
    assert "/people/ben@home.example" in await _look(ward, "cy", "ben")


async def test_a_paused_node_is_named(ward: Ward) -> None:
    core = ward.lone.core
    page = await _look(ward, "ben", "canary")
    assert "paused" not in page
    gone = "UPDATE actors SET host = 'peer.example', is_local = 0 WHERE actor_id = :group_id"
    await core.store.write(lambda tx: tx.run(gone, group_id=ward.group.group_id))
    core.peers.put(_a_paused_peer())

    page = await _look(ward, "ben", "canary")

    assert "Groups of The Peer are shown as they were when the connection was paused" in page


def _a_paused_peer() -> Peer:
    return Peer(
        7, "peer.example", "https://peer.example", "The Peer", "paused", None, False, None, None, None, PeerPolicy(),
        None, None, None, None, None, None,
    )  # fmt: skip


async def test_t27_who_has_no_right_any_more_finds_nothing(ward: Ward) -> None:
    topic = await ward.say(ward.ana, "A canary", title="Birds")
    await ward.say(ward.ben, "Another canary", to=topic)
    assert await _count(ward, "ben", "canary") == 2
    assert await _count(ward, "cy", "canary") == 0

    await put_out(ward.lone, ward.group, ward.ben)

    page = await _look(ward, "ben", "canary")
    assert _ROW.findall(page) == []
    assert "Birds" not in page
    assert "Nothing was found" in page


async def test_t27_history_since_joining_is_where_search_begins(ward: Ward) -> None:
    late = await make_group(ward.lone, "late", ward.ana, history="since_join")
    topic = await ward.say(ward.ana, "An early canary", title="Birds of old", group=late)
    await let_in(ward.lone, late, ward.ben)
    await ward.say(ward.ana, "A late canary", to=topic, group=late)

    [(_, title, snippet)] = _ROW.findall(await _look(ward, "ben", "canary"))

    assert title == "A thread from before you joined"
    assert snippet == "A late <mark>canary</mark>"


async def test_t27_what_is_withdrawn_is_found_by_nobody(ward: Ward) -> None:
    topic = await ward.say(ward.ana, "A canary")
    browser = await ward.browser("ana")
    await browser.get(f"{page_of(topic)}/withdraw")
    await browser.submit("withdraw")

    assert await _count(ward, "ana", "canary") == await _count(ward, "ben", "canary") == 0


async def test_t27_searching_what_one_may_not_see_is_like_searching_what_is_not_there(ward: Ward) -> None:
    await ward.say(ward.ana, "A canary", title="Birds")

    found, absent = await _look(ward, "cy", "canary"), await _look(ward, "cy", "absent")

    assert found.replace("canary", "absent") == absent


async def test_t28_what_is_looked_for_is_logged_nowhere(ward: Ward, capfd: pytest.CaptureFixture[str]) -> None:
    await ward.say(ward.ana, "A canary")
    await _look(ward, "ben", "canary")
    browser = await ward.browser("ben")
    await browser.get("/search?q=canary&from=nonsense")

    written = capfd.readouterr()

    assert "canary" not in written.out + written.err
    assert browser.answer.one("referrer-policy") == "same-origin"
    assert browser.answer.one("cache-control") == "private, no-store"


def test_links_that_members_write_are_sources() -> None:
    assert 'href="http' in markdown_to_html("see https://a.example/paper")

"""The buttons below a post, the lists of what was kept, thanks, and people at a distance (P-07, P-13)."""

from __future__ import annotations

import re

import pytest

from node.community.marks.service import thank
from node.community.messages.conversations import list_conversations
from node.community.messages.service import list_own_messages
from node.domain.actors import Actor
from node.store.engine import Tx
from tests.support.browser_form import Browser
from tests.support.group_life import let_in
from tests.support.reading_room import Ward, page_of

_ROW = re.compile(r'class="row-title">(?:<a href="([^"]+)">)?([^<]*)')


async def _as_known(author: Actor) -> Actor:
    return author


async def _count_groups(tx: Tx) -> int:
    return int(await tx.value("SELECT COUNT(group_id) AS n FROM notifications WHERE kind = 'thanks'"))


async def _press(browser: Browser, page: str, **button: str) -> None:
    await browser.get(page)
    await browser.submit("marks", **button)
    assert browser.steps[0] == 303, browser.words


async def test_a_post_is_bookmarked_and_taken_away_by_its_button(ward: Ward) -> None:
    posted = await ward.say(ward.ana, "How do you sleep?", title="Nights")
    ben, token = await ward.browser("ben"), posted.uri.rpartition("/")[2]

    await _press(ben, page_of(posted), bookmark=token)
    marked = "Remove bookmark" in ben.words
    await ben.get("/me/bookmarks")
    rows = _ROW.findall(ben.text)
    await ben.submit("bookmarks", drop=str(posted.post_id))

    assert marked and rows == [(page_of(posted), "Nights")]
    assert "Nothing kept yet" in ben.words


async def test_thanks_are_seen_by_the_author_alone(ward: Ward) -> None:
    posted = await ward.say(ward.ana, "How do you sleep?", title="Nights")
    ana, ben = await ward.browser("ana"), await ward.browser("ben")

    await _press(ben, page_of(posted), thank=posted.uri.rpartition("/")[2])
    at_ben = ben.words
    await ana.get(page_of(posted))
    at_ana = ana.words
    await ana.get("/me/thanks")

    assert "Take thanks back" in at_ben and "Thanked privately by" not in at_ben
    assert "Thanked privately by Ben. Nobody else sees this." in at_ana
    assert "Thank privately" not in at_ana  # not one's own
    assert "Ben thanks you" in ana.words and "Nights" in ana.words
    await ben.get("/me/thanks")
    assert "Nights" in ben.words.partition("You thanked")[2]


async def test_an_author_has_a_notice_of_thanks_that_leads_to_the_post_or_the_conversation(ward: Ward) -> None:
    posted = await ward.say(ward.ana, "How do you sleep?", title="Nights")
    ana, ben = await ward.browser("ana"), await ward.browser("ben")
    await ana.get("/messages/write")
    await ana.submit("message", to="@ben", text="Come by.")
    [message] = await list_own_messages(ward.lone.core, viewer=ward.ben)
    [talk] = await list_conversations(ward.lone.core, viewer=ward.ana)

    await _press(ben, page_of(posted), thank=posted.uri.rpartition("/")[2])
    await thank(ward.lone.core, _as_known, viewer=ward.ben, post_id=message.post.post_id)

    await ana.get("/notifications")
    rows = _ROW.findall(ana.text)
    assert rows == [
        (f"/messages/{talk.conversation_id}", "Ben thanked you for a post"),
        (page_of(posted), "Ben thanked you for a post"),
    ]
    assert await ward.lone.core.store.read(_count_groups) == 1  # it goes with the group


async def test_thanks_are_taken_back_by_the_same_button(ward: Ward) -> None:
    posted = await ward.say(ward.ana, "How do you sleep?", title="Nights")
    ana, ben, token = await ward.browser("ana"), await ward.browser("ben"), posted.uri.rpartition("/")[2]
    await _press(ben, page_of(posted), thank=token)

    await _press(ben, page_of(posted), unthank=token)

    await ana.get(page_of(posted))
    assert "Thanked privately by" not in ana.words


async def test_marks_are_the_readers_own_on_pages_that_are_kept(ward: Ward) -> None:
    posted = await ward.say(ward.ana, "How do you sleep?", title="Nights")
    ana, ben = await ward.browser("ana"), await ward.browser("ben")
    await _press(ben, page_of(posted), bookmark=posted.uri.rpartition("/")[2])

    await ana.get(page_of(posted))

    assert "Remove bookmark" not in ana.words and "Bookmark" in ana.words


async def test_t26_nobody_marks_what_they_may_not_read(ward: Ward) -> None:
    posted = await ward.say(ward.ana, "How do you sleep?", title="Nights")
    cy = await ward.browser("cy")

    for wanted in ("thank", "bookmark"):
        await cy.get("/me/settings")
        await cy.post(f"{page_of(posted)}/marks", {wanted: posted.uri.rpartition("/")[2], "csrf": cy.csrf})
        assert cy.status == 404


@pytest.mark.parametrize(("act", "said"), [("mute", "You muted this person."), ("block", "You blocked this person.")])
async def test_a_person_is_kept_at_a_distance_and_brought_back(ward: Ward, act: str, said: str) -> None:
    ben = await ward.browser("ben")
    await ben.get("/people/ana")

    await ben.submit("distance", act=act)
    on_page = ben.words
    await ben.get("/me/distance")
    listed = "Ana" in ben.words
    await ben.submit("distance", **{f"un{act}": str(ward.ana.actor_id)})

    assert said in on_page and listed
    assert ben.words.count("Nobody.") == 2


async def test_lists_leave_out_and_threads_fold_who_stands_at_a_distance(ward: Ward) -> None:
    topic = await ward.say(ward.ben, "How do you sleep?", title="Nights")
    await ward.say(ward.ana, "I do not.", to=topic)
    await ward.say(ward.ana, "Another one.", title="Days")
    ben, cy = await ward.browser("ben"), await ward.browser("ana")
    await ben.get("/people/ana")

    await ben.submit("distance", act="block")

    await ben.get("/groups/ward")
    in_group = ben.words
    await ben.get("/")
    caught_up = ben.words
    await ben.get("/search?q=not")
    found = ben.words
    await ben.get(page_of(topic))
    assert "Nights" in in_group and "Days" not in in_group
    assert "Days" not in caught_up and "Nights" not in caught_up
    assert "I do not" not in found
    assert "By somebody you keep at a distance" in ben.words and "I do not." in ben.words
    await cy.get("/groups/ward")  # Ana sees nothing of Ben in her lists, and is told nothing
    assert "Nights" not in cy.words and "Days" in cy.words
    await cy.get(page_of(topic))
    assert "How do you sleep?" in cy.words and "distance" not in cy.words


async def test_what_others_wrote_before_somebody_muted_is_still_new(ward: Ward) -> None:
    topic = await ward.say(ward.ben, "How do you sleep?", title="Nights")
    dora = await ward.lone.member("dora")
    await let_in(ward.lone, ward.group, dora)
    ben = await ward.browser("ben")
    await ben.get("/people/ana")
    await ben.submit("distance", act="mute")

    await ward.say(ward.ana, "Not at all.", to=topic)
    await ben.get("/")
    muted_alone = "Nights" in ben.words
    await ward.say(dora, "Well.", to=topic)
    await ward.say(ward.ana, "Really?", to=topic)
    await ben.get("/")

    assert not muted_alone
    assert "Nights" in ben.words and "1 new" in ben.words


async def test_a_mute_that_spares_notices_leaves_them(ward: Ward) -> None:
    ben = await ward.browser("ben")
    await ben.get("/people/ana")
    await ben.submit("distance", act="mute", notices=None)
    await ward.say(ward.ana, "@ben see here", title="Days")
    await ben.get("/notifications")
    spared = "Ana named you" in ben.words

    await ben.get("/people/ana")
    await ben.submit("distance", act="unmute")
    await ben.get("/people/ana")
    await ben.submit("distance", act="mute", notices="1")
    await ben.get("/notifications")

    assert spared
    assert "Ana named you" not in ben.words

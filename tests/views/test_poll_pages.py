"""Polls on pages: asked when writing, voted on in the thread, the result, the end; in English and in German."""

from __future__ import annotations

from typing import Any

import pytest

from node.community.polls.keeping import PollKeeper
from node.community.polls.service import vote
from node.community.posts.model import Posted
from node.community.posts.service import create_post, withdraw_post
from node.domain.polls import NewPoll
from node.domain.posts import Draft
from node.foundation.errors import Conflict, Invalid, NotFound
from tests.support.browser_form import Browser
from tests.support.clock import FrozenClock
from tests.support.group_life import let_in
from tests.support.reading_room import Ward, page_of

_HOUR = 3600


async def _ask(ward: Ward, **more: Any) -> Posted:
    """Let Ana ask whether nights should change."""
    poll = NewPoll(**{"answers": ("Yes", "No", "Undecided"), "lasts_seconds": _HOUR} | more)
    return await create_post(
        ward.lone.core,
        ward.lone.house.tables,
        author=ward.ana,
        group_id=ward.group.group_id,
        draft=Draft("Twelve-hour nights?", title="Nights", poll=poll),
    )


async def _vote(ward: Ward, posted: Posted, *places: int, by: str = "ben") -> None:
    await vote(ward.lone.core, voter=getattr(ward, by), post_id=posted.post_id, choices=places)


async def _open(ward: Ward, posted: Posted, handle: str = "ben") -> Browser:
    browser = await ward.browser(handle)
    await browser.get(page_of(posted))
    return browser


def _form(posted: Posted) -> str:
    return f"vote-{posted.uri.rpartition('/')[2]}"


async def test_a_poll_is_asked_when_writing_and_voted_on_in_its_thread(ward: Ward) -> None:
    ana = await ward.browser("ana")
    await ana.get("/groups/ward/write")
    asked = {"answers[]": ["Yes", "No"], "poll_lasts": "86400"}

    await ana.submit("write", title="Nights", text="Twelve hours?", **asked)
    token = ana.path.rpartition("/")[2].partition("#")[0]
    await ana.submit(f"vote-{token}", choice="1")

    assert ana.steps == [303, 200]
    assert "Your vote is counted." in ana.words
    assert "No Your choice 1 vote, 100 %" in ana.words
    assert "Yes 0 votes, 0 %" in ana.words
    assert "1 person has voted." in ana.words
    assert f'id="vote-{token}"' not in ana.text


async def test_a_look_beforehand_keeps_what_is_asked_and_so_does_the_draft(ward: Ward) -> None:
    ben = await ward.browser("ben")
    await ben.get("/groups/ward/write")
    asked = {"answers[]": ["Yes", "", "Not <yet>"], "poll_lasts": "3600", "poll_multiple": "1"}

    await ben.submit("write", text="Twelve hours?", action="preview", **asked)
    looked = ben.text
    await ben.get("/groups/ward/write")

    for page in (looked, ben.text):
        assert 'value="Yes"' in page and 'value="Not &lt;yet&gt;"' in page
        assert '<option value="3600" selected>' in page
        assert 'name="poll_multiple" value="1" checked' in page
    assert "<li>Not &lt;yet&gt;</li>" in looked


@pytest.mark.parametrize(
    ("answers", "sentence"),
    [
        (["Yes"], "A poll needs at least two answers to choose from."),
        (["Yes", "Yes"], "Two answers of this poll are the same."),
        (["Yes", "x" * 101], "An answer of a poll has at most 100 characters."),
    ],
)
async def test_what_cannot_be_asked_is_said_and_nothing_typed_is_lost(
    ward: Ward, answers: list[str], sentence: str
) -> None:
    ben = await ward.browser("ben")
    await ben.get("/groups/ward/write")

    await ben.submit("write", text="Twelve hours?", **{"answers[]": answers})

    assert ben.status == 422
    assert sentence in ben.words
    assert f'value="{answers[-1]}"' in ben.text


async def test_several_answers_are_chosen_where_that_is_asked_for(ward: Ward) -> None:
    posted = await _ask(ward, is_multiple=True)
    ben = await _open(ward, posted)

    await ben.submit(_form(posted), choice=["0", "2"])

    assert "Yes Your choice 1 vote, 100 %" in ben.words
    assert "Undecided Your choice 1 vote, 100 %" in ben.words
    assert "1 person has voted." in ben.words


async def test_without_a_choice_the_page_says_so_at_the_poll(ward: Ward) -> None:
    posted = await _ask(ward)
    ben = await _open(ward, posted)

    await ben.submit(_form(posted))

    assert ben.status == 422
    assert 'role="alert"' in ben.text
    assert "Please choose an answer first." in ben.words


async def test_a_hidden_result_shows_when_the_last_count_is_made(ward: Ward, clock: FrozenClock) -> None:
    posted, keeper = await _ask(ward, is_hidden=True), PollKeeper(ward.lone.core, ward.lone.house.tables)
    await _vote(ward, posted, 0, by="ana")
    before = (await _open(ward, posted)).words
    await _vote(ward, posted, 1)
    voted = (await _open(ward, posted)).words

    clock.advance(_HOUR)
    over = (await _open(ward, posted)).words
    clock.advance(60)
    await keeper.round()
    after = (await _open(ward, posted)).words

    for words in (before, voted, over):
        assert "vote, " not in words and "votes, " not in words
    assert "The result so far" not in before
    assert "The result shows when it has ended." in before
    assert "is on its way." in over
    assert "Yes 1 vote, 50 %" in after and "No Your choice 1 vote, 50 %" in after


async def test_a_poll_that_is_over_takes_no_vote(ward: Ward, clock: FrozenClock) -> None:
    posted = await _ask(ward)
    ben = await _open(ward, posted)

    clock.advance(_HOUR)
    await ben.submit(_form(posted), choice="0")

    assert ben.status == 422
    assert "This poll has ended." in ben.words
    assert _form(posted) not in ben.text


async def test_nobody_votes_twice_or_for_what_there_is_not(ward: Ward) -> None:
    posted, other = await _ask(ward), await _ask(ward)
    await _vote(ward, posted, 0)

    with pytest.raises(Conflict, match="before"):
        await _vote(ward, posted, 1)
    with pytest.raises(Invalid, match="no such answer"):
        await _vote(ward, other, 3)
    with pytest.raises(Invalid, match="One answer"):
        await _vote(ward, other, 0, 1)


async def test_t54_who_is_not_in_the_group_finds_no_poll(ward: Ward) -> None:
    posted = await _ask(ward)
    cy = await _open(ward, posted, "cy")

    with pytest.raises(NotFound):
        await _vote(ward, posted, 0, by="cy")

    assert cy.status == 404


async def test_who_came_after_a_poll_cannot_vote_where_history_begins_with_joining(ward: Ward) -> None:
    posted = await _ask(ward)
    await ward.lone.core.store.write(
        lambda tx: tx.run(
            "UPDATE groups SET history = 'since_join' WHERE group_id = :group_id", group_id=ward.group.group_id
        )
    )
    await let_in(ward.lone, ward.group, ward.cy)

    with pytest.raises(NotFound):
        await _vote(ward, posted, 0, by="cy")


async def test_a_poll_that_was_taken_back_shows_no_answer(ward: Ward) -> None:
    posted = await _ask(ward)
    await _vote(ward, posted, 0)

    await withdraw_post(ward.lone.core, ward.lone.house.tables, author=ward.ana, post_id=posted.post_id)

    ben = await _open(ward, posted)
    assert "Undecided" not in ben.text


async def test_a_poll_speaks_german_to_who_reads_german(ward: Ward) -> None:
    posted = await _ask(ward)
    ben = await ward.browser("ben")
    await ben.get("/me/settings")
    await ben.submit("settings", language="de")

    await ben.get(page_of(posted))
    asked = ben.words
    await ben.submit(_form(posted))

    assert "Wählen Sie eine Antwort" in asked and "Abstimmen" in asked
    assert "Bitte wählen Sie zuerst eine Antwort." in ben.words


async def test_another_reader_sees_their_own_form_and_not_somebody_elses(ward: Ward) -> None:
    posted = await _ask(ward)
    ana, ben = await _open(ward, posted, "ana"), await _open(ward, posted, "ben")

    tokens = [dict(browser.find_form(_form(posted)).pairs)["csrf"] for browser in (ana, ben)]

    assert tokens[0] != tokens[1]

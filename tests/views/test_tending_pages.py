"""Staff look after a thread by its pages: a summary, a topic of its own, a removal with its reason."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from tests.support.clock import FrozenClock
from tests.support.databases import Databases
from tests.support.reading_room import Ward, a_reading_room, page_of


@pytest.fixture
async def ward(databases: Databases, clock: FrozenClock) -> AsyncIterator[Ward]:
    async with a_reading_room(databases, clock) as made:
        yield made


async def test_a_summary_stands_at_the_head_of_its_thread_and_catch_up_says_what_it_covers(ward: Ward) -> None:
    topic = await ward.say(ward.ana, "What do you do at night?", title="Nights")
    for word in ("Sleep.", "Read.", "Walk."):
        await ward.say(ward.ana, word, to=topic)
    summary = await ward.say(ward.ana, "Most of us sleep; see [the study](https://doi.org/10.1000/182).", to=topic)
    await ward.say(ward.ana, "One more thing.", to=topic)
    ana, ben = await ward.browser("ana"), await ward.browser("ben")

    await ana.get(f"{page_of(summary)}/tend")
    await ana.submit("sum-up", act="sum-up")
    await ben.get("/")
    caught_up = ben.words
    await ben.get(page_of(topic))

    assert "6 new" in caught_up and "Ana’s summary covers the first 4." in caught_up
    assert "Summary by Ana" in ben.words
    await ben.get("/")
    assert "summary" not in ben.words


async def test_part_of_a_thread_becomes_a_topic_of_its_own_and_both_say_so(ward: Ward) -> None:
    topic = await ward.say(ward.ana, "What do you do at night?", title="Nights")
    aside = await ward.say(ward.ben, "And the rota?", to=topic)
    await ward.say(ward.ana, "It is a mess.", to=aside)
    ana, ben = await ward.browser("ana"), await ward.browser("ben")

    await ana.get(f"{page_of(aside)}/tend")
    await ana.submit("split", title="Who makes <the> rota?", act="split")
    await ben.get(page_of(topic))
    old = ben.words
    await ben.get(page_of(aside))
    new = ben.words
    await ben.get("/groups/ward")

    assert "Ana made 2 posts a topic of their own: Who makes <the> rota?" in old and "It is a mess." not in old
    assert "Who makes <the> rota?" in new and "Part of “Nights” before" in new and "It is a mess." in new
    assert "Who makes <the> rota?" in ben.words and "Nights" in ben.words


async def test_a_post_is_removed_with_a_reason_and_without_one_the_words_of_the_form_stay(ward: Ward) -> None:
    topic = await ward.say(ward.ben, "They are all fools.", title="Them")
    ana = await ward.browser("ana")
    await ana.get(f"{page_of(topic)}/tend")

    await ana.submit("remove-post", reason="  ", act="remove")
    refused = (ana.status, list(ana.page.alerts))
    await ana.submit("remove-post", reason="Contempt of colleagues", act="remove")
    await ana.get(page_of(topic))

    assert refused[0] == 422 and len(refused[1]) == 1
    assert "Contempt of colleagues" in ana.words and "fools" not in ana.words


async def test_a_split_without_a_title_is_refused_and_nothing_moves(ward: Ward) -> None:
    topic = await ward.say(ward.ana, "One", title="Rounds")
    answer = await ward.say(ward.ben, "Two", to=topic)
    ana = await ward.browser("ana")
    await ana.get(f"{page_of(answer)}/tend")

    await ana.submit("split", title=" ", act="split")

    assert ana.status == 422 and len(ana.page.alerts) == 1
    await ana.get(page_of(topic))
    assert "Two" in ana.words


async def test_members_without_a_role_find_nothing_to_look_after(ward: Ward) -> None:
    topic = await ward.say(ward.ana, "One", title="Rounds")
    ben = await ward.browser("ben")
    await ben.get(page_of(topic))
    offered, csrf = "Look after" in ben.words, ben.csrf

    await ben.get(f"{page_of(topic)}/tend")
    shown = ben.status
    await ben.post(f"{page_of(topic)}/tend", {"csrf": csrf, "act": "remove", "reason": "I dislike it."})

    assert not offered and (shown, ben.status) == (404, 404)

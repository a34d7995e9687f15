"""What a member hears of: a level for each group, threads they follow or have muted (P-22)."""

from __future__ import annotations

import re

import pytest

from node.community.groups.service import leave_group
from node.community.posts.tending import split_thread
from node.community.reading.following import set_levels
from tests.support.browser_form import Browser
from tests.support.group_life import make_group, put_out
from tests.support.reading_room import Ward, page_of

_FOLLOWED, _ALL = "wrote in a thread you follow", "wrote in a group you hear everything of"
_NOTICE = re.compile(r'<li class="row[^"]*">.*?<h2 class="row-title"><a href="([^"#]+)[^"]*">([^<]*)</a>', re.DOTALL)


async def _notices(browser: Browser) -> list[str]:
    """Return what the notices of somebody say, the newest first."""
    await browser.get("/notifications")
    return [words for _, words in _NOTICE.findall(browser.text)]


async def _level(ward: Ward, level: str) -> None:
    await set_levels(ward.lone.core, viewer=ward.ana, levels={ward.group.group_id: level})


async def test_a_thread_is_followed_from_ones_first_post_in_it_on(ward: Ward) -> None:
    ana, topic = await ward.browser("ana"), await ward.say(ward.ben, "How do you sleep?", title="Nights")
    before = await _notices(ana)

    first = await ward.say(ward.ben, "Nobody?", to=topic)
    unanswered = await _notices(ana)
    await ward.say(ward.ana, "Well.", to=topic)
    await ward.say(ward.ben, "Glad to hear.", to=first)
    await ward.say(ward.ben, "I do not.", to=first)

    assert before == unanswered == []
    assert await _notices(ana) == [f"Ben {_FOLLOWED}"]  # one for all that is new in a thread


async def test_following_by_the_button_begins_now_and_ends_with_it(ward: Ward) -> None:
    ana, topic = await ward.browser("ana"), await ward.say(ward.ben, "How do you sleep?", title="Nights")
    await ana.get(page_of(topic))

    await ana.submit("follow-thread", act="follow")
    followed = (ana.steps, "You follow this thread" in ana.words, await _notices(ana))
    await ward.say(ward.ben, "Nobody?", to=topic)
    told = await _notices(ana)
    await ana.get(page_of(topic))
    await ana.submit("follow-thread", act="none")
    await ward.say(ward.ben, "Really?", to=topic)

    assert followed == ([303, 200], True, [])
    assert told == [f"Ben {_FOLLOWED}"]
    assert await _notices(ana) == []


async def test_a_muted_thread_has_nothing_new_and_names_still_count(ward: Ward) -> None:
    ana, topic = await ward.browser("ana"), await ward.say(ward.ana, "How do you sleep?", title="Nights")
    await ana.get(page_of(topic))

    await ana.submit("follow-thread", act="mute")
    await ward.say(ward.ben, "Well.", to=topic)
    answered = await _notices(ana)
    await ana.get("/")
    caught_up = ana.words
    await ana.get("/groups")
    groups = ana.words
    await ward.say(ward.ana, "Still here.", to=topic)  # writing in it does not end that
    await ward.say(ward.ben, "@ana as you say", to=topic)

    assert answered == [] and "Nights" not in caught_up and "Nothing new" in groups
    assert await _notices(ana) == ["Ben named you"]
    assert "Nights" in ana.words  # among what was muted


async def test_at_the_level_of_everything_whatever_is_new_makes_a_notice(ward: Ward) -> None:
    ana, old = await ward.browser("ana"), await ward.say(ward.ben, "Earlier.", title="Earlier")
    await ana.get("/groups/ward")

    await ana.submit("group-level", level="all")
    nothing = await _notices(ana)
    await ward.say(ward.ben, "Well.", title="Nights")
    await ward.say(ward.ben, "A word.", to=old)

    assert ana.steps == [200] and nothing == []
    assert await _notices(ana) == [f"Ben {_ALL}"] * 2


async def test_a_quiet_group_is_in_no_catch_up_and_only_names_make_notices(ward: Ward) -> None:
    ana, topic = await ward.browser("ana"), await ward.say(ward.ana, "How do you sleep?", title="Nights")
    await _level(ward, "quiet")

    await ward.say(ward.ben, "Well.", to=topic)
    await ward.say(ward.ben, "@ana see here", title="Days")
    await ana.get("/")

    assert "Nights" not in ana.words and "Days" not in ana.words
    assert await _notices(ana) == ["Ben named you"]


async def test_the_usual_is_as_it_was(ward: Ward) -> None:
    ana = await ward.browser("ana")
    await _level(ward, "quiet")
    await _level(ward, "threads")

    await ward.say(ward.ben, "Well.", title="Nights")
    await ana.get("/")

    assert "Nights" in ana.words
    assert await _notices(ana) == []


async def test_all_levels_stand_on_the_page_of_notices_and_can_be_changed_there(ward: Ward) -> None:
    other = await make_group(ward.lone, "circle", ward.ana)
    ana, circle, here = await ward.browser("ana"), f"level-{other.group_id}", f"level-{ward.group.group_id}"
    await ana.get("/notifications")

    await ana.submit("levels", **{circle: "quiet", here: "all"})
    steps, chosen = ana.steps, dict(ana.find_form("levels").pairs)
    await ana.get("/groups/circle")

    assert steps == [303, 200]
    assert (chosen[circle], chosen[here]) == ("quiet", "all")
    assert dict(ana.find_form("group-level").pairs)["level"] == "quiet"


@pytest.mark.parametrize("level", ["loud", "", "threads'"])
async def test_a_level_that_is_none_changes_nothing(ward: Ward, level: str) -> None:
    ana = await ward.browser("ana")
    await ana.get("/groups/ward")
    csrf = ana.csrf

    await ana.post("/groups/ward/level", {"csrf": csrf, "level": level})
    by_group = ana.status
    await ana.post("/notifications", {"csrf": csrf, f"level-{ward.group.group_id}": level})

    assert (by_group, ana.status) == (422, 422)
    assert 'role="alert"' in ana.text
    assert dict(ana.find_form("levels").pairs)[f"level-{ward.group.group_id}"] == "threads"


async def test_t22_levels_and_threads_of_a_hidden_group_are_answered_like_absent_ones(ward: Ward) -> None:
    circle = await make_group(ward.lone, "circle", ward.ana, is_hidden=True)
    hidden = await ward.say(ward.ana, "Well.", title="Nights", group=circle)
    ben, answers = await ward.browser("ben"), []
    await ben.get("/groups/ward")
    csrf = ben.csrf

    for path in (
        "/groups/circle/level", "/groups/nothing/level", f"{page_of(hidden, 'circle')}/follow",
        f"{page_of(hidden, 'nothing')}/follow",
    ):  # fmt: skip
        await ben.post(path, {"csrf": csrf, "level": "all", "act": "follow"})
        answers.append((ben.status, ben.words))

    assert {status for status, _ in answers} == {404} and len(set(answers)) == 1


async def test_t15_who_has_left_chooses_nothing_and_hears_nothing_of_the_group(ward: Ward) -> None:
    topic = await ward.say(ward.ana, "How do you sleep?", title="Nights")
    await ward.say(ward.ben, "Well.", to=topic)
    ben = await ward.browser("ben")
    await ben.get("/groups/ward")
    await ben.submit("group-level", level="all")
    await ben.get("/groups/ward")
    csrf = ben.csrf

    await leave_group(ward.lone.core, ward.lone.house.tables, member=ward.ben, group_id=ward.group.group_id)
    await ward.say(ward.ana, "@ben are you there?", to=topic)
    await ben.post("/groups/ward/level", {"csrf": csrf, "level": "quiet"})
    status = ben.status

    assert status == 404
    assert await _notices(ben) == [] and "level-" not in ben.text


async def test_t15_a_notice_of_a_followed_thread_ends_with_membership(ward: Ward) -> None:
    topic = await ward.say(ward.ana, "How do you sleep?", title="Nights")
    await ward.say(ward.ben, "Well.", to=topic)
    await ward.say(ward.ana, "I see.", to=topic)
    ben = await ward.browser("ben")
    before = await _notices(ben)

    await put_out(ward.lone, ward.group, ward.ben)

    assert before == [f"Ana {_FOLLOWED}"]
    assert await _notices(ben) == []


async def test_a_part_that_becomes_a_thread_is_followed_and_muted_like_the_thread_it_was_in(ward: Ward) -> None:
    ana, topic = await ward.browser("ana"), await ward.say(ward.ben, "How do you sleep?", title="Nights")
    part = await ward.say(ward.ben, "And what of coffee?", to=topic)
    await ana.get(page_of(topic))
    await ana.submit("follow-thread", act="mute")
    core, tables = ward.lone.core, ward.lone.house.tables

    await split_thread(core, tables, staff=ward.ana, post_id=part.post_id, title="Coffee")
    await ward.say(ward.ben, "Three cups.", to=part)
    await ana.get(page_of(part))

    assert "You muted this thread" in ana.words

"""Catch-up, groups and threads: finite, unread first, and the same on every device of a member."""

from __future__ import annotations

import re

import pytest

from node.community.groups.service import leave_group
from node.community.posts.service import withdraw_post
from node.community.posts.tending import lock_thread, pin_post, remove_post
from node.community.reading.service import CATCH_UP_LIMIT
from node.store.engine import Tx
from node.store.threads import LIST_THREADS, PAGE_POSTS
from tests.support.browser_form import Browser
from tests.support.group_life import let_in, make_group, put_out
from tests.support.reading_room import THREAD_LINK, Ward, a_long_thread, page_of


def _titles(browser: Browser) -> list[str]:
    """Return the titles of the threads on a page, in order."""
    return [title for _, title in THREAD_LINK.findall(browser.text)]


def _numbers(browser: Browser) -> list[int]:
    """Return the numbers of the posts on a page of a thread."""
    return [int(found) for found in re.findall(r'id="p(\d+)"', browser.text)]


async def test_catch_up_ends_and_says_so(ward: Ward) -> None:
    for number in range(CATCH_UP_LIMIT):
        await ward.say(ward.ana, "Words", title=f"Title {number}")
    ben = await ward.browser("ben")

    await ben.get("/")

    assert _titles(ben) == [f"Title {number}" for number in reversed(range(CATCH_UP_LIMIT))]
    assert "7 threads with something new" in ben.words
    assert "You are caught up Nothing else is waiting." in ben.words


async def test_catch_up_shows_seven_and_says_where_the_rest_is(ward: Ward) -> None:
    for number in range(CATCH_UP_LIMIT + 3):
        await ward.say(ward.ana, "Words", title=f"Title {number}")
    ben = await ward.browser("ben")

    await ben.get("/")

    assert len(_titles(ben)) == CATCH_UP_LIMIT
    assert "That is enough for now The rest is in your groups" in ben.words
    assert "You are caught up" not in ben.words


async def test_catch_up_has_nothing_of_ones_own_and_nothing_twice(ward: Ward) -> None:
    own = await ward.say(ward.ben, "Mine", title="Mine")
    topic = await ward.say(ward.ana, "One", title="Hers")
    await ward.say(ward.ana, "Two", to=topic)
    ben = await ward.browser("ben")

    await ben.get("/")
    before = (_titles(ben), "2 new" in ben.words)
    await ward.say(ward.ana, "An answer", to=own)
    await ben.get("/")

    assert before == (["Hers"], True)
    assert _titles(ben) == ["Mine", "Hers"]


async def test_who_is_in_no_group_is_told_what_to_do(ward: Ward) -> None:
    await ward.say(ward.ana, "Words", title="Hers")
    cy = await ward.browser("cy")

    await cy.get("/")

    assert "Welcome, Cy" in cy.words and "You are in no group yet" in cy.words
    assert "Hers" not in cy.text


async def test_catch_up_of_many_groups_shows_the_newest_first(ward: Ward) -> None:
    circle = await make_group(ward.lone, "circle", ward.ana, is_hidden=True)
    await let_in(ward.lone, circle, ward.ben)
    for number in range(5):
        await ward.say(ward.ana, "Words", title=f"Ward {number}")
        await ward.say(ward.ana, "Words", title=f"Circle {number}", group=circle)
    ben = await ward.browser("ben")

    await ben.get("/")

    assert _titles(ben) == ["Circle 4", "Ward 4", "Circle 3", "Ward 3", "Circle 2", "Ward 2", "Circle 1"]


async def test_reading_moves_the_position_on_every_device(ward: Ward) -> None:
    first, second = [await ward.say(ward.ana, "Words", title=title) for title in ("One", "Two")]
    phone, desk = await ward.browser("ben"), await ward.browser("ben")
    await desk.get("/")
    before = _titles(desk)

    await phone.get(page_of(first))
    await desk.get("/")

    assert before == ["Two", "One"]
    assert _titles(desk) == ["Two"]
    await phone.get(page_of(second))
    await desk.get("/")
    assert "Nothing new since you were here" in desk.words


async def test_a_thread_says_where_one_stopped(ward: Ward) -> None:
    topic = await ward.say(ward.ana, "One", title="Rounds")
    ben = await ward.browser("ben")
    await ben.get(page_of(topic))
    await ward.say(ward.ana, "Two", to=topic)
    await ward.say(ward.ben, "Three, of mine", to=topic)
    await ward.say(ward.ana, "Four", to=topic)

    await ben.get(page_of(topic))
    again = await (await ward.browser("ben")).get(page_of(topic))

    assert "unread" in ben.page.ids
    assert ben.text.index('id="p1"') < ben.text.index('id="unread"') < ben.text.index('id="p2"')
    assert "2 new" in ben.words  # one's own words are not news
    assert b'id="unread"' not in again.body


@pytest.mark.parametrize(
    "headers", [{"sec_purpose": "prefetch"}, {"sec_purpose": "prefetch;prerender"}, {"purpose": "prefetch"}]
)
async def test_a_page_fetched_ahead_of_time_moves_no_position(ward: Ward, headers: dict[str, str]) -> None:
    topic = await ward.say(ward.ana, "One", title="Rounds")
    ben = await ward.browser("ben")

    await ben.get(page_of(topic), **headers)
    await ben.get("/")

    assert _titles(ben) == ["Rounds"]


async def test_marking_a_group_as_read_is_for_that_group(ward: Ward) -> None:
    circle = await make_group(ward.lone, "circle", ward.ana)
    await let_in(ward.lone, circle, ward.ben)
    await ward.say(ward.ana, "Words", title="In ward")
    await ward.say(ward.ana, "Words", title="In circle", group=circle)
    ben = await ward.browser("ben")
    await ben.get("/groups/circle")

    await ben.submit("/read", group=str(circle.group_id))
    place, words = ben.path, ben.words
    await ben.get("/")

    assert place == "/groups/circle" and "1 new" not in words
    assert _titles(ben) == ["In ward"]


async def test_marking_everything_as_read_leaves_nothing(ward: Ward) -> None:
    for number in range(CATCH_UP_LIMIT + 3):
        await ward.say(ward.ana, "Words", title=f"Title {number}")
    ben = await ward.browser("ben")
    await ben.get("/")

    await ben.submit("/read")
    words = ben.words
    await ward.say(ward.ana, "Words", title="After")
    await ben.get("/")

    assert "Nothing new since you were here" in words
    assert _titles(ben) == ["After"]


async def test_a_mark_for_a_group_one_is_not_in_marks_nothing(ward: Ward) -> None:
    circle = await make_group(ward.lone, "circle", ward.ana)
    await ward.say(ward.ana, "Words", title="In ward")
    ben = await ward.browser("ben")
    await ben.get("/")

    await ben.post("/read", {"csrf": ben.csrf, "group": str(circle.group_id), "back": "https://evil.example/"})

    assert (ben.path, _titles(ben)) == ("/", ["In ward"])


async def test_t22_a_hidden_group_is_answered_like_one_that_is_not_there(ward: Ward) -> None:
    circle = await make_group(ward.lone, "circle", ward.ana, is_hidden=True)
    inside = await ward.say(ward.ana, "Words", title="Secret", group=circle)
    ben = await ward.browser("ben")

    for tail in ("", "/write", "/join", "/members", "/requests", "/leave", f"/threads/{inside.uri[-26:]}"):
        hidden, absent = [await ben.get(f"/groups/{name}{tail}") for name in ("circle", "nothing")]

        assert (hidden.status, absent.status) == (404, 404), tail
        assert hidden.body == absent.body, tail
    await ben.get("/groups")
    assert "Circle" not in ben.words
    await (ana := await ward.browser("ana")).get("/groups")
    assert "Circle" in ana.words


async def test_t22_a_thread_is_read_in_its_own_group_only(ward: Ward) -> None:
    other = await make_group(ward.lone, "other", ward.ben)
    topic = await ward.say(ward.ana, "Words", title="In ward")
    ben = await ward.browser("ben")

    await ben.get(page_of(topic, "other"))

    assert ben.status == 404 and "In ward" not in ben.text
    assert other.group_id


async def test_t15_who_left_or_was_put_out_reads_no_more(ward: Ward) -> None:
    topic = await ward.say(ward.ana, "Words", title="In ward")
    ben = await ward.browser("ben")
    await ben.get(page_of(topic))
    inside = ben.status

    await leave_group(ward.lone.core, ward.lone.house.tables, member=ward.ben, group_id=ward.group.group_id)
    after = [(await ben.get(path)).status for path in (page_of(topic), "/groups/ward/write", "/")]
    catch_up = ben.text
    await let_in(ward.lone, ward.group, ward.ben)
    again = (await ben.get(page_of(topic))).status
    await put_out(ward.lone, ward.group, ward.ben)

    assert (inside, after, again) == (200, [404, 404, 200], 200)
    assert "In ward" not in catch_up
    assert (await ben.get(page_of(topic))).status == 404


async def test_a_removed_post_leaves_its_reason_and_a_withdrawn_one_a_line(ward: Ward) -> None:
    topic = await ward.say(ward.ana, "One", title="Rounds")
    rude = await ward.say(ward.ben, "A rude word", to=topic)
    rash = await ward.say(ward.ben, "A rash word", to=topic)
    core, tables = ward.lone.core, ward.lone.house.tables
    await remove_post(core, tables, staff=ward.ana, post_id=rude.post_id, reason="Contempt of a colleague")
    await withdraw_post(core, tables, author=ward.ben, post_id=rash.post_id)
    ben = await ward.browser("ben")

    await ben.get(page_of(topic))

    assert "Post 2 was removed by a moderator. Reason: Contempt of a colleague" in ben.words
    assert "Post 3 was withdrawn by its author." in ben.words
    assert "rude word" not in ben.text and "rash word" not in ben.text
    assert _numbers(ben) == [1, 2, 3]


async def test_a_thread_whose_first_post_was_taken_back_still_shows_its_answers(ward: Ward) -> None:
    topic = await ward.say(ward.ben, "One", title="Rounds of mine")
    await ward.say(ward.ana, "An answer", to=topic)
    await withdraw_post(ward.lone.core, ward.lone.house.tables, author=ward.ben, post_id=topic.post_id)
    ben = await ward.browser("ben")

    await ben.get("/groups/ward")
    listed = ben.words
    await ben.get(page_of(topic))

    assert "A thread whose first post was taken away" in listed and "Rounds of mine" not in listed
    assert "Post 1 was withdrawn by its author." in ben.words and "An answer" in ben.words


async def test_a_thread_of_a_hundred_posts_comes_in_parts(ward: Ward) -> None:
    topic = await a_long_thread(ward, 99)
    ben = await ward.browser("ben")

    await ben.get(page_of(topic))
    seen = [_numbers(ben)]
    while (later := [link for link in ben.page.links if "?after=" in link and "?after=0" not in link]) and len(
        seen
    ) < 9:
        await ben.get(later[0])
        seen.append(_numbers(ben))
    await ben.get(next(link for link in ben.page.links if "?before=" in link))

    assert [number for part in seen for number in part] == list(range(1, 101))
    assert [len(part) for part in seen] == [PAGE_POSTS, PAGE_POSTS, 100 - 2 * PAGE_POSTS]
    assert _numbers(ben) == list(range(41, 81))
    assert "Show 40 earlier posts" in ben.words


async def testa_long_thread_opens_where_one_stopped(ward: Ward) -> None:
    topic = await a_long_thread(ward, 59)
    ben = await ward.browser("ben")
    await ben.get(page_of(topic))
    later = next(link for link in ben.page.links if "?after=" in link and "?after=0" not in link)
    await ben.get(later)  # up to the sixtieth
    for number in range(61, 101):
        await ward.say(ward.ana, f"Word {number}.", to=topic)

    await ben.get("/")
    [link] = [link for link in ben.page.links if "/threads/" in link]
    await ben.get(link)

    assert link.endswith("#unread")
    assert "40 new" in ben.words
    assert _numbers(ben)[:2] == [60, 61]  # the last one read, and the first new one
    assert ben.text.index('id="p60"') < ben.text.index('id="unread"') < ben.text.index('id="p61"')
    assert "Show 59 earlier posts" in ben.words


async def test_looking_back_in_a_thread_does_not_move_the_position_back(ward: Ward) -> None:
    topic = await a_long_thread(ward, 99)
    ben = await ward.browser("ben")
    for after in range(3):
        await ben.get(page_of(topic) if not after else _later(ben))

    await ben.get(f"{page_of(topic)}?after=0")
    await ben.get("/")

    assert "Nothing new since you were here" in ben.words


def _later(browser: Browser) -> str:
    return next(link for link in browser.page.links if "?after=" in link and "?after=0" not in link)


async def test_a_group_lists_its_threads_in_parts_with_the_newest_first(ward: Ward) -> None:
    topics = [await ward.say(ward.ana, "Words", title=f"Title {number}") for number in range(LIST_THREADS + 5)]
    await ward.say(ward.ana, "Again", to=topics[0])
    await pin_post(ward.lone.core, ward.lone.house.tables, staff=ward.ana, post_id=topics[1].post_id, is_pinned=True)
    ben = await ward.browser("ben")

    await ben.get("/groups/ward")
    first = _titles(ben)
    await ben.get(next(link for link in ben.page.links if "?before=" in link))

    assert first[:3] == ["Title 1", "Title 0", f"Title {LIST_THREADS + 4}"]
    assert "That is everything." in ben.words
    assert {*first, *_titles(ben)} == {f"Title {number}" for number in range(LIST_THREADS + 5)}


async def test_a_closed_thread_says_so_and_has_no_form_for_members(ward: Ward) -> None:
    topic = await ward.say(ward.ana, "One", title="Rounds")
    await lock_thread(ward.lone.core, ward.lone.house.tables, staff=ward.ana, post_id=topic.post_id, is_locked=True)
    ben = await ward.browser("ben")

    await ben.get(page_of(topic))

    assert "This thread is closed." in ben.words
    assert [form for form in ben.page.forms if form.has("text")] == []


async def test_an_answer_to_a_post_that_is_not_here_says_so(ward: Ward) -> None:
    answer = await ward.say(ward.ana, "I disagree.")
    await ward.lone.core.store.write(_lose_parent, answer.post_id)
    ben = await ward.browser("ben")

    await ben.get(page_of(answer))

    assert "Answers an earlier post that is not here. I disagree." in ben.words


async def _lose_parent(tx: Tx, post_id: int) -> None:
    await tx.run(
        "UPDATE posts SET in_reply_to = 'https://b.example/posts/lost' WHERE post_id = :post_id", post_id=post_id
    )

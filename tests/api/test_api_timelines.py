"""Home and the groups' lists: what stands in them, in which order, and how an app walks through them."""

from __future__ import annotations

from typing import Any

from node.community.groups.service import leave_group
from tests.support.practice import Practice, words

HOME = "/api/v1/timelines/home"


async def test_home_shows_a_topic_once_as_the_groups_sharing_of_a_private_post(practice: Practice) -> None:
    posted = await practice.say(practice.ana, "@ward Good morning")

    home = (await practice.ben.get(HOME)).json

    (shared,) = home
    assert (shared["account"]["acct"], shared["account"]["group"]) == ("ward", True)
    assert (shared["reblog"]["id"], shared["reblog"]["account"]["acct"]) == (posted["id"], "ana")
    assert shared["visibility"] == shared["reblog"]["visibility"] == "private"
    assert shared["id"] != shared["reblog"]["id"]


async def test_home_never_shows_answers(practice: Practice) -> None:
    topic = await practice.say(practice.ana, "@ward Question")
    await practice.say(practice.ben, "@ward Answer", in_reply_to_id=topic["id"])

    home = await practice.ana.get(HOME)

    assert words(home) == ["@ward Question"]
    assert home.json[0]["reblog"]["replies_count"] == 1


async def test_home_of_somebody_in_no_group_is_empty(practice: Practice) -> None:
    await practice.say(practice.ana, "@ward Hello")

    home = await practice.cy.get(HOME)

    assert (home.status, home.json, "link" in home.headers) == (200, [], False)


async def test_home_shows_no_private_messages(practice: Practice) -> None:
    await practice.say(practice.ana, "@ben a word in private", visibility="direct")

    assert (await practice.ben.get(HOME)).json == []
    assert (await practice.ana.get(HOME)).json == []


async def test_home_merges_groups_newest_first(practice: Practice) -> None:
    for handle in ("night", "rota"):
        await practice.group(handle, practice.ben)
    said = [
        await practice.say(practice.ana, f"@{handle} {n}") for n in range(4) for handle in ("ward", "night", "rota")
    ]

    home = await practice.ben.get(f"{HOME}?limit=5")

    assert [each["reblog"]["id"] for each in home.json] == [each["id"] for each in reversed(said)][:5]


async def test_an_app_walks_home_to_the_end_by_the_links_and_meets_each_topic_once(practice: Practice) -> None:
    said = await _say_unevenly(practice)

    met, target = [], f"{HOME}?limit=4"
    while target:
        page = await practice.ben.get(target)
        met += words(page)
        target = page.links.get("next", "")

    assert met == said[::-1]


async def test_an_app_walks_home_upwards_by_min_id_without_a_gap(practice: Practice) -> None:
    said = await _say_unevenly(practice)
    oldest = (await practice.ben.get(f"{HOME}?limit=40")).json[-1]["id"]

    met, cursor = [], oldest
    while page := await practice.ben.get(f"{HOME}?limit=3&min_id={cursor}"):
        if not page.json:
            break
        met += words(page)[::-1]
        cursor = page.json[0]["id"]

    assert met == said[1:]


async def test_since_id_gives_the_newest_and_min_id_the_next(practice: Practice) -> None:
    said = [await practice.say(practice.ana, f"@ward {n}") for n in range(5)]
    first = said[0]["id"]

    newest = await practice.ben.get(f"{HOME}?limit=2&since_id={first}")
    following = await practice.ben.get(f"{HOME}?limit=2&min_id={first}")

    assert words(newest) == ["@ward 4", "@ward 3"]
    assert words(following) == ["@ward 2", "@ward 1"]


async def test_a_cursor_may_be_the_id_of_the_post_or_of_its_sharing(practice: Practice) -> None:
    for n in range(3):
        await practice.say(practice.ana, f"@ward {n}")
    middle = (await practice.ben.get(HOME)).json[1]

    by_shared = await practice.ben.get(f"{HOME}?max_id={middle['id']}")
    by_post = await practice.ben.get(f"{HOME}?max_id={middle['reblog']['id']}")

    assert words(by_shared) == words(by_post) == ["@ward 0"]


async def test_links_name_the_public_address_and_the_page_asked_for(practice: Practice) -> None:
    for n in range(3):
        await practice.say(practice.ana, f"@ward {n}")

    page = await practice.ben.get(f"{HOME}?limit=2")

    first, last = page.json[0]["id"], page.json[-1]["id"]
    assert page.headers["link"] == (
        f'<https://home.example{HOME}?limit=2&max_id={last}>; rel="next", '
        f'<https://home.example{HOME}?limit=2&min_id={first}>; rel="prev"'
    )


async def test_a_page_has_twenty_posts_unless_told_otherwise_and_at_most_forty(practice: Practice) -> None:
    for n in range(41):
        await practice.say(practice.ana, f"@ward {n}")
    wanted = {"limit=100": 40, "limit=0": 1, "limit=-1": 20, "limit=x": 20, "": 20, "limit=40": 40}

    got = {query: len((await practice.ben.get(f"{HOME}?{query}")).json) for query in wanted}

    assert got == wanted


async def test_nothing_is_older_than_the_first_post(practice: Practice) -> None:
    await practice.say(practice.ana, "@ward Hello")

    assert [(await practice.ben.get(f"{HOME}?max_id={number}")).json for number in (0, 1)] == [[], []]


async def test_a_cursor_that_means_nothing_or_an_end_is_no_mistake(practice: Practice) -> None:
    await practice.say(practice.ana, "@ward Hello")

    for cursor in ("max_id=x", "since_id=-5", "min_id=0", f"max_id={10**30}", "max_id=", "since_id=%00"):
        assert words(await practice.ben.get(f"{HOME}?{cursor}")) == ["@ward Hello"], cursor


async def test_leaving_a_group_takes_its_posts_from_home_at_once(practice: Practice) -> None:
    kept = await practice.group("night", practice.ben)
    posted = await practice.say(practice.ana, "@ward Gone")
    await practice.say(practice.ana, "@night Kept")

    await _leave(practice, practice.ben)

    assert words(await practice.ben.get(HOME)) == ["@night Kept"]
    assert (await practice.ben.get(f"/api/v1/statuses/{posted['id']}")).status == 404
    assert (await practice.ben.get(f"/api/v1/statuses/{posted['id']}/context")).status == 404
    assert (await practice.ben.get(f"/api/v1/timelines/list/g{practice.ward.group_id}")).status == 404
    assert [each["id"] for each in (await practice.ben.get("/api/v1/lists")).json] == [f"g{kept.group_id}"]


async def test_whoever_joins_a_group_without_its_past_reads_only_what_comes(practice: Practice) -> None:
    rota = await practice.group("rota", history="since_join")
    before = await practice.say(practice.ana, "@rota Before")
    await practice.join(rota, practice.ben)
    await practice.say(practice.ana, "@rota After")

    assert words(await practice.ben.get(HOME)) == ["@rota After"]
    assert (await practice.ben.get(f"/api/v1/statuses/{before['id']}")).status == 404


async def test_an_answer_to_a_post_before_ones_time_does_not_name_it(practice: Practice) -> None:
    rota = await practice.group("rota", history="since_join")
    before = await practice.say(practice.ana, "@rota Before")
    await practice.join(rota, practice.ben)
    answer = await practice.say(practice.ana, "After", in_reply_to_id=before["id"])

    seen = (await practice.ben.get(f"/api/v1/statuses/{answer['id']}")).json

    assert (seen["in_reply_to_id"], seen["in_reply_to_account_id"]) == (None, None)


async def test_a_withdrawn_topic_leaves_home(practice: Practice) -> None:
    posted = await practice.say(practice.ana, "@ward Gone")
    await practice.say(practice.ana, "@ward Kept")

    await practice.ana.delete(f"/api/v1/statuses/{posted['id']}")

    assert words(await practice.ben.get(HOME)) == ["@ward Kept"]


async def test_there_is_one_list_per_group_and_none_for_its_staff(practice: Practice) -> None:
    night = await practice.group("night", practice.ben)

    lists = (await practice.ana.get("/api/v1/lists")).json

    assert [(each["id"], each["title"]) for each in lists] == [
        (f"g{night.group_id}", "Night"),
        (f"g{practice.ward.group_id}", "Ward"),
    ]


async def test_a_list_shows_one_group(practice: Practice) -> None:
    await practice.group("night", practice.ben)
    await practice.say(practice.ana, "@ward Here")
    await practice.say(practice.ana, "@night There")

    shown = await practice.ben.get(f"/api/v1/timelines/list/g{practice.ward.group_id}")

    assert words(shown) == ["@ward Here"]
    assert f"/api/v1/timelines/list/g{practice.ward.group_id}?" in shown.headers["link"]


async def test_a_list_that_is_none_is_absent(practice: Practice) -> None:
    for list_id in ("g1", "1", "g", "x", "g-1", f"g{2**63}", "g%00"):
        assert (await practice.ben.get(f"/api/v1/timelines/list/{list_id}")).status == 404, list_id


async def test_home_visits_no_more_groups_than_it_must(practice: Practice) -> None:
    for n in range(6):
        await practice.group(f"quiet_{n}", practice.ben)
        await practice.say(practice.ana, f"@quiet_{n} Hello")
    for n in range(3):
        await practice.say(practice.ana, f"@ward {n}")
    counts = practice.lone.core.store.counts
    await practice.ben.get(HOME)  # that the token is used is noted once for a while

    before = counts.statements
    short = await practice.ben.get(f"{HOME}?limit=3")
    between = counts.statements
    await practice.ben.get(f"{HOME}?limit=9")
    after = counts.statements

    assert words(short) == ["@ward 2", "@ward 1", "@ward 0"]
    assert (after - between) - (between - before) == 6


async def _say_unevenly(practice: Practice) -> list[str]:
    """Let Ana write in three groups, now more in one, now in another; return what she said, the oldest first."""
    for handle in ("night", "rota"):
        await practice.group(handle, practice.ben)
    handles = ["ward", "ward", "night", "rota", "ward", "ward", "ward", "rota", "night", "ward", "ward", "rota", "rota"]
    said: list[Any] = [f"@{handle} {n}" for n, handle in enumerate(handles)]
    for text in said:
        await practice.say(practice.ana, text)
    return said


async def _leave(practice: Practice, phone: Any) -> None:
    house = practice.lone.house
    await leave_group(house.core, house.tables, member=phone.member, group_id=practice.ward.group_id)

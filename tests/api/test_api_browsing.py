"""What stands on the pages of people and groups, in the list of everything, and under a tag."""

from __future__ import annotations

import re
from typing import Any

from node.community.groups.service import leave_group
from node.community.posts.service import withdraw_post
from tests.support.group_life import put_out
from tests.support.phone import Phone
from tests.support.practice import Practice, words

ACCOUNTS = "/api/v1/accounts"
PUBLIC = "/api/v1/timelines/public"
TAG = "/api/v1/timelines/tag"


def plain(statuses: list[dict[str, Any]]) -> list[str]:
    """Return the words of statuses, shared ones or not."""
    return [re.sub(r"<[^>]*>", "", (each["reblog"] or each)["content"]).strip() for each in statuses]


def _page_of(phone: Phone) -> str:
    return f"{ACCOUNTS}/{phone.member.actor_id}/statuses"


async def test_a_groups_page_shows_its_topics_as_its_sharings_whatever_is_said_of_reblogs(practice: Practice) -> None:
    topic = await practice.say(practice.ana, "@ward Topic")
    await practice.say(practice.ben, "Answer", in_reply_to_id=topic["id"])
    page = f"{ACCOUNTS}/{practice.ward.group_id}/statuses"

    for query in ("", "?exclude_reblogs=true", "?exclude_replies=true&exclude_reblogs=1"):
        shown = await practice.ben.get(page + query)
        assert words(shown) == ["@ward Topic"], query
        assert [each["account"]["acct"] for each in shown.json] == ["ward"]
    with_answers = (await practice.ben.get(f"{page}?exclude_replies=false")).json

    assert plain(with_answers) == ["Answer", "@ward Topic"]
    assert [each["account"]["acct"] for each in with_answers] == ["ben", "ward"]


async def test_a_groups_page_shows_an_outsider_nothing(practice: Practice) -> None:
    await practice.say(practice.ana, "@ward Topic")

    shown = await practice.cy.get(f"{ACCOUNTS}/{practice.ward.group_id}/statuses?exclude_replies=false")
    pinned = await practice.cy.get(f"{ACCOUNTS}/{practice.ward.group_id}/statuses?pinned=true")

    assert (shown.status, shown.json, pinned.json) == (200, [], [])


async def test_a_persons_page_shows_what_they_wrote_in_groups_that_the_reader_is_in(practice: Practice) -> None:
    night = await practice.group("night", practice.ben)
    topic = await practice.say(practice.ana, "@ward Seen")
    await practice.say(practice.ana, "@ben between us", visibility="direct")
    await practice.say(practice.ana, "Answered", in_reply_to_id=topic["id"])
    await practice.say(practice.ana, "@night Unseen")
    await leave_group(
        practice.lone.core, practice.lone.house.tables, member=practice.ben.member, group_id=night.group_id
    )

    shown = (await practice.ben.get(_page_of(practice.ana))).json
    topics = (await practice.ben.get(f"{_page_of(practice.ana)}?exclude_replies=true")).json

    assert plain(shown) == ["Answered", "@ward Seen"]
    assert [each["account"]["acct"] for each in shown] == ["ana", "ana"]
    assert plain(topics) == ["@ward Seen"]
    assert (await practice.cy.get(_page_of(practice.ana))).json == []
    assert (await practice.ben.get(f"{_page_of(practice.ana)}?pinned=true")).json == []


async def test_what_is_pinned_stands_on_the_groups_page_for_members(practice: Practice) -> None:
    topic = await practice.say(practice.ben, "@ward Rules")
    await practice.say(practice.ben, "@ward Later")

    pinned = await practice.ana.post(f"/api/v1/statuses/{topic['id']}/pin")
    refused = await practice.ben.post(f"/api/v1/statuses/{topic['id']}/pin")
    shown = await practice.ben.get(f"{ACCOUNTS}/{practice.ward.group_id}/statuses?pinned=true")

    assert (pinned.status, pinned.json["pinned"]) == (200, True)
    assert (refused.status, "staff" in refused.json["error"] or "owner" in refused.json["error"]) == (403, True)
    assert words(shown) == ["@ward Rules"]
    assert (await practice.ana.post(f"/api/v1/statuses/{topic['id']}/unpin")).json["pinned"] is False
    assert (await practice.ben.get(f"{ACCOUNTS}/{practice.ward.group_id}/statuses?pinned=true")).json == []


async def test_what_staff_pinned_stands_for_who_keeps_its_author_away_too(practice: Practice) -> None:
    topic = await practice.say(practice.ana, "@ward Rules")
    await practice.ana.post(f"/api/v1/statuses/{topic['id']}/pin")
    blocked = await practice.ben.post(f"{ACCOUNTS}/{practice.ana.member.actor_id}/block")

    page = f"{ACCOUNTS}/{practice.ward.group_id}/statuses"

    assert blocked.json["blocking"] is True
    assert words(await practice.ben.get(page)) == []
    assert words(await practice.ben.get(f"{page}?pinned=true")) == ["@ward Rules"]


async def test_public_is_all_that_the_reader_may_see_and_nothing_for_who_is_in_no_group(practice: Practice) -> None:
    for n in range(3):
        await practice.say(practice.ana, f"@ward {n}")

    shown = await practice.ben.get(f"{PUBLIC}?limit=2")
    following = await practice.ben.get(shown.links["next"])

    assert plain(shown.json) == ["@ward 2", "@ward 1"]
    assert [each["reblog"] for each in shown.json] == [None, None]
    assert plain(following.json) == ["@ward 0"]
    assert plain((await practice.ben.get(f"{PUBLIC}?local=true")).json) == ["@ward 2", "@ward 1", "@ward 0"]
    assert (await practice.ben.get(f"{PUBLIC}?remote=true")).json == []
    assert (await practice.ben.get(f"{PUBLIC}?only_media=true")).json == []
    assert (await practice.cy.get(PUBLIC)).json == []
    assert (await practice.nobody.get(PUBLIC)).status == 401


async def test_a_tag_is_found_by_its_whole_name_in_any_case(practice: Practice) -> None:
    for text in (
        "@ward About #NightShift",
        "@ward nightshift, no mark",
        "@ward #nightshifts",
        "@ward #nightshift &amp;",
    ):
        await practice.say(practice.ana, text)

    shown = await practice.ben.get(f"{TAG}/NIGHTSHIFT?limit=1")
    following = await practice.ben.get(shown.links["next"])
    on_page = await practice.ben.get(f"{_page_of(practice.ana)}?tagged=nightshift")

    assert "#nightshift" in plain(shown.json)[0]
    assert plain(following.json) == ["@ward About #NightShift"]
    assert [tag["name"] for tag in following.json[0]["tags"]] == ["nightshift"]
    assert 'rel="tag">#<span>NightShift</span></a>' in following.json[0]["content"]
    assert len(on_page.json) == 2
    assert (await practice.cy.get(f"{TAG}/nightshift")).json == []
    assert (await practice.ben.get(f"{TAG}/%20")).status == 404
    upwards = await practice.ben.get(f"{TAG}/nightshift?min_id={following.json[0]['id']}")
    assert [each["id"] for each in upwards.json] == [shown.json[0]["id"]]


async def test_a_tag_can_be_looked_at_and_not_be_followed(practice: Practice) -> None:
    tag = (await practice.ben.get("/api/v1/tags/Rota")).json

    assert (tag["name"], tag["following"], tag["url"]) == ("rota", False, "https://home.example/search?q=%23rota")
    assert (await practice.ben.post("/api/v1/tags/rota/follow")).status == 422
    assert (await practice.ben.post("/api/v1/tags/rota/unfollow")).status == 200


async def test_t27_who_was_put_out_finds_nothing_of_the_group_by_any_way(practice: Practice) -> None:
    said = await practice.say(practice.ana, "@ward Canary #canary")
    ward = f"{ACCOUNTS}/{practice.ward.group_id}"
    ways = (
        _page_of(practice.ana), f"{ward}/statuses", f"{ward}/statuses?pinned=true", f"{ward}/followers", PUBLIC,
        f"{TAG}/canary", "/api/v2/search?q=canary&type=statuses", "/api/v1/lists",
        f"{_page_of(practice.ana)}?tagged=canary",
    )  # fmt: skip
    before = {way: (await practice.ben.get(way)).body for way in ways}
    await put_out(practice.lone, practice.ward, practice.ben.member)

    after = {way: await practice.ben.get(way) for way in ways}

    assert {way for way, body in before.items() if b"anary" in body} >= {
        PUBLIC,
        f"{TAG}/canary",
        _page_of(practice.ana),
    }
    for way, reply in after.items():
        assert reply.json in ([], {"accounts": [], "statuses": [], "hashtags": []}), way
    for rest in ("history", "favourited_by", "reblogged_by", "source"):
        assert (await practice.ben.get(f"/api/v1/statuses/{said['id']}/{rest}")).status == 404, rest


async def test_t30_what_was_taken_back_stands_in_no_list_and_has_no_history(practice: Practice) -> None:
    said = await practice.say(practice.ana, "@ward Regret #regret")
    await practice.ana.put(f"/api/v1/statuses/{said['id']}", {"status": "@ward Less regret #regret"})
    await withdraw_post(
        practice.lone.core, practice.lone.house.tables, author=practice.ana.member, post_id=int(said["id"]) >> 1
    )

    for way in (_page_of(practice.ana), f"{ACCOUNTS}/{practice.ward.group_id}/statuses", PUBLIC, f"{TAG}/regret"):
        assert (await practice.ben.get(way)).json == [], way
    for phone in (practice.ana, practice.ben):
        assert (await phone.get(f"/api/v1/statuses/{said['id']}/history")).status == 404

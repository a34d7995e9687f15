"""What an app is told: types, pages, what is dismissed, and what may not be told any more (T15, T26, T27, T30)."""

from __future__ import annotations

from typing import Any

import pytest

from node.community.groups.reports import report_post
from node.community.groups.service import join_group, leave_group
from node.community.groups.staff import decide_request
from node.community.members.service import suspend_member
from node.community.posts.service import withdraw_post
from node.community.posts.sweeping import KEPT
from node.community.reading.following import set_following, set_levels
from node.domain.notifications import TYPES
from tests.support.api_watch import find_entity_faults
from tests.support.clock import FrozenClock
from tests.support.group_life import put_out
from tests.support.phone import Phone, Reply
from tests.support.practice import Practice

NOTIFICATIONS = "/api/v1/notifications"


def _said(reply: Reply) -> list[tuple[str, str, str]]:
    """Return (type, whose doing, what the status says) of each."""
    assert reply.status == 200, reply.body
    return [
        (each["type"], each["account"]["acct"], _words(each["status"]) if "status" in each else "")
        for each in reply.json
    ]


def _words(status: Any) -> str:
    return str(status["content"]).strip().removeprefix("<p>").removesuffix("</p>")


async def _told(phone: Phone, query: str = "") -> list[tuple[str, str, str]]:
    return _said(await phone.get(f"{NOTIFICATIONS}{query}"))


async def test_being_named_being_answered_and_a_private_message_are_mentions(practice: Practice) -> None:
    topic = await practice.say(practice.ana, "@ward Question")

    await practice.say(practice.ben, "@ward @ana look here")
    await practice.say(practice.ben, "Answer", in_reply_to_id=topic["id"])
    await practice.say(practice.ben, "@ana a word", visibility="direct")

    reply = await practice.ana.get(NOTIFICATIONS)
    assert _said(reply) == [
        ("mention", "ben", "@ana a word"), ("mention", "ben", "Answer"), ("mention", "ben", "@ward @ana look here"),
    ]  # fmt: skip
    assert [each["status"]["visibility"] for each in reply.json] == ["direct", "private", "private"]
    assert [fault for each in reply.json for fault in find_entity_faults(each, "Notification")] == []
    assert await _told(practice.ben) == []


async def test_a_post_that_names_and_answers_somebody_is_told_once(practice: Practice) -> None:
    topic = await practice.say(practice.ana, "@ward Question")

    await practice.say(practice.ben, "@ana Answer", in_reply_to_id=topic["id"])

    assert len(await _told(practice.ana)) == 1


async def test_of_a_followed_thread_the_newest_post_stands_in_the_list(practice: Practice) -> None:
    topic = await practice.say(practice.ben, "@ward Question")
    await practice.say(practice.ana, "Well.", in_reply_to_id=topic["id"])

    for text in ("One.", "Two."):
        await practice.say(practice.ben, text, in_reply_to_id=topic["id"])

    assert await _told(practice.ana) == [("status", "ben", "Two.")]


async def test_where_everything_is_wanted_each_thread_is_told_by_its_newest_post(practice: Practice) -> None:
    core, here = practice.lone.core, {practice.ward.group_id: "all"}
    await set_levels(core, viewer=practice.ana.member, levels=here)

    first = await practice.say(practice.ben, "@ward First")
    await practice.say(practice.ben, "@ward Second")
    await practice.say(practice.ben, "More", in_reply_to_id=first["id"])

    assert await _told(practice.ana) == [("status", "ben", "More"), ("status", "ben", "@ward Second")]


async def test_a_post_that_was_answered_and_then_changed_is_told_to_whoever_answered(practice: Practice) -> None:
    topic = await practice.say(practice.ana, "@ward Dose: 5 mg")
    await practice.say(practice.ben, "Thank you.", in_reply_to_id=topic["id"])

    for dose in ("6", "7"):
        await practice.ana.put(f"/api/v1/statuses/{topic['id']}", {"status": f"@ward Dose: {dose} mg"})

    assert await _told(practice.ben) == [("update", "ana", "@ward Dose: 7 mg")]


async def test_staff_are_told_of_a_request_until_it_is_decided(practice: Practice) -> None:
    rota = await practice.group("rota", policy="request")
    house = practice.lone.house
    await join_group(house.core, house.tables, member=practice.cy.member, group_uri=rota.uri, reason="nights")
    asked = await practice.ana.get(NOTIFICATIONS)

    await decide_request(house.core, house.tables, staff=practice.ana.member, group_id=rota.group_id,
                         actor_id=practice.cy.member.actor_id, approve=True, note="", by="ana")  # fmt: skip

    assert _said(asked) == [("follow_request", "cy", "")]
    assert await _told(practice.ben) == await _told(practice.ana) == []


async def test_staff_are_told_of_a_report_and_nobody_else_is(practice: Practice) -> None:
    posted = await practice.say(practice.ana, "@ward Mr. N., born 1950")
    house = practice.lone.house

    await report_post(house.core, house.tables, reporter=practice.ben.member, group_id=practice.ward.group_id,
                      post_uri=posted["uri"], rule="patient", note="a name")  # fmt: skip

    (told,) = (await practice.ana.get(NOTIFICATIONS)).json
    assert (told["type"], told["account"]["acct"]) == ("admin.report", "ben")
    assert (told["report"]["comment"], told["report"]["status_ids"]) == ("a name", [posted["id"]])
    assert told["report"]["target_account"]["acct"] == "ana"
    assert (told["report"]["category"], len(told["report"]["rule_ids"])) == ("violation", 1)
    assert await _told(practice.ben) == await _told(practice.cy) == []


async def test_a_report_of_what_was_taken_away_since_is_of_the_group_and_not_of_who_reported(
    practice: Practice,
) -> None:
    posted = await practice.say(practice.ana, "@ward Mr. N., born 1950")
    house = practice.lone.house
    await report_post(house.core, house.tables, reporter=practice.ben.member, group_id=practice.ward.group_id,
                      post_uri=posted["uri"], rule="patient", note="a name")  # fmt: skip

    await practice.ana.send("DELETE", f"/api/v1/statuses/{posted['id']}")

    (told,) = (await practice.ana.get(NOTIFICATIONS)).json
    assert (told["account"]["acct"], told["report"]["target_account"]["acct"]) == ("ben", "ward")
    assert told["report"]["status_ids"] == []


async def test_types_can_be_asked_for_and_left_out_and_the_links_keep_them(practice: Practice) -> None:
    topic = await practice.say(practice.ben, "@ward Question")
    await practice.say(practice.ana, "Well.", in_reply_to_id=topic["id"])
    await practice.say(practice.ben, "@ana One", in_reply_to_id=topic["id"])
    await practice.say(practice.ben, "@ward @ana Two")
    await practice.say(practice.ben, "Three", in_reply_to_id=topic["id"])

    mentions = await practice.ana.get(f"{NOTIFICATIONS}?types[]=mention&limit=1")
    others = await practice.ana.get(f"{NOTIFICATIONS}?exclude_types[]=mention")
    next_page = await practice.ana.get(mentions.links["next"])

    assert [each[0] for each in _said(mentions)] == ["mention"]
    assert _said(others) == [("status", "ben", "Three")]
    assert [each[2] for each in _said(next_page)] == ["@ana One"]
    assert await _told(practice.ana, "?types[]=nothing") == []


async def test_they_can_be_asked_for_by_whose_doing_they_are(practice: Practice) -> None:
    await practice.join(practice.ward, practice.cy)
    for phone in (practice.ben, practice.cy):
        await practice.say(phone, "@ward @ana hello")

    by_cy = await _told(practice.ana, f"?account_id={practice.cy.member.actor_id}")

    assert [each[1] for each in by_cy] == ["cy"]
    assert await _told(practice.ana, "?account_id=x") == []


async def test_an_app_walks_to_the_end_by_the_links_and_back_up_by_min_id(practice: Practice) -> None:
    for n in range(7):
        await practice.say(practice.ben, f"@ward @ana {n}")
    texts = [f"@ward @ana {n}" for n in range(7)]

    met, target = [], f"{NOTIFICATIONS}?limit=3"
    while target:
        page = await practice.ana.get(target)
        met += [each[2] for each in _said(page)]
        target = page.links.get("next", "")
    oldest = (await practice.ana.get(NOTIFICATIONS)).json[-1]["id"]
    up = await _told(practice.ana, f"?min_id={oldest}&limit=2")

    assert met == texts[::-1]
    assert [each[2] for each in up] == ["@ward @ana 2", "@ward @ana 1"]


async def test_one_can_be_read_and_dismissed_and_all_can_be_cleared(practice: Practice) -> None:
    for n in range(3):
        await practice.say(practice.ben, f"@ward @ana {n}")
    ids = [each["id"] for each in (await practice.ana.get(NOTIFICATIONS)).json]

    one = await practice.ana.get(f"{NOTIFICATIONS}/{ids[0]}")
    dismissed = [await practice.ana.post(f"{NOTIFICATIONS}/{ids[0]}/dismiss"),
                 await practice.ana.post(f"{NOTIFICATIONS}/dismiss", {"id": ids[1]})]  # fmt: skip
    left = await _told(practice.ana)
    cleared = await practice.ana.post(f"{NOTIFICATIONS}/clear")

    assert one.json["id"] == ids[0] and _words(one.json["status"]) == "@ward @ana 2"
    assert [reply.json for reply in (*dismissed, cleared)] == [{}, {}, {}]
    assert [each[2] for each in left] == ["@ward @ana 0"]
    assert await _told(practice.ana) == []
    assert (await practice.ana.get(f"{NOTIFICATIONS}/{ids[2]}")).status == 404


async def test_t26_what_somebody_else_is_told_is_absent(practice: Practice) -> None:
    await practice.say(practice.ben, "@ward @ana hello")
    [number] = [each["id"] for each in (await practice.ana.get(NOTIFICATIONS)).json]

    for phone in (practice.ben, practice.cy):
        replies = [await phone.get(f"{NOTIFICATIONS}/{number}"), await phone.post(f"{NOTIFICATIONS}/{number}/dismiss")]
        absent = [await phone.get(f"{NOTIFICATIONS}/42"), await phone.post(f"{NOTIFICATIONS}/42/dismiss")]

        assert [(reply.status, reply.body) for reply in replies] == [(reply.status, reply.body) for reply in absent]
        assert {reply.status for reply in replies} == {404}
        await phone.post(f"{NOTIFICATIONS}/clear")
    assert len(await _told(practice.ana)) == 1


@pytest.mark.parametrize("ends", ["left", "put out"])
async def test_t27_after_leaving_a_group_nothing_of_it_is_told(practice: Practice, ends: str) -> None:
    topic = await practice.say(practice.ben, "@ward Question")
    await practice.say(practice.ana, "@ben Answer", in_reply_to_id=topic["id"])
    ids = [each["id"] for each in (await practice.ben.get(NOTIFICATIONS)).json]
    house, ben = practice.lone.house, practice.ben.member

    if ends == "left":
        await leave_group(house.core, house.tables, member=ben, group_id=practice.ward.group_id)
    else:
        await put_out(practice.lone, practice.ward, ben)
    await practice.say(practice.ana, "@ben still there?", in_reply_to_id=topic["id"])

    assert len(ids) == 1
    assert await _told(practice.ben) == []
    assert (await practice.ben.get(f"{NOTIFICATIONS}/{ids[0]}")).status == 404
    assert (await practice.ben.get(f"{NOTIFICATIONS}/unread_count")).json == {"count": 0}


async def test_t30_what_was_taken_back_is_told_no_more(practice: Practice) -> None:
    posted = await practice.say(practice.ben, "@ward @ana hello")
    before = await _told(practice.ana)

    await practice.ben.delete(f"/api/v1/statuses/{posted['id']}")

    assert len(before) == 1 and await _told(practice.ana) == []


async def test_t15_a_suspended_member_is_told_nothing(practice: Practice) -> None:
    await suspend_member(practice.lone.core, "ana", by="a test", reason="")

    await practice.say(practice.ben, "@ward @ana hello")

    rows = await practice.lone.core.store.read(lambda tx: tx.all("SELECT kind FROM notifications"))
    assert (rows, (await practice.ana.get(NOTIFICATIONS)).status) == ([], 401)


async def test_whoever_joins_later_is_told_nothing_of_what_was_before(practice: Practice) -> None:
    await practice.say(practice.ana, "@ward @cy welcome")

    await practice.join(practice.ward, practice.cy)

    assert await _told(practice.cy) == []


async def test_a_muted_thread_and_a_quiet_group_tell_only_of_ones_name(practice: Practice) -> None:
    core, group_id = practice.lone.core, practice.ward.group_id
    topic = await practice.say(practice.ana, "@ward Question")
    root_id = int(topic["id"]) >> 1

    await set_following(core, viewer=practice.ana.member, group_id=group_id, root_id=root_id, wanted="mute")
    for text in ("Answer", "@ana Answer"):
        await practice.say(practice.ben, text, in_reply_to_id=topic["id"])

    assert await _told(practice.ana) == [("mention", "ben", "@ana Answer")]


async def test_what_came_after_the_marker_is_counted(practice: Practice) -> None:
    for n in range(3):
        await practice.say(practice.ben, f"@ward @ana {n}")
    newest = (await practice.ana.get(NOTIFICATIONS)).json[0]["id"]
    before = (await practice.ana.get(f"{NOTIFICATIONS}/unread_count")).json

    marked = await practice.ana.post("/api/v1/markers", {"notifications[last_read_id]": newest})
    await practice.say(practice.ben, "@ward @ana once more")

    assert before == {"count": 3}
    assert marked.json["notifications"]["last_read_id"] == newest
    assert (await practice.ana.get(f"{NOTIFICATIONS}/unread_count")).json == {"count": 1}
    assert (await practice.ana.get(f"{NOTIFICATIONS}/unread_count?types[]=status")).json == {"count": 0}


async def test_a_post_that_went_while_it_was_answered_leaves_no_trace(practice: Practice) -> None:
    topic = await practice.say(practice.ana, "@ward Question")
    answer = await practice.say(practice.ben, "Answer", in_reply_to_id=topic["id"])
    house = practice.lone.house

    await withdraw_post(house.core, house.tables, author=practice.ben.member, post_id=int(answer["id"]) >> 1)

    assert await _told(practice.ana) == []


async def test_what_was_told_half_a_year_ago_goes(practice: Practice, clock: FrozenClock) -> None:
    await practice.say(practice.ben, "@ward @ana hello")
    sweeper = practice.lone.house.sweeper

    clock.advance(seconds=KEPT.total_seconds() - 1)
    early = await sweeper.sweep()
    clock.advance(seconds=2)

    assert (early, await sweeper.sweep(), await sweeper.sweep()) == (0, 1, 0)


def test_every_type_is_one_that_apps_know() -> None:
    known = {"mention", "status", "reblog", "follow", "follow_request", "favourite", "poll", "update", "admin.sign_up",
             "admin.report"}  # fmt: skip

    assert set(TYPES.values()) <= known

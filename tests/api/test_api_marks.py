"""Bookmarks, private thanks and muted threads in an app: the member's own, and gone with the right to read."""

from __future__ import annotations

from typing import Any

from node.community.groups.service import leave_group
from node.community.posts.tending import remove_post
from tests.support.phone import Phone
from tests.support.practice import Practice

STATUSES = "/api/v1/statuses"
LISTS = {"favourite": "/api/v1/favourites", "bookmark": "/api/v1/bookmarks"}


async def _mark(phone: Phone, act: str, status: Any) -> Any:
    reply = await phone.post(f"{STATUSES}/{status['id']}/{act}")
    assert reply.status == 200, reply.body
    return reply.json


async def _listed(phone: Phone, act: str) -> list[str]:
    reply = await phone.get(LISTS[act])
    assert reply.status == 200, reply.body
    return [each["id"] for each in reply.json]


async def test_what_was_marked_stands_in_its_list_and_carries_its_flag(practice: Practice) -> None:
    first = await practice.say(practice.ana, "@ward one")
    second = await practice.say(practice.ana, "@ward two")
    for act, flag in (("favourite", "favourited"), ("bookmark", "bookmarked")):
        await _mark(practice.ben, act, second)

        shown = await _mark(practice.ben, act, first)

        assert (shown["id"], shown[flag]) == (first["id"], True)
        assert await _listed(practice.ben, act) == [first["id"], second["id"]]  # what was marked last stands first
        home = (await practice.ben.get("/api/v1/timelines/home")).json
        assert [(each[flag], each["reblog"][flag]) for each in home] == [(True, True), (True, True)]


async def test_marking_twice_and_taking_back_twice_is_marking_once_and_taking_back_once(practice: Practice) -> None:
    posted = await practice.say(practice.ana, "@ward one")
    for act, flag in (("favourite", "favourited"), ("bookmark", "bookmarked")):
        await _mark(practice.ben, act, posted)
        await _mark(practice.ben, act, posted)

        listed = await _listed(practice.ben, act)
        taken_back = [await _mark(practice.ben, f"un{act}", posted) for _ in range(2)]

        assert listed == [posted["id"]]
        assert [each[flag] for each in taken_back] == [False, False]
        assert await _listed(practice.ben, act) == []


async def test_the_groups_sharing_is_marked_as_the_post_is(practice: Practice) -> None:
    posted = await practice.say(practice.ana, "@ward one")
    shared = (await practice.ben.get("/api/v1/timelines/home")).json[0]

    shown = await _mark(practice.ben, "bookmark", shared)

    assert (shown["id"], shown["bookmarked"], shown["reblog"]["bookmarked"]) == (shared["id"], True, True)
    assert await _listed(practice.ben, "bookmark") == [posted["id"]]


async def test_a_list_of_marks_is_paged_by_the_marks_and_not_by_the_posts(practice: Practice) -> None:
    posts = [await practice.say(practice.ana, f"@ward {number}") for number in range(5)]
    order = [posts[number]["id"] for number in (1, 3, 0, 4, 2)]
    for act, path in LISTS.items():
        for post_id in order:
            await _mark(practice.ben, act, {"id": post_id})

        first = await practice.ben.get(f"{path}?limit=2")
        second = await practice.ben.get(first.links["next"])
        third = await practice.ben.get(second.links["next"])
        back = await practice.ben.get(third.links["prev"])

        newest_first = order[::-1]
        assert [each["id"] for each in first.json] == newest_first[:2]
        assert [each["id"] for each in second.json] == newest_first[2:4]
        assert [each["id"] for each in third.json] == newest_first[4:]
        assert [each["id"] for each in back.json] == newest_first[2:4]


async def test_marks_are_the_members_own_and_nobody_is_shown_a_number(practice: Practice) -> None:
    posted = await practice.say(practice.ana, "@ward one")

    for act in LISTS:
        await _mark(practice.ben, act, posted)

    for phone in (practice.ana, practice.ben):
        seen = (await phone.get(f"{STATUSES}/{posted['id']}")).json
        assert (seen["favourites_count"], seen["reblogs_count"]) == (0, 0)
    at_ana = (await practice.ana.get(f"{STATUSES}/{posted['id']}")).json
    assert (at_ana["favourited"], at_ana["bookmarked"]) == (False, False)
    assert await _listed(practice.ana, "favourite") == await _listed(practice.ana, "bookmark") == []


async def test_who_thanked_is_told_to_the_author_alone(practice: Practice) -> None:
    posted = await practice.say(practice.ana, "@ward one")
    cy = practice.cy
    await practice.join(practice.ward, cy)
    await _mark(practice.ben, "favourite", posted)

    shown = {
        name: (await phone.get(f"{STATUSES}/{posted['id']}/favourited_by")).json
        for name, phone in (("ana", practice.ana), ("ben", practice.ben), ("cy", cy))
    }

    assert [each["acct"] for each in shown["ana"]] == ["ben"]
    assert shown["ben"] == shown["cy"] == []


async def test_nobody_thanks_themselves(practice: Practice) -> None:
    posted = await practice.say(practice.ben, "@ward one")

    refused = await practice.ben.post(f"{STATUSES}/{posted['id']}/favourite")

    assert (refused.status, refused.json["error"]) == (
        422,
        "These are your own words. Thanks are for somebody else's.",
    )
    assert (await _mark(practice.ben, "bookmark", posted))["bookmarked"] is True


async def test_a_private_message_can_be_marked_by_its_people(practice: Practice) -> None:
    message = await practice.say(practice.ana, "@ben one", visibility="direct")

    for act in LISTS:
        await _mark(practice.ben, act, message)
        assert await _listed(practice.ben, act) == [message["id"]]
        assert (await practice.cy.post(f"{STATUSES}/{message['id']}/{act}")).status == 404


async def test_t26_t27_marks_of_a_group_that_was_left_are_gone_and_come_back_with_the_member(
    practice: Practice,
) -> None:
    posted = await practice.say(practice.ana, "@ward one")
    for act in LISTS:
        await _mark(practice.ben, act, posted)
    house = practice.lone.house

    await leave_group(house.core, house.tables, member=practice.ben.member, group_id=practice.ward.group_id)

    for act in LISTS:
        assert await _listed(practice.ben, act) == []
        for doing in (act, f"un{act}"):
            assert (await practice.ben.post(f"{STATUSES}/{posted['id']}/{doing}")).status == 404
    await practice.join(practice.ward, practice.ben)
    for act in LISTS:
        assert await _listed(practice.ben, act) == [posted["id"]]


async def test_t30_marks_go_with_the_words(practice: Practice) -> None:
    withdrawn = await practice.say(practice.ana, "@ward one")
    removed = await practice.say(practice.ana, "@ward two")
    for status in (withdrawn, removed):
        for act in LISTS:
            await _mark(practice.ben, act, status)
    house = practice.lone.house

    await practice.ana.delete(f"{STATUSES}/{withdrawn['id']}")
    await remove_post(
        house.core, house.tables, staff=practice.ana.member, post_id=int(removed["id"]) // 2, reason="Off topic"
    )

    for act in LISTS:
        assert await _listed(practice.ben, act) == []


async def test_a_muted_thread_is_muted_for_every_post_of_it_and_for_one_member(practice: Practice) -> None:
    topic = await practice.say(practice.ana, "@ward topic")
    answer = await practice.say(practice.ana, "answer", in_reply_to_id=topic["id"])

    muted = await _mark(practice.ben, "mute", answer)

    assert muted["muted"] is True
    assert (await practice.ben.get(f"{STATUSES}/{topic['id']}")).json["muted"] is True
    assert (await practice.ana.get(f"{STATUSES}/{topic['id']}")).json["muted"] is False
    assert (await _mark(practice.ben, "unmute", topic))["muted"] is False


async def test_a_thread_of_private_messages_can_be_muted(practice: Practice) -> None:
    message = await practice.say(practice.ana, "@ben one", visibility="direct")

    assert (await _mark(practice.ben, "mute", message))["muted"] is True
    assert (await _mark(practice.ben, "unmute", message))["muted"] is False

"""Muting and blocking in an app: what the lists of each leave out, what they do not, and that nobody is told."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from node.community.distance.service import end_mutes
from node.community.groups.service import leave_group
from node.community.messages.service import list_own_messages
from tests.support.phone import Phone
from tests.support.practice import Practice, words

ACCOUNTS = "/api/v1/accounts"
HOME = "/api/v1/timelines/home"


async def _act(phone: Phone, act: str, other: Phone | int, **form: Any) -> Any:
    number = other if isinstance(other, int) else other.member.actor_id
    reply = await phone.post(f"{ACCOUNTS}/{number}/{act}", form)
    assert reply.status == 200, reply.body
    return reply.json


async def _relationship(phone: Phone, other: Phone | int) -> Any:
    number = other if isinstance(other, int) else other.member.actor_id
    (found,) = (await phone.get(f"{ACCOUNTS}/relationships?id[]={number}")).json
    return found


async def _listed(phone: Phone, name: str) -> list[str]:
    return [each["acct"] for each in (await phone.get(f"/api/v1/{name}")).json]


async def _seen(practice: Practice, phone: Phone) -> dict[str, list[str]]:
    group = practice.ward.group_id
    return {
        "home": words(await phone.get(HOME)),
        "list": words(await phone.get(f"/api/v1/timelines/list/g{group}")),
    }


async def test_a_mute_and_a_block_are_told_to_whoever_made_them_and_to_nobody_else(practice: Practice) -> None:
    muted = await _act(practice.ben, "mute", practice.ana, notifications="false")
    blocked = await _act(practice.ben, "block", practice.cy)

    assert (muted["muting"], muted["muting_notifications"], muted["blocking"]) == (True, False, False)
    assert (blocked["muting"], blocked["blocking"]) == (False, True)
    assert await _relationship(practice.ben, practice.ana) == muted
    assert await _relationship(practice.ben, practice.cy) == blocked
    assert (await _listed(practice.ben, "mutes"), await _listed(practice.ben, "blocks")) == (["ana"], ["cy"])
    for phone in (practice.ana, practice.cy):
        told = await _relationship(phone, practice.ben)
        assert not any(told[name] for name in ("blocking", "blocked_by", "muting", "muting_notifications"))
        assert (await _listed(phone, "mutes"), await _listed(phone, "blocks")) == ([], [])


async def test_what_was_put_at_a_distance_can_be_brought_back(practice: Practice) -> None:
    for act, name in (("mute", "muting"), ("block", "blocking")):
        await _act(practice.ben, act, practice.ana)
        await _act(practice.ben, act, practice.ana)

        ended = [await _act(practice.ben, f"un{act}", practice.ana) for _ in range(2)]

        assert [each[name] for each in ended] == [False, False]
        assert await _listed(practice.ben, f"{act}s") == []


@pytest.mark.parametrize(("act", "both_ways"), [("mute", False), ("block", True)])
async def test_lists_leave_out_what_stands_at_a_distance(practice: Practice, act: str, both_ways: bool) -> None:
    await practice.say(practice.ana, "@ward by Ana")
    await practice.say(practice.ben, "@ward by Ben")

    await _act(practice.ben, act, practice.ana)

    assert await _seen(practice, practice.ben) == {"home": ["@ward by Ben"], "list": ["@ward by Ben"]}
    everything = ["@ward by Ana"] if both_ways else ["@ward by Ben", "@ward by Ana"]
    assert await _seen(practice, practice.ana) == {"home": everything, "list": everything}
    await _act(practice.ben, f"un{act}", practice.ana)
    for phone in (practice.ana, practice.ben):
        assert (await _seen(practice, phone))["home"] == ["@ward by Ben", "@ward by Ana"]


async def test_a_page_that_leaves_much_out_is_still_full_and_the_next_begins_behind_it(practice: Practice) -> None:
    for number in range(6):
        await practice.say(practice.ana, f"@ward Ana {number}")
        await practice.say(practice.ben, f"@ward Ben {number}")
    await _act(practice.ben, "mute", practice.ana)

    first = await practice.ben.get(f"{HOME}?limit=4")
    second = await practice.ben.get(first.links["next"])

    assert words(first) == [f"@ward Ben {number}" for number in (5, 4, 3, 2)]
    assert words(second) == ["@ward Ben 1", "@ward Ben 0"]


@pytest.mark.parametrize("act", ["mute", "block"])
async def test_a_thread_is_read_whole_by_everybody(practice: Practice, act: str) -> None:
    cy = practice.cy
    await practice.join(practice.ward, cy)
    topic = await practice.say(practice.ana, "@ward topic")
    for phone, text in ((practice.ben, "from Ben"), (cy, "from Cy"), (practice.ana, "from Ana")):
        await practice.say(phone, text, in_reply_to_id=topic["id"])

    await _act(practice.ben, act, practice.ana)

    contexts = [
        (await phone.get(f"/api/v1/statuses/{topic['id']}/context")) for phone in (practice.ana, practice.ben, cy)
    ]
    said = [[each["content"].strip() for each in reply.json["descendants"]] for reply in contexts]
    assert said == [["<p>from Ben</p>", "<p>from Cy</p>", "<p>from Ana</p>"]] * 3


async def test_marks_of_somebody_blocked_stand_in_no_list_and_those_of_somebody_muted_do(practice: Practice) -> None:
    posted = await practice.say(practice.ana, "@ward by Ana")
    for act in ("bookmark", "favourite"):
        await practice.ben.post(f"/api/v1/statuses/{posted['id']}/{act}")

    await _act(practice.ben, "mute", practice.ana)
    muted = [len((await practice.ben.get(f"/api/v1/{name}")).json) for name in ("bookmarks", "favourites")]
    await _act(practice.ana, "block", practice.ben)

    assert muted == [1, 1]
    assert [(await practice.ben.get(f"/api/v1/{name}")).json for name in ("bookmarks", "favourites")] == [[], []]


async def test_thanks_of_somebody_blocked_are_not_shown_and_they_do_not_notice(practice: Practice) -> None:
    posted = await practice.say(practice.ana, "@ward by Ana")
    await _act(practice.ana, "block", practice.ben)

    thanked = await practice.ben.post(f"/api/v1/statuses/{posted['id']}/favourite")

    assert (thanked.status, thanked.json["favourited"]) == (200, True)
    assert (await practice.ana.get(f"/api/v1/statuses/{posted['id']}/favourited_by")).json == []


async def test_private_messages_of_somebody_blocked_are_kept_out_of_the_list_and_sent_as_ever(
    practice: Practice,
) -> None:
    await _act(practice.ben, "block", practice.ana)

    sent = await practice.ana.post("/api/v1/statuses", {"status": "@ben a word", "visibility": "direct"})
    refused = await practice.ben.post("/api/v1/statuses", {"status": "@ana a word", "visibility": "direct"})
    listed = await list_own_messages(practice.lone.core, viewer=practice.ben.member)
    await _act(practice.ben, "unblock", practice.ana)

    assert (sent.status, listed) == (200, [])
    assert (refused.status, refused.json["error"]) == (
        403,
        "You blocked Ana. End that before you write to them.",
    )
    assert len(await list_own_messages(practice.lone.core, viewer=practice.ben.member)) == 1


async def test_a_mute_ends_by_itself(practice: Practice) -> None:
    await practice.say(practice.ana, "@ward by Ana")
    await _act(practice.ben, "mute", practice.ana, duration="3600")
    (shown,) = (await practice.ben.get("/api/v1/mutes")).json

    practice.lone.clock.advance(3601)
    await end_mutes(practice.lone.house.core)

    assert shown["mute_expires_at"] == "2026-11-21T13:00:00.000Z"
    assert (await practice.ben.get("/api/v1/mutes")).json == []
    assert words(await practice.ben.get(HOME)) == ["@ward by Ana"]


@pytest.mark.parametrize("duration", ["0", "", "soon", "-1", "99999999999999999999"])
async def test_a_mute_without_a_proper_duration_has_no_end(practice: Practice, duration: str) -> None:
    await _act(practice.ben, "mute", practice.ana, duration=duration)

    (shown,) = (await practice.ben.get("/api/v1/mutes")).json

    assert shown["mute_expires_at"] is None


async def test_the_longest_duration_is_ten_years(practice: Practice) -> None:
    await _act(practice.ben, "mute", practice.ana, duration="999999999")

    (shown,) = (await practice.ben.get("/api/v1/mutes")).json

    end = practice.lone.clock.now() + timedelta(days=3650)
    assert shown["mute_expires_at"].startswith(end.date().isoformat())


async def test_a_muted_group_is_quiet_and_stands_in_no_home(practice: Practice) -> None:
    await practice.say(practice.ana, "@ward one")
    group = practice.ward.group_id

    muted = await _act(practice.ben, "mute", group)

    assert (muted["muting"], muted["following"]) == (True, True)
    assert words(await practice.ben.get(HOME)) == []
    assert words(await practice.ben.get(f"/api/v1/timelines/list/g{group}")) == ["@ward one"]
    assert (await _act(practice.ben, "unmute", group))["muting"] is False
    assert words(await practice.ben.get(HOME)) == ["@ward one"]


async def test_a_group_is_not_blocked_and_nobody_puts_themselves_at_a_distance(practice: Practice) -> None:
    group, ben = practice.ward.group_id, practice.ben.member.actor_id

    refused = [
        await practice.ben.post(f"{ACCOUNTS}/{group}/block"),
        await practice.cy.post(f"{ACCOUNTS}/{group}/mute"),
        await practice.ben.post(f"{ACCOUNTS}/{ben}/block"),
        await practice.ben.post(f"{ACCOUNTS}/{ben}/mute"),
    ]

    assert [reply.status for reply in refused] == [422] * 4


async def test_t26_somebody_whom_one_may_not_know_of_is_absent(practice: Practice) -> None:
    hidden = await practice.group("circle", is_hidden=True)
    absent = 4_242_424_242

    for act in ("mute", "unmute", "block", "unblock"):
        replies = [await practice.cy.post(f"{ACCOUNTS}/{number}/{act}") for number in (hidden.group_id, absent)]
        assert [(reply.status, reply.body) for reply in replies] == [(404, b'{"error":"Record not found"}')] * 2


async def test_lists_of_people_are_paged(practice: Practice) -> None:
    for other in (practice.ana, practice.cy):
        for act in ("mute", "block"):
            await _act(practice.ben, act, other)

    for name in ("mutes", "blocks"):
        first = await practice.ben.get(f"/api/v1/{name}?limit=1")
        second = await practice.ben.get(first.links["next"])
        back = await practice.ben.get(second.links["prev"])

        assert [[each["acct"] for each in reply.json] for reply in (first, second, back)] == [["cy"], ["ana"], ["cy"]]


async def test_a_quiet_group_that_was_left_is_left(practice: Practice) -> None:
    await _act(practice.ben, "mute", practice.ward.group_id)
    house = practice.lone.house

    await leave_group(house.core, house.tables, member=practice.ben.member, group_id=practice.ward.group_id)

    assert (await _relationship(practice.ben, practice.ward.group_id))["following"] is False

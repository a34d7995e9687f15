"""What is private and what is absent answer alike, byte for byte (contract.md 2.5)."""

from __future__ import annotations

import pytest

from node.domain.groups import Group
from node.store.engine import Tx
from node.store.rosters import get_staff_group
from tests.support.builders import a_membership
from tests.support.phone import Reply
from tests.support.practice import Practice
from tests.support.requesters import a_foreign_actor, know_actor, know_peer

_ABSENT = "6000000000000000000"
_CALLS_LEFT = "x-ratelimit-remaining"
_STATES = {"active": 200, "suspended": 200, "ended": 404, "invited": 404}


def _shape(reply: Reply) -> tuple[int, dict[str, str], bytes]:
    return reply.status, {name: reply.headers[name] for name in reply.headers if name != _CALLS_LEFT}, reply.body


@pytest.fixture
async def hidden(practice: Practice) -> Group:
    """Give a hidden group of Ana's."""
    return await practice.group("attic", is_hidden=True)


async def test_a_post_of_a_group_one_is_not_in_answers_like_no_post(practice: Practice) -> None:
    posted = (await practice.say(practice.ana, "@ward Hello"))["id"]
    shared = (await practice.ben.get("/api/v1/timelines/home")).json[0]["id"]

    for tail in ("", "/context"):
        absent = await practice.cy.get(f"/api/v1/statuses/{_ABSENT}{tail}")
        for status_id in (posted, shared):
            assert _shape(await practice.cy.get(f"/api/v1/statuses/{status_id}{tail}")) == _shape(absent)
    assert absent.json == {"error": "Record not found"}


@pytest.mark.parametrize("method", ["PUT", "DELETE"])
async def test_changing_a_private_post_answers_like_changing_none(practice: Practice, method: str) -> None:
    posted = (await practice.say(practice.ana, "@ward Hello"))["id"]

    answers = [
        await phone.send(method, f"/api/v1/statuses/{status_id}", body=b"status=x", content_type="text/plain")
        for phone, status_id in ((practice.cy, posted), (practice.cy, _ABSENT), (practice.ben, posted))
    ]

    assert _shape(answers[0]) == _shape(answers[1]) == _shape(answers[2])
    assert answers[0].status == 404


async def test_answering_a_private_post_answers_like_answering_none(practice: Practice) -> None:
    posted = (await practice.say(practice.ana, "@ward Hello"))["id"]

    answers = [
        await practice.cy.post("/api/v1/statuses", {"status": "Hm", "in_reply_to_id": status_id, **more})
        for status_id in (posted, _ABSENT)
        for more in ({}, {"visibility": "direct"})
    ]

    assert {answer.status for answer in answers} == {404}
    assert len({answer.body for answer in answers}) == 1


async def test_the_list_of_a_group_one_is_not_in_answers_like_no_list(practice: Practice, hidden: Group) -> None:
    absent = await practice.cy.get(f"/api/v1/timelines/list/g{_ABSENT}")

    for group in (hidden, practice.ward):
        assert _shape(await practice.cy.get(f"/api/v1/timelines/list/g{group.group_id}")) == _shape(absent)
    assert absent.status == 404


async def test_a_hidden_group_answers_like_no_group(practice: Practice, hidden: Group) -> None:
    pairs = [
        ("GET", "/api/v1/accounts/{}", str(hidden.group_id), _ABSENT),
        ("POST", "/api/v1/accounts/{}/follow", str(hidden.group_id), _ABSENT),
        ("POST", "/api/v1/accounts/{}/unfollow", str(hidden.group_id), _ABSENT),
        ("GET", "/api/v1/accounts/relationships?id[]={}", str(hidden.group_id), _ABSENT),
        ("GET", "/api/v1/accounts/lookup?acct={}", "attic", "cellar"),
        ("GET", "/api/v1/accounts/lookup?acct={}", "attic@home.example", "cellar@home.example"),
        ("GET", "/api/v1/accounts/lookup?acct={}", "!attic", "!cellar"),
    ]

    for method, target, private, absent in pairs:
        there = await practice.cy.send(method, target.format(private))
        nowhere = await practice.cy.send(method, target.format(absent))
        assert _shape(there) == _shape(nowhere), target
        assert there.status == 404 or there.json == []


async def test_naming_a_hidden_group_is_like_naming_nothing(practice: Practice, hidden: Group) -> None:
    posts = [
        await practice.ben.post("/api/v1/statuses", {"status": text})
        for text in ("@attic Hello", "@cellar Hello", "@ward @attic Hello", "@ward @cellar Hello")
    ]

    assert [post.status for post in posts] == [422, 422, 200, 200]
    assert posts[0].body == posts[1].body
    assert [each["acct"] for each in posts[2].json["mentions"]] == ["ward"]


async def test_whoever_is_in_a_hidden_group_sees_it(practice: Practice, hidden: Group) -> None:
    assert (await practice.ana.get(f"/api/v1/accounts/{hidden.group_id}")).json["acct"] == "attic"
    assert (await practice.ana.get("/api/v1/accounts/lookup?acct=attic")).status == 200


async def test_a_groups_staff_room_is_no_account(practice: Practice) -> None:
    staff = await practice.lone.core.store.read(_find_staff, practice.ward.group_id)
    staff_id = staff.group_id if staff else 0

    assert staff_id
    assert (await practice.ana.get(f"/api/v1/accounts/{staff_id}")).status == 404
    assert (await practice.ana.get("/api/v1/accounts/lookup?acct=ward/staff")).status == 404
    assert (await practice.ana.get(f"/api/v1/timelines/list/g{staff_id}")).status == 404


async def test_a_private_message_answers_others_like_no_message(practice: Practice) -> None:
    message = (await practice.say(practice.ana, "@ben psst", visibility="direct"))["id"]

    for tail in ("", "/context"):
        absent = await practice.cy.get(f"/api/v1/statuses/{_ABSENT}{tail}")
        assert _shape(await practice.cy.get(f"/api/v1/statuses/{message}{tail}")) == _shape(absent)
    assert (await practice.ben.get(f"/api/v1/statuses/{message}")).status == 200


@pytest.mark.parametrize("target", ["/api/v1/statuses/{}", "/api/v1/statuses/{}/context", "/api/v1/nothing/{}"])
async def test_without_a_token_private_and_absent_answer_alike(practice: Practice, target: str) -> None:
    posted = (await practice.say(practice.ana, "@ward Hello"))["id"]

    there, nowhere = [await practice.nobody.get(target.format(each)) for each in (posted, _ABSENT)]

    assert _shape(there) == _shape(nowhere)
    assert there.status == 401


async def test_people_elsewhere_are_seen_by_those_who_share_a_group_with_them(practice: Practice) -> None:
    core = practice.lone.core
    await know_peer(core, "far.example")
    dee = await know_actor(core, a_foreign_actor("far.example", "dee"))
    await core.store.write(lambda tx: a_membership(tx, group=practice.ward, member=dee))

    seen = {
        phone.member.handle: [
            (await phone.get(f"/api/v1/accounts/{dee.actor_id}")).status,
            (await phone.get("/api/v1/accounts/lookup?acct=dee@far.example")).status,
        ]
        for phone in (practice.ana, practice.ben, practice.cy)
    }

    assert seen == {"ana": [200, 200], "ben": [200, 200], "cy": [404, 404]}


async def test_suspended_members_are_still_known_and_ended_ones_are_not(practice: Practice) -> None:
    states = {state: (await practice.lone.member(f"m_{state}", state=state)).actor_id for state in _STATES}

    seen = {state: (await practice.cy.get(f"/api/v1/accounts/{number}")).status for state, number in states.items()}

    assert seen == _STATES


async def _find_staff(tx: Tx, group_id: int) -> Group | None:
    return await get_staff_group(tx, group_id=group_id)

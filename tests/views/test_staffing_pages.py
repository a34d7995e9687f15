"""Pages of a group's people: requests, the admission of a node, members, roles, removal, invitations."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from tests.support.clock import FrozenClock
from tests.support.databases import Databases
from tests.support.group_life import say
from tests.support.requesters import know_peer
from tests.support.ward import Ward, a_ward, fay_asks


@pytest.fixture
async def scene(databases: Databases, clock: FrozenClock) -> AsyncIterator[Ward]:
    async with a_ward(databases, clock) as made:
        yield made


async def test_staff_reads_requests_and_says_yes_or_no(scene: Ward) -> None:
    for handle, reason in (("otto", "Night shifts."), ("pia", "I am curious.")):
        scene.people.setdefault(handle, None)
        scene.people[handle] = scene.people[handle] or await scene.lone.member(handle)
        asking = await scene.at(handle)
        await asking.get("/groups/ward/join")
        await asking.submit("join", reason=reason)
    moe = await scene.at("moe")

    await moe.get("/groups/ward/requests")

    assert "2 people ask to join" in moe.words
    assert "Night shifts." in moe.words
    assert len(set(moe.page.ids)) == len(moe.page.ids)

    await moe.submit("decide", decision="approve")
    await moe.submit("decide", decision="reject", note="We are full.")

    assert "Nobody asks to join now" in moe.words
    assert await scene.place("otto") == ("member", "member")
    assert await scene.place("pia") == ("rejected", "member")
    await asking.get("/groups/ward/join")
    assert "We are full." in asking.words


async def test_a_decision_that_cannot_be_taken_keeps_the_note(scene: Ward) -> None:
    otto, moe = await scene.at("otto"), await scene.at("moe")
    await otto.get("/groups/ward/join")
    await otto.submit("join", reason="Night shifts.")
    await moe.get("/groups/ward/requests")

    await moe.submit("decide", decision="perhaps", note="Welcome, <b>Otto</b>.")

    assert moe.status == 422
    assert moe.page.alerts == ["Please choose: let them in, or not now."]
    assert ("note", "Welcome, <b>Otto</b>.") in moe.find_form("decide").pairs
    assert await scene.place("otto") == ("requested", "member")


async def test_a_new_node_is_admitted_by_a_form_of_its_own_that_says_who_will_hold_what(scene: Ward) -> None:
    await say(scene.lone, scene.ward, scene.people["mia"], "One.")
    await say(scene.lone, scene.ward, scene.people["mia"], "Two.")
    await fay_asks(scene)
    ana = await scene.at("ana")
    await ana.get("/groups/ward/requests")

    assert "All 2 posts so far, and everything after" in ana.words
    assert "friend.example" in ana.words
    assert dict(ana.find_form("decide").others) == {"decision": "reject"}

    await ana.submit("admit-node")

    assert (ana.status, bool(ana.page.alerts)) == (422, True)
    assert await scene.place("fay") == ("requested", "member")

    await ana.submit("admit-node", confirm="1")
    await ana.submit("decide", decision="approve")

    assert ana.status == 200
    assert await scene.place("fay") == ("member", "member")


async def test_approving_a_person_does_not_admit_their_node(scene: Ward) -> None:
    await fay_asks(scene)
    ana = await scene.at("ana")
    await ana.get("/groups/ward/requests")

    await ana.submit("decide", decision="approve")

    assert ana.status == 422
    assert "before the node is admitted" in ana.page.alerts[0]
    assert await scene.place("fay") == ("requested", "member")


async def test_a_moderator_admits_no_node(scene: Ward) -> None:
    await fay_asks(scene)
    moe = await scene.at("moe")
    await moe.get("/groups/ward/requests")
    person = dict(moe.find_form("decide").pairs)["person"]

    assert "admit-node" not in moe.page.ids

    await moe.post("/groups/ward/admit", {"csrf": moe.csrf, "person": person, "confirm": "1"})

    assert moe.status == 422
    assert moe.page.alerts == ["Only the group's owner and facilitators admit a node."]


async def test_members_see_who_is_here_and_staff_can_act(scene: Ward) -> None:
    mia, ana = await scene.at("mia"), await scene.at("ana")
    await mia.get("/groups/ward/members")

    assert all(name in mia.words for name in ("Ana", "Moe", "Mia", "Home", "3 members"))
    assert {"invite", "role", "remove"} & set(mia.page.ids) == set()
    assert "/people/moe@home.example" in mia.page.links

    await ana.get("/groups/ward/members?person=mia@home.example")
    await ana.submit("role", role="facilitator")

    assert await scene.place("mia") == ("member", "facilitator")

    await ana.get("/groups/ward/members?person=mia@home.example")
    await ana.submit("remove", reason=" ", ban="1")

    assert ana.status == 422
    assert ("ban", "1") in ana.find_form("remove").pairs

    await ana.submit("remove", reason="Not for physicians.")

    assert await scene.place("mia") == ("banned", "facilitator")
    await mia.get("/groups/ward/join")
    assert "does not take a request from you" in mia.words


async def test_a_moderator_does_not_remove_who_has_a_role(scene: Ward) -> None:
    moe = await scene.at("moe")
    await moe.get("/groups/ward/members?person=ana@home.example")

    assert "remove" not in moe.page.ids

    await moe.post(
        "/groups/ward/members/remove", {"csrf": moe.csrf, "person": "ana@home.example", "reason": "I am in charge."}
    )

    assert moe.status == 422
    assert moe.page.alerts == ["Only an owner removes somebody who has a role."]
    assert await scene.place("ana") == ("member", "owner")


async def test_a_member_is_invited_and_accepts_or_declines(scene: Ward) -> None:
    scene.people["pia"] = await scene.lone.member("pia")
    ana = await scene.at("ana")
    for who in ("otto", "@pia@home.example"):
        await ana.get("/groups/circle/members")
        await ana.submit("invite", person=who)
        assert ana.status == 200, ana.page.alerts
    otto, pia = await scene.at("otto"), await scene.at("pia")

    await otto.get("/groups/circle/join")
    await otto.submit("join")
    await pia.get("/groups/circle/join")
    await pia.submit("decline")

    assert (otto.status, otto.path) == (200, "/groups/circle")
    assert await scene.place("otto", scene.circle) == ("member", "member")
    assert await scene.place("pia", scene.circle) == ("left", "member")
    await pia.get("/groups/circle/join")
    assert pia.status == 404


async def test_an_invitation_to_a_new_node_asks_first_who_will_hold_what(scene: Ward) -> None:
    await know_peer(scene.lone.core, "friend.example")
    ana = await scene.at("ana")
    await ana.get("/groups/ward/members")

    await ana.submit("invite", person="ben@friend.example")

    assert (ana.status, "admit-node" in ana.page.ids) == (422, True)

    await ana.submit("admit-node", confirm="1")

    assert ana.status == 200
    assert "ben@friend.example" in ana.words

    await ana.submit("invite", person="nobody at all")

    assert ana.status == 422
    assert ("person", "nobody at all") in ana.find_form("invite").pairs

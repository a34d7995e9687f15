"""Oneself, people and groups as accounts; joining and leaving by follow and unfollow."""

from __future__ import annotations

from node.community.groups.staff import decide_request
from node.community.members.service import suspend_member
from node.store.engine import Tx
from node.store.rosters import get_membership, let_in, put_request
from tests.support.lone_house import add_member
from tests.support.practice import Practice
from tests.support.requesters import a_foreign_actor, know_actor, know_peer

ACCOUNTS = "/api/v1/accounts"


async def test_ones_own_account_says_how_to_compose(practice: Practice) -> None:
    own = (await practice.ana.get(f"{ACCOUNTS}/verify_credentials")).json

    assert (own["acct"], own["id"], own["display_name"]) == ("ana", str(practice.ana.member.actor_id), "Ana")
    assert own["source"]["privacy"] == "private"


async def test_a_member_is_found_by_address(practice: Practice) -> None:
    for acct in ("ben", "@ben", "ben@home.example", "@ben@HOME.example", "acct:ben@home.example"):
        found = await practice.cy.get(f"{ACCOUNTS}/lookup?acct={acct}")

        assert (found.status, found.json["acct"], found.json["group"]) == (200, "ben", False), acct


async def test_a_group_is_found_by_address(practice: Practice) -> None:
    for acct in ("ward", "@ward", "!ward", "ward@home.example"):
        found = (await practice.cy.get(f"{ACCOUNTS}/lookup?acct={acct}")).json

        assert (found["acct"], found["group"], found["locked"], found["bot"]) == ("ward", True, True, False), acct
        assert found["followers_count"] == 2
        assert found["url"] == "https://home.example/groups/ward"


async def test_where_a_person_and_a_group_share_a_handle_the_mark_tells_them_apart(practice: Practice) -> None:
    await add_member(practice.lone.core, "ward")

    person = (await practice.cy.get(f"{ACCOUNTS}/lookup?acct=ward")).json
    group = (await practice.cy.get(f"{ACCOUNTS}/lookup?acct=!ward")).json

    assert (person["group"], group["group"]) == (False, True)


async def test_an_address_of_nobody_is_absent(practice: Practice) -> None:
    for acct in ("", "nobody", "ben@far.example", "a b", "ben@", "@", "%00", "x" * 500):
        assert (await practice.cy.get(f"{ACCOUNTS}/lookup?acct={acct}")).status == 404, acct


async def test_a_group_elsewhere_is_asked_for_at_an_active_peer_and_kept(practice: Practice) -> None:
    _lay_out_group(practice)
    await know_peer(practice.lone.core, "far.example")

    first = await practice.cy.get(f"{ACCOUNTS}/lookup?acct=clinic@far.example")
    asked = len(practice.lone.wire.asked)
    second = await practice.ben.get(f"{ACCOUNTS}/lookup?acct=clinic@far.example")

    assert (first.status, first.json["acct"]) == (200, "clinic@far.example")
    assert first.json["url"] == "https://home.example/groups/clinic@far.example"
    assert first.json == second.json
    assert len(practice.lone.wire.asked) == asked == 2


async def test_a_node_that_is_no_active_peer_is_never_asked(practice: Practice) -> None:
    _lay_out_group(practice)

    for state in (None, "draft", "verified", "paused", "parted"):
        if state is not None:
            await know_peer(practice.lone.core, "far.example", state=state)
        found = await practice.cy.get(f"{ACCOUNTS}/lookup?acct=clinic@far.example")
        assert (found.status, practice.lone.wire.asked) == (404, []), state


async def test_a_peer_that_answers_nonsense_is_for_the_member_as_if_it_had_no_such_group(practice: Practice) -> None:
    _lay_out_group(practice)
    await know_peer(practice.lone.core, "far.example")
    for address in list(practice.lone.wire.documents):
        practice.lone.wire.documents[address] = b"<html>"
        assert (await practice.cy.get(f"{ACCOUNTS}/lookup?acct=clinic@far.example")).status == 404
        practice.lone.wire.documents[address] = {"id": "https://evil.example/groups/clinic"}
        assert (await practice.cy.get(f"{ACCOUNTS}/lookup?acct=clinic@far.example")).status == 404


async def test_a_person_known_through_a_host_is_labelled_so(practice: Practice) -> None:
    await know_peer(practice.lone.core, "far.example")
    dee = await know_actor(practice.lone.core, a_foreign_actor("far.example", "dee"))
    await practice.lone.core.store.write(_know_only_through, dee.actor_id, practice.ward.group_id)

    shown = (await practice.ben.get(f"{ACCOUNTS}/{dee.actor_id}")).json
    while_active = [field["name"] for field in shown["fields"]]
    await know_peer(practice.lone.core, "far.example", state="paused")
    shown = (await practice.ben.get(f"{ACCOUNTS}/{dee.actor_id}")).json

    assert while_active == []
    assert [(field["name"], field["value"]) for field in shown["fields"]] == [("Known through", "third.example")]


async def test_following_a_group_asks_to_join_with_the_comment_as_reason(practice: Practice) -> None:
    clinic = await practice.group("clinic", policy="request")

    asked = await practice.cy.post(f"{ACCOUNTS}/{clinic.group_id}/follow", {"comment": "Night shifts"})

    assert (asked.status, asked.json["requested"], asked.json["following"]) == (200, True, False)
    assert await practice.lone.core.store.read(_reason, clinic.group_id, practice.cy.member.actor_id) == "Night shifts"

    house = practice.lone.house
    await decide_request(
        house.core, house.tables, staff=practice.ana.member, group_id=clinic.group_id,
        actor_id=practice.cy.member.actor_id, approve=True, note="", by="a test",
    )  # fmt: skip
    (place,) = (await practice.cy.get(f"{ACCOUNTS}/relationships?id[]={clinic.group_id}")).json
    assert (place["requested"], place["following"], place["showing_reblogs"]) == (False, True, True)


async def test_following_an_open_group_joins_it_and_twice_is_once(practice: Practice) -> None:
    for _ in range(2):
        joined = await practice.cy.post(f"{ACCOUNTS}/{practice.ward.group_id}/follow")
        assert (joined.status, joined.json["following"], joined.json["requested"]) == (200, True, False)


async def test_a_group_by_invitation_says_so(practice: Practice) -> None:
    closed = await practice.group("closed", policy="invite")

    refused = await practice.cy.post(f"{ACCOUNTS}/{closed.group_id}/follow")

    assert (refused.status, refused.json) == (422, {"error": "This group takes members by invitation only."})


async def test_people_are_not_followed(practice: Practice) -> None:
    for verb in ("follow", "unfollow"):
        refused = await practice.cy.post(f"{ACCOUNTS}/{practice.ana.member.actor_id}/{verb}")
        assert refused.status == 422
        assert "People are not followed" in refused.json["error"]


async def test_unfollowing_leaves_and_twice_is_once(practice: Practice) -> None:
    await practice.say(practice.ana, "@ward Hello")

    for _ in range(2):
        left = await practice.ben.post(f"{ACCOUNTS}/{practice.ward.group_id}/unfollow")
        assert (left.status, left.json["following"], left.json["requested"]) == (200, False, False)

    assert (await practice.ben.get("/api/v1/timelines/home")).json == []


async def test_unfollowing_takes_a_request_back(practice: Practice) -> None:
    clinic = await practice.group("clinic", policy="request")
    await practice.cy.post(f"{ACCOUNTS}/{clinic.group_id}/follow")

    left = await practice.cy.post(f"{ACCOUNTS}/{clinic.group_id}/unfollow")

    assert (left.json["requested"], left.json["following"]) == (False, False)


async def test_a_hidden_group_that_was_left_is_absent_from_then_on(practice: Practice) -> None:
    attic = await practice.group("attic", is_hidden=True)
    await practice.lone.core.store.write(_let_in, attic.group_id, practice.ben.member.actor_id)

    left = await practice.ben.post(f"{ACCOUNTS}/{attic.group_id}/unfollow")

    assert (left.status, left.json["following"]) == (200, False)
    assert (await practice.ben.get(f"{ACCOUNTS}/{attic.group_id}")).status == 404


async def test_the_last_owner_cannot_leave_and_is_told_why(practice: Practice) -> None:
    refused = await practice.ana.post(f"{ACCOUNTS}/{practice.ward.group_id}/unfollow")

    assert refused.status == 422
    assert "last owner" in refused.json["error"]


async def test_relationships_come_in_the_order_asked_each_once(practice: Practice) -> None:
    ids = [practice.ward.group_id, practice.ana.member.actor_id, practice.ward.group_id, 5]
    query = "&".join(f"id[]={number}" for number in ids)

    found = (await practice.ben.get(f"{ACCOUNTS}/relationships?{query}&id[]=x&id=")).json

    assert [(each["id"], each["following"]) for each in found] == [(str(ids[0]), True), (str(ids[1]), False)]


async def test_nobody_has_followers_here(practice: Practice) -> None:
    await suspend_member(practice.lone.core, "cy", by="a test", reason="")

    for number in (practice.ana.member.actor_id, practice.cy.member.actor_id):
        shown = (await practice.ben.get(f"{ACCOUNTS}/{number}")).json
        assert (shown["followers_count"], shown["following_count"], shown["statuses_count"]) == (0, 0, 0)


def _lay_out_group(practice: Practice) -> None:
    """Put a group of another node where it can be found by WebFinger."""
    clinic = a_foreign_actor("far.example", "clinic", kind="Group")
    documents = practice.lone.wire.documents
    documents["https://far.example/.well-known/webfinger?resource=acct:clinic@far.example"] = {
        "subject": "acct:clinic@far.example",
        "links": [{"rel": "self", "type": "application/activity+json", "href": clinic.uri}],
    }
    documents[clinic.uri] = clinic.document(manuallyApprovesFollowers=True)


async def _know_only_through(tx: Tx, actor_id: int, group_id: int) -> None:
    await tx.run("UPDATE actors SET known_through = 'third.example' WHERE actor_id = :actor_id", actor_id=actor_id)
    await _let_in(tx, group_id, actor_id)


async def _let_in(tx: Tx, group_id: int, actor_id: int) -> None:
    await put_request(tx, group_id=group_id, actor_id=actor_id, state="requested")
    await let_in(
        tx, group_id=group_id, actor_id=actor_id, role="member", joined_seq=0, visible_after=0, decided_by="a test"
    )


async def _reason(tx: Tx, group_id: int, actor_id: int) -> str | None:
    place = await get_membership(tx, group_id=group_id, actor_id=actor_id)
    return place.reason if place else None

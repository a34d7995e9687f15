"""Every entity holds every field without which some app fails, in the type that the strictest of them parses."""

from __future__ import annotations

from typing import Any

import pytest

from node.api.entities.ids import (
    is_shared_id,
    list_id,
    parse_list_id,
    parse_number,
    parse_status_id,
    shared_id,
    status_id,
)
from node.foundation.ids import RandomIds
from tests.support.api_watch import find_entity_faults
from tests.support.clock import FrozenClock
from tests.support.phone import Reply
from tests.support.practice import Practice


def _check(reply: Reply, entity: str) -> Any:
    assert reply.status == 200, reply.body
    assert find_entity_faults(reply.json, entity) == []
    return reply.json


def _check_statuses(statuses: list[Any]) -> None:
    for status in statuses:
        assert find_entity_faults(status, "Status") == []
        if status["reblog"] is not None:
            assert status["reblog"]["reblog"] is None


async def test_accounts_are_whole(practice: Practice) -> None:
    _check(await practice.ana.get("/api/v1/accounts/verify_credentials"), "CredentialAccount")
    _check(await practice.ana.get("/api/v1/accounts/lookup?acct=ben"), "Account")
    group = _check(await practice.ana.get("/api/v1/accounts/lookup?acct=ward"), "Account")
    for address in ("avatar", "header"):
        picture = await practice.nobody.get("/" + group[address].split("/", 3)[3])
        assert (picture.status, picture.headers["content-type"]) == (200, "image/png")


async def test_suspended_members_are_whole_too(practice: Practice) -> None:
    gone = await practice.lone.member("dee", state="suspended")

    _check(await practice.ana.get(f"/api/v1/accounts/{gone.actor_id}"), "Account")


async def test_relationships_are_whole(practice: Practice) -> None:
    group, person = practice.ward.group_id, practice.ben.member.actor_id

    _check(await practice.ana.get(f"/api/v1/accounts/relationships?id[]={group}&id[]={person}"), "[Relationship]")
    _check(await practice.cy.post(f"/api/v1/accounts/{group}/follow"), "Relationship")
    _check(await practice.cy.post(f"/api/v1/accounts/{group}/unfollow"), "Relationship")


async def test_lists_are_whole(practice: Practice) -> None:
    _check(await practice.ana.get("/api/v1/lists"), "[List]")


async def test_statuses_are_whole_wherever_they_stand(practice: Practice) -> None:
    topic = await practice.say(practice.ana, "@ward Question, @ben?", spoiler_text="Careful")
    answer = await practice.say(practice.ben, "Answer", in_reply_to_id=topic["id"])
    message = await practice.say(practice.ana, "@ben psst", visibility="direct")
    group = practice.ward.group_id

    alone = [
        _check(await practice.ben.get(f"/api/v1/statuses/{each['id']}"), "Status") for each in (topic, answer, message)
    ]
    home = _check(await practice.ben.get("/api/v1/timelines/home"), "[Status]")
    listed = _check(await practice.ben.get(f"/api/v1/timelines/list/g{group}"), "[Status]")
    context = _check(await practice.ben.get(f"/api/v1/statuses/{answer['id']}/context"), "Context")
    edited = _check(await practice.ben.put(f"/api/v1/statuses/{answer['id']}", {"status": "Better"}), "Status")
    deleted = _check(await practice.ben.delete(f"/api/v1/statuses/{answer['id']}"), "DeletedStatus")

    _check_statuses([topic, answer, message, *alone, *home, *listed, *context["ancestors"], edited, deleted])


async def test_both_instances_are_whole_and_promise_no_more_than_is_built(practice: Practice) -> None:
    second = _check(await practice.nobody.get("/api/v2/instance"), "Instance")
    first = _check(await practice.nobody.get("/api/v1/instance"), "V1Instance")

    assert second["version"] == first["version"]
    assert second["version"].startswith("4.2.0 (compatible; rounds ")
    assert second["api_versions"] == {"mastodon": 1}
    assert second["configuration"]["limited_federation"] is first["limited_federation"] is True
    assert second["registrations"]["enabled"] is first["registrations"] is False


async def test_the_instance_tells_strangers_nothing_about_members_or_groups(practice: Practice) -> None:
    await practice.say(practice.ana, "@ward Hello")

    for path in ("/api/v1/instance", "/api/v2/instance"):
        body = (await practice.nobody.get(path)).body
        assert not any(word in body for word in (b"Ana", b"ana@", b"/people/", b"ward", b"Ward"))


async def test_errors_are_objects_with_a_sentence(practice: Practice) -> None:
    replies = [
        await practice.nobody.get("/api/v1/lists"),
        await practice.ana.get("/api/v1/nothing"),
        await practice.ana.post("/api/v1/statuses", {"status": "to nobody"}),
        await practice.nobody.post("/api/v1/apps"),
        await practice.nobody.get("/oauth/authorize"),
    ]

    assert [find_entity_faults(reply.json, "Error") for reply in replies] == [[]] * 5


def test_a_post_and_its_sharing_have_different_ids_that_lead_back_to_it(clock: FrozenClock) -> None:
    numbers = [RandomIds(clock).number() for _ in range(3)]

    for number in numbers:
        assert status_id(number) != shared_id(number)
        assert parse_status_id(status_id(number)) == parse_status_id(shared_id(number)) == number
        assert (is_shared_id(status_id(number)), is_shared_id(shared_id(number))) == (False, True)


def test_ids_grow_with_time_as_numbers_and_as_text(clock: FrozenClock) -> None:
    ids, made = RandomIds(clock), []
    for _ in range(5):
        made.append(ids.number())
        clock.advance(3600)

    texts = [text for number in made for text in (status_id(number), shared_id(number))]
    assert texts == sorted(texts)
    assert {len(text) for text in texts} == {19}


@pytest.mark.parametrize("text", ["", "0", "-1", "+1", "1 ", "1.0", "x", "²", "١", str(2**63), "1" * 30, "0x1"])
def test_a_text_that_is_no_number_of_the_store_is_none(text: str) -> None:
    assert parse_number(text) is None
    assert parse_status_id(text) is None
    assert parse_list_id(f"g{text}") is None


def test_the_id_of_a_groups_list_leads_back_to_it() -> None:
    assert parse_list_id(list_id(42)) == 42
    assert parse_list_id("42") is None

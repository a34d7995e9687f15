"""To whom a post goes: never wider than its author can have meant, and never silently elsewhere."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from node.community.groups.service import leave_group
from node.community.posts.tending import lock_thread
from node.foundation.text import CONTENT_LIMIT_CHARACTERS
from node.store.engine import Tx
from tests.support.practice import Practice, words

STATUSES = "/api/v1/statuses"
_COUNT_POSTS = "SELECT COUNT(*) AS n FROM posts"


async def _count(practice: Practice) -> int:
    async def count(tx: Tx) -> Any:
        return await tx.value(_COUNT_POSTS)

    return int(await practice.lone.core.store.read(count))


@pytest.mark.parametrize("visibility", ["public", "unlisted", "private", ""])
async def test_a_post_that_names_a_group_is_for_its_members_whatever_the_app_asks(
    practice: Practice, visibility: str
) -> None:
    reply = await practice.ben.post(STATUSES, {"status": "@ward Hello", "visibility": visibility})

    assert (reply.status, reply.json["visibility"]) == (200, "private")
    assert words(await practice.ana.get("/api/v1/timelines/home")) == ["@ward Hello"]
    assert (await practice.cy.get(f"{STATUSES}/{reply.json['id']}")).status == 404


async def test_a_group_may_be_named_anywhere_and_with_its_host(practice: Practice) -> None:
    for text in ("Hello @ward", "See @ward.", "@ward@home.example Hello", "@WARD Hello", "@ward @ward Hello"):
        assert (await practice.ben.post(STATUSES, {"status": text})).status == 200, text


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("Hello", "Name the group"),
        ("@ben Hello", "Name the group"),
        ("@nowhere Hello", "Name the group"),
        ("ward@home.example", "Name the group"),
        ("@ward @night Hello", "more than one group"),
        ("@rota Hello", "You are not a member of @rota"),
        ("@ward @rota Hello", "You are not a member of @rota"),
        ("", "Name the group"),
    ],
)
async def test_a_topic_that_does_not_name_exactly_one_joined_group_is_refused_with_a_sentence(
    practice: Practice, text: str, sentence: str
) -> None:
    await practice.group("night", practice.ben)
    await practice.group("rota")
    before = await _count(practice)

    reply = await practice.ben.post(STATUSES, {"status": text})

    assert reply.status == 422
    assert sentence in reply.json["error"]
    assert await _count(practice) == before


async def test_a_group_left_is_written_to_no_more(practice: Practice) -> None:
    house = practice.lone.house
    await leave_group(house.core, house.tables, member=practice.ben.member, group_id=practice.ward.group_id)

    reply = await practice.ben.post(STATUSES, {"status": "@ward Hello"})

    assert reply.status == 422


async def test_an_answer_goes_to_the_group_of_what_it_answers_without_naming_it(practice: Practice) -> None:
    topic = await practice.say(practice.ana, "@ward Question")

    answer = await practice.say(practice.ben, "Answer", in_reply_to_id=topic["id"], visibility="public")

    assert answer["in_reply_to_id"] == topic["id"]
    assert answer["in_reply_to_account_id"] == str(practice.ana.member.actor_id)
    assert answer["visibility"] == "private"
    assert [each["acct"] for each in answer["mentions"]] == ["ward"]


async def test_an_answer_to_the_groups_sharing_answers_the_post(practice: Practice) -> None:
    topic = await practice.say(practice.ana, "@ward Question")
    shared = (await practice.ben.get("/api/v1/timelines/home")).json[0]["id"]

    answer = await practice.say(practice.ben, "Answer", in_reply_to_id=shared)

    assert answer["in_reply_to_id"] == topic["id"]


async def test_an_answer_that_names_another_group_is_refused(practice: Practice) -> None:
    await practice.group("night", practice.ben)
    topic = await practice.say(practice.ana, "@ward Question")

    reply = await practice.ben.post(STATUSES, {"status": "@night look", "in_reply_to_id": topic["id"]})

    assert (reply.status, "more than one group" in reply.json["error"]) == (422, True)


async def test_a_locked_thread_takes_no_answer_and_says_why(practice: Practice) -> None:
    topic = await practice.say(practice.ana, "@ward Question")
    house, post_id = practice.lone.house, int(topic["id"]) // 2
    await lock_thread(house.core, house.tables, staff=practice.ana.member, post_id=post_id, is_locked=True)

    reply = await practice.ben.post(STATUSES, {"status": "Answer", "in_reply_to_id": topic["id"]})

    assert (reply.status, reply.json) == (403, {"error": "This thread is locked."})


async def test_a_direct_post_goes_to_the_people_named_and_never_to_a_group(practice: Practice) -> None:
    message = await practice.say(practice.ana, "@ben about @ward, between us", visibility="direct")

    assert message["visibility"] == "direct"
    assert [each["acct"] for each in message["mentions"]] == ["ben"]
    assert (await practice.ben.get(f"{STATUSES}/{message['id']}")).json["content"] == message["content"]
    assert (await practice.ben.get("/api/v1/timelines/home")).json == []
    assert (await practice.cy.get(f"{STATUSES}/{message['id']}")).status == 404


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("Hello", "Name the people"),
        ("@ward Hello", "Name the people"),
        ("@ben @nobody Hello", "Nobody called @nobody"),
        ("@ben@far.example Hello", "Nobody called @ben@far.example"),
        ("@ben", None),
    ],
)
async def test_a_direct_post_must_name_people_who_are_known(
    practice: Practice, text: str, sentence: str | None
) -> None:
    before = await _count(practice)

    reply = await practice.ana.post(STATUSES, {"status": text, "visibility": "direct"})

    if sentence is None:
        assert reply.status == 200
        return
    assert reply.status == 422
    assert sentence in reply.json["error"]
    assert await _count(practice) == before


async def test_an_answer_to_a_private_message_stays_private_and_goes_back(practice: Practice) -> None:
    message = await practice.say(practice.ana, "@ben a word", visibility="direct")

    for visibility in ("public", "private", "direct"):
        answer = await practice.say(practice.ben, "Yes", in_reply_to_id=message["id"], visibility=visibility)
        assert (answer["visibility"], answer["in_reply_to_id"]) == ("direct", message["id"])
        assert [each["acct"] for each in answer["mentions"]] == ["ana"]
    assert (await practice.cy.get(f"{STATUSES}/{answer['id']}")).status == 404


async def test_an_answer_to_ones_own_message_goes_to_the_same_people(practice: Practice) -> None:
    message = await practice.say(practice.ana, "@ben a word", visibility="direct")

    more = await practice.say(practice.ana, "And another", in_reply_to_id=message["id"])

    assert [each["acct"] for each in more["mentions"]] == ["ben"]


async def test_an_answer_to_a_private_message_that_names_a_group_stays_private(practice: Practice) -> None:
    message = await practice.say(practice.ana, "@ben a word", visibility="direct")

    answer = await practice.say(practice.ben, "@ward look", in_reply_to_id=message["id"], visibility="private")

    assert answer["visibility"] == "direct"
    assert (await practice.ana.get("/api/v1/timelines/home")).json == []


async def test_a_direct_answer_to_a_groups_post_does_not_say_what_it_answers(practice: Practice) -> None:
    topic = await practice.say(practice.ana, "@ward Question")

    message = await practice.say(practice.ben, "@cy look", in_reply_to_id=topic["id"], visibility="direct")

    assert (message["visibility"], message["in_reply_to_id"]) == ("direct", None)
    row = await practice.lone.core.store.read(_in_reply_to, message["uri"])
    assert row is None


async def _in_reply_to(tx: Tx, uri: str) -> Any:
    return await tx.value("SELECT in_reply_to FROM posts WHERE uri = :uri", uri=uri)


@pytest.mark.parametrize(
    "more",
    [
        {"visibility": "group"},
        {"poll[options][]": "x", "poll[expires_in]": "300"},
        {"scheduled_at": "2027-01-01T00:00:00Z"},
        {"quoted_status_id": "2"},
        {"media_ids": ["nothing"]},
    ],
)
async def test_what_cannot_be_done_here_is_refused_with_a_sentence(practice: Practice, more: dict[str, Any]) -> None:
    reply = await practice.ben.post(STATUSES, {"status": "@ward Hello", **more})

    assert reply.status == 422
    assert reply.json["error"].endswith(".")


async def test_an_answer_to_nothing_is_refused(practice: Practice) -> None:
    for answered in ("0", "-1", "x", "99999999999999999999", "1", str(2**63 - 1)):
        reply = await practice.ben.post(STATUSES, {"status": "@ward Hello", "in_reply_to_id": answered})

        assert reply.status == 404, answered


async def test_a_post_may_be_as_long_as_the_instance_says_and_not_longer(practice: Practice) -> None:
    limit = (await practice.nobody.get("/api/v2/instance")).json["configuration"]["statuses"]["max_characters"]
    longest = "@ward " + "x" * (limit - 6)

    fits = await practice.ben.post(STATUSES, {"status": longest})
    too_long = [
        await practice.ben.post(STATUSES, {"status": longest + "x" * CONTENT_LIMIT_CHARACTERS, **more})
        for more in ({}, {"visibility": "direct"})
    ]

    assert (fits.status, len(fits.json["content"]) > limit) == (200, True)
    assert [reply.status for reply in too_long] == [422, 422]


async def test_a_warning_stands_before_the_text(practice: Practice) -> None:
    posted = await practice.say(practice.ben, "@ward Hello", spoiler_text="Blood", sensitive="true")

    assert (posted["spoiler_text"], posted["sensitive"]) == ("Blood", True)


async def test_markdown_is_shown_and_html_is_not_run(practice: Practice) -> None:
    posted = await practice.say(practice.ben, "@ward *yes* <script>alert(1)</script>")

    assert "<em>yes</em>" in posted["content"]
    assert "<script" not in posted["content"]


@pytest.mark.parametrize("more", [{"status": "@ward Once"}, {"status": "@ana Once", "visibility": "direct"}])
async def test_the_same_key_posts_once(practice: Practice, more: dict[str, str]) -> None:
    first = await practice.ben.post(STATUSES, more, idempotency_key="k1")
    second = await practice.ben.post(STATUSES, more, idempotency_key="k1")
    third = await practice.ben.post(STATUSES, more, idempotency_key="k2")

    assert (first.status, first.json) == (second.status, second.json)
    assert third.json["id"] != first.json["id"]
    assert await _count(practice) == 2


@pytest.mark.parametrize("more", [{"status": "@ward Once"}, {"status": "@ana Once", "visibility": "direct"}])
async def test_the_same_key_at_the_same_moment_posts_once(practice: Practice, more: dict[str, str]) -> None:
    replies = await asyncio.gather(
        *(practice.ben.post(STATUSES, more, idempotency_key="k") for _ in range(12))
    )  # fmt: skip

    assert {reply.status for reply in replies} == {200}, [reply.body for reply in replies]
    assert len({reply.json["id"] for reply in replies}) == 1
    assert await _count(practice) == 1


async def test_a_key_is_its_members_own(practice: Practice) -> None:
    posted = [
        await phone.post(STATUSES, {"status": "@ward Hi"}, idempotency_key="k")
        for phone in (practice.ana, practice.ben)
    ]

    assert posted[0].json["id"] != posted[1].json["id"]


async def test_a_request_that_was_refused_does_not_use_up_its_key(practice: Practice) -> None:
    refused = await practice.ben.post(STATUSES, {"status": "Hello"}, idempotency_key="k")
    taken = await practice.ben.post(STATUSES, {"status": "@ward Hello"}, idempotency_key="k")

    assert (refused.status, taken.status) == (422, 200)

"""Reading, changing and taking back a post, and its thread."""

from __future__ import annotations

from typing import Any

from node.community.posts.service import create_post
from node.community.posts.tending import remove_post
from node.domain.posts import Draft
from tests.support.practice import Practice

STATUSES = "/api/v1/statuses"


async def _context(practice: Practice, status: Any) -> dict[str, list[str]]:
    reply = await practice.ben.get(f"{STATUSES}/{status['id']}/context")
    return {
        name: [each["content"].strip().removeprefix("<p>").removesuffix("</p>") for each in statuses]
        for name, statuses in reply.json.items()
    }


async def _a_thread(practice: Practice) -> dict[str, Any]:
    """Say a topic with two branches: a (a1 (a11), a2) and b."""
    said: dict[str, Any] = {"topic": await practice.say(practice.ana, "@ward topic")}
    for name, parent in (("a", "topic"), ("b", "topic"), ("a1", "a"), ("a2", "a"), ("a11", "a1")):
        said[name] = await practice.say(practice.ben, name, in_reply_to_id=said[parent]["id"])
    return said


async def test_a_context_holds_what_stands_above_and_each_branch_below(practice: Practice) -> None:
    said = await _a_thread(practice)

    assert await _context(practice, said["topic"]) == {
        "ancestors": [], "descendants": ["a", "a1", "a11", "a2", "b"]
    }  # fmt: skip
    assert await _context(practice, said["a"]) == {
        "ancestors": ["@ward topic"], "descendants": ["a1", "a11", "a2"]
    }  # fmt: skip
    assert await _context(practice, said["a11"]) == {
        "ancestors": ["@ward topic", "a", "a1"], "descendants": []
    }  # fmt: skip


async def test_the_context_of_a_groups_sharing_is_that_of_the_post(practice: Practice) -> None:
    await _a_thread(practice)
    shared = (await practice.ben.get("/api/v1/timelines/home")).json[0]

    assert (await _context(practice, shared))["descendants"] == ["a", "a1", "a11", "a2", "b"]


async def test_a_withdrawn_answer_leaves_its_answers_to_the_one_above(practice: Practice) -> None:
    said = await _a_thread(practice)

    await practice.ben.delete(f"{STATUSES}/{said['a']['id']}")

    context = (await practice.ben.get(f"{STATUSES}/{said['topic']['id']}/context")).json["descendants"]
    parents = {each["content"].strip(): each["in_reply_to_id"] for each in context}
    assert list(parents) == ["<p>a1</p>", "<p>a11</p>", "<p>a2</p>", "<p>b</p>"]
    assert parents["<p>a1</p>"] == parents["<p>a2</p>"] == said["topic"]["id"]
    assert parents["<p>a11</p>"] == said["a1"]["id"]
    assert (await practice.ben.get(f"{STATUSES}/{said['a1']['id']}")).json["in_reply_to_id"] is None


async def test_a_thread_of_private_messages_is_for_its_people(practice: Practice) -> None:
    message = await practice.say(practice.ana, "@ben one", visibility="direct")
    await practice.say(practice.ben, "two", in_reply_to_id=message["id"])

    assert await _context(practice, message) == {"ancestors": [], "descendants": ["two"]}


async def test_the_groups_sharing_can_be_read_by_its_own_id(practice: Practice) -> None:
    posted = await practice.say(practice.ana, "@ward Hello")
    shared = (await practice.ben.get("/api/v1/timelines/home")).json[0]

    read = await practice.ben.get(f"{STATUSES}/{shared['id']}")

    assert read.json == shared
    assert read.json["reblog"] == (await practice.ben.get(f"{STATUSES}/{posted['id']}")).json


async def test_a_title_stands_above_the_text(practice: Practice) -> None:
    house = practice.lone.house
    await create_post(
        house.core, house.tables, author=practice.ana.member, group_id=practice.ward.group_id,
        draft=Draft("Text", title="Rounds & <b>more</b>"),
    )  # fmt: skip

    shown = (await practice.ben.get("/api/v1/timelines/home")).json[0]["reblog"]["content"]

    assert shown.startswith("<p><strong>Rounds &amp; &lt;b&gt;more&lt;/b&gt;</strong></p><p>Text</p>")


async def test_an_edit_changes_the_text_and_says_when(practice: Practice) -> None:
    posted = await practice.say(practice.ben, "@ward Befor", spoiler_text="Careful")
    practice.lone.clock.advance(60)

    edited = await practice.ben.put(f"{STATUSES}/{posted['id']}", {"status": "@ward After"})

    assert edited.status == 200
    assert edited.json["content"] == "<p>@ward After</p>\n"
    assert edited.json["spoiler_text"] == "Careful"
    assert edited.json["edited_at"] == "2026-11-21T12:01:00.000Z"
    assert (await practice.ana.get(f"{STATUSES}/{posted['id']}")).json["content"] == "<p>@ward After</p>\n"


async def test_an_edit_can_take_the_warning_away_and_keep_the_text(practice: Practice) -> None:
    posted = await practice.say(practice.ben, "@ward Text", spoiler_text="Careful")

    edited = await practice.ben.put(f"{STATUSES}/{posted['id']}", {"spoiler_text": ""})

    assert (edited.json["spoiler_text"], edited.json["content"]) == ("", posted["content"])


async def test_an_edit_keeps_the_title_and_moves_nothing_to_another_group(practice: Practice) -> None:
    await practice.group("night", practice.ben)
    house = practice.lone.house
    posted = await create_post(
        house.core, house.tables, author=practice.ben.member, group_id=practice.ward.group_id,
        draft=Draft("Text", title="Title"),
    )  # fmt: skip

    edited = await practice.ben.put(f"{STATUSES}/{posted.post_id * 2}", {"status": "@night Other"})

    assert edited.json["content"] == "<p><strong>Title</strong></p><p>@night Other</p>\n"
    assert (await practice.ben.get("/api/v1/timelines/home")).json[0]["account"]["acct"] == "ward"


async def test_an_edit_to_nothing_is_refused(practice: Practice) -> None:
    posted = await practice.say(practice.ben, "@ward Text")

    assert (await practice.ben.put(f"{STATUSES}/{posted['id']}", {"status": "  "})).status == 422


async def test_a_delete_gives_the_words_back_and_takes_the_post_away(practice: Practice) -> None:
    posted = await practice.say(practice.ben, "@ward *Text*")

    deleted = await practice.ben.delete(f"{STATUSES}/{posted['id']}")

    assert (deleted.status, deleted.json["id"], deleted.json["text"]) == (200, posted["id"], "@ward *Text*")
    for phone in (practice.ana, practice.ben):
        assert (await phone.get(f"{STATUSES}/{posted['id']}")).status == 404
    assert (await practice.ben.delete(f"{STATUSES}/{posted['id']}")).status == 404


async def test_what_staff_removed_is_gone_for_apps(practice: Practice) -> None:
    posted = await practice.say(practice.ben, "@ward Text")
    house, post_id = practice.lone.house, int(posted["id"]) // 2

    await remove_post(house.core, house.tables, staff=practice.ana.member, post_id=post_id, reason="Off topic")

    assert (await practice.ben.get(f"{STATUSES}/{posted['id']}")).status == 404


async def test_nobody_changes_or_deletes_the_groups_sharing(practice: Practice) -> None:
    await practice.say(practice.ben, "@ward Text")
    shared = (await practice.ben.get("/api/v1/timelines/home")).json[0]["id"]

    assert (await practice.ben.put(f"{STATUSES}/{shared}", {"status": "x"})).status == 404
    assert (await practice.ben.delete(f"{STATUSES}/{shared}")).status == 404


async def test_a_private_message_that_was_sent_cannot_be_changed(practice: Practice) -> None:
    message = await practice.say(practice.ana, "@ben psst", visibility="direct")

    replies = [
        await practice.ana.put(f"{STATUSES}/{message['id']}", {"status": "x"}),
        await practice.ana.delete(f"{STATUSES}/{message['id']}"),
    ]

    assert [reply.status for reply in replies] == [422, 422]
    assert "private message" in replies[0].json["error"]


async def test_mentions_name_people_and_the_group_so_that_an_answer_goes_there(practice: Practice) -> None:
    posted = await practice.say(practice.ana, "@ward what do you think, @ben and @nobody?")

    assert [(each["acct"], each["url"]) for each in posted["mentions"]] == [
        ("ben", "https://home.example/people/ben"),
        ("ward", "https://home.example/groups/ward"),
    ]

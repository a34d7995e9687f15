"""Private messages as conversations: who is in one, what is unread, and that nobody else's can be touched (T18, T26)."""

from __future__ import annotations

from typing import Any

from tests.support.api_watch import find_entity_faults
from tests.support.phone import Phone, Reply
from tests.support.practice import Practice

CONVERSATIONS = "/api/v1/conversations"


async def _write(practice: Practice, phone: Phone, text: str, **more: Any) -> Any:
    return await practice.say(phone, text, visibility="direct", **more)


def _shown(reply: Reply) -> list[tuple[list[str], str, bool]]:
    """Return (who is in it, the newest message, whether it is unread) of each."""
    assert reply.status == 200, reply.body
    return [
        (
            sorted(account["acct"] for account in each["accounts"]),
            each["last_status"]["content"].strip().removeprefix("<p>").removesuffix("</p>"),
            each["unread"],
        )
        for each in reply.json
    ]


async def test_a_message_begins_a_conversation_that_is_unread_for_whom_it_is_to(practice: Practice) -> None:
    await _write(practice, practice.ana, "@ben a word")

    bens = await practice.ben.get(CONVERSATIONS)

    assert _shown(bens) == [(["ana"], "@ben a word", True)]
    assert _shown(await practice.ana.get(CONVERSATIONS)) == [(["ben"], "@ben a word", False)]
    assert _shown(await practice.cy.get(CONVERSATIONS)) == []
    assert find_entity_faults(bens.json[0], "Conversation") == []


async def test_an_answer_goes_on_in_the_same_conversation(practice: Practice) -> None:
    first = await _write(practice, practice.ana, "@ben a word")
    before = (await practice.ben.get(CONVERSATIONS)).json[0]["id"]

    await _write(practice, practice.ben, "@ana yes?", in_reply_to_id=first["id"])

    [after] = (await practice.ben.get(CONVERSATIONS)).json
    assert (after["id"], after["unread"], after["last_status"]["in_reply_to_id"]) == (before, False, first["id"])
    assert _shown(await practice.ana.get(CONVERSATIONS)) == [(["ben"], "@ana yes?", True)]


async def test_an_answer_to_fewer_people_begins_another_one(practice: Practice) -> None:
    first = await _write(practice, practice.ana, "@ben @cy to both of you")

    await _write(practice, practice.ben, "@ana between us", in_reply_to_id=first["id"])

    assert _shown(await practice.ana.get(CONVERSATIONS)) == [
        (["ben"], "@ana between us", True), (["ben", "cy"], "@ben @cy to both of you", False),
    ]  # fmt: skip
    assert _shown(await practice.cy.get(CONVERSATIONS)) == [(["ana", "ben"], "@ben @cy to both of you", True)]


async def test_one_is_marked_read_and_unread(practice: Practice) -> None:
    await _write(practice, practice.ana, "@ben a word")
    [conversation] = (await practice.ben.get(CONVERSATIONS)).json

    read = await practice.ben.post(f"{CONVERSATIONS}/{conversation['id']}/read")
    unread = await practice.ben.post(f"{CONVERSATIONS}/{conversation['id']}/unread")

    assert (read.json["unread"], unread.json["unread"]) == (False, True)
    assert read.json["last_status"]["content"] == conversation["last_status"]["content"]


async def test_one_that_was_deleted_comes_back_with_the_next_message(practice: Practice) -> None:
    first = await _write(practice, practice.ana, "@ben a word")
    [conversation] = (await practice.ben.get(CONVERSATIONS)).json

    deleted = await practice.ben.delete(f"{CONVERSATIONS}/{conversation['id']}")
    after = _shown(await practice.ben.get(CONVERSATIONS))
    await _write(practice, practice.ana, "@ben another", in_reply_to_id=first["id"])

    assert (deleted.status, deleted.json, after) == (200, {}, [])
    assert _shown(await practice.ben.get(CONVERSATIONS)) == [(["ana"], "@ben another", True)]
    assert (await practice.ben.get(f"/api/v1/statuses/{first['id']}")).status == 200


async def test_t26_somebody_elses_conversation_is_absent(practice: Practice) -> None:
    await _write(practice, practice.ana, "@ben a word")
    [conversation] = (await practice.ben.get(CONVERSATIONS)).json

    for act in ("read", "unread"):
        stranger = await practice.cy.post(f"{CONVERSATIONS}/{conversation['id']}/{act}")
        absent = await practice.cy.post(f"{CONVERSATIONS}/42/{act}")
        assert (stranger.status, stranger.body) == (absent.status, absent.body)
    deleted = await practice.cy.delete(f"{CONVERSATIONS}/{conversation['id']}")

    assert (stranger.status, deleted.status) == (404, 404)
    assert _shown(await practice.ben.get(CONVERSATIONS)) == [(["ana"], "@ben a word", True)]


async def test_an_app_walks_through_them_by_the_links(practice: Practice) -> None:
    for n in range(5):
        await _write(practice, practice.ana, f"@ben {n}")

    met, target = [], f"{CONVERSATIONS}?limit=2"
    while target:
        page = await practice.ben.get(target)
        met += [each[1] for each in _shown(page)]
        target = page.links.get("next", "")

    assert met == [f"@ben {n}" for n in range(5)][::-1]


async def test_groups_have_no_conversations(practice: Practice) -> None:
    await practice.say(practice.ana, "@ward @ben hello")

    assert _shown(await practice.ben.get(CONVERSATIONS)) == []


async def test_markers_are_kept_for_each_timeline(practice: Practice) -> None:
    home = await practice.ana.post("/api/v1/markers", {"home[last_read_id]": "103194548672408537"})
    both = await practice.ana.send(
        "POST", "/api/v1/markers", body=b'{"home":{"last_read_id":"5"},"notifications":{"last_read_id":"7"}}',
        content_type="application/json",
    )  # fmt: skip

    found = (await practice.ana.get("/api/v1/markers?timeline[]=home&timeline[]=notifications")).json

    assert (home.json["home"]["last_read_id"], home.json["home"]["version"]) == ("103194548672408537", 1)
    assert {name: (each["last_read_id"], each["version"]) for name, each in both.json.items()} == {
        "home": ("5", 2), "notifications": ("7", 1),
    }  # fmt: skip
    assert found == both.json
    assert (await practice.ana.get("/api/v1/markers")).json == {}
    assert (await practice.ben.get("/api/v1/markers?timeline[]=home")).json == {}


async def test_a_marker_that_is_no_number_changes_nothing(practice: Practice) -> None:
    for wrong in ("x", "-1", "9" * 19, "1" * 20, ""):
        refused = await practice.ana.post("/api/v1/markers", {"home[last_read_id]": wrong})
        assert refused.status == 422, wrong

    assert (await practice.ana.get("/api/v1/markers?timeline[]=home")).json == {}

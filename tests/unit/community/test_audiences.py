"""Nothing said in a group or between people reaches further than it was meant to, whatever is sent about it afterwards."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from node.domain.groups import Group
from node.federation.integrity import sha256_hex
from node.store.engine import Tx
from node.store.rosters import get_membership
from tests.support.corridor import Corridor
from tests.support.group_life import let_in, make_group, say

PUBLIC = "https://www.w3.org/ns/activitystreams#Public"
SECRET = "patient-7f3a"
PNG = b"\x89PNG\r\n\x1a\n" + bytes(64)


async def audiences(corridor: Corridor) -> list[tuple[str, str, int | None]]:
    """Return (text, audience, group) of every post."""
    rows = await corridor.lone.core.store.read(
        lambda tx: tx.all("SELECT html, audience, group_id FROM posts ORDER BY post_id")
    )
    return [tuple(row) for row in rows]


async def log_of(corridor: Corridor) -> list[dict[str, Any]]:
    """Return the activities in the log of ward, as they are sent to other nodes."""
    rows = await corridor.lone.core.store.read(
        lambda tx: tx.all("SELECT document FROM log_entries WHERE group_id = :g ORDER BY seq", g=corridor.ward.group_id)
    )
    return [msgspec.json.decode(row.document) for row in rows]


async def answers(corridor: Corridor) -> list[str]:
    """Return what the node told others about what they sent: the types, in order."""
    rows = await corridor.lone.core.store.read(
        lambda tx: tx.all("SELECT document FROM stream_entries ORDER BY peer_id, stream, position")
    )
    return [msgspec.json.decode(row.document)["type"] for row in rows]


def about(
    corridor: Corridor, verb: str, thing: Any, *, by: Any = None, number: str = "about", **more: Any
) -> dict[str, Any]:
    """Return an activity about something in ward, addressed to its members."""
    to = [corridor.ward.uri, f"{corridor.ward.uri}/followers"]
    activity: dict[str, Any] = (by or corridor.fay).activity(
        verb, thing, number=number, to=to, audience=corridor.ward.uri
    )
    return activity | more


@pytest.mark.parametrize("everybody", [PUBLIC, "as:Public", "Public"])
@pytest.mark.parametrize("verb", ["Create", "Update", "Announce"])
async def test_t18_a_known_post_is_never_addressed_anew(corridor: Corridor, verb: str, everybody: str) -> None:
    post = corridor.fay.post_in(corridor.ward.uri, SECRET)
    await corridor.send(corridor.fay, post)
    before, log = await audiences(corridor), await log_of(corridor)

    wider = post["object"] | {"to": [everybody], "cc": [corridor.ward.uri]}
    for number, thing in enumerate(
        (wider, wider | {"audience": None}, post["object"] | {"to": [corridor.ward.uri, everybody]})
    ):
        for to in ([everybody], [everybody, corridor.ward.uri]):
            activity = corridor.fay.activity(verb, thing, number=f"{number}-{len(to)}", to=to)
            await corridor.send(corridor.fay, activity)

    assert await audiences(corridor) == before
    assert await log_of(corridor) == log


async def test_t18_a_private_messages_people_stay_who_they_were(corridor: Corridor) -> None:
    otto = await corridor.lone.member("otto")
    to = [corridor.mia.uri]
    note = corridor.abe.note(SECRET, to=to)
    await corridor.send(corridor.abe, corridor.abe.activity("Create", note, number=1, to=to))
    people = await _people(corridor)

    for number, verb in enumerate(("Create", "Update", "Announce"), 2):
        wider = note | {"to": [corridor.mia.uri, otto.uri], "content": "<p>Changed</p>"}
        await corridor.send(corridor.abe, corridor.abe.activity(verb, wider, number=number, to=wider["to"]))

    assert len(people) == 2
    assert await _people(corridor) == people


@pytest.mark.parametrize(
    "to",
    [
        ["https://home.example/groups/circle"],
        ["https://home.example/groups/circle/members"],
        ["https://home.example/groups/circle/followers"],
        ["https://friend.example/people/fay/followers"],
        ["https://ally.example/groups/any/followers"],
        ["https://home.example/people/mia/followers"],
        ["https://home.example/followers"],
        ["https://home.example/actor"],
        [PUBLIC],
        [],
    ],
)
async def test_t19_what_looks_like_a_collection_is_not_expanded(corridor: Corridor, to: list[str]) -> None:
    await make_group(corridor.lone, "circle", corridor.mia, is_hidden=True)
    before = await corridor.effects()

    with_note = corridor.fay.activity("Create", corridor.fay.note(SECRET, to=to), to=to)
    answer = await corridor.send(corridor.fay, with_note)

    assert answer.status == 202
    assert await corridor.effects() == before


async def test_t19_a_member_of_one_group_says_nothing_in_another(corridor: Corridor) -> None:
    circle = await make_group(corridor.lone, "circle", corridor.mia)
    both = [corridor.ward.uri, circle.uri]
    before = await corridor.effects()

    for number, to in enumerate(([circle.uri], both, [f"{circle.uri}/followers", f"{corridor.ward.uri}/followers"])):
        note = corridor.fay.note(SECRET, to=to, number=number)
        await corridor.send(corridor.fay, corridor.fay.activity("Create", note, number=number, to=to))

    assert (await corridor.effects())["posts"] == before["posts"]
    assert (await corridor.effects())["log_entries"] == before["log_entries"]


async def test_t20_a_private_post_is_not_announced_further(corridor: Corridor) -> None:
    uri = await _uri_of(corridor, await say(corridor.lone, corridor.ward, corridor.mia, SECRET))
    before, sent = await corridor.effects(), len(await answers(corridor))

    for number, to in enumerate(([PUBLIC], [f"{corridor.fay.uri}/followers"], [corridor.ward.uri])):
        for thing in (uri, {"type": "Note", "id": uri, "attributedTo": corridor.mia.uri, "content": "x", "to": to}):
            activity = corridor.fay.activity("Announce", thing, number=f"{number}{type(thing).__name__}", to=to)
            await corridor.send(corridor.fay, activity)

    assert await corridor.effects() == before
    assert len(await answers(corridor)) == sent


async def test_t20_a_reply_stays_in_the_group_of_its_parent(corridor: Corridor) -> None:
    circle = await make_group(corridor.lone, "circle", corridor.mia)
    uri = await _uri_of(corridor, await say(corridor.lone, circle, corridor.mia, SECRET))
    before = await audiences(corridor)

    reply = corridor.fay.post_in(corridor.ward.uri, "Look at this", inReplyTo=uri)
    await corridor.send(corridor.fay, reply)

    assert await audiences(corridor) == before
    assert "Reject" in await answers(corridor)


@pytest.mark.parametrize("place", ["activity", "object"])
@pytest.mark.parametrize("name", ["bto", "bcc"])
async def test_t29_who_is_addressed_in_secret_is_told_to_nobody(corridor: Corridor, place: str, name: str) -> None:
    hidden = {name: ["https://ally.example/people/abe-in-secret"]}
    post = corridor.fay.post_in(corridor.ward.uri, "Hello")
    message = corridor.fay.activity(
        "Create", corridor.fay.note("Hi", to=[corridor.mia.uri], number=2), number=2, to=[corridor.mia.uri]
    )
    for activity in (post, message):
        (activity if place == "activity" else activity["object"]).update(hidden)
        await corridor.send(corridor.fay, activity)

    kept = str(await corridor.effects()) + str(await log_of(corridor))
    sent = str(
        await corridor.lone.core.store.read(
            lambda tx: tx.all("SELECT document FROM stream_entries WHERE stream <> 'control'")
        )
    )
    assert "abe-in-secret" not in kept
    assert "abe-in-secret" not in sent


async def test_t12_only_its_author_changes_a_post(corridor: Corridor) -> None:
    await let_in(corridor.lone, corridor.ward, corridor.known["finn"])
    post = corridor.fay.post_in(corridor.ward.uri, "Hello")
    await corridor.send(corridor.fay, post)
    changed = post["object"] | {"content": "<p>Goodbye</p>"}

    for number, other in enumerate((corridor.finn, corridor.abe)):
        in_their_name = changed | {"attributedTo": other.uri}
        await corridor.send(other, about(corridor, "Update", changed, by=other, number=f"u{number}"))
        await corridor.send(other, about(corridor, "Update", in_their_name, by=other, number=f"v{number}"))
        await corridor.send(other, about(corridor, "Delete", changed["id"], by=other, number=f"d{number}", summary="x"))
        await corridor.send(
            other, about(corridor, "Delete", {"type": "Tombstone", "id": changed["id"]}, by=other, number=f"t{number}")
        )

    assert await corridor.texts() == ["<p>Hello</p>"]


async def test_t12_a_moderator_removes_with_a_reason_and_changes_nothing(corridor: Corridor) -> None:
    await let_in(corridor.lone, corridor.ward, corridor.known["finn"])
    await corridor.lone.core.store.write(_make_moderator, corridor)
    post = corridor.fay.post_in(corridor.ward.uri, "Hello")
    await corridor.send(corridor.fay, post)

    await corridor.send(
        corridor.finn, about(corridor, "Update", post["object"] | {"content": "<p>x</p>"}, by=corridor.finn, number="u")
    )
    await corridor.send(
        corridor.finn, about(corridor, "Delete", post["object"]["id"], by=corridor.finn, number="silent")
    )
    unchanged = await corridor.texts()
    await corridor.send(
        corridor.finn,
        about(corridor, "Delete", post["object"]["id"], by=corridor.finn, number="d", summary="Off topic."),
    )

    assert unchanged == ["<p>Hello</p>"]
    assert await corridor.texts() == [""]


async def test_t16_a_stamp_that_approves_of_a_quotation_means_nothing(corridor: Corridor) -> None:
    uri = await _uri_of(corridor, await say(corridor.lone, corridor.ward, corridor.mia, SECRET))
    before = await corridor.effects()
    stamp = {
        "type": "QuoteAuthorization",
        "id": f"{corridor.fay.uri}/stamp",
        "attributedTo": corridor.mia.uri,
        "interactingObject": uri,
    }

    for number, verb in enumerate(("Accept", "Announce", "Create", "Add")):
        await corridor.send(corridor.fay, about(corridor, verb, stamp, number=f"stamp-{number}"))

    after = await corridor.effects()
    assert {table for table in after if after[table] != before[table]} <= {"acquaintances"}


async def test_t12_a_picture_of_another_is_not_taken_over(corridor: Corridor) -> None:
    from tests.routes.scene import PNG  # the smallest file that begins like a picture

    await let_in(corridor.lone, corridor.ward, corridor.known["finn"])
    url = "https://friend.example/media/1"
    corridor.lone.wire.documents[url] = PNG
    picture = {"type": "Image", "url": url, "mediaType": "image/png", "digestSha256": sha256_hex(PNG), "name": "A dot"}
    await corridor.send(corridor.fay, corridor.fay.post_in(corridor.ward.uri, "Mine", attachment=[picture]))
    before = await _pictures(corridor)

    await corridor.send(corridor.finn, corridor.finn.post_in(corridor.ward.uri, "Mine too", attachment=[picture]))

    assert before == ["https://friend.example/posts/fay-1"]
    assert "https://friend.example/posts/fay-1" in await _pictures(corridor)


async def test_t21_t23_a_hidden_group_gives_no_sign_to_whoever_has_no_member_in_it(corridor: Corridor) -> None:
    circle = await make_group(corridor.lone, "circle", corridor.mia, is_hidden=True)
    before = await answers(corridor)
    verbs = (
        "Create",
        "Update",
        "Delete",
        "Lock",
        "Add",
        "Remove",
        "Follow",
        "Join",
        "Leave",
        "Undo",
        "Flag",
        "Accept",
        "Reject",
        "Invite",
    )

    for name in ("circle", "circle/staff", "nothing", "nothing/staff"):
        group_uri = f"{corridor.lone.core.origin}/groups/{name}"
        for verb in verbs:
            thing = corridor.abe.note("x", to=[group_uri], number=f"{name}{verb}") if verb == "Create" else group_uri
            activity = corridor.abe.activity(
                verb, thing, number=f"{name}{verb}", to=[group_uri], audience=group_uri, target=f"{group_uri}/featured"
            )
            assert (await corridor.send(corridor.abe, activity)).status in (202, 400), verb

    assert await answers(corridor) == before
    assert await _said_in(corridor, circle) == []


_SAID_IN = """SELECT e.kind, e.document FROM log_entries e JOIN groups g ON g.group_id = e.group_id
  WHERE e.group_id = :group_id OR g.staff_of = :group_id"""


async def _said_in(corridor: Corridor, group: Group) -> list[Any]:
    """Return what anybody of ally.example brought into a group or its staff room."""
    rows: list[Any] = await corridor.lone.core.store.read(lambda tx: tx.all(_SAID_IN, group_id=group.group_id))
    return [row for row in rows if "ally.example" in row.document]


async def _people(corridor: Corridor) -> list[Any]:
    rows: list[Any] = await corridor.lone.core.store.read(
        lambda tx: tx.all("SELECT post_id, actor_id FROM post_people ORDER BY actor_id")
    )
    return rows


async def _pictures(corridor: Corridor) -> list[str]:
    rows = await corridor.lone.core.store.read(
        lambda tx: tx.all("SELECT p.uri FROM media m JOIN posts p ON p.post_id = m.post_id ORDER BY p.post_id")
    )
    return [row.uri for row in rows]


async def _uri_of(corridor: Corridor, post_id: int) -> str:
    uri: str = await corridor.lone.core.store.read(
        lambda tx: tx.value("SELECT uri FROM posts WHERE post_id = :p", p=post_id)
    )
    return uri


async def _make_moderator(tx: Tx, corridor: Corridor) -> None:
    place = {"group_id": corridor.ward.group_id, "actor_id": corridor.known["finn"].actor_id}
    assert await get_membership(tx, **place) is not None
    await tx.run(
        "UPDATE memberships SET role = 'moderator' WHERE group_id = :group_id AND actor_id = :actor_id", **place
    )

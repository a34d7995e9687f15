"""Pictures that apps add: their owner's alone until they are on a post, then the post's."""

from __future__ import annotations

import base64
from io import BytesIO
from typing import Any

import pytest
from PIL import Image as Picture

from node.community.groups.staff import remove_from_group
from node.community.members.service import suspend_member
from node.community.posts.uploads import WAITING_LIMIT
from node.store.engine import Tx
from node.store.files import media_path
from node.store.uploads import forget_uploads
from tests.support.phone import Phone, as_upload
from tests.support.practice import Practice

MEDIA, STATUSES = "/api/v1/media", "/api/v1/statuses"
_PLACE = b"canary-of-a-place"
_FILL = """INSERT INTO media (token, owner_id, sha256, media_type, size_bytes, width, height, alt, state, tries, due_at,
   created_at) VALUES (:token, :owner_id, 'x', 'image/png', 1, 1, 1, '', 'ready', 0, :now_at, :now_at)"""
_HASH = "SELECT sha256 FROM media WHERE token = :token"


def a_png(colour: tuple[int, int, int] = (10, 20, 30)) -> bytes:
    """Return a small picture."""
    out = BytesIO()
    Picture.new("RGB", (4, 3), colour).save(out, "PNG")
    return out.getvalue()


async def _add(phone: Phone, data: bytes = b"", *, path: str = "/api/v2/media", **fields: str) -> Any:
    reply = await phone.send("POST", path, **as_upload(data or a_png(), **fields))
    assert reply.status == 200, reply.body
    return reply.json


def _target(attachment: Any) -> str:
    return "/" + attachment["url"].split("/", 3)[3]


@pytest.mark.parametrize("path", ["/api/v1/media", "/api/v2/media"])
async def test_an_app_adds_a_picture_and_posts_it(practice: Practice, path: str) -> None:
    attachment = await _add(practice.ben, path=path, description="A dark square", focus="0.0,0.0")

    said = await practice.say(practice.ben, "@ward Look", media_ids=[attachment["id"]])

    assert (attachment["type"], attachment["description"]) == ("image", "A dark square")
    assert attachment["meta"]["original"]["size"] == "4x3"
    assert [each["id"] for each in said["media_attachments"]] == [attachment["id"]]
    (shown,) = (await practice.ana.get(f"{STATUSES}/{said['id']}")).json["media_attachments"]
    assert shown["description"] == "A dark square"
    assert (await practice.nobody.get(_target(shown))).status == 200


async def test_a_request_with_a_picture_that_is_sent_twice_posts_once(practice: Practice) -> None:
    attachment = await _add(practice.ben)
    wish = {"status": "@ward Look", "media_ids": [attachment["id"]]}

    first = await practice.ben.post(STATUSES, wish, idempotency_key="k")
    second = await practice.ben.post(STATUSES, wish, idempotency_key="k")

    assert (first.status, second.status, second.json["id"]) == (200, 200, first.json["id"])


async def test_a_picture_is_cleaned_of_all_it_says_besides_itself(practice: Practice) -> None:
    out, exif = BytesIO(), Picture.Exif()
    exif[0x010E] = _PLACE.decode()
    Picture.new("RGB", (4, 3)).save(out, "JPEG", exif=exif.tobytes())
    assert _PLACE in out.getvalue()

    attachment = await _add(practice.ben, out.getvalue())

    assert _PLACE not in (await practice.nobody.get(_target(attachment))).body


async def test_t26_until_it_is_posted_a_picture_is_its_owners_alone(practice: Practice) -> None:
    attachment = await _add(practice.ben)
    path, absent = f"{MEDIA}/{attachment['id']}", f"{MEDIA}/{'a' * 26}"

    own = await practice.ben.get(path)
    others = [
        (await phone.send(method, path, body=b"description=x", content_type="application/x-www-form-urlencoded"),
         await phone.send(method, absent, body=b"description=x", content_type="application/x-www-form-urlencoded"))
        for phone in (practice.ana, practice.cy, practice.nobody)
        for method in ("GET", "PUT", "DELETE")
    ]  # fmt: skip

    assert (own.status, own.json) == (200, attachment)
    assert [found.status for found, _ in others] == [404] * 6 + [401] * 3
    assert all((found.status, found.body) == (nothing.status, nothing.body) for found, nothing in others)
    assert (await practice.nobody.get(_target(attachment))).status == 200  # by the owner's own ticket
    stolen = await practice.cy.post(STATUSES, {"status": "@ward Look", "media_ids": [attachment["id"]]})
    assert stolen.status == 422


async def test_t26_a_waiting_picture_is_not_for_another_members_session_or_ticket(practice: Practice) -> None:
    attachment = await _add(practice.ben)
    token = attachment["id"]
    foreign = (await _add(practice.cy))["url"].partition("?t=")[2]

    with_foreign = await practice.nobody.get(f"/media/{token}?t={foreign}")
    await suspend_member(practice.lone.core, "ben", by="a test", reason="")
    afterwards = await practice.nobody.get(_target(attachment))

    assert (with_foreign.status, afterwards.status) == (404, 404)


async def test_a_picture_on_a_post_is_read_with_the_post_and_no_longer_by_itself(practice: Practice) -> None:
    attachment = await _add(practice.ben)
    await practice.say(practice.ben, "@ward Look", media_ids=[attachment["id"]])

    replies = [
        await practice.ben.get(f"{MEDIA}/{attachment['id']}"),
        await practice.ben.put(f"{MEDIA}/{attachment['id']}", {"description": "x"}),
        await practice.ben.delete(f"{MEDIA}/{attachment['id']}"),
        await practice.ben.post(STATUSES, {"status": "@ward Again", "media_ids": [attachment["id"]]}),
    ]

    assert [reply.status for reply in replies] == [404, 404, 404, 422]


async def test_t24_a_picture_of_a_member_who_was_removed_is_closed_to_them(practice: Practice) -> None:
    attachment = await _add(practice.ben)
    await practice.say(practice.ben, "@ward Look", media_ids=[attachment["id"]])
    house = practice.lone.house

    await remove_from_group(
        house.core, house.tables, staff=practice.ana.member, group_id=practice.ward.group_id,
        actor_id=practice.ben.member.actor_id, ban=False, reason="", by="ana",
    )  # fmt: skip

    assert (await practice.nobody.get(_target(attachment))).status == 404


async def test_a_waiting_picture_is_described_anew(practice: Practice) -> None:
    attachment = await _add(practice.ben, description="First")
    path = f"{MEDIA}/{attachment['id']}"

    changed = await practice.ben.put(path, {"description": "Second"})
    kept = await practice.ben.put(path, {"focus": "0.1,0.2"})
    emptied = await practice.ben.put(path, {"description": ""})

    assert [reply.json["description"] for reply in (changed, kept, emptied)] == ["Second", "Second", None]


async def test_a_waiting_picture_can_be_taken_away_with_its_file(practice: Practice) -> None:
    core = practice.lone.core
    attachment = await _add(practice.ben)
    file = media_path(core, await core.store.read(_sha256, attachment["id"]))

    was_there, gone = file.exists(), await practice.ben.delete(f"{MEDIA}/{attachment['id']}")

    assert (was_there, gone.status, file.exists()) == (True, 200, False)
    assert (await practice.ben.get(f"{MEDIA}/{attachment['id']}")).status == 404
    assert (await practice.nobody.get(_target(attachment))).status == 404


async def test_taking_one_of_two_equal_pictures_away_leaves_the_other_whole(practice: Practice) -> None:
    first, second = await _add(practice.ben), await _add(practice.ana)

    await practice.ben.delete(f"{MEDIA}/{first['id']}")

    assert (await practice.nobody.get(_target(second))).status == 200


async def test_after_a_day_what_is_on_no_post_is_forgotten_and_what_is_on_one_stays(practice: Practice) -> None:
    core = practice.lone.core
    waiting, posted = await _add(practice.ben), await _add(practice.ben, a_png((99, 0, 0)))
    await practice.say(practice.ben, "@ward Look", media_ids=[posted["id"]])
    practice.lone.clock.advance(86_399)
    young = await forget_uploads(core)
    practice.lone.clock.advance(2)

    old = await forget_uploads(core)

    assert (young, old) == (0, 1)
    assert (await practice.ben.get(f"{MEDIA}/{waiting['id']}")).status == 404
    (kept,) = (await practice.ben.get("/api/v1/timelines/home")).json[0]["reblog"]["media_attachments"]
    assert (await practice.nobody.get(_target(kept))).status == 200


@pytest.mark.parametrize(
    ("fields", "data", "status"),
    [
        ({"description": "x" * 1501}, b"", 422),
        ({}, b"no picture", 422),
        ({}, b"<svg xmlns='http://www.w3.org/2000/svg'/>", 422),
        ({}, bytes(11_000_000), 413),
    ],
)
async def test_t52_what_is_no_picture_or_too_much_is_refused_with_a_sentence(
    practice: Practice, fields: dict[str, str], data: bytes, status: int
) -> None:
    reply = await practice.ben.send("POST", "/api/v2/media", **as_upload(data or a_png(), **fields))

    assert (reply.status, reply.json["error"][-1]) == (status, ".")


async def test_a_request_without_a_file_is_refused_with_a_sentence(practice: Practice) -> None:
    form = await practice.ben.post("/api/v2/media", {"file": "a text", "description": "x"})
    in_json = await practice.ben.send("POST", "/api/v2/media", body=b'{"file": "x"}', content_type="application/json")

    assert (form.status, in_json.status) == (422, 422)
    assert "under the name `file`" in form.json["error"]


async def test_nobody_fills_the_disk_with_pictures_that_wait(practice: Practice) -> None:
    async def fill(tx: Tx) -> None:
        for n in range(WAITING_LIMIT):
            await tx.run(_FILL, token=f"filled-{n}", owner_id=practice.ben.member.actor_id, now_at=tx.now)

    await practice.lone.core.store.write(fill)

    refused = await practice.ben.send("POST", "/api/v2/media", **as_upload(a_png()))

    assert (refused.status, "They go after a day" in refused.json["error"]) == (422, True)
    await _add(practice.ana)


async def test_the_instance_says_how_many_pictures_a_post_takes_and_it_takes_as_many(practice: Practice) -> None:
    configuration = (await practice.nobody.get("/api/v2/instance")).json["configuration"]
    limit = configuration["statuses"]["max_media_attachments"]
    (shape,) = {len(base64.b64encode(a_png()))}
    ids = [(await _add(practice.ben))["id"] for _ in range(limit + 1)]

    too_many = await practice.ben.post(STATUSES, {"status": "@ward Look", "media_ids": ids})
    fits = await practice.ben.post(STATUSES, {"status": "@ward Look", "media_ids": ids[:limit]})

    assert (too_many.status, fits.status, len(fits.json["media_attachments"])) == (422, 200, limit)
    assert shape < configuration["media_attachments"]["image_size_limit"]


@pytest.mark.parametrize("form", ["json", "form"])
async def test_the_pictures_of_a_post_are_described_anew_with_it(practice: Practice, form: str) -> None:
    added = [(await _add(practice.ben, description=name))["id"] for name in ("one", "two")]
    said = await practice.say(practice.ben, "@ward Look", media_ids=added)
    path = f"{STATUSES}/{said['id']}"

    if form == "form":
        body = "status=@ward+Look&" + "&".join(f"media_ids[]={each}" for each in added)
        body += f"&media_attributes[][id]={added[1]}&media_attributes[][description]=second"
        edited = await practice.ben.send(
            "PUT", path, body=body.encode(), content_type="application/x-www-form-urlencoded"
        )
    else:
        text = '{"status": "@ward Look", "media_attributes": [{"id": "%s", "description": "second", "focus": null}]}'
        edited = await practice.ben.send("PUT", path, body=(text % added[1]).encode(), content_type="application/json")

    assert edited.status == 200, edited.body
    for reply in (edited, await practice.ana.get(path)):
        assert [each["description"] for each in reply.json["media_attachments"]] == ["one", "second"]


async def test_an_edit_neither_adds_nor_takes_away_pictures(practice: Practice) -> None:
    first, second = [(await _add(practice.ben))["id"] for _ in range(2)]
    said = await practice.say(practice.ben, "@ward Look", media_ids=[first])
    path = f"{STATUSES}/{said['id']}"

    refused = [
        await practice.ben.put(path, {"status": "@ward More", "media_ids": [first, second]}),
        await practice.ben.put(path, {"status": "@ward More", "media_ids": [second]}),
        await practice.ben.send(
            "PUT", path, body=b'{"media_attributes": [{"id": "other"}]}', content_type="application/json"
        ),
        await practice.ben.send("PUT", path, body=b'{"media_attributes": "x"}', content_type="application/json"),
    ]

    assert [reply.status for reply in refused] == [422] * 4
    assert (await practice.ana.get(path)).json["content"] == said["content"]


async def test_an_answer_may_be_a_picture_alone_and_be_described_anew(practice: Practice) -> None:
    topic = await practice.say(practice.ana, "@ward Question")
    picture = (await _add(practice.ben))["id"]
    answer = await practice.say(practice.ben, "", in_reply_to_id=topic["id"], media_ids=[picture])

    body = b'{"status": "", "media_attributes": [{"id": "%b", "description": "A chart"}]}' % picture.encode()
    edited = await practice.ben.send("PUT", f"{STATUSES}/{answer['id']}", body=body, content_type="application/json")

    assert (edited.status, edited.json["media_attachments"][0]["description"]) == (200, "A chart")


@pytest.mark.parametrize("scopes", ["read", "read write:statuses", "follow"])
async def test_a_picture_is_added_only_with_a_scope_for_it(practice: Practice, scopes: str) -> None:
    phone = await practice.phone(practice.ben.member, scopes)

    refused = await phone.send("POST", "/api/v2/media", **as_upload(a_png()))

    assert refused.status == 403


async def _sha256(tx: Tx, token: str) -> str:
    return str(await tx.value(_HASH, token=token))

"""Pictures for apps: an address that works for whoever was given it, and only while they may still look."""

from __future__ import annotations

import base64
from io import BytesIO
from typing import Any

import pytest
from PIL import Image as Picture

from node.api.auth import Caller
from node.api.tickets import Tickets
from node.community.members.service import hash_secret, suspend_member
from node.community.posts.service import create_post
from node.community.posts.uploads import add_image
from node.domain.posts import Draft
from node.store.engine import Tx
from tests.support.clock import FrozenClock
from tests.support.phone import Phone
from tests.support.practice import Practice

_HOUR = 3600


def _png() -> bytes:
    out = BytesIO()
    Picture.new("RGB", (4, 3), (10, 20, 30)).save(out, "PNG")
    return out.getvalue()


@pytest.fixture
async def status(practice: Practice) -> Any:
    """Give a post of Ana's with a picture, as Ben's app reads it."""
    house = practice.lone.house
    image = await add_image(house.core, owner=practice.ana.member, data=_png(), alt="A dark square")
    posted = await create_post(
        house.core, house.tables, author=practice.ana.member, group_id=practice.ward.group_id,
        draft=Draft("Look", images=(image.token,)),
    )  # fmt: skip
    return (await practice.ben.get(f"/api/v1/statuses/{posted.post_id * 2}")).json


def _target(status: Any) -> str:
    return "/" + status["media_attachments"][0]["url"].split("/", 3)[3]


async def test_an_app_loads_a_picture_without_a_token(practice: Practice, status: Any) -> None:
    picture = await practice.nobody.get(_target(status))

    assert (picture.status, picture.headers["content-type"]) == (200, "image/png")
    assert Picture.open(BytesIO(picture.body)).size == (4, 3)
    assert picture.headers["cache-control"] == "private, max-age=600"
    assert picture.headers["x-content-type-options"] == "nosniff"
    (attachment,) = status["media_attachments"]
    assert attachment["description"] == "A dark square"
    assert attachment["meta"]["original"] == {"width": 4, "height": 3, "size": "4x3", "aspect": 4 / 3}
    assert attachment["preview_url"] == attachment["url"]


async def test_the_address_stays_the_same_for_half_a_day_and_dies_within_a_day(practice: Practice, status: Any) -> None:
    again = (await practice.ben.get(f"/api/v1/statuses/{status['id']}")).json
    assert again["media_attachments"] == status["media_attachments"]

    practice.lone.clock.advance(12 * _HOUR - 1)
    assert (await practice.nobody.get(_target(status))).status == 200
    practice.lone.clock.advance(12 * _HOUR + 1)
    assert (await practice.nobody.get(_target(status))).status == 404


async def test_a_picture_is_gone_when_its_reader_is_suspended(practice: Practice, status: Any) -> None:
    await suspend_member(practice.lone.core, "ben", by="a test", reason="")

    assert (await practice.nobody.get(_target(status))).status == 404


async def test_a_picture_is_gone_when_its_reader_leaves_the_group(practice: Practice, status: Any) -> None:
    await practice.ben.post(f"/api/v1/accounts/{practice.ward.group_id}/unfollow")

    assert (await practice.nobody.get(_target(status))).status == 404


async def test_a_picture_is_gone_when_the_token_is_revoked(practice: Practice, status: Any) -> None:
    await practice.lone.core.store.write(_revoke, hash_secret(practice.ben.token or ""))

    assert (await practice.nobody.get(_target(status))).status == 404


async def test_a_picture_is_gone_when_its_post_is_withdrawn(practice: Practice, status: Any) -> None:
    await practice.ana.delete(f"/api/v1/statuses/{status['id']}")

    assert (await practice.nobody.get(_target(status))).status == 404


async def test_a_ticket_opens_one_picture_for_one_reader(practice: Practice, status: Any) -> None:
    token, _, ticket = _target(status).removeprefix("/media/").partition("?t=")
    forged = _tickets(practice, b"another key").for_caller(_caller(practice.ben))(token).partition("?t=")[2]
    foreign = _tickets(practice, bytes(range(32))).for_caller(_caller(practice.cy))(token).partition("?t=")[2]
    head = base64.urlsafe_b64decode(ticket + "=")
    later = (int.from_bytes(head[:8], "big") + 1).to_bytes(8, "big") + head[8:]
    wrong = {
        "another picture": f"/media/{'a' * 26}?t={ticket}",
        "another key": f"/media/{token}?t={forged}",
        "somebody without a right": f"/media/{token}?t={foreign}",
        "a later expiry": f"/media/{token}?t={base64.urlsafe_b64encode(later).decode()}",
        "a shorter ticket": f"/media/{token}?t={ticket[:-2]}",
        "no ticket": f"/media/{token}?t=",
        "nonsense": f"/media/{token}?t=%ff%00",
        "too much": f"/media/{token}?t={'a' * 5000}",
    }

    replies = {name: await practice.nobody.get(target) for name, target in wrong.items()}

    assert {name: reply.status for name, reply in replies.items()} == dict.fromkeys(wrong, 404)
    assert len({reply.body for reply in replies.values()}) == 1


async def test_without_a_ticket_a_browser_is_sent_to_sign_in_whatever_is_there(practice: Practice, status: Any) -> None:
    there = await practice.nobody.get(_target(status).partition("?")[0])
    nowhere = await practice.nobody.get(f"/media/{'a' * 26}")

    assert (
        (there.status, there.headers["location"]) == (nowhere.status, nowhere.headers["location"]) == (303, "/sign-in")
    )


async def test_a_picture_that_is_still_on_its_way_is_not_shown(practice: Practice, status: Any) -> None:
    await practice.lone.core.store.write(_want, status["media_attachments"][0]["id"])

    shown = (await practice.ben.get(f"/api/v1/statuses/{status['id']}")).json

    assert shown["media_attachments"] == []
    assert (await practice.nobody.get(_target(status))).status == 404


def _tickets(practice: Practice, node_key: bytes) -> Tickets:
    return Tickets(node_key, practice.lone.core.clock, practice.lone.core.origin)


def _caller(phone: Phone) -> Caller:
    return Caller(phone.member, frozenset({"read"}), hash_secret(phone.token or ""))


async def _revoke(tx: Tx, token_hash: str) -> None:
    await tx.run("UPDATE api_tokens SET revoked_at = :now_at WHERE token_hash = :hash", now_at=tx.now, hash=token_hash)


async def _want(tx: Tx, token: str) -> None:
    await tx.run("UPDATE media SET state = 'wanted' WHERE token = :token", token=token)


def test_a_ticket_is_valid_for_half_a_day_to_a_day(clock: FrozenClock) -> None:
    tickets = Tickets(b"key", clock, "https://home.example")
    member: Any = type("Somebody", (), {"actor_id": 7})()
    caller = Caller(member, frozenset(), "ab" * 32)

    for _ in range(30):
        ticket = tickets.for_caller(caller)("x").partition("?t=")[2]
        expiry = int.from_bytes(base64.urlsafe_b64decode(ticket + "==")[:8], "big")
        left = expiry - clock.now().timestamp()
        assert 12 * _HOUR < left <= 24 * _HOUR
        clock.advance(2777)

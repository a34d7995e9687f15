"""Pictures: cleaned before they are kept, mirrored by the group's host, fetched from it alone, checked by their hash."""

from __future__ import annotations

import base64
import io
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web
from PIL import Image

from tests.support.foreign import ForeignActor, ForeignPeer, Received
from tests.support.foreign_papers import sha256_hex
from tests.support.village import Node, Village
from tests.support.waiting import until_true

pytestmark = pytest.mark.long_on("postgresql")

PLACE = "canaryplaceofthepicture"


def a_picture(colour: str = "red", *, place: str = "") -> bytes:
    """Return a small JPEG; `place` stands in its metadata, as cameras write it."""
    picture, out, exif = Image.new("RGB", (24, 16), colour), io.BytesIO(), Image.Exif()
    exif[0x010E] = place or "nowhere"
    picture.save(out, "JPEG", exif=exif.tobytes() if place else b"")
    return out.getvalue()


async def _post_picture(node: Node, ward: str, data: bytes, *, as_: str) -> dict[str, Any]:
    """Write a post with a picture, as the command does it."""
    encoded = base64.b64encode(data).decode()
    words = ["--as", as_, "--image-data", encoded, "--alt", "A red field"]
    posted: dict[str, Any] = await node.run("post", "add", ward, *words, text="Look")
    return posted


async def _media(node: Node) -> list[Any]:
    return await node.select("SELECT token, sha256, state, alt, source_uri, post_id, tries FROM media")


def _files(node: Node) -> set[str]:
    return {path.name for path in Path(node.data, "media").rglob("*") if path.is_file()}


async def _are_files(node: Node, names: set[str]) -> bool:
    return _files(node) == names


async def test_a_picture_is_cleaned_of_all_it_says_besides_itself(village: Village) -> None:
    a, b, ward = await village.shared_ward()
    assert PLACE.encode() in a_picture(place=PLACE)

    await _post_picture(b, ward, a_picture(place=PLACE), as_="ben")
    await village.rest()

    for node in (a, b):
        [row] = await _media(node)
        assert (row.state, row.alt) == ("ready", "A red field")
        assert _files(node) == {row.sha256}
        assert await village.find_kept(PLACE, node) == []
        assert village.find_said(PLACE, node) == []
    assert _files(a) == _files(b)


async def test_a_members_node_gets_pictures_from_the_groups_host_and_nobody_else(village: Village) -> None:
    a, b, ward = await village.shared_ward()
    c = await village.node("clinic")
    await village.befriend(a, c)
    await c.member("cleo")
    await village.let_in(a, ward, (c, "cleo"))

    await _post_picture(b, ward, a_picture(), as_="ben")
    await village.rest()

    [row] = await _media(c)
    assert row.state == "ready"
    assert row.source_uri.startswith(f"{a.origin}/media/")
    assert _files(c) == _files(b)
    assert {talk.client for talk in b.proxy.conversations} == {a.host}
    assert [post["text"] for post in await c.posts(ward, as_="cleo")] == ["Look"]


async def test_a_withdrawn_posts_picture_goes_from_every_node(village: Village) -> None:
    a, b, ward = await village.shared_ward()
    posted = await _post_picture(b, ward, a_picture(), as_="ben")
    await village.rest()
    before = (len(_files(a)), len(_files(b)))

    await b.run("post", "withdraw", posted["uri"], "--as", "ben")
    await village.rest()

    assert before == (1, 1)
    for node in (a, b):
        await until_true(lambda node=node: _are_files(node, set()))  # type: ignore[misc]
        assert await _media(node) == []


async def test_a_node_that_leaves_keeps_no_picture_of_the_group(village: Village) -> None:
    a, b, ward = await village.shared_ward()
    await _post_picture(a, ward, a_picture("blue"), as_="ana")
    await village.rest()
    assert len(_files(b)) == 1

    await b.run("group", "leave", ward, "--as", "ben")
    await village.rest()

    await until_true(lambda: _are_files(b, set()))
    assert len(_files(a)) == 1


async def test_t24_the_hosts_picture_answers_only_nodes_with_a_member(village: Village) -> None:
    a = await village.node("society")
    await a.member("ana")
    ward = await a.group("ward", owner="ana")
    posted = await _post_picture(a, ward, a_picture(), as_="ana")
    [row] = await _media(a)
    url = f"{a.origin}/media/{row.token}"
    peer, other = await village.foreign_friend(a), await village.foreign_friend(a)
    dora = peer.person("dora")
    await village.let_foreign_in(a, ward, peer, dora)

    allowed = await peer.get(url)
    refused = [await other.get(url), await (await village.foreign()).get(url), await other.request("GET", url)]
    await peer.send(f"{ward}/inbox", peer.activity("Leave", dora, ward, to=[ward]), dora)
    await village.rest()
    after_leaving = await peer.get(url)
    absent = await peer.get(f"{a.origin}/media/{'a' * 26}")

    assert allowed.status == 200
    assert allowed.headers["content-type"] == "image/jpeg"
    assert allowed.headers["x-content-type-options"] == "nosniff"
    assert "no-store" in allowed.headers["cache-control"]
    assert sha256_hex(allowed.body) == row.sha256
    assert [reply.status for reply in refused] == [404, 404, 303]
    assert (after_leaving.status, after_leaving.body) == (absent.status, absent.body) == (404, b"")
    assert posted["state"] == "in_log"


async def test_t24_a_picture_of_a_withdrawn_post_is_absent(village: Village) -> None:
    a = await village.node("society")
    await a.member("ana")
    ward = await a.group("ward", owner="ana")
    posted = await _post_picture(a, ward, a_picture(), as_="ana")
    [row] = await _media(a)
    peer = await village.foreign_friend(a)
    await village.let_foreign_in(a, ward, peer, peer.person("dora"))

    await a.run("post", "withdraw", posted["uri"], "--as", "ana")
    reply = await peer.get(f"{a.origin}/media/{row.token}")

    assert reply.status == 404


def _attachment(peer: ForeignPeer, data: bytes, *, sha256: str = "") -> dict[str, Any]:
    """Return a picture as a post carries it, and have the outside party serve it."""
    peer.answers["/media/one"] = lambda _: web.Response(body=data, content_type="image/jpeg")
    return {
        "type": "Image", "mediaType": "image/jpeg", "url": f"{peer.origin}/media/one", "name": "A field",
        "digestSha256": sha256 or sha256_hex(data),
    }  # fmt: skip


async def _a_foreign_author(village: Village) -> tuple[Node, ForeignPeer, ForeignActor, str]:
    a = await village.node("society")
    await a.member("ana")
    ward = await a.group("ward", owner="ana")
    peer = await village.foreign_friend(a)
    dora = peer.person("dora")
    await village.let_foreign_in(a, ward, peer, dora)
    return a, peer, dora, ward


async def test_the_host_numbers_a_post_only_when_it_has_the_pictures_the_author_signed(village: Village) -> None:
    a, peer, dora, ward = await _a_foreign_author(village)
    good, bad = a_picture("green"), a_picture("black")
    attachment = _attachment(peer, bad, sha256=sha256_hex(good))

    reply = await peer.send(f"{ward}/inbox", peer.create(dora, ward, attachment=[attachment]), dora)
    await village.rest()
    while_wrong = (await a.texts(ward, as_="ana"), _files(a))
    _attachment(peer, good)
    await village.pass_time(60)

    assert reply.status == 202
    assert while_wrong == ([], set())
    assert [post["state"] for post in await a.posts(ward, as_="ana")] == ["live"]
    assert _files(a) == {sha256_hex(good)}


async def test_t34_what_is_called_a_picture_and_is_none_is_never_kept(village: Village) -> None:
    a, peer, dora, ward = await _a_foreign_author(village)
    note = b'{"type":"Note","content":"I am a picture"}'

    await peer.send(f"{ward}/inbox", peer.create(dora, ward, attachment=[_attachment(peer, note)]), dora)
    await village.rest()

    assert _files(a) == set()
    assert await a.posts(ward, as_="ana") == []


async def test_t31_a_picture_is_asked_for_on_its_authors_node_only(village: Village) -> None:
    a, peer, dora, ward = await _a_foreign_author(village)
    stranger, friend = await village.foreign(), await village.foreign_friend(a)
    for other in (stranger, friend):
        other.requests.clear()
        data = a_picture()
        other.answers["/media/one"] = lambda _, data=data: web.Response(body=data)  # type: ignore[misc]
        attachment = _attachment(peer, data) | {"url": f"{other.origin}/media/one"}

        await peer.send(f"{ward}/inbox", peer.create(dora, ward, attachment=[attachment]), dora)
        await village.rest()

        assert other.requests == []
    assert await a.posts(ward, as_="ana") == []


async def test_a_members_node_refuses_a_picture_that_is_not_the_one_that_was_signed(village: Village) -> None:
    b = await village.node("hospital")
    await b.member("ben")
    host = await village.foreign_friend(b)
    group, log = host.group("ward")
    eve = host.person("eve")
    await village.join_foreign(b, "ben", host, group)
    good, bad = a_picture("green"), a_picture("black")
    served = bad

    def serve(_: Received) -> web.Response:
        return web.Response(body=served, content_type="image/jpeg")

    host.answers["/media/mirror"] = serve
    source = {"type": "Image", "mediaType": "image/jpeg", "url": f"{host.origin}/media/source", "name": "A field",
              "digestSha256": sha256_hex(good)}  # fmt: skip
    mirror = {"url": f"{host.origin}/media/mirror", "source": source["url"], "mediaType": "image/jpeg",
              "digestSha256": sha256_hex(good)}  # fmt: skip
    announce = log.add("create", host.create(eve, group.uri, attachment=[source]), media=[mirror])
    reply = await host.send(f"{b.origin}/inbox", announce, group)
    await village.rest()
    wrong = [(row.state, row.tries > 0) for row in await _media(b)]
    files = _files(b)
    served = good
    await village.pass_time(60)

    assert reply.status == 202
    assert wrong == [("wanted", True)]
    assert files == set()
    assert [row.state for row in await _media(b)] == ["ready"]
    assert _files(b) == {sha256_hex(good)}

"""Pictures on pages: cleaned before they are kept, and for those who may read their post."""

from __future__ import annotations

import io

import pytest
from PIL import Image

from node.community.groups.service import leave_group
from node.community.posts.tending import remove_post
from tests.support.browser_form import Browser, Upload
from tests.support.group_life import put_out
from tests.support.reading_room import Ward, list_drafts
from tests.support.traces import find_in_folder

_PLACE = "canaryplaceofthepicture"


def _a_picture(*, place: str = "", kind: str = "JPEG") -> bytes:
    """Return a small picture; `place` stands in its metadata, as cameras write it."""
    picture, out, exif = Image.new("RGB", (24, 16), "teal"), io.BytesIO(), Image.Exif()
    exif[0x010E] = place or "nowhere"
    picture.save(out, kind, **({"exif": exif.tobytes()} if place else {}))
    return out.getvalue()


async def _on_write_page(ward: Ward, handle: str = "ben") -> Browser:
    browser = await ward.browser(handle)
    await browser.get("/groups/ward/write")
    return browser


async def test_t52_a_pictures_place_and_camera_are_gone_and_its_words_stay(ward: Ward) -> None:
    ben = await _on_write_page(ward)
    assert _PLACE.encode() in _a_picture(place=_PLACE)

    pictures = [Upload(_a_picture(place=_PLACE)), Upload(_a_picture(kind="PNG"))]
    await ben.submit("write", text="Look", **{"images[]": pictures, "alt[]": ["A teal field", "Another one", ""]})
    ana = await ward.browser("ana")
    await ana.get(ben.path)
    sources = [part.partition('"')[0] for part in ana.text.split('<img src="')[1:]]
    pictures_got = [await ana.get(source) for source in sources]

    assert ben.steps == [303, 200]
    assert ana.status == 200 and len(sources) == 2
    assert {picture.one("content-type") for picture in pictures_got} == {"image/jpeg", "image/png"}
    assert {picture.one("cache-control") for picture in pictures_got} == {"private, no-store"}
    assert not any(_PLACE.encode() in picture.body for picture in pictures_got)
    assert find_in_folder(_PLACE, ward.lone.core.data) == []
    await ana.get(ben.path)
    assert 'alt="A teal field"' in ana.text and 'alt="Another one"' in ana.text


async def test_t24_a_picture_is_for_those_who_may_read_its_post(ward: Ward) -> None:
    ben = await _on_write_page(ward)
    await ben.submit("write", text="Look", **{"images[]": Upload(_a_picture()), "alt[]": "A teal field"})
    [source] = [part.partition('"')[0] for part in ben.text.split('<img src="')[1:]]
    ana, cy, nobody = await ward.browser("ana"), await ward.browser("cy"), Browser(ward.lone)

    inside = (await ana.get(source)).status
    outside = await cy.get(source)
    absent = await cy.get(f"/media/{'a' * 26}")
    await nobody.get(source)
    await put_out(ward.lone, ward.group, ward.ben)
    after = await ben.get(source)

    assert inside == 200
    assert (outside.status, outside.body) == (404, absent.body)
    assert nobody.path == "/sign-in"
    assert (after.status, after.body) == (404, absent.body)


async def test_t24_a_picture_goes_when_its_author_leaves_or_its_post_is_removed(ward: Ward) -> None:
    ben = await _on_write_page(ward)
    await ben.submit("write", text="Look", **{"images[]": Upload(_a_picture()), "alt[]": "A teal field"})
    [source] = [part.partition('"')[0] for part in ben.text.split('<img src="')[1:]]
    sql = "SELECT post_id FROM posts WHERE group_id = :group_id"
    post_id = await ward.lone.core.store.read(lambda tx: tx.value(sql, group_id=ward.group.group_id))
    core, tables, ana = ward.lone.core, ward.lone.house.tables, await ward.browser("ana")

    await leave_group(core, tables, member=ward.ben, group_id=ward.group.group_id)
    left = ((await ben.get(source)).status, (await ana.get(source)).status)
    await remove_post(core, tables, staff=ward.ana, post_id=post_id, reason="A face")

    assert left == (404, 200)
    assert (await ana.get(source)).status == 404


@pytest.mark.parametrize("data", [b"not a picture", b"<svg xmlns='http://www.w3.org/2000/svg'/>", b"GIF89a"])
async def test_t52_a_file_that_is_no_picture_is_refused_beside_the_text(ward: Ward, data: bytes) -> None:
    ben = await _on_write_page(ward)

    await ben.submit("write", text="Look at this", **{"images[]": Upload(data), "alt[]": "What it shows"})

    assert ben.status == 422 and "not a picture" in ben.page.alerts[0]
    assert dict(ben.find_form("write").pairs)["text"] == "Look at this"
    assert await list_drafts(ward) == [("", "Look at this")]


async def test_a_picture_larger_than_this_node_takes_is_refused_beside_the_text(ward: Ward) -> None:
    ben = await _on_write_page(ward)
    limit = ward.lone.core.config.limits.upload_bytes

    await ben.submit("write", text="Look at this", **{"images[]": Upload(bytes(limit + 1))})
    refused = (ben.status, ben.page.alerts, dict(ben.find_form("write").pairs)["text"])
    await ben.submit("write", text="Look at this", **{"images[]": Upload(bytes(limit + 100_000))})

    assert refused == (422, ["A picture has at most 10 MB."], "Look at this")
    assert ben.status == 413 and "This is too large." in ben.words

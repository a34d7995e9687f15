"""Pictures that members add: cleaned in a process of their own, stored by hash, attached to a post later.

The cleaner decodes and encodes anew, so nothing but the picture survives: no place, no device, no thumbnail, no trailing
bytes. It runs apart so that a hostile file can harm nothing, and so that its memory goes with it (T52).
"""

from __future__ import annotations

import asyncio
import sys
from dataclasses import replace

import msgspec

from node.domain import access
from node.domain.actors import Member, Viewer
from node.domain.posts import IMAGES_LIMIT, Image
from node.foundation.errors import Invalid, NotFound, TooLarge
from node.store.core import Core
from node.store.engine import Tx
from node.store.files import delete_files, save_file
from node.store.media import MediaRow, get_media, insert_media
from node.store.uploads import count_uploads, delete_upload, describe_upload

from .pictures import clean_alt

CLEANER_SECONDS = 30
# How many pictures of one member may wait for a post: enough for anybody who writes, too few to fill a disk with.
WAITING_LIMIT = 100


class _Cleaned(msgspec.Struct):
    media_type: str
    width: int
    height: int


async def add_image(core: Core, *, owner: Member, data: bytes, alt: str) -> Image:
    """Clean a picture, keep it, and return it; it belongs to nobody's post yet.

    Raises:
        Unavailable: There is no room for pictures.
        TooLarge: More bytes or pixels than this node takes.
        Invalid: It is not a picture that can be cleaned, is described at too great length, or too many wait already.
    """
    core.pressure.check_upload()
    alt = clean_alt(alt)
    await core.store.read(_check_waiting, owner.actor_id)
    limits = core.config.limits
    too_large = TooLarge(f"A picture has at most {limits.upload_bytes // 1_048_576} MB.")
    if len(data) > limits.upload_bytes:
        raise too_large
    async with core.heavy:
        facts, cleaned = await clean_picture(data, pixels=limits.image_pixels)
    if len(cleaned) > limits.upload_bytes:  # encoded anew it may have grown, and no peer would fetch it
        raise too_large
    sha256 = await asyncio.to_thread(save_file, core, cleaned)
    row = MediaRow(
        token=core.ids.token(),
        post_id=None,
        group_id=None,
        owner_id=owner.actor_id,
        sha256=sha256,
        media_type=facts.media_type,
        size_bytes=len(cleaned),
        width=facts.width,
        height=facts.height,
        alt=alt,
        source_uri=None,
        state="ready",
    )
    await core.store.write(_insert, row)
    return _image(row)


async def list_uploads(core: Core, *, owner: Member, tokens: list[str]) -> list[Image]:
    """Return those of some pictures that a member added and that are on no post yet, in the order asked for."""
    return await core.store.read(_list, owner.actor_id, tokens[:IMAGES_LIMIT])


async def get_upload(core: Core, *, viewer: Member, token: str) -> Image:
    """Return a picture that is on no post yet.

    Raises:
        NotFound: Absent, on a post, or somebody else's.
    """
    return _image(await core.store.read(_own, viewer.viewer, token))


async def change_upload(core: Core, *, owner: Member, token: str, alt: str) -> Image:
    """Describe a picture that is on no post yet, and return it.

    Raises:
        NotFound: Absent, on a post, or somebody else's.
        Invalid: The description is too long.
        Unavailable: There is no room on the disk.
    """
    core.pressure.check_write()
    return _image(await core.store.write(_describe, owner, token, clean_alt(alt)))


async def discard_upload(core: Core, *, owner: Member, token: str) -> None:
    """Take away a picture that is on no post yet.

    Raises:
        NotFound: Absent, on a post, or somebody else's.
    """
    await core.store.write(_discard, core, owner, token)


async def clean_picture(data: bytes, *, pixels: int) -> tuple[_Cleaned, bytes]:
    """Return what a picture is, and its bytes made anew without anything else in them."""
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-I",
        "-m",
        "node.community.posts.cleaner",
        str(pixels),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.DEVNULL,
    )
    try:
        async with asyncio.timeout(CLEANER_SECONDS):
            out, _ = await process.communicate(data)
    except TimeoutError:
        process.kill()
        await process.wait()
        raise Invalid("This picture takes too long to read.") from None
    if process.returncode != 0:
        raise Invalid("This file is not a picture that can be used here: JPEG, PNG, WebP or GIF.")
    head, _, cleaned = out.partition(b"\n")
    return msgspec.json.decode(head, type=_Cleaned), cleaned


async def _check_waiting(tx: Tx, owner_id: int) -> None:
    if await count_uploads(tx, owner_id=owner_id) >= WAITING_LIMIT:
        raise Invalid("Very many pictures of yours are on no post yet. They go after a day; then you can add more.")


async def _list(tx: Tx, owner_id: int, tokens: list[str]) -> list[Image]:
    rows = [await get_media(tx, token=token) for token in dict.fromkeys(tokens)]
    return [_image(row) for row in rows if row is not None and row.owner_id == owner_id and row.post_id is None]


async def _own(tx: Tx, viewer: Viewer, token: str) -> MediaRow:
    row = await get_media(tx, token=token)
    if row is None or row.post_id is not None or not access.may_see_upload(viewer, owner_id=row.owner_id):
        raise NotFound
    return row


async def _describe(tx: Tx, owner: Member, token: str, alt: str) -> MediaRow:
    row = await _own(tx, owner.viewer, token)
    if not await describe_upload(tx, token=token, owner_id=owner.actor_id, alt=alt):
        raise NotFound
    return replace(row, alt=alt)


async def _discard(tx: Tx, core: Core, owner: Member, token: str) -> None:
    row = await _own(tx, owner.viewer, token)
    hashes = await delete_upload(tx, token=token, owner_id=owner.actor_id, sha256=row.sha256)
    if hashes is None:
        raise NotFound
    unneeded = hashes
    tx.after_commit(lambda: delete_files(core, unneeded))


def _image(row: MediaRow) -> Image:
    return Image(row.token, row.sha256, row.media_type, row.width, row.height, row.alt, None, row.state)


async def _insert(tx: Tx, row: MediaRow) -> None:
    await insert_media(tx, row=row)

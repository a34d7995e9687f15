"""Pictures that members add: cleaned in a process of their own, stored by hash, attached to a post later.

The cleaner decodes and encodes anew, so nothing but the picture survives: no place, no device, no thumbnail, no trailing
bytes. It runs apart so that a hostile file can harm nothing, and so that its memory goes with it (T52).
"""

from __future__ import annotations

import asyncio
import sys

import msgspec

from node.domain.actors import Member
from node.domain.posts import IMAGES_LIMIT, Image
from node.foundation.errors import Invalid, TooLarge
from node.foundation.text import clean_text
from node.store.core import Core
from node.store.engine import Tx
from node.store.files import save_file
from node.store.media import MediaRow, get_media, insert_media

from .pictures import ALT_LIMIT_CHARACTERS

CLEANER_SECONDS = 30


class _Cleaned(msgspec.Struct):
    media_type: str
    width: int
    height: int


async def add_image(core: Core, *, owner: Member, data: bytes, alt: str) -> Image:
    """Clean a picture, keep it, and return it; it belongs to nobody's post yet.

    Raises:
        Unavailable: There is no room for pictures.
        TooLarge: More bytes or pixels than this node takes.
        Invalid: It is not a picture that can be cleaned.
    """
    core.pressure.check_upload()
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
        alt=clean_text(alt, limit=ALT_LIMIT_CHARACTERS),
        source_uri=None,
        state="ready",
    )
    await core.store.write(_insert, row)
    return Image(row.token, sha256, row.media_type, row.width, row.height, row.alt, None, "ready")


async def list_uploads(core: Core, *, owner: Member, tokens: list[str]) -> list[Image]:
    """Return those of some pictures that a member added and that are on no post yet, in the order asked for."""
    return await core.store.read(_list, owner.actor_id, tokens[:IMAGES_LIMIT])


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


async def _list(tx: Tx, owner_id: int, tokens: list[str]) -> list[Image]:
    rows = [await get_media(tx, token=token) for token in dict.fromkeys(tokens)]
    return [
        Image(row.token, row.sha256, row.media_type, row.width, row.height, row.alt, None, row.state)
        for row in rows
        if row is not None and row.owner_id == owner_id and row.post_id is None
    ]


async def _insert(tx: Tx, row: MediaRow) -> None:
    await insert_media(tx, row=row)

"""Pictures of posts: what a log entry names is fetched from the group's host, and from nobody else (wire.md 4.9)."""

from __future__ import annotations

import asyncio
import contextlib
from typing import Any

from node.domain.groups import Group
from node.domain.posts import Image
from node.foundation.errors import Invalid, Unavailable
from node.foundation.text import clean_text
from node.inbox.pictures import PICTURES_BELL
from node.store.core import Core
from node.store.engine import Tx
from node.store.files import MEDIA_TYPES
from node.store.logs import get_entry
from node.store.media import MediaRow, attach_mirror, describe_media, get_media, insert_media
from node.store.picture_cache import want_again

ALT_LIMIT_CHARACTERS = 1500
# How long a page waits for a picture whose file went to make room.
AGAIN_SECONDS = 5.0
_LOOK_SECONDS = 0.1
_HEX = frozenset("0123456789abcdef")


def clean_alt(alt: str) -> str:
    """Return a description that a member wrote, without what must not be in it.

    Raises:
        Invalid: It is too long; words are not cut off silently.
    """
    cleaned = clean_text(alt, limit=ALT_LIMIT_CHARACTERS + 1).strip()
    if len(cleaned) > ALT_LIMIT_CHARACTERS:
        raise Invalid(f"A picture's description has at most {ALT_LIMIT_CHARACTERS} characters.")
    return cleaned


def describe_mirror(core: Core, image: Image) -> dict[str, Any]:
    """Return a picture as the Announce of its entry names it: where the host serves it, and what it is."""
    return {
        "url": f"{core.origin}/media/{image.token}",
        "source": image.source_uri or f"{core.origin}/media/{image.token}",
        "mediaType": image.media_type,
        "digestSha256": image.sha256,
        "width": image.width,
        "height": image.height,
    }


async def fetch_again(core: Core, token: str) -> None:
    """Have a picture fetched again whose file went to make room, and wait a little for it.

    Raises:
        Unavailable: It cannot be had now; the next look may find it.
    """
    if core.pressure.may_cache and await core.store.write(want_again, token=token):
        core.bell.ring(PICTURES_BELL)
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(AGAIN_SECONDS):
            while core.pressure.may_cache:
                row = await core.store.read(get_media, token=token)
                if row is not None and row.state == "ready":
                    return
                await asyncio.sleep(_LOOK_SECONDS)
    raise Unavailable("This picture is fetched again from the group's host. Please try again in a moment.")


def read_attachment(attachment: dict[str, Any]) -> tuple[str, str, str] | None:
    """Return (address, SHA-256, description) of an attached picture; None when it is not one that can be checked."""
    url, digest = attachment.get("url"), attachment.get("digestSha256")
    if not isinstance(url, str) or not isinstance(digest, str) or len(digest) != 64 or not set(digest) <= _HEX:
        return None
    if attachment.get("mediaType") not in MEDIA_TYPES:
        return None
    return url, digest, clean_text(str(attachment.get("name") or ""), limit=ALT_LIMIT_CHARACTERS)


async def take_descriptions(tx: Tx, *, post_id: int, attachments: tuple[dict[str, Any], ...]) -> None:
    """Describe the pictures of a post as its author does now; the pictures themselves stay what they were."""
    for place, attachment in enumerate(attachments):
        read = read_attachment(attachment)
        if read is not None:
            await describe_media(tx, post_id=post_id, place=place, sha256=read[1], alt=read[2])


async def want_pictures(
    tx: Tx, core: Core, *, group: Group, seq: int, post_id: int, attachments: tuple[dict[str, Any], ...]
) -> None:
    """Note the pictures of a new post as wanted from the host; at the host they are there already."""
    if group.is_local:
        for place, attachment in enumerate(attachments):
            url = str(attachment.get("url"))
            await attach_mirror(tx, source_uri=url, group_id=group.group_id, post_id=post_id, place=place)
        return
    if not attachments:
        return
    entry = await get_entry(tx, group_id=group.group_id, seq=seq)
    mirrors = {str(mirror.get("source")): mirror for mirror in (entry.media or [])} if entry else {}
    for place, attachment in enumerate(attachments):
        read = read_attachment(attachment)
        if read is None or read[0] not in mirrors:
            continue
        url, digest, alt = read
        await insert_media(
            tx,
            row=MediaRow(
                token=core.ids.token(),
                post_id=post_id,
                group_id=group.group_id,
                owner_id=None,
                sha256=digest,
                media_type=str(attachment["mediaType"]),
                size_bytes=0,
                width=0,
                height=0,
                alt=alt,
                source_uri=str(mirrors[url].get("url")),
                state="wanted",
                place=place,
            ),
        )
    tx.after_commit(lambda: core.bell.ring(PICTURES_BELL))

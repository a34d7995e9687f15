"""Pictures in the store: rows that name a file by its SHA-256, and what of it is still to be fetched."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from node.domain.posts import Image

from .engine import Tx

_INSERT = """INSERT INTO media (token, post_id, group_id, owner_id, sha256, media_type, size_bytes, width, height, alt,
   source_uri, state, place, tries, due_at, created_at)
  VALUES (:token, :post_id, :group_id, :owner_id, :sha256, :media_type, :size_bytes, :width, :height, :alt,
   :source_uri, :state, :place, 0, :created_at, :created_at)"""
_OF_POSTS = """SELECT post_id, token, sha256, media_type, width, height, alt, source_uri, state FROM media
  WHERE post_id IN :post_ids ORDER BY post_id, COALESCE(place, 0), token"""
_ONE = """SELECT token, post_id, group_id, owner_id, sha256, media_type, size_bytes, width, height, alt, source_uri, state,
   place FROM media WHERE token = :token"""
_MIRROR = """SELECT token, post_id, group_id, owner_id, sha256, media_type, size_bytes, width, height, alt, source_uri, state,
   place FROM media WHERE source_uri = :source_uri AND group_id = :group_id AND post_id IS NULL AND state = 'ready' LIMIT 1"""
_ATTACH_MIRROR = """UPDATE media SET post_id = :post_id, place = :place
  WHERE source_uri = :source_uri AND group_id = :group_id AND post_id IS NULL"""
_ATTACH = """UPDATE media SET post_id = :post_id, group_id = :group_id, place = :place
  WHERE token = :token AND owner_id = :owner_id AND post_id IS NULL"""
_DESCRIBE = """UPDATE media SET alt = :alt
  WHERE post_id = :post_id AND COALESCE(place, 0) = :place AND sha256 = :sha256 AND alt <> :alt"""
_WANTED = """SELECT token, post_id, group_id, sha256, media_type, source_uri, tries FROM media
  WHERE state = 'wanted' AND due_at <= :now_at ORDER BY due_at LIMIT 20"""
_READY = """UPDATE media SET state = 'ready', media_type = :media_type, size_bytes = :size_bytes, width = :width,
   height = :height WHERE token = :token"""
_LATER = "UPDATE media SET tries = tries + 1, due_at = :due_at, state = :state WHERE token = :token"
_FORGET_POST = "DELETE FROM media WHERE post_id = :post_id"
_FORGET_GROUP = "DELETE FROM media WHERE group_id = :group_id"
_HASHES_OF_POST = "SELECT DISTINCT sha256 FROM media WHERE post_id = :post_id"
_HASHES_OF_GROUP = "SELECT DISTINCT sha256 FROM media WHERE group_id = :group_id"
_USES = "SELECT COUNT(*) AS n FROM media WHERE sha256 = :sha256"
_COUNT = "SELECT COUNT(*) AS n FROM media"
_COUNT_WANTED = "SELECT COUNT(*) AS n FROM media WHERE state = 'wanted'"


@dataclass(frozen=True, slots=True)
class MediaRow:
    """A picture and whose it is. state: ready, wanted or failed. place: which of its post's pictures it is, from 0."""

    token: str
    post_id: int | None
    group_id: int | None
    owner_id: int | None
    sha256: str
    media_type: str
    size_bytes: int
    width: int
    height: int
    alt: str
    source_uri: str | None
    state: str
    place: int | None = 0


async def insert_media(tx: Tx, *, row: MediaRow) -> None:
    """Insert a picture."""
    await tx.run(
        _INSERT,
        token=row.token,
        post_id=row.post_id,
        group_id=row.group_id,
        owner_id=row.owner_id,
        sha256=row.sha256,
        media_type=row.media_type,
        size_bytes=row.size_bytes,
        width=row.width,
        height=row.height,
        alt=row.alt,
        source_uri=row.source_uri,
        state=row.state,
        place=row.place,
        created_at=tx.now,
    )


async def get_media(tx: Tx, *, token: str) -> MediaRow | None:
    """Return a picture's row; the caller asks `domain.access` about its post."""
    row = await tx.one(_ONE, token=token)
    return MediaRow(*row) if row else None


async def get_mirror(tx: Tx, *, source_uri: str, group_id: int) -> MediaRow | None:
    """Return our copy of a picture that waits for its post; one that is on a post stays with that post (T12)."""
    row = await tx.one(_MIRROR, source_uri=source_uri, group_id=group_id)
    return MediaRow(*row) if row else None


async def attach_mirror(tx: Tx, *, source_uri: str, group_id: int, post_id: int, place: int) -> None:
    """Put our copy of a picture on its post, now that the post has its place."""
    await tx.run(_ATTACH_MIRROR, source_uri=source_uri, group_id=group_id, post_id=post_id, place=place)


async def attach_media(tx: Tx, *, token: str, owner_id: int, post_id: int, group_id: int | None, place: int) -> bool:
    """Put an uploaded picture on its owner's post; False when it is not theirs or is on a post already."""
    where = {"token": token, "owner_id": owner_id, "post_id": post_id}
    return await tx.run(_ATTACH, group_id=group_id, place=place, **where) == 1


async def describe_media(tx: Tx, *, post_id: int, place: int, sha256: str, alt: str) -> None:
    """Change what the picture at a place of a post is described as, if it is the one with this hash."""
    await tx.run(_DESCRIBE, post_id=post_id, place=place, sha256=sha256, alt=alt)


async def list_images(tx: Tx, *, post_ids: list[int]) -> dict[int, tuple[Image, ...]]:
    """Return the pictures of posts that the caller has read through a viewer, in the order their authors gave them."""
    found: dict[int, list[Image]] = {}
    for row in await tx.all(_OF_POSTS, post_ids=post_ids):
        found.setdefault(row.post_id, []).append(Image(*row[1:]))
    return {post_id: tuple(images) for post_id, images in found.items()}


async def list_wanted(tx: Tx) -> list[Any]:
    """Return at most 20 pictures that are to be fetched now."""
    return await tx.all(_WANTED, now_at=tx.now)


async def mark_ready(tx: Tx, *, token: str, media_type: str, size_bytes: int, width: int, height: int) -> None:
    """Say that the file is there."""
    await tx.run(_READY, token=token, media_type=media_type, size_bytes=size_bytes, width=width, height=height)


async def fetch_later(tx: Tx, *, token: str, due_at: datetime, gave_up: bool) -> None:
    """Try again at `due_at`, or give up."""
    await tx.run(_LATER, token=token, due_at=due_at, state="failed" if gave_up else "wanted")


async def forget_media_of_post(tx: Tx, *, post_id: int) -> list[str]:
    """Delete a post's pictures; return the hashes whose files nobody needs any more."""
    hashes = [row.sha256 for row in await tx.all(_HASHES_OF_POST, post_id=post_id)]
    await tx.run(_FORGET_POST, post_id=post_id)
    return [sha256 for sha256 in hashes if not await tx.value(_USES, sha256=sha256)]


async def forget_media_of_group(tx: Tx, *, group_id: int) -> list[str]:
    """Delete a group's pictures; return the hashes whose files nobody needs any more."""
    hashes = [row.sha256 for row in await tx.all(_HASHES_OF_GROUP, group_id=group_id)]
    await tx.run(_FORGET_GROUP, group_id=group_id)
    return [sha256 for sha256 in hashes if not await tx.value(_USES, sha256=sha256)]


async def count_media(tx: Tx) -> int:
    """Return how many pictures this node holds."""
    return int(await tx.value(_COUNT))


async def count_wanted(tx: Tx) -> int:
    """Return how many pictures are still to be fetched."""
    return int(await tx.value(_COUNT_WANTED))

"""What members do with marks: bookmark, thank privately, look through both. A post is marked by whoever may read it.

Thanks go to the author's node and to no other; where that node is none that we talk to, they are refused, for they could
not arrive.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from node.community.posts.service import label_author
from node.domain.access import may_thank
from node.domain.actors import Actor, Member
from node.domain.posts import Post
from node.foundation.errors import Invalid, NotFound
from node.outbox.publish import DIRECT, prove, send
from node.store import marks, objects
from node.store.actors import get_actor
from node.store.core import Core
from node.store.engine import Tx
from node.store.marks import Mark
from node.store.profiles import Profile, label_profile, list_profiles

from .activities import build_like, build_undo, forget_thanks, keep_thanks

_MARKABLE = ("live", "waiting_for_host")
# From an actor as we know them to one with an address for messages, where it can be had.
Reach = Callable[[Actor], Awaitable[Actor]]


@dataclass(frozen=True, slots=True)
class Received:
    """Thanks that a member got: who, for which of their posts, when."""

    thanker: Profile
    post: Post
    given_at: datetime


async def bookmark_post(core: Core, *, viewer: Member, post_id: int) -> int:
    """Bookmark a post; return its number now.

    Raises:
        NotFound: Absent, taken away, or not for this member.
    """
    return await core.store.write(_bookmark, core, viewer.actor_id, post_id)


async def unbookmark_post(core: Core, *, viewer: Member, post_id: int) -> int:
    """Take a bookmark away; return the post's number now.

    Raises:
        NotFound: Absent, taken away, or not for this member.
    """
    return await core.store.write(_unbookmark, viewer.actor_id, post_id)


async def thank(core: Core, reach: Reach, *, viewer: Member, post_id: int) -> int:
    """Thank the author of a post, privately; return the post's number now. Thanking again changes nothing.

    Raises:
        NotFound: Absent, taken away, or not for this member.
        Invalid: It is their own, not in its place yet, or its author is where thanks cannot be brought.
    """
    post, author = await core.store.read(_get_with_author, viewer.actor_id, post_id)
    decision = may_thank(viewer.viewer, author_id=post.author_id, state=post.state)
    if not decision:
        raise Invalid(decision.reason)
    like = build_like(core, thanker_uri=viewer.uri, author_uri=author.uri, post_uri=post.uri)
    address = None
    if not author.is_local:
        author = await reach(author)
        address = _find_address(core, author)
        if address is None:
            raise Invalid(f"{author.name} is on a node that this node does not talk to. Your thanks would not arrive.")
        like = prove(core, await core.keyring.own(viewer.actor_id), like)
    return await core.write(_thank, core, viewer, post.post_id, like, address)


async def take_thanks_back(core: Core, *, viewer: Member, post_id: int) -> int:
    """Take thanks for a post back; return the post's number now. Where there were none, nothing happens.

    Raises:
        NotFound: Absent, taken away, or not for this member.
    """
    post, author = await core.store.read(_get_with_author, viewer.actor_id, post_id)
    given = await core.store.read(_get_given, viewer.actor_id, post.post_id)
    if given is None:
        return post.post_id
    like_uri = given.activity_uri
    undo = build_undo(core, thanker_uri=viewer.uri, author_uri=author.uri, post_uri=post.uri, like_uri=like_uri)
    address = None if author.is_local else _find_address(core, author)
    if address is not None:
        undo = prove(core, await core.keyring.own(viewer.actor_id), undo)
    return await core.write(_unthank, core, viewer, post.post_id, undo, address)


async def list_bookmarked(
    core: Core, *, viewer: Member, before_id: int = 2**62, after_id: int = 0, oldest_first: bool = False
) -> list[Mark]:
    """Return at most 40 bookmarks of a member of what they may read now, the newest first unless told otherwise.

    Args:
        core: This node.
        viewer: Whose.
        before_id: Bookmarks made before this one.
        after_id: Bookmarks made after this one.
        oldest_first: Those next to `after_id`, rather than the newest.
    """
    span = {"before_id": before_id, "after_id": after_id}
    return await core.store.read(_bookmarks, viewer.actor_id, span, oldest_first)


async def list_thanked(
    core: Core, *, viewer: Member, before_id: int = 2**62, after_id: int = 0, oldest_first: bool = False
) -> list[Mark]:
    """Return at most 40 thanks that a member gave for what they may read now, as `list_bookmarked` does."""
    span = {"before_id": before_id, "after_id": after_id}
    return await core.store.read(_given, viewer.actor_id, span, oldest_first)


async def list_thankers(core: Core, *, viewer: Member, post_id: int) -> list[int]:
    """Return the numbers of those who thanked for a post, to its author; to everybody else who may read it, nobody did.

    Raises:
        NotFound: Absent, taken away, or not for this member.
    """
    return await core.store.read(_thankers, viewer.actor_id, post_id)


async def list_received(core: Core, *, viewer: Member, before_id: int = 2**62) -> tuple[list[Received], int | None]:
    """Return at most 40 thanks that a member got, the newest first, and where older ones begin."""
    return await core.store.read(_received, core, viewer.actor_id, before_id)


def _find_address(core: Core, author: Actor) -> tuple[int, str] | None:
    """Return (peer, inbox) of somebody elsewhere, or None where nothing may be sent."""
    peer = core.peers.by_host(author.host)
    if peer is None or peer.state not in ("active", "paused") or author.inbox_uri is None:
        return None
    return peer.peer_id, author.inbox_uri


async def _get(tx: Tx, viewer_id: int, post_id: int) -> Post:
    post = await objects.get_post(tx, viewer_id=viewer_id, post_id=post_id)
    if post is None or post.state not in _MARKABLE:
        raise NotFound("There is no such post.")
    return post


async def _get_with_author(tx: Tx, viewer_id: int, post_id: int) -> tuple[Post, Actor]:
    post = await _get(tx, viewer_id, post_id)
    author = await get_actor(tx, actor_id=post.author_id)
    assert author is not None  # a post has its author
    return post, author


async def _get_given(tx: Tx, viewer_id: int, post_id: int) -> marks.Thanks | None:
    return await marks.get_thanks(tx, actor_id=viewer_id, post_id=post_id)


async def _bookmark(tx: Tx, core: Core, viewer_id: int, post_id: int) -> int:
    post = await _get(tx, viewer_id, post_id)
    await marks.insert_bookmark(tx, bookmark_id=core.ids.number(), actor_id=viewer_id, post_id=post.post_id)
    return post.post_id


async def _unbookmark(tx: Tx, viewer_id: int, post_id: int) -> int:
    post = await _get(tx, viewer_id, post_id)
    await marks.delete_bookmark(tx, actor_id=viewer_id, post_id=post.post_id)
    return post.post_id


async def _thank(
    tx: Tx, core: Core, viewer: Member, post_id: int, like: dict[str, Any], address: tuple[int, str] | None
) -> int:
    post = await _get(tx, viewer.actor_id, post_id)
    if await marks.get_thanks(tx, actor_id=viewer.actor_id, post_id=post.post_id) is not None:
        return post.post_id
    await keep_thanks(tx, core, thanker_id=viewer.actor_id, post=post, activity_uri=like["id"])
    await _send(tx, core, viewer, like, address)
    return post.post_id


async def _unthank(
    tx: Tx, core: Core, viewer: Member, post_id: int, undo: dict[str, Any], address: tuple[int, str] | None
) -> int:
    post = await _get(tx, viewer.actor_id, post_id)
    if await forget_thanks(tx, thanker_id=viewer.actor_id, post_id=post.post_id):
        await _send(tx, core, viewer, undo, address)
    return post.post_id


async def _send(tx: Tx, core: Core, viewer: Member, activity: dict[str, Any], address: tuple[int, str] | None) -> None:
    if address is not None:
        peer_id, inbox_uri = address
        actor_id = viewer.actor_id
        await send(tx, core, peer_id=peer_id, stream=DIRECT, actor_id=actor_id, activity=activity, inbox_uri=inbox_uri)


async def _bookmarks(tx: Tx, viewer_id: int, span: dict[str, int], oldest_first: bool) -> list[Mark]:
    return await marks.list_bookmarks(tx, viewer_id=viewer_id, oldest_first=oldest_first, **span)


async def _given(tx: Tx, viewer_id: int, span: dict[str, int], oldest_first: bool) -> list[Mark]:
    return await marks.list_given(tx, viewer_id=viewer_id, oldest_first=oldest_first, **span)


async def _thankers(tx: Tx, viewer_id: int, post_id: int) -> list[int]:
    post = await _get(tx, viewer_id, post_id)
    return (await marks.list_thankers(tx, viewer_id=viewer_id, post_ids=[post.post_id])).get(post.post_id, [])


async def _received(tx: Tx, core: Core, viewer_id: int, before_id: int) -> tuple[list[Received], int | None]:
    rows = await marks.list_received(tx, viewer_id=viewer_id, before_id=before_id)
    if not rows:
        return [], None
    found = await objects.list_posts_by_id(tx, viewer_id=viewer_id, post_ids=list({row.post_id for row in rows}))
    posts = {post.post_id: label_author(core, post) for post in found}
    people = await list_profiles(tx, actor_ids=list({row.actor_id for row in rows}))
    received = [
        Received(label_profile(core.peers, people[row.actor_id]), posts[row.post_id], row.given_at)
        for row in rows
        if row.actor_id in people and row.post_id in posts
    ]
    return received, rows[-1].thanks_id if len(rows) == marks.PAGE_MARKS else None

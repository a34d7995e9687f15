"""What members are told, for their apps: the rows with the posts and people they are about. One read body each.

A notification about a post that cannot be read any more is not there; neither is one whose reason has ended.
"""

from __future__ import annotations

from dataclasses import dataclass

from node.domain.actors import Member
from node.domain.notifications import KINDS, TIMELINES, Marker, Notification
from node.domain.posts import Post
from node.foundation.errors import Invalid, NotFound
from node.store import markers, notifications, objects
from node.store.core import Core
from node.store.engine import Tx

from .reading import Reading, Span, gather

# The last number that the store can hold.
_NUMBER_LIMIT = 2**63


@dataclass(frozen=True, slots=True)
class Told:
    """Notifications, the newest first, with what is shown beside them. posts: by number."""

    notifications: list[Notification]
    posts: dict[int, Post]
    reading: Reading


async def read_notifications(core: Core, *, viewer: Member, kinds: list[str], from_id: int, span: Span) -> Told:
    """Return a member's notifications of some kinds. from_id: whose doing they are; 0 for anybody's."""
    return await core.store.read(_list, core, viewer.actor_id, kinds, from_id, span)


async def read_notification(core: Core, *, viewer: Member, notification_id: int) -> Told:
    """Return one notification.

    Raises:
        NotFound: Absent, somebody else's, or its reason has ended.
    """
    return await core.store.read(_one, core, viewer.actor_id, notification_id)


async def count_unread(core: Core, *, viewer: Member, kinds: list[str], from_id: int = 0) -> int:
    """Return how many notifications came after the one up to which the member's apps have read."""
    return await core.store.read(_count, viewer.actor_id, kinds, from_id)


async def dismiss_notification(core: Core, *, viewer: Member, notification_id: int) -> None:
    """Delete one notification.

    Raises:
        NotFound: Absent, or somebody else's.
    """
    if not await core.store.write(_dismiss, viewer.actor_id, notification_id):
        raise NotFound("There is no such notification.")


async def clear_notifications(core: Core, *, viewer: Member) -> None:
    """Delete all notifications of a member."""
    await core.store.write(_clear, viewer.actor_id)


async def list_markers(core: Core, *, viewer: Member, timelines: list[str]) -> list[Marker]:
    """Return how far a member's apps have read some timelines."""
    return await core.store.read(_markers, viewer.actor_id, timelines)


async def set_markers(core: Core, *, viewer: Member, wanted: dict[str, int]) -> list[Marker]:
    """Remember how far a member's apps have read: {timeline: the last that was read}; return the markers.

    Raises:
        Invalid: There is no such timeline, or no such number.
    """
    if not set(wanted) <= set(TIMELINES):
        raise Invalid("There are markers for home and notifications.")
    if not all(0 <= number < _NUMBER_LIMIT for number in wanted.values()):
        raise Invalid("A marker stands at an id.")
    return await core.store.write(_set_markers, viewer.actor_id, wanted)


async def gather_told(tx: Tx, core: Core, viewer_id: int, rows: list[Notification]) -> Told:
    """Return notifications with the posts, people and groups they are about; for read bodies that have chosen them."""
    ids = list({row.post_id for row in rows if row.post_id is not None})
    found = await objects.list_posts_by_id(tx, viewer_id=viewer_id, post_ids=ids) if ids else []
    posts = [post for post in found if post.state == "live"]
    groups = {row.group_id for row in rows if row.group_id is not None}
    reading = await gather(tx, core, viewer_id, posts, people={row.from_id for row in rows} | groups)
    return Told(rows, {post.post_id: post for post in posts}, reading)


async def _list(tx: Tx, core: Core, viewer_id: int, kinds: list[str], from_id: int, span: Span) -> Told:
    rows = await notifications.list_notifications(
        tx,
        viewer_id=viewer_id,
        kinds=kinds,
        from_id=from_id,
        before_id=span.before_id,
        after_id=span.after_id,
        oldest_first=span.oldest_first,
    )
    kept = rows[: span.limit]
    return await gather_told(tx, core, viewer_id, kept[::-1] if span.oldest_first else kept)


async def _one(tx: Tx, core: Core, viewer_id: int, notification_id: int) -> Told:
    row = await notifications.get_notification(tx, viewer_id=viewer_id, notification_id=notification_id)
    if row is None:
        raise NotFound("There is no such notification.")
    return await gather_told(tx, core, viewer_id, [row])


async def _count(tx: Tx, viewer_id: int, kinds: list[str], from_id: int) -> int:
    after_id = await markers.get_marker(tx, actor_id=viewer_id, timeline="notifications")
    return await notifications.count_notifications(
        tx, viewer_id=viewer_id, kinds=kinds, from_id=from_id, after_id=after_id
    )


async def _dismiss(tx: Tx, viewer_id: int, notification_id: int) -> bool:
    shown = await notifications.get_notification(tx, viewer_id=viewer_id, notification_id=notification_id)
    if shown is None:
        return False
    return await notifications.dismiss_notification(tx, viewer_id=viewer_id, notification_id=notification_id)


async def _clear(tx: Tx, viewer_id: int) -> None:
    newest = await notifications.list_notifications(tx, viewer_id=viewer_id, kinds=list(KINDS))
    if newest:
        await markers.raise_marker(
            tx, actor_id=viewer_id, timeline="notifications", last_read_id=newest[0].notification_id
        )
    await notifications.clear_notifications(tx, viewer_id=viewer_id)


async def _markers(tx: Tx, viewer_id: int, timelines: list[str]) -> list[Marker]:
    return await markers.list_markers(tx, actor_id=viewer_id, timelines=timelines) if timelines else []


async def _set_markers(tx: Tx, viewer_id: int, wanted: dict[str, int]) -> list[Marker]:
    for timeline, number in sorted(wanted.items()):
        await markers.set_marker(tx, actor_id=viewer_id, timeline=timeline, last_read_id=number)
    return await _markers(tx, viewer_id, sorted(wanted))

"""The page model of notices: what a member was told, as far as its reason still stands.

Finite: the newest thirty. A thread that is followed makes one notice, by its newest post, however much is new in it.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from node.domain.actors import Actor, Member
from node.domain.groups import Group
from node.domain.notifications import KINDS, Notification
from node.domain.posts import Post
from node.store import markers, notifications, objects, progress
from node.store.actors import get_actor
from node.store.conversations import Conversation, find_conversation
from node.store.core import Core
from node.store.engine import Tx
from node.store.rosters import get_group

from .seen import list_labelled

SHOWN = 30
_TIMELINE = "notifications"
# Whether these are read is known from how far the member has read their thread.
_READ_WITH_THREAD = frozenset({"named", "answer", "followed", "new"})


@dataclass(frozen=True, slots=True)
class Notice:
    """Something that concerns a member.

    kind: as in `domain.notifications`. by: whose doing it is. post: what it is about; None for a request to join.
    group: None for what was said in private. conversation_id: of a private message. is_new: they have not read that far.
    """

    notification_id: int
    kind: str
    by: Actor
    post: Post | None
    group: Group | None
    conversation_id: int | None
    told_at: datetime
    is_new: bool


async def list_notices(core: Core, *, viewer: Member) -> list[Notice]:
    """Return what concerns a member, the newest first."""
    return await core.store.read(_list, core, viewer.actor_id)


async def note_seen(core: Core, *, viewer: Member, notices: list[Notice]) -> None:
    """Remember that a member has seen their notices, for their apps too. Cost: a write only where one of them is new."""
    newest = max((notice.notification_id for notice in notices), default=0)
    if newest > await core.store.read(_marker, viewer.actor_id):
        await core.store.write(_raise, viewer.actor_id, newest)


async def _list(tx: Tx, core: Core, viewer_id: int) -> list[Notice]:
    rows = (await notifications.list_notifications(tx, viewer_id=viewer_id, kinds=list(KINDS)))[:SHOWN]
    posts = await list_labelled(tx, core, viewer_id, list({row.post_id for row in rows if row.post_id is not None}))
    roots = list({row.root_id for row in rows if row.root_id is not None})
    read_up_to = await progress.list_positions(tx, actor_id=viewer_id, root_ids=roots)
    marks = await progress.list_marks(tx, actor_id=viewer_id)
    marker = await _marker(tx, viewer_id)
    found = []
    for row in rows:
        post, group = posts.get(row.post_id or 0), await get_group(tx, group_id=row.group_id or 0)
        by = await get_actor(tx, actor_id=row.from_id)
        if by is None or (group is None and post is None):
            continue
        talk = await _find_talk(tx, viewer_id, post) if group is None else None
        is_new = row.notification_id > marker if talk is None or row.kind != "message" else talk.is_unread
        if row.kind in _READ_WITH_THREAD and post is not None:
            is_new = post.post_id > max(read_up_to.get(post.root_id, 0), marks.get(post.group_id or 0, 0))
        found.append(_make(row, by, post, group, talk, is_new=is_new))
    return found


def _make(
    row: Notification, by: Actor, post: Post | None, group: Group | None, talk: Conversation | None, *, is_new: bool
) -> Notice:
    talk_id = talk.conversation_id if talk is not None else None
    told_at = row.created_at if post is None or row.kind not in _READ_WITH_THREAD else post.published_at
    return Notice(row.notification_id, row.kind, by, post, group, talk_id, told_at, is_new)


async def _find_talk(tx: Tx, viewer_id: int, post: Post | None) -> Conversation | None:
    if post is None:
        return None
    people = await objects.list_message_people(tx, viewer_id=viewer_id, post_id=post.post_id)
    ids = [person.actor_id for person in people]
    return await find_conversation(tx, viewer_id=viewer_id, root_id=post.root_id, actor_ids=ids)


async def _marker(tx: Tx, viewer_id: int) -> int:
    return await markers.get_marker(tx, actor_id=viewer_id, timeline=_TIMELINE)


async def _raise(tx: Tx, viewer_id: int, newest: int) -> None:
    await markers.raise_marker(tx, actor_id=viewer_id, timeline=_TIMELINE, last_read_id=newest)

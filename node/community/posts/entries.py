"""What log entries do to our copy of a group's posts. The same code runs at the host and at every member's node.

An entry that names a post we never had (before our base, or erased since) changes nothing.
"""

from __future__ import annotations

from typing import Any

from node.domain.groups import Group
from node.federation.grouplog.entry import build_tombstone
from node.federation.origin import same_origin
from node.federation.vocabulary import ActivityView, ObjectView
from node.foundation.text import clean_text
from node.inbox.dispatch import Arrival
from node.outbox.publish import encode
from node.store.actors import get_actor_by_uri
from node.store.core import TIDY_BELL, Core
from node.store.engine import Tx
from node.store.files import delete_files
from node.store.following import carry_following
from node.store.logs import erase_entry
from node.store.media import forget_media_of_post
from node.store.notifications import tell_of_change, tell_of_post
from node.store.objects import (
    confirm_post,
    drop_versions,
    empty_post,
    find_post,
    insert_mention,
    insert_post,
    keep_version,
    list_version_activities,
    set_locked,
    set_pinned,
    update_post_text,
)
from node.store.renumbering import renumber_post
from node.store.submissions import confirm_submission
from node.store.takings import note_taken_back, was_taken_back
from node.store.topics import set_summary, split_thread
from node.store.votes import tell_anew

from .activities import edited_at, read_post, read_topic
from .pictures import take_descriptions, want_pictures
from .questions import keep_question


async def on_create_entry(tx: Tx, core: Core, group: Group, seq: int, arrival: Arrival) -> None:
    """A post takes its place; our member's own, waiting for the host, is confirmed."""
    view = arrival.view.inner
    author = await get_actor_by_uri(tx, uri=arrival.actor_uri)
    if not isinstance(view, ObjectView) or author is None:
        return
    await confirm_submission(tx, activity_uri=arrival.uri)
    known = await find_post(tx, uri=view.id)
    if known is None and await was_taken_back(tx, group_id=group.group_id, post_uri=view.id):
        await _erase_entry(tx, core, group, arrival.uri, view.id)  # its deletion came first: nobody reads these words
        return
    if known is not None:
        if known.seq is None and known.group_id == group.group_id and known.author_id == author.actor_id:
            await _say_as_in_log(tx, core, group, arrival, view, known)
            post_id = await renumber_post(tx, post_id=known.post_id, number=core.ids.number())
            await confirm_post(tx, post_id=post_id, group_id=group.group_id, seq=seq)
            root_id = post_id if known.root_id == known.post_id else known.root_id
            await tell_of_post(tx, notification_id=core.ids.number(), post_id=post_id, root_id=root_id)
        return
    await _insert(tx, core, group, seq, arrival, view, author_id=author.actor_id)


async def _say_as_in_log(tx: Tx, core: Core, group: Group, arrival: Arrival, view: ObjectView, waiting: Any) -> None:
    """Give a post that waited the words that the log has: a change that was made meanwhile stands in it further on."""
    if waiting.state not in ("waiting_for_host", "draft"):
        await _erase_entry(tx, core, group, arrival.uri, view.id)  # taken back meanwhile: nobody reads these words here
    elif waiting.activity_uri != arrival.uri:
        said = read_post(view, arrived=tx.now)
        await update_post_text(
            tx,
            post_id=waiting.post_id,
            title=said.title,
            warning=said.warning,
            source=said.source,
            html=arrival.html,
            document=encode(view.document).decode(),
            activity_uri=arrival.uri,
            edited_at=None,
        )


async def _insert(
    tx: Tx, core: Core, group: Group, seq: int, arrival: Arrival, view: ObjectView, *, author_id: int
) -> None:
    said = read_post(view, arrived=tx.now)
    parent = await find_post(tx, uri=said.in_reply_to) if said.in_reply_to else None
    if parent is not None and parent.group_id != group.group_id:
        return  # a parent elsewhere would show one group's thread in another (T20)
    post_id = core.ids.number()
    await insert_post(
        tx,
        values={
            "post_id": post_id,
            "uri": view.id,
            "audience": "group",
            "group_id": group.group_id,
            "author_id": author_id,
            "parent_id": parent.post_id if parent else None,
            "root_id": parent.root_id if parent else post_id,
            "in_reply_to": said.in_reply_to,
            "seq": seq,
            "state": "live",
            "title": said.title,
            "warning": said.warning,
            "source": said.source,
            "html": arrival.html,
            "document": encode(view.document).decode(),
            "activity_uri": arrival.uri,
            "published_at": said.published_at,
        },
    )
    for named in said.mentions:
        await insert_mention(tx, post_id=post_id, actor_uri=named.uri, name=named.name)
    await keep_question(tx, group=group, post_id=post_id, seq=seq, view=view)
    await want_pictures(tx, core, group=group, seq=seq, post_id=post_id, attachments=said.images)
    root_id = parent.root_id if parent else post_id
    await tell_of_post(tx, notification_id=core.ids.number(), post_id=post_id, root_id=root_id)


async def on_update_entry(tx: Tx, core: Core, group: Group, seq: int, arrival: Arrival) -> None:
    """Its author changed a post; the earlier text is kept, unless they ask that it be forgotten. Spec: wire.md 4.12."""
    view = arrival.view.inner
    await confirm_submission(tx, activity_uri=arrival.uri)
    if not isinstance(view, ObjectView):
        return
    post = await find_post(tx, uri=view.id)
    author = await get_actor_by_uri(tx, uri=arrival.actor_uri)
    if post is None and await was_taken_back(tx, group_id=group.group_id, post_uri=view.id):
        await _erase_entry(tx, core, group, arrival.uri, view.id)
        return
    if post is None and author is not None and group.base_seq == 0:
        # We hold the log from its start, so the first text was erased before we came: the Update stands alone.
        await _insert(tx, core, group, seq, arrival, view, author_id=author.actor_id)
        return
    if post is None or author is None or post.author_id != author.actor_id or post.group_id != group.group_id:
        return
    if post.state != "live":
        await _erase_entry(tx, core, group, arrival.uri, post.uri)
        return
    said = read_post(view, arrived=tx.now)
    if arrival.document.get("forgetEarlier") is True:
        await _erase_texts(tx, core, group, post, gone=None)
        await drop_versions(tx, post_id=post.post_id)
        if group.is_local:  # who joins from here on takes the poll from this entry, behind the counts so far
            await tell_anew(tx, post_id=post.post_id)
    else:
        await keep_version(tx, post=post)
    await update_post_text(
        tx,
        post_id=post.post_id,
        title=said.title,
        warning=said.warning,
        source=said.source,
        html=arrival.html,
        document=encode(view.document).decode(),
        activity_uri=arrival.uri,
        edited_at=edited_at(view, arrived=tx.now),
    )
    await take_descriptions(tx, post_id=post.post_id, attachments=said.images)
    await tell_of_change(tx, notification_id=core.ids.number(), post_id=post.post_id, seq=seq)


async def on_delete_entry(tx: Tx, core: Core, group: Group, seq: int, arrival: Arrival) -> None:
    """Its author takes a post back: the words go everywhere, the place stays."""
    await confirm_submission(tx, activity_uri=arrival.uri)
    author = await get_actor_by_uri(tx, uri=arrival.actor_uri)
    post_uri = arrival.view.object_id or ""
    post = await find_post(tx, uri=post_uri)
    is_authors = author is not None and same_origin(post_uri, author.uri, allow_insecure=core.allow_insecure)
    if post is not None:
        is_authors = author is not None and post.author_id == author.actor_id
    if is_authors:
        await note_taken_back(tx, group_id=group.group_id, post_uri=post_uri, seq=seq)
    if is_authors and post is not None:
        await _take_away(tx, core, group, post, state="withdrawn", reason=None)


async def on_remove_entry(tx: Tx, core: Core, group: Group, seq: int, arrival: Arrival) -> None:
    """A moderator removes a post, with a reason; the host decided that they may."""
    await confirm_submission(tx, activity_uri=arrival.uri)
    post = await find_post(tx, uri=arrival.view.object_id or "")
    if post is None or post.group_id == group.group_id:
        await note_taken_back(tx, group_id=group.group_id, post_uri=arrival.view.object_id or "", seq=seq)
    if post is not None:
        reason = clean_text(arrival.view.summary or "", limit=2000)
        await _take_away(tx, core, group, post, state="removed", reason=reason)


async def on_lock_entry(tx: Tx, core: Core, group: Group, seq: int, arrival: Arrival) -> None:
    """A thread is locked, or opened again by `Undo{Lock}`."""
    await confirm_submission(tx, activity_uri=arrival.uri)
    target = arrival.view.object_id
    if arrival.type == "Undo":
        inner = arrival.view.inner
        target = inner.object_id if isinstance(inner, ActivityView) and inner.type == "Lock" else None
    post = await find_post(tx, uri=target or "")
    if post is not None and post.group_id == group.group_id:
        await set_locked(tx, root_id=post.root_id, is_locked=arrival.type == "Lock")


async def on_pin_entry(tx: Tx, core: Core, group: Group, seq: int, arrival: Arrival) -> None:
    """A post is pinned, or sums up its thread; or no longer."""
    await confirm_submission(tx, activity_uri=arrival.uri)
    post = await find_post(tx, uri=arrival.view.object_id or "")
    if post is None or post.group_id != group.group_id:
        return
    if arrival.view.target == f"{group.uri}/summaries":
        await set_summary(tx, root_id=post.root_id, post_id=post.post_id, is_summary=arrival.type == "Add")
    else:
        await set_pinned(tx, post_id=post.post_id, is_pinned=arrival.type == "Add")


async def on_split_entry(tx: Tx, core: Core, group: Group, seq: int, arrival: Arrival) -> None:
    """Part of a thread becomes a topic of its own, under a title that staff gave."""
    await confirm_submission(tx, activity_uri=arrival.uri)
    post, title = await find_post(tx, uri=arrival.view.object_id or ""), read_topic(arrival)
    if post is None or post.group_id != group.group_id or not title:
        return
    staff = await get_actor_by_uri(tx, uri=arrival.actor_uri)
    by_id = staff.actor_id if staff else None
    await split_thread(tx, post_id=post.post_id, from_root_id=post.root_id, title=title, by_id=by_id)
    await carry_following(tx, root_id=post.post_id, from_root_id=post.root_id)


async def _take_away(tx: Tx, core: Core, group: Group, post: Any, *, state: str, reason: str | None) -> None:
    if post.group_id != group.group_id or post.state not in ("live", "waiting_for_host"):
        return
    await _erase_texts(tx, core, group, post, gone=post.uri)
    await empty_post(tx, post_id=post.post_id, state=state, reason=reason)
    hashes = await forget_media_of_post(tx, post_id=post.post_id)
    tx.after_commit(lambda: delete_files(core, hashes))


async def _erase_texts(tx: Tx, core: Core, group: Group, post: Any, *, gone: str | None) -> None:
    """Put Tombstones into the log in place of everything that carried a text of this post so far; `gone` if it is."""
    for activity_uri in {post.activity_uri, *await list_version_activities(tx, post_id=post.post_id)}:
        await _erase_entry(tx, core, group, activity_uri, gone)


async def _erase_entry(tx: Tx, core: Core, group: Group, activity_uri: str, post_uri: str | None) -> None:
    tombstone = encode(build_tombstone(activity_uri)).decode()
    await erase_entry(tx, group_id=group.group_id, activity_uri=activity_uri, tombstone=tombstone, post_uri=post_uri)
    tx.after_commit(lambda: core.bell.ring(TIDY_BELL))

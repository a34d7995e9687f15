"""What a group's staff do with posts: remove, pin and lock; make part of a thread its own topic; let a post sum one up.

Each is an activity of theirs in the group's log, so that all nodes show the same. No author's words change.
Spec: wire.md 4.12.
"""

from __future__ import annotations

from typing import Any

from node.domain.actors import Member
from node.domain.groups import Group
from node.domain.posts import Post
from node.foundation.errors import Invalid
from node.foundation.text import TITLE_LIMIT_CHARACTERS, clean_line, clean_text
from node.inbox.dispatch import Tables
from node.outbox.publish import prove
from node.store.core import Core

from . import submit
from .activities import build_group_activity
from .model import Posted
from .service import require_readable

FIRST_POST = "This post begins its thread: it is the topic."


async def remove_post(core: Core, tables: Tables, *, staff: Member, post_id: int, reason: str) -> Posted:
    """Remove somebody's post as staff of its group, saying why.

    Raises:
        Invalid: No reason is given.
        NotFound: There is no such post for this member.
        Forbidden: Not staff.
    """
    reason = clean_text(reason, limit=2000).strip()
    if not reason:
        raise Invalid("A removal says why.")
    post, group = await core.store.read(require_readable, staff, post_id)
    activity = build_group_activity(core, "Delete", staff, group, post.uri, summary=reason)
    return await _do(core, tables, staff, post_id, "remove", activity)


async def lock_thread(core: Core, tables: Tables, *, staff: Member, post_id: int, is_locked: bool) -> Posted:
    """Lock a thread, or open it again, as staff of its group."""
    post, group = await core.store.read(require_readable, staff, post_id)
    lock = build_group_activity(core, "Lock", staff, group, post.uri)
    activity = lock if is_locked else build_group_activity(core, "Undo", staff, group, lock)
    return await _do(core, tables, staff, post_id, "lock", activity)


async def pin_post(core: Core, tables: Tables, *, staff: Member, post_id: int, is_pinned: bool) -> Posted:
    """Pin a post, or unpin it, as staff of its group."""
    post, group = await core.store.read(require_readable, staff, post_id)
    return await _put_into(core, tables, staff, post, group, "featured", is_in=is_pinned)


async def sum_up(core: Core, tables: Tables, *, staff: Member, post_id: int, is_summary: bool) -> Posted:
    """Let a post sum up what stands before it in its thread, or no longer, as staff of its group.

    Raises:
        Invalid: The post begins its thread, so there is nothing before it.
        NotFound, Forbidden: As for `remove_post`.
    """
    post, group = await core.store.read(require_readable, staff, post_id)
    if post.root_id == post.post_id:
        raise Invalid(FIRST_POST)
    return await _put_into(core, tables, staff, post, group, "summaries", is_in=is_summary)


async def split_thread(core: Core, tables: Tables, *, staff: Member, post_id: int, title: str) -> Posted:
    """Make a post, with everything that answers it, a topic of its own, as staff of its group.

    Raises:
        Invalid: There is no title, or the post begins its thread already.
        NotFound, Forbidden: As for `remove_post`.
    """
    title = clean_line(title, limit=TITLE_LIMIT_CHARACTERS)
    if not title:
        raise Invalid("A topic needs a title.")
    post, group = await core.store.read(require_readable, staff, post_id)
    if post.root_id == post.post_id:
        raise Invalid(FIRST_POST)
    activity = build_group_activity(core, "Add", staff, group, post.uri, target=f"{group.uri}/topics", name=title)
    return await _do(core, tables, staff, post_id, "split", activity)


async def _put_into(
    core: Core, tables: Tables, staff: Member, post: Post, group: Group, collection: str, *, is_in: bool
) -> Posted:
    """Put a post into one of the group's collections, or take it out."""
    verb = "Add" if is_in else "Remove"
    activity = build_group_activity(core, verb, staff, group, post.uri, target=f"{group.uri}/{collection}")
    return await _do(core, tables, staff, post.post_id, "pin", activity)


async def _do(core: Core, tables: Tables, staff: Member, post_id: int, kind: str, activity: dict[str, Any]) -> Posted:
    keys = await core.keyring.own(staff.actor_id)
    return await core.write(submit.change, core, tables, staff, post_id, kind, prove(core, keys, activity))

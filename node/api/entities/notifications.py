"""Notification, Admin::Report, Conversation and Marker. Spec: Mastodon API, entities of these names.

Types are the standard ones: whatever else would show as nothing in most apps (`domain.notifications`).
"""

from __future__ import annotations

from node.community.groups.reports import Report
from node.community.posts.notifications import Told
from node.domain.notifications import TYPES, Marker, Notification
from node.domain.posts import Post
from node.store.conversations import Conversation

from . import Entity, format_moment
from .ids import status_id
from .instance import RULES
from .statuses import Shelf


def build_notification(row: Notification, told: Told, shelf: Shelf, *, report: Report | None = None) -> Entity | None:
    """Return a Notification; None when what it is about went away meanwhile.

    Args:
        row: The notification.
        told: With whose posts and people it was read.
        shelf: Of the same reading.
        report: What was reported, where it is about a report.
    """
    if row.from_id not in told.reading.profiles:
        return None
    entity: Entity = {
        "id": str(row.notification_id),
        "type": TYPES[row.kind],
        "created_at": format_moment(row.created_at),
        "group_key": f"ungrouped-{row.notification_id}",
        "account": shelf.build_account(row.from_id),
    }
    if row.kind == "report":
        return None if report is None else {**entity, "report": _build_report(row, report, told, shelf)}
    if row.kind == "request":
        return entity
    post = told.posts.get(row.post_id or 0)
    return None if post is None else {**entity, "status": shelf.build_status(post)}


def build_conversation(conversation: Conversation, message: Post, shelf: Shelf, *, viewer_id: int) -> Entity:
    """Return a Conversation with its newest message; the accounts are the others in it, or oneself alone."""
    others = [actor_id for actor_id in conversation.people if actor_id != viewer_id] or [viewer_id]
    return {
        "id": str(conversation.conversation_id),
        "unread": conversation.is_unread,
        "accounts": [shelf.build_account(actor_id) for actor_id in others if shelf.has_account(actor_id)],
        "last_status": shelf.build_status(message),
    }


def build_marker(marker: Marker) -> Entity:
    """Return a Marker."""
    return {
        "last_read_id": str(marker.last_read_id),
        "version": marker.version,
        "updated_at": format_moment(marker.updated_at),
    }


def _build_report(row: Notification, report: Report, told: Told, shelf: Shelf) -> Entity:
    """Return the report; where its post cannot be read any more, the target is the group."""
    post = told.posts.get(row.post_id or 0)
    return {
        "id": str(row.notification_id),
        "action_taken": False,
        "action_taken_at": None,
        "category": "violation" if report.rule not in ("", "other") else "other",
        "comment": report.note,
        "forwarded": False,
        "created_at": format_moment(row.created_at),
        "status_ids": [] if post is None else [status_id(post.post_id)],
        "rule_ids": [number for number, (rule, _) in RULES.items() if rule == report.rule],
        "target_account": shelf.build_account((row.group_id or row.from_id) if post is None else post.author_id),
    }

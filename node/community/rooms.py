"""The rooms of this node, in the order in which they are asked about an activity."""

from __future__ import annotations

from node.inbox.dispatch import Tables

from .groups import copies
from .groups.handlers import GroupHost
from .members.activities import on_person_changed
from .messages.activities import on_message, on_message_changed, on_message_withdrawn
from .posts import entries
from .posts.handlers import PostHost, on_submission_held, on_submission_refused
from .room import Room, build_tables


def open_rooms() -> tuple[tuple[Room, ...], Tables]:
    """Return the rooms and the tables of dispatch; each call makes new ones, so two nodes fit in one process."""
    group_host, post_host = GroupHost(), PostHost()
    rooms = (
        Room(
            "groups",
            handlers={
                "Follow": group_host.on_follow,
                "Join": group_host.on_follow,
                "Leave": group_host.on_leave,
                "Undo": group_host.on_leave,
                "Accept": group_host.on_staff_decision,
                "Reject": group_host.on_staff_decision,
                "Block": copies.on_block,
                "Invite": copies.on_invite,
                "Add": group_host.on_staff_change,
                "Remove": group_host.on_staff_change,
                "Flag": group_host.on_flag,
                "Delete": group_host.on_person_gone,
            },
            entries={
                ("author", "Add"): copies.on_author_entry,
                ("readers", "Update"): copies.on_readers_entry,
                ("settings", "Update"): copies.on_settings_entry,
                ("role", "Add"): copies.on_role_entry,
                ("role", "Remove"): copies.on_role_entry,
                ("create", "Offer"): copies.on_offer_entry,
                ("update", "Accept"): copies.on_decision_entry,
                ("update", "Reject"): copies.on_decision_entry,
            },
        ),
        Room("copies", handlers={"Accept": copies.on_accept, "Reject": copies.on_reject}),
        Room(
            "posts",
            handlers={
                "Create": post_host.on_submission,
                "Update": post_host.on_submission,
                "Delete": post_host.on_submission,
                "Lock": post_host.on_submission,
                "Undo": post_host.on_submission,
                "Add": post_host.on_submission,
                "Remove": post_host.on_submission,
                "Reject": on_submission_refused,
                "TentativeAccept": on_submission_held,
            },
            entries={
                ("create", "Create"): entries.on_create_entry,
                ("update", "Update"): entries.on_update_entry,
                ("delete", "Delete"): entries.on_delete_entry,
                ("remove", "Delete"): entries.on_remove_entry,
                ("remove", "Remove"): entries.on_remove_entry,
                ("lock", "Lock"): entries.on_lock_entry,
                ("lock", "Undo"): entries.on_lock_entry,
                ("pin", "Add"): entries.on_pin_entry,
                ("pin", "Remove"): entries.on_pin_entry,
            },
        ),
        Room(
            "messages",
            handlers={"Create": on_message, "Update": on_message_changed, "Delete": on_message_withdrawn},
        ),
        Room("members", handlers={"Update": on_person_changed}),
    )
    tables = build_tables(rooms)
    group_host.tables = post_host.tables = tables
    return rooms, tables

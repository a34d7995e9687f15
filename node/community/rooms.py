"""The rooms of this node, in the order in which they are asked about an activity."""

from __future__ import annotations

from node.inbox.dispatch import Tables

from .groups import bans, copies
from .groups.handlers import GroupHost
from .marks.activities import on_like, on_like_undone
from .members.activities import on_person_changed
from .messages.activities import on_message, on_message_changed, on_message_withdrawn
from .peering.activities import on_instance_changed
from .polls.handlers import on_count_entry, on_vote, on_vote_answered
from .posts import entries
from .posts.handlers import PostHost, on_submission_held, on_submission_refused
from .room import Room, build_tables

# A member's node: what hosts of groups elsewhere say to ours. Asked after the host's side, which knows its own groups.
COPIES = Room("copies", handlers={"Accept": copies.on_accept, "Reject": copies.on_reject, "Undo": bans.on_unblock})
MESSAGES = Room(
    "messages",
    handlers={"Create": on_message, "Update": on_message_changed, "Delete": on_message_withdrawn},
)
MARKS = Room("marks", handlers={"Like": on_like, "Undo": on_like_undone})
MEMBERS = Room("members", handlers={"Update": on_person_changed})
# Asked before all others: a vote may be taken for nothing else, and what a host says to one is for nobody else.
POLLS = Room(
    "polls",
    handlers={"Create": on_vote, "Accept": on_vote_answered, "Reject": on_vote_answered},
    entries={("count", "Update"): on_count_entry},
)
PEERING = Room("peering", handlers={"Update": on_instance_changed})


def open_rooms() -> tuple[tuple[Room, ...], Tables]:
    """Return the rooms and the tables of dispatch; each call makes new ones, so two nodes fit in one process."""
    group_host, post_host = GroupHost(), PostHost()
    rooms = (POLLS, _groups(group_host), COPIES, _posts(post_host), MESSAGES, MARKS, MEMBERS, PEERING)
    group_host.tables = post_host.tables = tables = build_tables(rooms)
    return rooms, tables


def _groups(host: GroupHost) -> Room:
    return Room(
        "groups",
        handlers={
            "Follow": host.on_follow,
            "Join": host.on_follow,
            "Leave": host.on_leave,
            "Undo": host.on_leave,
            "Accept": host.on_staff_decision,
            "Reject": host.on_staff_decision,
            "Block": copies.on_block,
            "Invite": copies.on_invite,
            "Add": host.on_staff_change,
            "Remove": host.on_staff_change,
            "Flag": host.on_flag,
            "Delete": host.on_person_gone,
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
    )


def _posts(host: PostHost) -> Room:
    return Room(
        "posts",
        handlers={
            "Create": host.on_submission,
            "Update": host.on_submission,
            "Delete": host.on_submission,
            "Lock": host.on_submission,
            "Undo": host.on_submission,
            "Add": host.on_submission,
            "Remove": host.on_submission,
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
            ("split", "Add"): entries.on_split_entry,
        },
    )

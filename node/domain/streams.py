"""Streams that apps can listen to, and the scope that each needs.

user                what stands in home as it comes, and notifications
user:notification   notifications alone
direct              private messages, by conversation
list                one group, by its list
hashtag             what is written with a tag, in any group of the listener's

Spec: Mastodon API, methods/streaming.
"""

from __future__ import annotations

from dataclasses import dataclass

USER, NOTIFICATIONS, DIRECT, LIST, HASHTAG = "user", "user:notification", "direct", "list", "hashtag"
SCOPES = {
    USER: "read:statuses",
    NOTIFICATIONS: "read:notifications",
    DIRECT: "read:statuses",
    LIST: "read:lists",
    HASHTAG: "read:statuses",
}


@dataclass(frozen=True, slots=True)
class Stream:
    """One stream. group_id: of a list. tag: of a hashtag, in the form in which tags are compared."""

    name: str
    group_id: int | None = None
    tag: str | None = None

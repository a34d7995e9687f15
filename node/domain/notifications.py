"""Notifications: what a member is told, why, and what an app calls it.

named     a post in a group names them                       mention
answer    somebody answered what they wrote                  mention
message   a private message to them                          mention
followed  something is new in a thread that they follow      status
new       something is new in a group of which they want     status
          to hear everything
thanks    somebody thanked them for a post                   favourite
poll      a poll that they made or voted in has ended        poll
update    a post that they answered was changed              update
request   somebody asks to join a group whose staff they     follow_request
          are of
report    a post in such a group was reported                admin.report

Of a followed thread, and of a thread where everything is wanted, the newest post alone stands in the list.

The names of kinds stand in databases: one may be added, none may change its meaning.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

TYPES = {
    "named": "mention",
    "answer": "mention",
    "message": "mention",
    "followed": "status",
    "new": "status",
    "thanks": "favourite",
    "poll": "poll",
    "update": "update",
    "request": "follow_request",
    "report": "admin.report",
}
KINDS = tuple(TYPES)
TIMELINES = ("home", "notifications")


@dataclass(frozen=True, slots=True)
class Notification:
    """Something that a member is told.

    from_id: whose doing it is. group_id: the group concerned; None for what was said in private.
    activity_uri: of a request or a report, what was laid before the staff.
    """

    notification_id: int
    kind: str
    from_id: int
    post_id: int | None
    root_id: int | None
    group_id: int | None
    activity_uri: str | None
    created_at: datetime


@dataclass(frozen=True, slots=True)
class Marker:
    """How far a member's apps have read a timeline. version: how often that was said."""

    timeline: str
    last_read_id: int
    version: int
    updated_at: datetime


def list_kinds(types: list[str], but: list[str]) -> list[str]:
    """Return the kinds that an app asks for by types, or all, without those of some other types.

    >>> list_kinds(["mention"], []), list_kinds([], ["mention", "status", "poll", "update", "admin.report"])
    (['named', 'answer', 'message'], ['thanks', 'request'])
    """
    return [kind for kind, name in TYPES.items() if (not types or name in types) and name not in but]

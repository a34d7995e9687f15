"""Groups: policies, roles, memberships and how they change.

A membership is one row per person and group. It goes

    (none) → requested → member → left | removed | banned
    (none) → invited   → member
    requested → rejected          rejected, left, removed → requested again

A banned person stays banned until staff lifts it (banned → removed).
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

POLICIES = ("open", "request", "invite")
HISTORIES = ("all", "since_join")
ROLES = ("member", "moderator", "facilitator", "owner")
BANDS = ("1-9", "10-49", "50-199", "200+")
# Handles that stand for pages in /groups/….
RESERVED_HANDLES = frozenset({"new", "find"})
STAFF = frozenset({"moderator", "facilitator", "owner"})

MEMBERSHIP_TRANSITIONS: dict[str | None, tuple[str, ...]] = {
    None: ("requested", "invited", "member"),
    "requested": ("member", "rejected", "left", "banned"),
    "invited": ("member", "left", "removed", "requested"),
    "member": ("left", "removed", "banned"),
    "rejected": ("requested", "invited", "member", "banned"),
    "left": ("requested", "invited", "member", "banned"),
    "removed": ("requested", "invited", "member", "banned"),
    "banned": ("removed",),
}


@dataclass(frozen=True, slots=True)
class Group:
    """A group, hosted here (`peer_id` None) or elsewhere. required_assurance: the least level its members need."""

    group_id: int
    uri: str
    handle: str
    host: str
    is_local: bool
    peer_id: int | None
    staff_of: int | None
    title: str
    policy: str
    is_hidden: bool
    history: str
    new_node_approvals: int
    epoch: int
    base_seq: int
    base_chain: str
    head_seq: int
    head_chain: str
    applied_seq: int
    required_assurance: str = "A0"

    @property
    def is_staff_room(self) -> bool:
        """Whether this is the hidden companion of another group."""
        return self.staff_of is not None


@dataclass(frozen=True, slots=True)
class Membership:
    """Somebody's place in a group.

    joined_seq: the number of the log's head when they came in.
    visible_after: they may read entries above this number.
    """

    group_id: int
    actor_id: int
    role: str
    state: str
    reason: str
    request_uri: str | None
    joined_seq: int | None
    visible_after: int
    requested_at: datetime
    joined_at: datetime | None

    @property
    def is_member(self) -> bool:
        """Whether they are in."""
        return self.state == "member"

    @property
    def is_staff(self) -> bool:
        """Whether they are in and look after the group."""
        return self.state == "member" and self.role in STAFF


@dataclass(frozen=True, slots=True)
class GroupPaper:
    """What a group tells those who may ask to join it.

    rules, questions: in its owner's words. nodes: (host, name) of the nodes that hold it.
    band: how many members it has, roughly; one of `BANDS`.
    """

    rules: str = ""
    questions: tuple[str, ...] = ()
    nodes: tuple[tuple[str, str], ...] = ()
    band: str = "1-9"


def size_band(members: int) -> str:
    """Return how many members a group has as outsiders are told: not so exactly that they could watch who comes.

    >>> size_band(3), size_band(49), size_band(50)
    ('1-9', '10-49', '50-199')
    """
    return BANDS[sum(members >= limit for limit in (10, 50, 200))]


def may_become(state: str | None, target: str) -> bool:
    """Return whether a membership may go from one state to another."""
    return target in MEMBERSHIP_TRANSITIONS.get(state, ())

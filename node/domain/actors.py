"""Actors: the people, groups and nodes that speak; and how they are named."""

from __future__ import annotations

import re
from dataclasses import dataclass

_HANDLE = re.compile(r"[a-z0-9_]{2,30}")

NODE_ROLES = ("member", "moderator", "verifier", "operator")
CLASSES = ("physician", "resident", "student", "retired", "guest")
ASSURANCE_LEVELS = ("A0", "A1", "A2", "A3", "A4")
MEMBER_STATES = ("invited", "active", "suspended", "ended")


@dataclass(frozen=True, slots=True)
class Actor:
    """A person, group or node as we know it.

    uri: the ActivityPub id.
    host: the authority of the id, with a port that is not the scheme's own.
    known_through: the host that vouched for this actor in an author card, when we have nothing better.
    """

    actor_id: int
    uri: str
    kind: str
    handle: str
    host: str
    is_local: bool
    known_through: str | None
    name: str
    summary: str
    inbox_uri: str | None

    @property
    def address(self) -> str:
        """`handle@host`."""
        return f"{self.handle}@{self.host}"


@dataclass(frozen=True, slots=True)
class Member:
    """Somebody with an account on this node."""

    actor_id: int
    uri: str
    handle: str
    name: str
    role: str
    member_class: str
    assurance: str
    state: str
    is_searchable: bool

    @property
    def viewer(self) -> Viewer:
        """This member as somebody who looks."""
        return Viewer(self.actor_id, self.uri, self.state, self.role)


@dataclass(frozen=True, slots=True)
class Viewer:
    """Who is looking, or acting: a member of ours, or a person on a peer. `None` stands for nobody."""

    actor_id: int
    uri: str
    state: str = "active"
    node_role: str = "member"

    @property
    def is_active(self) -> bool:
        """Whether this person may do anything at all."""
        return self.state == "active"


def is_handle(text: str) -> bool:
    """Return whether a text can be the handle of a member or group here: 2 to 30 of a-z, 0-9 and underscore."""
    return _HANDLE.fullmatch(text) is not None

"""Who may invite a colleague to this node, and how long an invitation is good.

A member's link brings somebody in as a guest whom nobody has verified yet; what they may do then is what every such guest
may. So only who is verified here, and in good standing, invites; an operator may say that nobody but operators does.

Pure. Spec: product.md J-01.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from .access import ALLOWED, Decision, refuse
from .actors import Viewer
from .verification import is_at_least

INVITATION_LIFE = timedelta(days=14)
NOTE_LIMIT = 80
ANYBODY_VERIFIED = "verified"
STATES = ("open", "used", "withdrawn", "lapsed")


@dataclass(frozen=True, slots=True)
class Invitation:
    """A member's invitation. note: for whom, for the inviter alone. used_name, used_handle: who came in by it."""

    invitation_id: int
    inviter_id: int
    inviter_name: str
    inviter_handle: str
    kept_state: str
    note: str
    used_name: str | None
    used_handle: str | None
    created_at: datetime
    expires_at: datetime
    ended_at: datetime | None

    def state_at(self, now: datetime) -> str:
        """Return "open", "used", "withdrawn" or "lapsed"."""
        return "lapsed" if self.kept_state == "open" and now >= self.expires_at else self.kept_state


def may_invite(viewer: Viewer, level: str, *, who: str) -> Decision:
    """Decide whether somebody may invite colleagues to this node.

    Args:
        viewer: The member.
        level: The level at which they are verified at this moment; A0 for not.
        who: The setting `members.invitations`; anything but "verified" leaves it to operators.
    """
    if not viewer.is_active:
        return refuse("This account is not active.")
    if viewer.node_role == "operator":
        return ALLOWED
    if who != ANYBODY_VERIFIED:
        return refuse("On this node only operators invite.")
    if not is_at_least(level, "A1"):
        return refuse("Only members who are verified here invite. Have your verification looked at first.")
    return ALLOWED

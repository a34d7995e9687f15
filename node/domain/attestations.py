"""Attestations: what a node says of one of its people, and what that counts for here.

A word counts when it is current, in time, at least at the level our policy for that node asks, and came from the
person's own node, or through another whose passed-on words our policy takes. Everything else counts as nothing, and is
shown as what it is: ended is not suspended, suspended is not revoked, and none of them is "never said".

Pure. Spec: product.md §7; wire.md 4.9.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from .access import ALLOWED, Decision, refuse
from .verification import is_at_least

ENDS = ("ended", "suspended", "revoked")


@dataclass(frozen=True, slots=True)
class Attested:
    """What is said of somebody.

    state: "current", "ended", "suspended", "revoked", or "refused" where what came cannot be believed.
    since, checked: months such as "2026-12"; `since` is that of the end where it ended.
    ends_at: until when the word is good. issuer: the host that says so. through: the host that passed it on, or None.
    problem: why it is refused.
    """

    state: str
    level: str
    stage: str
    methods: tuple[str, ...]
    jurisdictions: tuple[str, ...]
    since: str
    checked: str
    ends_at: datetime
    issuer: str
    through: str | None = None
    problem: str = ""


@dataclass(frozen=True, slots=True)
class Standing:
    """What an attestation counts for here.

    verdict: "accepted", "none", "ended", "suspended", "revoked", "expired", "below", "relayed" or "refused".
    level: the level that counts; A0 unless accepted. minimum: what our policy asks of that node's people.
    """

    verdict: str
    level: str = "A0"
    attested: Attested | None = None
    minimum: str = "A0"

    @property
    def is_accepted(self) -> bool:
        """Whether it counts."""
        return self.verdict == "accepted"


NONE = Standing("none")


def judge(attested: Attested | None, *, now: datetime, minimum: str = "A0", accepts_relayed: bool = False) -> Standing:
    """Return what a word counts for.

    Args:
        attested: What is said; None for nothing.
        now: The present.
        minimum: The least level of that node's people that counts here.
        accepts_relayed: Whether words that this node passes on count.
    """
    if attested is None:
        return NONE
    if attested.state == "refused":
        return Standing("refused", attested=attested)
    if attested.state in ENDS:
        return Standing(attested.state, attested=attested)
    if attested.state != "current":
        return NONE
    if now >= attested.ends_at:
        return Standing("expired", attested=attested)
    if attested.through is not None and not accepts_relayed:
        return Standing("relayed", attested=attested)
    if not is_at_least(attested.level, minimum):
        return Standing("below", attested=attested, minimum=minimum)
    return Standing("accepted", level=attested.level, attested=attested, minimum=minimum)


def may_enter(required: str, standing: Standing) -> Decision:
    """Decide whether what is known of somebody suffices for a group that asks for a level."""
    if _suffices(required, standing):
        return ALLOWED
    return refuse(f"This group asks for assurance {required}. {_why(standing)}")


def may_take_part(required: str, standing: Standing) -> Decision:
    """Decide whether a member of a group may write in it now; whoever may not still reads."""
    if _suffices(required, standing):
        return ALLOWED
    return refuse(f"Read-only: this group asks for assurance {required}. {_why(standing)}")


def _suffices(required: str, standing: Standing) -> bool:
    return required == "A0" or (standing.is_accepted and is_at_least(standing.level, required))


def _why(standing: Standing) -> str:
    attested = standing.attested
    if standing.verdict == "accepted":
        return f"What is attested is {standing.level}."
    if standing.verdict == "below" and attested is not None:
        least = f"{standing.minimum} is the least that counts here of {attested.issuer}'s members"
        return f"What is attested is {attested.level}, and {least}."
    return _REASONS.get(standing.verdict, _REASONS["none"])


_REASONS = {
    "none": "Nothing is attested.",
    "expired": "The attestation has lapsed.",
    "ended": "The attestation has ended.",
    "suspended": "The attestation is suspended.",
    "revoked": "The attestation was revoked.",
    "relayed": "An attestation that another node passes on does not count here.",
    "refused": "The attestation could not be checked.",
}

"""How sure we are of a physician, and by what: the ladder A0 to A4, its methods, and when it has to be looked at again.

    A0  says so                              A3  A2, and the person was met: vouched for, seen with their card,
    A1  known to an institution, a student       reached by letter at the registered address, or by their employer
    A2  found in the register by a verifier  A4  professional electronic identity, or the credentialing office

A number alone never reaches A3: numbers are public, and whoever has one need not be its owner.

A verification is *current*, and ends in one of three ways that are never confused: *ended* (lapsed, left, retired),
*suspended* (something is being looked at), *revoked* (it was wrong, or taken away for cause).

Pure. Spec: product.md §7.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from node.foundation.config import Config

from .access import ALLOWED, Decision, refuse
from .actors import ASSURANCE_LEVELS

# What a verifier can have done. `operator` is the node operator's own word, for whoever they let in themselves: it is
# offered on the command line and the members desk, never on the verification desk.
METHODS = ("register", "vouch2", "video", "letter", "employer", "institution", "student", "eid", "office")
OPERATOR = "operator"
EVERY_METHOD = (*METHODS, OPERATOR)
POSSESSION = ("vouch2", "video", "letter", "employer")

STATES = ("current", "ended", "suspended", "revoked")
TRANSITIONS: dict[str | None, tuple[str, ...]] = {
    None: ("current",),
    "current": ("current", "ended", "suspended", "revoked"),
    "suspended": ("current", "ended", "revoked"),
    "ended": ("current",),
    "revoked": ("current",),
}
# The longest that each level may stand without being looked at again; an operator may choose less.
LONGEST_DAYS: Mapping[str, int] = {"A1": 365, "A2": 30, "A3": 365, "A4": 365}


@dataclass(frozen=True, slots=True)
class Verification:
    """What is recorded of a member of ours.

    methods: of `EVERY_METHOD`. register, number_end: where they were found, and the last two characters of the number;
    the number itself is not here. since_at: since when without a break. lapses_at: when it ends unless looked at again.
    decided_by: who of this node recorded it, or ended it.
    """

    actor_id: int
    level: str
    state: str
    methods: tuple[str, ...]
    jurisdiction: str
    register: str
    number_end: str
    since_at: datetime
    checked_at: datetime
    lapses_at: datetime
    changed_at: datetime
    decided_by: str

    @property
    def is_lapsed(self) -> bool:
        """Whether time alone ended it: nobody did."""
        return self.state == "ended" and self.decided_by == "node"

    def is_current(self, now: datetime) -> bool:
        """Return whether it holds at this moment: also when nobody has yet noted that it lapsed."""
        return self.state == "current" and now < self.lapses_at

    def level_at(self, now: datetime) -> str:
        """Return the level that holds at this moment."""
        return self.level if self.is_current(now) else "A0"


def highest_level(methods: Iterable[str]) -> str:
    """Return the highest level that methods justify together.

    >>> highest_level(["register"]), highest_level(["register", "video"]), highest_level(["video"])
    ('A2', 'A3', 'A0')
    """
    used = frozenset(methods)
    if not used <= frozenset(EVERY_METHOD):
        return "A0"
    if used & {"eid", "office", OPERATOR}:
        return "A4"
    if "register" in used:
        return "A3" if used & frozenset(POSSESSION) else "A2"
    return "A1" if used & {"institution", "student"} else "A0"


def may_reach(level: str, methods: Iterable[str]) -> Decision:
    """Decide whether methods justify a level."""
    used = tuple(methods)
    if level not in ASSURANCE_LEVELS or level == "A0":
        return refuse("The level is one of A1, A2, A3, A4.")
    unknown = [method for method in used if method not in EVERY_METHOD]
    if unknown:
        return refuse(f"The methods are {', '.join(METHODS)}.")
    highest = highest_level(used)
    if is_at_least(highest, level):
        return ALLOWED
    if level == "A3" and highest == "A2":
        return refuse(
            "A number alone never reaches A3: the person must have been met, or reached in a way only they can be."
        )
    if highest == "A0":
        return refuse("Nothing that was ticked justifies a level: tick what was checked.")
    return refuse(f"What was ticked justifies {highest} at most.")


def is_at_least(level: str, needed: str) -> bool:
    """Return whether a level reaches another. An unknown level reaches nothing, and nothing reaches an unknown one."""
    if level not in ASSURANCE_LEVELS or needed not in ASSURANCE_LEVELS:
        return False
    return ASSURANCE_LEVELS.index(level) >= ASSURANCE_LEVELS.index(needed)


def lapse_of(level: str, checked_at: datetime, days: Mapping[str, int]) -> datetime:
    """Return when a level lapses that was checked at a moment.

    Args:
        level: A1 to A4.
        checked_at: When it was looked at.
        days: Per level, what the operator chose; never longer than `LONGEST_DAYS`.
    """
    longest = LONGEST_DAYS[level]
    return checked_at + timedelta(days=max(1, min(days.get(level, longest), longest)))


def chosen_days(config: Config) -> dict[str, int]:
    """Return how many days each level stands on a node."""
    chosen = config.verification
    return {"A1": chosen.a3_days, "A2": chosen.a2_days, "A3": chosen.a3_days, "A4": chosen.a4_days}


def draw_verification(
    actor_id: int, level: str, methods: tuple[str, ...], *, by: str, now: datetime, config: Config
) -> Verification:
    """Return a verification of this moment, by the word of an operator or by methods, without a register."""
    lapses_at = lapse_of(level, now, chosen_days(config))
    return Verification(actor_id, level, "current", methods, "", "", "", now, now, lapses_at, now, by)


def may_become(state: str | None, target: str) -> bool:
    """Return whether a verification may go from one state to another; None where there is none."""
    return target in TRANSITIONS.get(state, ())

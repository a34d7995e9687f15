"""Vouching: "I know this person as a physician, I met them today", said by two colleagues at a meeting.

How it works. The applicant's page shows a code: a link as a square that a camera reads, and four words. It is good once and
for a quarter of an hour, so whoever vouches stands beside them. The colleague opens it while signed in, sees the same four
words, and confirms. Two such vouches, of two people, are what the method `vouch2` needs; a verifier sees both and decides.

Pure. Spec: product.md §7, J-01.
"""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass
from datetime import datetime, timedelta

from node.foundation.fingerprints import fingerprint_words

from .access import ALLOWED, Decision, refuse
from .actors import Viewer
from .verification import is_at_least

METHOD = "vouch2"
NEEDED = 2
CODE_LIFE = timedelta(minutes=15)
MOST, WITHIN = 5, timedelta(days=30)
WORD_COUNT = 4
# Who is a physician: students and colleagues of other professions are not asked.
PHYSICIANS = ("physician", "resident", "retired")


@dataclass(frozen=True, slots=True)
class Vouch:
    """What one colleague said of one applicant.

    level: the voucher's, when they said it. level_now: the same at this moment, A0 for who is not verified any more.
    given_lately: how often they vouched for anybody within thirty days. is_inviter: whether they invited the applicant.
    """

    vouch_id: int
    voucher_id: int
    name: str
    handle: str
    level: str
    level_now: str
    given_at: datetime
    given_lately: int
    is_inviter: bool

    @property
    def counts(self) -> bool:
        """Whether whoever said it is still verified: of somebody found false, what they said counts for nothing."""
        return is_at_least(self.level_now, "A2")


def may_vouch(viewer: Viewer, *, member_class: str, level: str, needed: str) -> Decision:
    """Decide whether somebody may vouch for colleagues at all.

    Args:
        viewer: The member.
        member_class: What they are.
        level: The level at which they are verified at this moment; A0 for not.
        needed: The setting `verification.vouch_level`.
    """
    if not viewer.is_active:
        return refuse("This account is not active.")
    if member_class not in PHYSICIANS or not is_at_least(level, needed):
        return refuse(f"Only physicians who are verified here at level {needed} or better vouch for a colleague.")
    return ALLOWED


def may_vouch_for(viewer: Viewer, applicant_id: int, *, has_vouched: bool, given_lately: int) -> Decision:
    """Decide whether somebody who may vouch may do so for this person, now.

    Args:
        viewer: The member.
        applicant_id: For whom.
        has_vouched: Whether a vouch of theirs for this application stands.
        given_lately: How many vouches they gave within thirty days, those taken back included.
    """
    if applicant_id == viewer.actor_id:
        return refuse("Nobody vouches for themselves.")
    if has_vouched:
        return refuse("You have vouched for this colleague already. The second vouch is somebody else's.")
    if given_lately >= MOST:
        return refuse(f"You vouched {MOST} times within {WITHIN.days} days. That is as often as one person may.")
    return ALLOWED


def words_of(token: str) -> tuple[str, ...]:
    """Return the four words of a code, which both phones show.

    >>> len(words_of("abc")), words_of("abc") == words_of("abc")
    (4, True)
    """
    return tuple(fingerprint_words(hashlib.sha256(f"vouch {token}".encode()).hexdigest())[:WORD_COUNT])


def read_words(text: str) -> tuple[str, ...]:
    """Return the words that somebody typed, however they stand between commas, dots and spaces."""
    return tuple(re.findall(r"[a-z]+", text[:200].lower()))

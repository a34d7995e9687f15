"""Waiting: how long a host waits for what an entry needs, and a member node for its own words to come back. Pure.

A reply stands behind its parent. A host that lacks the parent asks the submitter's node for what it holds, eight times or
100 seconds; then the reply is taken with a place kept free ("earlier post not available"), so that one lost post stops
nobody. A deletion may so come before what it deletes; that is then never taken. A submission is sent again until it comes
back in the host's log: an answer can be lost, and so can a log's end.

Spec: reliability.md 4.6, 5.3.
"""

from __future__ import annotations

from enum import Enum

PARENT_ASKS = 8
PARENT_SECONDS = 100.0
RESEND_SECONDS = 60.0


class Parent(Enum):
    """What a host does with an entry whose parent it lacks."""

    ASK = "ask"
    GIVE_UP = "give up"


class Turn(Enum):
    """What a host does with a submission that it has stored, once it knows that its author may write."""

    RECORD = "record"
    WAIT = "wait"
    KNOWN = "known"
    REFUSE = "refuse"


def judge_submission(
    *, is_in_log: bool, is_taken_back: bool, has_needed: bool, asks: int, waited_seconds: float
) -> Turn:
    """Decide whether a submission gets its number now.

    Args:
        is_in_log: Whether the activity stands there already: it was sent twice.
        is_taken_back: Whether the post that it makes or changes was deleted or removed in the log, or the journal says
            that the activity was erased: its author's node may have been restored, and send again what it took back.
        has_needed: Whether all that it needs is there: the parent of a reply, what an edit or a deletion is about.
        asks: How often its node was asked for that.
        waited_seconds: Since it was stored.
    """
    if is_in_log:
        return Turn.KNOWN
    if is_taken_back:
        return Turn.REFUSE
    if has_needed or judge_parent(asks=asks, waited_seconds=waited_seconds) is Parent.GIVE_UP:
        return Turn.RECORD
    return Turn.WAIT


def judge_parent(*, asks: int, waited_seconds: float) -> Parent:
    """Decide whether to ask once more for a parent, or to take the entry with a place kept free."""
    return Parent.GIVE_UP if asks >= PARENT_ASKS or waited_seconds >= PARENT_SECONDS else Parent.ASK


def is_resend_due(*, is_in_log: bool, is_on_its_way: bool, since_sent_seconds: float) -> bool:
    """Say whether a submission is sent again: not seen back, not waiting in a lane, and a minute old."""
    return not is_in_log and not is_on_its_way and since_sent_seconds >= RESEND_SECONDS

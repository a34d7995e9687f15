"""Polls: a question in a group with answers to choose from, asked until a moment and counted by the group's host.

A poll's words, its answers and its end stay as they were asked: who has voted has voted for these. What the host tells is
counted by place, without words.

*When the host counts.* Votes come one by one; the log is told now and then (`choose_pause`), so that a poll of a thousand
votes is not a thousand entries. The last count follows the end: a moment later, when votes that were cast in time have
come in; a quarter of an hour later, when the host was away at the end or has begun a new epoch, because then nodes bring
votes once more that it may have lost.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import Enum

from node.foundation.errors import Invalid
from node.foundation.text import clean_line

# What we offer to our own members.
ANSWERS_OFFERED = 10
ANSWER_CHARACTERS = 100
SHORTEST_SECONDS, LONGEST_SECONDS = 300, 2_629_746
# What we take from others (T42).
ANSWERS_TAKEN = 20
ANSWER_LIMIT_CHARACTERS = 200
LONGEST_TAKEN = timedelta(days=366)
# Votes that were cast in time may arrive so much later.
GRACE = timedelta(seconds=60)
LATE_GRACE = timedelta(minutes=15)
# So many counts of one poll are told after pauses of so many seconds each; all further ones once an hour.
_PAUSES = ((20, 30), (100, 300))
_LAST_PAUSE_SECONDS = 3600


@dataclass(frozen=True, slots=True)
class NewPoll:
    """What a member wants to ask. is_multiple: several answers may be chosen. is_hidden: the result shows at the end."""

    answers: tuple[str, ...]
    lasts_seconds: int
    is_multiple: bool = False
    is_hidden: bool = False


@dataclass(frozen=True, slots=True)
class Question:
    """A poll as it was asked: what can be voted for, until when."""

    answers: tuple[str, ...]
    ends_at: datetime
    is_multiple: bool
    is_hidden: bool


@dataclass(frozen=True, slots=True)
class Answer:
    """One answer of a poll, and how many have chosen it as far as is told here."""

    name: str
    votes: int


@dataclass(frozen=True, slots=True)
class Poll:
    """A poll as somebody sees it.

    closed_at: when its last count took its place. is_over: whether nobody may vote any more, as of when it was read; the
    last count may still be on its way.
    voters: how many have voted. own: the places of the answers that the viewer chose. own_state: "", or what became of
    their vote: "waiting" for the host, "counted", "refused", "unknown" where the host knows one that we do not.
    refusal: why, if it was refused.
    """

    post_id: int
    ends_at: datetime
    closed_at: datetime | None
    is_over: bool
    is_multiple: bool
    is_hidden: bool
    voters: int
    answers: tuple[Answer, ...]
    own: tuple[int, ...] = ()
    own_state: str = ""
    refusal: str = ""

    @property
    def has_voted(self) -> bool:
        """Whether the viewer has voted, and was not refused."""
        return self.own_state not in ("", "refused")

    @property
    def votes(self) -> int:
        """How many votes there are; with several answers to choose, more than voters."""
        return sum(answer.votes for answer in self.answers)

    @property
    def shows_counts(self) -> bool:
        """Whether the result may be shown: of a hidden one when it was counted for the last time."""
        return not self.is_hidden or self.closed_at is not None


class Step(Enum):
    """What a host does about a poll that it counts."""

    WAIT = "wait"
    COUNT = "count"
    CLOSE = "close"


@dataclass(frozen=True, slots=True)
class Tally:
    """How a poll stands with its host.

    final_at: not before this the last count is made. counts: how many were told; counted_at: the last of them.
    is_stale: whether votes came in since. is_of_earlier_epoch: whether the log has begun a new one since.
    """

    ends_at: datetime
    final_at: datetime
    counts: int
    counted_at: datetime
    is_stale: bool
    is_of_earlier_epoch: bool


def clean_poll(poll: NewPoll) -> NewPoll:
    """Return what a member wants to ask without what must not be in it.

    Raises:
        Invalid: There are too few answers, too many, twice the same, or too long; or it lasts too long or too short.
    """
    answers = tuple(name for answer in poll.answers if (name := clean_line(answer, limit=ANSWER_CHARACTERS + 1)))
    if len(answers) < 2:
        raise Invalid("A poll needs at least two answers to choose from.")
    if len(answers) > ANSWERS_OFFERED:
        raise Invalid(f"A poll has at most {ANSWERS_OFFERED} answers.")
    if len(set(answers)) < len(answers):
        raise Invalid("Two answers of this poll are the same.")
    if any(len(answer) > ANSWER_CHARACTERS for answer in answers):
        raise Invalid(f"An answer of a poll has at most {ANSWER_CHARACTERS} characters.")
    if not SHORTEST_SECONDS <= poll.lasts_seconds <= LONGEST_SECONDS:
        raise Invalid("A poll lasts at least five minutes and at most a month.")
    return NewPoll(answers, poll.lasts_seconds, poll.is_multiple, poll.is_hidden)


def find_flaw(question: Question | None, *, now: datetime) -> str | None:
    """Return why a poll may not be asked in a group hosted here, or None when it may.

    Args:
        question: As it came; None where it could not be read.
        now: The host's time.
    """
    if question is None:
        return "A poll has two to twenty different answers, and says when it ends."
    if question.ends_at <= now:
        return "This poll had ended before it could be asked."
    if question.ends_at > now + LONGEST_TAKEN:
        return "A poll lasts at most a year."
    return None


def check_choices(choices: Sequence[int], *, answers: int, is_multiple: bool) -> tuple[int, ...]:
    """Return the places of chosen answers in order, each once.

    Raises:
        Invalid: None is chosen, more than one where one is asked for, or one that there is not.
    """
    chosen = tuple(sorted(set(choices)))
    if not chosen:
        raise Invalid("Please choose an answer first.")
    if len(chosen) > 1 and not is_multiple:
        raise Invalid("One answer can be chosen in this poll.")
    if chosen[0] < 0 or chosen[-1] >= answers:
        raise Invalid("This poll has no such answer.")
    return chosen


def choose_pause(counts: int) -> timedelta:
    """Return how long after one count the next is told at the earliest, by how many were told already.

    >>> choose_pause(0).seconds, choose_pause(20).seconds, choose_pause(100).seconds
    (30, 300, 3600)
    """
    seconds = next((pause for limit, pause in _PAUSES if counts < limit), _LAST_PAUSE_SECONDS)
    return timedelta(seconds=seconds)


def judge_tally(tally: Tally, *, now: datetime, began_at: datetime) -> tuple[Step, datetime]:
    """Decide what a host does about a poll now, and when it looks at it again if it does nothing.

    Args:
        tally: How the poll stands.
        now: The host's time.
        began_at: Since when the host has been there without a break: one that came after the end waits for late votes.
    """
    final_at = tally.final_at if began_at <= tally.ends_at else max(tally.final_at, began_at + LATE_GRACE)
    if tally.is_of_earlier_epoch:
        # This entry, whatever it says, tells every node that the log has a new epoch, so that they vote once more.
        return Step.COUNT, now
    if now >= final_at:
        return Step.CLOSE, now
    if not tally.is_stale:
        return Step.WAIT, final_at
    next_at = tally.counted_at + choose_pause(tally.counts)
    return (Step.COUNT, now) if now >= next_at else (Step.WAIT, min(next_at, final_at))

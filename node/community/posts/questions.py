"""A post that asks: `Question` with answers to choose from, built, read and kept. Spec: FEP-9967.

    {"type": "Question", …, "oneOf": [{"type": "Note", "name": "Yes", "replies": {"type": "Collection", "totalItems": 0}}, …],
     "endTime": "2026-11-29T12:00:00Z"}

What is asked does not change: an `Update` of the post says it as it was. `hideTotals` is our own word for a result that is
told at the end only; Mastodon has the same in its API and not on the wire.
"""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from node.domain.groups import Group
from node.domain.polls import (
    ANSWER_LIMIT_CHARACTERS,
    ANSWERS_TAKEN,
    GRACE,
    NewPoll,
    Poll,
    Question,
    find_flaw,
)
from node.federation.vocabulary import ObjectView
from node.foundation.clock import Clock, format_instant
from node.foundation.text import clean_line
from node.store.engine import Tx
from node.store.polls import find_poll, insert_poll

_STAYS = "What a poll asks stays as it is once it was posted."


def begin_question(poll: NewPoll | None, clock: Clock) -> dict[str, Any]:
    """Return what makes a post a poll, or nothing for a post that asks nothing; the time it lasts begins now."""
    if poll is None:
        return {}
    # Whole seconds: what is read back from the wire is what was said.
    ends_at = (clock.now() + timedelta(seconds=poll.lasts_seconds)).replace(microsecond=0)
    return _build(Question(poll.answers, ends_at, poll.is_multiple, poll.is_hidden), (0,) * len(poll.answers))


def repeat_question(poll: Poll | None) -> dict[str, Any]:
    """Return the same for a post that is changed: as it was asked, with what is known of the result."""
    if poll is None:
        return {}
    votes = tuple(answer.votes if poll.shows_counts else 0 for answer in poll.answers)
    names = tuple(answer.name for answer in poll.answers)
    return _build(Question(names, poll.ends_at, poll.is_multiple, poll.is_hidden), votes)


def read_question(view: ObjectView) -> Question | None:
    """Return what a received post asks; None where it is no poll, or none that can be voted on."""
    if view.type != "Question" or view.ends_at is None:
        return None
    answers = tuple(clean_line(option.name, limit=ANSWER_LIMIT_CHARACTERS) for option in view.options)
    if not 2 <= len(answers) <= ANSWERS_TAKEN or len(set(answers)) < len(answers) or not all(answers):
        return None
    return Question(answers, view.ends_at, view.is_multiple_choice, view.document.get("hideTotals") is True)


async def keep_question(tx: Tx, *, group: Group, post_id: int, seq: int | None, view: ObjectView) -> None:
    """Keep what a post asks, beside its words; does nothing for a post that asks nothing."""
    question = read_question(view)
    if question is not None:
        await insert_poll(
            tx,
            post_id=post_id,
            group_id=group.group_id,
            seq=seq,
            question=question,
            final_at=question.ends_at + GRACE,
            is_host=group.is_local,
        )


async def find_question_flaw(tx: Tx, view: ObjectView, *, post_id: int | None = None) -> str | None:
    """Return why a submission may not ask what it asks, or None.

    Args:
        tx: The transaction that decides about it.
        view: The post as submitted.
        post_id: The post that it changes; None for a new one.
    """
    question = read_question(view)
    if post_id is None:
        return find_flaw(question, now=tx.now) if view.type == "Question" else None
    poll = await find_poll(tx, post_id=post_id)
    asked = None
    if poll is not None:
        asked = Question(tuple(each.name for each in poll.answers), poll.ends_at, poll.is_multiple, poll.is_hidden)
    return None if asked == question else _STAYS


def _build(question: Question, votes: tuple[int, ...]) -> dict[str, Any]:
    options = [
        {"type": "Note", "name": name, "replies": {"type": "Collection", "totalItems": count}}
        for name, count in zip(question.answers, votes, strict=True)
    ]
    document = {
        "type": "Question",
        "anyOf" if question.is_multiple else "oneOf": options,
        "endTime": format_instant(question.ends_at),
    }
    return document | ({"hideTotals": True} if question.is_hidden else {})

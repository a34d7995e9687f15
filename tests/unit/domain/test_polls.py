"""What may be asked, what may be chosen, and when the host of a poll counts."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from node.domain.access import may_vote
from node.domain.polls import (
    ANSWERS_OFFERED,
    GRACE,
    LATE_GRACE,
    Answer,
    NewPoll,
    Poll,
    Question,
    Step,
    Tally,
    check_choices,
    clean_poll,
    find_flaw,
    judge_tally,
)
from node.foundation.errors import Invalid
from tests.support.clock import NOON
from tests.support.tables import ANA, SUSPENDED, a_place, something

_END = NOON + timedelta(hours=1)
_TALLY = Tally(_END, _END + GRACE, counts=0, counted_at=NOON, is_stale=False, is_of_earlier_epoch=False)


@pytest.mark.parametrize(
    "poll",
    [
        NewPoll(("Yes",), 3600),
        NewPoll(("Yes", " ", "\n"), 3600),
        NewPoll(("Yes", " Yes "), 3600),
        NewPoll(tuple(map(str, range(ANSWERS_OFFERED + 1))), 3600),
        NewPoll(("Yes", "x" * 101), 3600),
        NewPoll(("Yes", "No"), 299),
        NewPoll(("Yes", "No"), 2_629_747),
    ],
)
def test_what_nobody_could_vote_on_is_refused_with_a_sentence(poll: NewPoll) -> None:
    with pytest.raises(Invalid):
        clean_poll(poll)


def test_empty_lines_and_what_does_not_print_go() -> None:
    cleaned = clean_poll(NewPoll((" Yes ", "", "N\x00o"), 300, is_multiple=True, is_hidden=True))

    assert cleaned == NewPoll(("Yes", "No"), 300, is_multiple=True, is_hidden=True)


@pytest.mark.parametrize(("choices", "is_multiple"), [((), True), ((0, 1), False), ((3,), True), ((-1,), False)])
def test_a_choice_that_does_not_fit_is_refused(choices: tuple[int, ...], is_multiple: bool) -> None:
    with pytest.raises(Invalid):
        check_choices(choices, answers=3, is_multiple=is_multiple)


def test_what_is_chosen_twice_is_chosen_once() -> None:
    assert check_choices((2, 0, 2), answers=3, is_multiple=True) == (0, 2)
    assert check_choices((1, 1), answers=3, is_multiple=False) == (1,)


@pytest.mark.parametrize(
    "question",
    [
        None,
        Question(("Yes", "No"), NOON, is_multiple=False, is_hidden=False),
        Question(("Yes", "No"), NOON + timedelta(days=367), is_multiple=False, is_hidden=False),
    ],
)
def test_a_host_does_not_take_what_cannot_be_asked(question: Question | None) -> None:
    assert find_flaw(question, now=NOON)


def test_a_host_takes_what_ends_later() -> None:
    assert find_flaw(Question(("Yes", "No"), _END, is_multiple=False, is_hidden=False), now=NOON) is None


@pytest.mark.parametrize(
    ("case", "now", "began_at", "step"),
    [
        ("nothing new", NOON + timedelta(minutes=5), NOON, Step.WAIT),
        ("the end", _END, NOON, Step.WAIT),
        ("a minute after the end", _END + GRACE, NOON, Step.CLOSE),
        ("a host that came after the end", _END + GRACE, _END + timedelta(seconds=1), Step.WAIT),
        (
            "a quarter of an hour later",
            _END + LATE_GRACE + timedelta(seconds=1),
            _END + timedelta(seconds=1),
            Step.CLOSE,
        ),
    ],
)
def test_the_last_count_follows_the_end(case: str, now: object, began_at: object, step: Step) -> None:
    assert judge_tally(_TALLY, now=now, began_at=began_at)[0] is step  # type: ignore[arg-type]


def test_votes_are_told_after_a_pause_that_grows_with_what_was_told() -> None:
    stale, soon = replace(_TALLY, is_stale=True), NOON + timedelta(seconds=29)

    assert judge_tally(stale, now=soon, began_at=NOON) == (Step.WAIT, NOON + timedelta(seconds=30))
    assert judge_tally(stale, now=NOON + timedelta(seconds=30), began_at=NOON)[0] is Step.COUNT
    late = replace(stale, counts=100)
    assert judge_tally(late, now=NOON + timedelta(minutes=59), began_at=NOON) == (Step.WAIT, NOON + timedelta(hours=1))


def test_a_new_epoch_is_told_before_anything_else_even_after_the_end() -> None:
    earlier = replace(_TALLY, is_of_earlier_epoch=True)

    assert judge_tally(earlier, now=NOON, began_at=NOON)[0] is Step.COUNT
    assert judge_tally(earlier, now=_END + timedelta(days=1), began_at=NOON)[0] is Step.COUNT


def test_a_hidden_result_shows_when_it_is_closed() -> None:
    poll = Poll(1, _END, None, True, False, True, 1, (Answer("Yes", 1), Answer("No", 0)))

    assert not poll.shows_counts
    assert replace(poll, closed_at=_END).shows_counts
    assert replace(poll, is_hidden=False).shows_counts


def test_members_who_may_read_a_poll_vote_and_nobody_else() -> None:
    post, place = something(seq=5), a_place()

    assert not may_vote(SUSPENDED, place, post)
    assert not may_vote(ANA, None, post)
    assert not may_vote(ANA, a_place("removed"), post)
    assert not may_vote(ANA, a_place(visible_after=5), post)
    assert not may_vote(ANA, place, something(seq=None, author_id=1))
    assert not may_vote(ANA, place, something(state="withdrawn"))
    assert may_vote(ANA, place, post)

"""Recovery: whom a restored host asks, what it makes of the answers, and when its log goes on."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from node.federation.grouplog.align import (
    Way,
    begin_search,
    choose_told,
    choose_way,
    is_worth_keeping,
    may_begin_anew,
    proves_fork,
)
from node.federation.grouplog.entry import LogEntry
from node.federation.grouplog.handed import (
    Handed,
    Ours,
    Use,
    build_locator,
    choose_handing,
    choose_path,
    holds_more,
    judge_handed,
    list_branches,
    proves_loss,
)
from node.federation.grouplog.position import Position
from node.federation.grouplog.recovery import (
    ASK_AGAIN_SECONDS,
    ASK_LATE_SECONDS,
    PATIENCE_SECONDS,
    be_calm,
    begin_recovery,
    choose_base,
    is_done_with,
)
from node.federation.grouplog.waiting import Turn, judge_submission

WARD = "https://a.example/groups/ward"
EVE = "https://b.example/people/eve"
HEAD = Position(1, 6, "a" * 64)


def entry(seq: int, prev: str, *, epoch: int = 1, kind: str = "create") -> LogEntry:
    """Return an entry whose activity is new."""
    return LogEntry(WARD, epoch, seq, prev, f"https://b.example/activities/{epoch}-{seq}", kind, "f" * 64)


def handed(each: LogEntry, *, author: str = EVE, is_proved: bool = True, has_content: bool = True) -> Handed:
    """Return an entry as a node gave it back."""
    return Handed(each, is_proved, author, has_content=has_content)


NEXT = handed(entry(7, HEAD.chain))
LATE = handed(entry(9, "b" * 64))
OURS = Ours(HEAD, frozenset({1, 2}), is_recovering=True, has_activity=False, has_needed=True, out=frozenset())


@pytest.mark.parametrize(
    ("use", "given_back", "ours"),
    [
        (Use.ADOPT, NEXT, OURS),
        (Use.ADOPT_ERASED, NEXT, replace(OURS, is_erased=True)),
        (Use.LATER, NEXT, replace(OURS, is_asking=True)),
        (Use.SAY_ANEW, NEXT, replace(OURS, is_recovering=False)),
        (Use.SAY_ANEW, LATE, OURS),
        (Use.LATER, LATE, replace(OURS, has_needed=False)),
        (Use.KNOWN, NEXT, replace(OURS, has_activity=True)),
        (Use.TAKE_BACK, LATE, replace(OURS, is_erased=True)),
        (Use.SKIP, replace(LATE, has_content=False), replace(OURS, is_erased=True)),
        (Use.SKIP, replace(LATE, author=WARD), OURS),
        (Use.SKIP, LATE, replace(OURS, out=frozenset({EVE}))),
        (Use.SAY_ANEW, handed(entry(9, "b" * 64, kind="delete")), replace(OURS, out=frozenset({EVE}))),
        (Use.ADOPT, NEXT, replace(OURS, out=frozenset({EVE}))),
        (Use.REFUSE, replace(NEXT, is_proved=False), OURS),
        (Use.REFUSE, handed(entry(7, HEAD.chain, epoch=3)), OURS),
        (Use.ADOPT, handed(entry(7, HEAD.chain, epoch=3)), replace(OURS, epochs=None)),
    ],
)
def test_what_becomes_of_an_entry_that_was_given_back(use: Use, given_back: Handed, ours: Ours) -> None:
    assert judge_handed(given_back, ours) is use


def test_of_several_histories_the_one_with_the_latest_epoch_goes_on() -> None:
    first = [handed(entry(7, HEAD.chain)), handed(entry(8, entry(7, HEAD.chain).chain))]
    second = [handed(entry(7, HEAD.chain, epoch=2))]
    stray = [handed(entry(9, "c" * 64, epoch=2)), handed(entry(7, HEAD.chain, epoch=9), is_proved=False)]

    path = choose_path(HEAD, [*first, *second, *stray])

    assert path == second
    assert choose_path(HEAD, first) == first
    assert choose_path(HEAD, stray) == []


@pytest.mark.parametrize(
    ("is_lost", "given_back", "chain_here"),
    [
        (True, handed(entry(7, "b" * 64)), None),
        (True, handed(entry(3, "b" * 64, epoch=2)), "c" * 64),
        (True, handed(entry(3, "b" * 64)), "c" * 64),
        (False, handed(entry(3, "b" * 64)), entry(3, "b" * 64).chain),
        (False, handed(entry(7, "b" * 64), is_proved=False), None),
    ],
)
def test_our_own_signature_shows_a_restore_that_nobody_declared(
    is_lost: bool, given_back: Handed, chain_here: str | None
) -> None:
    assert proves_loss(given_back, HEAD, chain_here=chain_here) is is_lost


def test_an_entry_of_an_epoch_before_ours_proves_no_new_loss() -> None:
    assert not proves_loss(handed(entry(9, "b" * 64)), Position(2, 6, "a" * 64), chain_here=None)


def test_a_position_beyond_or_beside_our_log_may_mean_more() -> None:
    assert holds_more(Position(1, 7, "b" * 64), HEAD, chain_here=None)
    assert holds_more(Position(1, 3, "b" * 64), HEAD, chain_here="c" * 64)
    assert not holds_more(Position(1, 3, "b" * 64), HEAD, chain_here="b" * 64)


@given(st.integers(0, 60), st.integers(0, 200), st.integers(0, 200), st.integers(0, 200))
def test_a_locator_finds_at_most_about_twice_what_is_missing(first: int, ours: int, shared: int, more: int) -> None:
    ours, shared = max(ours, first), max(shared, first)
    shared = min(ours, shared)

    after = choose_handing(
        build_locator(first, ours, lambda seq: f"{seq}" if seq <= shared else f"ours {seq}"),
        base_seq=first,
        chain_at=lambda seq: f"{seq}" if seq <= shared else f"theirs {seq}",
    )

    assert first <= after <= shared
    assert shared - after <= ours - shared


def test_what_was_given_already_is_named_unless_there_is_a_hole_before_it() -> None:
    seven, stray = entry(7, HEAD.chain), entry(20, "b" * 64)
    eight = entry(8, seven.chain)

    places = list_branches([handed(eight), handed(seven), handed(stray)], {6: HEAD.chain}.get)

    assert places == [(8, eight.chain), (7, seven.chain)]


def test_nodes_are_asked_one_after_the_other_the_longest_copy_first_and_again_after_a_pause() -> None:
    recovery = begin_recovery(epochs={1, 4}, nodes=["c", "b"], now=100.0)

    assert recovery.epoch == 5
    assert recovery.list_due(100.0, {"b": 3, "c": 0}) == ["c", "b"]
    asked = recovery.ask("c", 100.0)
    assert asked.list_due(101.0) == ["b"]
    assert asked.list_due(100.0 + ASK_AGAIN_SECONDS) == ["b", "c"]
    assert asked.list_due(100.0 + PATIENCE_SECONDS + ASK_AGAIN_SECONDS, {}) == ["b", "c"]


def test_a_recovery_is_over_when_all_were_heard_or_waited_for_or_the_operator_says_so() -> None:
    recovery = begin_recovery(epochs={1}, nodes=["b", "c", "d"], now=0.0)
    missing_one = recovery.hear("b", "x").drop("d")

    assert not missing_one.is_over(PATIENCE_SECONDS - 1)
    assert missing_one.is_over(0.0, has_consent=True)
    assert missing_one.is_over(PATIENCE_SECONDS)
    assert missing_one.hear("c").is_over(0.0)
    assert be_calm(3).is_over(0.0)


def test_who_was_heard_and_still_stands_there_is_asked_again_only_after_five_minutes() -> None:
    heard = be_calm(1).suspect("b", "x", 0.0).ask("b", 0.0).hear("b", "x")

    assert heard.suspect("b", "x", ASK_AGAIN_SECONDS) == heard
    assert heard.suspect("b", "y", ASK_AGAIN_SECONDS).waiting == {"b"}
    assert heard.suspect("b", "x", ASK_LATE_SECONDS).list_due(ASK_LATE_SECONDS) == ["b"]


def test_an_epoch_that_comes_back_makes_the_next_one_larger() -> None:
    assert be_calm(3).learn(7).epoch == 8
    assert be_calm(3).learn(1).epoch == 3


def test_a_base_lies_no_higher_than_the_log_when_a_new_epoch_begins() -> None:
    assert (choose_base(9, head_seq=6), choose_base(4, head_seq=6)) == (6, 4)


def test_a_host_is_done_with_what_it_has_as_it_stood_or_was_given() -> None:
    told = Position(1, 3, "b" * 64)

    assert is_done_with(told, heard_chain=None, chain_here=told.chain)
    assert is_done_with(told, heard_chain=told.chain, chain_here=None)
    assert not is_done_with(told, heard_chain=None, chain_here="c" * 64)


@pytest.mark.parametrize(
    ("way", "host", "chain"),
    [
        (Way.PULL, Position(1, 9, "d" * 64), HEAD.chain),
        (Way.FORKED, Position(1, 9, "d" * 64), "b" * 64),
        (Way.WAIT, Position(1, 4, "d" * 64), None),
        (Way.SEARCH, Position(2, 4, "d" * 64), None),
        (Way.SEARCH, Position(2, 9, "d" * 64), "b" * 64),
        (Way.PULL, Position(2, 9, "d" * 64), HEAD.chain),
    ],
)
def test_what_a_copy_does_after_it_compared_itself_with_its_host(way: Way, host: Position, chain: str | None) -> None:
    assert choose_way(HEAD, host, host_chain=chain) is way


@given(st.integers(0, 40), st.integers(0, 100), st.integers(0, 100), st.integers(-1, 100))
def test_a_search_finds_the_last_common_number_or_that_there_is_none(
    base: int, ours: int, host: int, common: int
) -> None:
    ours = max(ours, base)
    last = min(common, ours, host)
    search = begin_search(Position(1, ours, ""), Position(2, host, ""), base_seq=base)

    steps = 0
    while (question := search.question) is not None:
        search, steps = search.learn(question, is_same=question <= last), steps + 1

    assert search.find_common(base) == (last if last >= base else None)
    assert steps <= 8


def test_a_copy_begins_anew_only_for_an_entry_of_a_newer_epoch() -> None:
    assert may_begin_anew(Position(2, 1, ""), HEAD)
    assert not may_begin_anew(Position(1, 99, ""), HEAD)


def test_two_entries_of_one_epoch_under_or_behind_one_number_prove_two_histories() -> None:
    held = entry(5, "b" * 64)

    assert proves_fork(replace(held, commit="e" * 64), HEAD, held=held)
    assert proves_fork(entry(7, "b" * 64), HEAD, held=None)
    assert not proves_fork(replace(held, epoch=2), HEAD, held=held)
    assert not proves_fork(entry(9, "b" * 64), HEAD, held=None)


def test_a_copy_keeps_what_was_said_and_tells_where_the_last_of_it_stood() -> None:
    kept = [entry(5, "b" * 64, epoch=2), entry(9, "b" * 64)]

    assert choose_told(HEAD, kept) == Position(2, 5, kept[0].chain)
    assert choose_told(HEAD, []) == HEAD
    assert is_worth_keeping(author=EVE, group=WARD, has_content=True)
    assert not is_worth_keeping(author=WARD, group=WARD, has_content=True)
    assert not is_worth_keeping(author=EVE, group=WARD, has_content=False)


@pytest.mark.parametrize(
    ("turn", "known"),
    [
        (Turn.RECORD, {}),
        (Turn.KNOWN, {"is_in_log": True, "is_taken_back": True}),
        (Turn.REFUSE, {"is_taken_back": True}),
        (Turn.WAIT, {"has_needed": False}),
        (Turn.RECORD, {"has_needed": False, "asks": 8}),
        (Turn.RECORD, {"has_needed": False, "waited_seconds": 100.0}),
    ],
)
def test_when_a_submission_gets_its_number(turn: Turn, known: dict[str, bool]) -> None:
    usual = {"is_in_log": False, "is_taken_back": False, "has_needed": True, "asks": 0, "waited_seconds": 0.0}

    assert judge_submission(**{**usual, **known}) is turn  # type: ignore[arg-type]

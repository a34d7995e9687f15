"""The lane's answer table, row by row (reliability.md 4.5), its back-off, and what contact does."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from node.outbox.lane import (
    FAR_BEHIND,
    FIRST_DELAY_SECONDS,
    ITEM_TRIES,
    KNOCK_SECONDS,
    LONGEST_DELAY_SECONDS,
    SENTENCES,
    Lane,
    Outcome,
    Reply,
    advance,
    backoff_seconds,
    contact,
)
from tests.support.clock import NOON

FRESH = Lane(cursor=4, state="idle", fails=0, item_tries=0, due_at=NOON)
TROUBLED = replace(
    FRESH, state="backoff", fails=3, error_code="unreachable", error_sentence="x", error_since_at=NOON,
    due_at=NOON + timedelta(minutes=9),
)  # fmt: skip
_STATUSES = st.one_of(
    st.sampled_from([0, 200, 202, 301, 400, 401, 404, 409, 410, 413, 429, 500, 503]), st.integers(0, 999)
)
_CHANCE = st.floats(0, 1, exclude_max=True)
_LANES = st.builds(
    Lane,
    cursor=st.just(4),
    state=st.sampled_from(["idle", "due", "backoff", "paused"]),
    fails=st.integers(0, 900),
    item_tries=st.integers(0, 2),
    due_at=st.just(NOON),
)


def try_once(
    status: int, *, lane: Lane = FRESH, held: int | None = None, retry_after: float | None = None, may_skip: bool = True,
    head: int = 9, chance: float = 0.5,
) -> tuple[Lane, Outcome]:  # fmt: skip
    """Try the entry behind the cursor and return what becomes of lane and entry."""
    reply = Reply(status, held, retry_after)
    return advance(lane, reply, position=lane.cursor + 1, head=head, may_skip=may_skip, now=NOON, chance=chance)


@pytest.mark.parametrize("status", [200, 201, 202, 204, 299])
@pytest.mark.parametrize("lane", [FRESH, TROUBLED, replace(FRESH, item_tries=2)])
def test_an_entry_that_was_taken_moves_the_cursor_and_clears_all_trouble(status: int, lane: Lane) -> None:
    after, outcome = try_once(status, lane=lane)

    assert outcome is Outcome.ADVANCE
    assert after == Lane(cursor=5, state="idle", fails=0, item_tries=0, due_at=NOON, last_success_at=NOON)


@pytest.mark.parametrize(("held", "cursor"), [(None, 5), (5, 5), (7, 7), (9, 9), (10, 9), (10**15, 9), (3, 5), (0, 5)])
def test_a_peer_that_holds_more_is_believed_up_to_the_head_and_never_backwards(held: int | None, cursor: int) -> None:
    after, _ = try_once(202, held=held)

    assert after.cursor == cursor


@pytest.mark.parametrize(
    ("held", "behind", "waits"),
    [
        (None, FAR_BEHIND + 1, False),  # it says nothing: software without the log
        (5, FAR_BEHIND + 1, False),  # it holds what it was brought: it takes nothing by itself
        (6, FAR_BEHIND, False),
        (6, FAR_BEHIND + 1, True),
        (900, 10_000, True),
    ],
)
def test_a_peer_far_behind_that_takes_entries_by_itself_is_brought_one_a_second(
    held: int | None, behind: int, waits: bool
) -> None:
    after, outcome = try_once(202, held=held, head=(held or 5) + behind)

    assert (outcome, after.cursor, after.error_code) == (Outcome.ADVANCE, held or 5, None)
    assert (after.due_at - NOON).total_seconds() == (KNOCK_SECONDS if waits else 0)
    assert after.state == ("due" if waits else "idle")


@pytest.mark.parametrize("status", [400, 413, 415, 422])
def test_an_entry_that_is_refused_three_times_is_a_dead_letter_and_the_lane_goes_on(status: int) -> None:
    first, kept = try_once(status)
    second, kept_again = try_once(status, lane=first)
    third, dead = try_once(status, lane=second)

    assert (kept, kept_again, dead) == (Outcome.KEEP, Outcome.KEEP, Outcome.DEAD)
    assert (first.cursor, second.cursor, third.cursor) == (4, 4, 5)
    assert (first.error_code, first.error_status, first.item_tries, first.fails) == ("item", status, 1, 0)
    assert (first.due_at - NOON, second.due_at - NOON) == (timedelta(minutes=1), timedelta(minutes=5))
    assert (third.state, third.item_tries, third.error_code, third.last_success_at) == ("idle", 0, None, None)


@pytest.mark.parametrize("status", [400, 413, 415, 422])
def test_a_groups_log_never_skips_an_entry_however_often_it_is_refused(status: int) -> None:
    lane = FRESH

    for _ in range(ITEM_TRIES + 5):
        lane, outcome = try_once(status, lane=lane, may_skip=False)
        assert outcome is Outcome.KEEP

    assert (lane.cursor, lane.state, lane.error_code, lane.fails) == (4, "backoff", "item", ITEM_TRIES + 5)


@pytest.mark.parametrize("may_skip", [True, False])
@pytest.mark.parametrize(
    ("status", "state", "code"),
    [
        (401, "backoff", "refused"),
        (403, "backoff", "refused"),
        (404, "paused", "gone"),
        (410, "paused", "gone"),
        (301, "paused", "redirect"),
        (302, "paused", "redirect"),
        (303, "paused", "redirect"),
        (307, "paused", "redirect"),
        (308, "paused", "redirect"),
        (408, "backoff", "unavailable"),
        (425, "backoff", "unavailable"),
        (429, "backoff", "unavailable"),
        (500, "backoff", "unavailable"),
        (502, "backoff", "unavailable"),
        (503, "backoff", "unavailable"),
        (504, "backoff", "unavailable"),
        (0, "backoff", "unreachable"),
        (409, "backoff", "unavailable"),
        (402, "backoff", "unavailable"),
        (418, "backoff", "unavailable"),
        (100, "backoff", "unavailable"),
        (999, "backoff", "unavailable"),
    ],
)
def test_an_answer_that_is_not_about_the_entry_holds_everything_and_names_the_trouble(
    status: int, state: str, code: str, may_skip: bool
) -> None:
    after, outcome = try_once(status, may_skip=may_skip)

    assert outcome is Outcome.KEEP
    assert (after.cursor, after.state, after.fails, after.error_code) == (4, state, 1, code)
    assert (after.error_status, after.error_sentence) == (status or None, SENTENCES[code])
    assert after.error_since_at == NOON
    assert after.due_at > NOON


def test_the_first_sight_of_trouble_is_kept_until_something_is_taken() -> None:
    first, _ = try_once(503)
    earlier = replace(first, error_since_at=NOON - timedelta(hours=1))

    same, _ = try_once(503, lane=earlier)
    another, _ = try_once(401, lane=earlier)
    taken, _ = try_once(202, lane=earlier)
    item, _ = try_once(400, lane=earlier)

    assert same.error_since_at == NOON - timedelta(hours=1)
    assert another.error_since_at == item.error_since_at == NOON - timedelta(hours=1)
    assert taken.error_since_at is None


@pytest.mark.parametrize("held", [0, 2, 3, 6, 9])
def test_a_conflict_with_a_position_leads_to_where_the_peer_stands(held: int) -> None:
    after, outcome = try_once(409, held=held)

    assert outcome is Outcome.REWIND
    assert (after.cursor, after.state, after.due_at, after.item_tries) == (held, "due", NOON, 0)


@pytest.mark.parametrize("held", [4, 10, 10**15])
def test_a_conflict_where_we_stand_or_beyond_the_head_is_another_history_and_waits(held: int) -> None:
    after, outcome = try_once(409, held=held)

    assert outcome is Outcome.KEEP
    assert (after.cursor, after.state, after.error_code) == (4, "backoff", "position")


@pytest.mark.parametrize(
    ("asked", "waited"),
    [(30, 30), (3599, 3599), (3600, 3600), (7200, 3600), (10 * 365 * 86_400, 3600), (0, 1), (-5, 1)],
)
@pytest.mark.parametrize("status", [408, 425, 429, 500, 503])
def test_retry_after_is_honoured_up_to_an_hour_and_never_means_at_once(
    status: int, asked: float, waited: float
) -> None:
    after, _ = try_once(status, retry_after=asked)

    assert after.due_at - NOON == timedelta(seconds=waited)


@pytest.mark.parametrize("status", [401, 403, 404, 400])
def test_retry_after_says_nothing_about_other_troubles(status: int) -> None:
    with_it, _ = try_once(status, retry_after=1.0)
    without, _ = try_once(status)

    assert with_it.due_at == without.due_at


def test_the_back_off_doubles_from_five_seconds_to_an_hour() -> None:
    middle = [backoff_seconds(fails, 0.5) for fails in range(1, 13)]

    assert middle == [5, 10, 20, 40, 80, 160, 320, 640, 1280, 2560, 3600, 3600]


@given(fails=st.integers(1, 10**6), chance=_CHANCE)
@settings(deadline=None)
def test_the_back_off_is_spread_by_half_and_never_longer_than_an_hour(fails: int, chance: float) -> None:
    middle = min(FIRST_DELAY_SECONDS * 2 ** (min(fails, 40) - 1), LONGEST_DELAY_SECONDS)

    seconds = backoff_seconds(fails, chance)

    assert middle * 0.5 <= seconds <= min(middle * 1.5, LONGEST_DELAY_SECONDS)


@given(chances=st.lists(_CHANCE, min_size=30, max_size=30))
@settings(deadline=None)
def test_t46_a_dead_peer_costs_a_few_hundred_tries_a_month_and_loses_nothing(chances: list[float]) -> None:
    lane, now, tries = FRESH, NOON, 0

    while now < NOON + timedelta(days=30):
        lane, outcome = advance(
            lane, Reply(0), position=5, head=9, may_skip=True, now=now, chance=chances[tries % len(chances)]
        )
        assert outcome is Outcome.KEEP
        now, tries = lane.due_at, tries + 1

    assert lane.cursor == 4
    assert 700 <= tries <= 1600


@given(lane=_LANES, status=_STATUSES, held=st.none() | st.integers(0, 20), chance=_CHANCE, may_skip=st.booleans())
@settings(deadline=None)
def test_no_answer_moves_a_lane_back_or_past_the_head_without_a_word_of_the_peer(
    lane: Lane, status: int, held: int | None, chance: float, may_skip: bool
) -> None:
    after, outcome = try_once(status, lane=lane, held=held, may_skip=may_skip, chance=chance)

    if outcome is Outcome.REWIND:
        assert (status, after.cursor) == (409, held)
    elif outcome is Outcome.KEEP:
        assert after.cursor == lane.cursor
        assert NOON < after.due_at <= NOON + timedelta(hours=1)
    else:
        assert lane.cursor < after.cursor <= 9
    if outcome is Outcome.DEAD:
        assert may_skip
        assert lane.item_tries == ITEM_TRIES - 1


def test_contact_makes_a_waiting_lane_due_and_lets_another_alone() -> None:
    soon = contact(TROUBLED, now=NOON, delay_seconds=7)
    unchanged = contact(FRESH, now=NOON, delay_seconds=7)

    assert soon.due_at == NOON + timedelta(seconds=7)
    assert (soon.cursor, soon.error_code) == (TROUBLED.cursor, TROUBLED.error_code)
    assert unchanged == FRESH


def test_contact_takes_no_time_from_a_peer_that_asked_for_it() -> None:
    asked, _ = try_once(429, retry_after=600.0)

    assert contact(asked, now=NOON, delay_seconds=7) == asked


@pytest.mark.parametrize("status", [0, 301, 400, 401, 403, 404, 409, 410, 500, 503])
def test_contact_makes_a_lane_due_whatever_else_it_waits_for(status: int) -> None:
    waiting, _ = try_once(status, held=4 if status == 409 else None, may_skip=False)

    assert contact(waiting, now=NOON, delay_seconds=1).due_at == NOON + timedelta(seconds=1)


def test_contact_never_puts_a_try_off() -> None:
    nearly_due = replace(TROUBLED, due_at=NOON + timedelta(seconds=1))

    assert contact(nearly_due, now=NOON, delay_seconds=30).due_at == nearly_due.due_at


def test_every_trouble_has_its_sentence() -> None:
    troubles = {try_once(status)[0].error_code for status in (0, 301, 400, 401, 404, 429, 500)}
    troubles.add(try_once(409, held=4)[0].error_code)

    assert troubles == set(SENTENCES)

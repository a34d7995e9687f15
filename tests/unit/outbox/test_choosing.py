"""Which lanes may send now: control first, a quarter for who is in trouble, a twentieth for one peer, ten starts a second."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from node.outbox.choosing import STARTS_PER_SECOND, Choice, Flight, Starts, choose, is_down, is_hastened, is_room
from node.outbox.publish import CONTROL
from node.store.streams import LaneRow
from tests.support.clock import NOON

_LIMIT = 64
_FINE = LaneRow(1, "ward", 7, 4, "idle", 0, 0, NOON, None, None, None, None, None, 9)
_HEALTHY, _SLOW = Flight(is_failing=False), Flight(is_failing=False, is_slow=True)


def a_lane(peer_id: int, stream: str = "ward") -> LaneRow:
    """Return a lane that is due and was never in trouble."""
    return replace(_FINE, peer_id=peer_id, stream=stream)


def down(row: LaneRow) -> LaneRow:
    """Return a lane whose last try had no answer, and that is due again."""
    return replace(row, state="backoff", fails=3, error_code="unreachable")


def refused(row: LaneRow) -> LaneRow:
    """Return a lane whose last try was refused, and that is due again."""
    return replace(row, state="backoff", fails=3, error_code="refused", error_status=403)


def choose_from(*rows: LaneRow, flights: dict[tuple[int, str], Flight] | None = None, **more: int) -> Choice:
    """Choose at noon, with 64 slots and ten starts unless the test says otherwise."""
    limits = {"limit": _LIMIT, "starts": STARTS_PER_SECOND} | more
    return choose(rows, flights or {}, flights or {}, now=NOON, **limits)


def test_what_is_due_begins_in_the_order_in_which_it_is_given_and_the_rest_waits() -> None:
    later = replace(a_lane(2), due_at=NOON + timedelta(seconds=1))
    busy = a_lane(3)

    found = choose_from(a_lane(4), later, busy, a_lane(1), flights={(3, "ward"): _HEALTHY})

    assert [row.peer_id for row in found.chosen] == [4, 1]
    assert (found.is_crowded, found.held, found.failing) == (False, frozenset(), 0)


def test_a_peers_control_lane_goes_before_its_others_and_nobody_elses() -> None:
    control = a_lane(1, CONTROL)

    found = choose_from(a_lane(1), control, a_lane(2))

    assert found.chosen == [control, a_lane(2)]


def test_while_control_waits_or_is_under_way_nothing_else_goes_to_the_peer() -> None:
    waits = replace(a_lane(1, CONTROL), due_at=NOON + timedelta(hours=1))

    assert choose_from(waits, a_lane(1)).chosen == []
    assert choose_from(a_lane(1, CONTROL), a_lane(1), flights={(1, CONTROL): _HEALTHY}).chosen == []


def test_no_more_begin_than_there_are_slots_and_others_are_told_to_make_room() -> None:
    found = choose_from(*(a_lane(peer_id) for peer_id in range(100)), flights={(200, "ward"): _HEALTHY})

    assert (len(found.chosen), found.is_crowded) == (_LIMIT - 1, True)


def test_a_peer_that_answers_has_a_twentieth_of_the_slots_at_most() -> None:
    found = choose_from(*(a_lane(1, f"ward{number}") for number in range(10)), flights={(1, "clinic"): _HEALTHY})

    assert (len(found.chosen), found.held, found.is_crowded) == (2, frozenset({1}), False)


def test_t46_a_peer_that_does_not_answer_is_tried_by_one_lane_at_a_time() -> None:
    lanes = [down(a_lane(1)), a_lane(1, "clinic"), a_lane(1, "night")]

    assert len(choose_from(*lanes).chosen) == 1
    assert choose_from(*lanes, flights={(1, "ward"): Flight(is_failing=True)}).chosen == []


def test_t46_while_a_request_waits_for_long_no_other_lane_of_its_peer_begins() -> None:
    lanes = [a_lane(1), a_lane(1, "clinic")]

    assert choose_from(*lanes, flights={(1, "ward"): _HEALTHY}).chosen == [lanes[1]]
    assert choose_from(*lanes, flights={(1, "ward"): _SLOW}).chosen == []


@pytest.mark.parametrize("in_trouble", [down, refused])
def test_t46_lanes_in_trouble_get_a_quarter_of_the_slots_and_the_others_the_rest(in_trouble: object) -> None:
    assert callable(in_trouble)
    rows = [in_trouble(a_lane(peer_id)) for peer_id in range(30)] + [a_lane(peer_id) for peer_id in range(50, 120)]

    found = choose_from(*rows, starts=1000)

    assert sum(row.fails > 0 for row in found.chosen) == found.failing == _LIMIT // 4
    assert len(found.chosen) == _LIMIT


def test_t46_who_falls_silent_while_it_is_served_counts_as_in_trouble() -> None:
    silent = {(peer_id, "ward"): _SLOW for peer_id in range(14)}

    found = choose_from(*(down(a_lane(peer_id)) for peer_id in range(50, 60)), a_lane(70), flights=silent)

    assert len(found.chosen) == 3
    assert found.failing == 2


def test_t46_five_peers_that_fall_silent_at_once_hold_less_than_a_quarter_however_many_lanes_they_have() -> None:
    rows = [a_lane(peer_id, f"ward{number}") for peer_id in range(5) for number in range(40)]

    found = choose_from(*rows)

    assert len(found.chosen) <= _LIMIT // 4


def test_no_more_than_the_starts_that_are_left_begin_in_trouble_and_the_healthy_are_not_counted() -> None:
    rows = [down(a_lane(peer_id)) for peer_id in range(9)] + [a_lane(peer_id) for peer_id in range(20, 60)]

    found = choose_from(*rows, starts=4)

    assert (found.failing, len(found.chosen), found.held, found.is_crowded) == (4, 44, frozenset(), False)


def test_it_is_looked_again_when_a_quarter_is_free_and_with_few_slots_when_one_is() -> None:
    assert [is_room(flights, limit=_LIMIT) for flights in (64, 49, 48, 0)] == [False, False, True, True]
    assert [is_room(flights, limit=2) for flights in (2, 1)] == [False, True]


def test_ten_lanes_in_trouble_begin_each_second_and_no_more_after_a_long_rest() -> None:
    starts, begun = Starts(), []

    for tenth in range(100):
        left = starts.left(1000 + tenth / 10)
        starts.take(left)
        begun.append(left)

    assert begun[0] == STARTS_PER_SECOND
    assert sum(begun[1:]) == pytest.approx(9.9 * STARTS_PER_SECOND, abs=1)
    assert starts.left(10_000) == STARTS_PER_SECOND


def test_a_lane_is_hastened_when_its_peer_speaks_and_one_without_an_answer_when_its_peer_answers_another() -> None:
    silent, barred = down(a_lane(1)), refused(a_lane(1))

    assert is_hastened(silent, {1}, set())
    assert is_hastened(barred, {1}, set())
    assert is_hastened(silent, set(), {1})
    assert not is_hastened(barred, set(), {1})
    assert not is_hastened(silent, {2}, {2})


_LANES = st.builds(
    replace,
    st.just(_FINE),
    peer_id=st.integers(1, 12),
    stream=st.sampled_from([CONTROL, "direct", "ward", "clinic", "night", "day"]),
    fails=st.integers(0, 2),
    error_code=st.sampled_from([None, "unreachable", "unavailable"]),
    due_at=st.sampled_from([NOON, NOON + timedelta(seconds=1)]),
)
_FLIGHTS = st.dictionaries(
    st.tuples(st.integers(1, 12), st.sampled_from(["ward", "clinic", "night"])),
    st.builds(Flight, is_failing=st.booleans(), is_slow=st.booleans()),
    max_size=20,
)


@given(
    rows=st.lists(_LANES, max_size=60, unique_by=lambda row: (row.peer_id, row.stream)),
    flights=_FLIGHTS, limit=st.integers(1, 64), starts=st.integers(0, 10),
)  # fmt: skip
def test_t46_whatever_waits_the_limits_hold(
    rows: list[LaneRow], flights: dict[tuple[int, str], Flight], limit: int, starts: int
) -> None:
    found = choose(rows, flights, flights, now=NOON, limit=limit, starts=starts)

    down_now = {row.peer_id for row in rows if is_down(row)} | {key[0] for key, one in flights.items() if one.is_slow}
    failing = [row for row in found.chosen if row.fails or row.peer_id in down_now]
    held = sum(one.is_failing or key[0] in down_now for key, one in flights.items())
    controlled = {row.peer_id for row in rows if row.stream == CONTROL}
    assert len(found.chosen) <= max(limit - len(flights), 0)
    assert len(failing) == found.failing <= min(starts, max(max(1, limit // 4) - held, 0))
    assert all((row.peer_id, row.stream) not in flights and row.due_at <= NOON for row in found.chosen)
    assert all(row.stream == CONTROL for row in found.chosen if row.peer_id in controlled)
    for peer_id in {row.peer_id for row in found.chosen}:
        served = [key for key in flights if key[0] == peer_id] + [r for r in found.chosen if r.peer_id == peer_id]
        assert len(served) <= (1 if peer_id in down_now else max(1, limit // 20))

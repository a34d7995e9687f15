"""Time and names: instants are exact, numbers grow, tokens say nothing."""

from __future__ import annotations

import re
import threading
from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from node.foundation.clock import EPOCH, SystemClock, format_instant, from_micros, parse_instant, to_micros
from node.foundation.ids import TOKEN_LENGTH, RandomIds
from tests.support.clock import CountingIds, FrozenClock

_INSTANTS = st.datetimes(datetime(1, 1, 2), datetime(9999, 12, 30), timezones=st.just(UTC))


@given(_INSTANTS)
def test_microseconds_carry_an_instant_exactly(instant: datetime) -> None:
    assert from_micros(to_micros(instant)) == instant


@pytest.mark.parametrize(
    ("micros", "text"),
    [(0, "1970-01-01T00:00:00Z"), (-1, "1969-12-31T23:59:59Z"), (1_700_000_000_999_999, "2023-11-14T22:13:20Z")],
)
def test_an_instant_is_written_in_whole_seconds_of_utc(micros: int, text: str) -> None:
    assert format_instant(from_micros(micros)) == text


def test_another_zone_is_written_in_utc() -> None:
    berlin = timezone(timedelta(hours=1))

    assert format_instant(datetime(2026, 11, 21, 13, tzinfo=berlin)) == "2026-11-21T12:00:00Z"


@given(_INSTANTS)
def test_what_is_written_is_read_again(instant: datetime) -> None:
    assert parse_instant(format_instant(instant)) == instant.replace(microsecond=0)


@pytest.mark.parametrize(
    ("text", "micros"),
    [
        ("1970-01-01T00:00:00Z", 0),
        ("1970-01-01T00:00:00.250Z", 250_000),
        ("1970-01-01T01:00:00+01:00", 0),
        ("1970-01-01 00:00:01+00:00", 1_000_000),
    ],
)
def test_instants_of_others_are_read(text: str, micros: int) -> None:
    assert parse_instant(text) == from_micros(micros)


@pytest.mark.parametrize(
    "text",
    ["", "now", "1970-01-01T00:00:00", "1970-01-01", "1970-13-01T00:00:00Z", "0001-01-01T00:00:00+14:00", "9" * 5000],
)
def test_a_text_that_names_no_instant_or_no_zone_is_none(text: str) -> None:
    assert parse_instant(text) is None


@given(st.text(max_size=40))
def test_no_text_breaks_the_reader(text: str) -> None:
    found = parse_instant(text)

    assert found is None or found.tzinfo is UTC


def test_the_machine_has_an_aware_clock_and_one_that_never_goes_back() -> None:
    clock = SystemClock()

    assert clock.now().tzinfo is UTC
    assert clock.now() > EPOCH
    assert clock.monotonic() <= clock.monotonic()


def test_numbers_grow_even_when_time_stands_still_or_goes_back() -> None:
    clock = FrozenClock()
    ids = RandomIds(clock)

    numbers = [ids.number() for _ in range(1000)]
    clock.advance(-3600)
    numbers += [ids.number() for _ in range(1000)]

    assert numbers == sorted(set(numbers))
    assert all(0 < number < 2**63 for number in numbers)


def test_a_later_number_is_larger_also_from_another_source() -> None:
    clock = FrozenClock()
    before = RandomIds(clock).number()

    clock.advance(0.002)

    assert RandomIds(clock).number() > before


def test_numbers_of_the_year_2100_still_fit() -> None:
    assert RandomIds(FrozenClock(datetime(2100, 1, 1, tzinfo=UTC))).number() < 2**63


def test_threads_never_get_the_same_number() -> None:
    ids, numbers = RandomIds(FrozenClock()), list[int]()
    threads = [threading.Thread(target=lambda: numbers.extend(ids.number() for _ in range(2000))) for _ in range(4)]

    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert len(set(numbers)) == 8000


def test_a_token_is_26_characters_of_base32_that_never_repeat() -> None:
    ids = RandomIds(FrozenClock())

    tokens = {ids.token() for _ in range(1000)}

    assert len(tokens) == 1000
    assert all(re.fullmatch(r"[a-z2-7]{26}", token) for token in tokens)
    assert TOKEN_LENGTH == 26


def test_tokens_carry_neither_time_nor_order() -> None:
    ids = RandomIds(FrozenClock())
    tokens = [ids.token() for _ in range(200)]

    assert tokens != sorted(tokens)
    assert len({token[0] for token in tokens}) > 20
    assert len({token[-1] for token in tokens}) > 20


def test_a_secret_is_43_characters_that_may_stand_in_an_address() -> None:
    ids = RandomIds(FrozenClock())

    secrets = {ids.secret() for _ in range(100)}

    assert len(secrets) == 100
    assert all(re.fullmatch(r"[A-Za-z0-9_-]{43}", secret) for secret in secrets)


def test_names_of_tests_have_the_same_form_and_can_be_foretold() -> None:
    ids = CountingIds()

    assert [ids.number(), ids.number()] == [1, 2]
    assert re.fullmatch(r"[a-z2-7]{26}", ids.token())
    assert len(ids.secret()) == 43
    assert CountingIds().token() == CountingIds().token()

"""Numbers of registers: published examples, and that an operator's pattern can neither hang nor surprise."""

from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from node.domain.registers import (
    KNOWN,
    check_number,
    check_pattern,
    check_registers,
    is_ahpra,
    is_gmc,
    is_npi,
    is_orcid,
    list_registers,
    matches,
    normalize_number,
)


@pytest.mark.parametrize("number", ["1234567893", "1245319599", "2000000002"])
def test_an_npi_with_the_right_check_digit_is_taken(number: str) -> None:
    assert is_npi(number)


@pytest.mark.parametrize(
    "number", ["1234567898", "3234567893", "123456789", "12345678930", "12345G7893", "", "１２３４５６７８９３"]
)
def test_what_is_no_npi_is_refused(number: str) -> None:
    assert not is_npi(number)


@given(st.integers(10**8, 2 * 10**8 - 1), st.integers(0, 8), st.integers(1, 9))
def test_one_wrong_digit_in_an_npi_is_always_found(stem: int, place: int, off: int) -> None:
    number = next(f"{stem}{check}" for check in range(10) if is_npi(f"{stem}{check}"))
    wrong = list(number)
    wrong[place] = str((int(wrong[place]) + off) % 10)

    assert not is_npi("".join(wrong))


def test_the_other_registers_forms() -> None:
    assert (is_gmc("7012345"), is_gmc("70123456"), is_gmc("701234A")) == (True, False, False)
    assert (is_ahpra("MED0001234567"), is_ahpra("ME00001234567"), is_ahpra("MED000123456")) == (True, False, False)
    assert (is_orcid("0000-0002-1825-0097"), is_orcid("0000000218250097")) == (True, True)
    assert (is_orcid("0000-0002-1694-233X"), is_orcid("0000-0002-1825-0096"), is_orcid("0000-00021825-0097")) == (
        True,
        False,
        False,
    )


def test_an_orcid_proves_no_licence() -> None:
    assert [register.name for register in KNOWN if not register.proves] == ["orcid"]


def test_a_number_is_kept_in_capitals_without_spaces() -> None:
    ahpra = list_registers({})["ahpra"]

    assert check_number(ahpra, " med 000 1234567 ") == normalize_number("MED0001234567")
    assert check_number(ahpra, "MED000123456\N{FULLWIDTH DIGIT SEVEN}") is None


@pytest.mark.parametrize(
    ("pattern", "good", "bad"),
    [
        ("999-9999/99", ["123-4567/89"], ["1234567/89", "123-4567/8", "123-4567/890", "12A-4567/89"]),
        ("AA999", ["BY123"], ["B1123", "by123", "BY12"]),
        ("*9", ["A1", "11"], ["AA", "1"]),
        ("99999|999999", ["12345", "123456"], ["1234", "1234567", "12345|123456"]),
        ("DE9", ["DE1"], ["DX1", "DE"]),
    ],
)
def test_a_pattern_of_an_operators_own(pattern: str, good: list[str], bad: list[str]) -> None:
    assert check_pattern(pattern) is None
    assert [matches(pattern, number) for number in good] == [True] * len(good)
    assert [matches(pattern, number) for number in bad] == [False] * len(bad)


@pytest.mark.parametrize(
    "pattern", ["", "|", "9|", "(9+)+", "9{10}", "[0-9]", "ABC", "...", "9" * 41, "a9", "9\\", "9|" * 9 + "9"]
)
def test_a_pattern_that_cannot_be_used_is_refused(pattern: str) -> None:
    if pattern == "ABC":  # three letters, any
        assert check_pattern(pattern) is None
    else:
        assert check_pattern(pattern) is not None


@given(st.text(alphabet="9A*-|.", max_size=400), st.text(max_size=5000))
def test_t43_no_pattern_of_a_register_takes_long(pattern: str, number: str) -> None:
    started = time.perf_counter()

    matches(pattern, number)

    assert time.perf_counter() - started < 0.5


def test_what_is_wrong_with_an_operators_registers_is_listed() -> None:
    wrong = {
        "Ärzte": ("999", "", ""),
        "kammer": ("(9+)+", "http://x.example/", "Bayern"),
        "good": ("999", "https://kammer.example/search?x=1", "DE-BY"),
    }

    problems = check_registers(wrong)

    assert len(problems) == 4
    assert not any("good" in problem for problem in problems)

"""Names, titles, whole texts and mentions: nobody looks like somebody else, and nothing hides."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from node.foundation.text import (
    CONTENT_LIMIT_CHARACTERS,
    NAME_LIMIT_CHARACTERS,
    Mention,
    clean_line,
    clean_text,
    find_mentions,
)

_BIDI = "\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069"
_HIDDEN = "\u00ad\u034f\u115f\u1160\u180e\u200b\u200c\u200d\u2060\u3164\ufe0f\ufeff\uffa0\U000e0041\U000e0100"


@pytest.mark.parametrize(
    ("written", "shown"),
    [
        ("Ana Ruiz", "Ana Ruiz"),
        ("  Ana \t\n  Ruiz  ", "Ana Ruiz"),
        ("Ana\r\nRuiz", "Ana Ruiz"),
        ("Ana\u00a0Ruiz", "Ana Ruiz"),
        ("Jos\u0065\u0301", "Jos\u00e9"),
        ("O\u2019Hara-M\u00fcller", "O\u2019Hara-M\u00fcller"),
        ("\u674e\u533b\u751f", "\u674e\u533b\u751f"),
        ("", ""),
        ("\u202e\u200b", ""),
    ],
)
def test_a_name_becomes_one_plain_line(written: str, shown: str) -> None:
    assert clean_line(written) == shown


@pytest.mark.parametrize("mark", [*_BIDI, *_HIDDEN, "\0", "\x1b", "\x7f", "\x85", "\u2028", "\ufffe", "\ud800"])
def test_t50_marks_that_turn_or_hide_words_are_not_in_names(mark: str) -> None:
    assert clean_line(f"Dr{mark} Ana") == "Dr Ana"


@pytest.mark.parametrize("mark", [*_BIDI, "\0", "\x1b", "\x85", "\u2028", "\u200b", "\ufeff", "\udfff"])
def test_t50_controls_are_not_in_texts(mark: str) -> None:
    assert clean_text(f"one{mark} two") == "one two"


@pytest.mark.parametrize(
    "written",
    ["\u0645\u06cc\u200c\u062e\u0648\u0627\u0647\u0645", "\u0915\u094d\u200d\u0937", "\U0001f469\u200d\u2695\ufe0f"],
)
def test_joiners_of_persian_hindi_and_emoji_stay_in_texts(written: str) -> None:
    assert clean_text(written) == written


def test_t50_a_tower_of_accents_is_cut_down() -> None:
    assert clean_line("a" + "\u0300\u0301\u0302\u0303\u0304" * 20 + "na").count("\u0304") == 0
    assert len(clean_line("Z" + "\u030d" * 50)) <= 4


def test_t42_a_name_and_a_text_end_at_their_limits() -> None:
    assert len(clean_line("a" * (NAME_LIMIT_CHARACTERS + 1))) == NAME_LIMIT_CHARACTERS
    assert clean_line("aaaa bbbb", limit=5) == "aaaa"
    assert len(clean_text("a" * (CONTENT_LIMIT_CHARACTERS + 1))) == CONTENT_LIMIT_CHARACTERS


@pytest.mark.parametrize("ends", ["\n", "\r\n", "\r"])
def test_lines_of_a_text_end_in_one_way(ends: str) -> None:
    assert clean_text(f"one{ends}{ends}two\tthree") == "one\n\ntwo\tthree"


@given(st.text(st.characters(exclude_categories=[]), max_size=300))
def test_whatever_is_written_can_be_stored_and_shown(written: str) -> None:
    line, text = clean_line(written), clean_text(written)

    for cleaned in (line, text):
        assert "\0" not in cleaned
        assert not set(cleaned) & set(_BIDI)
        cleaned.encode("utf-8")
    assert "\n" not in line
    assert line == line.strip()
    assert clean_text(text) == text


@given(st.text(max_size=100))
def test_cleaning_a_name_twice_changes_nothing(written: str) -> None:
    once = clean_line(written)

    assert clean_line(once) == once
    assert unicodedata.is_normalized("NFC", once)


@pytest.mark.parametrize(
    ("source", "found"),
    [
        ("Ask @ana.", [("ana", None)]),
        ("@ana and @ben@b.example", [("ana", None), ("ben", "b.example")]),
        ("Ask @ben@b.example.", [("ben", "b.example")]),
        ("(@ben@b.example), @Ben@B.Example!", [("ben", "b.example")]),
        ("@ben@localhost:9002", [("ben", "localhost:9002")]),
        ("first\n@ana", [("ana", None)]),
        ("**@ana**", [("ana", None)]),
        ("mail ana@b.example", []),
        ("https://b.example/@ana", []),
        ("@a @" + "a" * 31, []),
        ("@ana@", []),
        ("@@ana", []),
        ("@ana\u0301lyst", [("ana", None)]),
        ("@\u212aen @\u017fam", []),
        ("@ben@\u212a.example", []),
        ("\u00e9@ana", []),
    ],
)
def test_people_named_in_a_text_are_found(source: str, found: list[tuple[str, str | None]]) -> None:
    assert find_mentions(source) == [Mention(*pair) for pair in found]


def test_t42_at_most_fifty_people_are_named_in_one_text() -> None:
    assert len(find_mentions(" ".join(f"@person{number}" for number in range(60)))) == 50


def test_somebody_named_twice_is_found_once() -> None:
    assert find_mentions("@ana @ana @ANA") == [Mention("ana", None)]

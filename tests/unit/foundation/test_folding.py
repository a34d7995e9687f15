"""Words as search sees them, and what is cut out of a text around them."""

from __future__ import annotations

import time

from hypothesis import given
from hypothesis import strategies as st

from node.domain.searching import PREFIX_LETTERS, TERMS_LIMIT, Sought, parse_sought
from node.foundation.folding import Hits, cut_out, fold_words, mark


@given(text=st.text())
def test_words_hold_nothing_that_an_index_would_take_for_its_own_language(text: str) -> None:
    for word in fold_words(text):
        assert word
        assert len(word) <= 64
        assert not set(word) & set(" \t\n\"'\\:*()&|!<>^-+{}·\0")
        assert word == word.casefold()


@given(text=st.text())
def test_words_of_words_are_the_same_words(text: str) -> None:
    words = fold_words(text)

    assert fold_words(" ".join(words)) == words


@given(text=st.text(), looked_for=st.text())
def test_marking_loses_and_adds_nothing(text: str, looked_for: str) -> None:
    pieces = mark(text, Hits(frozenset(fold_words(looked_for))))

    assert "".join(piece.text for piece in pieces) == text


@given(text=st.text(max_size=300))
def test_every_text_is_understood_or_refused(text: str) -> None:
    sought = parse_sought(text)

    if isinstance(sought, Sought):
        assert 0 < len(sought.terms) <= TERMS_LIMIT
        assert sought.prefix is None or len(sought.prefix) >= PREFIX_LETTERS
        assert sought.words or sought.prefix
        assert sought.fits([word for term in sought.terms for word in term])
    else:
        assert sought in ("too_long", "too_many", "no_words")


def test_accents_and_cases_make_no_difference() -> None:
    spellings = ("Müller", "MÜLLER", "muller", "Mu\u0308ller", "ＭＵＬＬＥＲ")

    assert {tuple(fold_words(spelling)) for spelling in spellings} == {("muller",)}


def test_what_is_cut_out_shows_where_most_stands_together() -> None:
    text = "night " + "x " * 300 + "the night shift " + "y " * 300

    pieces = cut_out(text, Hits(frozenset({"night"}), "shi"), length=60)

    assert [piece.text for piece in pieces if piece.is_hit] == ["night", "shift"]
    assert (pieces[0].text, pieces[-1].text) == ("… ", " …")
    assert len("".join(piece.text for piece in pieces)) < 150


def test_what_is_cut_out_of_a_text_without_spaces_is_short() -> None:
    pieces = cut_out("長" * 5000 + "夜勤" + "長" * 5000, Hits(frozenset({"夜", "勤"})), length=60)

    assert [piece.text for piece in pieces if piece.is_hit] == ["夜", "勤"]
    assert len("".join(piece.text for piece in pieces)) < 150


def test_a_long_text_is_cut_quickly() -> None:
    text = "Wörter und noch mehr Wörter " * 4000

    began = time.process_time()
    cut_out(text, Hits(frozenset({"nothing"})), length=220)

    assert time.process_time() - began < 1

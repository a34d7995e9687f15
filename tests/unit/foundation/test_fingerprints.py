"""Fingerprints: read over the telephone, typed by tired people, and never nearly right."""

from __future__ import annotations

import hashlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from node.foundation.errors import Invalid
from node.foundation.fingerprints import fingerprint_words, list_words, matches_fingerprint

_HEX = hashlib.sha256(b"a key").hexdigest()
_DIGESTS = st.binary(min_size=32, max_size=32).map(bytes.hex)


def test_the_list_has_2048_words_that_nobody_mixes_up() -> None:
    words = list_words()

    assert len(words) == 2048
    assert list(words) == sorted(words)
    assert len({word[:4] for word in words}) == 2048
    assert all(word.isascii() and word.isalpha() and word.islower() for word in words)


@given(_DIGESTS)
def test_eight_words_carry_the_first_88_bits(digest: str) -> None:
    words = fingerprint_words(digest)

    bits = "".join(format(list_words().index(word), "011b") for word in words)
    assert len(words) == 8
    assert int(bits, 2) == int(digest[:22], 16)


@given(_DIGESTS)
def test_both_forms_match_their_own_fingerprint(digest: str) -> None:
    assert matches_fingerprint(digest, digest)
    assert matches_fingerprint(" ".join(fingerprint_words(digest)), digest)


@pytest.mark.parametrize("form", ["{}", " {}\n", "{upper}", "{colons}"])
def test_hex_may_be_written_as_people_do(form: str) -> None:
    colons = ":".join(_HEX[place : place + 2] for place in range(0, 64, 2))

    assert matches_fingerprint(form.format(_HEX, upper=_HEX.upper(), colons=colons), _HEX)


@pytest.mark.parametrize("between", [" ", "  ", "\n", "-", ", ", "."])
def test_words_may_be_written_as_people_do(between: str) -> None:
    assert matches_fingerprint(between.join(fingerprint_words(_HEX)).upper(), _HEX)


def test_another_fingerprint_does_not_match_in_either_form() -> None:
    other = hashlib.sha256(b"another key").hexdigest()

    assert not matches_fingerprint(other, _HEX)
    assert not matches_fingerprint(" ".join(fingerprint_words(other)), _HEX)


def test_words_in_another_order_do_not_match() -> None:
    first, second, *rest = fingerprint_words(_HEX)

    assert not matches_fingerprint(" ".join([second, first, *rest]), _HEX)


@pytest.mark.parametrize("given_text", ["", "abc", _HEX[:-1], _HEX + "0", "one two three", "a b c d e f g h i"])
def test_what_is_neither_form_is_named(given_text: str) -> None:
    with pytest.raises(Invalid, match="64 hex digits, or eight words"):
        matches_fingerprint(given_text, _HEX)

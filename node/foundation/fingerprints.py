"""Fingerprints that two operators can read to each other: 64 hex digits, or 8 words for the first 88 bits.

Published format: the list in `words.txt` (2,048 words, no two with the same first four letters, in alphabetical order)
may never change.
"""

from __future__ import annotations

import re
from functools import cache
from importlib.resources import files

from .errors import Invalid

WORD_BITS = 11
WORD_COUNT = 8
_HEX = re.compile(r"[0-9a-f]{64}")


@cache
def list_words() -> tuple[str, ...]:
    """Return the 2,048 words."""
    return tuple(files("node.foundation").joinpath("words.txt").read_text("ascii").split())


def fingerprint_words(hex_digits: str) -> list[str]:
    """Return the eight words of a fingerprint given in hex.

    >>> len(fingerprint_words("00" * 32))
    8
    """
    bits = int(hex_digits, 16) >> (256 - WORD_BITS * WORD_COUNT)
    words = list_words()
    places = range((WORD_COUNT - 1) * WORD_BITS, -1, -WORD_BITS)
    return [words[(bits >> place) & (2**WORD_BITS - 1)] for place in places]


def matches_fingerprint(given: str, hex_digits: str) -> bool:
    """Return whether what an operator typed, hex or eight words, is this fingerprint.

    Raises:
        Invalid: It is neither.
    """
    text = given.strip().lower()
    compact = text.replace(":", "").replace(" ", "")
    if _HEX.fullmatch(compact):
        return compact == hex_digits
    words = re.split(r"[\s,.-]+", text)
    if len(words) != WORD_COUNT or not all(words):
        raise Invalid("A fingerprint is 64 hex digits, or eight words.")
    return words == fingerprint_words(hex_digits)

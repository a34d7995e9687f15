"""The recovery code: 40 characters on a sheet of paper, the only key that opens backups.

    ab3de-fgh4k-mnp5r-stu6w-xyz7b-cd8fg-hj9km-n2pqr

Eight groups of five from 31 letters and digits that nobody confuses. The last character of each group checks the four
before it and the place of the group, so that a typing mistake is found, and in which group, before anything else is
done. What is left is 158 random bits.

Stored on paper: the alphabet and how the check is computed may never change.
"""

from __future__ import annotations

import re
import secrets

from .errors import Invalid

_ALPHABET = "abcdefghjkmnpqrstuvwxyz23456789"
_GROUPS = 8
_LETTERS = 5
_ORDINALS = ("first", "second", "third", "fourth", "fifth", "sixth", "seventh", "eighth")


def make_recovery_code() -> str:
    """Return a new code, its groups with dashes between."""
    groups = ["".join(secrets.choice(_ALPHABET) for _ in range(_LETTERS - 1)) for _ in range(_GROUPS)]
    return "-".join(letters + _check_letter(letters, place) for place, letters in enumerate(groups))


def read_recovery_code(text: str) -> str:
    """Return a code as it was printed, whatever its case, spaces and dashes are.

    Raises:
        Invalid: It is none; the sentence says which group to look at.
    """
    letters = re.sub(r"[\s\-\u2010-\u2015]+", "", text).lower()
    if not letters:
        raise Invalid("There is no recovery code.")
    for place, letter in enumerate(letters[: _GROUPS * _LETTERS]):
        if letter not in _ALPHABET:
            raise Invalid(
                f"The {_ORDINALS[place // _LETTERS]} group of the recovery code has a character that no code has: {letter}"
            )
    if len(letters) != _GROUPS * _LETTERS:
        raise Invalid(f"A recovery code has {_GROUPS * _LETTERS} characters without dashes; this has {len(letters)}.")
    groups = [letters[first : first + _LETTERS] for first in range(0, len(letters), _LETTERS)]
    for place, group in enumerate(groups):
        if group[-1] != _check_letter(group[:-1], place):
            raise Invalid(f"There is a typing mistake in the {_ORDINALS[place]} group of the recovery code: {group}")
    return "-".join(groups)


def _check_letter(letters: str, place: int) -> str:
    """Return the letter that makes a group whole; 31 is a prime, so no single slip and no swap of two keeps the sum."""
    total = sum(weight * _ALPHABET.index(letter) for weight, letter in enumerate(letters, 1))
    return _ALPHABET[(total + place) % len(_ALPHABET)]

"""Registers of physicians: how their numbers are written, and where a verifier looks one up.

A check digit catches typing mistakes and nothing else: one in ten invented NPIs passes. No number is proof of a person.

How a pattern is written: `9` stands for a digit, `A` for a letter, `*` for either; everything else for itself; `|`
stands between alternatives. There is no repetition, so a pattern is checked in one pass over at most 40 characters.

    "999-9999/99"   "AAA9999999999"   "99999|999999"

Pure. Spec: product.md §7.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass

PATTERN_LIMIT = 40
NUMBER_LIMIT = 60
_NAME = re.compile(r"[a-z][a-z0-9_]{1,29}")
_JURISDICTION = re.compile(r"[A-Z]{2}(-[A-Z0-9]{1,3})?")
_PAGE = re.compile(r"https://[A-Za-z0-9.-]{1,253}(:[0-9]{1,5})?(/[!-~]{0,500})?")
_PLAIN = frozenset("0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ*-/. |")


@dataclass(frozen=True, slots=True)
class Register:
    """A register.

    name: such as "npi". title: what it is called. jurisdiction: such as "US", "DE-BY"; empty where it has none.
    form: how a number looks, for people. look_up: a page where a verifier searches; empty for none.
    fits: whether a number, spaces taken out and in capitals, can be one of this register.
    proves: whether standing in it says that somebody is a physician at all.
    """

    name: str
    title: str
    jurisdiction: str
    form: str
    look_up: str
    fits: Callable[[str], bool]
    proves: bool = True


def normalize_number(text: str) -> str:
    """Return a number as registers print it: in capitals, without spaces.

    >>> normalize_number(" med 000 1234567 ")
    'MED0001234567'
    """
    return "".join(text.upper().split())[:NUMBER_LIMIT]


def check_number(register: Register, text: str) -> str | None:
    """Return a number ready to be kept, or None when it cannot be one of this register."""
    number = normalize_number(text)
    return number if number.isascii() and register.fits(number) else None


def is_npi(number: str) -> bool:
    """Return whether digits can be a National Provider Identifier: ten, the first 1 or 2, Luhn over 80840 and them.

    >>> is_npi("1234567893"), is_npi("1234567898"), is_npi("3234567893")
    (True, False, False)
    """
    if not _is_digits(number, 10) or number[0] not in "12":
        return False
    total = 0
    for place, digit in enumerate(reversed("80840" + number)):
        value = int(digit) * (2 if place % 2 else 1)
        total += value - 9 if value > 9 else value
    return total % 10 == 0


def is_gmc(number: str) -> bool:
    """Return whether digits can be a number of the General Medical Council: seven, without a check digit."""
    return _is_digits(number, 7)


def is_ahpra(number: str) -> bool:
    """Return whether a text can be a number of the Australian agency: three letters and ten digits."""
    return matches("AAA9999999999", number)


def is_orcid(number: str) -> bool:
    """Return whether a text can be an ORCID: sixteen digits with the check of ISO 7064 mod 11-2.

    >>> is_orcid("0000-0002-1825-0097"), is_orcid("0000-0002-1825-0098")
    (True, False)
    """
    digits = number.replace("-", "")
    if len(digits) != 16 or not _is_digits(digits[:15], 15) or number not in (digits, _in_fours(digits)):
        return False
    total = 0
    for digit in digits[:15]:
        total = (total + int(digit)) * 2
    check = (12 - total % 11) % 11
    return digits[15] == ("X" if check == 10 else str(check))


def check_pattern(pattern: str) -> str | None:
    """Return what is wrong with a pattern, as a whole sentence; None when it can be used."""
    if not pattern or not set(pattern) <= _PLAIN:
        return "A pattern is made of 9 (a digit), A (a letter), * (either), capitals, digits and - / . between them."
    parts = pattern.split("|")
    if not all(part.strip() for part in parts) or any(len(part) > PATTERN_LIMIT for part in parts) or len(parts) > 8:
        return f"A pattern has up to eight alternatives of 1 to {PATTERN_LIMIT} characters."
    if not all(set(part) & set("9A*") for part in parts):
        return "A pattern stands for more than one number: it needs a 9, an A or a *."
    return None


def matches(pattern: str, number: str) -> bool:
    """Return whether a number is written as one of a pattern's alternatives says. One pass for each, nothing repeats."""
    return any(_matches_one(part.replace(" ", ""), number) for part in pattern.split("|"))


def is_name(text: str) -> bool:
    """Return whether a text can name a register."""
    return _NAME.fullmatch(text) is not None


def is_jurisdiction(text: str) -> bool:
    """Return whether a text is a country or a part of one as ISO 3166 writes it: US, US-VT, DE-BY."""
    return _JURISDICTION.fullmatch(text) is not None


def check_registers(configured: Mapping[str, tuple[str, str, str]]) -> list[str]:
    """Return a sentence for everything that is wrong with an operator's own registers; none when they can be used."""
    problems = []
    for name, (pattern, look_up, jurisdiction) in configured.items():
        if not is_name(name):
            problems.append(f"registers.{name[:40]}: a register's name has 2 to 30 of a-z, 0-9 and underscore.")
        if (problem := check_pattern(pattern)) is not None:
            problems.append(f"registers.{name[:40]}.pattern: {problem}")
        if look_up and _PAGE.fullmatch(look_up) is None:
            problems.append(f"registers.{name[:40]}.look_up must be an https address.")
        if jurisdiction and not is_jurisdiction(jurisdiction):
            problems.append(f"registers.{name[:40]}.jurisdiction is written as DE or DE-BY.")
    return problems


def list_registers(configured: Mapping[str, tuple[str, str, str]]) -> dict[str, Register]:
    """Return every register by name: those that everybody has, and the operator's own.

    Args:
        configured: Per name (pattern, look_up, jurisdiction); one with the name of a known register replaces it.
    """
    own = {
        name: Register(name, name.upper().replace("_", " "), jurisdiction, pattern, look_up, _fitting(pattern))
        for name, (pattern, look_up, jurisdiction) in configured.items()
    }
    return {register.name: register for register in KNOWN} | own


def _fitting(pattern: str) -> Callable[[str], bool]:
    return lambda number: matches(pattern, number)


def _matches_one(pattern: str, number: str) -> bool:
    if len(pattern) != len(number):
        return False
    for wanted, found in zip(pattern, number, strict=True):
        is_digit, is_letter = "0" <= found <= "9", "A" <= found <= "Z"
        if wanted == "9":
            fits = is_digit
        elif wanted == "A":
            fits = is_letter
        elif wanted == "*":
            fits = is_digit or is_letter
        else:
            fits = wanted == found
        if not fits:
            return False
    return True


def _is_digits(text: str, length: int) -> bool:
    return len(text) == length and text.isascii() and text.isdigit()


def _in_fours(digits: str) -> str:
    return "-".join(digits[place : place + 4] for place in range(0, 16, 4))


KNOWN = (
    Register("npi", "NPI (NPPES)", "US", "ten digits, such as 1234567893", "https://npiregistry.cms.hhs.gov/", is_npi),
    Register(
        "gmc", "GMC", "GB", "seven digits", "https://www.gmc-uk.org/registrants", is_gmc,
    ),
    Register(
        "ahpra", "AHPRA", "AU", "three letters and ten digits, such as MED0001234567",
        "https://www.ahpra.gov.au/registration/registers-of-practitioners.aspx", is_ahpra,
    ),
    Register("orcid", "ORCID", "", "sixteen digits in fours", "https://orcid.org/", is_orcid, proves=False),
)  # fmt: skip

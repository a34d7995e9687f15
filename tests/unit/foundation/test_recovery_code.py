"""A recovery code is read however it was typed; a slip is found, and in which group."""

from __future__ import annotations

import re

import pytest

from node.foundation.errors import ConfigError, Invalid
from node.foundation.recovery_code import make_recovery_code, read_recovery_code
from node.foundation.settings_file import set_database

_LETTERS = "abcdefghjkmnpqrstuvwxyz23456789"


def test_a_code_is_eight_groups_of_letters_that_nobody_confuses() -> None:
    codes = {make_recovery_code() for _ in range(50)}

    assert len(codes) == 50
    assert all(re.fullmatch(rf"[{_LETTERS}]{{5}}(-[{_LETTERS}]{{5}}){{7}}", code) for code in codes)


@pytest.mark.parametrize("change", [str.upper, lambda code: code.replace("-", " "), lambda code: f" {code}\r\n"])
def test_case_spaces_and_dashes_do_not_matter(change: object) -> None:
    code = make_recovery_code()

    assert read_recovery_code(change(code)) == code  # type: ignore[operator]
    assert read_recovery_code(code.replace("-", "\u2013")) == code


def test_every_single_slip_is_found_in_its_group() -> None:
    code = make_recovery_code()

    for place, letter in enumerate(code):
        for other in _LETTERS:
            if letter not in ("-", other):
                with pytest.raises(Invalid, match="typing mistake"):
                    read_recovery_code(code[:place] + other + code[place + 1 :])
    with pytest.raises(Invalid, match="the third group"):
        read_recovery_code(code[:12] + ("a" if code[12] != "a" else "b") + code[13:])


def test_two_letters_or_two_groups_in_each_others_place_are_found() -> None:
    code = make_recovery_code()
    groups = code.split("-")

    for place in range(len(code) - 1):
        one, two = code[place : place + 2]
        if "-" not in (one, two) and one != two:
            with pytest.raises(Invalid):
                read_recovery_code(code[:place] + two + one + code[place + 2 :])
    with pytest.raises(Invalid):
        read_recovery_code("-".join([groups[1], groups[0], *groups[2:]]))


@pytest.mark.parametrize(
    ("text", "said"),
    [("", "no recovery code"), ("abc", "has 3"), ("abcde-1", "second group"), ("ö" * 40, "no code has: ö")],
)
def test_what_is_no_code_is_said_in_a_sentence(text: str, said: str) -> None:
    with pytest.raises(Invalid, match=said):
        read_recovery_code(text)


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ('name = "A"\ndatabase = "sqlite:"  # here\n\n[federation]\nca_file = "database"\n',
         'name = "A"\ndatabase = "postgresql:///x"\n\n[federation]\nca_file = "database"\n'),
        ('[registers.x]\npattern = "9"\n', 'database = "postgresql:///x"\n[registers.x]\npattern = "9"\n'),
        ("", 'database = "postgresql:///x"\n'),
    ],
)  # fmt: skip
def test_another_database_changes_one_line_of_the_configuration(before: str, after: str) -> None:
    assert set_database(before, "postgresql:///x") == after


def test_a_line_that_cannot_be_changed_alone_is_left_to_the_operator() -> None:
    with pytest.raises(ConfigError, match="by hand"):
        set_database('database = """\nsqlite:"""\n', "postgresql:///x")

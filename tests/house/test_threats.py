"""The table of threats is whole and true: each has its row, each row its tests or what it comes with, and the tests are there."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache

import pytest

from tests.support.house import ROOT, list_functions, list_python, parse, short

_PAPER = ROOT / "docs" / "security" / "threats.md"
_THREATS = [f"T{number:02}" for number in range(1, 63)]
_SECTIONS = ("A", "B", "C", "D", "E", "F")
_AT_MOST = 4
_CITED = re.compile(r"(?<![a-z0-9])t(\d\d+)(?=_)")


@dataclass(frozen=True, slots=True)
class Row:
    """One row of the table.

    tests: (file below tests/, name of the function). later: what the rest comes with, or nothing.
    """

    number: str
    threat: str
    answer: str
    tests: tuple[tuple[str, str], ...]
    later: str


@cache
def _rows() -> tuple[Row, ...]:
    lines = [line for line in _PAPER.read_text("utf-8").splitlines() if re.match(r"\| *T\d", line)]
    return tuple(_read(line) for line in lines)


def _read(line: str) -> Row:
    cells = [cell.strip() for cell in line.strip().strip("|").split("|")]
    assert len(cells) == 4, line
    tests = tuple(re.findall(r"`([\w/]+\.py)::(\w+)`", cells[3]))
    rest = re.sub(r"`[^`]*`|<br>", " ", cells[3]).strip()
    assert cells[3].count("::") == len(tests), f"{cells[0]}: a test is not written as `path.py::name`"
    assert not rest or re.fullmatch(r"comes with \w.+", rest), (
        f"{cells[0]}: {rest!r} says neither test nor what it comes with"
    )
    return Row(cells[0], cells[1], cells[2], tests, rest)


@cache
def _functions(file: str) -> frozenset[str]:
    path = ROOT / "tests" / file
    return frozenset(function.name for function in list_functions(parse(path))) if path.is_file() else frozenset()


def _list_cited() -> dict[str, list[str]]:
    """Return {"T06": ["tests/….py::test_t06_…"]} of every test that says which threat it tries."""
    cited: dict[str, list[str]] = {}
    for path in list_python("tests"):
        for function in list_functions(parse(path)):
            if function.name.startswith("test_"):
                for number in _CITED.findall(_head(function.name)):
                    cited.setdefault(f"T{number}", []).append(f"{short(path)}::{function.name}")
    return cited


def _head(name: str) -> str:
    """Return the part of a name that holds nothing but numbers of threats: `test_t22_t23_` of `test_t22_t23_a_way`."""
    found = re.match(r"test_(?:t\d+_)*", name)
    return found[0].removeprefix("test") if found else ""


def test_every_threat_has_one_row_in_order() -> None:
    assert [row.number for row in _rows()] == _THREATS


def test_the_rows_stand_in_six_sections() -> None:
    text = _PAPER.read_text("utf-8")

    assert re.findall(r"^## ([A-Z])\. ", text, re.MULTILINE) == list(_SECTIONS)
    assert text.count("| | threat | what the node does | tests |") == len(_SECTIONS)


@pytest.mark.parametrize("number", _THREATS)
def test_a_threat_is_said_and_answered_and_has_a_test_or_what_it_comes_with(number: str) -> None:
    (row,) = [row for row in _rows() if row.number == number]

    assert row.threat.endswith(".")
    assert row.answer.endswith(".")
    assert row.tests or row.later
    assert len(row.tests) <= _AT_MOST
    assert len(set(row.tests)) == len(row.tests)


def test_every_test_that_is_named_is_there_and_is_a_test() -> None:
    missing = [
        f"{row.number}: {file}::{name}"
        for row in _rows()
        for file, name in row.tests
        if not name.startswith("test_") or name not in _functions(file)
    ]

    assert missing == []


def test_a_test_that_says_which_threats_it_tries_stands_in_the_row_of_one_of_them() -> None:
    astray = [
        f"{row.number}: {name}"
        for row in _rows()
        for _, name in row.tests
        if (tried := {f"T{number}" for number in _CITED.findall(_head(name))}) and row.number not in tried
    ]

    assert astray == []


def test_every_threat_that_a_test_cites_has_a_row_with_a_test() -> None:
    tested = {row.number for row in _rows() if row.tests}

    strays = {number: tests for number, tests in _list_cited().items() if number not in tested}

    assert strays == {}


def test_the_paper_about_security_leads_to_the_table() -> None:
    text = (ROOT / "SECURITY.md").read_text("utf-8")

    links = re.findall(r"\]\(([^)#\s]+)\)", text)

    assert _PAPER.relative_to(ROOT).as_posix() in links
    assert [link for link in links if "://" not in link and not (ROOT / link).exists()] == []

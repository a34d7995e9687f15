"""The table of failures is whole and true: 24 rows, each with tests or a sentence why not, and no test beside it."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache

from tests.support.house import ROOT, list_functions, parse

_PAPER = ROOT / "docs" / "reference" / "faults.md"
_ROWS = range(1, 25)


@dataclass(frozen=True, slots=True)
class Row:
    """One row. tests: (file below tests/, name of the function). sentence: what is not tried, and why."""

    number: int
    tests: tuple[tuple[str, str], ...]
    sentence: str


@cache
def _rows() -> tuple[Row, ...]:
    lines = [line for line in _PAPER.read_text("utf-8").splitlines() if re.match(r"\| *\d+ \|", line)]
    return tuple(_read(line) for line in lines)


def _read(line: str) -> Row:
    cells = [cell.strip() for cell in line.strip().removeprefix("|").removesuffix("|").split("|")]
    assert len(cells) == 5, line
    tests = tuple(re.findall(r"`([\w/]+\.py)::(\w+)`", cells[3]))
    assert cells[3].count("::") == len(tests), f"{cells[0]}: a test is not written as `path.py::name`"
    return Row(int(cells[0]), tests, cells[4])


def _functions(file: str) -> set[str]:
    path = ROOT / "tests" / file
    return {function.name for function in list_functions(parse(path))} if path.is_file() else set()


def _list_tests() -> set[tuple[int, str, str]]:
    """Return (row, file, name) of every test of failures that says which row it tries."""
    found = set()
    for path in (ROOT / "tests" / "faults").glob("test_*.py"):
        for function in list_functions(parse(path)):
            for number in re.findall(r"(?<![a-z])row_(\d\d)_", function.name):
                found.add((int(number), f"faults/{path.name}", function.name))
    return found


def test_each_of_the_24_failures_has_one_row() -> None:
    assert [row.number for row in _rows()] == list(_ROWS)


def test_a_row_has_tests_or_says_why_it_has_none() -> None:
    assert [row.number for row in _rows() if not row.tests and not row.sentence.endswith(".")] == []


def test_every_test_that_a_row_names_is_there() -> None:
    missing = [f"{file}::{name}" for row in _rows() for file, name in row.tests if name not in _functions(file)]

    assert missing == []


def test_every_test_that_names_a_row_stands_in_it() -> None:
    listed = {(row.number, file, name) for row in _rows() for file, name in row.tests}

    assert _list_tests() - listed == set()


def test_files_that_a_sentence_names_are_there() -> None:
    named = {
        name for row in _rows() for name in re.findall(r"`((?:unit|village|store|sim)/[\w/]*(?:\.py)?)`", row.sentence)
    }

    assert [name for name in named if not (ROOT / "tests" / name).exists()] == []

"""Files and functions that a person can hold in mind (style.md §5)."""

from __future__ import annotations

import re

from tests.support.house import list_functions, list_python, parse, short

_FILE_LINES = 400
_FUNCTION_LINES = 60
_NAMES_THAT_SAY_NOTHING = re.compile(r"(utils?|helpers?|common|misc|base|managers?|tools?)\.py")


def test_no_file_is_longer_than_four_hundred_lines() -> None:
    long = {
        short(path): lines
        for path in list_python("node", "tests", "tools", "bench")
        if (lines := len(path.read_text("utf-8").splitlines())) > _FILE_LINES
    }

    assert long == {}


def test_no_function_is_longer_than_sixty_lines() -> None:
    long = {
        f"{short(path)}:{function.name}": lines
        for path in list_python("node", "tools")
        for function in list_functions(parse(path))
        if (lines := (function.end_lineno or 0) - function.lineno + 1) > _FUNCTION_LINES
    }

    assert long == {}


def test_no_file_has_a_name_that_says_nothing() -> None:
    named = [short(path) for path in list_python("node", "tests") if _NAMES_THAT_SAY_NOTHING.fullmatch(path.name)]

    assert named == []

"""What touches a database is tested on both: a test of the store, the village or the routes that is not fails here."""

from __future__ import annotations

import ast
import os
import re
import subprocess
import sys
from collections import defaultdict
from pathlib import Path

import pytest

from tests.support.databases import KINDS
from tests.support.house import ROOT, list_functions, parse, short

_FOLDERS = ("tests/store", "tests/village", "tests/routes")
_COLLECTED = re.compile(r"^(tests/\S+\.py)::(\w+)(?:\[(.*)\])?$", re.MULTILINE)


@pytest.fixture(scope="module")
def collected() -> dict[str, set[str]]:
    """Give {"tests/…/test_x.py::test_name": the kinds of database it runs on}."""
    folders = [folder for folder in _FOLDERS if _test_files(folder)]
    command = [
        sys.executable,
        "-m",
        "pytest",
        "--collect-only",
        "-m",
        "long or not long",
        "-p",
        "no:randomly",
        "-p",
        "no:cacheprovider",
        *folders,
    ]
    environment = {name: value for name, value in os.environ.items() if name != "PYTEST_ADDOPTS"}
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    kinds: dict[str, set[str]] = defaultdict(set)
    for file, name, parameters in _COLLECTED.findall(done.stdout):
        kinds[f"{file}::{name}"] |= {kind for kind in KINDS if kind in parameters.split("-")}
    return kinds


def test_store_village_and_routes_are_tested_on_both_databases(collected: dict[str, set[str]]) -> None:
    wrong = {}
    for test, kinds in collected.items():
        file, _, name = test.partition("::")
        for_all, marked = _says_why_not(ROOT / file)
        wanted = 1 if for_all or name in marked else len(KINDS)
        if len(kinds) != wanted:
            wrong[test] = sorted(kinds)

    assert wrong == {}


def test_every_test_file_of_those_folders_is_looked_at(collected: dict[str, set[str]]) -> None:
    files = {file for folder in _FOLDERS for file in _test_files(folder)}

    assert {test.partition("::")[0] for test in collected} == files


def _test_files(folder: str) -> list[str]:
    return [short(path) for path in (ROOT / folder).glob("**/test_*.py")]


def _says_why_not(path: Path) -> tuple[bool, set[str]]:
    """Return whether a whole file is for one kind only, and which of its tests are; each with a reason."""
    tree = parse(path)
    for_all = any(_is_reasoned(statement) for statement in tree.body if isinstance(statement, ast.Assign))
    marked = {
        function.name
        for function in list_functions(tree)
        for decorator in function.decorator_list
        if _is_reasoned(decorator)
    }
    return for_all, marked


def _is_reasoned(mark: ast.AST) -> bool:
    text = ast.unparse(mark)
    return "only_on(" in text and "reason=" in text

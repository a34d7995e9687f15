"""The simulation runs production's decisions, and has none of its own."""

from __future__ import annotations

import ast
import json
import subprocess
import sys
from pathlib import Path

import pytest

from tests.sim.covered import CORES
from tests.support.house import ROOT, list_python, parse, short

_LEAST_PERCENT = 90.0
_SEEDS = 24


def _list_defined(path: Path) -> set[str]:
    kinds = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)
    return {node.name for node in ast.walk(parse(path)) if isinstance(node, kinds)}


def _list_public(path: Path) -> set[str]:
    """Return the functions and classes of a core's module level."""
    kinds = (ast.FunctionDef, ast.ClassDef)
    return {node.name for node in parse(path).body if isinstance(node, kinds) and not node.name.startswith("_")}


def test_the_simulation_defines_nothing_that_is_called_like_a_decision_of_the_cores() -> None:
    decisions = set().union(*(_list_public(ROOT / core) for core in CORES))

    named = {short(path): _list_defined(path) & decisions for path in list_python("tests/sim")}

    assert {path: names for path, names in named.items() if names} == {}


def test_every_core_of_the_log_is_measured() -> None:
    cores = {short(path) for path in list_python("node/federation/grouplog") if path.name != "__init__.py"}

    assert cores <= set(CORES)


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_the_simulation_alone_runs_nine_tenths_of_every_core(tmp_path: Path) -> None:
    report = tmp_path / "covered.json"
    command = [sys.executable, "-m", "tests.sim.covered", str(_SEEDS), str(report)]

    subprocess.run(command, cwd=ROOT, check=True, capture_output=True)

    files = json.loads(report.read_text("utf-8"))["files"]
    percents = {Path(name).name: told["summary"]["percent_covered"] for name, told in files.items()}
    assert len(percents) == len(CORES)
    assert {name: percent for name, percent in percents.items() if percent < _LEAST_PERCENT} == {}

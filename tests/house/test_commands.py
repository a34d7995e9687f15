"""The two commands of the README, and what stands behind them."""

from __future__ import annotations

import os
import re
import subprocess

import pytest

from tests.support.house import ROOT

_MAKEFILE = (ROOT / "Makefile").read_text("utf-8")
_TARGETS = next(line for line in _MAKEFILE.splitlines() if line.startswith(".PHONY:")).split()[1:]


@pytest.mark.parametrize("target", _TARGETS)
def test_make_help_names_every_target_with_a_sentence(target: str) -> None:
    done = subprocess.run(["make", "help"], cwd=ROOT, capture_output=True, text=True, check=True)

    assert re.search(rf"^  make {target} +[A-Z].+\.$", done.stdout, re.MULTILINE)


def test_the_check_of_changes_is_a_program_that_runs_the_tests_and_skips_nothing() -> None:
    run = ROOT / ".ci" / "run"

    assert os.access(run, os.X_OK)
    assert run.read_text("utf-8").splitlines()[0] == "#!/usr/bin/env bash"
    for line in ("set -euo pipefail", "unset ROUNDS_TEST_ALLOW_SKIP", "make test"):
        assert line in run.read_text("utf-8").splitlines()


@pytest.mark.parametrize("lock", ["requirements.lock", "requirements-dev.lock"])
def test_every_requirement_is_pinned_with_its_hashes_and_comes_from_nowhere_in_particular(lock: str) -> None:
    text = (ROOT / lock).read_text("utf-8")
    requirements = [block for block in re.split(r"\n(?=[a-z])", text) if not block.startswith("#")]

    assert "make lock" in text.splitlines()[1]
    assert "://" not in text
    assert len(requirements) > 30
    assert [block.split()[0] for block in requirements if "==" not in block or "--hash=sha256:" not in block] == []


def test_the_tests_hold_what_the_node_runs_on_at_the_same_versions() -> None:
    pins = [
        dict(re.findall(r"^([a-z0-9-]+)==(\S+)", (ROOT / lock).read_text("utf-8"), re.MULTILINE))
        for lock in ("requirements.lock", "requirements-dev.lock")
    ]

    runtime, everything = pins
    assert runtime.items() <= everything.items()

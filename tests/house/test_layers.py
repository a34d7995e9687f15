"""Who may import whom: import-linter's contracts hold, and they refuse what they are there to refuse."""

from __future__ import annotations

import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from tests.support.house import NODE, ROOT

_LINT = "import sys; from importlinter.cli import lint_imports_command; lint_imports_command()"
_DOCSTRING = '"""A file of a test."""\n\n'


def _lint(folder: Path) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-c", _LINT, "--no-cache"]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False, env={"COLUMNS": "200"})


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    """Give a copy of the house that a test may spoil."""
    shutil.copytree(NODE, tmp_path / "node", ignore=shutil.ignore_patterns("__pycache__", "static", "templates"))
    shutil.copytree(ROOT / "tests" / "sim", tmp_path / "tests" / "sim", ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    return tmp_path


def test_the_house_keeps_its_contracts() -> None:
    done = _lint(ROOT)

    assert done.returncode == 0, done.stdout + done.stderr


def test_a_folder_that_nobody_declared_fails(copy: Path) -> None:
    (copy / "node" / "helpers").mkdir()
    (copy / "node" / "helpers" / "__init__.py").write_text(_DOCSTRING)

    done = _lint(copy)

    assert done.returncode != 0
    assert "helpers" in done.stdout


@pytest.mark.parametrize(
    ("file", "line"),
    [
        ("foundation/clock.py", "from node.domain import actors"),
        ("domain/access.py", "from node.federation import origin"),
        ("federation/origin.py", "from node.domain import peers"),
        ("store/engine.py", "from node.inbox import dispatch"),
        ("inbox/dispatch.py", "from node.outbox import lane"),
        ("inbox/dispatch.py", "from node.community import room"),
        ("community/members/service.py", "from node.community.messages import service"),
        ("community/messages/service.py", "from node.community.members import repository"),
        ("community/peering/service.py", "from node.community.messages import service"),
        ("community/room.py", "from node.views import shell"),
    ],
)
def test_an_import_that_goes_up_or_into_another_room_fails(copy: Path, file: str, line: str) -> None:
    path = copy / "node" / file
    path.write_text(path.read_text("utf-8") + f"\n{line}\n", "utf-8")

    done = _lint(copy)

    assert done.returncode != 0
    assert "BROKEN" in done.stdout


@pytest.mark.parametrize(
    "line", ["from node.inbox import entries", "from node.store import logs", "from node.outbox import deliver"]
)
def test_a_simulation_that_takes_more_than_decisions_fails(copy: Path, line: str) -> None:
    path = copy / "tests" / "sim" / "clock.py"
    path.write_text(path.read_text("utf-8") + f"\n{line}\n", "utf-8")

    done = _lint(copy)

    assert done.returncode != 0
    assert "BROKEN" in done.stdout


def test_every_room_stands_in_the_contract_of_the_rooms() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))
    contracts = {contract["id"]: contract for contract in project["tool"]["importlinter"]["contracts"]}

    rooms = [f"node.community.{folder.parent.name}" for folder in sorted(NODE.glob("community/*/__init__.py"))]

    assert contracts["rooms"]["modules"] == rooms

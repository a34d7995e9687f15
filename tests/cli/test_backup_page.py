"""The page about backups does what it says: its blocks are run as they stand, in an empty folder."""

from __future__ import annotations

import os
import re
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.house import ROOT

PAGE = ROOT / "docs" / "operate" / "backup.md"
BLOCKS = re.findall(r"^```sh\n(.*?)^```$", PAGE.read_text("utf-8"), re.DOTALL | re.MULTILINE)
_SECONDS = 100


def _script() -> str:
    lines = [
        "set -Eeu",
        "trap 'echo \"failed: $BASH_COMMAND\" >&2; exit 1' ERR",
        "trap 'kill $(jobs -p) || :' EXIT",
    ]
    for number, block in enumerate(BLOCKS, 1):
        lines += [block, f"echo '@@ block {number} done'"]
    return "\n".join(["set -m", *lines, "trap - EXIT"])


@pytest.mark.slow
@pytest.mark.timeout(_SECONDS + 20)
def test_every_block_of_the_page_works_as_written_in_an_empty_folder(tmp_path: Path) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    environment = {name: value for name, value in os.environ.items() if not name.startswith("ROUNDS_")}
    environment |= {"PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}", "PORT": str(port)}

    done = subprocess.run(
        ["bash", "-c", _script()], cwd=tmp_path, env=environment, capture_output=True, text=True, timeout=_SECONDS,
        check=False,
    )  # fmt: skip

    assert done.returncode == 0, done.stderr[-2000:] + done.stdout[-2000:]
    assert re.findall(r"^@@ block (\d+) done$", done.stdout, re.MULTILINE) == [str(n + 1) for n in range(len(BLOCKS))]
    assert "It can be restored" in done.stdout
    assert sorted(path.name for path in tmp_path.iterdir()) == [
        "clean", "clean.log", "first.backup", "node", "node.log", "recovery-sheet",
    ]  # fmt: skip


def test_the_page_has_its_blocks() -> None:
    assert len(BLOCKS) >= 4


def test_the_samples_for_systemd_are_about_the_same_node_as_the_service() -> None:
    units = {name: (ROOT / "deploy" / name).read_text("utf-8") for name in ("rounds.service", "rounds-backup.service")}

    for unit in units.values():
        assert "/opt/rounds/.venv/bin/rounds --data /var/lib/rounds/node " in unit
        for line in ("User=rounds", "UMask=0077", "ProtectSystem=strict", "NoNewPrivileges=yes"):
            assert line in unit.splitlines()
    assert "Persistent=true" in (ROOT / "deploy" / "rounds-backup.timer").read_text("utf-8")

"""The page of the first day does what it says: its blocks are run as they stand, in an empty folder."""

from __future__ import annotations

import os
import re
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.house import ROOT

PAGE = ROOT / "docs" / "operate" / "first-day.md"
TEXT = PAGE.read_text("utf-8")
BLOCKS = re.findall(r"^```sh\n(.*?)^```$", TEXT, re.DOTALL | re.MULTILINE)
PICTURES = re.findall(r"!\[([^\]]+)\]\(([^)]+)\)", TEXT)
_PICTURE_BYTES = 80_000
_SECONDS = 100


def _free_ports() -> tuple[int, int]:
    with socket.socket() as one, socket.socket() as two:
        one.bind(("127.0.0.1", 0))
        two.bind(("127.0.0.1", 0))
        return one.getsockname()[1], two.getsockname()[1]


def _script() -> str:
    """Return the blocks as one terminal's session that ends at the first command that fails, and ends its own jobs."""
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
    ports = _free_ports()
    environment = {name: value for name, value in os.environ.items() if not name.startswith("ROUNDS_")}
    environment |= {
        "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
        "SOCIETY_PORT": str(ports[0]),
        "HOSPITAL_PORT": str(ports[1]),
    }

    done = subprocess.run(
        ["bash", "-c", _script()],
        cwd=tmp_path,
        env=environment,
        capture_output=True,
        text=True,
        timeout=_SECONDS,
        check=False,
    )

    assert done.returncode == 0, done.stderr[-2000:] + done.stdout[-2000:]
    assert re.findall(r"^@@ block (\d+) done$", done.stdout, re.MULTILINE) == [str(n + 1) for n in range(len(BLOCKS))]
    assert done.stdout.count("Set it up within a day at: http://localhost:") == 2
    assert "is active" in done.stdout
    assert "On paper, and then at the bed." in done.stdout
    assert sorted(path.name for path in tmp_path.iterdir()) == [
        "hospital", "hospital.log", "hospital.recovery", "society", "society.log", "society.recovery",
    ]  # fmt: skip


def test_the_page_has_its_blocks_and_pictures() -> None:
    assert len(BLOCKS) >= 9
    assert len(PICTURES) >= 4
    assert len({words for words, _ in PICTURES}) == len(PICTURES)


@pytest.mark.parametrize("path", [path for _, path in PICTURES])
def test_a_picture_of_the_page_is_there_and_small(path: str) -> None:
    picture = PAGE.parent / path

    assert picture.read_bytes().startswith(b"\x89PNG")
    assert picture.stat().st_size < _PICTURE_BYTES


@pytest.mark.parametrize("path", re.findall(r"\]\(([^)#]+)\)", TEXT))
def test_what_the_page_leads_to_is_there(path: str) -> None:
    assert (PAGE.parent / path).exists()


def test_the_sample_of_the_service_starts_what_the_page_makes() -> None:
    unit = (ROOT / "deploy" / "rounds.service").read_text("utf-8")

    assert "ExecStart=/opt/rounds/.venv/bin/rounds --data /var/lib/rounds/node serve --bind 127.0.0.1:8000" in unit
    assert "reverse_proxy 127.0.0.1:8000" in (ROOT / "deploy" / "Caddyfile").read_text("utf-8")

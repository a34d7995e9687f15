"""What deploy/ holds for several processes says what the program understands, and names nobody's server."""

from __future__ import annotations

import argparse
import re
from pathlib import Path

import pytest
import yaml

from node.__main__ import _OUTSIDE

_ROOT = Path(__file__).parents[2]
_DEPLOY = _ROOT / "deploy"
_WORDS = re.compile(r"(?:ExecStart=\S+/rounds --data \S+|command:) ((?:serve|worker)\b.*)")
_ADDRESS = re.compile(r"https?://\S+")

FILES = ["compose.yaml", "Dockerfile", "Caddyfile.scale", "rounds-web@.service", "rounds-worker@.service"]


def _understands(words: list[str]) -> bool:
    parser = argparse.ArgumentParser()
    parser.add_argument("noun", choices=sorted(_OUTSIDE))
    parser.add_argument("--no-work", action="store_true")
    parser.add_argument("--bind")
    return bool(parser.parse_args(words))


@pytest.mark.parametrize("name", ["compose.yaml", "rounds-web@.service", "rounds-worker@.service"])
def test_what_is_started_is_what_the_program_knows(name: str) -> None:
    started = _WORDS.findall((_DEPLOY / name).read_text("utf-8"))

    assert started
    assert all(_understands(words.split()) for words in started)


def test_the_compose_file_gives_each_process_a_directory_of_its_own_and_all_the_same_pictures() -> None:
    services = yaml.safe_load((_DEPLOY / "compose.yaml").read_text("utf-8"))["services"]
    processes = {name: each for name, each in services.items() if each.get("image") == "rounds"}

    own = [each["volumes"][0] for each in processes.values()]
    shared = {each["volumes"][1] for each in processes.values()}
    assert sorted(processes) == ["web1", "web2", "worker1", "worker2"]
    assert len(set(own)) == 4
    assert shared == {"./pictures:/pictures"}
    assert all(each["environment"]["ROUNDS_MEDIA"] == "file:/pictures" for each in processes.values())


@pytest.mark.parametrize("name", FILES)
def test_nothing_is_loaded_from_an_address(name: str) -> None:
    assert _ADDRESS.findall((_DEPLOY / name).read_text("utf-8")) == []


def test_the_page_for_operators_names_files_that_are_there() -> None:
    text = (_ROOT / "docs" / "operate" / "scale.md").read_text("utf-8")

    named = re.findall(r"\]\((\.\./[^)]+|[\w-]+\.md)\)", text)
    assert named
    assert [name for name in named if not (_ROOT / "docs" / "operate" / name).resolve().exists()] == []

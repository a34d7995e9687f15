"""Several processes of a node: what they need, said in a sentence when it is missing."""

from __future__ import annotations

from pathlib import Path

import pytest

from node.__main__ import main
from node.cli.lock import DataLock
from node.foundation.errors import ConfigError


def _a_directory(folder: Path, **settings: str) -> Path:
    lines = {"base_url": "https://home.example"} | settings
    (folder / "rounds.toml").write_text("".join(f'{name} = "{value}"\n' for name, value in lines.items()))
    return folder


@pytest.mark.parametrize("words", [["worker"], ["serve", "--no-work"]])
def test_on_sqlite_one_process_does_everything_and_a_second_one_says_what_it_needs(
    words: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    code = main(["--data", str(_a_directory(tmp_path)), *words])

    said = capsys.readouterr().err
    assert code == 2
    assert "on SQLite" in said
    assert "rounds migrate --to postgresql://" in said


@pytest.mark.parametrize("words", [["worker"], ["serve", "--no-work"]])
def test_processes_that_share_a_database_are_told_to_share_their_pictures(
    words: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    code = main(["--data", str(_a_directory(tmp_path, database="postgresql://nobody@/nothing")), *words])

    said = capsys.readouterr().err
    assert code != 0, "there is neither a key nor a database"
    assert "shows none of the others'" in said
    assert "s3://bucket/prefix" in said


def test_a_data_directory_has_one_process(tmp_path: Path) -> None:
    with DataLock(tmp_path):
        with pytest.raises(ConfigError, match="a data directory each"):
            DataLock(tmp_path).__enter__()

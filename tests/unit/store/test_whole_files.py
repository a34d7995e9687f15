"""Files are there whole or not at all; folders of work go, also those of processes that were killed."""

from __future__ import annotations

import io
import resource
import stat
import tarfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest

from node.foundation.errors import Conflict, StoreError
from node.store.backup.archive import MANIFEST, SUMMARY, Manifest, Packer, unpack
from node.store.backup.folders import WholeFile, clear_work, replace_file, work_folder
from node.store.backup.sealing import BackupDamaged
from tests.support.clock import NOON

_MANIFEST = Manifest(1, "0", "0013_backup", "https://a.example", "A", "2026-11-21T12:00:00Z", None, {}, "")
_NEEDED = {"rounds.toml": b"a", "keys/node.key": b"b", "rounds.sqlite": b"c"}


@pytest.fixture
def small_files() -> Iterator[None]:
    """Let no file grow beyond 100 kB, as on a full disk."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, before[1]))
    yield
    resource.setrlimit(resource.RLIMIT_FSIZE, before)


def test_a_file_appears_when_it_is_kept_and_is_private(tmp_path: Path) -> None:
    with WholeFile(tmp_path / "x") as file:
        file.write(b"all of it")
        assert [path.name for path in tmp_path.iterdir()] == ["x.partial"]
        file.keep()

    assert (tmp_path / "x").read_bytes() == b"all of it"
    assert [path.name for path in tmp_path.iterdir()] == ["x"]
    assert stat.S_IMODE((tmp_path / "x").stat().st_mode) == 0o600


def test_a_file_that_is_not_kept_leaves_the_earlier_one(tmp_path: Path) -> None:
    replace_file(tmp_path / "x", b"earlier")

    with pytest.raises(LookupError), WholeFile(tmp_path / "x") as file:
        file.write(b"half of")
        raise LookupError

    assert [path.read_bytes() for path in tmp_path.iterdir()] == [b"earlier"]


def test_a_full_disk_is_a_sentence_and_leaves_nothing(tmp_path: Path, small_files: None) -> None:
    with pytest.raises(StoreError, match="Nothing was kept"), WholeFile(tmp_path / "x") as file:
        for _ in range(3):
            file.write(bytes(60_000))

    assert list(tmp_path.iterdir()) == []


def test_two_commands_do_not_write_one_file(tmp_path: Path) -> None:
    with WholeFile(tmp_path / "x") as file:
        with pytest.raises(Conflict), WholeFile(tmp_path / "x"):
            pass
        file.write(b"first")
        file.keep()

    assert (tmp_path / "x").read_bytes() == b"first"


@pytest.mark.parametrize("place", ["", "absent/x"])
def test_where_nothing_can_be_written_is_said(tmp_path: Path, place: str) -> None:
    with pytest.raises(StoreError, match="cannot be written"), WholeFile(tmp_path / place):
        pass


def test_a_folder_of_work_is_private_alone_and_goes(tmp_path: Path) -> None:
    with work_folder(tmp_path, "backup") as folder:
        (folder / "copy").mkdir()
        with pytest.raises(Conflict), work_folder(tmp_path, "backup"):
            pass
        clear_work(tmp_path)
        assert (folder / "copy").exists()
        assert stat.S_IMODE(folder.stat().st_mode) == 0o700

    assert list(tmp_path.iterdir()) == []


def test_what_a_killed_process_left_is_taken_away(tmp_path: Path) -> None:
    (tmp_path / "drill.work" / "restored").mkdir(parents=True)
    (tmp_path / "drill.work" / "rounds.sqlite").write_bytes(b"words")

    clear_work(tmp_path)

    assert list(tmp_path.iterdir()) == []


def _packed(files: dict[str, bytes], *more: tuple[str, bytes]) -> bytes:
    sink = io.BytesIO()
    packer = Packer(sink, _MANIFEST, taken_at=NOON)
    for name, content in (*files.items(), *more):
        packer.add(name, content)
    packer.close([])
    return sink.getvalue()


def _unpack(data: bytes, folder: Path) -> Any:
    return unpack(io.BytesIO(data), folder, note=lambda manifest: None)


def test_an_archive_gives_back_its_files(tmp_path: Path) -> None:
    done = _unpack(_packed(_NEEDED), tmp_path)

    assert {name: (tmp_path / name).read_bytes() for name in _NEEDED} == _NEEDED
    assert (done.manifest, done.files, done.broken) == (_MANIFEST, 4, [])


@pytest.mark.parametrize(
    "name",
    [
        "../up",
        "/abs",
        "keys/../../up",
        "keys/.hidden",
        "media/ab/short",
        "rounds.sock",
        "journal.log",
        "keys/a/b",
        "rounds.toml",
    ],
)
def test_what_is_in_no_backup_lands_nowhere(tmp_path: Path, name: str) -> None:
    folder = tmp_path / "inner"
    folder.mkdir()

    with pytest.raises(BackupDamaged):
        _unpack(_packed(_NEEDED, (name, b"x")), folder)

    assert [path.name for path in tmp_path.iterdir()] == ["inner"]


@pytest.mark.parametrize("kind", [tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.DIRTYPE, tarfile.FIFOTYPE])
def test_links_and_devices_are_refused(tmp_path: Path, kind: bytes) -> None:
    data = io.BytesIO()
    with tarfile.open(fileobj=data, mode="w") as tar:
        content = msgspec.json.encode(_MANIFEST)
        entry = tarfile.TarInfo(MANIFEST)
        entry.size = len(content)
        tar.addfile(entry, io.BytesIO(content))
        link = tarfile.TarInfo("keys/node.key")
        link.type, link.linkname = kind, "../../x"
        tar.addfile(link)

    with pytest.raises(BackupDamaged):
        _unpack(data.getvalue(), tmp_path)


@pytest.mark.parametrize("left_out", list(_NEEDED))
def test_an_archive_without_something_needed_is_damaged(tmp_path: Path, left_out: str) -> None:
    with pytest.raises(BackupDamaged):
        _unpack(_packed({name: content for name, content in _NEEDED.items() if name != left_out}), tmp_path)


def test_an_archive_that_counts_otherwise_or_goes_on_behind_its_end_is_damaged(tmp_path: Path) -> None:
    whole = _packed(_NEEDED)
    assert SUMMARY.encode() in whole

    for number, changed in enumerate((whole.replace(b'"files":4', b'"files":5'), whole + b"x" * 200_000, b"")):
        (tmp_path / str(number)).mkdir()
        with pytest.raises(BackupDamaged):
            _unpack(changed, tmp_path / str(number))


def test_a_picture_that_is_not_what_its_name_says_is_not_kept(tmp_path: Path) -> None:
    name = "ab" * 32

    done = _unpack(_packed({**_NEEDED, f"media/ab/{name}": b"something else"}), tmp_path)

    assert done.broken == [name]
    assert list((tmp_path / "media").rglob("*.*")) == []
    assert not (tmp_path / "media" / "ab" / name).exists()


def test_a_manifest_of_a_later_release_is_said(tmp_path: Path) -> None:
    sink = io.BytesIO()
    packer = Packer(sink, msgspec.structs.replace(_MANIFEST, format=2), taken_at=NOON)
    packer.close([])

    with pytest.raises(StoreError, match="newer release"):
        _unpack(sink.getvalue(), tmp_path)


def test_no_room_while_unpacking_is_a_sentence(tmp_path: Path, small_files: None) -> None:
    with pytest.raises(StoreError, match="cannot be written"):
        _unpack(_packed({**_NEEDED, "rounds.sqlite": bytes(200_000)}), tmp_path)

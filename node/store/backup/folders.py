"""Files that are there whole or not at all, and folders for what is made on the way. Everything here blocks.

A file is written under its name with `.partial`, brought to the disk, and renamed. A work folder lies in the data
directory, is for its owner alone, holds copies of what the directory holds anyway, and goes when the work ends; what a
killed process left is taken away by the next one.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType

from node.foundation.errors import Conflict, StoreError

PARTIAL = ".partial"
_WORK = ("backup", "drill")


class WholeFile:
    """A file being written, as a context manager: only `keep` lets it appear; every other end leaves nothing.

    Raises:
        StoreError: It cannot be written there; the sentence says why.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.size_bytes = 0
        self._partial = path.with_name(path.name + PARTIAL)
        self._descriptor = -1
        self._is_kept = False

    def __enter__(self) -> WholeFile:
        try:
            if self.path.is_dir():
                raise IsADirectoryError(21, "it is a folder")
            self._descriptor = os.open(self._partial, os.O_WRONLY | os.O_CREAT, 0o600)
            fcntl.flock(self._descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            os.fchmod(self._descriptor, 0o600)
            os.ftruncate(self._descriptor, 0)
        except BlockingIOError:
            os.close(self._descriptor)
            raise Conflict(f"{self.path} is being written by another command.") from None
        except OSError as error:
            raise StoreError(f"{self.path} cannot be written: {error.strerror}.") from None
        return self

    def write(self, data: bytes) -> None:
        """Append bytes."""
        view = memoryview(data)
        try:
            while view:
                view = view[os.write(self._descriptor, view) :]
        except OSError as error:
            raise StoreError(f"{self.path} cannot be written: {error.strerror}. Nothing was kept.") from None
        self.size_bytes += len(data)

    def keep(self) -> None:
        """Bring everything to the disk and give the file its name."""
        try:
            os.fsync(self._descriptor)
            self._partial.rename(self.path)
            sync_folder(self.path.parent)
        except OSError as error:
            raise StoreError(f"{self.path} cannot be written: {error.strerror}. Nothing was kept.") from None
        self._is_kept = True

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if not self._is_kept:
            with contextlib.suppress(OSError):
                self._partial.unlink()
        os.close(self._descriptor)


@contextmanager
def work_folder(data: Path | None, name: str) -> Iterator[Path]:
    """Give an empty folder of our own, and take it away again.

    Args:
        data: The data directory it lies in; None for the system's folder of temporary files.
        name: "backup" or "drill"; one of each at a time.

    Raises:
        Conflict: Somebody is at the same work.
        StoreError: There can be none.
    """
    if data is None:
        path = Path(tempfile.mkdtemp(prefix=f"rounds-{name}-"))
    else:
        path = data / f"{name}.work"
        try:
            path.mkdir(mode=0o700, exist_ok=True)
        except OSError as error:
            raise StoreError(f"{path} cannot be made: {error.strerror}.") from None
    with _locked(path) as is_ours:
        if not is_ours:
            raise Conflict(f"Another {name} is under way.")
        _empty(path)
        path.chmod(0o700)
        try:
            yield path
        finally:
            shutil.rmtree(path, ignore_errors=True)


def clear_work(data: Path) -> None:
    """Take away what processes that were killed left in a data directory."""
    for name in _WORK:
        path = data / f"{name}.work"
        if path.is_dir():
            with _locked(path) as is_ours:
                if is_ours:
                    shutil.rmtree(path, ignore_errors=True)


def sync_folder(path: Path) -> None:
    """Bring the names in a folder to the disk."""
    descriptor = os.open(path, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def replace_file(path: Path, content: bytes) -> None:
    """Put other bytes into a private file, all of them or none.

    Raises:
        StoreError: It cannot be written.
    """
    with WholeFile(path) as file:
        file.write(content)
        file.keep()


@contextmanager
def _locked(path: Path) -> Iterator[bool]:
    """Hold a folder's lock, which ends with the process that holds it; say whether we have it."""
    descriptor = os.open(path, os.O_RDONLY | os.O_DIRECTORY)
    try:
        yield _lock(descriptor)
    finally:
        os.close(descriptor)


def _lock(descriptor: int) -> bool:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _empty(path: Path) -> None:
    for entry in path.iterdir():
        if entry.is_dir() and not entry.is_symlink():
            shutil.rmtree(entry, ignore_errors=True)
        else:
            entry.unlink()

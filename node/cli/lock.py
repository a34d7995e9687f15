"""The lock of a data directory: one process at a time opens a node."""

from __future__ import annotations

import fcntl
import os
from pathlib import Path
from types import TracebackType

from node.foundation.errors import ConfigError

PID_NAME = "rounds.pid"


class DataLock:
    """Hold a data directory's lock as a context manager; the file says which process does.

    Raises:
        ConfigError: Another process holds it.
    """

    def __init__(self, data: Path) -> None:
        self._path = data / PID_NAME
        self._file = -1

    def __enter__(self) -> DataLock:
        if not self._path.parent.is_dir():
            raise ConfigError(f"There is no node in {self._path.parent}. Run `rounds --data … init` first.")
        self._file = os.open(self._path, os.O_RDWR | os.O_CREAT, 0o600)
        try:
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            holder = os.read(self._file, 20).decode(errors="replace").strip()
            os.close(self._file)
            raise ConfigError(
                f"The data directory {self._path.parent} is in use by process {holder}, which does not answer commands."
            ) from None
        os.ftruncate(self._file, 0)
        os.pwrite(self._file, f"{os.getpid()}\n".encode(), 0)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        os.ftruncate(self._file, 0)
        os.close(self._file)

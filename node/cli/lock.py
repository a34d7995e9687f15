"""The lock of a data directory: one process at a time opens a node."""

from __future__ import annotations

import fcntl
import os
import sys
from pathlib import Path
from types import TracebackType

from node.foundation.config import Config
from node.foundation.errors import ConfigError

PID_NAME = "rounds.pid"


def require_shared_database(config: Config) -> None:
    """Raise unless several processes may work for a node; say when each would have pictures of its own.

    Raises:
        ConfigError: Its database is for one process alone.
    """
    if not config.database.startswith("postgresql://"):
        raise ConfigError(
            "This node is on SQLite, where one process does everything: `rounds serve`. Several processes need PostgreSQL."
            " Stop the node and run `rounds migrate --to postgresql://…`."
        )
    if config.media == "file:":
        print(
            "Each process keeps pictures in its own data directory, and shows none of the others'. So that all show the same:"
            " set media to s3://bucket/prefix, or to file:/path with a folder that they share.",
            file=sys.stderr,
        )


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
                " Several processes of a node need PostgreSQL, and a data directory each."
            ) from None
        os.ftruncate(self._file, 0)
        os.pwrite(self._file, f"{os.getpid()}\n".encode(), 0)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        os.ftruncate(self._file, 0)
        os.close(self._file)

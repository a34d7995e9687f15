"""The reserve: a file that takes room while there is some, and is given up when the disk is full.

On a full disk SQLite loses nothing and can be read, but it can neither delete nor checkpoint: both need room first. Giving
up this file is what brings it back. Everything here blocks.

Spec: reliability.md 4.7; contract.md 2.2.
"""

from __future__ import annotations

import os
import shutil
from dataclasses import dataclass
from pathlib import Path

from node.foundation.logs import get_logger

RESERVE_NAME = "reserve"
# Less than that is as good as nothing: the next page of the database may not fit.
_NOTHING_BYTES = 256 * 1024


@dataclass(frozen=True, slots=True)
class Volume:
    """What a disk has, and has left, without a reserve that is still to be made."""

    total_bytes: int
    free_bytes: int


class Reserve:
    """The reserve of one data directory."""

    def __init__(self, data: Path, size_bytes: int) -> None:
        self._path = data / RESERVE_NAME
        self._size_bytes = size_bytes

    @property
    def missing_bytes(self) -> int:
        """How much room it would still take; 0 while it is there."""
        return 0 if self._path.exists() else self._size_bytes

    def make(self) -> bool:
        """Take the room; return False, with nothing left behind, where there is not enough."""
        try:
            descriptor = os.open(self._path, os.O_WRONLY | os.O_CREAT | os.O_CLOEXEC, 0o600)
            try:
                os.posix_fallocate(descriptor, 0, self._size_bytes)
                os.fsync(descriptor)
            finally:
                os.close(descriptor)
        except OSError as error:
            get_logger().warning("reserve_not_made", reason=str(error.strerror))
            self.give_up()
            return False
        return True

    def give_up(self) -> bool:
        """Give the room to whoever needs it; return whether there was any to give."""
        try:
            self._path.unlink()
        except OSError:
            return False
        get_logger().error("reserve_given_up", size_bytes=self._size_bytes)
        return True


def measure_volume(folder: Path, *, missing_bytes: int = 0) -> Volume:
    """Return the room on a folder's disk; `missing_bytes` are spoken for."""
    usage = shutil.disk_usage(folder)
    return Volume(usage.total, max(0, usage.free - missing_bytes))


def make_room_to_open(data: Path) -> None:
    """Give up the reserve of a node that is about to start on a full disk: its database could not even be opened."""
    if shutil.disk_usage(data).free < _NOTHING_BYTES:
        Reserve(data, 0).give_up()

"""A folder in memory: what a node writes there is there for every process, and no disk is waited for.

The nodes and their databases do what they always do, and sync as often. Only tests that ask what a disk keeps when a
process or a server is ended need a disk: those of tests/store and tests/faults.
"""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

_MEMORY = Path("/dev/shm")  # every Linux has it; a container may have very little of it
_ENOUGH_BYTES = 2_000_000_000


def find_memory() -> Path | None:
    """Return a folder in memory that has room for the databases of all tests that run at once, or None."""
    if not _MEMORY.is_dir() or not os.access(_MEMORY, os.W_OK) or shutil.disk_usage(_MEMORY).free < _ENOUGH_BYTES:
        return None
    return _MEMORY


@contextmanager
def a_folder_in_memory(otherwise: Path) -> Iterator[Path]:
    """Give a folder that is gone after the block; where there is no room in memory, one on disk.

    Args:
        otherwise: The folder to use then; it stays.
    """
    memory = find_memory()
    if memory is None:
        yield otherwise
        return
    with tempfile.TemporaryDirectory(prefix="rounds-test-", dir=memory, ignore_cleanup_errors=True) as folder:
        yield Path(folder)

"""The SQLite file that is in every backup: copied from a running node's file, checked, and looked through for media.

Plain functions over a file nobody else writes, called in threads; `copy_file` alone reads a file that a node has open. It
does so with a connection that can neither write nor checkpoint, so the writer stays the only one that does
(`store/sqlite.py`), and members go on writing meanwhile.
"""

from __future__ import annotations

import contextlib
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from datetime import datetime
from pathlib import Path

from node.foundation.clock import to_micros
from node.foundation.errors import StoreError

_COPY = "VACUUM INTO ?"
_CHECK = "PRAGMA integrity_check(20)"
_PROGRESS_STEPS = 20_000
# Files of pictures. Those that another node's group brought here can be fetched from there again.
_ALL_FILES = "SELECT DISTINCT sha256 FROM media WHERE state = 'ready' ORDER BY sha256"
_OWN_FILES = """SELECT DISTINCT m.sha256 FROM media m LEFT JOIN groups g ON g.group_id = m.group_id
  WHERE m.state = 'ready' AND (m.source_uri IS NULL OR g.group_id IS NULL OR g.peer_id IS NULL) ORDER BY m.sha256"""
_FETCH_AGAIN = """UPDATE media SET tries = 0, due_at = :now_at,
   state = CASE WHEN source_uri IS NULL THEN 'failed' ELSE 'wanted' END
  WHERE sha256 = :sha256 AND state = 'ready'"""
_NOT_NOW = {sqlite3.SQLITE_FULL, sqlite3.SQLITE_IOERR, sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_READONLY}


def copy_file(source: Path, target: Path, *, is_stopping: Callable[[], bool]) -> None:
    """Write one snapshot of a database that is in use, without what was erased from it, into a new file.

    Raises:
        StoreError: There is no room, or the node stops.
    """
    target.touch(mode=0o600)
    address = f"{source.absolute().as_uri()}?mode=ro"
    with _said(), closing(sqlite3.connect(address, uri=True, isolation_level=None)) as connection:
        connection.execute("PRAGMA busy_timeout=5000")
        connection.set_progress_handler(lambda: int(is_stopping()), _PROGRESS_STEPS)
        connection.execute(_COPY, (str(target),))


def check_file(path: Path, *, is_stopping: Callable[[], bool] = lambda: False) -> None:
    """Look at every page of a database.

    Raises:
        StoreError: It is damaged, or the node stops.
    """
    with open_file(path) as connection:
        connection.set_progress_handler(lambda: int(is_stopping()), _PROGRESS_STEPS)
        found = [row[0] for row in connection.execute(_CHECK)]
    if found != ["ok"]:
        raise StoreError("The copy of the database is damaged.", internal=f"integrity_check: {'; '.join(found[:3])}")


def list_files(path: Path, *, with_mirrors: bool) -> list[str]:
    """Return the hashes of the pictures that a backup holds, in order."""
    with open_file(path) as connection:
        return [row[0] for row in connection.execute(_ALL_FILES if with_mirrors else _OWN_FILES)]


def list_all_files(path: Path) -> set[str]:
    """Return the hashes of all pictures whose file should be there."""
    return set(list_files(path, with_mirrors=True))


def mark_absent(path: Path, hashes: set[str], *, now: datetime) -> None:
    """Have pictures without a file be fetched again where they came from; those of our own members are lost."""
    with open_file(path) as connection:
        connection.execute("BEGIN")
        values = [{"sha256": sha256, "now_at": to_micros(now)} for sha256 in sorted(hashes)]
        connection.executemany(_FETCH_AGAIN, values)
        connection.execute("COMMIT")


@contextmanager
def open_file(path: Path, *, in_a_hurry: bool = False, in_many_threads: bool = False) -> Iterator[sqlite3.Connection]:
    """Give a connection to a file of our own.

    Args:
        path: The file; it must be there.
        in_a_hurry: Wait for no disk: for files that nobody needs after a power cut.
        in_many_threads: Whether others than this one may use it, one at a time.

    Raises:
        StoreError: Something about it fails; the sentence says what.
    """
    address, here_only = f"{path.absolute().as_uri()}?mode=rw", not in_many_threads
    with (
        _said(),
        closing(sqlite3.connect(address, uri=True, isolation_level=None, check_same_thread=here_only)) as opened,
    ):
        opened.execute("PRAGMA foreign_keys=OFF")
        opened.execute("PRAGMA temp_store=MEMORY")
        if in_a_hurry:
            opened.execute("PRAGMA journal_mode=OFF").fetchall()
            opened.execute("PRAGMA synchronous=OFF")
        yield opened


@contextlib.contextmanager
def _said() -> Iterator[None]:
    try:
        yield
    except sqlite3.Error as error:
        code = getattr(error, "sqlite_errorcode", 0) & 0xFF
        if code == sqlite3.SQLITE_INTERRUPT:
            raise StoreError("The backup was broken off.") from None
        why = "there is no room, or the folder cannot be written" if code in _NOT_NOW else "the database is damaged"
        raise StoreError(
            f"The database cannot be copied: {why}.", internal=f"{type(error).__name__}: {error}"
        ) from None

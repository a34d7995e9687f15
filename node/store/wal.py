"""How SQLite's connections are set up, and what keeps its log (`rounds.sqlite-wal`) short.

The log is emptied when nobody reads from it. Our own reads are short: a snapshot is not used for more than two seconds
(`SNAPSHOT_SECONDS`), and one read that takes longer than ten is broken off. Another program that holds the file open
cannot be broken off: the log then grows, and health says so.

Spec: reliability.md 4.3, 4.7.
"""

from __future__ import annotations

from pathlib import Path

from .merging import Connection

SNAPSHOT_SECONDS = 2.0
READ_SECONDS = 10.0
# A stop does not wait longer for search to forget; the next start goes on with it.
CLOSE_SECONDS = 3.0
# How often a read asks whether it takes too long: so many steps of SQLite's machine, a few milliseconds.
READ_STEPS = 100_000
WRITER_PRAGMAS = (
    "PRAGMA journal_mode=WAL",
    "PRAGMA synchronous=FULL",
    "PRAGMA secure_delete=ON",
    "PRAGMA foreign_keys=ON",
    "PRAGMA busy_timeout=5000",
    "PRAGMA journal_size_limit=67108864",
    "PRAGMA wal_autocheckpoint=1000",
    "PRAGMA cache_size=-4096",
    "PRAGMA temp_store=MEMORY",
)
READER_PRAGMAS = (
    "PRAGMA query_only=ON",
    "PRAGMA wal_autocheckpoint=0",
    "PRAGMA busy_timeout=5000",
    "PRAGMA cache_size=-4096",
    "PRAGMA temp_store=MEMORY",
)
_HURRY, _PATIENCE = "PRAGMA busy_timeout=200", "PRAGMA busy_timeout=5000"
_TRUNCATE = "PRAGMA wal_checkpoint(TRUNCATE)"


def truncate_log(connection: Connection) -> bool:
    """Move everything from the log into the file and empty the log; return whether it is empty.

    Whoever reads at this moment is waited for briefly: everybody who writes waits meanwhile.
    """
    connection.execute(_HURRY).fetchall()
    try:
        is_busy, _, _ = connection.execute(_TRUNCATE).fetchone()
    finally:
        connection.execute(_PATIENCE).fetchall()
    return not is_busy


def measure_log(path: Path) -> int:
    """Return how many bytes a database's log has."""
    try:
        return path.with_name(path.name + "-wal").stat().st_size
    except FileNotFoundError:
        return 0


def make_database_file(path: Path) -> None:
    """Make the file for our eyes only before SQLite does; its log takes the same mode."""
    path.touch(mode=0o600)
    path.chmod(0o600)

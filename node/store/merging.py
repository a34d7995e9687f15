"""Merge the index of search on SQLite, so that words that were taken out of it leave the file. Runs on the writer's thread.

FTS5 marks a row as deleted and keeps its words in older segments until all of them are merged. That takes a second for a
hundred thousand posts: it is done in steps of a few hundred pages, between which others write (`search_index.py`).
"""

from __future__ import annotations

from typing import Any, Protocol

# Whether there is an index; merge from now on together what is there; so many pages at a time, until nothing is left.
_STEPS = (
    "SELECT 1 FROM sqlite_schema WHERE name = 'search_words'",
    "INSERT INTO search_words (search_words, rank) VALUES ('merge', -400)",
    "INSERT INTO search_words (search_words, rank) VALUES ('merge', 400)",
)
_WANTED = "UPDATE settings SET value = 'merging' WHERE name = 'search_erased'"
_DONE = "DELETE FROM settings WHERE name = 'search_erased' AND value = 'merging'"


class Connection(Protocol):
    """What is needed of SQLite's connection; its library is at home in `sqlite`."""

    @property
    def total_changes(self) -> int:
        """How many rows were written since it was opened."""
        ...

    def execute(self, sql: str, /) -> Any:
        """Run a statement and return its cursor."""
        ...


def begin_merge(connection: Connection) -> bool:
    """Begin to merge if something was taken out of the index since the last time; return whether it was."""
    if connection.execute(_STEPS[0]).fetchone() is None or not connection.execute(_WANTED).rowcount:
        return False
    connection.execute(_STEPS[1])
    return True


def merge_on(connection: Connection) -> bool:
    """Merge a part; return whether there may be more."""
    before = connection.total_changes
    connection.execute(_STEPS[2])
    if connection.total_changes - before >= 2:  # SQLite's own way to tell that something was merged
        return True
    connection.execute(_DONE)
    return False

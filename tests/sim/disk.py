"""A disk that keeps what was committed and nothing else, and a second one beside it for the journal.

Rows are values that never change, so a backup is a reference, and so is going back to it. A transaction's lines for the
journal are committed with it and reach the file afterwards, as in `node.store.journal`; a crash in between leaves them in
the rows, and the next start brings them into the file.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from node.domain.journal import drop_torn_end, format_line, read_lines

Row = tuple[str, ...]
_LINES: Row = ("lines",)
_LEFT: Row = ("lines left",)


class Transaction:
    """What one handler reads and writes; nothing of it counts before `Disk.commit`."""

    def __init__(self, rows: Mapping[Row, Any], at: str) -> None:
        self._rows = rows
        self._at = at
        self.changes: dict[Row, Any] = {}
        self._afterwards: list[Callable[[], None]] = []

    def after_commit(self, action: Callable[[], None]) -> None:
        """Do something once it is certain."""
        self._afterwards.append(action)

    def end(self) -> None:
        """Do what was left for after the commit."""
        for action in self._afterwards:
            action()

    def get(self, key: Row, default: Any = None) -> Any:
        """Return a row."""
        return self.changes[key] if key in self.changes else self._rows.get(key, default)

    def put(self, key: Row, value: Any) -> None:
        """Write a row."""
        self.changes[key] = value

    def note(self, what: str, **told: Any) -> None:
        """Note an act that no restore may undo."""
        number = self.get(_LINES, 0) + 1
        line = format_line(self._at, what, **told, line=number)
        self.put(_LINES, number)
        self.put(_LEFT, (*self.get(_LEFT, ()), line))


class Disk:
    """What one machine keeps. rows: the database. journal: the file on the other disk. backup: an older database."""

    def __init__(self) -> None:
        self.rows: Mapping[Row, Any] = {}
        self.journal = ""
        self.backup: Mapping[Row, Any] = {}
        self.backup_at = 0.0
        self._lines_before = 0

    def get(self, key: Row, default: Any = None) -> Any:
        """Return a committed row."""
        return self.rows.get(key, default)

    def commit(self, transaction: Transaction) -> None:
        """Make a transaction last."""
        self.rows = {**self.rows, **transaction.changes}
        transaction.end()

    @property
    def has_lines_left(self) -> bool:
        """Whether committed lines are not in the file yet."""
        return bool(self.rows.get(_LEFT))

    def bring_journal_up_to_date(self) -> None:
        """Write the lines that are committed and not in the file."""
        self.journal = drop_torn_end(self.journal)
        left = [line for line in self.rows.get(_LEFT, ()) if line not in self.journal]
        self.journal += "".join(left)
        self.rows = {**self.rows, _LEFT: ()}

    def tear_journal(self, chance: float) -> None:
        """Write the next line up to somewhere in its middle: the power went."""
        line = self.rows[_LEFT][0]
        self.journal += line[: int(len(line) * chance)]

    def burn_journal(self) -> None:
        """Lose the second disk, too."""
        self.journal = ""
        self.rows = {**self.rows, _LEFT: (), _LINES: 0}

    def read_journal_lines(self) -> list[dict[str, Any]]:
        """Return the lines of the journal."""
        return read_lines(self.journal)

    @property
    def lines_known(self) -> int:
        """How many lines the database knows of."""
        return int(self.rows.get(_LINES, 0))

    @property
    def lines_written(self) -> int:
        """How many lines the file has."""
        return len(read_lines(self.journal))

    def know_all_lines(self) -> None:
        """Say that what the journal tells was done again: the database is as new as the file."""
        self.rows = {**self.rows, _LINES: self.lines_written}

    def back_up(self, now: float) -> None:
        """Copy the database somewhere else. The journal is no part of it."""
        self.backup, self.backup_at = self.rows, now

    def restore(self) -> None:
        """Put the copy back."""
        self.rows = self.backup

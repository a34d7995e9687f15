"""The journal's file: acts that no restore may undo, kept outside the database and outside every backup.

*How it works.* A body notes an act; the line is written into the database with the act, and once that is committed into
the file, synced, before anybody is told that the act is done. A crash in between leaves the line in the database: the
next start brings it into the file. After a restore `domain.journal` adds the file up.

Spec: reliability.md 4.2, 4.7; decision 0012.
"""

from __future__ import annotations

import errno
import os
import secrets
from pathlib import Path
from typing import Any

from node.domain.journal import Told, add_up, format_line, read_lines, shows_restore
from node.foundation.clock import format_instant
from node.foundation.errors import StoreError
from node.foundation.logs import get_logger

from .engine import Store, Tx

_INSERT = "INSERT INTO journal_lines (line_id, line) VALUES (:line_id, :line)"
_COUNT = "UPDATE journal_state SET lines = lines + 1 WHERE one = 1"
_COUNTED = "SELECT lines FROM journal_state WHERE one = 1"
_RAISE = "UPDATE journal_state SET lines = :lines WHERE one = 1 AND lines < :lines"
_FORGET = "DELETE FROM journal_lines WHERE line_id IN :line_ids"
_LEFT = "SELECT line_id, line FROM journal_lines ORDER BY line_id LIMIT 1000"
# The newest lines of the file are looked through for those that the database still holds: few are ever left over.
_TAIL_BYTES = 1_048_576


class Journal:
    """One process's file. With no path it keeps nothing: for stores that are opened apart from a node."""

    def __init__(self, path: Path | None = None) -> None:
        self.path = path
        self.is_failing = False
        self._written: list[str] = []

    def append(self, line_id: str, line: str) -> None:
        """Write a line and wait for the disk. What cannot be written stays in the database, and health says so."""
        if self.path is None:
            return
        try:
            descriptor = os.open(self.path, os.O_RDWR | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o600)
            try:
                _drop_cut_line(descriptor)
                data = line.encode()
                if os.write(descriptor, data) != len(data):
                    raise OSError(errno.ENOSPC, "No space left on device")
                os.fsync(descriptor)
            finally:
                os.close(descriptor)
        except OSError as error:
            self.is_failing = True
            get_logger().error("journal_unwritten", reason=str(error.strerror))
            return
        self.is_failing = False
        self._written.append(line_id)

    def take_written(self) -> list[str]:
        """Return the lines that are in the file and may leave the database, each once."""
        written, self._written = self._written, []
        return written

    def read(self) -> Told:
        """Return what the file adds up to.

        Raises:
            StoreError: It is damaged elsewhere than at its end.
        """
        if self.path is None or not self.path.exists():
            return Told()
        try:
            return add_up(read_lines(self.path.read_text("utf-8")))
        except (ValueError, KeyError) as error:
            raise StoreError(f"The journal {self.path.name} is damaged: {error}") from None

    def count_lines(self) -> int:
        """Return how many whole lines the file has."""
        if self.path is None or not self.path.exists():
            return 0
        with self.path.open("rb") as file:
            return sum(chunk.count(b"\n") for chunk in iter(lambda: file.read(_TAIL_BYTES), b""))

    def read_tail(self) -> str:
        """Return the newest part of the file as text."""
        if self.path is None or not self.path.exists():
            return ""
        with self.path.open("rb") as file:
            file.seek(max(self.path.stat().st_size - _TAIL_BYTES, 0))
            return file.read().decode("utf-8", "replace")


async def note(tx: Tx, what: str, **told: Any) -> None:
    """Note an act of this transaction; `domain.journal` names the acts and what is told of them."""
    journal = tx.journal
    if written := journal.take_written():
        await tx.run(_FORGET, line_ids=written)
    line_id = secrets.token_hex(8)
    line = format_line(format_instant(tx.now), what, **told, line=line_id)
    await tx.run(_INSERT, line_id=line_id, line=line)
    await tx.run(_COUNT)
    tx.after_commit(lambda: journal.append(line_id, line))


async def was_put_back(store: Store, journal: Journal) -> bool:
    """Say whether the database is older than the journal: put back by somebody who did not say so, as a disk image is."""
    known: int = await store.read(_counted)
    return shows_restore(lines_known=known, lines_written=journal.count_lines())


async def catch_up_with(store: Store, journal: Journal) -> None:
    """Count the lines of the file as known: what they say was done again."""
    await store.write(_set_counted, journal.count_lines())


async def bring_up_to_date(store: Store, journal: Journal) -> None:
    """Write into the file what a crash left in the database alone."""
    tail = journal.read_tail()
    for line_id, line in await store.read(_left):
        if line_id in tail.rpartition("\n")[0]:
            await store.write(_forget, [line_id])
        else:
            journal.append(line_id, line)


def _drop_cut_line(descriptor: int) -> None:
    """Take away a last line without its end: whoever wrote it was cut off, and the database still has the line."""
    size = os.fstat(descriptor).st_size
    start = max(size - _TAIL_BYTES, 0)
    tail = os.pread(descriptor, size - start, start) if size and os.pread(descriptor, 1, size - 1) != b"\n" else b"\n"
    if not tail.endswith(b"\n"):
        os.ftruncate(descriptor, start + tail.rfind(b"\n") + 1)


async def _left(tx: Tx) -> list[tuple[str, str]]:
    return [(row.line_id, row.line) for row in await tx.all(_LEFT)]


async def _counted(tx: Tx) -> int:
    return int(await tx.value(_COUNTED))


async def _set_counted(tx: Tx, lines: int) -> None:
    await tx.run(_RAISE, lines=lines)


async def _forget(tx: Tx, line_ids: list[str]) -> None:
    await tx.run(_FORGET, line_ids=line_ids)

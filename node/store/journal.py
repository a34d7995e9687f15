"""The journal: acts that no restore may undo, in the database and in a file outside the database and every backup.

*How it works.* A body notes an act; its line gets the next number and is written with the act, and once that is committed
into the file, synced, before anybody is told that the act is done. The database has every line, so a file that a crash has
cut short, or that another process of this node did not write, is filled up from it (`bring_up_to_date`). A line that the
file has and the database has not shows that the database was put back (`was_put_back`).

Spec: reliability.md 4.2, 4.7; decision 0012.
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from node.domain.journal import Told, add_up, format_line, read_lines, shows_restore
from node.foundation.clock import format_instant
from node.foundation.errors import StoreError
from node.foundation.logs import get_logger
from node.foundation.numbers import Numbers

from .engine import Store, Tx

Line = tuple[int, str]

_NUMBER = "UPDATE journal_state SET lines = lines + 1 WHERE one = 1 RETURNING lines"
_INSERT = "INSERT INTO journal_acts (n, scope, line) VALUES (:n, :scope, :line) ON CONFLICT (n) DO NOTHING"
_RAISE = "UPDATE journal_state SET lines = :lines WHERE one = 1 AND lines < :lines"
_READ_IN = "UPDATE journal_state SET is_read_in = 1 WHERE one = 1"
_STATE = (
    """SELECT lines, is_read_in, (SELECT n FROM journal_acts WHERE n = 0) AS first_n FROM journal_state WHERE one = 1"""
)
_BETWEEN = "SELECT n, line FROM journal_acts WHERE n > :after AND n < :before ORDER BY n LIMIT 1000"
_COUNT = "SELECT COUNT(*) AS n FROM journal_acts"
_OF_SCOPES = "SELECT line FROM journal_acts WHERE scope IN :scopes ORDER BY n"
# Lines of before they had numbers are numbered by their places.
_NUMBERED = re.compile(rb'"n":(\d+)\}\n$')
# After a restore no number is given that another process of this node may have given before it.
_LEAP = 1000


class Journal:
    """One process's file. With no path it keeps nothing: for stores that are opened apart from a node.

    is_failing: the last line could not be written; `bring_up_to_date` tries again.
    """

    def __init__(self, path: Path | None = None) -> None:
        self.path = path
        self.is_failing = False
        self.is_new = path is not None and not path.exists()
        self._numbers: Numbers | None = None

    @property
    def numbers(self) -> Numbers:
        """The numbers of the lines in the file."""
        if self._numbers is None:
            self._numbers = Numbers(n for n, _ in self._each_line())
        return self._numbers

    def append(self, lines: Sequence[Line]) -> None:
        """Write numbered lines that the file does not have, and wait for the disk. Health says when they cannot be."""
        wanted = [line for line in lines if line[0] not in self.numbers]
        if self.path is None or not wanted:
            return
        data = "".join(text for _, text in wanted).encode()
        try:
            _append_synced(self.path, data)
        except OSError as error:
            self.is_failing = True
            get_logger().error("journal_unwritten", reason=str(error.strerror))
            return
        self.is_failing = False
        for n, _ in wanted:
            self.numbers.add(n)

    def read(self) -> tuple[list[Line], Told]:
        """Return the lines of the file in the order of their numbers, and what they add up to.

        Raises:
            StoreError: It is damaged elsewhere than at its end.
        """
        lines = sorted((n, line.decode("utf-8", "replace")) for n, line in self._each_line())
        try:
            return lines, add_up(read_lines("".join(line for _, line in lines)))
        except (ValueError, KeyError) as error:
            raise StoreError(f"The journal {self.path} is damaged: {error}") from None

    def _each_line(self) -> Iterator[tuple[int, bytes]]:
        if self.path is None or not self.path.exists():
            return
        with self.path.open("rb") as file:
            for place, line in enumerate(file, 1):
                if line.endswith(b"\n"):
                    found = _NUMBERED.search(line)
                    yield int(found[1]) if found else place, line


async def note(tx: Tx, what: str, **told: Any) -> None:
    """Note an act of this transaction; `domain.journal` names the acts and what is told of them."""
    journal, n = tx.journal, int(await tx.value(_NUMBER))
    line = format_line(format_instant(tx.now), what, **told, n=n)
    await tx.run(_INSERT, n=n, scope=str(told.get("group", "")), line=line)
    tx.after_commit(lambda: journal.append([(n, line)]))


async def open_journal(store: Store, path: Path) -> None:
    """Give a store its file, and write into it what it lacks: a crash came first, or another process was told."""
    journal = store.journal = Journal(path)
    state = await store.read(_read_state)
    if state.first_n is None:
        await store.write(_begin)
    if not state.is_read_in:  # made by a release that kept the lines in the file alone
        is_older = shows_restore(lines_known=state.lines, lines_written=len(journal.numbers))
        await store.write(_read_in, [] if is_older else journal.read()[0])
    await bring_up_to_date(store, journal)


async def bring_up_to_date(store: Store, journal: Journal) -> None:
    """Write into the file what the database alone has."""
    if journal.path is None:
        return
    for after, before in journal.numbers.list_gaps(first=0):
        while lines := await store.read(_list_between, after, before):
            journal.append(lines)
            after = lines[-1][0]


async def was_put_back(store: Store, journal: Journal) -> bool:
    """Say whether the database lacks lines of the file: put back by somebody who did not say so, as a disk image is."""
    known: int = await store.read(_count)
    return shows_restore(lines_known=known, lines_written=len(journal.numbers))


async def take_in(tx: Tx, lines: Sequence[Line]) -> None:
    """Let the database have every line of the file; what is noted from now on has higher numbers."""
    for n, line in lines:
        await tx.run(_INSERT, n=n, scope=_scope_of(line), line=line)
    await tx.run(_RAISE, lines=max((n for n, _ in lines), default=0) + _LEAP)


async def read_told(tx: Tx, *, group_uri: str) -> Told:
    """Return what the journal adds up to for one group."""
    rows = await tx.all(_OF_SCOPES, scopes=["", group_uri])
    return add_up(read_lines("".join(row.line for row in rows)))


def _append_synced(path: Path, data: bytes) -> None:
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o600)
    try:
        _drop_cut_line(descriptor)
        start = os.fstat(descriptor).st_size
        if os.write(descriptor, data) != len(data):
            os.ftruncate(descriptor, start)
            raise OSError(28, "No space left on device")
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _drop_cut_line(descriptor: int) -> None:
    """Take away a last line without its end: whoever wrote it was cut off, and the database still has the line."""
    size = os.fstat(descriptor).st_size
    if not size or os.pread(descriptor, 1, size - 1) == b"\n":
        return
    start = max(size - 1_048_576, 0)
    tail = os.pread(descriptor, size - start, start)
    os.ftruncate(descriptor, start + tail.rfind(b"\n") + 1)


def _scope_of(line: str) -> str:
    return str(json.loads(line).get("group", ""))


async def _read_state(tx: Tx) -> Any:
    return await tx.one(_STATE)


async def _begin(tx: Tx) -> None:
    """Note that the journal goes back to when the node was made: its first line, with the number 0."""
    await tx.run(_INSERT, n=0, scope="", line=format_line(format_instant(tx.now), "begun", n=0))


async def _read_in(tx: Tx, lines: Sequence[Line]) -> None:
    for n, line in lines:
        await tx.run(_INSERT, n=n, scope=_scope_of(line), line=line)
    await tx.run(_RAISE, lines=max((n for n, _ in lines), default=0))
    await tx.run(_READ_IN)


async def _list_between(tx: Tx, after: int, before: int) -> list[Line]:
    return [(row.n, row.line) for row in await tx.all(_BETWEEN, after=after, before=before)]


async def _count(tx: Tx) -> int:
    return int(await tx.value(_COUNT))

"""The store on SQLite: one writer thread with group commit, one reader thread with snapshots.

The threads are aiosqlite's; they are reached through `_Lane`, which uses its private `_execute` (the version is pinned
and a test guards it). One connection owns all writes and all checkpoints: SQLite before 3.51.3 can lose pages when two
connections checkpoint at the same instant (reliability.md §1).
"""

from __future__ import annotations

import asyncio
import contextlib
import sqlite3
import time
from collections import deque
from collections.abc import Awaitable, Callable, Coroutine, Mapping, Sequence
from pathlib import Path
from typing import Any, Concatenate

import aiosqlite

from node.foundation.clock import Clock
from node.foundation.errors import Busy, Duplicate, StoreError
from node.foundation.logs import get_logger

from . import wal
from .engine import (
    WAITING_LIMIT,
    WAITING_LIMIT_SECONDS,
    P,
    Row,
    StoreCounts,
    T,
    Tx,
    in_body,
    note_slow_body,
    refuse_nesting,
    run_effects,
)
from .journal import Journal
from .merging import begin_merge, merge_on
from .statements import Plan, Plans

BATCH_LIMIT = 200
_FIXED_IN = (3, 51, 3)
_FATAL = {
    sqlite3.SQLITE_FULL,
    sqlite3.SQLITE_IOERR,
    sqlite3.SQLITE_NOMEM,
    sqlite3.SQLITE_BUSY,
    sqlite3.SQLITE_CORRUPT,
    sqlite3.SQLITE_READONLY,
}
_NOT_UNIQUE = {sqlite3.SQLITE_CONSTRAINT_UNIQUE, sqlite3.SQLITE_CONSTRAINT_PRIMARYKEY}

_TROUBLES = {sqlite3.SQLITE_FULL: "full", sqlite3.SQLITE_BUSY: "locked"}


class SqliteTx:
    """A transaction driven on a thread: nothing in it ever waits."""

    __slots__ = ("_connection", "_counts", "_plans", "effects", "journal", "now")

    def __init__(self, connection: sqlite3.Connection, store: SqliteStore) -> None:
        self._connection = connection
        self._plans = store.plans
        self._counts = store.counts
        self.journal = store.journal
        self.now = store.clock.now()
        self.effects: list[Callable[[], None]] = []

    async def all(self, sql: str, /, **values: Any) -> list[Row]:
        """Return every row as a named tuple."""
        plan, cursor = self._execute(sql, values)
        return plan.rows(lambda: [column[0] for column in cursor.description], cursor.fetchall())

    async def one(self, sql: str, /, **values: Any) -> Row | None:
        """Return the first row, or None."""
        plan, cursor = self._execute(sql, values)
        found = plan.rows(lambda: [column[0] for column in cursor.description], cursor.fetchmany(1))
        cursor.close()
        return found[0] if found else None

    async def value(self, sql: str, /, **values: Any) -> Any:
        """Return the first column of the first row, or None."""
        row = await self.one(sql, **values)
        return None if row is None else row[0]

    async def run(self, sql: str, /, **values: Any) -> int:
        """Run a statement; return how many rows it touched."""
        return self._execute(sql, values)[1].rowcount

    def after_commit(self, effect: Callable[[], None]) -> None:
        """Have `effect` run in the event loop once this is committed."""
        self.effects.append(effect)

    def _execute(self, sql: str, values: dict[str, Any]) -> tuple[Plan, sqlite3.Cursor]:
        plan = self._plans.plan(sql)
        self._counts.statements += 1
        return plan, _execute_plan(self._connection, plan, values)


class _Job:
    """One body that waits for its turn."""

    __slots__ = ("args", "body", "error", "future", "kwargs", "result", "since", "tx")

    def __init__(self, body: Any, args: Any, kwargs: Any, future: asyncio.Future[Any], since: float) -> None:
        self.body, self.args, self.kwargs, self.future, self.since = body, args, kwargs, future, since
        self.result: Any = None
        self.error: BaseException | None = None
        self.tx: SqliteTx | None = None


class _Lane:
    """Bodies that wait for one connection, and the thread that drives them in batches."""

    def __init__(self, connection: aiosqlite.Connection, store: SqliteStore, *, writes: bool) -> None:
        self.connection = connection
        self.jobs: deque[_Job] = deque()
        self._store = store
        self._writes = writes
        self._scheduled = False
        self._loop = asyncio.get_running_loop()
        self._tasks: set[asyncio.Task[None]] = set()
        self._latest = 0.0
        if not writes:
            connection._conn.set_progress_handler(self._is_late, wal.READ_STEPS)

    async def submit(self, body: Any, args: Any, kwargs: Any) -> Any:
        """Queue a body and wait for its result."""
        since = self._store.clock.monotonic()
        if len(self.jobs) >= WAITING_LIMIT or (self.jobs and since - self.jobs[0].since > WAITING_LIMIT_SECONDS):
            raise Busy(internal=f"{len(self.jobs)} bodies wait for the database")
        job = _Job(body, args, kwargs, self._loop.create_future(), since)
        self.jobs.append(job)
        if not self._scheduled:
            self._scheduled = True
            self._spawn(self._work())
        return await job.future  # who stops waiting leaves the job where it is: it is driven all the same

    async def drain(self) -> None:
        """Wait until nothing waits and everything was handed out."""
        while self._tasks:
            await asyncio.wait(self._tasks)

    async def _work(self) -> None:
        try:
            while self.jobs:
                batch = [self.jobs.popleft() for _ in range(min(len(self.jobs), BATCH_LIMIT))]
                try:
                    await self.call(self._drive_batch, batch)
                except Exception as error:  # the connection itself is gone: nobody may wait for ever
                    _fail(batch, error)
                for job in batch:
                    self._hand_out(job)
        finally:
            self._scheduled = False

    async def call(self, fn: Callable[..., T], *args: Any) -> T:
        """Run a plain function on the connection's thread."""
        result: T = await self.connection._execute(fn, *args)  # type: ignore[no-untyped-call]
        return result

    def _spawn(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    def _hand_out(self, job: _Job) -> None:
        if job.error is None and job.tx is not None:
            run_effects(job.tx.effects)
        if job.future.cancelled():
            return
        if job.error is not None:
            job.future.set_exception(job.error)
            job.future.exception()  # a caller that went away leaves no "never retrieved" behind
        else:
            job.future.set_result(job.result)

    def _drive_batch(self, batch: list[_Job]) -> None:
        """Drive the bodies of a batch and commit once. Runs on the connection's thread."""
        connection, begun_at = self.connection._conn, time.monotonic()
        try:
            connection.execute("BEGIN IMMEDIATE" if self._writes else "BEGIN")
            for job in batch:
                if not self._writes and time.monotonic() - begun_at > wal.SNAPSHOT_SECONDS:
                    connection.execute("COMMIT")  # an old snapshot would keep the log from being emptied
                    connection.execute("BEGIN")
                    begun_at = time.monotonic()
                self._drive(connection, job, alone=len(batch) == 1)
            connection.execute("COMMIT")
            self._store.trouble = "" if self._writes else self._store.trouble
        except Exception as error:  # the whole transaction is gone: nobody may be told "done"
            self._store.trouble = _TROUBLES.get(_code(error), "failing")
            with contextlib.suppress(sqlite3.Error):
                connection.execute("ROLLBACK")
            get_logger().error("store_batch_failed", reason=type(error).__name__, detail=str(error))
            _fail(batch, error)
        counts = self._store.counts
        if self._writes:
            counts.commits += 1
            counts.bodies += len(batch)
        else:
            counts.reads += len(batch)

    def _is_late(self) -> bool:
        return time.monotonic() > self._latest

    def _drive(self, connection: sqlite3.Connection, job: _Job, *, alone: bool) -> None:
        began = time.perf_counter()
        self._latest = time.monotonic() + wal.READ_SECONDS
        tx = job.tx = SqliteTx(connection, self._store)
        nested = self._writes and not alone
        if nested:
            connection.execute("SAVEPOINT body")
        token = in_body.set(getattr(job.body, "__qualname__", "?"))
        try:
            job.result = _drive_to_end(job.body(tx, *job.args, **job.kwargs))
        except BaseException as error:
            if not self._writes and _code(error) == sqlite3.SQLITE_READONLY:
                job.error = RuntimeError(f"the read {in_body.get()} tried to write")
                return
            if _code(error) in _FATAL:
                raise
            is_broken_off = _code(error) == sqlite3.SQLITE_INTERRUPT
            job.error = Busy(internal=f"the read {in_body.get()} took too long") if is_broken_off else error
            if nested:
                connection.execute("ROLLBACK TO body")
            elif self._writes:
                connection.execute("ROLLBACK")
                connection.execute("BEGIN IMMEDIATE")
        finally:
            in_body.reset(token)
        if nested:
            connection.execute("RELEASE body")
        if self._writes:
            note_slow_body(job.body, time.perf_counter() - began)


def _fail(batch: list[_Job], error: Exception) -> None:
    for job in batch:
        job.error = Busy(internal=str(error))


def _code(error: BaseException) -> int:
    """Return SQLite's primary code of an error; 0 for every other error."""
    return getattr(error, "sqlite_errorcode", 0) & 0xFF


def _execute_plan(connection: sqlite3.Connection, plan: Plan, values: Mapping[str, Any]) -> sqlite3.Cursor:
    try:
        return connection.execute(plan.sql, plan.bind_by_name(values))
    except sqlite3.IntegrityError as error:
        if error.sqlite_errorcode in _NOT_UNIQUE:
            raise Duplicate(internal=str(error)) from None
        raise


def _drive_to_end(coroutine: Coroutine[Any, Any, T]) -> T:
    try:
        coroutine.send(None)
    except StopIteration as end:
        result: T = end.value
        return result
    coroutine.close()
    raise RuntimeError(f"the body {in_body.get()} awaited something that is not its transaction")


class SqliteStore:
    """A node's SQLite database. Made by `open`."""

    dialect = "sqlite"

    def __init__(self, path: Path, clock: Clock) -> None:
        self.path = path
        self.clock = clock
        self.counts = StoreCounts()
        self.plans = Plans(self.dialect)
        self.journal = Journal()
        self.trouble = ""
        self.is_tidy = True
        self._is_closed = False
        self._writer: _Lane
        self._reader: _Lane

    @classmethod
    async def open(cls, path: Path, *, clock: Clock) -> SqliteStore:
        """Open the file, creating it where it is absent.

        Raises:
            StoreError: The file is not a database, or is damaged.
        """
        store = cls(path, clock)
        try:
            wal.make_database_file(path)
            store._writer = _Lane(await _connect(path, wal.WRITER_PRAGMAS), store, writes=True)
            store._reader = _Lane(await _connect(path, wal.READER_PRAGMAS), store, writes=False)
        except (sqlite3.DatabaseError, OSError) as error:
            raise StoreError(f"The database {path} cannot be opened: {error}.") from None
        return store

    async def write(self, body: Callable[Concatenate[Tx, P], Awaitable[T]], *args: P.args, **kwargs: P.kwargs) -> T:
        """Run `body` in a transaction; see `Store.write`."""
        refuse_nesting()
        result: T = await self._writer.submit(body, args, kwargs)
        return result

    async def read(self, body: Callable[Concatenate[Tx, P], Awaitable[T]], *args: P.args, **kwargs: P.kwargs) -> T:
        """Run `body` over one snapshot; see `Store.read`."""
        refuse_nesting()
        result: T = await self._reader.submit(body, args, kwargs)
        return result

    async def script(
        self, statements: Sequence[str], *, first: str | None = None, values: Mapping[str, Any] | None = None
    ) -> None:
        """Run the statements of one migration in one transaction; see `Store.script`."""

        def run() -> None:
            connection = self._writer.connection._conn
            connection.execute("BEGIN IMMEDIATE")
            try:
                if first is not None:
                    _execute_plan(connection, self.plans.plan(first), values or {})
                for statement in statements:
                    connection.execute(statement)
            except BaseException:
                connection.execute("ROLLBACK")
                raise
            connection.execute("COMMIT")

        await self._writer.call(run)

    async def tidy(self, *, within_seconds: float = float("inf")) -> None:
        """Let search forget, move everything from the log into the file and truncate the log: erased words are then gone."""
        connection, until = self._writer.connection._conn, time.monotonic() + within_seconds
        try:
            if await self._writer.call(begin_merge, connection):
                while time.monotonic() < until and await self._writer.call(merge_on, connection):
                    pass
            self.is_tidy = await self._writer.call(wal.truncate_log, connection)
        except sqlite3.Error as error:
            self.is_tidy = False
            raise Busy(internal=f"tidy: {error}") from None

    def alone(self) -> contextlib.nullcontext[None]:
        """Let whatever stands inside run: one process at a time has the file."""
        return contextlib.nullcontext()

    async def describe(self) -> dict[str, str]:
        """Return {"kind", "version", "synchronous"}."""
        levels = {0: "off", 1: "normal", 2: "full", 3: "extra"}
        level = await self._writer.call(
            lambda: self._writer.connection._conn.execute("PRAGMA synchronous").fetchone()[0]
        )
        return {"kind": "sqlite", "version": sqlite3.sqlite_version, "synchronous": levels.get(level, str(level))}

    async def measure(self) -> int:
        """Return how many bytes the file has, without its log."""
        pages = await self._writer.call(
            lambda: self._writer.connection._conn.execute("PRAGMA page_count").fetchone()[0]
        )
        size = await self._writer.call(lambda: self._writer.connection._conn.execute("PRAGMA page_size").fetchone()[0])
        return int(pages) * int(size)

    async def measure_strain(self) -> tuple[int, int]:
        """Return (bytes of the log, 0): SQLite does not tell how long others read."""
        return wal.measure_log(self.path), 0

    async def close(self) -> None:
        """Finish what waits, checkpoint, close. Closing twice does no harm."""
        if self._is_closed:
            return
        self._is_closed = True
        await self._writer.drain()
        await self._reader.drain()
        await self._reader.connection.close()
        try:
            await self.tidy(within_seconds=wal.CLOSE_SECONDS)
        except Busy as error:  # a full disk: what is in the log stays there, and the next start finds it
            get_logger().warning("log_left", detail=error.internal)
        finally:
            await self._writer.connection.close()  # else its thread keeps the process from ending


def has_checkpoint_race() -> bool:
    """Return whether this SQLite can lose pages when two connections checkpoint at once; `doctor` warns."""
    return sqlite3.sqlite_version_info < _FIXED_IN


async def _connect(path: Path, pragmas: tuple[str, ...]) -> aiosqlite.Connection:
    connection = await aiosqlite.connect(path, isolation_level=None, check_same_thread=False, cached_statements=512)
    try:
        for pragma in pragmas:
            await connection._execute(connection._execute_fetchall, pragma, ())  # type: ignore[no-untyped-call]
    except BaseException:
        await connection.close()
        raise
    return connection

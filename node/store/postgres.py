"""The store on PostgreSQL: each body is a transaction of its own, run again when the database asks for it.

READ COMMITTED for writes, because bodies that decide take their aggregate's row first; REPEATABLE READ for reads, so
that a page is one snapshot. Commits wait for the disk (`synchronous_commit=on`); concurrent ones share a sync.
"""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping, Sequence
from typing import Any, Concatenate

import asyncpg

from node.foundation.clock import Clock
from node.foundation.errors import Busy, Duplicate, StoreError

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
from .statements import Plan, Plans

WRITERS = 16
READERS = 8
_TRIES = 4
_AGAIN = (asyncpg.SerializationError, asyncpg.DeadlockDetectedError)
_NOT_NOW = (
    asyncpg.LockNotAvailableError,
    asyncpg.InsufficientResourcesError,
    asyncpg.OperatorInterventionError,
    asyncpg.PostgresConnectionError,
    asyncpg.InternalClientError,
    asyncpg.InterfaceError,
    asyncpg.InvalidTransactionStateError,
    OSError,
)
# Any number, the same in every process: who migrates holds it.
_MIGRATION_LOCK = 6_803_227
_MIGRATION_SECONDS = 3600
# Another one: who opens the node holds it, so that one process at a time looks for a restore.
_OPENING_LOCK = 6_803_228
# random_page_cost: no disk of today seeks; at the usual 4, a range of all groups looks cheaper than the rows of one.
SETTINGS = {
    "synchronous_commit": "on",
    "lock_timeout": "2s",
    "jit": "off",
    "random_page_cost": "1.1",
    "application_name": "rounds",
    # A machine that went away without a word must not keep what it holds (leases).
    "tcp_keepalives_idle": "10",
    "tcp_keepalives_interval": "5",
    "tcp_keepalives_count": "3",
}
# A process that is stopped in the middle of a transaction must not hold up the others: the server ends it.
_POOL_SETTINGS = SETTINGS | {"idle_in_transaction_session_timeout": "10s"}


class PostgresTx:
    """A transaction on one connection."""

    __slots__ = ("_connection", "_counts", "_plans", "effects", "journal", "now")

    def __init__(self, connection: Any, store: PostgresStore) -> None:
        self._connection = connection
        self._plans = store.plans
        self._counts = store.counts
        self.journal = store.journal
        self.now = store.clock.now()
        self.effects: list[Callable[[], None]] = []

    async def all(self, sql: str, /, **values: Any) -> list[Row]:
        """Return every row as a named tuple."""
        plan, found = await self._fetch(sql, values)
        return plan.rows(lambda: list(found[0].keys()), found)

    async def one(self, sql: str, /, **values: Any) -> Row | None:
        """Return the first row, or None."""
        plan, found = await self._fetch(sql, values)
        rows = plan.rows(lambda: list(found[0].keys()), found[:1])
        return rows[0] if rows else None

    async def value(self, sql: str, /, **values: Any) -> Any:
        """Return the first column of the first row, or None."""
        row = await self.one(sql, **values)
        return None if row is None else row[0]

    async def run(self, sql: str, /, **values: Any) -> int:
        """Run a statement; return how many rows it touched."""
        plan = self._plans.plan(sql)
        self._counts.statements += 1
        tag: str = await _execute_plan(self._connection, plan, values)
        count = tag.rpartition(" ")[2]
        return int(count) if count.isdigit() else 0

    def after_commit(self, effect: Callable[[], None]) -> None:
        """Have `effect` run in the event loop once this is committed."""
        self.effects.append(effect)

    async def _fetch(self, sql: str, values: dict[str, Any]) -> tuple[Plan, list[Any]]:
        plan = self._plans.plan(sql)
        self._counts.statements += 1
        with _without_values():
            return plan, await self._connection.fetch(plan.sql, *plan.bind(values))


class PostgresStore:
    """A node's PostgreSQL database. Made by `open`."""

    dialect = "postgresql"

    def __init__(self, clock: Clock, writers: Any, readers: Any) -> None:
        self.clock = clock
        self.counts = StoreCounts()
        self.plans = Plans(self.dialect)
        self.journal = Journal()
        self.trouble = ""
        self.is_tidy = True
        self._address = ""
        self._writers = writers
        self._readers = readers
        # Since when each body waits for a connection, the oldest first.
        self._waiting: dict[object, float] = {}
        self._running: set[asyncio.Task[Any]] = set()

    @classmethod
    async def open(cls, address: str, *, clock: Clock) -> PostgresStore:
        """Connect to the database at `address`.

        Raises:
            StoreError: It cannot be reached, or refuses us.
        """
        try:
            writers = await _open_pool(address, WRITERS, _POOL_SETTINGS)
            readers = await _open_pool(address, READERS, _POOL_SETTINGS)
        except (OSError, asyncpg.PostgresError, asyncpg.InterfaceError) as error:
            raise StoreError(f"The PostgreSQL database cannot be reached: {type(error).__name__}.") from None
        store = cls(clock, writers, readers)
        store._address = address
        return store

    async def write(self, body: Callable[Concatenate[Tx, P], Awaitable[T]], *args: P.args, **kwargs: P.kwargs) -> T:
        """Run `body` in a transaction; see `Store.write`."""
        refuse_nesting()
        now, ticket = self.clock.monotonic(), object()
        oldest = next(iter(self._waiting.values()), now)
        if len(self._waiting) >= WAITING_LIMIT or now - oldest > WAITING_LIMIT_SECONDS:
            raise Busy(internal=f"{len(self._waiting)} bodies wait for the database")
        self._waiting[ticket] = now
        task = asyncio.create_task(self._write(ticket, body, args, kwargs))
        self._running.add(task)
        task.add_done_callback(self._running.discard)
        result: T = await asyncio.shield(task)
        return result

    async def _write(self, ticket: object, body: Any, args: Any, kwargs: Any) -> Any:
        try:
            for attempt in range(1, _TRIES + 1):
                try:
                    return await self._write_once(ticket, body, args, kwargs)
                except _AGAIN as error:
                    if attempt == _TRIES:
                        raise Busy(internal=str(error)) from None
        except ValueError:  # a value of the wrong type is our mistake, though asyncpg calls it an InterfaceError too
            raise
        except (*_NOT_NOW, asyncpg.ReadOnlySQLTransactionError) as error:
            self.trouble = _name_trouble(error)
            raise Busy(internal=f"{type(error).__name__}: {error}") from None
        finally:
            self._waiting.pop(ticket, None)

    async def _write_once(self, ticket: object, body: Any, args: Any, kwargs: Any) -> Any:
        began = time.perf_counter()
        async with self._writers.acquire() as connection:
            self._waiting.pop(ticket, None)
            tx = PostgresTx(connection, self)
            token = in_body.set(getattr(body, "__qualname__", "?"))
            try:
                async with connection.transaction():
                    result = await body(tx, *args, **kwargs)
            finally:
                in_body.reset(token)
        self.counts.bodies += 1
        self.counts.commits += 1
        self.trouble = ""
        run_effects(tx.effects)
        note_slow_body(body, (time.perf_counter() - began) / 10)
        return result

    async def read(self, body: Callable[Concatenate[Tx, P], Awaitable[T]], *args: P.args, **kwargs: P.kwargs) -> T:
        """Run `body` over one snapshot; see `Store.read`."""
        refuse_nesting()
        try:
            result = await self._read(body, args, kwargs)
        except ValueError:
            raise
        except asyncpg.ReadOnlySQLTransactionError:
            raise RuntimeError(f"the read {getattr(body, '__qualname__', '?')} tried to write") from None
        except _NOT_NOW as error:
            raise Busy(internal=f"{type(error).__name__}: {error}") from None
        self.counts.reads += 1
        return result  # type: ignore[no-any-return]

    async def _read(self, body: Any, args: Any, kwargs: Any) -> Any:
        async with self._readers.acquire() as connection:
            tx = PostgresTx(connection, self)
            token = in_body.set(getattr(body, "__qualname__", "?"))
            try:
                async with connection.transaction(isolation="repeatable_read", readonly=True):
                    return await body(tx, *args, **kwargs)
            finally:
                in_body.reset(token)

    async def script(
        self, statements: Sequence[str], *, first: str | None = None, values: Mapping[str, Any] | None = None
    ) -> None:
        """Run the statements of one migration in one transaction; see `Store.script`. One process at a time does."""
        async with self._writers.acquire() as connection, connection.transaction():
            await connection.execute("SET LOCAL lock_timeout = 0")
            await connection.execute("SELECT pg_advisory_xact_lock($1)", _MIGRATION_LOCK, timeout=_MIGRATION_SECONDS)
            await connection.execute("SET LOCAL lock_timeout = '2s'")
            if first is not None:
                await _execute_plan(connection, self.plans.plan(first), values or {})
            for statement in statements:
                await connection.execute(statement, timeout=_MIGRATION_SECONDS)

    async def tidy(self) -> None:
        """Let the database reuse the space of erased rows; their bytes go with its next vacuum."""
        try:
            async with self._writers.acquire() as connection:
                await connection.execute("VACUUM")
        except _NOT_NOW as error:  # another process does it at this moment, say
            raise Busy(internal=f"{type(error).__name__}: {error}") from None

    @contextlib.asynccontextmanager
    async def alone(self) -> AsyncIterator[None]:
        """Let one process at a time do what stands inside; the others wait."""
        async with contextlib.AsyncExitStack() as stack:
            try:
                connection = await stack.enter_async_context(self._writers.acquire())
                await connection.execute("SET lock_timeout = 0")
                await connection.execute("SELECT pg_advisory_lock($1)", _OPENING_LOCK, timeout=_MIGRATION_SECONDS)
            except _NOT_NOW as error:
                raise StoreError(f"The PostgreSQL database cannot be reached: {type(error).__name__}.") from None
            yield  # letting go of the connection lets go of the lock

    async def open_session(self, channel: str, hear: Callable[[Any, int, str, str], None]) -> tuple[Any, str]:
        """Open a session outside the pools that hears a channel; return it, and the name by which leases know it.

        Raises:
            Busy: The database cannot be reached.
        """
        try:
            session = await asyncpg.connect(self._address, server_settings=SETTINGS, timeout=10)
            try:
                await session.add_listener(channel, hear)
                owner = await session.fetchval(
                    "SELECT pid || '.' || CAST(CAST(EXTRACT(EPOCH FROM backend_start) * 1000000 AS BIGINT) AS TEXT)"
                    " FROM pg_stat_get_activity(pg_backend_pid())"
                )
                return session, str(owner)
            except BaseException:
                session.terminate()
                raise
        except (*_NOT_NOW, asyncpg.PostgresError) as error:
            raise Busy(internal=f"{type(error).__name__}: {error}") from None

    async def describe(self) -> dict[str, str]:
        """Return {"kind", "version", "synchronous"}."""
        async with self._readers.acquire() as connection:
            version = await connection.fetchval("SHOW server_version")
            return {
                "kind": "postgresql",
                "version": version.split()[0],
                "synchronous": await connection.fetchval("SHOW synchronous_commit"),
            }

    async def measure(self) -> int:
        """Return how many bytes the database takes on its disk."""
        async with self._readers.acquire() as connection:
            return int(await connection.fetchval("SELECT pg_database_size(current_database())"))

    async def measure_strain(self) -> tuple[int, int]:
        """Return (0, seconds that the oldest transaction in this database has lasted)."""
        async with self._readers.acquire() as connection:
            return 0, int(
                await connection.fetchval(
                    "SELECT COALESCE(MAX(EXTRACT(EPOCH FROM clock_timestamp() - xact_start)), 0) FROM pg_stat_activity"
                    " WHERE datname = current_database() AND pid <> pg_backend_pid()"
                )
            )

    async def close(self) -> None:
        """Finish what runs, close."""
        if self._running:
            await asyncio.wait(self._running)
        await self._readers.close()
        await self._writers.close()


def _name_trouble(error: BaseException) -> str:
    if isinstance(error, asyncpg.DiskFullError):
        return "full"
    return "locked" if isinstance(error, asyncpg.LockNotAvailableError) else "failing"


async def _execute_plan(connection: Any, plan: Plan, values: Mapping[str, Any]) -> str:
    with _without_values():
        return await connection.execute(plan.sql, *plan.bind(values))  # type: ignore[no-any-return]


@contextlib.contextmanager
def _without_values() -> Iterator[None]:
    """Take the values out of an error: they are members' words, and errors end up in logs (T28)."""
    try:
        yield
    except asyncpg.UniqueViolationError as error:
        raise Duplicate(internal=f"{error.constraint_name} of {error.table_name}") from None
    except asyncpg.PostgresError as error:
        error.detail = None  # "Failing row contains (…)"
        raise
    except ValueError as error:  # asyncpg's own: "invalid input for query argument $3: '…'"
        raise ValueError(str(error).partition(":")[0]) from None


async def _open_pool(address: str, size: int, settings: dict[str, str]) -> Any:
    return await asyncpg.create_pool(
        address, min_size=1, max_size=size, server_settings=settings, statement_cache_size=500, command_timeout=60
    )

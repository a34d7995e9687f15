"""The store: `await store.write(body, *args)` and `await store.read(body, *args)`, nothing else.

*How it works.* `body` is an `async def body(tx, …)` that may await `tx` and nothing else. On SQLite one writer
thread takes all bodies that queued up, drives each to its end in turn in a savepoint of its own, and commits once;
only then are results and errors handed out, so what was acknowledged is on disk and a hundred writers share one sync.
On PostgreSQL a body is a transaction of its own, run again at most three times when the database asks for it. Hence a
body has no effect outside `tx`; wake others with `tx.after_commit(fn)`, which runs in the event loop after the commit,
before the caller goes on. A cancelled caller is not an undone write. A transaction inside a transaction is our
mistake and raises.

A body that decides from what it reads first takes its aggregate (`UPDATE … SET version = version + 1 … RETURNING`),
in the order member, group, peer. A body never catches an error of a statement and goes on: use ON CONFLICT.
"""

from __future__ import annotations

import contextvars
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any, Concatenate, ParamSpec, Protocol, TypeVar

from node.foundation.logs import get_logger

if TYPE_CHECKING:
    from .journal import Journal

T = TypeVar("T")
P = ParamSpec("P")
Row = Any

SLOW_BODY_SECONDS = 0.020
WAITING_LIMIT = 2000
WAITING_LIMIT_SECONDS = 2.0

in_body: contextvars.ContextVar[str] = contextvars.ContextVar("in_body", default="")


class Tx(Protocol):
    """What a body may await. Statements are constants with `:named` values."""

    @property
    def now(self) -> datetime:
        """The instant of this transaction, aware, UTC."""
        ...

    @property
    def journal(self) -> Journal:
        """Where `journal.note` writes what no restore may undo."""
        ...

    async def all(self, sql: str, /, **values: Any) -> list[Row]:
        """Return every row as a named tuple."""
        ...

    async def one(self, sql: str, /, **values: Any) -> Row | None:
        """Return the first row, or None."""
        ...

    async def value(self, sql: str, /, **values: Any) -> Any:
        """Return the first column of the first row, or None."""
        ...

    async def run(self, sql: str, /, **values: Any) -> int:
        """Run a statement that returns no rows; return how many rows it touched."""
        ...

    def after_commit(self, effect: Callable[[], None]) -> None:
        """Have `effect` run in the event loop once this is committed, and not otherwise."""
        ...


@dataclass(slots=True)
class StoreCounts:
    """What the store did since it was opened; for `status`, tests and the benchmark."""

    bodies: int = 0
    commits: int = 0
    reads: int = 0
    statements: int = 0


class Store(Protocol):
    """A database opened for one node.

    trouble: why the last write failed, until one goes well: full, locked, failing; empty for no trouble.
    is_tidy: whether the last `tidy` could make everything be gone that was erased.
    """

    dialect: str
    counts: StoreCounts
    journal: Journal
    trouble: str
    is_tidy: bool

    async def write(self, body: Callable[Concatenate[Tx, P], Awaitable[T]], *args: P.args, **kwargs: P.kwargs) -> T:
        """Run `body` in a transaction and return its result once it is on disk.

        Raises:
            Busy: Too much is waiting, or the disk refused; nothing of this body was written.
            Duplicate: A uniqueness rule was broken; nothing of this body was written.
        """
        ...

    async def read(self, body: Callable[Concatenate[Tx, P], Awaitable[T]], *args: P.args, **kwargs: P.kwargs) -> T:
        """Run `body` over one snapshot; it cannot write.

        Raises:
            Busy: Too much is waiting, or the database cannot be reached.
        """
        ...

    async def script(
        self, statements: Sequence[str], *, first: str | None = None, values: Mapping[str, Any] | None = None
    ) -> None:
        """Run the statements of one migration in one transaction, after `first` with its `:named` values.

        Raises:
            Duplicate: `first` broke a uniqueness rule; nothing was done.
        """
        ...

    async def tidy(self) -> None:
        """Make what was erased be gone from the files: checkpoint and truncate the log."""
        ...

    def alone(self) -> AbstractAsyncContextManager[None]:
        """Let one process at a time do what stands inside; the others wait."""
        ...

    async def describe(self) -> dict[str, str]:
        """Return {"kind", "version", "synchronous"}."""
        ...

    async def measure(self) -> int:
        """Return how many bytes the database takes on its disk."""
        ...

    async def measure_strain(self) -> tuple[int, int]:
        """Return (bytes of the log that could not be emptied yet, seconds that the oldest transaction has lasted)."""
        ...

    async def close(self) -> None:
        """Finish what waits, checkpoint, close."""
        ...


def note_slow_body(body: Callable[..., Any], seconds: float) -> None:
    """Log a body that kept the writer busy for more than 20 ms."""
    if seconds > SLOW_BODY_SECONDS:
        get_logger().info("slow_write", body=getattr(body, "__qualname__", "?"), milliseconds=round(seconds * 1000))


def refuse_nesting() -> None:
    """Raise when called from inside a body.

    Raises:
        RuntimeError: A transaction inside a transaction.
    """
    if inside := in_body.get():
        raise RuntimeError(f"a transaction inside the transaction {inside}")


def run_effects(effects: Iterable[Callable[[], None]]) -> None:
    """Run what waited for a commit. One that fails is logged: what was written stays written, and others go on."""
    for effect in effects:
        try:
            effect()
        except Exception:
            get_logger().exception("after_commit_failed", effect=getattr(effect, "__qualname__", "?"))

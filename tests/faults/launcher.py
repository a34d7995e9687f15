"""`rounds`, ended by force at one commit boundary: `python -m tests.faults.launcher --data DIR serve …`.

FAIL_AT names the boundary and how often it is crossed first: `node.inbox.receive._keep:after#3`. FAIL_SEEN names a file that
gets a line for each boundary when it is first crossed. FAIL_ON_WORD names a word: the handlers of activities and entries in which
it stands raise, as a handler with a fault in it does. The node's own code is not changed: `write` of both stores is wrapped
from outside, the body runs as it is and the commit is the database's.

`before`: the body has run, inside its transaction. `after`: it is committed; neither the caller nor the effects that wait for
the commit know. SIGKILL either way: nothing is flushed, no handler runs.
"""

from __future__ import annotations

import os
import signal
import sys
from collections import Counter
from collections.abc import Callable
from typing import Any

from node.__main__ import main
from node.store import migrate as migrations
from node.store.journal import Journal
from node.store.postgres import PostgresStore
from node.store.sqlite import SqliteStore

_HANDLERS = ("node.inbox.process._handle", "node.inbox.process._apply")


class Watch:
    """Counts boundaries as they are crossed, and ends the process at one."""

    def __init__(self, fail_at: str, seen_path: str) -> None:
        self._boundary, _, times = fail_at.partition("#")
        self._left = int(times or 1)
        self._seen: Counter[str] = Counter()
        self._file = os.open(seen_path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600) if seen_path else None

    def cross(self, boundary: str) -> None:
        """Note a boundary; does not return from the one that was asked for."""
        self._seen[boundary] += 1
        if self._file is not None and self._seen[boundary] == 1:
            os.write(self._file, f"{boundary}\n".encode())
        if boundary == self._boundary:
            self._left -= 1
            if self._left <= 0:
                os.kill(os.getpid(), signal.SIGKILL)


def name_of(body: Callable[..., Any]) -> str:
    """Return the name of a body as `boundaries` lists it."""
    inner = getattr(body, "func", body)
    return f"{inner.__module__}.{inner.__qualname__}"


def wrap_store(store: type[Any], watch: Watch) -> None:
    """Have every write of a store cross its boundaries."""
    write, poison = store.write, os.environ.get("FAIL_ON_WORD", "")

    async def watched(self: Any, body: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
        name = name_of(body)

        async def between(tx: Any, *args: Any, **kwargs: Any) -> Any:
            if poison and name in _HANDLERS and poison in repr(args):
                raise RuntimeError("a handler with a fault in it")
            tx.after_commit(lambda: watch.cross(f"{name}:after"))  # the first effect, so before all others
            result = await body(tx, *args, **kwargs)
            watch.cross(f"{name}:before")
            return result

        between.__qualname__ = getattr(body, "__qualname__", name)
        return await write(self, between, *args, **kwargs)

    store.write = watched


def wrap_plain(owner: Any, attribute: str, watch: Watch) -> None:
    """Have a plain function cross a boundary before it and one after it."""
    inner = getattr(owner, attribute)
    name = name_of(inner)

    def watched(*args: Any, **kwargs: Any) -> Any:
        watch.cross(f"{name}:before")
        result = inner(*args, **kwargs)
        watch.cross(f"{name}:after")
        return result

    setattr(owner, attribute, watched)


def wrap_script(store: type[Any], watch: Watch) -> None:
    """Have each migration cross a boundary before it and one after it."""
    script = store.script
    name = name_of(migrations.migrate)

    async def watched(self: Any, *args: Any, **kwargs: Any) -> Any:
        watch.cross(f"{name}:before")
        result = await script(self, *args, **kwargs)
        watch.cross(f"{name}:after")
        return result

    store.script = watched


if __name__ == "__main__":
    watch = Watch(os.environ.get("FAIL_AT", ""), os.environ.get("FAIL_SEEN", ""))
    for kind in (SqliteStore, PostgresStore):
        wrap_store(kind, watch)
        wrap_script(kind, watch)
    wrap_plain(Journal, "append", watch)
    sys.exit(main())

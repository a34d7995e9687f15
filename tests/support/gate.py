"""A gate inside a body: the test decides how long a transaction stays open."""

from __future__ import annotations

import asyncio
import threading

from node.store.engine import Store


class Gate:
    """Holds a body where it stands: a thread on SQLite, a task on PostgreSQL."""

    def __init__(self, store: Store) -> None:
        self._is_thread = store.dialect == "sqlite"
        self._loop = asyncio.get_running_loop()
        self._thread_may_go = threading.Event()
        self._task_may_go = asyncio.Event()
        self.reached = asyncio.Event()

    async def wait(self) -> None:
        """Stand here until `open`."""
        self._loop.call_soon_threadsafe(self.reached.set)
        if self._is_thread:
            assert self._thread_may_go.wait(30)
        else:
            await self._task_may_go.wait()

    def open(self) -> None:
        """Let everybody go on."""
        self._thread_may_go.set()
        self._task_may_go.set()

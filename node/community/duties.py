"""Duties: work that one process does for all, where several share a database. On SQLite nothing of this runs.

*How it works.* Each process asks every second for the duties that nobody has, and holds those it has with a heartbeat. A
duty begins with a core whose store writes only under its lease (`store.fenced`), and ends when the lease was lost, when
the session that it belongs to is over, or when the database cannot be reached for as long as a lease lasts. A process that
dies takes its session with it, so its duties go on elsewhere within a second or two.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any, Protocol

from node.foundation.errors import NodeError
from node.foundation.logs import get_logger
from node.store.company import Company
from node.store.core import Core
from node.store.fenced import fence
from node.store.leases import (
    KEEP_SECONDS,
    LEASE_SECONDS,
    Lease,
    claim_duties,
    keep_duties,
    open_duties,
    release_duties,
)

LOOK_SECONDS = 1.0
# The duty of the process that asks nodes which may hold more than we; what others notice goes to it.
RECOVERY = "recovery"
_STOP_SECONDS = 5.0


class Work(Protocol):
    """What a duty is done with."""

    async def run(self) -> None:
        """Work until cancelled."""
        ...


@dataclass(frozen=True, slots=True)
class _Term:
    """A duty that is done here."""

    lease: Lease
    work: Work
    task: asyncio.Task[None]


class Duties:
    """The duties of one process.

    Args:
        core: The node's.
        company: Its processes.
        makers: {duty: makes what does it, from a core that writes only while it is held}.
    """

    def __init__(self, core: Core, company: Company, makers: Mapping[str, Callable[[Core], Work]]) -> None:
        self._core = core
        self._company = company
        self._makers = makers
        self._terms: dict[str, _Term] = {}
        self._kept_at = 0.0

    @property
    def held(self) -> frozenset[str]:
        """The duties that are done here."""
        return frozenset(self._terms)

    async def run(self) -> None:
        """Take and hold duties until cancelled."""
        is_open = False
        while True:
            try:
                if not is_open:
                    await self._core.store.write(open_duties, names=self._makers)
                    is_open = True
                await self.round()
            except NodeError as error:
                get_logger().warning("duties_unread", code=error.code, reason=error.internal)
                if self._core.clock.monotonic() - self._kept_at > LEASE_SECONDS:
                    await self._end(*self._terms)
            except Exception:
                get_logger().exception("duties_failed")
            await asyncio.sleep(LOOK_SECONDS)

    async def round(self) -> None:
        """Give up what is not ours any more, hold what is, take what nobody has."""
        store, owner, now = self._core.store, await self._company.attend(), self._core.clock.monotonic()
        failed = [name for name, term in self._terms.items() if term.task.done() and _has_failed(term.task)]
        await self._end(*failed, *(name for name, term in self._terms.items() if term.lease.owner != owner))
        if failed:
            await store.write(release_duties, owner=owner, names=failed)
        if self._terms and now - self._kept_at >= KEEP_SECONDS:
            held = await store.write(keep_duties, owner=owner, names=list(self._terms))
            self._kept_at = now
            await self._end(*(name for name, term in self._terms.items() if held.get(name) != term.lease.fence))
        wanted = [name for name in self._makers if name not in self._terms and name not in failed]
        if wanted:
            for name, lease in (await store.write(claim_duties, owner=owner, names=wanted)).items():
                self._begin(name, lease)
                self._kept_at = now if len(self._terms) == 1 else self._kept_at

    async def stop(self) -> None:
        """Stop working, and let others take over at once."""
        for term in self._terms.values():
            if (stop := getattr(term.work, "stop", None)) is not None:
                stop()
        tasks = [term.task for term in self._terms.values() if hasattr(term.work, "stop")]
        if tasks:
            await asyncio.wait(tasks, timeout=_STOP_SECONDS)
        held = {name: term.lease.owner for name, term in self._terms.items()}
        await self._end(*held)
        for owner in set(held.values()):
            with contextlib.suppress(NodeError):
                await self._core.store.write(
                    release_duties, owner=owner, names=[name for name, by in held.items() if by == owner]
                )

    def _begin(self, name: str, lease: Lease) -> None:
        core = replace(self._core, store=fence(self._core.store, name, lease))
        work = self._makers[name](core)
        self._terms[name] = _Term(lease, work, asyncio.create_task(work.run()))
        if name == RECOVERY:
            self._company.takes_doubts = True
        get_logger().info("duty_begins", duty=name, fence=lease.fence)

    async def _end(self, *names: str) -> None:
        """End terms; what they were about to write is not written any more, or was before."""
        ended = {name: self._terms.pop(name) for name in dict.fromkeys(names)}
        if not ended:
            return
        if RECOVERY in ended:
            self._company.takes_doubts = False
        for term in ended.values():
            term.task.cancel()
        await asyncio.wait([term.task for term in ended.values()], timeout=_STOP_SECONDS)
        for name, term in ended.items():
            if term.task.done():
                _has_failed(term.task)
            get_logger().info("duty_ends", duty=name, fence=term.lease.fence)


def _has_failed(task: asyncio.Task[Any]) -> bool:
    """Whether work ended with a mistake of ours, which the log then has; some work has an end of its own."""
    if task.cancelled() or (error := task.exception()) is None:
        return False
    get_logger().error("duty_failed", reason=f"{type(error).__name__}: {error}")
    return True

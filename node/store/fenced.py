"""A store whose writes count only while a duty is held: what whoever does the duty is given instead of the node's own.

The duty is checked in the writing transaction itself (`leases.check_duty`), so a process that was stopped, and finds on
waking up that another one does its work now, cannot write one row more.
"""

from __future__ import annotations

import functools
from collections.abc import Awaitable, Callable
from typing import Any, Concatenate, cast

from .engine import P, Store, T, Tx
from .leases import Lease, check_duty


class FencedStore:
    """The store of a node, for one duty and one lease of it. Everything but `write` is the store's own."""

    def __init__(self, store: Store, name: str, lease: Lease) -> None:
        self._store = store
        self._name = name
        self._lease = lease

    def __getattr__(self, attribute: str) -> Any:
        """Return what the store itself has."""
        return getattr(self._store, attribute)

    async def write(self, body: Callable[Concatenate[Tx, P], Awaitable[T]], *args: P.args, **kwargs: P.kwargs) -> T:
        """Run `body` if the duty is held; see `Store.write`.

        Raises:
            LeaseLost: It is not; nothing was written.
        """

        @functools.wraps(body)
        async def guarded(tx: Tx) -> T:
            await check_duty(tx, name=self._name, lease=self._lease)
            return await body(tx, *args, **kwargs)

        return await self._store.write(guarded)


def fence(store: Store, name: str, lease: Lease) -> Store:
    """Return a store that writes only while a duty is held under this lease."""
    return cast(Store, FencedStore(store, name, lease))

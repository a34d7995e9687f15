"""Who serves a lane: this process alone, or one of several that share a database. The same lanes, behind one interface.

`Alone` is for SQLite: nothing is asked for and nothing written. `Shared` leases each lane from the database before it is
served, reads it anew afterwards, since another process may have served it in between, and asks the database before each
request whether the lane is still ours and the peer may still have it. A process that was stopped for a while and woke up
sends nothing on the word of its memory.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from node.domain.peers import Peer
from node.foundation.errors import NodeError
from node.foundation.logs import get_logger
from node.store.company import Company
from node.store.core import Core
from node.store.engine import Tx
from node.store.leases import KEEP_SECONDS, LaneKey, Lease, claim_lanes, keep_lanes, may_send, release_lanes
from node.store.rosters import get_admission
from node.store.streams import LaneRow

from .batches import Batch, Inboxes, read_batches, read_held

# Small steps, so that several processes that were woken by the same word share what there is.
CLAIM_AT_ONCE = 16
# What was claimed is sent on the word of that reading, if it is this young.
_FRESH_SECONDS = 0.25
# For so long a lane that another process has is not asked for again; its end is a word to all.
_LEAVE_SECONDS = 0.5

Wanted = Sequence[tuple[LaneRow, Peer]]


@dataclass(frozen=True, slots=True)
class Served:
    """A lane that may be served now. at: when it was read, in seconds that never go back."""

    row: LaneRow
    peer: Peer
    batch: Batch
    lease: Lease | None = None
    at: float = 0.0

    @property
    def key(self) -> LaneKey:
        """What the lane is found by."""
        return self.row.peer_id, self.row.stream


class Slots(Protocol):
    """How a process comes to lanes, and lets go of them."""

    async def take(self, wanted: Wanted, inboxes: Inboxes) -> tuple[list[Served], Wanted]:
        """Return those of some of these lanes that this process may serve now, and the lanes to ask for next.

        Addresses of hosts that are not among `inboxes` are put there.
        """
        ...

    def is_left(self, key: LaneKey) -> bool:
        """Whether a lane is better left alone for a moment."""
        ...

    async def may_send(self, served: Served, *, is_first: bool) -> bool:
        """Ask again before a request whether the peer may have it: somebody may have been removed meanwhile (T17)."""
        ...

    def let_go(self, served: Served) -> None:
        """Say that a lane is not served any more; others may have it after the next `release`."""
        ...

    async def release(self) -> None:
        """Let others have what was let go."""
        ...

    async def keep(self) -> None:
        """Hold for as long as it runs what is being served; runs until it is cancelled."""
        ...


def open_slots(core: Core) -> Slots:
    """Return what suits a node's database."""
    return Alone(core) if core.company is None else Shared(core, core.company)


class Alone:
    """One process has the database to itself: every lane is its own."""

    def __init__(self, core: Core) -> None:
        self._core = core

    async def take(self, wanted: Wanted, inboxes: Inboxes) -> tuple[list[Served], Wanted]:
        """Return all of them with what they send next, read in one snapshot."""
        batches = await self._core.store.read(read_batches, wanted, inboxes)
        return [Served(row, peer, batch) for (row, peer), batch in zip(wanted, batches, strict=True)], ()

    def is_left(self, key: LaneKey) -> bool:
        """Never."""
        return False

    async def may_send(self, served: Served, *, is_first: bool) -> bool:
        """Ask after each entry of a group's log; a node's admission ends with its last member, in that transaction."""
        row = served.row
        return is_first or row.group_id is None or await self._core.store.read(_is_admitted, row.group_id, row.peer_id)

    def let_go(self, served: Served) -> None:
        """Nobody waits for it."""

    async def release(self) -> None:
        """Nothing was taken."""

    async def keep(self) -> None:
        """Nothing is held."""


class Shared:
    """Several processes over one database: what one serves is leased from it."""

    def __init__(self, core: Core, company: Company) -> None:
        self._core = core
        self._company = company
        self._held: dict[LaneKey, Lease] = {}
        self._ended: dict[LaneKey, Lease] = {}
        self._left: dict[LaneKey, float] = {}

    async def take(self, wanted: Wanted, inboxes: Inboxes) -> tuple[list[Served], Wanted]:
        """Lease some of them, and return those that came, read anew."""
        core, owner = self._core, await self._company.attend()
        first, rest = wanted[:CLAIM_AT_ONCE], wanted[CLAIM_AT_ONCE:]
        peers = {peer.peer_id: peer for _, peer in first}
        keys = [(row.peer_id, row.stream) for row, _ in first]
        leases = await core.store.write(claim_lanes, owner=owner, keys=keys)
        now = core.clock.monotonic()
        self._left = {key: until for key, until in self._left.items() if until > now}
        self._left |= {key: now + _LEAVE_SECONDS for key in keys if key not in leases}
        if not leases:
            return [], rest
        self._ended |= leases  # until it is known that they are served
        served = [
            Served(row, peers[row.peer_id], batch, leases[row.peer_id, row.stream], now)
            for row, batch in await core.store.read(read_held, owner, peers, leases, inboxes)
            if row.due_at <= core.clock.now()
        ]
        for each in served:
            if each.lease is not None:
                self._held[each.key] = each.lease
                self._ended.pop(each.key, None)
        await self.release()
        return served, rest

    def is_left(self, key: LaneKey) -> bool:
        """Whether another process had it a moment ago."""
        return self._left.get(key, 0.0) > self._core.clock.monotonic()

    async def may_send(self, served: Served, *, is_first: bool) -> bool:
        """Ask the database, unless it was asked this very moment."""
        if served.lease is None:
            return False
        if is_first and self._core.clock.monotonic() - served.at < _FRESH_SECONDS:
            return True
        return await self._core.store.read(may_send, key=served.key, lease=served.lease)

    def let_go(self, served: Served) -> None:
        """Have the lane released with the next ones."""
        lease = self._held.pop(served.key, None)
        if lease is not None:
            self._ended[served.key] = lease

    async def release(self) -> None:
        """Release what is not served any more."""
        ended, self._ended = self._ended, {}
        for owner in {lease.owner for lease in ended.values()}:
            keys = [key for key, lease in ended.items() if lease.owner == owner]
            await self._core.store.write(release_lanes, owner=owner, keys=keys)

    async def keep(self) -> None:
        """Hold what is being served for longer, every few seconds. What was lost is found out when it is used next."""
        while True:
            await asyncio.sleep(KEEP_SECONDS)
            for owner in {lease.owner for lease in self._held.values()}:
                keys = [key for key, lease in self._held.items() if lease.owner == owner]
                try:
                    await self._core.store.write(keep_lanes, owner=owner, keys=keys)
                except NodeError as error:
                    get_logger().warning("lanes_not_kept", code=error.code, reason=error.internal)


async def _is_admitted(tx: Tx, group_id: int, peer_id: int) -> bool:
    return await get_admission(tx, group_id=group_id, peer_id=peer_id) is not None

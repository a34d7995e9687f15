"""The company: the other processes of this node, on PostgreSQL. What one does, the others must know in time.

*How it works.* Each process has one session of the database outside its pools. It is the proof that the process lives:
leases belong to it and end with it (`leases`). Through it processes send each other *hints*: which bells to ring, at most
twenty messages a second, each with all that was rung since the last. A hint may be lost. So each process also looks every
second: at the list of peers, at what changed of keys, at who reached us, at the journal. What a process keeps in memory of
these is therefore never older than two seconds when it answers another node (`keep_up`), hint or no hint; what must hold
exactly is not read from memory at all (`leases.may_send`).

Spec: reliability.md 4.5, 4.8; decision 0017.
"""

from __future__ import annotations

import asyncio
import contextlib
import random
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from node.domain.peers import Peer
from node.foundation.bell import Bell
from node.foundation.errors import NodeError
from node.foundation.logs import get_logger

from .changes import KEYS, read_changes
from .engine import Tx
from .journal import bring_up_to_date
from .peers import list_peers

if TYPE_CHECKING:
    from .core import Core
    from .postgres import PostgresStore

CHANNEL = "rounds"
LOOK_SECONDS = 1.0
OLDEST_SECONDS = 2.0
HINT_SECONDS = 0.05
SESSION_SECONDS = 5.0
# How far apart the clocks of the machines may be on which the processes run.
_CLOCKS_APART = timedelta(minutes=5)
NEWS_BELL = "news"
STRAYS_BELL = "strays"
# Bells whose ringers and sleepers may be two processes.
SHARED_BELLS = frozenset(
    {"inbox", "lanes", "live", NEWS_BELL, "pictures", "polls", "pull", "recovery", "resend", STRAYS_BELL}
)

_PEERS = "SELECT COUNT(*) AS n, COALESCE(CAST(SUM(version) AS BIGINT), 0) AS versions FROM peers"
_RECEIVED = "SELECT peer_id, last_received_at FROM peers WHERE last_received_at > :since_at"
_LINES = "SELECT lines FROM journal_state WHERE one = 1"
_DOUBT = """INSERT INTO doubts (group_id, peer_id, chain) VALUES (:group_id, :peer_id, :chain)
  ON CONFLICT (group_id, peer_id) DO UPDATE SET chain = excluded.chain"""
_TAKE_DOUBTS = "DELETE FROM doubts WHERE group_id > 0 RETURNING group_id, peer_id, chain"
_DOUBTS = "SELECT COUNT(*) AS n FROM doubts"


@dataclass(frozen=True, slots=True)
class Seen:
    """What a process has seen of the others' doings.

    peers: how many there are, and the sum of their versions. received_at: when somebody reached us last. lines: of the
    journal.
    """

    peers: tuple[int, int]
    changes: dict[str, int]
    received_at: datetime
    lines: int


@dataclass(frozen=True, slots=True)
class _News:
    seen: Seen
    peers: list[Peer] | None
    reached: list[tuple[int, datetime]]
    doubts: int


class SharedBell(Bell):
    """A bell that other processes hear, too. It rings here without `company` until one is there."""

    def __init__(self) -> None:
        super().__init__()
        self.company: Company | None = None

    def ring(self, name: str) -> None:
        """Wake whoever waits for `name`, in every process."""
        self.ring_here(name)
        if self.company is not None and name in SHARED_BELLS:
            self.company.hint(name)


class Company:
    """This process among those of its node.

    takes_doubts: whether this is the process that asks nodes which may hold more than we (`Core.doubt`).
    """

    def __init__(self, core: Core, store: PostgresStore, bell: SharedBell) -> None:
        self._core = core
        self._store = store
        self._bell = bell
        self._session: Any = None
        self._owner = ""
        self._connecting = asyncio.Lock()
        self._hints: set[str] = set()
        self._has_hints = asyncio.Event()
        self._seen: Seen | None = None
        self._seen_at = 0.0
        self._looking = asyncio.Lock()
        self._catching_up = asyncio.Lock()
        self._talking = asyncio.Lock()
        self.takes_doubts = False
        bell.company = self

    @property
    def owner(self) -> str:
        """To whom leases are given now; empty while there is no session."""
        return "" if self._session is None or self._session.is_closed() else self._owner

    async def attend(self) -> str:
        """Return to whom leases are given, once there is a session.

        Raises:
            Busy: The database cannot be reached.
        """
        if owner := self.owner:
            return owner
        async with self._connecting:
            if not self.owner:
                self._session, self._owner = await self._store.open_session(CHANNEL, self._hear)
        return self._owner

    def hint(self, name: str) -> None:
        """Have a bell rung in the other processes, soon."""
        self._hints.add(name)
        self._has_hints.set()

    async def keep_up(self) -> None:
        """Return when what is in memory of the others' doings is at most two seconds old.

        Raises:
            Busy: The database cannot be reached.
        """
        if self._is_old():
            async with self._catching_up:
                if self._is_old():
                    await self.look()

    async def run(self) -> None:
        """Send hints and look at what others did, until cancelled."""
        relaying = asyncio.create_task(self._relay())
        try:
            while True:
                try:
                    await self.look()
                    await self._say("SELECT 1")
                except NodeError as error:
                    get_logger().warning("company_unseen", code=error.code, reason=error.internal)
                    await asyncio.sleep(random.random() * LOOK_SECONDS)  # noqa: S311 processes shall not all come at once
                except Exception:  # whatever the database does: this goes on, or memory would grow old
                    get_logger().exception("company_failed")
                await self._bell.wait(NEWS_BELL, at_most_seconds=LOOK_SECONDS)
        finally:
            relaying.cancel()

    async def look(self) -> None:
        """Take over what others did since the last time."""
        core = self._core
        async with self._looking:
            while True:
                began, stamp = core.clock.monotonic(), core.peers.stamp
                news = await core.store.read(_read_news, self._seen)
                if stamp == core.peers.stamp:  # else something was put there that this snapshot may not have
                    break
            await self._take_over(news)
            self._seen, self._seen_at = news.seen, began
        await self._pass_doubts(news.doubts)

    async def close(self) -> None:
        """End the session; every lease of this process ends with it."""
        self._bell.company = None
        session, self._session = self._session, None
        if session is not None:
            with contextlib.suppress(Exception):
                await session.close(timeout=2)

    async def _take_over(self, news: _News) -> None:
        core, before = self._core, self._seen
        if news.peers is not None:
            for peer in news.peers:
                core.peers.keep(peer)
            self._bell.ring_here("lanes")
        for peer_id, at in news.reached if before is not None else ():
            known = core.peers.by_id(peer_id)
            if known is not None and (known.last_received_at is None or known.last_received_at < at):
                core.peers.note_received(peer_id, at)
                self._bell.ring_here("lanes")
        if before is None:
            return
        if news.seen.changes.get(KEYS, 0) != before.changes.get(KEYS, 0):
            core.keyring.forget_all()
            await core.keyring.open_attesting(core.instance_uri)
        if news.seen.lines != before.lines:
            await bring_up_to_date(core.store, core.store.journal)

    async def _pass_doubts(self, waiting: int) -> None:
        """Hand doubts to the process that asks about them, or take what others have noticed."""
        core = self._core
        if self.takes_doubts and waiting:
            for group_id, peer_id, chain in await core.store.write(_take_doubts):
                core.doubt(group_id, peer_id, chain)
        elif core.doubts and not self.takes_doubts:
            doubts = dict(core.doubts)
            await core.store.write(_give_doubts, doubts)
            for key, chain in doubts.items():
                if core.doubts.get(key) == chain:
                    del core.doubts[key]
            self.hint(NEWS_BELL)

    async def _relay(self) -> None:
        while True:
            await self._has_hints.wait()
            self._has_hints.clear()
            names, self._hints = self._hints, set()
            try:
                await self._say("SELECT pg_notify($1, $2)", CHANNEL, " ".join([await self.attend(), *sorted(names)]))
            except Exception as error:  # the others look by themselves, a second later
                get_logger().info("hint_lost", reason=type(error).__name__)
            await asyncio.sleep(HINT_SECONDS)

    async def _say(self, words: str, *values: str) -> None:
        """Say something through the session; where it does not answer, it is over and a new one begins."""
        async with self._talking:
            await self.attend()
            try:
                await self._session.execute(words, *values, timeout=SESSION_SECONDS)
            except Exception:
                self._session.terminate()
                raise

    def _is_old(self) -> bool:
        return self._core.clock.monotonic() - self._seen_at > OLDEST_SECONDS

    def _hear(self, session: Any, pid: int, channel: str, said: str) -> None:
        """Ring what another process rang. What it says is a name of a bell, and nothing else is believed."""
        sender, *names = said.split(" ")
        if sender != self._owner:
            for name in SHARED_BELLS.intersection(names):
                self._bell.ring_here(name)
            self._bell.ring_here(NEWS_BELL)


async def _read_news(tx: Tx, before: Seen | None) -> _News:
    [counted] = await tx.all(_PEERS)
    peers = (counted.n, counted.versions)
    since = (before.received_at if before is not None else tx.now) - _CLOCKS_APART
    reached = [(row.peer_id, row.last_received_at) for row in await tx.all(_RECEIVED, since_at=since)]
    seen = Seen(
        peers,
        await read_changes(tx),
        max([since, *(at for _, at in reached)]),
        int(await tx.value(_LINES)),
    )
    is_same = before is not None and before.peers == peers
    return _News(seen, None if is_same else await list_peers(tx), reached, int(await tx.value(_DOUBTS)))


async def _take_doubts(tx: Tx) -> list[tuple[int, int, str]]:
    return [(row.group_id, row.peer_id, row.chain) for row in await tx.all(_TAKE_DOUBTS)]


async def _give_doubts(tx: Tx, doubts: dict[tuple[int, int], str]) -> None:
    for (group_id, peer_id), chain in sorted(doubts.items()):
        await tx.run(_DOUBT, group_id=group_id, peer_id=peer_id, chain=chain)

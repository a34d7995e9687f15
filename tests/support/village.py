"""A village: real nodes in one process that talk to each other over loopback, each behind a recording proxy.

Nothing of a node is replaced: its data directory, database, web server, keys, signatures and lanes are the real ones.
Only time can be moved on (`pass_time`), for everybody alike, and what takes a tenth of a second is made once per session
and used again by the next test: RSA keys, and the hash of the password of all members. `rest` waits until nothing can
move any more without time passing.
"""

from __future__ import annotations

import asyncio
import contextlib
import io
import json
import secrets
import socket
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import structlog
import uvicorn

from node.app import Application
from node.cli.runner import run_command
from node.community.house import House, close_core, open_core
from node.community.polls.handlers import POLLS_BELL
from node.foundation.config import CONFIG_NAME, load_config
from node.foundation.logs import configure_logs
from node.inbox.pictures import PICTURES_BELL
from node.inbox.pull import PULL_BELL
from node.inbox.receive import INBOX_BELL
from node.outbox.publish import CONTROL, LANES_BELL
from node.store.activities import list_waiting
from node.store.core import DOUBTS_BELL
from node.store.engine import Tx
from node.store.logs import list_pulls_due, list_unapplied
from node.store.media import list_wanted
from node.store.streams import LaneRow, list_lanes
from node.store.submissions import list_submissions_due
from node.store.votes import list_polls_due, list_unsure_votes
from tests.support.commands import CommandRefused, Commands
from tests.support.databases import Databases
from tests.support.foreign import ForeignActor, ForeignPeer
from tests.support.pools import KeyPool, hash_once
from tests.support.proxy import Proxy
from tests.support.server import Server
from tests.support.traces import find_in_bytes, find_in_folder, find_in_rows, read_rows
from tests.support.waiting import LOOK_SECONDS, until

REST_SECONDS = 30.0
# Lanes to a peer that came back start within this time, not all at once.
SPREAD = timedelta(seconds=1)
# A node of the village reads little; each connection to PostgreSQL costs as much as thirty of its reads.
_READERS = 3
# Where the words of groups and messages lie, and who belongs to them. Not: what a node remembers about deliveries.
CONTENT = frozenset(
    {"posts", "post_versions", "post_people", "mentions", "media", "log_entries", "author_cards", "memberships",
     "admissions", "readers", "submissions"}
)  # fmt: skip
_BELLS = (INBOX_BELL, LANES_BELL, PICTURES_BELL, PULL_BELL, "resend", DOUBTS_BELL, POLLS_BELL)


class MovingClock:
    """The machine's clock, which a test can put forward; it never stands still, so whoever waits on it goes on."""

    def __init__(self) -> None:
        self._ahead = timedelta()

    def now(self) -> datetime:
        """Return the current instant."""
        return datetime.now(UTC) + self._ahead

    def monotonic(self) -> float:
        """Return seconds that never go back."""
        return time.monotonic() + self._ahead.total_seconds()

    def advance(self, seconds: float) -> None:
        """Let time pass."""
        self._ahead += timedelta(seconds=seconds)


class _StoreClock:
    """The village's time for a store, which takes a sudden jump for a long queue unless durations stay true."""

    def __init__(self, clock: MovingClock) -> None:
        self.now = clock.now
        self.monotonic = time.monotonic


@dataclass(slots=True)
class _Running:
    """What exists while a node is up."""

    house: House
    server: Server
    serving: asyncio.Task[None]
    port: int


class Node(Commands):
    """One node of the village. Its directory and its address outlive `stop`."""

    def __init__(self, data: Path, proxy: Proxy, clock: MovingClock) -> None:
        self.data = data
        self.proxy = proxy
        self.origin = f"http://{proxy.host}"
        self._clock = clock
        self._running: _Running | None = None

    @property
    def is_up(self) -> bool:
        """Whether the node is running."""
        return self._running is not None

    @property
    def house(self) -> House:
        """The running node itself."""
        assert self._running is not None, "this node is stopped"
        return self._running.house

    @property
    def core(self) -> Any:
        """The running node's core."""
        return self.house.core

    async def start(self) -> None:
        """Open the data directory and serve it."""
        core = await open_core(self.data, config=load_config(self.data, {}), clock=self._clock)
        core.store.clock = _StoreClock(self._clock)  # type: ignore[attr-defined]
        house = House(core)
        listener = socket.create_server(("127.0.0.1", 0), backlog=512)
        config = uvicorn.Config(
            Application(house), loop="none", http="httptools", ws="none", lifespan="off", log_config=None,
            access_log=False, server_header=False, timeout_graceful_shutdown=3, timeout_keep_alive=15,
        )  # fmt: skip
        server = Server(config)
        house.start()
        serving = asyncio.create_task(server.serve(sockets=[listener]))
        port = listener.getsockname()[1]
        self._running = _Running(house, server, serving, port)
        self.proxy.lead_to(port)
        await until(lambda: server.started)

    async def stop(self) -> None:
        """Stop serving and working, and close the directory; stopping twice does no harm."""
        running, self._running = self._running, None
        if running is None:
            return
        self.proxy.lead_to(None)
        running.server.leave()
        await running.serving
        await running.house.stop()
        await close_core(running.house.core)

    async def run(self, *argv: str, text: str = "") -> Any:
        """Run a command inside the node; see `Commands.run`."""
        out, err = io.StringIO(), io.StringIO()
        code = await run_command(self.house, [*argv, "--json"], text, out.write, err.write)
        if code != 0:
            raise CommandRefused(code, err.getvalue().strip() or out.getvalue().strip())
        return json.loads(out.getvalue())

    async def rows(self) -> dict[str, list[str]]:
        """Return every row of every table of the database, as text."""
        return await read_rows(load_config(self.data, {}).database, self.data)

    async def select(self, sql: str, **values: Any) -> list[Any]:
        """Return the rows of a question to the database."""

        async def ask(tx: Tx) -> list[Any]:
            return await tx.all(sql, **values)

        return list(await self.core.store.read(ask))

    async def content(self) -> dict[str, list[str]]:
        """Return the rows of the tables that hold what people said and who is where, without the bookkeeping."""
        return {table: rows for table, rows in (await self.rows()).items() if table in CONTENT}

    def ring(self) -> None:
        """Have everybody in the node look whether there is something to do."""
        for bell in _BELLS:
            self.core.bell.ring(bell)

    async def find_work(self) -> str:
        """Return what could still move in this node without time passing, or nothing."""
        house = self.house
        if house.deliverer.in_flight or house.processor.is_busy:
            return "something is under way"
        frozen = [peer.peer_id for peer in self.core.peers.all() if peer.state == "paused"]
        names: list[str] = await self.core.store.read(_list_due, frozen)
        rows: list[LaneRow] = await self.core.store.read(list_lanes)
        soon, held_back = self.core.clock.now() + SPREAD, set()
        for row in sorted(rows, key=lambda each: each.stream != CONTROL):
            peer = self.core.peers.by_id(row.peer_id)
            if row.head <= row.cursor or peer is None or peer.state != "active" or row.peer_id in held_back:
                continue
            if row.stream == CONTROL:
                held_back.add(row.peer_id)
            if row.due_at <= soon:
                names.append(f"the lane {row.stream} to {peer.host}")
        return ", ".join(names)


async def _list_due(tx: Tx, frozen_ids: list[int]) -> list[str]:
    found = {
        "inbox": await list_waiting(tx, frozen_ids=frozen_ids),
        "entries to apply": await list_unapplied(tx),
        "pictures": await list_wanted(tx),
        "pulls": await list_pulls_due(tx),
        "submissions": await list_submissions_due(tx),
        "polls": await list_polls_due(tx),
        "votes that may be lost": await list_unsure_votes(tx),
    }
    return [name for name, due in found.items() if due]


class Village:
    """Nodes on loopback. Made by `open_village`."""

    def __init__(self, databases: Databases, folder: Path) -> None:
        self.clock = MovingClock()
        self.nodes: list[Node] = []
        self.log_path = folder / "village.log"
        self._databases = databases
        self._foreign: list[ForeignPeer] = []

    async def node(self, name: str, *, up: bool = True) -> Node:
        """Make a node with an empty database and start it."""
        address, data = await self._databases.new_data()
        proxy = Proxy()
        await proxy.start()
        (data / "keys").mkdir()
        (data / "keys" / "node.key").write_bytes(secrets.token_bytes(32))
        settings = {"base_url": f"http://{proxy.host}", "name": name.capitalize(), "database": address}
        lines = [f"{key} = {json.dumps(value)}" for key, value in settings.items()]
        (data / CONFIG_NAME).write_text("\n".join([*lines, "[federation]", "insecure_loopback = true", ""]))
        made = Node(data, proxy, self.clock)
        self.nodes.append(made)
        if up:
            await made.start()
        return made

    async def foreign(self) -> ForeignPeer:
        """Start an outside party with its own keys and its own reading of the papers."""
        made = ForeignPeer(self.clock.now)
        await made.start()
        self._foreign.append(made)
        return made

    async def befriend(self, *nodes: Node) -> None:
        """Put each of these nodes on the list of each other."""
        for one in nodes:
            for other in nodes:
                if one is not other:
                    await one.add_peer(other)

    async def let_in(self, host: Node, group: str, *people: tuple[Node, str]) -> None:
        """Have people ask to join, approve them at the host, and wait until they are in."""
        for home, handle in people:
            await home.join(group, as_=handle)
        await self.rest()
        for home, handle in people:
            await host.approve(group, home.person(handle))
        await self.rest()

    async def shared_ward(self, **settings: Any) -> tuple[Node, Node, str]:
        """Make a society with a group of ana's, and a hospital whose ben is in it; return both nodes and the group."""
        a, b = await self.node("society"), await self.node("hospital")
        await self.befriend(a, b)
        await a.member("ana")
        await b.member("ben")
        ward = await a.group("ward", owner="ana", **settings)
        await self.let_in(a, ward, (b, "ben"))
        return a, b, ward

    async def let_foreign_in(self, host: Node, group: str, peer: ForeignPeer, *people: ForeignActor) -> None:
        """Have people of an outside party ask to join, approve them at the host, and wait until they are in."""
        for person in people:
            await peer.send(f"{group}/inbox", peer.activity("Follow", person, group, to=[group]), person)
        await self.rest()
        for person in people:
            await host.approve(group, person.uri)
        await self.rest()

    async def join_foreign(self, node: Node, handle: str, host: ForeignPeer, group: ForeignActor) -> None:
        """Have a member of a node join a group of an outside party, which lets them in as it should."""
        await node.join(group.uri, as_=handle)
        follow = (await host.wait_for("Follow")).document
        await host.send(f"{node.origin}/inbox", host.accept(group, follow), group)
        await self.rest()

    async def foreign_friend(self, *nodes: Node) -> ForeignPeer:
        """Start an outside party that is an active peer of these nodes."""
        made = await self.foreign()
        for node in nodes:
            await node.run("peer", "add", made.origin, "--unpinned", "--yes")
        return made

    async def rest(self) -> None:
        """Wait until nothing in any node can move without time passing, and nothing is on the wire."""
        deadline = time.monotonic() + REST_SECONDS
        seen: tuple[int, ...] | None = None
        before: tuple[int, ...] | None = None
        while True:
            work = ["something is on the wire"]
            traces = self._traces()
            if traces == seen:  # while something moves, the databases have better things to do than to be asked
                work = [await node.find_work() for node in self.nodes if node.is_up]
                traces = self._traces()
                if not any(work) and traces == before:
                    return
                before = None if any(work) else traces
            seen = traces
            assert time.monotonic() < deadline, f"the village does not come to rest: {'; '.join(filter(None, work))}"
            await asyncio.sleep(LOOK_SECONDS)  # a look, not a guess: the loop ends when the nodes say so

    async def pass_time(self, seconds: float) -> None:
        """Let time pass for all nodes, and wait until they have done what was due."""
        self.clock.advance(seconds)
        for node in self.nodes:
            if node.is_up:
                node.ring()
        await self.rest()

    async def find_kept(self, word: str, node: Node) -> list[str]:
        """Return every place where a word lies with a node: rows, files of the database, pictures, logs.

        On PostgreSQL the rows stand for the files, whose freed space only a vacuum clears.
        """
        found = find_in_rows(word, await node.rows()) + find_in_folder(word, node.data)
        return found + (["log"] if find_in_bytes(word, self.log_path.read_bytes()) else [])

    def find_said(self, word: str, node: Node) -> list[str]:
        """Return the conversations between nodes in which a node has sent or been sent a word."""
        talks = [talk for each in self.nodes for talk in each.proxy.conversations if talk.concerns(node.host)]
        return [
            f"{talk.client} -> {talk.server}" for talk in talks if find_in_bytes(word, bytes(talk.sent + talk.answered))
        ]

    async def close(self) -> None:
        """Stop everything."""
        await asyncio.gather(*(node.stop() for node in self.nodes))
        for peer in self._foreign:
            await peer.stop()
        for node in self.nodes:
            await node.proxy.stop()

    def _traces(self) -> tuple[int, ...]:
        written = [node.core.store.counts.bodies for node in self.nodes if node.is_up]
        return (*written, *(node.proxy.bytes_passed for node in self.nodes))


@contextlib.asynccontextmanager
async def open_village(
    databases: Databases, folder: Path, pool: KeyPool, patch: pytest.MonkeyPatch
) -> AsyncIterator[Village]:
    """Give a village without nodes; everything in it ends with the block.

    Args:
        databases: Makes one database per node.
        folder: Where the log of all nodes goes.
        pool: Where RSA keys come from.
        patch: Undoes what is changed for the length of the test.
    """
    patch.setattr("node.store.keyring.generate_rsa_key", pool.take)
    hash_once(patch)
    patch.setattr("node.store.postgres.READERS", _READERS)
    made = Village(databases, folder)
    with made.log_path.open("w") as log:
        configure_logs(level="debug", stream=log)
        try:
            yield made
        finally:
            await made.close()
            structlog.reset_defaults()
            pool.give_back()

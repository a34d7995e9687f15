"""Rounds of kill -9: two nodes that host a group each, members who write, and one process that ends at a commit boundary.

*How it works.* Both nodes run under `launcher`, each with a boundary at which it is to end: of those that it has crossed so far,
the one that was hit least. A burst of everything that members and staff do goes through them until one of them is gone; should
none be, one is ended in mid-air. On PostgreSQL every fourth round ends the server itself, by force, while both write. Whoever is
gone is started again, with the next boundary, which may end it once more while it catches up. When all is at rest, the six rules
of `tests/support/invariants.py` must hold.
"""

from __future__ import annotations

import asyncio
import base64
import contextlib
import random
import struct
import sys
import zlib
from collections import Counter
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import aiohttp

from node.store.stray_files import LEFT_SECONDS
from tests.faults.boundaries import ROOT, list_boundaries
from tests.support.commands import CommandRefused
from tests.support.neighbours import Neighbours, a_member, let_in
from tests.support.postgres import Cluster, start
from tests.support.process_node import ProcessNode
from tests.support.waiting import until

BURST_SECONDS = 12.0
_IN_MID_AIR = "(in mid-air, between boundaries)"
_SERVER = "(PostgreSQL itself)"
_EVERY = 4


@dataclass(slots=True)
class Report:
    """What the rounds did. hits: {boundary: how often a process ended there}. crossed: boundaries that were seen at all."""

    kind: str
    rounds: int = 0
    acknowledged: int = 0
    hits: Counter[str] = field(default_factory=Counter)
    crossed: set[str] = field(default_factory=set)
    broken: list[str] = field(default_factory=list)

    def format(self) -> str:
        """Return the table: what was hit how often, what was crossed and not hit, what was never crossed."""
        known = list_boundaries()
        lines = [
            f"{self.kind}: {self.rounds} rounds, {sum(self.hits.values())} processes ended, "
            f"{self.acknowledged} posts acknowledged, {len(self.broken)} rules broken"
        ]
        lines += [
            f"  {times:4} × {name}" for name, times in sorted(self.hits.items(), key=lambda hit: (-hit[1], hit[0]))
        ]
        missed = sorted(self.crossed - set(self.hits))
        never = [name for name in known if name not in self.crossed and name not in self.hits]
        lines += [f"crossed, not hit ({len(missed)}):", *(f"    {name}" for name in missed)]
        lines += [f"never crossed in these rounds ({len(never)}):", *(f"    {name}" for name in never)]
        return "\n".join([*lines, *self.broken])


class Rounds:
    """Two nodes under the launcher, and those who write there."""

    def __init__(self, pair: Neighbours, kind: str, *, seed: int, server: Server | None = None) -> None:
        self.pair = pair
        self.report = Report(kind)
        pair.truth.swept_after_seconds = LEFT_SECONDS
        self._server = server
        self._chance = random.Random(seed)
        self._armed: dict[str, str] = {}
        self._tried: Counter[str] = Counter()
        self._mine: dict[str, list[tuple[str, str, str]]] = {}
        self._clinic = ""
        self._count = 0

    async def prepare(self) -> None:
        """Let each node host a group in which a member of the other is, and put both under the launcher."""
        a, b = self.pair.a, self.pair.b
        words = ["--title", "Clinic", "--policy", "open", "--owner", "ben"]
        self._clinic = str((await b.tell("group", "create", "clinic", *words))["uri"])
        await let_in(b, self._clinic, a, "ana")
        await self.pair.rest()
        for node in (a, b):
            node.program = [sys.executable, "-m", "tests.faults.launcher"]
            node.environment["FAIL_SEEN"] = str(self._seen_path(node))
            node.environment["PYTHONPATH"] = str(ROOT)
            await node.stop()
            await self._start(node)

    async def run(self, rounds: int, note: Callable[[Report], object] | None = None) -> Report:
        """Go through so many rounds, or until a rule is broken; `note` is shown how far it has come after each."""
        for number in range(rounds):
            if self._server is not None and number % _EVERY == _EVERY - 1:
                await self._end_the_server()
            else:
                await self._end_a_process()
            await self.pair.rest(revive=self._revive, seconds=90)
            self.report.rounds += 1
            self.report.acknowledged = len(self.pair.truth.acknowledged)
            self.report.crossed = {name for node in self.pair.nodes for name in self._read_seen(node)}
            self.report.broken += [f"round {number}: {broken}" for broken in await self.pair.check()]
            if note is not None:
                note(self.report)
            if self.report.broken:
                break
        return self.report

    async def _end_a_process(self) -> None:
        burst = asyncio.create_task(self._burst())
        with contextlib.suppress(AssertionError):  # all of that, and nobody came by
            await until(lambda: burst.done() or not self._all_run(), seconds=BURST_SECONDS)
        if self._all_run():
            node = self._chance.choice(self.pair.nodes)
            self._note(_IN_MID_AIR)
            self._armed.pop(node.host, "")
            await node.kill()
        await self._finish(burst)
        for node in self.pair.nodes:
            if not node.is_running:
                await self._revive(node)

    async def _end_the_server(self) -> None:
        assert self._server is not None
        burst = asyncio.create_task(self._burst())
        written = self.pair.count + self._chance.randint(2, 12)
        await until(lambda: burst.done() or self.pair.count >= written, seconds=60)
        self._note(_SERVER)
        self._server.kill()
        await asyncio.sleep(self._chance.random() * 0.5)  # a moment without a database, of any length
        self._server.start()
        await self._finish(burst)

    async def _finish(self, burst: asyncio.Task[None]) -> None:
        """Let everybody who writes come to an end: what they were not told of is not acknowledged."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(30):
                await burst

    def _all_run(self) -> bool:
        return all(node.is_running for node in self.pair.nodes)

    async def _revive(self, node: ProcessNode) -> None:
        """Start a node that has ended, with the next boundary."""
        if ended_at := self._armed.pop(node.host, ""):
            self._note(ended_at.partition("#")[0])
        await node.wait_dead(seconds=5)
        await self._start(node)

    async def _start(self, node: ProcessNode) -> None:
        node.environment["FAIL_AT"] = self._armed[node.host] = self._choose(node)
        try:
            await node.start()
        except AssertionError:  # it ended as it began: that boundary lies before it is ready
            self._note(self._armed.pop(node.host).partition("#")[0])
            await node.wait_dead(seconds=5)
            node.environment["FAIL_AT"] = ""
            await node.start()

    def _choose(self, node: ProcessNode) -> str:
        """Return a boundary that this node has crossed before and that was tried least, and how often it is passed first."""
        seen = sorted(self._read_seen(node))
        if not seen:
            return ""
        least = min(self._tried[name] for name in seen)
        name = self._chance.choice([name for name in seen if self._tried[name] == least])
        self._tried[name] += 1
        return f"{name}#{self._chance.randint(1, 2)}"

    def _note(self, name: str) -> None:
        self.report.hits[name] += 1

    def _seen_path(self, node: ProcessNode) -> Path:
        return node.data.with_suffix(".seen")

    def _read_seen(self, node: ProcessNode) -> set[str]:
        path = self._seen_path(node)
        return set(path.read_text().split()) if path.exists() else set()

    async def _burst(self) -> None:
        """Do everything that members and staff do, in any order, at both nodes at once."""
        acts = [self._topic, self._topic, self._talk, self._talk, self._change, self._take_back, self._write_to]
        acts += [self._come_and_go, self._tend, self._picture, self._operate, self._browse]
        jobs: list[Callable[[ProcessNode], Awaitable[None]]] = [*acts, *acts]
        self._chance.shuffle(jobs)
        waiting: Iterator[Callable[[ProcessNode], Awaitable[None]]] = iter(jobs)

        async def hand() -> None:
            for job in waiting:
                if not self._all_run():
                    return
                try:
                    await job(self._chance.choice(self.pair.nodes))
                except (CommandRefused, OSError, ValueError, AssertionError, TimeoutError, aiohttp.ClientError):
                    continue  # the node has ended under it, or says no: either way nothing was acknowledged

        await asyncio.gather(*(hand() for _ in range(4)))

    async def _topic(self, node: ProcessNode) -> None:
        group = self._chance.choice((self.pair.ward, self._clinic))
        status = await self.pair.say(node, group=group)
        if status is not None:
            word = self.pair.truth.acknowledged[-1].word
            self._mine.setdefault(node.host, []).append((status["id"], status["uri"], word))

    async def _talk(self, node: ProcessNode) -> None:
        if mine := self._mine.get(node.host):
            number, uri, _ = self._chance.choice(mine)
            group = next((each.group for each in self.pair.truth.acknowledged if each.post == uri), "")
            if group:
                await self.pair.say(node, to=number, group=group)

    async def _change(self, node: ProcessNode) -> None:
        if mine := self._mine.get(node.host):
            _, uri, word = self._chance.choice(mine)
            await node.tell("post", "edit", uri, "--as", self._member(node), text=f"{word} and more")

    async def _take_back(self, node: ProcessNode) -> None:
        mine = self._mine.get(node.host, [])
        if len(mine) < 4:
            return
        _, uri, word = mine.pop(0)
        truth = self.pair.truth
        [known] = [each for each in truth.acknowledged if each.post == uri]
        truth.acknowledged.remove(known)  # until it is acknowledged, either may be
        await node.tell("post", "withdraw", uri, "--as", self._member(node))
        truth.add(known.group, uri, word)
        truth.take_back(uri)

    async def _write_to(self, node: ProcessNode) -> None:
        other = self._other(node)
        await node.tell("message", "send", other.person(self._member(other)), "--as", self._member(node), text="Hello")

    async def _come_and_go(self, node: ProcessNode) -> None:
        self._count += 1
        handle, other = f"guest{self._count}", self._other(node)
        group = self._clinic if other is self.pair.b else self.pair.ward
        await a_member(node, handle)
        await node.tell("group", "join", group, "--as", handle, "--reason", "a look")
        if self._chance.random() < 0.5:
            await node.tell("group", "leave", group, "--as", handle)
        else:
            await other.tell("group", "remove", group, node.person(handle), "--yes")

    async def _tend(self, node: ProcessNode) -> None:
        group = self.pair.ward if node is self.pair.a else self._clinic
        uri = await self.pair.speak(
            node, group=group
        )  # a topic that nobody answers: in a locked one they would be told no
        for verb in self._chance.sample(("pin", "unpin", "lock", "unlock"), 3):
            await node.tell("post", verb, uri, "--as", self._member(node))
        await node.tell("group", "change", group, "--title", "Ward" if node is self.pair.a else "Clinic")

    async def _picture(self, node: ProcessNode) -> None:
        self._count += 1
        picture = base64.b64encode(a_picture(self._chance.randrange(2**24))).decode()
        words = ["--as", self._member(node), "--image-data", picture, "--alt", "a colour"]
        word = f"canary-p{self._count}x{self._chance.randrange(10**9)}"
        group = self._chance.choice((self.pair.ward, self._clinic))
        posted = await node.tell("post", "add", group, *words, text=word)
        self.pair.truth.add(group, posted["uri"], word)

    async def _operate(self, node: ProcessNode) -> None:
        self._count += 1
        await node.tell("member", "token", self._member(node), "--scopes", "read")
        await node.tell("lane", "retry", self._other(node).host)
        await node.tell("group", "create", f"room{self._count}", "--title", "Room", "--owner", self._member(node))

    async def _browse(self, node: ProcessNode) -> None:
        address = "ward" if node is self.pair.a else f"ward@{self.pair.a.host}"
        await self.pair.reader(node).read_pages(address)

    def _other(self, node: ProcessNode) -> ProcessNode:
        return self.pair.b if node is self.pair.a else self.pair.a

    def _member(self, node: ProcessNode) -> str:
        return self.pair.reader(node).handle


class Server:
    """A PostgreSQL server that is ended by force and started again over the same files."""

    def __init__(self, cluster: Cluster) -> None:
        self._cluster = cluster

    def kill(self) -> None:
        """End it by force."""
        self._cluster.kill()

    def start(self) -> None:
        """Start it again; its address stays."""
        self._cluster = start(self._cluster.folder, is_durable=True)

    def stop(self) -> None:
        """End it in order."""
        self._cluster.stop()


@contextmanager
def a_server(cluster: Cluster) -> Iterator[Server]:
    """Give a cluster of `a_cluster` as one that may be ended by force."""
    server = Server(cluster)
    try:
        yield server
    finally:
        server.stop()


def a_picture(colour: int) -> bytes:
    """Return a PNG of one pixel of a colour."""

    def chunk(name: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))

    head = struct.pack(">IIBBBBB", 1, 1, 8, 2, 0, 0, 0)
    pixel = zlib.compress(b"\0" + colour.to_bytes(3, "big"))
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", pixel) + chunk(b"IEND", b"")

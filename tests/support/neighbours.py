"""Nodes in processes of their own that share groups, what was acknowledged there, and the rules that hold at rest."""

from __future__ import annotations

import asyncio
import sqlite3
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import aiohttp

from .commands import CommandRefused
from .holdings import Place
from .invariants import Truth, check_doors, check_places
from .process_node import ProcessNode
from .reader import Reader
from .waiting import until_true

LOOK_SECONDS = 0.05
_DUE = (
    "UPDATE activities SET due_at = 0 WHERE state = 'waiting'",
    "UPDATE groups SET apply_due_at = 0",
    "UPDATE groups SET pull_due_at = 0 WHERE pull_due_at IS NOT NULL",
    "UPDATE submissions SET resend_at = 0 WHERE state = 'waiting'",
    "UPDATE lanes SET due_at = 0",
)
_NAMES = ("society", "hospital", "college")
_MEMBERS = ("ana", "ben", "cem")


@dataclass
class Neighbours:
    """Nodes that trust each other. The first hosts `ward`; one member of each node is in it: ana, ben, cem.

    addresses: of their databases. readers: each node's member, by the node's host.
    """

    nodes: list[ProcessNode]
    addresses: list[str]
    ward: str = ""
    truth: Truth = field(default_factory=Truth)
    readers: dict[str, Reader] = field(default_factory=dict)
    count: int = 0

    @property
    def a(self) -> ProcessNode:
        """The host of the group."""
        return self.nodes[0]

    @property
    def b(self) -> ProcessNode:
        """A member's node."""
        return self.nodes[1]

    def reader(self, node: ProcessNode) -> Reader:
        """Return the member of a node who reads and writes."""
        return self.readers[node.host]

    def place(self, node: ProcessNode) -> Place:
        """Return where a node keeps what it has."""
        return Place(node.host, self.addresses[self.nodes.index(node)], node.data)

    async def say(self, node: ProcessNode, *, to: str = "", group: str = "") -> dict[str, Any] | None:
        """Have a node's member post in the ward, or elsewhere, or answer; None where it was not acknowledged.

        What is acknowledged is in the truth from then on. Each post has a word that no other has.
        """
        self.count += 1
        word = f"canary-{self.count}x{time.time_ns() % 10**9}"
        group = group or self.ward
        address = group.rpartition("/")[2] + ("" if group.startswith(node.origin) else f"@{group.split('/')[2]}")
        text = word if to else f"@{address} {word}"
        try:
            status = await self.reader(node).say(text, to=to)
        except (OSError, TimeoutError, aiohttp.ClientError):
            return None
        self.truth.add(group, status["uri"], word)
        return status

    async def speak(self, node: ProcessNode, *, group: str = "") -> str:
        """Have a node's member post by a command, which needs no network; return the post's id. It is acknowledged."""
        self.count += 1
        word = f"canary-{self.count}x{time.time_ns() % 10**9}"
        posted = await node.tell("post", "add", group or self.ward, "--as", self.reader(node).handle, text=word)
        self.truth.add(group or self.ward, posted["uri"], word)
        return str(posted["uri"])

    async def has(self, node: ProcessNode, post: str) -> bool:
        """Return whether a post of the ward has come to a node."""
        shown = await node.tell("post", "list", self.ward, "--as", self.reader(node).handle)
        return any(each["uri"] == post for each in shown["posts"])

    async def rest(
        self, *, seconds: float = 60, revive: Callable[[ProcessNode], Awaitable[None]] | None = None, hurry: bool = True
    ) -> None:
        """Wait until nothing is on its way between the nodes that run.

        Args:
            seconds: How long at most.
            revive: Starts a node that has ended; without it that is an error.
            hurry: Whether lanes that wait out a back-off are tried now, as an operator may have them.
        """
        deadline, still = time.monotonic() + seconds, 0
        seen: list[Any] = []
        while still < 2:
            shown = []
            for node in self.nodes:
                if not node.is_running and revive is not None:
                    await revive(node)
                shown.append(await self._look(node, hurry=hurry))
            still = still + 1 if all(each and each["at_rest"] for each in shown) and shown == seen else 0
            seen = shown
            if time.monotonic() > deadline:
                raise AssertionError(f"no rest: {[each and each['waiting'] for each in shown]}")
            await asyncio.sleep(LOOK_SECONDS)  # a look, not a guess: the loop ends when the nodes say so

    async def check(self) -> list[str]:
        """Return what does not hold of the rows, the files and the words of all nodes."""
        return await check_places([self.place(node) for node in self.nodes], self.truth)

    async def check_doors(self, node: ProcessNode) -> list[str]:
        """Return what does not hold of what a node's member is shown of the ward."""
        address = "ward" if node is self.a else f"ward@{self.a.host}"
        return await check_doors(
            self.place(node), self.reader(node), self.truth, group=self.ward, title="Ward", address=address
        )

    async def _look(self, node: ProcessNode, *, hurry: bool) -> dict[str, Any] | None:
        try:
            shown: dict[str, Any] = await node.tell("status")
            if shown["waiting"]["lanes_due"]:
                shown = await self._leave_out_strangers(node, shown)
            if hurry and shown["waiting"]["lanes_due"]:
                for other in self.nodes:
                    if other is not node:
                        await node.tell("lane", "retry", other.host)
        except CommandRefused:
            return None
        return {name: shown[name] for name in ("at_rest", "waiting", "stored")}

    async def _leave_out_strangers(self, node: ProcessNode, shown: dict[str, Any]) -> dict[str, Any]:
        """Return the status without lanes to others than these nodes: a peer that was parted from keeps its lane."""
        hosts = {each.host for each in self.nodes}
        lanes = (await node.tell("lane", "list"))["lanes"]
        due = sum(lane["queued"] > 0 and lane["peer"] in hosts for lane in lanes)
        waiting = shown["waiting"] | {"lanes_due": due}
        return shown | {"waiting": waiting, "at_rest": not any(waiting.values())}


@asynccontextmanager
async def the_neighbours(
    folder: Path,
    addresses: Sequence[str],
    *,
    settings: str = "",
    ready: bool = True,
    prepare: Callable[[ProcessNode], None] = lambda node: None,
    make: Callable[[str], dict[str, Any]] = lambda name: {},
) -> AsyncIterator[Neighbours]:
    """Start as many nodes as there are databases, friends of each other; they end with the block.

    Args:
        folder: Where their data goes.
        addresses: Of their databases.
        settings: Lines for the end of each `rounds.toml`.
        ready: Whether the members of all are in the ward already.
        prepare: Is shown each node before it is started.
        make: Gives more arguments for `ProcessNode.make`, by the node's name.
    """
    made: list[ProcessNode] = []
    neighbours = Neighbours(made, list(addresses))
    try:
        pairs = list(zip(_NAMES, addresses, strict=False))
        made += await asyncio.gather(
            *(
                ProcessNode.make(folder / name, name=name.capitalize(), database=address, **make(name))
                for name, address in pairs
            )
        )
        for name, _ in pairs:
            if settings:
                with (folder / name / "rounds.toml").open("a") as file:
                    file.write(f"\n{settings}\n")
        for node in made:
            prepare(node)
        await asyncio.gather(*(node.start() for node in made))
        await _meet(neighbours)
        if ready:
            await _join(neighbours)
        yield neighbours
    finally:
        for reader in neighbours.readers.values():
            await reader.close()
        for node in made:
            await node.close()


async def _meet(neighbours: Neighbours) -> None:
    nodes = neighbours.nodes
    prints = {node.host: str((await node.tell("key", "fingerprint"))["hex"]) for node in nodes}
    for node, handle in zip(nodes, _MEMBERS, strict=False):
        for other in nodes:
            if other is not node:
                await node.tell("peer", "add", other.origin, "--fingerprint", prints[other.host], "--yes")
        await a_member(node, handle)
        neighbours.readers[node.host] = await Reader.of(node, handle)
    words = ["--title", "Ward", "--policy", "open", "--owner", "ana"]
    neighbours.ward = str((await nodes[0].tell("group", "create", "ward", *words))["uri"])


async def _join(neighbours: Neighbours) -> None:
    for node, handle in zip(neighbours.nodes[1:], _MEMBERS[1:], strict=False):
        await let_in(neighbours.a, neighbours.ward, node, handle)


async def make_due(node: ProcessNode) -> None:
    """Start a node on SQLite anew, and let what it would try again in minutes or hours be due at once."""
    await node.stop()
    connection = sqlite3.connect(node.data / "rounds.sqlite")
    for statement in _DUE:
        connection.execute(statement)
    connection.commit()
    connection.close()
    await node.start()


async def a_member(node: ProcessNode, handle: str) -> str:
    """Add somebody through the running node and return their id."""
    words = ["--name", handle.capitalize(), "--assurance", "A3", "--password-stdin"]
    return str((await node.tell("member", "add", handle, *words, text="correct horse battery"))["uri"])


async def let_in(host: ProcessNode, group: str, node: ProcessNode, handle: str) -> None:
    """Have a member of a node join an open group, and wait until their node holds it."""
    await host.tell("group", "admit", group, node.host, "--yes")
    await node.tell("group", "join", group, "--as", handle, "--reason", "night shifts")

    async def is_in() -> bool:
        roster = (await host.tell("group", "roster", group))["members"]
        listed = await node.tell("group", "list")
        states = [row["state"] for row in roster if row["uri"] == node.person(handle)]
        return states == ["member"] and any(row["uri"] == group for row in listed["groups"])

    await until_true(is_in, seconds=60)

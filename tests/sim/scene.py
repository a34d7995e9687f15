"""A small world for one thing to happen in: one group at node a, members at b and c, good weather, no accidents."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from node.outbox.lane import Lane

from .lanes import DIRECT
from .network import CALM
from .node import Node
from .papers import Document, Group
from .run import Run
from .shelf import Shelf

WARD = "https://a.example/groups/ward"


def person(node: str, number: int = 1) -> str:
    """Return somebody of a node."""
    return f"https://{node}.example/people/{number}"


class Scene:
    """What a directed test tells, step by step."""

    def __init__(self, switched_off: str | None = None, *, members: str = "bc", is_since_join: bool = False) -> None:
        self.run = Run(1, switched_off, [Group(WARD, "a", is_since_join)])
        self.run.world.network.weather = CALM
        self.faults, self.workload = self.run.faults, self.run.workload
        for node in ["a", *members]:
            self.enter(node)

    def node(self, name: str) -> Node:
        """Return a node."""
        return self.run.nodes[name]

    def enter(self, node: str, number: int = 1) -> None:
        """Let somebody in."""
        self.workload.ask_in(WARD, person(node, number))
        self.rest(10)

    def rest(self, seconds: float) -> None:
        """Let time pass."""
        self.run.rest(seconds)

    def say(self, node: str, to: Document | str | None = None) -> Document:
        """Let somebody write, or answer a post."""
        number = len(self.run.world.truth.promises[WARD].acked)
        note: dict[str, Any] = {"type": "Note", "id": f"https://{node}.example/posts/{number}", "content": "Words"}
        if to is not None:
            note["inReplyTo"] = to if isinstance(to, str) else to["object"]["id"]
        return self.workload.say(WARD, person(node), {"type": "Create", "object": note})

    def take_back(self, post: Document) -> Document:
        """Let an author take a post back."""
        said = {"type": "Delete", "object": post["object"]["id"]}
        return self.workload.say(WARD, post["actor"], said)

    def back_up(self, *nodes: str) -> None:
        """Copy these nodes' databases somewhere else."""
        for node in nodes:
            self.node(node).disk.back_up(self.run.world.clock.now)

    def restore(self, node: str, **how: Any) -> None:
        """Put a node's backup back; it is down for ten seconds."""
        self.faults.restore(self.node(node), 10.0, **{"is_declared": True, **how})

    def hold(self, node: str = "a") -> None:
        """Let a node's log lanes wait for a minute, as after a failure: it has the entries, and nobody else has."""
        due_at = self.run.world.clock.instant + timedelta(seconds=60)
        with self.node(node).write() as tx:
            for _, peer in self.node(node).hosting.list_readers():
                tx.put(("lane", peer, WARD), Lane(self.log().head.seq, "backoff", 1, 0, due_at))

    def submit(self, node: str) -> Document:
        """Let somebody write until their host has said that it has it; nobody else has heard of it."""
        self.hold()
        activity = self.say(node)
        while self.node(node).disk.get(("stream", "a", DIRECT))[1]:
            self.rest(0.01)
        return activity

    def part(self, one: str, others: str) -> None:
        """Cut the lines between one node and others."""
        for other in others:
            self.run.world.network.cut |= {(one, other), (other, one)}

    def join(self) -> None:
        """Let all lines work again."""
        self.run.world.network.cut.clear()

    def log(self) -> Shelf:
        """Return the group's log."""
        log: Shelf = self.node("a").disk.get(("log", WARD))
        return log

    def copy(self, node: str) -> Shelf:
        """Return a node's copy of it."""
        copy: Shelf = self.node(node).disk.get(("copy", WARD))
        return copy

    def list_said(self) -> list[str]:
        """Return the ids of the activities that stand in the log with their content, cards left out."""
        return [each.entry.activity for each in self.log().entries if each.salt and each.entry.kind != "author"]

    def check(self) -> list[str]:
        """Let everything come to rest and return what does not hold."""
        return self.run.settle()

    def count(self, name: str) -> int:
        """Return how often something happened."""
        return self.run.world.counts[name]

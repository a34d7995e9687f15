"""A node that lies: as a member's node about what it holds, as a host about its history. It has its own keys, and no others.

What it may not achieve: that a host believes an entry that the host did not write, that a copy follows a second history,
that anybody waits for it for longer than a quarter of an hour.
"""

from __future__ import annotations

import copy
from dataclasses import replace
from typing import Any

from node.federation.grouplog.checkpoint import build_checkpoint
from node.federation.grouplog.entry import LogEntry, ReceivedEntry, commit_of, seal_entry
from node.federation.grouplog.position import Position, format_position
from node.federation.signatures.keys import PrivateKey

from .network import Answer, Request
from .node import Node
from .papers import Document, Group, make_key
from .shelf import Shelf

HISTORIES = ("another past", "another next", "another branch", "far ahead", "no key")
_EVIL = "the liar's own key"


class Malice:
    """What one node does besides, or instead of, what it should."""

    def __init__(self, node: Node) -> None:
        self._node = node
        self._seen: dict[str, dict[str, ReceivedEntry]] = {}
        self._tell = node.copies.get_told
        node.is_honest = False
        node.world.truth.liars.add(node.name)
        node.replace_verb("copies", self._hand_over)
        node.replace_verb("log", self._withhold(node.hosting.show_log))
        node.copies.get_told = self._lie_about_position  # type: ignore[method-assign]
        self._build = node.hosting.build_base
        node.hosting.build_base = self._lie_about_base  # type: ignore[method-assign]

    def act(self) -> None:
        """Do one bad thing, if there is somebody to do it to."""
        if not self._node.is_up:
            return
        for uri in self._node.copies.list_groups():
            shelf: Shelf | None = self._node.disk.get(("copy", uri))
            seen = self._seen.setdefault(uri, {})
            seen.update({each.entry.chain: each for each in shelf.entries if each.salt is not None} if shelf else {})
        for uri in self._node.hosting.groups:
            admitted = sorted(self._node.disk.get(("admitted", uri), {}))
            if admitted and self._node.world.chance.random() < 0.7:
                self.tell(uri, self._node.world.chance.choice(admitted), self._node.world.chance.choice(HISTORIES))

    # As a member's node

    def _lie_about_position(self, uri: str) -> str | None:
        chance = self._node.world.chance
        if chance.random() < 0.6:
            return self._tell(uri)
        self._count("lies about its position")
        epoch, seq = chance.choice([1, 2, 10**15]), chance.choice([0, 1, 5, 10**15])
        return format_position(uri, Position(epoch, seq, f"{chance.getrandbits(256):064x}"))

    def _hand_over(self, source: str, request: Request) -> Answer | None:
        chance, uri = self._node.world.chance, request.group
        roll = chance.random()
        if roll < 0.35:
            self._count("withholds its copy")
            return None if roll < 0.2 else Answer(200)
        documents = [self._node.world.papers.write(each) for each in self._seen.get(uri, {}).values()]
        if documents and roll < 0.6:
            self._count("hands over what was erased")
            return Answer(200, tuple(documents[-30:]))
        self._count("hands over forged entries")
        forged = [self._forge(uri, request.told, chance.choice(["key", "seq", "epoch"])) for _ in range(3)]
        forged += [self._alter(chance.choice(documents))] if documents else []
        return Answer(200, tuple(forged))

    def _forge(self, uri: str, locator: Any, how: str) -> Document:
        """Return an entry of somebody else's group, sealed by the only key at hand."""
        seq, chain = locator[0]
        entry = LogEntry(uri, 1, seq + 1, chain, self._name(), "create", "0" * 64)
        entry = (
            replace(entry, seq=10**12) if how == "seq" else replace(entry, epoch=10**12) if how == "epoch" else entry
        )
        return self._seal(entry, make_key(_EVIL))

    def _seal(self, entry: LogEntry, key: PrivateKey) -> Document:
        activity = {"type": "Create", "id": entry.activity, "actor": f"https://{self._node.name}.example/people/1",
                    "object": {"type": "Note", "id": f"{entry.activity}/post", "content": "Not so"}}  # fmt: skip
        salt = self._node.world.chance.randbytes(32)
        entry = replace(entry, commit=commit_of(salt, activity))
        wire = {**entry.to_wire(), "proof": seal_entry(entry, key)}
        return self._node.world.papers.write(ReceivedEntry(entry, wire, activity, salt, ()))

    def _alter(self, document: Document) -> Document:
        """Return an entry with its host's good proof and other words."""
        changed = copy.deepcopy(document)
        if isinstance(changed["object"].get("object"), dict):
            changed["object"]["object"]["content"] = "Never said"
        else:
            changed["object"]["actor"] = "https://f.example/people/2"
        return changed

    # As a host

    def _withhold(self, show: Any) -> Any:
        def answer(source: str, request: Request) -> Answer | None:
            if self._node.world.chance.random() < 0.3:
                self._count("withholds its log")
                return None
            return show(source, request)  # type: ignore[no-any-return]

        return answer

    def _lie_about_base(self, log: Shelf, group: Group, seq: int) -> Document:
        """Sign a checkpoint that is none, in one of two."""
        if self._node.world.chance.random() < 0.5:
            return self._build(log, group, seq)
        self._count("signs a checkpoint that is none")
        place = self._node.world.chance.choice([(1, -1, "0" * 64), (0, 1, "0" * 64), (1, 1, "Z")])
        name = group.uri if self._node.world.chance.random() < 0.7 else f"{group.uri}/other"
        return build_checkpoint(name, Position(*place), group.key)

    def tell(self, uri: str, peer: str, how: str) -> None:
        """Bring a node an entry that is signed well and contradicts what it was told, or was told to others."""
        chance, log = self._node.world.chance, self._node.disk.get(("log", uri))
        copies: Shelf | None = self._node.world.network.nodes[peer].disk.get(("copy", uri))
        if copies is None or not copies.entries:
            return
        theirs = copies.head
        entry = LogEntry(uri, theirs.epoch, theirs.seq + 1, theirs.chain, self._name(), "create", "0" * 64)
        key = make_key(_EVIL) if how == "no key" else self._node.hosting.groups[uri].key
        if how == "another past":
            past = chance.choice(copies.entries).entry
            entry = replace(entry, epoch=past.epoch, seq=past.seq, prev=past.prev)
        elif how == "another branch":
            entry = replace(entry, prev="e" * 64)
        elif how == "far ahead":
            entry = replace(entry, seq=theirs.seq + 1000)
        self._count(f"tells {how}")
        is_fork = how in ("another past", "another branch")

        def then(answer: Answer | None) -> None:
            if is_fork and answer is not None and answer.status == 409:
                self._node.world.truth.forks_shown.add((uri, peer))

        request = Request("deliver", uri, (self._seal(entry, key),), header=format_position(uri, log.head))
        self._node.ask(peer, request, then)

    def _name(self) -> str:
        return f"https://{self._node.name}.example/lies/{self._node.world.chance.getrandbits(64):016x}"

    def _count(self, what: str) -> None:
        self._node.world.counts[f"malice: {what}"] += 1

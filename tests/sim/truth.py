"""What was promised to whom, seen from above: no node reads this, the checker does.

Written at the instant at which a promise is made: an acknowledgement, an admission, a number, a removal.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from node.federation.grouplog.entry import LogEntry, ReceivedEntry
from node.federation.grouplog.position import Position
from node.federation.grouplog.recovery import PATIENCE_SECONDS

from .clock import Clock
from .papers import Document, Group

_SLACK_SECONDS = 60.0


@dataclass
class Promises:
    """What was promised in one group."""

    acked: dict[str, Document] = field(default_factory=dict)
    numbered: dict[tuple[int, int], set[str]] = field(default_factory=dict)
    said_at: dict[str, float] = field(default_factory=dict)
    said_anew: set[str] = field(default_factory=set)
    kept_free: set[str] = field(default_factory=set)
    adopted: int = 0
    admitted: dict[str, int] = field(default_factory=dict)
    let_in_at: dict[str, float] = field(default_factory=dict)
    put_out_at: dict[str, float] = field(default_factory=dict)
    ever_out: set[str] = field(default_factory=set)
    gone: set[str] = field(default_factory=set)
    burned_at: float | None = None
    silent: bool = False


class Truth:
    """The promises of one run, and what was seen to break them at once."""

    def __init__(self, clock: Clock, groups: Mapping[str, Group], counts: Counter[str]) -> None:
        self._clock = clock
        self._groups = groups
        self._counts = counts
        self.promises = {uri: Promises() for uri in groups}
        self.broken: list[str] = []
        self.liars: set[str] = set()
        self.burned: set[str] = set()
        self.operated: list[tuple[str, dict[str, str]]] = []
        self.forks_reported: set[tuple[str, str]] = set()
        self.forks_shown: set[tuple[str, str]] = set()
        self.taken: dict[tuple[str, str], dict[tuple[int, int], str]] = {}

    def is_lied_about(self, uri: str) -> bool:
        """Say whether a group's host lies."""
        return self._groups[uri].host in self.liars

    def say(self, guarantee: str, what: str) -> None:
        """Note that a guarantee did not hold."""
        self.broken.append(f"{guarantee}: {what} (at {self._clock.now:.0f} s)")

    def acknowledge(self, activity: Document) -> None:
        """Somebody was told that their words are on disk."""
        self.promises[activity["audience"]].acked[activity["id"]] = activity

    def note_numbered(self, entry: LogEntry) -> None:
        """A host gave a number."""
        promises = self.promises[entry.group]
        chains = promises.numbered.setdefault((entry.epoch, entry.seq), set())
        chains.add(entry.chain)
        if entry.activity in promises.said_at:
            promises.said_anew.add(entry.activity)
        promises.said_at.setdefault(entry.activity, self._clock.now)

    def note_adopted(self, entry: LogEntry) -> None:
        """A host put an entry back."""
        self.promises[entry.group].adopted += 1

    def note_said_anew(self, entry: LogEntry) -> None:
        """A host says late words at the end."""
        self.promises[entry.group].said_anew.add(entry.activity)

    def note_kept_free(self, uri: str, post: str) -> None:
        """A host takes something although what it needs is not there."""
        self.promises[uri].kept_free.add(post)

    def let_in(self, uri: str, node: str, base: int) -> None:
        """A host admits a node."""
        self.promises[uri].admitted[node] = base
        self.promises[uri].let_in_at[node] = self._clock.now

    def put_out(self, uri: str, node: str) -> None:
        """A host ends a node's admission."""
        promises = self.promises[uri]
        promises.admitted.pop(node, None)
        promises.put_out_at[node] = self._clock.now

    def rebase(self, uri: str, bases: Mapping[str, int]) -> None:
        """After a restore bases lie no higher than the log is long."""
        promises = self.promises[uri]
        promises.admitted = {node: bases.get(node, base) for node, base in promises.admitted.items()}

    def note_shown(self, uri: str, host: str, peer: str, entries: Iterable[ReceivedEntry]) -> None:
        """A host shows entries to a node: it must be admitted, and they must lie behind its base."""
        promises = self.promises[uri]
        if promises.burned_at is not None or host in self.liars:
            return
        base = promises.admitted.get(peer)
        for received in entries:
            if base is None:
                self.say("G-private", f"{host} shows an entry of {uri} to {peer}, which is out")
            elif received.entry.seq <= base:
                self.say("base", f"{host} shows {received.entry.seq} of {uri} to {peer}, whose base is {base}")

    def note_begun(self, uri: str, node: str, base: Position) -> None:
        """A node begins a copy."""
        self.taken[uri, node] = {}

    def note_taken(self, uri: str, node: str, entry: LogEntry) -> None:
        """A node takes an entry into its copy."""
        self.taken.setdefault((uri, node), {})[entry.epoch, entry.seq] = entry.chain

    def note_fork_reported(self, uri: str, node: str) -> None:
        """A node tells its operator that a host tells two histories."""
        self.forks_reported.add((uri, node))

    def note_cut(self, uri: str, node: str, ours: Position, host: Position, base: Position | None) -> None:
        """A node gives up the end of its copy: only for a newer epoch."""
        if host.epoch <= ours.epoch:
            self.say("G-order", f"{node} gives up {ours.seq} of {uri} for {host.seq} of the same epoch")

    def note_recovered(self, uri: str, *, seconds: float, moved: int, news: int, nodes: int) -> None:
        """A host was up all the time, and its log goes on again."""
        if seconds > PATIENCE_SECONDS + _SLACK_SECONDS:
            self.say("G-repair", f"{uri} was held up for {seconds:.0f} s")
        most = nodes if self._groups[uri].is_since_join else 2  # who has most may be the one that is not reached
        if moved > most * news + nodes and not self.liars:
            self.say("G-repair", f"{moved} entries of {uri} were moved for {news} that were missing")

"""One copy of one log: a run of entries behind a base. A value: every change makes a new one."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from node.federation.grouplog.entry import ReceivedEntry
from node.federation.grouplog.position import Position

from .papers import author_of, erase, post_of


@dataclass(frozen=True)
class Shelf:
    """A log or a copy of one.

    base: behind what it starts. entries: in order. numbers: {activity: its number}. texts: {post: the activities that
    carry a text of it}. authors: those whose card stands in it. taken_back: posts that were deleted or removed.
    """

    base: Position
    entries: tuple[ReceivedEntry, ...] = ()
    numbers: Mapping[str, int] = field(default_factory=dict)
    texts: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    authors: frozenset[str] = frozenset()
    taken_back: frozenset[str] = frozenset()

    @property
    def head(self) -> Position:
        """How far it goes."""
        if not self.entries:
            return self.base
        entry = self.entries[-1].entry
        return Position(entry.epoch, entry.seq, entry.chain)

    def get(self, seq: int) -> ReceivedEntry | None:
        """Return the entry at a number."""
        index = seq - self.base.seq - 1
        return self.entries[index] if 0 <= index < len(self.entries) else None

    def chain_at(self, seq: int) -> str | None:
        """Return the chain at a number, the base's among them; None beyond."""
        if seq == self.base.seq:
            return self.base.chain
        found = self.get(seq)
        return found.entry.chain if found else None

    def list_after(self, seq: int, limit: int | None = None) -> tuple[ReceivedEntry, ...]:
        """Return the entries above a number, oldest first."""
        start = max(seq - self.base.seq, 0)
        return self.entries[start:] if limit is None else self.entries[start : start + limit]

    def append(self, received: ReceivedEntry) -> Shelf:
        """Return the copy with one entry more."""
        entry, activity = received.entry, received.object
        texts, authors, taken_back, post = self.texts, self.authors, self.taken_back, post_of(activity)
        if post is not None and entry.kind in ("create", "update"):
            texts = {**texts, post: (*texts.get(post, ()), entry.activity)}
        if entry.kind == "author" and received.salt is not None:
            authors = authors | {activity["object"]["id"]}
        if post is not None and entry.kind in ("delete", "remove"):
            taken_back = taken_back | {post}
        numbers = {**self.numbers, entry.activity: self.numbers.get(entry.activity, entry.seq)}
        return Shelf(self.base, (*self.entries, received), numbers, texts, authors, taken_back)

    def cut(self, seq: int) -> tuple[Shelf, tuple[ReceivedEntry, ...]]:
        """Return the copy up to a number, and what stood behind it."""
        kept = self.entries[: seq - self.base.seq]
        shorter = Shelf(self.base)
        for received in kept:
            shorter = shorter.append(received)
        return shorter, self.entries[len(kept) :]

    def erase(self, activity: str) -> Shelf:
        """Return the copy without the content of one activity."""
        seq = self.numbers.get(activity)
        found = self.get(seq) if seq is not None else None
        if found is None or found.salt is None:
            return self
        index = found.entry.seq - self.base.seq - 1
        entries = (*self.entries[:index], erase(found), *self.entries[index + 1 :])
        return replace(self, entries=entries)

    def list_said_by(self, author: str) -> list[ReceivedEntry]:
        """Return the entries with somebody's words."""
        return [received for received in self.entries if author_of(received) == author]

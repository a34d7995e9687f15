"""Align: how a member node's copy finds back to its host's history after one of them was restored. Pure.

A host that lost the end of its log says so by a new epoch: only then does a copy give anything up. It looks for the last
entry that both have, by halving, as chains that are equal at a number are equal before it. What it holds beyond is taken
back, but kept: it is handed to the host (`handed`), and dropped when the host has shown it again.

    the host stands where we stand, or further     pull
    the host stands behind us, in our epoch        it was restored and has not noticed: wait, it learns from our position
    other history in our epoch                     the host tells two histories: keep ours, tell the operator
    a newer epoch                                  search, then cut behind the last common entry
    a newer epoch, and nothing in common           begin anew at the host's checkpoint

What is compared is an entry of the host's that its own signature proves; a header alone proves nothing. While we keep
something that the host has not shown again, our requests tell where that stood: so the host learns that it is here.
It is let go when it is shown again, or when the host answers that it is done with that place: what we keep may lie
before our base now, or never be shown again, and what its author erases meanwhile would stay with us.

Spec: reliability.md 4.6, 4.7; decision 0012.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import Enum

from .entry import LogEntry
from .position import Position

IDLE_SECONDS = 300.0


class Way(Enum):
    """What a copy does after it compared itself with its host."""

    PULL = "pull"
    WAIT = "wait"
    FORKED = "forked"
    SEARCH = "search"


def choose_way(ours: Position, host: Position, *, host_chain: str | None) -> Way:
    """Decide what to do.

    Args:
        ours: How far our copy goes.
        host: How far the host's log goes.
        host_chain: What the host has at our head's number, if it reaches that far.
    """
    if host.epoch > ours.epoch:
        return Way.PULL if host_chain == ours.chain else Way.SEARCH
    if host.epoch < ours.epoch or host.seq < ours.seq:
        return Way.WAIT
    return Way.PULL if host_chain == ours.chain else Way.FORKED


def proves_fork(entry: LogEntry, head: Position, *, held: LogEntry | None) -> bool:
    """Say whether an entry with the host's signature shows that it tells two histories of one epoch.

    Args:
        entry: What arrived, and is not what we hold.
        head: How far our copy goes.
        held: What our copy holds at the entry's number.
    """
    if held is not None:
        return held.epoch == entry.epoch and held.chain != entry.chain
    return entry.seq == head.seq + 1 and entry.epoch == head.epoch and entry.prev != head.chain


@dataclass(frozen=True, slots=True)
class Search:
    """A search for the last common entry.

    common: a number at which both are known to agree; -1 while none is known. other: one at which they are known to
    differ, or that one of them does not reach.
    """

    common: int
    other: int

    @property
    def question(self) -> int | None:
        """The number at which to compare next; None when the last common entry is found."""
        return None if self.other - self.common <= 1 else (self.common + self.other + 1) // 2

    def learn(self, seq: int, *, is_same: bool) -> Search:
        """Return the search after a comparison at `seq`."""
        return Search(seq, self.other) if is_same else Search(self.common, seq)

    def find_common(self, base_seq: int) -> int | None:
        """Return the last common number of a search that is over; None when not even the base is common."""
        return self.common if self.common >= base_seq else None


def begin_search(ours: Position, host: Position, *, base_seq: int) -> Search:
    """Return the search between a copy that starts after `base_seq` and its host's log.

    The base is asked about like every other number: a host may have lost even that.
    """
    return Search(base_seq - 1, min(ours.seq, host.seq) + 1)


def may_begin_anew(proved: Position, ours: Position) -> bool:
    """Say whether a copy that has nothing in common with its host may begin anew at a checkpoint of the host's.

    Args:
        proved: Where an entry stands that the host has signed; the checkpoint itself may lie in an epoch before.
        ours: How far our copy goes.
    """
    return proved.epoch > ours.epoch


def is_worth_keeping(*, author: str, group: str, has_content: bool) -> bool:
    """Say whether an entry that we take out of our copy is kept for the host.

    What was erased has nothing to say, and the group says its own words anew from what it knows.
    """
    return has_content and author != group


def choose_told(head: Position, kept: Iterable[LogEntry | Position]) -> Position:
    """Return the position that our requests tell: the head, or where the last thing stood that we keep for the host."""
    last = max(kept, key=lambda entry: (entry.epoch, entry.seq), default=None)
    return head if last is None else Position(last.epoch, last.seq, last.chain)


def is_look_due(since_heard_seconds: float) -> bool:
    """Say whether a copy asks where its host stands although nothing came: one of the two may have been restored."""
    return since_heard_seconds >= IDLE_SECONDS

"""Handed: what a host does with entries of its own log that a member node gives back to it. Pure.

After a restore the host's members hold what its disk lost. A peer can prove such an entry by the host's own signature
and by nothing else, so no peer can write history. What continues the host's log exactly is taken as it stands, with
number and proof. What comes late, when other entries have taken those numbers, is said anew at the end, in the author's
own words under the author's own proof. What was deleted or whose author was put out stays so: the journal says it.

The host asks with a *locator*: a few positions of its log, close together at the end and ever wider apart. The node
gives what it holds behind the last of them that it shares: at most about twice what the host lacks.

Several nodes may hold several histories, when a host was restored more than once. Nothing is taken before all were
heard; then the history that ends in the latest epoch is the one that was in force.

Spec: reliability.md 4.7; decision 0012.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence, Set
from dataclasses import dataclass
from enum import Enum

from .entry import LogEntry
from .position import Position

# How many places a question names at most: our own first, then those of what was given already.
LOCATOR_PLACES = 64
# What was taken away stays so, whoever has left since.
_TAKES_AWAY = frozenset({"delete", "remove"})


class Use(Enum):
    """What becomes of an entry that was handed to us."""

    ADOPT = "adopt"
    ADOPT_ERASED = "adopt without its content"
    SAY_ANEW = "say anew"
    TAKE_BACK = "take back"
    KNOWN = "known"
    LATER = "later"
    SKIP = "skip"
    REFUSE = "refuse"


@dataclass(frozen=True, slots=True)
class Handed:
    """An entry that a peer gave back; its proof by our group's key and its commitment were checked.

    is_proved: whether they hold. author: whose words; the group itself for its own. needs: the ids of posts that must
    be there before it: the parent of a reply, what an edit changes. has_content: not when it was erased.
    """

    entry: LogEntry
    is_proved: bool
    author: str
    needs: tuple[str, ...] = ()
    has_content: bool = True


@dataclass(frozen=True, slots=True)
class Ours:
    """The host's side.

    head: the end of our log. epochs: those that the journal says we had; None when the journal burned with the machine.
    is_recovering: whether nothing new has been written since the restore. has_activity: the entry's activity stands in
    our log. has_needed: all that it needs does, or was waited for long enough. out: who was put out of the group, by
    the journal or by our own record. is_asking: whether nodes are still to be heard. is_erased: its content was.
    """

    head: Position
    epochs: Set[int] | None
    is_recovering: bool
    has_activity: bool
    has_needed: bool
    out: Set[str]
    is_asking: bool = False
    is_erased: bool = False


def judge_handed(handed: Handed, ours: Ours) -> Use:
    """Decide what becomes of an entry that a peer gave back."""
    entry = handed.entry
    if not handed.is_proved or (ours.epochs is not None and entry.epoch not in ours.epochs):
        return Use.REFUSE
    if ours.has_activity:
        return Use.KNOWN
    if ours.is_asking:
        return Use.LATER
    if ours.is_recovering and entry.seq == ours.head.seq + 1 and entry.prev == ours.head.chain:
        return Use.ADOPT_ERASED if ours.is_erased else Use.ADOPT
    if handed.author == entry.group:
        return Use.SKIP  # the group says its own words anew, from what it knows now
    if handed.author in ours.out and entry.kind not in _TAKES_AWAY:
        return Use.SKIP
    if not handed.has_content:
        return Use.SKIP
    if ours.is_erased:
        return Use.TAKE_BACK  # who handed it over still has the words: the group says that they were taken away
    return Use.SAY_ANEW if ours.has_needed else Use.LATER


def choose_path(head: Position, handed: Iterable[Handed]) -> list[Handed]:
    """Return the proved entries that continue a log, in order: of several histories the one with the latest epoch."""
    following: dict[str, dict[str, Handed]] = {}
    for each in handed:
        if each.is_proved:
            following.setdefault(each.entry.prev, {})[each.entry.chain] = each
    ends: list[tuple[Position, list[Handed]]] = [(head, [])]
    best = ends[0]
    while ends:
        end, path = ends.pop()
        if (end.epoch, end.seq, end.chain) > (best[0].epoch, best[0].seq, best[0].chain):
            best = (end, path)
        for each in following.get(end.chain, {}).values():
            entry = each.entry
            if entry.seq == end.seq + 1 and entry.epoch >= end.epoch:
                ends.append((Position(entry.epoch, entry.seq, entry.chain), [*path, each]))
    return best[1]


def proves_loss(handed: Handed, head: Position, *, chain_here: str | None = None) -> bool:
    """Say whether an entry shows that our log once went otherwise: that we were restored, and did not know.

    Args:
        handed: The entry, with our own signature.
        head: The end of our log.
        chain_here: What our log has at the entry's number.
    """
    entry = handed.entry
    if not handed.is_proved or entry.epoch < head.epoch:
        return False
    return entry.epoch > head.epoch or entry.seq > head.seq or (chain_here is not None and chain_here != entry.chain)


def holds_more(theirs: Position, head: Position, *, chain_here: str | None) -> bool:
    """Say whether a node that told us its position may hold what we lack, so that we ask it. It proves nothing.

    Args:
        theirs: What the node told.
        head: The end of our log.
        chain_here: What our log has at the node's number.
    """
    return theirs.seq > head.seq or (chain_here is not None and chain_here != theirs.chain)


def build_locator(
    first: int, last: int, chain_at: Callable[[int], str], *, cursor: int | None = None
) -> list[tuple[int, str]]:
    """Return some places of our log from the end back, ever wider apart: (number, chain), at most about fifty.

    Args:
        first: The lowest number that the node may know: its base.
        last: The end of our log.
        chain_at: Our chain at a number.
        cursor: How far our lane to the node had got: a node that is behind us stands there.
    """
    numbers, step = [last], 1
    while numbers[-1] > first:
        numbers.append(max(numbers[-1] - step, first))
        step *= 2
    places = {*numbers, min(max(cursor or 0, first), last)}
    return [(number, chain_at(number)) for number in sorted(places, reverse=True)]


def list_branches(handed: Iterable[Handed], chain_at: Callable[[int], str | None]) -> list[tuple[int, str]]:
    """Return places of what was handed over already, for the locator of the next question, as far apart as there.

    Only of what goes back to our log without a hole: whoever shares such a place has nothing before it that we lack.

    Args:
        handed: What we hold, and cannot take yet.
        chain_at: Our chain at a number.
    """
    found: dict[str, LogEntry] = {}
    for each in sorted(handed, key=lambda each: each.entry.seq):
        entry = each.entry
        if each.is_proved and (entry.prev in found or chain_at(entry.seq - 1) == entry.prev):
            found[entry.chain] = entry
    continued = {entry.prev for entry in found.values()}
    places: list[tuple[int, str]] = []
    for end in [entry for chain, entry in found.items() if chain not in continued]:
        branch = [end]
        while branch[-1].prev in found:
            branch.append(found[branch[-1].prev])
        steps = [0, *(2**power for power in range(20) if 2**power < len(branch))]
        places += [(branch[step].seq, branch[step].chain) for step in steps]
    return places


def choose_handing(locator: Sequence[tuple[int, str]], *, base_seq: int, chain_at: Callable[[int], str | None]) -> int:
    """Return the number behind which a member node hands over what its copy holds.

    Args:
        locator: What the host said of its log.
        base_seq: Our copy starts after this number.
        chain_at: Our chain at a number, the base's among them; None for what we do not hold.
    """
    shared = [number for number, chain in locator if chain_at(number) == chain]
    return max(shared, default=base_seq)

"""Choosing: which lanes may send now. Pure rules; `deliver` is their hands.

*How it works.* So many requests are in flight at once, one for each lane. Who hangs must not stop the others:

    a peer's control lane       goes before its other lanes
    a peer that answers         has a twentieth of the slots at most, so that five that fall silent at once have a quarter
    a peer that does not        is tried by one lane at a time: "down" when a try ended without an answer, "slow" while one
                                waits for its answer for longer than two seconds
    all that are in trouble     a quarter of the slots, and ten starts a second, whatever brought them back: contact, their
                                time, a restart of this node

Within these the lane that was served longest ago goes first. Lanes that are not in trouble are never counted against the ten.

Spec: reliability.md 4.5; decision 0021.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from node.store.streams import LaneRow

from .publish import CONTROL

SLOW_SECONDS = 2.0
STARTS_PER_SECOND = 10
_FAILING_PART = 4
_PEER_PART = 20
_ROOM_PART = 4

Key = tuple[int, str]
"""A lane: the peer's number and the name of the stream."""


@dataclass(frozen=True, slots=True)
class Flight:
    """A lane that is being served. is_failing: it was in trouble when it began. is_slow: its request waits for long."""

    is_failing: bool
    is_slow: bool = False


@dataclass(frozen=True, slots=True)
class Choice:
    """Which lanes begin now.

    failing: how many of them are in trouble.
    is_crowded: others wait for a slot, so that whoever has one gives it up after a while.
    held: peers that wait for the end of another lane of theirs.
    """

    chosen: list[LaneRow]
    failing: int
    is_crowded: bool
    held: frozenset[int]


class Starts:
    """Counts the starts of lanes in trouble: ten a second, and no more than these ten at once."""

    def __init__(self) -> None:
        self._left = float(STARTS_PER_SECOND)
        self._at: float | None = None

    def left(self, seconds: float) -> int:
        """Return how many may begin at this instant, in seconds of a clock that never goes back."""
        if self._at is not None:
            self._left = min(self._left + (seconds - self._at) * STARTS_PER_SECOND, STARTS_PER_SECOND)
        self._at = seconds
        return int(self._left)

    def take(self, count: int) -> None:
        """Note that so many begin."""
        self._left -= count


def choose(
    rows: Sequence[LaneRow],
    busy: Collection[Key],
    flights: Mapping[Key, Flight],
    *,
    now: datetime,
    limit: int,
    starts: int,
) -> Choice:
    """Return the lanes that begin now.

    Args:
        rows: Every lane to an active peer that has something to send, the longest unserved first.
        busy: The lanes that were being served when the rows were read; theirs may be out of date.
        flights: The lanes that are being served now.
        now: What is due later waits.
        limit: How many may be served at once.
        starts: How many lanes in trouble may begin now.
    """
    down = {row.peer_id for row in rows if is_down(row)} | {key[0] for key, one in flights.items() if one.is_slow}
    with_control = {row.peer_id for row in rows if row.stream == CONTROL}
    of_peer = Counter(peer_id for peer_id, _ in flights)
    slots = limit - len(flights)
    in_trouble = sum(one.is_failing or key[0] in down for key, one in flights.items())
    failing_slots = min(max(1, limit // _FAILING_PART) - in_trouble, starts)
    failing = 0
    chosen: list[LaneRow] = []
    is_crowded, held = False, set[int]()
    for row in rows:
        if (row.peer_id, row.stream) in busy or row.due_at > now:
            continue
        if row.peer_id in with_control and row.stream != CONTROL:
            continue  # whoever ends a control lane looks again
        is_failing = row.fails > 0 or row.peer_id in down
        is_over = of_peer[row.peer_id] >= (1 if row.peer_id in down else max(1, limit // _PEER_PART))
        if is_over:
            held.add(row.peer_id)
        elif is_failing and failing >= failing_slots:
            continue  # there is a look each second
        elif slots <= 0:
            is_crowded = True
        else:
            slots -= 1
            failing += is_failing
            of_peer[row.peer_id] += 1
            chosen.append(row)
    return Choice(chosen, failing, is_crowded, frozenset(held))


def is_room(flights: int, *, limit: int) -> bool:
    """Say whether so much is free that it is worth a look at everybody who waits: with a thousand lanes a look is dear."""
    return limit - flights >= max(1, limit // _ROOM_PART)


def is_hastened(row: LaneRow, contacted: Collection[int], answered: Collection[int]) -> bool:
    """Say whether a lane in trouble need not wait: its peer spoke to us, or answers another lane though not this one."""
    return row.peer_id in contacted or (row.peer_id in answered and is_down(row))


def is_down(row: LaneRow) -> bool:
    """Say whether the last try of a lane ended without an answer."""
    return row.error_code == "unreachable" and row.fails > 0

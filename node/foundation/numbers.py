"""Sets of whole numbers that mostly follow each other, kept as runs: a million of them take no more room than ten."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable
from itertools import pairwise


class Numbers:
    """A set of whole numbers."""

    def __init__(self, numbers: Iterable[int] = ()) -> None:
        self._firsts: list[int] = []
        self._lasts: list[int] = []
        for number in numbers:
            self.add(number)

    def __contains__(self, number: int) -> bool:
        run = bisect_right(self._firsts, number) - 1
        return run >= 0 and number <= self._lasts[run]

    def __len__(self) -> int:
        return sum(last - first + 1 for first, last in zip(self._firsts, self._lasts, strict=True))

    def add(self, number: int) -> None:
        """Take one in."""
        if number in self:
            return
        at = bisect_right(self._firsts, number)
        follows = at > 0 and self._lasts[at - 1] == number - 1
        leads = at < len(self._firsts) and self._firsts[at] == number + 1
        if follows and leads:
            self._lasts[at - 1] = self._lasts.pop(at)
            del self._firsts[at]
        elif follows:
            self._lasts[at - 1] = number
        elif leads:
            self._firsts[at] = number
        else:
            self._firsts.insert(at, number)
            self._lasts.insert(at, number)

    def list_gaps(self, *, first: int) -> list[tuple[int, int]]:
        """Return (after, before) around everything from `first` on that is not in the set; the last has no end."""
        edges = [(first - 1, first - 1), *zip(self._firsts, self._lasts, strict=True), (2**62, 2**62)]
        return [(one[1], other[0]) for one, other in pairwise(edges) if other[0] - one[1] > 1]

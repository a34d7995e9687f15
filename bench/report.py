"""What was measured beside what is aimed at: one line each, as a table for people and as JSON for machines."""

from __future__ import annotations

import statistics
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True, slots=True)
class Line:
    """One figure.

    what: what was done, in words.
    value: the median; None where it could not be measured, and `note` says why.
    unit: of the value, such as "CPU-ms".
    spread: the least and the greatest of the rounds.
    limit: the value is at most this; None for a figure that is told and not judged.
    hope: what we would like.
    rate: items a second; `least_rate`: at least so many are wanted.
    floor: what the indispensable parts of the work cost by themselves in this run, in the same unit.
    """

    what: str
    value: float | None
    unit: str
    spread: tuple[float, float] | None = None
    limit: float | None = None
    hope: float | None = None
    rate: float | None = None
    least_rate: float | None = None
    floor: float | None = None
    note: str = ""

    @property
    def is_met(self) -> bool | None:
        """Whether the figure is within its limits; None when nothing is asked of it."""
        if self.limit is None and self.least_rate is None:
            return None
        if self.value is None:
            return False
        is_slow = self.least_rate is not None and (self.rate is None or self.rate < self.least_rate)
        return not is_slow and (self.limit is None or self.value <= self.limit)

    @property
    def ratio(self) -> float | None:
        """How many times its floor the figure is."""
        return self.value / self.floor if self.value is not None and self.floor else None

    def to_json(self) -> dict[str, Any]:
        """Return the line with its judgement."""
        return {
            "what": self.what,
            "value": self.value,
            "unit": self.unit,
            "least": self.spread[0] if self.spread else None,
            "greatest": self.spread[1] if self.spread else None,
            "limit": self.limit,
            "hope": self.hope,
            "items_per_second": self.rate,
            "least_items_per_second": self.least_rate,
            "floor": self.floor,
            "ratio_to_floor": self.ratio,
            "met": self.is_met,
            "note": self.note or None,
        }


@dataclass(slots=True)
class Section:
    """The lines of one scenario."""

    name: str
    lines: list[Line] = field(default_factory=list)


def line_of(what: str, values: Sequence[float], unit: str, **more: Any) -> Line:
    """Return a line from the values of several rounds; `rate` may be a list of such too."""
    if isinstance(more.get("rate"), list):
        more["rate"] = statistics.median(more["rate"])
    return Line(what, statistics.median(values), unit, spread=(min(values), max(values)), **more)


def render(sections: Sequence[Section]) -> str:
    """Return the table."""
    rows: list[tuple[str, ...]] = [("what", "aim", "measured", "items/s", "floor", "ratio", "met")]
    for section in sections:
        rows.append((f"[{section.name}]", "", "", "", "", "", ""))
        rows += [_cells(line) for line in section.lines]
    widths = [max(len(row[place]) for row in rows) for place in range(len(rows[0]))]
    lines = ["  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows]
    lines.insert(1, "-" * max(map(len, lines)))
    return "\n".join(lines)


def _cells(line: Line) -> tuple[str, ...]:
    aim = "" if line.limit is None else f"≤ {line.limit:g}"
    aim += "" if line.hope is None else f" ({line.hope:g})"
    aim += "" if line.least_rate is None else f" ≥ {line.least_rate:g}/s"
    if line.value is None:
        measured = line.note or "not measured"
    else:
        measured = f"{_short(line.value)} {line.unit}"
        if line.spread and line.spread[0] != line.spread[1]:
            measured += f" [{_short(line.spread[0])}–{_short(line.spread[1])}]"
        measured += f"  {line.note}" if line.note else ""
    return (
        f"  {line.what}",
        aim.strip(),
        measured,
        "" if line.rate is None else f"{line.rate:,.0f}",
        "" if line.floor is None else _short(line.floor),
        "" if line.ratio is None else f"{line.ratio:.1f}×",
        {None: "", True: "yes", False: "NO"}[line.is_met],
    )


def _short(value: float) -> str:
    return f"{value:,.0f}" if abs(value) >= 100 else f"{value:.2f}" if abs(value) >= 0.1 else f"{value:.3f}"

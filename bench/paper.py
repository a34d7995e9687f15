"""The paper model: what a federation of so many nodes and members costs a day. `python -m bench.paper` prints its table.

Per day, N nodes, M members each, a share of active members a, p posts and replies for each, r reactions to each, u edits and
deletions, g nodes in a group, B entries a request. Peak is ten times the mean. Spec: reliability.md §6.
"""

from __future__ import annotations

from dataclasses import dataclass

ACTIVE, POSTS, REACTIONS, EDITS, AT_ONCE = 0.3, 0.5, 5.0, 0.1, 1
PEAK = 10.0
CATCH_UP_DAYS = 7
_DAY_SECONDS = 86_400.0
_POST_KB, _REACTION_KB = 2.5, 0.4
_PICTURES, _PICTURE_MB = 0.05, 0.8
_PAGE_ENTRIES, _PAGE_SECONDS = 50, 0.25


@dataclass(frozen=True, slots=True)
class Shape:
    """A federation. nodes_of_group: on how many nodes a group is."""

    nodes: int
    members: int
    nodes_of_group: int
    name: str = ""


@dataclass(frozen=True, slots=True)
class Load:
    """What it costs: activities and deliveries of all nodes; the rest for each node. Gigabytes are without indexes."""

    activities_per_day: float
    deliveries_per_day: float
    in_per_day: float
    in_peak_per_second: float
    out_peak_per_second: float
    text_gb_per_year: float
    media_gb_per_year: float
    catch_up_seconds: float

    @property
    def deliveries_per_second(self) -> float:
        """The mean of all nodes together."""
        return self.deliveries_per_day / _DAY_SECONDS


SHAPES = (
    Shape(1, 500, 1, "1 hospital × 500"),
    Shape(10, 500, 5, "10 × 500"),
    Shape(100, 1_000, 15, "100 × 1,000"),
    Shape(1_000, 5_000, 50, "1,000 × 5,000"),
    Shape(1_000, 5_000, 1_000, "1,000 × 5,000, every group everywhere"),
)


def load_of(shape: Shape) -> Load:
    """Return what a federation costs."""
    posts = shape.nodes * shape.members * ACTIVE * POSTS
    activities = posts * (1 + EDITS + REACTIONS)
    of_node = shape.nodes_of_group / shape.nodes
    coming = activities * of_node
    going = activities * (shape.nodes_of_group - 1) / shape.nodes
    kilobytes = (posts * (1 + EDITS) * _POST_KB + posts * REACTIONS * _REACTION_KB) * of_node
    return Load(
        activities_per_day=activities,
        deliveries_per_day=activities * shape.nodes_of_group / AT_ONCE,
        in_per_day=coming,
        in_peak_per_second=coming * PEAK / _DAY_SECONDS,
        out_peak_per_second=going * PEAK / _DAY_SECONDS,
        text_gb_per_year=kilobytes * 365 / 1e6,
        media_gb_per_year=posts * _PICTURES * _PICTURE_MB * 365 / shape.nodes / 1e3,
        catch_up_seconds=coming * CATCH_UP_DAYS / _PAGE_ENTRIES * _PAGE_SECONDS,
    )


def render() -> str:
    """Return the table."""
    head = ("nodes × members", "in a group", "activities/day", "deliveries/day (mean/s)", "in a node/day (peak/s)",
            "out peak/s", "text GB/year", "own media GB/year", "7-day catch-up")  # fmt: skip
    rows = [head, tuple("---" for _ in head)]
    for shape in SHAPES:
        load = load_of(shape)
        rows.append((
            shape.name, f"{shape.nodes_of_group:,}", f"{load.activities_per_day:,.0f}",
            f"{load.deliveries_per_day:,.0f} ({load.deliveries_per_second:,.2g})"
            if load.deliveries_per_second < 100
            else f"{load.deliveries_per_day:,.0f} ({load.deliveries_per_second:,.0f})",
            f"{load.in_per_day:,.0f} ({load.in_peak_per_second:,.2f})", f"{load.out_peak_per_second:,.2f}",
            f"{load.text_gb_per_year:,.2f}", f"{load.media_gb_per_year:,.1f}", _time(load.catch_up_seconds),
        ))  # fmt: skip
    return "\n".join(f"| {' | '.join(row)} |" for row in rows)


def _time(seconds: float) -> str:
    if seconds < 120:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 7200 else f"{seconds / 3600:.1f} h"


if __name__ == "__main__":
    print(render())

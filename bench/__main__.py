"""`python -m bench [SCENARIO …] [--quick] [--json FILE]`: measure, print the table, exit 1 when an aim is missed."""

from __future__ import annotations

import argparse
import json
import os
import platform
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from .limits import measure_limits
from .peers import KeyBox
from .report import Line, Section, render
from .run import Run
from .scenarios import (
    catchup,
    delivery,
    entries,
    fanout,
    hanging,
    idle,
    ingest,
    live,
    pages,
    reading,
    search,
    strangers,
    streaming,
    submissions,
    workers,
)

SCENARIOS: dict[str, Callable[[Run], list[Line]]] = {
    "ingest": ingest.measure,
    "submissions": submissions.measure,
    "entries": entries.measure,
    "strangers": strangers.measure,
    "delivery": delivery.measure,
    "fanout": fanout.measure,
    "stored": fanout.measure_stored,
    "hanging": hanging.measure,
    "catchup": catchup.measure,
    "workers": workers.measure,
    "reading": reading.measure,
    "pages": pages.measure,
    "search": search.measure,
    "live": live.measure,
    "streaming": streaming.measure,
    "idle": idle.measure,
}


def main(argv: list[str]) -> int:
    """Run what was asked for, all scenarios by default."""
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    parser.add_argument("scenarios", nargs="*", metavar="SCENARIO", help=", ".join(SCENARIOS))
    parser.add_argument("--quick", action="store_true", help="few and short rounds: a look, not a verdict")
    parser.add_argument("--json", type=Path, metavar="FILE", help="also write the figures as JSON")
    args = parser.parse_args(argv)
    unknown = [name for name in args.scenarios if name not in SCENARIOS]
    if unknown:
        parser.error(f"there is no scenario {', '.join(unknown)}; there are {', '.join(SCENARIOS)}")
    sections = _measure(args.scenarios or list(SCENARIOS), is_quick=args.quick)
    print(render(sections))
    if args.json:
        args.json.write_text(json.dumps(_to_json(sections, is_quick=args.quick), indent=2) + "\n")
    return 1 if any(line.is_met is False for section in sections for line in section.lines) else 0


def _measure(names: list[str], *, is_quick: bool) -> list[Section]:
    with tempfile.TemporaryDirectory(prefix="rounds-bench-") as folder:
        keys = KeyBox()
        limits = measure_limits(Path(folder), keys)
        run = Run(Path(folder), keys, limits, is_quick)
        sections = [limits.section()]
        for name in names:
            began = time.monotonic()
            sections.append(Section(name, SCENARIOS[name](run)))
            print(f"{name}: {time.monotonic() - began:.0f} s", file=sys.stderr)
    return sections


def _to_json(sections: list[Section], *, is_quick: bool) -> dict[str, object]:
    return {
        "python": platform.python_version(),
        "cpus": os.cpu_count(),
        "load": os.getloadavg()[0],
        "quick": is_quick,
        "sections": [
            {"name": section.name, "lines": [line.to_json() for line in section.lines]} for section in sections
        ],
    }


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

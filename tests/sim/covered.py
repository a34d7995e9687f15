"""Which lines of the cores the simulation runs: `python -m tests.sim.covered 24 out.json`, in a process of its own."""

from __future__ import annotations

import sys
from pathlib import Path

from coverage import Coverage

CORES = (
    "node/federation/grouplog/align.py",
    "node/federation/grouplog/checkpoint.py",
    "node/federation/grouplog/entry.py",
    "node/federation/grouplog/handed.py",
    "node/federation/grouplog/position.py",
    "node/federation/grouplog/recovery.py",
    "node/federation/grouplog/waiting.py",
    "node/domain/journal.py",
    "node/outbox/lane.py",
)


def main() -> None:
    """Run seeds, measured from before the cores are imported."""
    measure = Coverage(data_file=None, include=[str(Path(core).resolve()) for core in CORES])
    measure.start()
    from tests.sim.run import run_seed  # after the start: what runs while a core is imported counts, too

    for seed in range(int(sys.argv[1])):
        run_seed(seed)
    measure.stop()
    measure.json_report(outfile=sys.argv[2])


if __name__ == "__main__":
    main()

"""Run seeds from the command line: `python -m tests.sim --seeds 20000 --first 0`. Exit code 1 when one fails."""

from __future__ import annotations

import argparse
import os
import sys
import time
from collections import Counter
from multiprocessing import get_context

from .report import ENOUGH_SEEDS, format_broken, format_counts, list_never_met
from .rules import SWITCHES
from .run import try_seed

_CHUNK = 4


def _parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.sim", description=__doc__)
    parser.add_argument("--seeds", type=int, default=300, help="how many")
    parser.add_argument("--first", type=int, default=0, help="the first")
    parser.add_argument("--switch-off", choices=sorted(SWITCHES), help="take one mechanism away")
    parser.add_argument("--processes", type=int, default=os.cpu_count() or 1)
    parser.add_argument("--quiet", action="store_true", help="no progress, no counts")
    return parser.parse_args()


def main() -> int:
    """Run the seeds that were asked for and say what happened."""
    asked, counts, failing = _parse(), Counter[str](), 0
    began, processes = time.monotonic(), max(1, min(asked.processes, asked.seeds))
    work = [(seed, asked.switch_off) for seed in range(asked.first, asked.first + asked.seeds)]
    with get_context("spawn").Pool(processes) as pool:
        for done, ending in enumerate(pool.imap_unordered(try_seed, work, chunksize=_CHUNK), 1):
            counts += ending.counts
            if ending.broken:
                failing += 1
                print(format_broken(ending.seed, ending.broken, asked.switch_off), flush=True)
            if not asked.quiet and done % 50 == 0:
                print(f"{done} of {asked.seeds} seeds, {failing} failing", file=sys.stderr, flush=True)
    never = list_never_met(counts) if asked.seeds >= ENOUGH_SEEDS and asked.switch_off is None else []
    if not asked.quiet:
        print(format_counts(counts))
    for name in never:
        print(f"never happened: {name}")
    seconds = time.monotonic() - began
    print(f"{asked.seeds} seeds, {failing} failing, {seconds:.0f} s on {processes} processes")
    return 1 if failing or never else 0


if __name__ == "__main__":
    sys.exit(main())

"""`rounds restore FILE`: a data directory from a backup and the recovery sheet, on a clean machine with one command."""

from __future__ import annotations

import argparse
import asyncio
import json
import sys
from pathlib import Path

from node.community.operating.restores import require_empty, restore
from node.foundation.clock import SystemClock
from node.foundation.errors import ConfigError
from node.foundation.logs import configure_logs

from .calling import ask_recovery_code, end_tidily
from .context import DONE
from .progress import Progress


def run_restore(data: Path, parser: argparse.ArgumentParser, rest: list[str]) -> int:
    """Restore and return the exit code."""
    end_tidily()
    configure_logs(level="error")
    parser.add_argument("file", type=Path, metavar="FILE")
    parser.add_argument("--recovery-file", type=Path, help="holds the recovery code; stdin without it")
    parser.add_argument("--database", default="sqlite:", help="the address of an empty PostgreSQL database")
    parser.add_argument("--anyway", action="store_true", help="although what is in the backup does not fit together")
    parser.add_argument("--json", action="store_true")
    args = parser.parse_args(rest)
    if args.database != "sqlite:" and not args.database.startswith("postgresql://"):
        raise ConfigError("--database takes the address of a PostgreSQL database: postgresql://…")
    data = data.absolute()
    require_empty(data)
    code = ask_recovery_code(args.recovery_file)
    with Progress() as progress:
        done = asyncio.run(
            restore(
                args.file,
                code,
                data,
                database=args.database,
                anyway=args.anyway,
                clock=SystemClock(),
                note=progress.say,
            )
        )
    manifest, found = done.unpacked.manifest, done.found
    for problem in (*found.problems, *found.losses):
        print(problem, file=sys.stderr)
    shown = {
        "data": str(data),
        "base_url": manifest.base_url,
        "taken_at": manifest.taken_at,
        "counts": found.counts,
        "fingerprint": found.describe_fingerprint(),
        "problems": [*found.problems, *found.losses],
    }
    counts = ", ".join(f"{count} {name}" for name, count in found.counts.items())
    lines = [
        f"{manifest.base_url} as of {manifest.taken_at} is in {data}: {counts}.",
        f"Fingerprint: {' '.join(shown['fingerprint']['words'])}",  # type: ignore[index]
        f"Start it: rounds --data {data} serve. It asks the other nodes first for what came after the backup.",
    ]
    print(json.dumps(shown) if args.json else "\n".join(lines))
    return DONE

"""`rounds migrate`: this release's schema for a stopped node; with `--to`, its move to PostgreSQL."""

from __future__ import annotations

import argparse
import asyncio
import json
from pathlib import Path

from node.foundation.clock import SystemClock
from node.foundation.errors import ConfigError
from node.foundation.logs import configure_logs

from .calling import end_tidily
from .context import DONE
from .doctor import run_migrations
from .lock import DataLock
from .progress import Progress
from .remote import ask


def run_migrate(data: Path, parser: argparse.ArgumentParser, rest: list[str]) -> int:
    """Migrate or move, and return the exit code."""
    parser.add_argument("--to", metavar="ADDRESS", help="move the node to this empty PostgreSQL database")
    parser.add_argument("--json", action="store_true")
    args = parser.parse_args(rest)
    configure_logs(level="error")
    if args.to is not None:
        return _move(data, args.to, as_json=args.json)
    done = run_migrations(data)
    lines = "\n".join(f"Applied {name}." for name in done) or "The database is up to date."
    print(json.dumps({"applied": done}) if args.json else lines)
    return DONE


def _move(data: Path, address: str, *, as_json: bool) -> int:
    end_tidily()
    if ask(data, ["status", "--json"]) is not None:
        raise ConfigError("The node is running. Stop it, move it, and start it again.")
    from node.community.operating.moving import move  # asyncpg is an extra: only nodes that move need it

    with DataLock(data), Progress() as progress:
        moved = asyncio.run(move(data, address, clock=SystemClock(), note=progress.say))
    shown = {"rows": moved.rows, "tables": moved.tables, "database": "postgresql"}
    sentence = (
        f"{moved.rows} rows of {moved.tables} tables are in PostgreSQL, each compared. The file is kept as rounds.sqlite.moved."
        if moved.tables
        else "This node is on that database already."
    )
    print(json.dumps(shown) if as_json else sentence)
    return DONE

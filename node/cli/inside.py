"""Run a command in this process: open the node with its lock, without serving, and close it again."""

from __future__ import annotations

import asyncio
import sys
import time
from collections.abc import Callable
from pathlib import Path

from node.community.house import House, close_core, open_core
from node.foundation.errors import ConfigError, NodeError, SchemaTooNew
from node.foundation.logs import configure_logs

from .commands import UsageError, parse
from .context import DONE, REFUSED, USAGE
from .lock import DataLock
from .remote import run_remote
from .runner import run_command

# A node that starts or stops holds the lock for a moment without answering.
_PATIENCE_SECONDS = 5.0


def run_inside(
    data: Path,
    argv: list[str],
    text: str,
    write: Callable[[str], object] = sys.stdout.write,
    take: Callable[[bytes], None] | None = None,
) -> int:
    """Run a command and return its exit code; `write` and `take` get what it says and the bytes it gives."""
    configure_logs(level="error")
    try:
        parse(argv)
    except UsageError as error:
        print(error.safe, file=sys.stdout if error.is_help else sys.stderr)
        return DONE if error.is_help else USAGE
    deadline = time.monotonic() + _PATIENCE_SECONDS
    while True:
        try:
            with DataLock(data):
                return asyncio.run(_run(data, argv, text, write, take))
        except (ConfigError, SchemaTooNew) as error:
            code = run_remote(data, argv, text, write, take)
            if code is not None:
                return code
            if time.monotonic() > deadline or "in use" not in error.internal:
                print(error.internal, file=sys.stderr)
                return USAGE
            time.sleep(0.1)
        except NodeError as error:
            print(error.safe, file=sys.stderr)
            return REFUSED


async def _run(
    data: Path, argv: list[str], text: str, write: Callable[[str], object], take: Callable[[bytes], None] | None
) -> int:
    core = await open_core(data)
    try:
        return await run_command(House(core), argv, text, lambda said: _write(write, said), _warn, take)
    finally:
        await close_core(core)


def _write(write: Callable[[str], object], text: str) -> None:
    write(text)


def _warn(text: str) -> None:
    sys.stderr.write(text)

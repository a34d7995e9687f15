"""`rounds worker`: a process that does the node's work and answers nobody but commands; several share one database."""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path

import uvloop

from node.community.house import House, close_core, open_core
from node.foundation.config import load_config
from node.foundation.errors import ConfigError, NodeError
from node.foundation.logs import configure_logs

from .context import DONE, REFUSED, USAGE
from .listening import listen_for_stop, open_socket, remove_socket
from .lock import DataLock, require_shared_database


def run_worker(data: Path) -> int:
    """Work until told to stop; return the exit code."""
    try:
        config = load_config(data)
        configure_logs(level=config.log_level)
        require_shared_database(config)
        with DataLock(data):
            uvloop.run(_work(data))
    except ConfigError as error:
        print("\n".join(error.problems) or error.safe, file=sys.stderr)
        return USAGE
    except NodeError as error:
        print(error.safe, file=sys.stderr)
        return USAGE if error.code == "schema_too_new" else REFUSED
    return DONE


async def _work(data: Path) -> None:
    stopping = listen_for_stop()
    core = await open_core(data)
    house = House(core)
    commands = await open_socket(data, house)
    house.start()
    print("Working.", file=sys.stderr, flush=True)
    try:
        await asyncio.wait([asyncio.create_task(stopping.wait())])
    finally:
        commands.close()
        await house.stop()
        await close_core(core)
        remove_socket(data)

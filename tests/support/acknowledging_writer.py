"""A process that writes row after row, and prints each row's name when the store has acknowledged it.

`python -m tests.support.acknowledging_writer ADDRESS DATA`: it goes on until it is killed. Eight writers take turns, so
that group commit and concurrent transactions are in play.
"""

from __future__ import annotations

import asyncio
import contextlib
import sys
from pathlib import Path

from node.foundation.clock import SystemClock
from node.store.engine import Store
from node.store.opening import open_store
from tests.support.rows import put

_WRITERS = 8


async def _write_for_ever(store: Store, writer: int, run: str) -> None:
    number = 0
    while True:
        name = await store.write(put, f"{run}-{writer}-{number}", value="x" * 500)
        print(name, flush=True, file=sys.__stdout__)
        number += 1


async def _main(address: str, data: str, run: str) -> None:
    store = await open_store(address, data=Path(data), clock=SystemClock())
    await asyncio.gather(*(_write_for_ever(store, writer, run) for writer in range(_WRITERS)))


if __name__ == "__main__":
    with contextlib.redirect_stdout(sys.stderr):  # what is logged is no name
        asyncio.run(_main(*sys.argv[1:]))

"""`rounds audit …`: who did what, in a chain that shows when somebody changed it."""

from __future__ import annotations

import argparse
from typing import Any

from node.store.audit import find_first_bad, list_audit
from node.store.engine import Tx

from .context import DONE, REFUSED, Context, instant


def list_words(parser: argparse.ArgumentParser) -> None:
    """Take from where."""
    parser.add_argument("--after", type=int, default=0, metavar="N")


async def list_all(context: Context) -> int:
    """List up to 500 rows."""
    rows = await context.house.core.store.read(_list, context.args.after)
    entries = [
        {
            "n": row.n,
            "at": instant(row.written_at),
            "actor": row.actor,
            "action": row.action,
            "target": row.target,
            "reason": row.reason,
            "hash": row.hash,
        }
        for row in rows
    ]
    lines = [f"{each['n']:>5} {each['at']} {each['actor']:12} {each['action']:24} {each['target']}" for each in entries]
    return context.emit({"entries": entries}, *(lines or ["Nothing yet."]))


async def verify(context: Context) -> int:
    """Check the chain; exit 1 when a row does not fit."""
    counted, first_bad = await context.house.core.store.read(_verify)
    ok = first_bad is None
    sentence = f"{counted} rows, all in order." if ok else f"Row {first_bad} was changed, or one before it is missing."
    context.emit({"ok": ok, "entries": counted, "first_bad": first_bad}, sentence)
    return DONE if ok else REFUSED


async def _list(tx: Tx, after: int) -> list[Any]:
    return await list_audit(tx, after=after)


async def _verify(tx: Tx) -> tuple[int, int | None]:
    return await find_first_bad(tx)

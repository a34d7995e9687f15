"""`rounds lane …`: what waits for which peer, and why."""

from __future__ import annotations

import argparse
from typing import Any

from node.community.peering.lanes import retry_lanes
from node.community.peering.service import require_peer
from node.outbox.waiting import list_waiting_lanes
from node.store.engine import Tx

from .context import Context, instant


def retry_words(parser: argparse.ArgumentParser) -> None:
    """Take a peer."""
    parser.add_argument("peer", metavar="PEER")


async def list_all(context: Context) -> int:
    """List every lane."""
    lanes = await context.house.core.store.read(_list, context.house.core)
    lines = [f"{each['state']:8} {each['peer']:28} {each['queued']:>6} waiting  {each['stream']}" for each in lanes]
    return context.emit({"lanes": lanes}, *(lines or ["No lanes yet."]))


async def retry(context: Context) -> int:
    """Try every lane of a peer now."""
    core = context.house.core
    peer = require_peer(core, context.args.peer)
    count = await retry_lanes(core, peer.host, by=context.by)
    return context.emit({"peer": peer.host, "lanes": count}, f"{count} lanes of {peer.host} are tried now.")


async def _list(tx: Tx, core: Any) -> list[dict[str, Any]]:
    found = []
    for lane in await list_waiting_lanes(tx, core):
        row, error = lane.row, None
        if row.error_code is not None:
            error = {"code": row.error_code, "status": row.error_status, "sentence": row.error_sentence}
        found.append(
            {
                "peer": lane.peer.host if lane.peer else None,
                "stream": row.stream,
                "state": lane.state,
                "cursor": row.cursor,
                "head": row.head,
                "queued": lane.queued,
                "fails": row.fails,
                "due_at": instant(row.due_at) if lane.queued else None,
                "oldest_at": instant(lane.oldest_at),
                "last_success_at": instant(row.last_success_at),
                "error": error,
            }
        )
    return found

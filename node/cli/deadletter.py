"""`rounds deadletter …`: what could not be handled, kept whole until somebody decides."""

from __future__ import annotations

import argparse
from typing import Any

from node.foundation.errors import NotFound
from node.inbox.receive import INBOX_BELL
from node.outbox.publish import LANES_BELL
from node.store.activities import list_dead_activities, retry_dead_activity
from node.store.audit import write_audit
from node.store.engine import Tx
from node.store.streams import list_dead_letters, retry_dead_letter

from .context import Context, instant


def one_word(parser: argparse.ArgumentParser) -> None:
    """Take the number of a dead letter."""
    parser.add_argument("id", type=int)


async def list_all(context: Context) -> int:
    """List dead letters of both directions."""
    core = context.house.core
    letters = await core.store.read(_list, core)
    lines = [f"{each['id']}  {each['direction']:3} {each['peer']}  {each['reason']}" for each in letters]
    return context.emit({"deadletters": letters}, *(lines or ["No dead letters."]))


async def retry(context: Context) -> int:
    """Give a dead letter another try."""
    core = context.house.core
    if not await core.store.write(_retry, context.args.id, context.by):
        raise NotFound(f"There is no dead letter {context.args.id}.")
    core.bell.ring(INBOX_BELL)
    core.bell.ring(LANES_BELL)
    return context.emit({"id": context.args.id, "state": "waiting"}, "It is tried again.")


async def _list(tx: Tx, core: Any) -> list[dict[str, Any]]:
    def host(peer_id: int) -> str | None:
        peer = core.peers.by_id(peer_id)
        return peer.host if peer else None

    received = [
        {
            "id": row.activity_id,
            "peer": host(row.peer_id),
            "direction": "in",
            "activity": row.uri,
            "reason": row.reason,
            "at": instant(row.received_at),
            "tries": row.tries,
        }
        for row in await list_dead_activities(tx)
    ]
    sent = [
        {
            "id": row.dead_id,
            "peer": host(row.peer_id),
            "direction": "out",
            "activity": row.activity_uri,
            "reason": row.reason,
            "at": instant(row.created_at),
            "tries": row.tries,
        }
        for row in await list_dead_letters(tx)
    ]
    return received + sent


async def _retry(tx: Tx, number: int, by: str) -> bool:
    done = await retry_dead_activity(tx, activity_id=number)
    done = done or await retry_dead_letter(tx, dead_id=number) is not None
    if done:
        await write_audit(tx, actor=by, action="deadletter.retry", target=str(number))
    return done

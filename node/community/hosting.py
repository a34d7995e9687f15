"""What a host does with an accepted activity: number it, let it become what it means, wake the lanes.

Called inside a transaction that holds the group's row, by services and handlers of every room.
"""

from __future__ import annotations

from typing import Any

import msgspec

from node.domain.groups import Group
from node.inbox.arrival import read_arrival
from node.inbox.dispatch import Arrival, Tables
from node.inbox.process import apply_entry
from node.outbox.publish import append
from node.store.core import Core
from node.store.engine import Tx
from node.store.logs import get_position, mark_applied


async def record(
    tx: Tx,
    core: Core,
    tables: Tables,
    *,
    group: Group,
    kind: str,
    arrival: Arrival,
    media: list[dict[str, Any]] | None = None,
) -> int:
    """Put an accepted activity into the log of a group that we host; return its number.

    Our own copy of the group applies it at once when it had applied all before, so that a member who posts can read
    what they posted; otherwise `process` applies it in its turn.
    """
    before = await get_position(tx, group_id=group.group_id)
    stored = await append(tx, core, group=group, kind=kind, activity=arrival.document, media=media)
    if before is not None and before.applied_seq == before.head.seq:
        for seq in range(before.head.seq + 1, stored.seq):  # the author's card, which the append wrote itself
            await mark_applied(tx, group_id=group.group_id, seq=seq)
        await apply_entry(tx, core, tables, group, stored, arrival)
    return stored.seq


def own_arrival(document: dict[str, Any]) -> Arrival:
    """Return an activity of one of our own actors in the form in which received ones are handled."""
    return read_arrival(document, msgspec.json.encode(document).decode(), peer_id=None)

"""Log entries that no handler could take: passed over, so that the group goes on, and kept as dead letters.

The letter names the entry and its chain value; the words stay in the log, where an erasure finds them. An operator who tries
it again lets the handler act on what the log says now, after entries that came later: an edit of a post that was not there
is not made up for.
"""

from __future__ import annotations

from urllib.parse import urldefrag

from node.domain.groups import Group
from node.store.activities import WaitingActivity, bury_activity, finish_activity, insert_activity
from node.store.core import Core
from node.store.engine import Tx
from node.store.logs import StoredEntry, get_entry, mark_applied
from node.store.rosters import get_group_by_uri

from .dispatch import Arrival, Tables

ENTRY = "Entry"


async def pass_over(tx: Tx, group: Group, entry: StoredEntry, *, letter_id: int, reason: str) -> None:
    """Go on behind an entry, and keep a dead letter of it.

    Args:
        tx: The transaction that counted the last try.
        group: Hosted elsewhere.
        entry: The one that could not be applied.
        letter_id: The number of the dead letter.
        reason: What the operator is told.
    """
    await mark_applied(tx, group_id=group.group_id, seq=entry.seq)
    await insert_activity(
        tx,
        activity_id=letter_id,
        uri=f"{group.uri}/log/{entry.seq}#{letter_id}",  # the place may fail again, with another entry
        peer_id=group.peer_id or 0,
        actor_uri=group.uri,
        type=ENTRY,
        digest="",
        document=entry.chain,
    )
    await bury_activity(tx, activity_id=letter_id, reason=reason)


async def read_passed_over(tx: Tx, job: WaitingActivity) -> tuple[Group, StoredEntry] | None:
    """Return the entry that a dead letter is about, or None when the log has another one there by now."""
    group = await get_group_by_uri(tx, uri=job.actor_uri)
    seq = int(urldefrag(job.uri)[0].rpartition("/")[2])
    entry = await get_entry(tx, group_id=group.group_id, seq=seq) if group else None
    if group is None or entry is None or entry.chain != job.document:
        return None
    return group, entry


async def apply_again(
    tx: Tx,
    core: Core,
    tables: Tables,
    job: WaitingActivity,
    found: tuple[Group, StoredEntry] | None,
    said: Arrival | None,
) -> None:
    """Let an entry that was passed over become what it means; nothing happens when it is gone, or was erased."""
    if found is None or said is None:
        await finish_activity(
            tx, activity_id=job.activity_id, state="dropped", reason="The entry is not there any more."
        )
        return
    group, entry = found
    handler = tables.entries.get((entry.kind, said.type))
    is_first = await finish_activity(tx, activity_id=job.activity_id, state="done")
    if is_first and handler is not None:
        await handler(tx, core, group, entry.seq, said)

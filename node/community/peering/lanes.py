"""What operators do about what waits for a peer: have it tried now."""

from __future__ import annotations

from node.domain.peers import Peer
from node.outbox.publish import LANES_BELL
from node.store.audit import write_audit
from node.store.core import Core
from node.store.engine import Tx
from node.store.streams import hasten_lane, list_lanes

from .service import require_peer


async def retry_lanes(core: Core, text: str, *, by: str) -> int:
    """Have every lane of a peer that has something to send tried now; return how many.

    Raises:
        NotFound: It is not on the list.
    """
    return await core.store.write(_retry, core, require_peer(core, text), by)


async def _retry(tx: Tx, core: Core, peer: Peer, by: str) -> int:
    await write_audit(tx, actor=by, action="lane.retry", target=peer.host)
    count = 0
    for row in await list_lanes(tx):
        if row.peer_id == peer.peer_id and row.head > row.cursor:
            await hasten_lane(tx, peer_id=row.peer_id, stream=row.stream, due_at=tx.now)
            count += 1
    tx.after_commit(lambda: core.bell.ring(LANES_BELL))
    return count

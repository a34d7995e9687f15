"""Taking a peer's test: a test object is kept, reported and erased as told, and reaches no member and nobody of staff.

Asked once a signature is good and the ids are the signer's own. A test writes one small row of the peer's at most; it never
reaches the queue of the inbox, so no room ever sees it. How it looks on the wire: federation/probes.py.
"""

from __future__ import annotations

from collections import defaultdict, deque
from datetime import datetime, timedelta

from node.domain.peers import Peer
from node.federation.message import Answer
from node.federation.probes import HEADER, Probe
from node.foundation.errors import TooMany
from node.store.core import Core
from node.store.engine import Tx
from node.store.probes import erase_probe, get_probe, put_probe

from .received import note_received

# A test takes three. More than four tests a minute are no tests.
AT_MOST, WITHIN = 12, timedelta(minutes=1)


class ProbeTaker:
    """Takes the tests of peers for one process."""

    def __init__(self, core: Core) -> None:
        self._core = core
        self._taken: defaultdict[int, deque[datetime]] = defaultdict(lambda: deque(maxlen=AT_MOST))

    async def take(self, probe: Probe, peer: Peer) -> Answer | None:
        """Do what a step of a test says, and say so; None where it names a test object that is not here.

        Raises:
            TooMany: The peer tests without end.
        """
        taken, now = self._taken[peer.peer_id], self._core.clock.now()
        if len(taken) == AT_MOST and now - taken[0] < WITHIN:
            raise TooMany(internal=f"{peer.host} tests without end")
        taken.append(now)
        if not await self._core.store.write(_take, self._core, probe, peer):
            return None
        return Answer(202, ((HEADER, probe.uri),))


async def _take(tx: Tx, core: Core, probe: Probe, peer: Peer) -> bool:
    await note_received(tx, core, peer)
    if probe.verb == "Create":
        await put_probe(tx, peer_id=peer.peer_id, uri=probe.uri, text=probe.text)
        return True
    if await get_probe(tx, peer_id=peer.peer_id, uri=probe.uri) is None:
        return False
    if probe.verb == "Delete":
        await erase_probe(tx, peer_id=peer.peer_id, uri=probe.uri)
    return True

"""What operators see of groups that ask other nodes for what a restore has lost, and how they end the waiting.

Spec: reliability.md 4.7; decision 0012.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from node.domain.groups import Group
from node.foundation.errors import Conflict
from node.store import recovering
from node.store.audit import write_audit
from node.store.core import DOUBTS_BELL, Core
from node.store.engine import Tx
from node.store.rosters import get_group


@dataclass(frozen=True, slots=True)
class ReturningGroup:
    """A group that is on its way back. since_at: when it began to ask. unheard: the hosts of nodes that gave nothing yet."""

    handle: str
    since_at: datetime
    unheard: list[str]


async def list_returning(core: Core) -> list[ReturningGroup]:
    """Return the groups that are on their way back, and the nodes that they wait for."""
    return await core.store.read(_list, core)


async def stop_waiting(core: Core, *, group: Group, by: str) -> None:
    """Let a group's log go on without the nodes that were not heard.

    Raises:
        Conflict: It waits for nobody.
    """
    await core.store.write(_stop_waiting, group, by)
    core.bell.ring(DOUBTS_BELL)


async def _list(tx: Tx, core: Core) -> list[ReturningGroup]:
    found = []
    for each in await recovering.list_recovering(tx):
        group = await get_group(tx, group_id=each.group_id)
        assert group is not None
        unheard = await recovering.list_unheard(tx, group_id=each.group_id)
        peers = [core.peers.by_id(peer_id) for peer_id in unheard]
        hosts = [peer.host for peer in peers if peer is not None]
        found.append(ReturningGroup(group.handle, each.since_at, hosts))
    return found


async def _stop_waiting(tx: Tx, group: Group, by: str) -> None:
    if not await recovering.end_waiting(tx, group_id=group.group_id):
        raise Conflict("This group does not wait for other nodes.")
    await write_audit(tx, actor=by, action="group.stop_waiting", target=group.handle)

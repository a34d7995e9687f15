"""Which nodes may hold a group that we host. Inside a transaction with the group's row; the caller asked `access`.

That is another decision than the one about a person, and it comes first. A group can ask that two people agree to it.
"""

from __future__ import annotations

from node.domain.actors import Actor
from node.domain.groups import Group
from node.domain.peers import Peer
from node.store.assents import forget_assents, give_assent, list_voters
from node.store.audit import write_audit
from node.store.core import Core
from node.store.engine import Tx
from node.store.rosters import admit_peer, get_admission

NOT_ADMITTED = "No member of this node can be let in before the node is admitted to the group."


async def admit(tx: Tx, core: Core, *, group: Group, peer: Peer, by: str, because_of: str) -> str:
    """Let a node hold a group; return "admitted", "already", or "waiting" when a second person must agree first.

    Args:
        tx: The transaction.
        core: This node.
        group: The group, hosted here.
        peer: The node.
        by: Who says so: the same name for the same person each time.
        because_of: The id of the member because of whom.
    """
    if await get_admission(tx, group_id=group.group_id, peer_id=peer.peer_id) is not None:
        return "already"
    if group.new_node_approvals > 1:
        await give_assent(tx, group_id=group.group_id, subject=peer.host, voter=by)
        voters = await list_voters(tx, group_id=group.group_id, subject=peer.host)
        if len(voters) < group.new_node_approvals:
            await write_audit(tx, actor=by, action="group.admit_first", target=f"{group.handle} {peer.host}")
            return "waiting"
        await forget_assents(tx, group_id=group.group_id, subject=peer.host)
    base = 0 if group.history == "all" else group.head_seq
    await admit_peer(
        tx, group_id=group.group_id, peer_id=peer.peer_id, decided_by=by, because_of=because_of, base_seq=base
    )
    await write_audit(tx, actor=by, action="group.admit", target=f"{group.handle} {peer.host}", reason=because_of)
    return "admitted"


async def is_admitted(tx: Tx, core: Core, *, group: Group, actor: Actor) -> bool:
    """Say whether an actor's node may hold a group; our own always may."""
    if actor.is_local:
        return True
    peer = core.peers.by_host(actor.host)
    return peer is not None and await get_admission(tx, group_id=group.group_id, peer_id=peer.peer_id) is not None

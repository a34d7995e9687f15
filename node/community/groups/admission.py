"""Which nodes may hold a group that we host. Inside a transaction with the group's row; the caller asked `access`.

That is another decision than the one about a person, and it comes first. A group can ask that two people agree to it.
Whoever agrees is known by their id, for nodes can call their people otherwise at any time; and a yes counts while its
giver has a role that may give it.
"""

from __future__ import annotations

from typing import Protocol

from node.domain.access import Decision, may_admit_node
from node.domain.actors import Actor, Viewer
from node.domain.groups import Group, Membership
from node.domain.peers import Peer
from node.store.actors import get_actor_by_uri
from node.store.assents import forget_assents, give_assent, list_voters
from node.store.audit import write_audit
from node.store.core import Core
from node.store.engine import Tx
from node.store.rosters import admit_peer, get_admission, get_membership

NOT_ADMITTED = "No member of this node can be let in before the node is admitted to the group."


class Check(Protocol):
    """What a yes needs of its giver: `may_admit_node` for one to a node, `may_moderate` for one to a person."""

    def __call__(self, viewer: Viewer, membership: Membership | None) -> Decision:
        """Decide."""
        ...


async def admit(
    tx: Tx, core: Core, *, group: Group, peer: Peer, by: str, because_of: str, voter: str | None = None
) -> str:
    """Let a node hold a group; return "admitted", "already", or "waiting" when a second person must agree first.

    Args:
        tx: The transaction.
        core: This node.
        group: The group, hosted here.
        peer: The node.
        by: Who says so, for the record.
        because_of: The id of the member because of whom.
        voter: The id of the member of staff who says so; None for the operator of this node.
    """
    if await get_admission(tx, group_id=group.group_id, peer_id=peer.peer_id) is not None:
        return "already"
    if group.new_node_approvals > 1:
        await give_assent(tx, group_id=group.group_id, subject=peer.host, voter=voter or by)
        voters = await list_agreed(tx, group_id=group.group_id, subject=peer.host, check=may_admit_node)
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


async def list_agreed(tx: Tx, *, group_id: int, subject: str, check: Check) -> list[str]:
    """Return who said yes to a node or a person, and may still say so, as pages name them."""
    names = []
    for voter in await list_voters(tx, group_id=group_id, subject=subject):
        actor = await get_actor_by_uri(tx, uri=voter)
        if actor is None:
            names.append(voter)  # the operator, who has no place in the group
        elif check(
            Viewer(actor.actor_id, actor.uri),
            await get_membership(tx, group_id=group_id, actor_id=actor.actor_id),
        ):
            names.append(actor.name or actor.handle if actor.is_local else actor.address)
    return names

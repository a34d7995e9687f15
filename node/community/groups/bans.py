"""The end of a ban: staff of a group hosted here lift it, and the person's node is told. They may then ask to join again."""

from __future__ import annotations

from typing import Any

from node.domain import access
from node.domain.actors import Member
from node.domain.groups import may_become
from node.federation.vocabulary import ActivityView
from node.foundation.errors import Conflict, Forbidden
from node.inbox.dispatch import Arrival, Done, Dropped, Outcome
from node.outbox.publish import CONTROL, send
from node.store.actors import get_actor, get_actor_by_uri
from node.store.audit import write_audit
from node.store.core import Core
from node.store.engine import Tx
from node.store.rosters import get_group_by_uri, get_membership, take_group, update_membership_state

from . import activities
from .service import require_group


async def lift_ban(core: Core, *, staff: Member | None, group_id: int, actor_id: int, by: str) -> None:
    """End somebody's ban from a group that we host.

    Args:
        core: This node.
        staff: Who lifts it; None for the operator.
        group_id: The group.
        actor_id: Who was banned.
        by: For the audit log.

    Raises:
        Forbidden: Not staff.
        Conflict: The group is hosted elsewhere, or this person is not banned.
    """
    await core.write(_lift, core, staff, group_id, actor_id, by)


async def on_unblock(tx: Tx, core: Core, arrival: Arrival) -> Outcome | None:
    """The host lifts the ban of a member of ours: `{"type": "Undo", "actor": G, "object": {"type": "Block", "object": A}}`."""
    inner = arrival.view.inner
    if not isinstance(inner, ActivityView) or inner.type != "Block" or inner.actor != arrival.actor_uri:
        return None
    group = await get_group_by_uri(tx, uri=arrival.actor_uri)
    if group is None or group.peer_id is None or group.peer_id != arrival.peer_id:
        return None
    await take_group(tx, group_id=group.group_id)
    actor = await get_actor_by_uri(tx, uri=inner.object_id or "")
    if actor is None or not actor.is_local:
        return Dropped("This person is not of this node.")
    place = await get_membership(tx, group_id=group.group_id, actor_id=actor.actor_id)
    if place is None or place.state != "banned":
        return Dropped("This person is not banned.")
    await update_membership_state(
        tx, group_id=group.group_id, actor_id=actor.actor_id, state="removed", decided_by=arrival.actor_uri
    )
    return Done()


async def _lift(tx: Tx, core: Core, staff: Member | None, group_id: int, actor_id: int, by: str) -> None:
    group = await require_group(tx, group_id)
    if staff is not None:
        place = await get_membership(tx, group_id=group_id, actor_id=staff.actor_id)
        if not (decision := access.may_moderate(staff.viewer, place)):
            raise Forbidden(decision.reason)
    if not group.is_local:
        raise Conflict("This group is hosted elsewhere; its host lifts bans.")
    banned = await get_membership(tx, group_id=group_id, actor_id=actor_id)
    actor = await get_actor(tx, actor_id=actor_id)
    if banned is None or actor is None or banned.state != "banned" or not may_become(banned.state, "removed"):
        raise Conflict("This person is not banned.")
    await update_membership_state(tx, group_id=group_id, actor_id=actor_id, state="removed", decided_by=by)
    await write_audit(tx, actor=by, action="group.unbanned", target=f"{group.handle} {actor.address}")
    peer = None if actor.is_local else core.peers.by_host(actor.host)
    if peer is None or peer.state == "parted" or actor.inbox_uri is None:
        return
    block = activities.build_block(core, group, member_uri=actor.uri, summary="")
    undo: dict[str, Any] = activities.build_undo(core, group.uri, block, actor.uri)
    await send(
        tx,
        core,
        peer_id=peer.peer_id,
        stream=CONTROL,
        actor_id=group_id,
        activity=undo,
        inbox_uri=actor.inbox_uri,
    )

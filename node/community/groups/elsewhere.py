"""What members do about people and nodes that this node does not decide about: ask a host, name somebody unknown."""

from __future__ import annotations

from node.domain import access
from node.domain.actors import Actor, Member
from node.federation.webfinger import parse_account
from node.foundation.errors import Conflict, Forbidden, Invalid, NodeError
from node.outbox.publish import prove
from node.store.actors import get_actor
from node.store.core import Core
from node.store.engine import Tx
from node.store.profiles import get_profile_by_address
from node.store.rosters import get_membership

from . import activities
from .service import require_group, send_to_host


async def ask_to_admit_node(core: Core, *, staff: Member, group_id: int, instance_uri: str) -> None:
    """Tell the host of a group elsewhere that its owner or a facilitator lets a node hold it; the host decides.

    Args:
        core: This node.
        staff: Who says so.
        group_id: The group.
        instance_uri: The instance actor of the node that is to be admitted.

    Raises:
        Forbidden: They are neither owner nor facilitator.
        Conflict: The group is hosted here.
    """
    await core.write(_ask_to_admit, core, staff, group_id, instance_uri)


async def find_invited(core: Core, *, viewer: Member, text: str) -> Actor:
    """Return somebody to invite, by `handle@host`; a person on a peer need not be known here.

    Their node tells strangers nothing, not even that they exist, so nobody is asked.

    Raises:
        Invalid: The text is no address, or there is nobody to whom an invitation could go.
    """
    name = text.strip().removeprefix("@")
    if "@" not in name:
        name = f"{name}@{core.host}"
    try:
        handle, host = parse_account(name)
    except NodeError:
        raise Invalid(f"{text} is not an address: write handle@host.") from None
    known = await core.store.read(_known, viewer.actor_id, handle, host)
    if known is not None:
        return known
    peer = core.peers.by_host(host)
    if host == core.host or peer is None or peer.state != "active":
        raise Invalid(f"There is nobody {handle}@{host} here or on a node we trust.")
    uri = f"{peer.origin}/people/{handle}"
    return Actor(
        core.ids.number(), uri, "person", handle, peer.host, False, peer.host, handle, "", f"{peer.origin}/inbox"
    )


async def _ask_to_admit(tx: Tx, core: Core, staff: Member, group_id: int, instance_uri: str) -> None:
    group = await require_group(tx, group_id)
    place = await get_membership(tx, group_id=group_id, actor_id=staff.actor_id)
    decision = access.may_admit_node(staff.viewer, place)
    if not decision:
        raise Forbidden(decision.reason)
    if group.is_local:
        raise Conflict("This group is hosted here.")
    admission = activities.build_admission(core, staff.uri, group, instance_uri=instance_uri)
    await send_to_host(tx, core, group, staff.actor_id, prove(core, core.keyring.at_hand(staff.actor_id), admission))


async def _known(tx: Tx, viewer_id: int, handle: str, host: str) -> Actor | None:
    seen = await get_profile_by_address(tx, viewer_id=viewer_id, handle=handle, host=host, kind="person")
    return await get_actor(tx, actor_id=seen.actor_id) if seen else None

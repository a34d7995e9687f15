"""`rounds group …`: groups hosted here, and those our members are in elsewhere."""

from __future__ import annotations

import argparse
import asyncio
from typing import Any

from node.community.groups import service, staff
from node.community.groups.service import NewGroup
from node.community.peering.service import require_peer
from node.domain.actors import ASSURANCE_LEVELS, Actor
from node.domain.groups import HISTORIES, POLICIES, ROLES, Group
from node.foundation.errors import Conflict, NotFound
from node.store.audit import write_audit
from node.store.engine import Tx
from node.store.rosters import (
    get_membership,
    list_groups,
    list_roster,
)
from node.store.streams import get_lane

from .context import Context, instant
from .groups_shown import describe_group
from .member import require_test_node
from .people import find_group, find_group_anywhere, find_member, find_person

# A request may be on its way while its approval is typed: `group join` returned a moment ago on the other node.
WAIT_FOR_REQUEST_SECONDS = 5.0
WAIT_FOR_DELIVERY_SECONDS = 10.0


def create_words(parser: argparse.ArgumentParser) -> None:
    """Take the words of `group create`."""
    parser.add_argument("handle")
    parser.add_argument("--title", required=True)
    parser.add_argument("--policy", default="request", choices=POLICIES)
    parser.add_argument("--hidden", action="store_true")
    parser.add_argument("--history", default="all", choices=HISTORIES)
    parser.add_argument("--assurance", default="A0", choices=ASSURANCE_LEVELS, help="the least that members need")
    parser.add_argument("--purpose", default="")
    parser.add_argument("--rules", default="", help="shown to those who may ask to join")
    parser.add_argument("--question", action="append", default=[], help="asked of those who join; may be given again")
    parser.add_argument("--new-node-approvals", type=int, default=1, choices=(1, 2), help="how many admit a new node")
    parser.add_argument("--owner", required=True, metavar="MEMBER")


def one_word(parser: argparse.ArgumentParser) -> None:
    """Take a group."""
    parser.add_argument("group", metavar="GROUP")


def as_words(parser: argparse.ArgumentParser) -> None:
    """Take a group and the member who acts."""
    one_word(parser)
    parser.add_argument("--as", dest="member", required=True, metavar="MEMBER")


def join_words(parser: argparse.ArgumentParser) -> None:
    """Take the words of `group join`."""
    as_words(parser)
    parser.add_argument("--reason", default="")


def admit_words(parser: argparse.ArgumentParser) -> None:
    """Take a group and a host."""
    one_word(parser)
    parser.add_argument("host", metavar="HOST")
    parser.add_argument("--yes", action="store_true")


def person_words(parser: argparse.ArgumentParser) -> None:
    """Take a group and a person."""
    one_word(parser)
    parser.add_argument("person", metavar="PERSON")


def approve_words(parser: argparse.ArgumentParser) -> None:
    """Take the words of `group approve`."""
    person_words(parser)
    parser.add_argument("--admit-node", action="store_true", help="also let the person's node hold the group")
    parser.add_argument("--yes", action="store_true")


def remove_words(parser: argparse.ArgumentParser) -> None:
    """Take a group, a person and a reason."""
    person_words(parser)
    parser.add_argument("--reason", default="")
    parser.add_argument("--yes", action="store_true")


def role_words(parser: argparse.ArgumentParser) -> None:
    """Take a group, a person and a role."""
    person_words(parser)
    parser.add_argument("role", choices=ROLES)


async def create(context: Context) -> int:
    """Create a group hosted here."""
    args = context.args
    owner = await find_member(context, args.owner)
    new = NewGroup(
        handle=args.handle,
        title=args.title,
        policy=args.policy,
        is_hidden=args.hidden,
        history=args.history,
        purpose=args.purpose,
        rules=args.rules,
        questions="\n".join(args.question),
        new_node_approvals=args.new_node_approvals,
        required_assurance=args.assurance,
    )
    house = context.house
    group = await service.create_group(house.core, house.tables, new, owner=owner, by=context.by)
    return context.emit(await describe_group(context, group), f"{group.handle} is ready: {group.uri}")


async def list_all(context: Context) -> int:
    """List every group here and every one held here."""
    groups = [await describe_group(context, group) for group in await context.house.core.store.read(list_groups)]
    lines = [f"{each['handle']}@{each['host']}  {each['members']} members  {each['title']}" for each in groups]
    return context.emit({"groups": groups}, *(lines or ["No groups yet."]))


async def show(context: Context) -> int:
    """Show one group."""
    shown = await describe_group(context, await find_group(context, context.args.group))
    return context.emit(shown, *(f"{name}: {value}" for name, value in shown.items()))


async def roster(context: Context) -> int:
    """List who is or was in a group."""
    group = await find_group(context, context.args.group)
    rows = await context.house.core.store.read(_roster, group.group_id)
    members = [
        {
            "uri": row.uri,
            "name": row.name,
            "host": row.host,
            "role": row.role,
            "state": row.state,
            "joined_seq": row.joined_seq,
            "joined_at": instant(row.joined_at),
            "reason": row.reason or None,
        }
        for row in rows
    ]
    lines = [f"{row.state:10} {row.role:12} {row.handle}@{row.host}  {row.name}" for row in rows]
    return context.emit({"group": group.uri, "members": members}, *(lines or ["Nobody yet."]))


async def join(context: Context) -> int:
    """Ask to join as a member; wait until the group's host has taken the request."""
    require_test_node(context, "group join")
    house = context.house
    member = await find_member(context, context.args.member)
    group = await find_group_anywhere(context, context.args.group)
    await service.join_group(house.core, house.tables, member=member, group_uri=group.uri, reason=context.args.reason)
    await house.core.store.write(_audit, context.by, "as.group.join", f"{member.handle} {group.uri}")
    if group.peer_id is not None and not await _wait_for_delivery(context, group.peer_id):
        context.warn("The group's host has not answered yet; the request waits and is sent again.\n")
    place = await house.core.store.read(_membership, group.group_id, member.actor_id)
    shown = {"group": group.uri, "member": member.uri, "state": place.state}
    return context.emit(shown, f"{member.handle} is {place.state} in {group.title}.")


async def leave(context: Context) -> int:
    """Leave a group as a member."""
    require_test_node(context, "group leave")
    house = context.house
    member = await find_member(context, context.args.member)
    group = await find_group(context, context.args.group)
    await service.leave_group(house.core, house.tables, member=member, group_id=group.group_id)
    await house.core.store.write(_audit, context.by, "as.group.leave", f"{member.handle} {group.uri}")
    return context.emit({"group": group.uri, "member": member.uri, "state": "left"}, f"{member.handle} has left.")


async def admit(context: Context) -> int:
    """Let a node hold a group's content."""
    group = await find_group(context, context.args.group)
    peer = require_peer(context.house.core, context.args.host)
    done = await staff.admit_node(
        context.house.core,
        context.house.tables,
        staff=None,
        group_id=group.group_id,
        peer=peer,
        because_of="operator",
        by=context.by,
    )
    sentences = {
        "admitted": f"{peer.host} may hold {group.title} from now on.",
        "already": f"{peer.host} may hold it already.",
        "waiting": f"A second person must agree before {peer.host} may hold {group.title}.",
    }
    return context.emit({"group": group.uri, "host": peer.host, "admitted": done != "waiting"}, sentences[done])


async def approve(context: Context) -> int:
    """Approve a request; with `--admit-node` the person's node first."""
    house = context.house
    group = await find_group(context, context.args.group)
    person, state = await _wait_for_request(context, group)
    shown = {"group": group.uri, "member": person.uri, "state": "member"}
    if state == "member":
        return context.emit(shown, f"{person.address} is a member already.")
    if context.args.admit_node and not person.is_local:
        peer = require_peer(house.core, person.host)
        await staff.admit_node(
            house.core,
            house.tables,
            staff=None,
            group_id=group.group_id,
            peer=peer,
            because_of=person.uri,
            by=context.by,
        )
    await staff.decide_request(
        house.core,
        house.tables,
        staff=None,
        group_id=group.group_id,
        actor_id=person.actor_id,
        approve=True,
        note="",
        by=context.by,
    )
    return context.emit(shown, f"{person.address} is a member.")


async def reject(context: Context) -> int:
    """Reject a request, with a reason."""
    house = context.house
    group = await find_group(context, context.args.group)
    person, _ = await _wait_for_request(context, group)
    await staff.decide_request(
        house.core,
        house.tables,
        staff=None,
        group_id=group.group_id,
        actor_id=person.actor_id,
        approve=False,
        note=context.args.reason,
        by=context.by,
    )
    return context.emit({"group": group.uri, "member": person.uri, "state": "rejected"}, "The request is rejected.")


async def remove(context: Context) -> int:
    """Remove somebody."""
    return await _put_out(context, ban=False)


async def ban(context: Context) -> int:
    """Ban somebody."""
    return await _put_out(context, ban=True)


async def _put_out(context: Context, *, ban: bool) -> int:
    house = context.house
    group = await find_group(context, context.args.group)
    person = await find_person(context, context.args.person)
    await staff.remove_from_group(
        house.core,
        house.tables,
        staff=None,
        group_id=group.group_id,
        actor_id=person.actor_id,
        ban=ban,
        reason=context.args.reason,
        by=context.by,
    )
    state = "banned" if ban else "removed"
    return context.emit({"group": group.uri, "member": person.uri, "state": state}, f"{person.address} is {state}.")


async def invite(context: Context) -> int:
    """Invite somebody; a person on a peer is named by address and need not be known here."""
    house = context.house
    group = await find_group(context, context.args.group)
    try:
        person = await find_person(context, context.args.person)
    except NotFound:
        person = _unknown_person(context, context.args.person)
    await staff.invite_to_group(
        house.core, house.tables, staff=None, group_id=group.group_id, invited=person, by=context.by
    )
    shown = {"group": group.uri, "member": person.uri, "state": "invited"}
    return context.emit(shown, f"{person.address} is invited.")


def _unknown_person(context: Context, text: str) -> Actor:
    """Return somebody on a peer by address alone: their node tells strangers nothing, not even that they exist."""
    name, _, host = text.removeprefix("@").partition("@")
    peer = context.house.core.peers.by_host(host)
    if peer is None or not host:
        raise NotFound(f"{text} is not known here, and {host or 'no node'} is not a peer.")
    uri = f"{peer.origin}/people/{name}"
    number = context.house.core.ids.number()
    return Actor(number, uri, "person", name, peer.host, False, peer.host, name, "", f"{peer.origin}/inbox")


async def role(context: Context) -> int:
    """Give a member of a group a role."""
    house = context.house
    group = await find_group(context, context.args.group)
    person = await find_person(context, context.args.person)
    await staff.set_role(
        house.core,
        house.tables,
        owner=None,
        group_id=group.group_id,
        actor_id=person.actor_id,
        role=context.args.role,
        by=context.by,
    )
    shown = {"group": group.uri, "member": person.uri, "role": context.args.role}
    return context.emit(shown, f"{person.address} is {context.args.role}.")


async def _wait_for_request(context: Context, group: Group) -> tuple[Actor, str]:
    """Return who asked and the state of their request, waiting a moment for one that is on its way.

    Raises:
        Conflict: There is no request.
    """
    core = context.house.core
    deadline = core.clock.monotonic() + WAIT_FOR_REQUEST_SECONDS
    while True:
        try:
            person = await find_person(context, context.args.person)
            place = await core.store.read(_membership, group.group_id, person.actor_id)
        except NotFound:
            person, place = None, None
        if person is not None and place is not None and place.state in ("requested", "member"):
            return person, place.state
        if core.clock.monotonic() > deadline:
            raise Conflict(f"There is no open request of {context.args.person} in this group.")
        await asyncio.sleep(0.1)


async def _wait_for_delivery(context: Context, peer_id: int) -> bool:
    """Wait until the direct lane to a peer is at its head; False when it is not in time."""
    core = context.house.core
    deadline = core.clock.monotonic() + WAIT_FOR_DELIVERY_SECONDS
    while core.clock.monotonic() < deadline:
        lane = await core.store.read(_lane, peer_id)
        if lane is None or lane.cursor >= lane.head:
            return True
        if not context.house.is_ready:
            return False  # the node is not serving: nothing is delivered now
        await asyncio.sleep(0.05)
    return False


async def _roster(tx: Tx, group_id: int) -> Any:
    return await list_roster(tx, group_id=group_id)


async def _membership(tx: Tx, group_id: int, actor_id: int) -> Any:
    return await get_membership(tx, group_id=group_id, actor_id=actor_id)


async def _lane(tx: Tx, peer_id: int) -> Any:
    return await get_lane(tx, peer_id=peer_id, stream="direct")


async def _audit(tx: Tx, by: str, action: str, target: str) -> None:
    await write_audit(tx, actor=by, action=action, target=target)

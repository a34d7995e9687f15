"""Find groups by what people write: a handle, `handle@host` or a URL; here, and where permitted on the group's node."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from node.domain.actors import Member
from node.domain.groups import Group, Membership
from node.federation.webfinger import parse_account, read_jrd
from node.foundation.errors import Invalid, NodeError, NotFound
from node.foundation.text import Mention
from node.inbox.dereference import Dereferencer, parse_origin_of
from node.store.core import Core
from node.store.engine import Tx
from node.store.profiles import get_profile_by_address
from node.store.rosters import get_group, get_membership, list_groups_of

from . import service


@dataclass(frozen=True, slots=True)
class NamedGroup:
    """A group named in a text, and whether who wrote it is in it."""

    group_id: int
    address: str
    is_joined: bool


async def find_group(core: Core, text: str) -> Group:
    """Return a group that this node hosts or knows, whoever may see it.

    Raises:
        NotFound: There is none.
    """
    if "://" in text:
        group = await service.find_group(core, text)
    else:
        name, _, host = text.removeprefix("@").removeprefix("!").partition("@")
        group = await service.find_group_by_address(core, handle=name, host=host or core.host)
    if group is None:
        raise NotFound(f"There is no group {text} here.")
    return group


async def find_group_anywhere(core: Core, dereferencer: Dereferencer, text: str) -> Group:
    """Return a group, looked up on its own node when it is not known here yet. Only active peers are asked.

    Raises:
        Invalid: The text is no address.
        NotFound: No node on our list has it, or shows it to us.
    """
    try:
        return await find_group(core, text)
    except NotFound:
        uri = await _look_up(core, text)
    peer = core.peers.active(parse_origin_of(core, uri))
    if peer is None:
        raise NotFound(f"The node of {text} is not an active peer.")
    await dereferencer.fetch_actor(uri, peer)
    group = await service.know_group(core, uri)
    if group is None:
        raise NotFound(f"{text} is not a group.")
    return group


async def list_joined_groups(core: Core, *, viewer: Member) -> list[Group]:
    """Return the groups a member is in, without companions, by title."""
    groups = await core.store.read(_groups_of, viewer.actor_id)
    return sorted((group for group in groups if not group.is_staff_room), key=lambda each: each.title.casefold())


async def list_places(core: Core, *, viewer: Member, actor_ids: list[int]) -> dict[int, Membership]:
    """Return a member's places in those of some accounts that are groups, by the group's number."""
    return await core.store.read(_places, viewer.actor_id, actor_ids)


async def find_named_groups(core: Core, *, viewer: Member, mentions: Iterable[Mention]) -> list[NamedGroup]:
    """Return the groups that a member named in a text, each once; one that they may not see is a word like others."""
    return await core.store.read(_named, core.host, viewer.actor_id, tuple(mentions))


async def _look_up(core: Core, text: str) -> str:
    """Return the id of `handle@host` from that host's WebFinger, asked with our signature."""
    if "://" in text:
        return text
    try:
        handle, host = parse_account(text)
    except NodeError:
        raise Invalid(f"{text} is not the address of a group: write handle@host, or its URL.") from None
    peer = core.peers.by_host(host)
    if peer is None or peer.state != "active":
        raise NotFound(f"{host} is not an active peer of this node.")
    keys = await core.keyring.own(core.instance_id)
    url = f"{peer.origin}/.well-known/webfinger?resource=acct:{handle}@{host}"
    try:
        _, raw = await core.client.get_json(url, signer=core.sign_for(keys, peer.origin))
    except NodeError as error:
        raise NotFound(f"{host} does not show a group {handle} to this node.") from error
    return read_jrd(raw, expected_origin=peer.origin)


async def _groups_of(tx: Tx, actor_id: int) -> list[Group]:
    return await list_groups_of(tx, actor_id=actor_id)


async def _places(tx: Tx, viewer_id: int, actor_ids: list[int]) -> dict[int, Membership]:
    places = {}
    for actor_id in actor_ids:
        place = await get_membership(tx, group_id=actor_id, actor_id=viewer_id)
        if place is not None:
            places[actor_id] = place
    return places


async def _named(tx: Tx, own_host: str, viewer_id: int, mentions: tuple[Mention, ...]) -> list[NamedGroup]:
    found: dict[int, NamedGroup] = {}
    for mention in mentions:
        host = mention.host or own_host
        seen = await get_profile_by_address(tx, viewer_id=viewer_id, handle=mention.handle, host=host, kind="group")
        group = await get_group(tx, group_id=seen.actor_id) if seen else None
        if group is None:
            continue
        place = await get_membership(tx, group_id=group.group_id, actor_id=viewer_id)
        address = f"@{group.handle}" if group.is_local else f"@{group.handle}@{group.host}"
        found[group.group_id] = NamedGroup(group.group_id, address, place is not None and place.is_member)
    return list(found.values())

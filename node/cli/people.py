"""Find the member, group or person that an operator names: handle, `handle@host`, or URL."""

from __future__ import annotations

from node.community.groups import service as groups
from node.community.members import service as members
from node.domain.actors import Actor, Member
from node.domain.groups import Group
from node.federation.webfinger import parse_account, read_jrd
from node.foundation.errors import Invalid, NodeError, NotFound
from node.inbox.dereference import parse_origin_of
from node.store.actors import get_actor_by_address, get_actor_by_uri
from node.store.engine import Tx

from .context import Context


async def find_member(context: Context, handle: str) -> Member:
    """Return a member of this node by handle or `handle@our-host`.

    Raises:
        NotFound: There is none.
    """
    name, _, host = handle.removeprefix("@").partition("@")
    if host and host != context.house.core.host:
        raise NotFound(f"{handle} is not a member of this node.")
    return await members.require_member(context.house.core, name)


async def find_group(context: Context, text: str) -> Group:
    """Return a group that this node hosts or knows.

    Raises:
        NotFound: There is none.
    """
    core = context.house.core
    if "://" in text:
        group = await groups.find_group(core, text)
    else:
        name, _, host = text.removeprefix("@").removeprefix("!").partition("@")
        group = await groups.find_group_by_address(core, handle=name, host=host or core.host)
    if group is None:
        raise NotFound(f"There is no group {text} here.")
    return group


async def find_group_anywhere(context: Context, text: str) -> Group:
    """Return a group, looked up on its own node when it is not known here yet.

    Raises:
        NotFound: No node on our list has it, or shows it to us.
    """
    try:
        return await find_group(context, text)
    except NotFound:
        uri = await _look_up(context, text)
    core = context.house.core
    peer = core.peers.active(parse_origin_of(core, uri))
    if peer is None:
        raise NotFound(f"The node of {text} is not an active peer.")
    await context.house.dereferencer.fetch_actor(uri, peer)
    group = await groups.know_group(core, uri)
    if group is None:
        raise NotFound(f"{text} is not a group.")
    return group


async def find_person(context: Context, text: str) -> Actor:
    """Return a person known here, by handle, `handle@host` or URL.

    Raises:
        NotFound: Nobody.
    """
    core = context.house.core
    if "://" in text:
        actor = await core.store.read(_by_uri, text)
    else:
        name, _, host = text.removeprefix("@").partition("@")
        actor = await core.store.read(_by_address, name, host or core.host)
    if actor is None:
        raise NotFound(f"{text} is not known here.")
    return actor


async def _look_up(context: Context, text: str) -> str:
    """Return the id of `handle@host` from that host's WebFinger, asked with our signature."""
    if "://" in text:
        return text
    core = context.house.core
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


async def _by_uri(tx: Tx, uri: str) -> Actor | None:
    return await get_actor_by_uri(tx, uri=uri)


async def _by_address(tx: Tx, handle: str, host: str) -> Actor | None:
    return await get_actor_by_address(tx, host=host, handle=handle, kind="person")

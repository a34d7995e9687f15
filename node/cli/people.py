"""Find the member, group or person that an operator names: handle, `handle@host`, or URL."""

from __future__ import annotations

from node.community.groups import lookup
from node.community.members import service as members
from node.domain.actors import Actor, Member
from node.domain.groups import Group
from node.foundation.errors import NotFound
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
    return await lookup.find_group(context.house.core, text)


async def find_group_anywhere(context: Context, text: str) -> Group:
    """Return a group, looked up on its own node when it is not known here yet.

    Raises:
        NotFound: No node on our list has it, or shows it to us.
    """
    return await lookup.find_group_anywhere(context.house.core, context.house.dereferencer, text)


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


async def _by_uri(tx: Tx, uri: str) -> Actor | None:
    return await get_actor_by_uri(tx, uri=uri)


async def _by_address(tx: Tx, handle: str, host: str) -> Actor | None:
    return await get_actor_by_address(tx, host=host, handle=handle, kind="person")

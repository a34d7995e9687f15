"""People and groups as a member sees them: by number, by address. What a member may not see is absent."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from node.domain.actors import Actor, Member
from node.domain.attestations import NONE, Standing
from node.foundation.errors import NodeError, NotFound
from node.foundation.logs import get_logger
from node.foundation.text import Mention
from node.inbox.dereference import Dereferencer, parse_origin_of
from node.store.actors import get_actor
from node.store.attestations import find_standing, find_standings
from node.store.core import Core
from node.store.engine import Tx
from node.store.profiles import Profile, label_profile, list_profiles, list_seen_ids
from node.store.profiles import get_profile as get_stored_profile
from node.store.profiles import get_profile_by_address as get_stored_profile_by_address
from node.store.specialties import get_specialty


async def get_profile(core: Core, *, viewer: Member, actor_id: int) -> Profile:
    """Return a person or group that a member may see.

    Raises:
        NotFound: Absent, or not for this member.
    """
    profile = await core.store.read(_by_id, viewer.actor_id, actor_id)
    if profile is None:
        raise NotFound("There is no such account.")
    return await _labelled(core, profile)


async def find_profile(core: Core, *, viewer: Member, handle: str, host: str | None, kind: str) -> Profile | None:
    """Return a person ("person") or group ("group") that a member may see, by address.

    Args:
        core: This node.
        viewer: Who looks.
        handle: The part before the @.
        host: The part after it; None for this node.
        kind: What is looked for; a person and a group may share a handle.
    """
    profile = await core.store.read(_by_address, viewer.actor_id, handle, host or core.host, kind)
    return await _labelled(core, profile) if profile is not None else None


async def _labelled(core: Core, profile: Profile) -> Profile:
    standing = NONE if profile.is_group else await read_standing(core, profile.actor_id)
    return replace(label_profile(core.peers, profile), standing=standing)


async def read_profiles(core: Core, *, actor_ids: Iterable[int]) -> list[Profile]:
    """Return people and groups by number, in the order given; the caller has read those numbers through a viewer."""
    return await core.store.read(_many, core, list(dict.fromkeys(actor_ids)))


async def list_seen(core: Core, *, viewer: Member, actor_ids: Iterable[int]) -> list[int]:
    """Return those of some accounts that a member may see, each once, in the order given."""
    wanted = list(dict.fromkeys(actor_ids))
    seen = await core.store.read(_seen, viewer.actor_id, wanted)
    return [actor_id for actor_id in wanted if actor_id in seen]


async def read_standing(core: Core, actor_id: int) -> Standing:
    """Return what is said of somebody's verification, and what it counts for here; the caller may see them."""
    return await core.store.read(_standing, core, actor_id)


async def read_shown_specialty(core: Core, actor_id: int) -> str:
    """Return what a member practises, if they let their profile say so, or nothing; the caller may see them."""
    return await core.store.read(_shown_specialty, actor_id)


async def find_named_people(
    core: Core, *, viewer: Member, mentions: Iterable[Mention]
) -> tuple[list[Actor], list[Mention]]:
    """Return the people whom a member named in a text, each once, and the mentions that name nobody they may see."""
    return await core.store.read(_named, core.host, viewer.actor_id, tuple(mentions))


async def list_people(core: Core, *, actor_ids: Iterable[int]) -> list[Actor]:
    """Return people by number; the caller has read those numbers through a viewer."""
    return await core.store.read(_people, tuple(actor_ids))


async def reach_person(core: Core, dereferencer: Dereferencer, person: Actor) -> Actor:
    """Return a person with an address for messages, where it can be had.

    Somebody known by a card alone is asked for at their own node, if that is an active peer.
    """
    peer = core.peers.active(parse_origin_of(core, person.uri))
    if person.is_local or person.inbox_uri is not None or peer is None:
        return person
    try:
        return await dereferencer.fetch_actor(person.uri, peer)
    except NodeError as error:
        get_logger().info("person_not_reached", peer=peer.host, reason=error.internal)
        return person


async def _by_id(tx: Tx, viewer_id: int, actor_id: int) -> Profile | None:
    return await get_stored_profile(tx, viewer_id=viewer_id, actor_id=actor_id)


async def _by_address(tx: Tx, viewer_id: int, handle: str, host: str, kind: str) -> Profile | None:
    return await get_stored_profile_by_address(tx, viewer_id=viewer_id, handle=handle, host=host, kind=kind)


async def _many(tx: Tx, core: Core, actor_ids: list[int]) -> list[Profile]:
    found = await list_profiles(tx, actor_ids=actor_ids)
    standings = await find_standings(tx, core.peers, actor_ids=actor_ids)
    return [
        replace(label_profile(core.peers, found[number]), standing=standings.get(number, NONE))
        for number in actor_ids
        if number in found
    ]


async def _seen(tx: Tx, viewer_id: int, actor_ids: list[int]) -> set[int]:
    return await list_seen_ids(tx, viewer_id=viewer_id, actor_ids=actor_ids)


async def _named(
    tx: Tx, own_host: str, viewer_id: int, mentions: tuple[Mention, ...]
) -> tuple[list[Actor], list[Mention]]:
    known: dict[int, Actor] = {}
    unknown = []
    for mention in mentions:
        seen = await _by_address(tx, viewer_id, mention.handle, mention.host or own_host, "person")
        person = await get_actor(tx, actor_id=seen.actor_id) if seen else None
        if person is None:
            unknown.append(mention)
        else:
            known[person.actor_id] = person
    return list(known.values()), unknown


async def _people(tx: Tx, actor_ids: tuple[int, ...]) -> list[Actor]:
    found = [await get_actor(tx, actor_id=actor_id) for actor_id in actor_ids]
    return [actor for actor in found if actor is not None]


async def _shown_specialty(tx: Tx, actor_id: int) -> str:
    kept = await get_specialty(tx, actor_id=actor_id)
    return str(kept.specialty) if kept is not None and kept.is_shown else ""


async def _standing(tx: Tx, core: Core, actor_id: int) -> Standing:
    return await find_standing(tx, core.peers, actor_id=actor_id)

"""`/api/v1/accounts`: oneself, people and groups; following a group is asking to join it.

Spec: Mastodon API, methods/accounts.
"""

from __future__ import annotations

from quart import Blueprint, request

from node.community.distance.service import find_distances
from node.community.groups import service as groups
from node.community.groups.lookup import find_group_anywhere, list_places
from node.community.groups.roster import describe_group, list_asking
from node.community.house import House
from node.community.members.notes import list_notes
from node.community.members.profiles import find_profile, get_profile, list_seen
from node.domain.actors import Member
from node.domain.groups import Membership
from node.federation.webfinger import parse_account
from node.foundation.errors import Invalid, NodeError, NotFound
from node.store.distance import NEAR
from node.store.profiles import Profile

from .auth import Caller, needs
from .entities import Entity, Setting
from .entities.accounts import build_account, build_credential_account, build_group_account, build_relationship
from .entities.ids import parse_number
from .parameters import read_parameters, read_query

_RELATIONSHIPS_LIMIT = 80
_IN_PLACE = ("member", "requested", "invited")


def add_accounts(routes: Blueprint, house: House, setting: Setting) -> None:
    """Add the routes of accounts."""
    core = house.core

    @routes.get("/api/v1/accounts/verify_credentials")
    @needs(core, "read:accounts")
    async def verify_credentials(caller: Caller) -> Entity:
        return await build_own(house, caller.member, setting)

    @routes.get("/api/v1/accounts/lookup")
    @needs(core, "read:accounts")
    async def lookup(caller: Caller) -> Entity:
        address = read_query(request).text("acct") or ""
        return build_account(await _look_up(house, caller.member, address), setting)

    @routes.get("/api/v1/accounts/relationships")
    @needs(core, "read:follows")
    async def relationships(caller: Caller) -> list[Entity]:
        numbers = [parse_number(text) for text in read_query(request).texts("id")[:_RELATIONSHIPS_LIMIT]]
        seen = await list_seen(core, viewer=caller.member, actor_ids=[number for number in numbers if number])
        return await relate(house, caller.member, seen)

    @routes.get("/api/v1/accounts/<account_id>")
    @needs(core, "read:accounts")
    async def account(caller: Caller, account_id: str) -> Entity:
        profile = await require_account(house, caller.member, account_id)
        if not profile.is_group:
            return build_account(profile, setting)
        words = await describe_group(core, viewer=caller.member, group_id=profile.actor_id)
        return build_group_account(profile, setting, rules=words.rules, staff=words.staff)

    @routes.post("/api/v1/accounts/<account_id>/follow")
    @needs(core, "write:follows")
    async def follow(caller: Caller, account_id: str) -> Entity:
        reason = (await read_parameters(request)).text("comment") or ""
        profile = await _require_group(house, caller.member, account_id)
        await groups.join_group(core, house.tables, member=caller.member, group_uri=profile.uri, reason=reason)
        return (await relate(house, caller.member, [profile.actor_id]))[0]

    @routes.post("/api/v1/accounts/<account_id>/unfollow")
    @needs(core, "write:follows")
    async def unfollow(caller: Caller, account_id: str) -> Entity:
        profile = await _require_group(house, caller.member, account_id)
        place = await _place(house, caller.member, profile.actor_id)
        if place is not None and place.state in _IN_PLACE:
            await groups.leave_group(core, house.tables, member=caller.member, group_id=profile.actor_id)
        return (await relate(house, caller.member, [profile.actor_id]))[0]


async def build_own(house: House, member: Member, setting: Setting) -> Entity:
    """Return a member's own account, as they alone get it."""
    profile = await get_profile(house.core, viewer=member, actor_id=member.actor_id)
    requests = len(await list_asking(house.core, viewer=member))
    return build_credential_account(profile, member, setting, requests=requests)


async def relate(house: House, viewer: Member, actor_ids: list[int]) -> list[Entity]:
    """Return how a member stands to some accounts, in the order given; the caller has seen that they may know of them."""
    places = await list_places(house.core, viewer=viewer, actor_ids=actor_ids)
    notes = await list_notes(house.core, viewer=viewer, actor_ids=actor_ids)
    distances = await find_distances(house.core, viewer=viewer, actor_ids=actor_ids)
    return [
        build_relationship(number, places.get(number), note=notes.get(number, ""), distance=distances.get(number, NEAR))
        for number in actor_ids
    ]


async def require_account(house: House, viewer: Member, account_id: str) -> Profile:
    """Return the account with an id, if the member may see it.

    Raises:
        NotFound: Absent, or not for this member.
    """
    number = parse_number(account_id)
    if number is None:
        raise NotFound
    return await get_profile(house.core, viewer=viewer, actor_id=number)


async def _require_group(house: House, viewer: Member, account_id: str) -> Profile:
    profile = await require_account(house, viewer, account_id)
    if not profile.is_group:
        raise Invalid("People are not followed here. Join a group to read what its members write.")
    return profile


async def _place(house: House, member: Member, group_id: int) -> Membership | None:
    return (await list_places(house.core, viewer=member, actor_ids=[group_id])).get(group_id)


async def _look_up(house: House, viewer: Member, address: str) -> Profile:
    """Return the person or group at an address; a group that is not known here is asked for at its own node.

    Raises:
        NotFound: Absent, or not for this member.
    """
    core = house.core
    wants_group = address.strip().startswith("!")
    text = address.strip().removeprefix("!").removeprefix("@")
    try:
        handle, host = parse_account(text if "@" in text else f"{text}@{core.host}")
    except Invalid:
        raise NotFound from None
    for kind in ("group",) if wants_group else ("person", "group"):
        found = await find_profile(core, viewer=viewer, handle=handle, host=host, kind=kind)
        if found is not None:
            return found
    if host == core.host:
        raise NotFound
    try:
        group = await find_group_anywhere(core, house.dereferencer, f"{handle}@{host}")
    except NodeError as error:  # whatever keeps another node from showing it, for the member it is not there
        raise NotFound(internal=error.internal) from error
    return await get_profile(core, viewer=viewer, actor_id=group.group_id)

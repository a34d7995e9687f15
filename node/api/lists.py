"""`/api/v1/lists`: one list per group that the member is in, to be read and not to be changed.

Spec: Mastodon API, methods/lists.
"""

from __future__ import annotations

from quart import Blueprint

from node.community.groups.lookup import list_joined_groups
from node.community.house import House
from node.community.members.profiles import read_profiles
from node.community.reading.following import list_quiet
from node.domain.actors import Member
from node.domain.groups import Group
from node.foundation.errors import Invalid, NotFound

from .auth import Caller, needs
from .entities import Entity, Setting
from .entities.accounts import build_account
from .entities.ids import parse_list_id
from .entities.lists import build_list

_LISTS = "/api/v1/lists"
_LIST = f"{_LISTS}/<list_id>"
_FIXED = (
    "Each of your groups has a list here, and there are no others. Join a group to get its list, leave it to lose it."
)


def add_lists(routes: Blueprint, house: House, setting: Setting) -> None:
    """Add the routes of lists."""
    core = house.core

    @routes.get(_LISTS)
    @needs(core, "read:lists")
    async def lists(caller: Caller) -> list[Entity]:
        quiet = await list_quiet(core, viewer=caller.member)
        groups = await list_joined_groups(core, viewer=caller.member)
        return [build_list(group, is_quiet=group.group_id in quiet) for group in groups]

    @routes.get(_LIST)
    @needs(core, "read:lists")
    async def one_list(caller: Caller, list_id: str) -> Entity:
        group = await _require_list(house, caller.member, list_id)
        return build_list(group, is_quiet=group.group_id in await list_quiet(core, viewer=caller.member))

    @routes.get(f"{_LIST}/accounts")
    @needs(core, "read:lists")
    async def accounts(caller: Caller, list_id: str) -> list[Entity]:
        """Return the group, which is all that stands in its list; its members are its followers."""
        group = await _require_list(house, caller.member, list_id)
        return [build_account(each, setting) for each in await read_profiles(core, actor_ids=[group.group_id])]

    _add_refusals(routes, house)


def _add_refusals(routes: Blueprint, house: House) -> None:
    """Answer whoever wants to change lists with the reason why they cannot."""
    core = house.core

    @routes.post(_LISTS)
    @needs(core, "write:lists")
    async def create(caller: Caller) -> Entity:
        raise Invalid(_FIXED)

    @routes.put(_LIST)
    @needs(core, "write:lists")
    async def change(caller: Caller, list_id: str) -> Entity:
        raise await _refuse(house, caller.member, list_id)

    @routes.delete(_LIST)
    @needs(core, "write:lists")
    async def delete(caller: Caller, list_id: str) -> Entity:
        raise await _refuse(house, caller.member, list_id)

    @routes.post(f"{_LIST}/accounts")
    @needs(core, "write:lists")
    async def add_accounts(caller: Caller, list_id: str) -> Entity:
        raise await _refuse(house, caller.member, list_id)

    @routes.delete(f"{_LIST}/accounts")
    @needs(core, "write:lists")
    async def remove_accounts(caller: Caller, list_id: str) -> Entity:
        raise await _refuse(house, caller.member, list_id)


async def _refuse(house: House, viewer: Member, list_id: str) -> Invalid:
    await _require_list(house, viewer, list_id)
    return Invalid(_FIXED)


async def _require_list(house: House, viewer: Member, list_id: str) -> Group:
    """Return the group whose list an id means.

    Raises:
        NotFound: The member is not in such a group; absent groups answer alike.
    """
    group_id = parse_list_id(list_id)
    for group in await list_joined_groups(house.core, viewer=viewer):
        if group.group_id == group_id:
            return group
    raise NotFound

"""`/api/v1/lists`: one list per group that the member is in. Spec: Mastodon API, methods/lists."""

from __future__ import annotations

from quart import Blueprint

from node.community.groups.lookup import list_joined_groups
from node.community.house import House

from .auth import Caller, needs
from .entities import Entity
from .entities.lists import build_list


def add_lists(routes: Blueprint, house: House) -> None:
    """Add the routes of lists."""
    core = house.core

    @routes.get("/api/v1/lists")
    @needs(core, "read:lists")
    async def lists(caller: Caller) -> list[Entity]:
        return [build_list(group) for group in await list_joined_groups(core, viewer=caller.member)]

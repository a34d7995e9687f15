"""What a member wants to hear of: a group's level, following and muting a thread, and all levels on the page of notices."""

from __future__ import annotations

from quart import Blueprint, Response
from quart.typing import ResponseReturnValue

from node.community.house import House
from node.community.reading import following
from node.community.reading.notices import list_notices
from node.domain.following import LEVELS
from node.foundation.errors import Invalid, NotFound

from .reading import open_thread, path_of, seen_group
from .shell import Shell, post_page
from .visitor import Visitor, for_members, read_form, read_number, see

_LEVEL_FIELD = "level-"


def build_following(house: House, shell: Shell) -> Blueprint:
    """Return the routes of notices, levels and followed threads."""
    pages = Blueprint("following", __name__)
    _add_notices(pages, house, shell)
    _add_buttons(pages, house)
    return pages


def _add_notices(pages: Blueprint, house: House, shell: Shell) -> None:
    core = house.core

    async def show(visitor: Visitor, *, status: int = 200, problem: str = "") -> Response:
        page = shell.render(
            "reading/notices.html",
            visitor,
            place="notifications",
            notices=await list_notices(core, viewer=visitor.member),
            choices=await following.list_choices(core, viewer=visitor.member),
            levels=LEVELS,
            path_of=path_of(house),
            problem=problem,
        )
        return Response(page, status)

    @pages.get("/notifications")
    @for_members(core)
    async def notifications(visitor: Visitor) -> ResponseReturnValue:
        return await show(visitor)

    @pages.post("/notifications")
    @for_members(core)
    async def choose(visitor: Visitor) -> ResponseReturnValue:
        fields = {name: value for name, value in (await read_form()).items() if name.startswith(_LEVEL_FIELD)}
        wanted = {read_number(name.removeprefix(_LEVEL_FIELD)) or 0: value for name, value in fields.items()}
        try:
            await following.set_levels(core, viewer=visitor.member, levels=wanted)
        except (Invalid, NotFound) as error:  # a group that was left meanwhile stands in an old page
            return await show(visitor, status=422, problem=error.safe)
        return see("/notifications#levels")


def _add_buttons(pages: Blueprint, house: House) -> None:
    core = house.core

    @pages.post("/groups/<address>/level")
    @for_members(core)
    async def set_level(visitor: Visitor, address: str) -> ResponseReturnValue:
        profile = await seen_group(core, visitor, address)
        wanted = {profile.actor_id: (await read_form()).get("level", "")}
        await following.set_levels(core, viewer=visitor.member, levels=wanted)
        return see(f"/groups/{address}#group-level")

    @pages.post("/groups/<address>/threads/<token>/follow")
    @for_members(core)
    async def follow(visitor: Visitor, address: str, token: str) -> ResponseReturnValue:
        page, path, post = await open_thread(house, visitor, address, token)
        wanted = (await read_form()).get("act", "")
        await following.set_following(
            core, viewer=visitor.member, group_id=page.group.group_id, root_id=page.root_id, wanted=wanted
        )
        return see(f"{post_page(page.root or post, path)}#follow-thread")

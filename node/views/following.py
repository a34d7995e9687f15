"""What a member wants to hear of: a group's level, following and muting a thread, and all levels on the page of notices."""

from __future__ import annotations

from collections.abc import Callable

from quart import Blueprint, Response, request
from quart.typing import ResponseReturnValue

from node.community.house import House
from node.community.reading import following
from node.community.reading.notices import Notice, list_notices, note_seen
from node.domain.following import LEVELS
from node.domain.groups import Group
from node.foundation.errors import Invalid, NotFound

from .reading import open_thread, path_of, seen_group
from .shell import Shell, post_page
from .visitor import Visitor, for_members, read_form, read_number, see

_LEVEL_FIELD = "level-"
_NEW_IN_THREAD = ("named", "answer", "followed", "new")


def build_following(house: House, shell: Shell) -> Blueprint:
    """Return the routes of notices, levels and followed threads."""
    pages = Blueprint("following", __name__)
    _add_notices(pages, house, shell)
    _add_buttons(pages, house)
    return pages


def _add_notices(pages: Blueprint, house: House, shell: Shell) -> None:
    core = house.core
    find_path = path_of(house)

    async def show(visitor: Visitor, *, status: int = 200, problem: str = "") -> Response:
        notices = await list_notices(core, viewer=visitor.member)
        page = shell.render(
            "reading/notices.html",
            visitor,
            place="notifications",
            notices=[(notice, _target(notice, find_path)) for notice in notices],
            choices=await following.list_choices(core, viewer=visitor.member),
            levels=LEVELS,
            path_of=find_path,
            problem=problem,
        )
        if "prefetch" not in request.headers.get("Sec-Purpose", request.headers.get("Purpose", "")):
            await note_seen(core, viewer=visitor.member, notices=notices)
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


def _target(notice: Notice, find_path: Callable[[Group], str]) -> str:
    """Return where a notice leads."""
    if notice.group is None:
        return "/messages" if notice.conversation_id is None else f"/messages/{notice.conversation_id}"
    path = find_path(notice.group)
    if notice.post is None or notice.kind in ("request", "report"):
        return f"{path}/requests"
    return f"{post_page(notice.post, path)}{'#unread' if notice.kind in _NEW_IN_THREAD else ''}"


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

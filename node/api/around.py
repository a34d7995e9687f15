"""`/api/v1/statuses/:id/…`: what a status was written as, what it said before, who shared it; pinning it as staff.

What is said in a group stays in it: nothing is shared further, by nobody.

Spec: Mastodon API, methods/statuses.
"""

from __future__ import annotations

from quart import Blueprint, Response, request

from node.community.house import House
from node.community.marks.service import list_thankers
from node.community.members.profiles import read_profiles
from node.community.posts.browsing import read_versions
from node.community.posts.reading import read_post
from node.community.posts.tending import pin_post
from node.domain.posts import Post
from node.foundation.errors import Invalid, NotFound

from .auth import Caller, needs
from .entities import Entity, Setting
from .entities.accounts import build_account
from .entities.ids import is_shared_id, parse_status_id
from .entities.ids import status_id as format_status_id
from .entities.statuses import Shelf, build_edit
from .pagination import cut_out, read_plain_span, send_page
from .parameters import read_query
from .tickets import Tickets

_STATUS = "/api/v1/statuses/<status_id>"
_STAYS = "What is said in a group stays in it. It cannot be shared further."


def add_around(routes: Blueprint, house: House, setting: Setting, tickets: Tickets) -> None:
    """Add the routes of what stands around a status."""
    core = house.core

    @routes.get(f"{_STATUS}/source")
    @needs(core, "read:statuses")
    async def source(caller: Caller, status_id: str) -> Entity:
        """Return what its author wrote, to change it; for nobody else."""
        post = await _find(house, caller, status_id)
        if post.author_id != caller.member.actor_id or is_shared_id(status_id):
            raise NotFound
        return {"id": format_status_id(post.post_id), "text": post.source, "spoiler_text": post.warning}

    @routes.get(f"{_STATUS}/history")
    @needs(core, "read:statuses")
    async def history(caller: Caller, status_id: str) -> list[Entity]:
        reading, versions = await read_versions(core, viewer=caller.member, post_id=_number(status_id))
        shelf = Shelf(reading, setting, tickets.for_caller(caller))
        return [build_edit(shelf.build_status(reading.posts[0]), version) for version in (*versions, None)]

    @routes.get(f"{_STATUS}/favourited_by")
    @needs(core, "read:accounts")
    async def favourited_by(caller: Caller, status_id: str) -> Response:
        """Return who thanked, to the author alone."""
        span = read_plain_span(read_query(request))
        thankers = await list_thankers(core, viewer=caller.member, post_id=_number(status_id))
        ids = cut_out(thankers, span)
        shown = [build_account(each, setting) for each in await read_profiles(core, actor_ids=ids)]
        return send_page(f"{setting.origin}{request.path}", shown, [str(number) for number in ids], span)

    _add_sharing(routes, house, setting, tickets)


def _add_sharing(routes: Blueprint, house: House, setting: Setting, tickets: Tickets) -> None:
    """Add the routes by which apps share a status further, which nobody can here, and pin one."""
    core = house.core

    @routes.get(f"{_STATUS}/reblogged_by")
    @needs(core, "read:accounts")
    async def reblogged_by(caller: Caller, status_id: str) -> list[Entity]:
        await _find(house, caller, status_id)
        return []

    @routes.post(f"{_STATUS}/reblog")
    @needs(core, "write:statuses")
    async def reblog(caller: Caller, status_id: str) -> Entity:
        await _find(house, caller, status_id)
        raise Invalid(_STAYS)

    @routes.post(f"{_STATUS}/unreblog")
    @needs(core, "write:statuses")
    async def unreblog(caller: Caller, status_id: str) -> Entity:
        return await show(caller, status_id)

    @routes.post(f"{_STATUS}/pin")
    @needs(core, "write:accounts")
    async def pin(caller: Caller, status_id: str) -> Entity:
        await pin_post(core, house.tables, staff=caller.member, post_id=_number(status_id), is_pinned=True)
        return {**await show(caller, status_id), "pinned": True}  # elsewhere the host has it next

    @routes.post(f"{_STATUS}/unpin")
    @needs(core, "write:accounts")
    async def unpin(caller: Caller, status_id: str) -> Entity:
        await pin_post(core, house.tables, staff=caller.member, post_id=_number(status_id), is_pinned=False)
        return {**await show(caller, status_id), "pinned": False}

    async def show(caller: Caller, status_id: str) -> Entity:
        reading = await read_post(core, viewer=caller.member, post_id=_number(status_id))
        return Shelf(reading, setting, tickets.for_caller(caller)).build_status(reading.posts[0])


async def _find(house: House, caller: Caller, status_id: str) -> Post:
    """Return a post.

    Raises:
        NotFound: Absent, or not for this member.
    """
    return (await read_post(house.core, viewer=caller.member, post_id=_number(status_id))).posts[0]


def _number(status_id: str) -> int:
    number = parse_status_id(status_id)
    if number is None:
        raise NotFound
    return number

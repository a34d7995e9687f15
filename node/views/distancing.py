"""Pages of distance: mute and block on a person's page, and the list of all whom a member keeps away."""

from __future__ import annotations

from datetime import timedelta

from quart import Blueprint, Response
from quart.typing import ResponseReturnValue

from node.community.distance import service as distance
from node.community.house import House
from node.community.members.profiles import find_profile, read_profiles
from node.foundation.errors import NotFound
from node.store.distance import Kept
from node.store.profiles import Profile

from .shell import Shell
from .visitor import Visitor, for_members, read_form, read_number, see

# How long a mute may last, in days, as the form offers it; 0 is until it is ended.
MUTE_DAYS = (0, 1, 7, 30)


def build_distancing(house: House, shell: Shell) -> Blueprint:
    """Return the routes of mutes and blocks."""
    pages = Blueprint("distancing", __name__)
    _add_person(pages, house)
    _add_list(pages, house, shell)
    return pages


def _add_person(pages: Blueprint, house: House) -> None:
    core = house.core

    @pages.post("/people/<address>/distance")
    @for_members(core)
    async def keep(visitor: Visitor, address: str) -> ResponseReturnValue:
        handle, _, host = address.partition("@")
        person = await find_profile(core, viewer=visitor.member, handle=handle, host=host or None, kind="person")
        if person is None:
            raise NotFound
        form = await read_form()
        wanted = form.get("act", "")
        if wanted == "mute":
            days = read_number(form.get("days", "")) or 0
            life = timedelta(days=days) if days in MUTE_DAYS and days else None
            for_notices = bool(form.get("notices"))
            await distance.mute(
                core, viewer=visitor.member, actor_id=person.actor_id, for_notices=for_notices, life=life
            )
        else:
            await _end_or_block(house, visitor, wanted, person.actor_id)
        return see(f"/people/{address}#distance")


async def _end_or_block(house: House, visitor: Visitor, wanted: str, actor_id: int) -> None:
    if wanted == "block":
        await distance.block(house.core, viewer=visitor.member, actor_id=actor_id)
    elif wanted == "unmute":
        await distance.unmute(house.core, viewer=visitor.member, actor_id=actor_id)
    elif wanted == "unblock":
        await distance.unblock(house.core, viewer=visitor.member, actor_id=actor_id)


def _add_list(pages: Blueprint, house: House, shell: Shell) -> None:
    core = house.core

    async def name(rows: list[Kept]) -> list[tuple[Kept, Profile]]:
        people = {each.actor_id: each for each in await read_profiles(core, actor_ids=[row.target_id for row in rows])}
        return [(row, people[row.target_id]) for row in rows if row.target_id in people]

    @pages.get("/me/distance")
    @for_members(core)
    async def kept(visitor: Visitor) -> ResponseReturnValue:
        muted = await name(await distance.list_muted(core, viewer=visitor.member))
        blocked = await name(await distance.list_blocked(core, viewer=visitor.member))
        page = shell.render("keeping/distance.html", visitor, place="me", muted=muted, blocked=blocked)
        return Response(page)

    @pages.post("/me/distance")
    @for_members(core)
    async def end(visitor: Visitor) -> ResponseReturnValue:
        form = await read_form()
        for wanted in ("unmute", "unblock"):
            if (actor_id := read_number(form.get(wanted, ""))) is not None:
                await _end_or_block(house, visitor, wanted, actor_id)
        return see("/me/distance")

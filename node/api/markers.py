"""`/api/v1/markers`: how far a member's apps have read, so that another one goes on there. Spec: methods/markers."""

from __future__ import annotations

from quart import Blueprint, request

from node.community.house import House
from node.community.posts.notifications import list_markers, set_markers
from node.domain.notifications import TIMELINES
from node.foundation.errors import Invalid

from .auth import Caller, needs
from .entities import Entity
from .entities.notifications import build_marker
from .parameters import Parameters, read_parameters, read_query

_DIGITS_LIMIT = 19


def add_markers(routes: Blueprint, house: House) -> None:
    """Add the routes of markers."""
    core = house.core

    @routes.get("/api/v1/markers")
    @needs(core, "read:statuses")
    async def markers(caller: Caller) -> Entity:
        wanted = [name for name in read_query(request).texts("timeline") if name in TIMELINES]
        found = await list_markers(core, viewer=caller.member, timelines=wanted)
        return {marker.timeline: build_marker(marker) for marker in found}

    @routes.post("/api/v1/markers")
    @needs(core, "write:statuses")
    async def save(caller: Caller) -> Entity:
        wanted = _read_wanted(await read_parameters(request))
        found = await set_markers(core, viewer=caller.member, wanted=wanted)
        return {marker.timeline: build_marker(marker) for marker in found}


def _read_wanted(parameters: Parameters) -> dict[str, int]:
    """Return {timeline: id} from `home[last_read_id]=5`, or {"home": {"last_read_id": "5"}}.

    Raises:
        Invalid: An id is none.
    """
    wanted = {}
    for timeline in TIMELINES:
        given = parameters.text(f"{timeline}[last_read_id]")
        for part in parameters.structures(timeline) if given is None else ():
            given = part.text("last_read_id")
        if given is None:
            continue
        if not (given.isascii() and given.isdigit() and len(given) <= _DIGITS_LIMIT):
            raise Invalid("A marker stands at an id.")
        wanted[timeline] = int(given)
    return wanted

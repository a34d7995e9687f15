"""`/api/v1/timelines`: home and the groups' lists. Spec: Mastodon API, methods/timelines.

A topic stands in them once, as the group's sharing of it. Answers never do: they are read in their thread.
"""

from __future__ import annotations

from quart import Blueprint, Response, request

from node.community.house import House
from node.community.posts.reading import Reading, Span, read_group, read_home
from node.foundation.errors import NotFound

from .auth import Caller, needs, send
from .entities import Setting
from .entities.ids import parse_list_id
from .entities.statuses import Shelf
from .pagination import build_link, read_span
from .parameters import read_query
from .tickets import Tickets


def add_timelines(routes: Blueprint, house: House, setting: Setting, tickets: Tickets) -> None:
    """Add the routes of timelines."""
    core = house.core

    @routes.get("/api/v1/timelines/home")
    @needs(core, "read:statuses")
    async def home(caller: Caller) -> Response:
        span = read_span(read_query(request))
        return show(caller, span, await read_home(core, viewer=caller.member, span=span))

    @routes.get("/api/v1/timelines/list/<list_id>")
    @needs(core, "read:lists")
    async def group_list(caller: Caller, list_id: str) -> Response:
        group_id = parse_list_id(list_id)
        if group_id is None:
            raise NotFound
        span = read_span(read_query(request))
        return show(caller, span, await read_group(core, viewer=caller.member, group_id=group_id, span=span))

    def show(caller: Caller, span: Span, reading: Reading) -> Response:
        shelf = Shelf(reading, setting, tickets.for_caller(caller))
        statuses = [shelf.build_shared(post) for post in reading.posts]
        response = send(statuses)
        link = build_link(f"{setting.origin}{request.path}", [status["id"] for status in statuses], span)
        if link is not None:
            response.headers["Link"] = link
        return response

"""`/api/v1/notifications`: what a member is told. Spec: Mastodon API, methods/notifications.

Grouped notifications, policies and requests are not built: apps that know them ask and are told that there are none.
"""

from __future__ import annotations

from quart import Blueprint, Response, request

from node.community.groups.reports import find_report
from node.community.house import House
from node.community.posts import notifications as told
from node.community.posts.notifications import Told
from node.domain.notifications import TYPES, list_kinds
from node.foundation.errors import NotFound

from .auth import Caller, needs
from .entities import Entity, Setting
from .entities.ids import parse_number
from .entities.notifications import build_notification
from .entities.statuses import Shelf
from .pagination import Query, read_plain_span, send_page
from .parameters import Parameters, read_parameters, read_query
from .tickets import Tickets

_NAMES = frozenset(TYPES.values())


def add_notifications(routes: Blueprint, house: House, setting: Setting, tickets: Tickets) -> None:
    """Add the routes of notifications."""
    core = house.core

    @routes.get("/api/v1/notifications")
    @needs(core, "read:notifications")
    async def notifications(caller: Caller) -> Response:
        parameters = read_query(request)
        kinds, from_id, query = _read_wish(parameters)
        span = read_plain_span(parameters)
        found = await told.read_notifications(core, viewer=caller.member, kinds=kinds, from_id=from_id, span=span)
        entities = await show(caller, found)
        ids = [str(row.notification_id) for row in found.notifications]
        return send_page(f"{setting.origin}{request.path}", entities, ids, span, query=query)

    @routes.get("/api/v1/notifications/unread_count")
    @needs(core, "read:notifications")
    async def unread_count(caller: Caller) -> Entity:
        kinds, from_id, _ = _read_wish(read_query(request))
        return {"count": await told.count_unread(core, viewer=caller.member, kinds=kinds, from_id=from_id)}

    @routes.get("/api/v1/notifications/<notification_id>")
    @needs(core, "read:notifications")
    async def notification(caller: Caller, notification_id: str) -> Entity:
        number = _require_number(notification_id)
        found = await told.read_notification(core, viewer=caller.member, notification_id=number)
        entities = await show(caller, found)
        if not entities:
            raise NotFound
        return entities[0]

    @routes.post("/api/v1/notifications/clear")
    @needs(core, "write:notifications")
    async def clear(caller: Caller) -> Entity:
        await told.clear_notifications(core, viewer=caller.member)
        return {}

    @routes.post("/api/v1/notifications/<notification_id>/dismiss")
    @needs(core, "write:notifications")
    async def dismiss(caller: Caller, notification_id: str) -> Entity:
        number = _require_number(notification_id)
        await told.dismiss_notification(core, viewer=caller.member, notification_id=number)
        return {}

    @routes.post("/api/v1/notifications/dismiss")
    @needs(core, "write:notifications")
    async def dismiss_named(caller: Caller) -> Entity:
        """As old apps ask for it."""
        number = _require_number((await read_parameters(request)).text("id") or "")
        await told.dismiss_notification(core, viewer=caller.member, notification_id=number)
        return {}

    async def show(caller: Caller, found: Told) -> list[Entity]:
        return await show_notifications(house, caller, found, Shelf(found.reading, setting, tickets.for_caller(caller)))


async def show_notifications(house: House, caller: Caller, found: Told, shelf: Shelf) -> list[Entity]:
    """Return Notifications; what went away while they were read is left out."""
    entities = []
    for row in found.notifications:
        report = None
        if row.kind == "report":
            report = await find_report(
                house.core,
                viewer=caller.member,
                group_id=row.group_id or 0,
                activity_uri=row.activity_uri or "",
            )
        if (entity := build_notification(row, found, shelf, report=report)) is not None:
            entities.append(entity)
    return entities


def _read_wish(parameters: Parameters) -> tuple[list[str], int, Query]:
    """Return (kinds, whose doing, what the other pages are to be asked too). An account that cannot be is nobody's doing."""
    types, but = parameters.texts("types"), parameters.texts("exclude_types")
    asked = parameters.text("account_id")
    from_id = 0 if not asked else parse_number(asked) or -1
    query = [("types[]", name) for name in types if name in _NAMES]
    query += [("exclude_types[]", name) for name in but if name in _NAMES]
    return list_kinds(types, but), from_id, [*query, *([("account_id", asked)] if asked and from_id > 0 else [])]


def _require_number(text: str) -> int:
    number = parse_number(text)
    if number is None:
        raise NotFound
    return number

"""`/api/v1/announcements`: what operators tell everybody on this node. Spec: Mastodon API, methods/announcements."""

from __future__ import annotations

from quart import Blueprint

from node.community.house import House
from node.community.operating.announcing import list_put_away, list_shown, put_away
from node.domain.pressure import Announcement
from node.foundation.errors import NotFound
from node.foundation.text import text_to_html

from .auth import Caller, needs
from .entities import Entity, format_moment
from .entities.ids import parse_number

_MAINTENANCE = "This node will be away for maintenance."


def add_announcements(routes: Blueprint, house: House) -> None:
    """Add the routes of announcements."""
    core = house.core

    @routes.get("/api/v1/announcements")
    @needs(core, "read:accounts")
    async def announcements(caller: Caller) -> list[Entity]:
        away = await list_put_away(core, member=caller.member)
        return [_build(each, is_read=each.announcement_id in away) for each in await list_shown(core)]

    @routes.post("/api/v1/announcements/<announcement_id>/dismiss")
    @needs(core, "write:accounts")
    async def dismiss(caller: Caller, announcement_id: str) -> Entity:
        number = parse_number(announcement_id)
        if number is None:
            raise NotFound
        await put_away(core, member=caller.member, announcement_id=number)
        return {}


def _build(found: Announcement, *, is_read: bool) -> Entity:
    """Return an Announcement. Spec: Mastodon API, entity Announcement."""
    moment = format_moment(found.from_at)
    return {
        "id": str(found.announcement_id),
        "content": text_to_html(found.text or _MAINTENANCE),
        "starts_at": moment if found.is_maintenance else None,
        "ends_at": format_moment(found.until_at) if found.until_at is not None else None,
        "all_day": False,
        "published": True,
        "published_at": moment,
        "updated_at": moment,
        "read": is_read,
        "mentions": [],
        "statuses": [],
        "tags": [],
        "emojis": [],
        "reactions": [],
    }

"""Announcements: the operators' desk for them, and putting one away. What is announced stands in the shell of every page."""

from __future__ import annotations

from datetime import datetime
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

from quart import Blueprint, Response, request
from quart.typing import ResponseReturnValue

from node.community.house import House
from node.community.operating import announcing
from node.foundation.errors import Invalid, NodeError, NotFound

from .peers import signed_as, status_of
from .shell import Shell
from .visitor import Visitor, for_members, for_operators, keep_dismissed, read_form, read_number, see

_FIELDS = ("text", "from", "until", "maintenance")


def build_announcing(house: House, shell: Shell) -> Blueprint:
    """Return the routes of announcements."""
    pages = Blueprint("announcing", __name__)
    core = house.core

    async def show(visitor: Visitor, *, status: int = 200, problem: str = "", **typed: str) -> Response:
        text = shell.render(
            "operating/announcements.html",
            visitor,
            place="node",
            listed=await announcing.list_open(core),
            problem=problem,
            typed={name: typed.get(name, "") for name in _FIELDS},
            zone=visitor.words.preferences.time_zone,
        )
        return Response(text, status)

    @pages.get("/node/announcements")
    @for_operators(core)
    async def desk(visitor: Visitor) -> ResponseReturnValue:
        return await show(visitor)

    @pages.post("/node/announcements")
    @for_operators(core)
    async def announce(visitor: Visitor) -> ResponseReturnValue:
        form = await read_form()
        zone = ZoneInfo(visitor.words.preferences.time_zone)
        try:
            await announcing.announce(
                core,
                form.get("text", ""),
                by=signed_as(house, visitor),
                from_at=_read_time(form.get("from", ""), zone),
                until_at=_read_time(form.get("until", ""), zone),
                is_maintenance="maintenance" in form,
            )
        except NodeError as error:
            typed = {name: form.get(name, "") for name in _FIELDS}
            return await show(visitor, status=status_of(error), problem=error.safe, **typed)
        return see("/node/announcements")

    @pages.post("/node/announcements/<number>/end")
    @for_operators(core)
    async def end(visitor: Visitor, number: str) -> ResponseReturnValue:
        await announcing.end(core, read_number(number) or 0, by=signed_as(house, visitor))
        return see("/node/announcements")

    _add_dismissal(pages, house)
    return pages


def _add_dismissal(pages: Blueprint, house: House) -> None:
    core = house.core

    @pages.post("/announcements/<number>/dismiss")
    @for_members(core)
    async def dismiss(visitor: Visitor, number: str) -> ResponseReturnValue:
        """Put an announcement away in this browser."""
        announcement_id = read_number(number)
        if announcement_id is None or all(
            each.announcement_id != announcement_id for each in core.pressure.announcements
        ):
            raise NotFound
        came_from = urlsplit(request.headers.get("Referer", ""))
        is_ours = f"{came_from.scheme}://{came_from.netloc}" == core.origin and not came_from.path.startswith("//")
        path = f"{came_from.path}?{came_from.query}" if came_from.query else came_from.path
        return keep_dismissed(core, see(path if is_ours else "/"), {*visitor.dismissed, announcement_id})


def _read_time(text: str, zone: ZoneInfo) -> datetime | None:
    """Return an instant that a form gives in the reader's own time; None where it gives none.

    Raises:
        Invalid: It is no time.
    """
    if not text.strip():
        return None
    try:
        found = datetime.fromisoformat(text.strip())
        return found if found.tzinfo else found.replace(tzinfo=zone)
    except (ValueError, OverflowError):
        raise Invalid("A time is written like 2026-11-21 17:40.") from None

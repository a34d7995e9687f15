"""The page of search. What is looked for stands in the page's address, and nowhere else: it is not logged or kept."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from urllib.parse import urlencode
from zoneinfo import ZoneInfo

from quart import Blueprint, Response, request
from quart.typing import ResponseReturnValue

from node.community.house import House
from node.community.reading.search import Asked, SearchPage, search_posts

from .reading import path_of
from .shell import Shell
from .visitor import Visitor, for_members, read_number

_FIELDS = ("q", "group", "person", "from", "to", "sources")
_FIELD_LIMIT_CHARACTERS = 400
_YEARS = range(1970, 2200)


def build_searching(house: House, shell: Shell) -> Blueprint:
    """Return the route of search."""
    blueprint = Blueprint("searching", __name__)
    core, find_path = house.core, path_of(house)

    @blueprint.get("/search")
    @for_members(core)
    async def search(visitor: Visitor) -> ResponseReturnValue:
        typed = {name: request.args.get(name, "")[:_FIELD_LIMIT_CHARACTERS] for name in _FIELDS}
        asked, problem = _read(visitor, typed)
        page = await search_posts(core, viewer=visitor.member, asked=Asked() if problem else asked)
        problem = problem or page.problem
        rendered = shell.render(
            "searching/search.html",
            visitor,
            place="search",
            page=page,
            typed=typed,
            is_narrowed=any(typed[name] for name in _FIELDS[1:]),
            is_first=asked.before_id is None,
            problem=visitor.words(f"search.problem_{problem}") if problem else "",
            silent=[shell.name_of(host) for host in page.silent],
            older=_older(typed, page),
            path_of=find_path,
        )
        return Response(rendered, 422 if problem else 200)

    return blueprint


def _read(visitor: Visitor, typed: dict[str, str]) -> tuple[Asked, str]:
    """Return what was asked for, and what is wrong with its dates."""
    zone = ZoneInfo(visitor.words.preferences.time_zone)
    from_at, to_at = _day(typed["from"], zone), _day(typed["to"], zone, days=1)
    asked = Asked(
        text=typed["q"],
        group=typed["group"],
        person=typed["person"],
        from_at=from_at,
        to_at=to_at,
        with_sources=bool(typed["sources"]),
        before_id=read_number(request.args.get("before", "")),
    )
    if any(typed[name] and day is None for name, day in (("from", from_at), ("to", to_at))):
        return asked, "date"
    return asked, "order" if from_at and to_at and to_at <= from_at else ""


def _day(text: str, zone: ZoneInfo, *, days: int = 0) -> datetime | None:
    """Return the first moment of a day where the reader lives, or of one some days later; days are like 2026-11-22."""
    try:
        day = date.fromisoformat(text)
    except ValueError:
        return None
    if day.year not in _YEARS:
        return None
    return datetime.combine(day + timedelta(days=days), time(), zone).astimezone(UTC)


def _older(typed: dict[str, str], page: SearchPage) -> str:
    """Return the path of the page with older posts; empty when there are none."""
    if page.older_before is None:
        return ""
    pairs = [*((name, value) for name, value in typed.items() if value), ("before", str(page.older_before))]
    return f"/search?{urlencode(pairs)}"

"""The gates before every page: a maintenance, and a disk that is full. Asked for each request, answered from memory."""

from __future__ import annotations

from datetime import datetime

from quart import Quart, Response, request
from quart.typing import ResponseReturnValue

from node.community.house import House
from node.domain.pressure import Room

from .shell import Shell
from .visitor import find_visitor

# Whom to call is there whatever else is not.
_ALWAYS = ("/health", "/ready", "/static/", "/sign-in", "/sign-out", "/support", "/charter", "/about")
# What may be done on a full disk: come and go, look after the node, and take away.
_STILL = ("/sign-in", "/sign-out", "/set-up/", "/oauth/", "/peers", "/node", "/me/", "/announcements/")
_TAKES_AWAY = ("/withdraw", "/leave", "/tend", "/members", "/requests")
_READS = ("GET", "HEAD", "OPTIONS")
_LONGEST_SECONDS, _SHORTEST_SECONDS = 3600, 30


def add_gates(site: Quart, house: House, shell: Shell) -> None:
    """Put the gates before an application's routes."""
    core = house.core

    @site.before_request
    async def close_for_maintenance() -> ResponseReturnValue | None:
        """Say that the node is away, to everybody but its operators, who may have to end it."""
        now = core.clock.now()
        away = core.pressure.find_maintenance(now)
        if away is None or request.path.startswith(_ALWAYS):
            return None
        headers = {"Retry-After": str(retry_after_seconds(away.until_at, now))}
        if request.path.startswith(("/api/", "/oauth/", "/media/", "/.well-known/", "/nodeinfo/", "/actor")):
            return Response(
                '{"error":"This node is away for maintenance."}', 503, headers, content_type="application/json"
            )
        visitor = await find_visitor(core)
        if visitor.session is not None and visitor.member.role == "operator":
            return None
        return Response(shell.render("away.html", visitor, until_at=away.until_at), 503, headers)

    @site.before_request
    async def close_for_writing() -> None:
        """Refuse what would write on a full disk. Posts are refused by their service, so that their text is kept."""
        if core.pressure.room < Room.FULL or request.method in _READS or request.method == "DELETE":
            return
        if request.path.startswith(_STILL) or request.path.endswith(_TAKES_AWAY) or _is_post(request.path):
            return
        core.pressure.check_write()


def retry_after_seconds(until_at: datetime | None, now: datetime) -> int:
    """Return when it is worth to come back."""
    left = _LONGEST_SECONDS if until_at is None else (until_at - now).total_seconds()
    return int(min(max(left, _SHORTEST_SECONDS), _LONGEST_SECONDS))


def _is_post(path: str) -> bool:
    """Say whether somebody writes there: `/groups/G/write`, `/groups/G/threads/R`, `/messages/write`, `/messages/N`."""
    parts = path.split("/")
    return (len(parts) == 3 and parts[1] == "messages") or (
        len(parts) > 3
        and parts[1] == "groups"
        and (parts[3:] == ["write"] or (parts[3] == "threads" and len(parts) == 5))
    )

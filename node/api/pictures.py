"""`/media/R`, with a ticket for apps and with the session for pages; and the pictures of those who have none.

Every fetch asks again: token or session alive, its member still allowed to read, the post not taken away; else 404.
"""

from __future__ import annotations

import asyncio
from functools import partial
from importlib.resources import files

from quart import Blueprint, Response, request
from werkzeug.exceptions import NotFound as NotFoundPage

from node.community.house import House
from node.community.members.service import find_token_by_hash
from node.community.members.sessions import cookie_name, find_session
from node.community.posts.reading import find_picture
from node.domain.actors import Member
from node.foundation.errors import NodeError, NotFound
from node.store.core import Core
from node.store.files import load_file

from .errors import translate
from .tickets import Tickets

_TICKET_LIMIT = 200
_STAND_INS = ("person", "group", "header")
_PICTURE_HEADERS = {
    "Cache-Control": "private, max-age=600",
    "Content-Disposition": "inline",
    "X-Content-Type-Options": "nosniff",
    "Cross-Origin-Resource-Policy": "cross-origin",
}
# A page's picture is as private as the page: on a shared computer nothing of it stays behind.
_PAGE_HEADERS = _PICTURE_HEADERS | {"Cache-Control": "private, no-store", "Cross-Origin-Resource-Policy": "same-origin"}
_STAND_IN_HEADERS = {"Cache-Control": "public, max-age=86400", "Cross-Origin-Resource-Policy": "cross-origin"}


def build_pictures(house: House, tickets: Tickets) -> Blueprint:
    """Return the routes of pictures."""
    routes = Blueprint("pictures", __name__)

    @routes.get("/media/<token>")
    async def media(token: str) -> Response:
        ticket = request.args.get("t")
        try:
            viewer = await _find_viewer(house.core, tickets, token, ticket)
            data, media_type = await _load(house.core, viewer, token)
        except NodeError as error:
            return translate(error)
        return Response(data, content_type=media_type, headers=_PICTURE_HEADERS if ticket else _PAGE_HEADERS)

    for name in _STAND_INS:
        data = files("node.api").joinpath(f"static/{name}.png").read_bytes()
        view = partial(_stand_in, data)
        routes.add_url_rule(f"/static/{name}.png", f"stand_in_{name}", view)
    return routes


async def _find_viewer(core: Core, tickets: Tickets, token: str, ticket: str | None) -> Member:
    """Return who asks for a picture.

    Raises:
        NotFoundPage: Nobody: a browser is sent to sign in, whatever is there.
        NotFound: The ticket is for another picture, or its token has ended.
    """
    if ticket is None:
        cookie = request.cookies.get(cookie_name(core), "")
        session = await find_session(core, cookie) if cookie else None
        if session is None:
            raise NotFoundPage
        return session.member
    token_hash = tickets.read(ticket) if len(ticket) <= _TICKET_LIMIT else None
    caller = await find_token_by_hash(core, token_hash) if token_hash is not None else None
    if caller is None or not tickets.fits(ticket, token, caller[0].actor_id):
        raise NotFound
    return caller[0]


async def _load(core: Core, viewer: Member, token: str) -> tuple[bytes, str]:
    """Return the bytes and the type of a picture.

    Raises:
        NotFound: Absent, or not for this member.
    """
    sha256, media_type = await find_picture(core, viewer=viewer, token=token)
    try:
        return await asyncio.to_thread(load_file, core, sha256), media_type
    except FileNotFoundError:
        raise NotFound from None


async def _stand_in(data: bytes) -> Response:
    return Response(data, content_type="image/png", headers=_STAND_IN_HEADERS)

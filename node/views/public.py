"""What everybody may see without anything: landing, support, charter, about, and the style file."""

from __future__ import annotations

from importlib.resources import files

from quart import Blueprint, Response, request
from quart.typing import ResponseReturnValue

from node.community.house import House
from node.community.members.service import list_operator_names

from .reading import show_catch_up
from .shell import Shell
from .visitor import find_visitor

_PLAIN = ("/support", "/charter", "/about")


def build_public(house: House, shell: Shell) -> Blueprint:
    """Return the routes that need no session."""
    pages = Blueprint("public", __name__)
    core = house.core

    @pages.get("/")
    async def front() -> ResponseReturnValue:
        visitor = await find_visitor(core)
        if visitor.session is not None:
            return await show_catch_up(house, shell, visitor)
        return shell.render("public/landing.html", visitor)

    @pages.get("/support")
    @pages.get("/charter")
    @pages.get("/about")
    async def plain() -> ResponseReturnValue:
        name = request.path.strip("/")
        visitor = await find_visitor(core)
        operators = await core.store.read(list_operator_names)
        return shell.render("public/plain.html", visitor, place=name, name=name, operators=operators)

    @pages.get("/static/rounds.css")
    async def style() -> Response:
        text = files("node.views").joinpath("static/rounds.css").read_text("utf-8")
        return Response(text, content_type="text/css", headers={"Cache-Control": "public, max-age=3600"})

    return pages

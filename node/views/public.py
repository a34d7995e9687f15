"""What everybody may see without anything: landing, sign-in, support, charter, about."""

from __future__ import annotations

from importlib.resources import files

from quart import Blueprint, Response, redirect, request
from quart.typing import ResponseReturnValue

from node.community.house import House

from .shell import open_templates, render

_PLAIN = {
    "/support": ("Support", "Support from colleagues opens with a later release of this node."),
    "/charter": ("Charter", "This node's operator has not published a charter yet."),
    "/about": ("About", "This node runs Rounds, a federated community for physicians."),
}


def build_public(house: House) -> Blueprint:
    """Return the routes that need no session."""
    pages = Blueprint("public", __name__)
    templates = open_templates()
    core = house.core

    @pages.get("/")
    async def landing() -> str:
        return render(templates, core.config, "public/landing.html")

    @pages.get("/sign-in")
    async def sign_in() -> str:
        return render(templates, core.config, "public/sign_in.html")

    @pages.get("/support")
    @pages.get("/charter")
    @pages.get("/about")
    async def plain() -> str:
        title, sentence = _PLAIN[request.path]
        return render(templates, core.config, "public/plain.html", title=title, sentence=sentence)

    @pages.get("/static/rounds.css")
    async def style() -> Response:
        text = files("node.views").joinpath("static/rounds.css").read_text("utf-8")
        return Response(text, content_type="text/css", headers={"Cache-Control": "public, max-age=3600"})

    return pages


def redirect_to_sign_in() -> ResponseReturnValue:
    """Return what a browser without a session gets for everything private, existing or not."""
    return redirect("/sign-in", 303)

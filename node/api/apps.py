"""`POST /api/v1/apps` and `/oauth`: not built yet. Apps are told so in words; tokens come from the operator."""

from __future__ import annotations

from quart import Blueprint, Response

from .errors import refuse

_SENTENCE = "Apps cannot sign in to this node yet. Ask its operator for an access token."
_METHODS = ["GET", "POST", "PUT", "PATCH", "DELETE"]


def add_apps(routes: Blueprint) -> None:
    """Add the routes by which apps will sign in; they are open to everybody."""

    @routes.post("/api/v1/apps")
    @routes.route("/oauth/", methods=_METHODS)
    @routes.route("/oauth/<path:rest>", methods=_METHODS)
    async def later(rest: str = "") -> Response:
        return refuse(501, _SENTENCE)

"""The Mastodon client API, as far as it is built: what a member's app reads and writes on their own node.

Each family of Mastodon's method pages is a module. Everything asks for a live token but the instance and the way to one.
"""

from __future__ import annotations

from typing import Any

from quart import Blueprint, Response, request
from werkzeug.exceptions import HTTPException

from node import __version__
from node.community.house import House
from node.foundation.errors import NodeError, NotFound
from node.foundation.logs import get_logger

from .accounts import add_accounts
from .apps import add_apps
from .auth import authenticate
from .cors import allow_reading, answer_preflight
from .entities import Setting
from .errors import refuse, translate, translate_http
from .instance import add_instance
from .lists import add_lists
from .pictures import build_pictures
from .statuses import add_statuses
from .tickets import Tickets
from .timelines import add_timelines

# What apps are told. More is taken, up to what its HTML may have; marks make that longer than what was written.
_POST_CHARACTERS = 50_000
_METHODS = ["GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"]


class _Routes(Blueprint):
    """Routes that may be asked for with a slash at the end and without: Mastodon.py writes `/api/v2/instance/`."""

    def add_url_rule(self, rule: str, *args: Any, **options: Any) -> None:
        """Add a route; one that takes any path takes any slash already."""
        if rule.endswith(("/", "<path:rest>")):
            super().add_url_rule(rule, *args, **options)
        else:
            super().add_url_rule(f"{rule}/", *args, strict_slashes=False, **options)


def build_api(house: House) -> Blueprint:
    """Return the routes of the client API."""
    core, config = house.core, house.core.config
    setting = Setting(
        origin=core.origin,
        host=core.host,
        name=config.name,
        version=__version__,
        post_characters=_POST_CHARACTERS,
        image_bytes=config.limits.upload_bytes,
        image_pixels=config.limits.image_pixels,
    )
    tickets = Tickets((core.data / "keys" / "node.key").read_bytes(), core.clock, core.origin)
    routes = _Routes("client", __name__)
    add_instance(routes, setting)
    add_apps(routes)
    add_accounts(routes, house, setting)
    add_statuses(routes, house, setting, tickets)
    add_timelines(routes, house, setting, tickets)
    add_lists(routes, house)
    _add_rest(routes, house)
    _add_manners(routes)
    api = Blueprint("api", __name__)
    api.register_blueprint(routes)
    api.register_blueprint(build_pictures(house, tickets))

    @api.after_app_request
    async def let_apps_read(response: Response) -> Response:
        return allow_reading(request.path, response)

    return api


def _add_rest(routes: Blueprint, house: House) -> None:
    """Answer every other path below /api: absent, and for whoever has no token as closed as all others."""

    @routes.route("/api/", methods=_METHODS)
    @routes.route("/api/<path:rest>", methods=_METHODS)
    async def unknown(rest: str = "") -> Response:
        await authenticate(house.core, request.headers.get("Authorization"))
        raise NotFound


def _add_manners(routes: Blueprint) -> None:
    """Answer preflights, and every error as JSON."""

    @routes.before_request
    async def preflight() -> Response | None:
        return answer_preflight() if request.method == "OPTIONS" else None

    @routes.errorhandler(NodeError)
    async def ours(error: NodeError) -> Response:
        return translate(error)

    @routes.errorhandler(HTTPException)
    async def theirs(error: HTTPException) -> Response:
        return translate_http(error)

    @routes.errorhandler(Exception)
    async def fail(error: Exception) -> Response:
        get_logger().exception("api_failed", path=request.path)
        return refuse(500, "Something went wrong here.")

"""The Mastodon client API, as far as it is built: what a member's app reads and writes on their own node.

Each family of Mastodon's method pages is a module. Everything asks for a live token but the instance and the way to one.
"""

from __future__ import annotations

from typing import Any

from quart import Blueprint, Response, request
from werkzeug.exceptions import HTTPException, MethodNotAllowed
from werkzeug.routing import BaseConverter

from node import __version__
from node.community.house import House
from node.foundation.errors import NodeError, NotFound
from node.foundation.logs import get_logger

from .accounts import add_accounts
from .announcements import add_announcements
from .apps import add_apps
from .around import add_around
from .auth import admit
from .browsing import add_browsing
from .conversations import add_conversations
from .cors import allow_reading, answer_preflight
from .distance import add_distance
from .empty import add_empty
from .entities import Setting
from .errors import refuse, translate, translate_http
from .filters import add_filters
from .instance import add_instance
from .lists import add_lists
from .markers import add_markers
from .marks import add_marks
from .media import add_media
from .notifications import add_notifications
from .oauth import add_oauth
from .people import add_people
from .pictures import build_pictures
from .polls import add_polls
from .profile import add_profile
from .rates import Rates, count_address, open_rates, tell_rate
from .reports import add_reports
from .requests import add_requests
from .search import add_search
from .statuses import add_statuses
from .streaming import add_streaming
from .tickets import Tickets
from .timelines import add_timelines

# What apps are told. More is taken, up to what its HTML may have; marks make that longer than what was written.
_POST_CHARACTERS = 50_000
_METHODS = ["GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"]


class _Rest(BaseConverter):
    """Whatever stands in the rest of a path, another slash at its beginning too."""

    part_isolating = False
    regex = ".+"


class _Routes(Blueprint):
    """Routes that may be asked for with a slash at the end and without: Mastodon.py writes `/api/v2/instance/`."""

    def add_url_rule(self, rule: str, *args: Any, **options: Any) -> None:
        """Add a route; one that takes any path takes any slash already. Modules may call their functions alike."""
        if len(args) > 1 and args[0] is None:
            view = args[1]
            args = (f"{view.__module__.rpartition('.')[2]}_{view.__name__}", *args[1:])
        if rule.endswith("<rest:rest>"):
            super().add_url_rule(rule, *args, **options)
        elif rule.endswith("/"):
            super().add_url_rule(rule, *args, strict_slashes=False, **options)
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
    routes.record_once(lambda state: state.app.url_map.converters.update(rest=_Rest))
    add_instance(routes, setting)
    add_apps(routes, house)
    add_oauth(routes, house)
    add_accounts(routes, house, setting)
    add_statuses(routes, house, setting, tickets)
    add_marks(routes, house, setting, tickets)
    add_distance(routes, house, setting)
    add_media(routes, house, tickets)
    add_polls(routes, house)
    add_notifications(routes, house, setting, tickets)
    add_conversations(routes, house, setting, tickets)
    add_markers(routes, house)
    add_streaming(routes, house, setting, tickets)
    add_timelines(routes, house, setting, tickets)
    add_lists(routes, house, setting)
    add_around(routes, house, setting, tickets)
    add_browsing(routes, house, setting, tickets)
    add_people(routes, house, setting)
    add_requests(routes, house, setting)
    add_profile(routes, house, setting)
    add_search(routes, house, setting, tickets)
    add_filters(routes, house)
    add_reports(routes, house, setting)
    add_announcements(routes, house)
    add_empty(routes, house)
    _add_rest(routes, house)
    rates = Rates(core.clock, config.limits.app_calls)
    _add_manners(routes, rates)
    api = Blueprint("api", __name__)
    _add_odd_methods(api, house, rates)
    api.register_blueprint(routes)
    api.register_blueprint(build_pictures(house, tickets))

    @api.after_app_request
    async def let_apps_read(response: Response) -> Response:
        return allow_reading(request.method, request.path, response)

    return api


def _add_rest(routes: Blueprint, house: House) -> None:
    """Answer every other path below /api: absent, and for whoever has no token as closed as all others."""

    @routes.route("/api/", methods=_METHODS)
    @routes.route("/api/<rest:rest>", methods=_METHODS)
    async def unknown(rest: str = "") -> Response:
        await admit(house.core)
        raise NotFound


def _add_odd_methods(api: Blueprint, house: House, rates: Rates) -> None:
    """Answer methods that no route has, such as PROPFIND, like every other unknown path: no blueprint is asked for them."""

    @api.before_app_request
    async def refuse_odd_method() -> Response | None:
        is_odd = isinstance(request.routing_exception, MethodNotAllowed)
        if not is_odd or not request.path.startswith(("/api/", "/oauth/")):
            return None
        open_rates(rates)
        try:
            if request.path.startswith("/api/"):
                await admit(house.core)
            else:
                count_address()
        except NodeError as error:
            return tell_rate(translate(error))
        return tell_rate(translate(NotFound()))


def _add_manners(routes: Blueprint, rates: Rates) -> None:
    """Answer preflights, count calls, and answer every error as JSON."""

    @routes.before_request
    async def preflight() -> Response | None:
        open_rates(rates)
        return answer_preflight() if request.method == "OPTIONS" else None

    @routes.after_request
    async def tell(response: Response) -> Response:
        return tell_rate(response)

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

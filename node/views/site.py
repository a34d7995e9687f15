"""The web application: pages and discovery on Quart, and what strangers get."""

from __future__ import annotations

from quart import Quart, Response, request
from quart.typing import ResponseReturnValue
from werkzeug.exceptions import HTTPException

from node.community.house import House
from node.foundation.errors import NodeError, NotFound, TooLarge, Unavailable
from node.foundation.logs import get_logger

from .announcing import build_announcing
from .applying import build_applying
from .authorizing import build_authorizing
from .belonging import build_belonging
from .bodies import BoundedRequest
from .distancing import build_distancing
from .documents import build_documents
from .following import build_following
from .gates import add_gates
from .group_settings import build_group_settings
from .inviting import build_inviting
from .live import build_live
from .marking import build_marking
from .messaging import build_messaging
from .operating import build_operating
from .people import build_people
from .public import build_public
from .reading import build_reading
from .searching import build_searching
from .setting_up import build_setting_up
from .shell import PAGE_HEADERS, Shell
from .signing import build_signing
from .staffing import build_staffing
from .tending import build_tending
from .verifying import build_verifying
from .visitor import find_visitor, to_sign_in
from .voting import build_voting
from .vouching import build_vouching
from .writing import build_writing

# The parts of the site, one line each: `build_X(house, shell)` gives its routes.
_PARTS = (
    build_public,
    build_signing,
    build_authorizing,
    build_setting_up,
    build_reading,
    build_writing,
    build_voting,
    build_searching,
    build_live,
    build_messaging,
    build_following,
    build_tending,
    build_operating,
    build_announcing,
    build_belonging,
    build_staffing,
    build_group_settings,
    build_people,
    build_marking,
    build_distancing,
    build_applying,
    build_verifying,
    build_vouching,
    build_inviting,
)


def build_site(house: House) -> Quart:
    """Return the application for everything that is not the corridor."""
    site = Quart("node.views", static_folder=None)
    site.request_class = BoundedRequest
    site.config["MAX_CONTENT_LENGTH"] = house.core.config.limits.upload_bytes + 65_536
    # Behind a proxy that ends TLS we see http: a redirect made for a doubled slash would lead apps, and their tokens, there.
    site.url_map.merge_slashes = False
    shell = Shell(house.core)
    for part in _PARTS:
        site.register_blueprint(part(house, shell))
    site.register_blueprint(build_documents(house))
    add_gates(site, house, shell)

    async def refuse(error: NodeError) -> ResponseReturnValue:
        """Say what went wrong, in words; who is not signed in is asked to sign in, whatever they asked for."""
        visitor = await find_visitor(house.core)
        if visitor.session is None:
            return to_sign_in()
        sentence = (
            NotFound.sentence if error.status == 404 else error.safe
        )  # an absent thing and a hidden one read alike
        page = shell.render("error.html", visitor, status=error.status, sentence=visitor.words.said(sentence))
        headers = {"Retry-After": str(error.retry_after_seconds)} if isinstance(error, Unavailable) else {}
        return page, error.status, headers

    @site.before_request
    async def refuse_zeros() -> None:
        """Nothing on a page has such a name, and PostgreSQL would not be asked for one; apps read what they send."""
        is_for_apps = request.path.startswith(("/api/", "/oauth/", "/media/"))
        values = [request.path] if is_for_apps else [request.path, *request.args.values()]
        if any("\0" in value for value in values):
            raise NotFound

    @site.after_request
    async def keep_private(response: Response) -> Response:
        for name, value in PAGE_HEADERS.items():
            response.headers.setdefault(name, value)
        return response

    @site.errorhandler(NodeError)
    async def refused(error: NodeError) -> ResponseReturnValue:
        return await refuse(error)

    @site.errorhandler(HTTPException)
    async def not_there(error: HTTPException) -> ResponseReturnValue:
        """Answer alike for what is absent and what is private; too much is too much, wherever it was sent."""
        return await refuse(TooLarge() if error.code == TooLarge.status else NotFound())

    @site.errorhandler(Exception)
    async def fail(error: Exception) -> ResponseReturnValue:
        get_logger().exception("page_failed", route=str(request.url_rule))  # a path may hold a secret
        return "Something went wrong here. Nothing was changed.", 500

    return site

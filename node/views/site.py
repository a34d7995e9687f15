"""The web application: pages and the client API on Quart, with the answers that strangers get."""

from __future__ import annotations

from quart import Quart, Response, request
from quart.typing import ResponseReturnValue
from werkzeug.exceptions import HTTPException

from node.community.house import House
from node.foundation.logs import get_logger

from .documents import build_documents
from .public import build_public, redirect_to_sign_in
from .shell import PAGE_HEADERS


def build_site(house: House) -> Quart:
    """Return the application for everything that is not the corridor."""
    site = Quart("node.views", static_folder=None)
    site.config["MAX_CONTENT_LENGTH"] = house.core.config.limits.upload_bytes + 65_536
    site.register_blueprint(build_public(house))
    site.register_blueprint(build_documents(house))

    @site.after_request
    async def keep_private(response: Response) -> Response:
        for name, value in PAGE_HEADERS.items():
            response.headers.setdefault(name, value)
        return response

    @site.errorhandler(HTTPException)
    async def refuse(error: HTTPException) -> ResponseReturnValue:
        """Answer alike for what is absent and what is private: who is not signed in is asked to sign in."""
        return redirect_to_sign_in()

    @site.errorhandler(Exception)
    async def fail(error: Exception) -> ResponseReturnValue:
        get_logger().exception("page_failed", path=request.path)
        return "Something went wrong here. Nothing was changed.", 500

    return site

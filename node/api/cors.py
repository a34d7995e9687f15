"""CORS: apps that run in a browser may read what a token gives them, and the documents they begin with.

No cookie is ever read behind these paths, so any page may ask; without a token it learns what everybody may know.
"""

from __future__ import annotations

from quart import Response

_PATHS = ("/api/", "/oauth/", "/.well-known/", "/nodeinfo/", "/media/", "/static/")
# The page on which a member decides: it is opened, and read by nobody but them.
_PAGE = "/oauth/authorize"
_HEADERS = {
    "Access-Control-Allow-Origin": "*",
    "Access-Control-Expose-Headers": "Link, X-RateLimit-Limit, X-RateLimit-Remaining, X-RateLimit-Reset, "
    "Retry-After, X-Request-Id",
}
_PREFLIGHT = {
    "Access-Control-Allow-Methods": "GET, POST, PUT, PATCH, DELETE",
    "Access-Control-Allow-Headers": "Authorization, Content-Type, Idempotency-Key",
    "Access-Control-Max-Age": "86400",
}


def allow_reading(method: str, path: str, response: Response) -> Response:
    """Let pages elsewhere read an answer, if its path is one that apps use; and say so to a browser that asks beforehand."""
    if path.startswith(_PATHS) and path.rstrip("/") != _PAGE:
        response.headers.update(_HEADERS)
        if method == "OPTIONS":
            response.headers.update(_PREFLIGHT)
    return response


def answer_preflight() -> Response:
    """Return what a browser gets that asks before it sends a token; `allow_reading` writes on it what it wants to know."""
    return Response(b"", status=204)

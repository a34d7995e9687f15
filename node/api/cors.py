"""CORS: apps that run in a browser may read what a token gives them, and the documents they begin with.

No cookie is ever read behind these paths, so any page may ask; without a token it learns what everybody may know.
"""

from __future__ import annotations

from quart import Response

_PATHS = ("/api/", "/oauth/", "/.well-known/", "/nodeinfo/", "/media/", "/static/")
_HEADERS = {
    "Access-Control-Allow-Origin": "*",
    "Access-Control-Expose-Headers": "Link, X-RateLimit-Limit, X-RateLimit-Remaining, X-RateLimit-Reset, X-Request-Id",
}
_PREFLIGHT = {
    "Access-Control-Allow-Methods": "GET, POST, PUT, PATCH, DELETE",
    "Access-Control-Allow-Headers": "Authorization, Content-Type, Idempotency-Key",
    "Access-Control-Max-Age": "86400",
}


def allow_reading(path: str, response: Response) -> Response:
    """Let pages elsewhere read an answer, if its path is one that apps use."""
    if path.startswith(_PATHS):
        response.headers.update(_HEADERS)
    return response


def answer_preflight() -> Response:
    """Return what a browser asks for before it sends a token."""
    return Response(b"", status=204, headers=_PREFLIGHT)

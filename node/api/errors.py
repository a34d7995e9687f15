"""Errors as apps read them: always a JSON object with `error`, for unknown paths too.

Apps take an empty body for a fault of their own. What is absent and what is private answer with the same bytes.
"""

from __future__ import annotations

import msgspec
from quart import Response
from werkzeug.exceptions import HTTPException

from node.domain.apps import NotGranted
from node.foundation.errors import Gone, NodeError, NotFound, TooMany, Unauthenticated, Unavailable
from node.foundation.logs import get_logger

JSON_TYPE = "application/json; charset=utf-8"
NOT_FOUND = "Record not found"
UNKNOWN_CALLER = "The access token is invalid"
OUTSIDE_SCOPE = "This action is outside the authorized scopes"
WITHOUT_MEMBER = "This method requires an authenticated user"
# Mastodon has no 400, 409 or 415: an app shows the sentence of a 422, and of others perhaps not.
_AS_INVALID = frozenset({400, 409, 415})


def refuse(status: int, sentence: str) -> Response:
    """Return an error with a sentence for the person who uses the app."""
    response = Response(msgspec.json.encode({"error": sentence}), status=status, content_type=JSON_TYPE)
    if status == 401:
        response.headers["WWW-Authenticate"] = (
            f'Bearer realm="Rounds", error="invalid_token", error_description="{sentence}"'
        )
    return response


def refuse_grant(error: NotGranted) -> Response:
    """Return an error in the words of OAuth: a code in `error`, the sentence beside it. Spec: RFC 6749 §5.2."""
    body = {"error": error.code, "error_description": error.safe}
    response = Response(msgspec.json.encode(body), status=error.status, content_type=JSON_TYPE)
    if error.status == 401:
        response.headers["WWW-Authenticate"] = 'Basic realm="Rounds"'
    return response


def translate(error: NodeError) -> Response:
    """Return what an app is told about an error of ours."""
    if isinstance(error, NotGranted):
        return refuse_grant(error)
    if isinstance(error, (NotFound, Gone)):
        return refuse(404, NOT_FOUND)
    if isinstance(error, Unauthenticated):
        return refuse(401, UNKNOWN_CALLER)
    if error.status >= 500:
        get_logger().warning("api_failed", code=error.code, reason=error.internal)
    response = refuse(422 if error.status in _AS_INVALID else error.status, error.safe)
    if error.status in (429, 503):
        seconds = error.retry_after_seconds if isinstance(error, (TooMany, Unavailable)) else 5
        response.headers["Retry-After"] = str(seconds)
    return response


def translate_http(error: HTTPException) -> Response:
    """Return what an app is told when the request itself could not be taken."""
    status = error.code or 500
    if status in (404, 405):
        return refuse(404, NOT_FOUND)
    if status == 413:
        return refuse(413, "This is too large.")
    return refuse(422 if status in _AS_INVALID else status, "This request cannot be read.")

"""Who asks, and what their token may do.

A token is looked up for every request: one that was revoked, or whose member was suspended, is dead at once.

Spec: RFC 6750 §2.1; Mastodon API, OAuth scopes.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from functools import wraps
from typing import Any

import msgspec
from quart import Response, request

from node.community.apps.service import find_by_app_token
from node.community.members.service import hash_secret
from node.community.members.tokens import find_access
from node.domain.actors import Member
from node.domain.scopes import covers
from node.foundation.errors import Forbidden, Invalid, Unauthenticated
from node.store.core import Core

from .errors import JSON_TYPE, OUTSIDE_SCOPE, WITHOUT_MEMBER
from .rates import count_address, count_token

_SECRET_LIMIT = 1000


@dataclass(frozen=True, slots=True)
class Caller:
    """Who asks: a member through an app.

    token_hash: the id under which the token is kept. app_id: of the app; None where the operator made the token.
    """

    member: Member
    scopes: frozenset[str]
    token_hash: str
    app_id: int | None = None


async def authenticate(core: Core, authorization: str | None) -> Caller:
    """Return whose token a request carries, from its Authorization header.

    Raises:
        Unauthenticated: None, or one that is not alive.
        Invalid: One that an app has for itself: there is no member.
    """
    token_hash = read_token(authorization)
    found = await find_access(core, token_hash)
    if found is not None:
        return Caller(found.member, found.scopes, token_hash, found.app_id)
    if await find_by_app_token(core, token_hash) is not None:
        raise Invalid(WITHOUT_MEMBER)
    raise Unauthenticated


def read_token(authorization: str | None) -> str:
    """Return the hash of the bearer token in an Authorization header.

    Raises:
        Unauthenticated: There is none.
    """
    scheme, _, secret = (authorization or "").strip().partition(" ")
    secret = secret.strip()
    if scheme.lower() != "bearer" or not secret or len(secret) > _SECRET_LIMIT:
        raise Unauthenticated
    return hash_secret(secret)


async def admit(core: Core, *, authorization: str | None = None) -> Caller:
    """Return who makes the present request, and count it: for their token, or else for their address.

    Args:
        core: This node.
        authorization: What counts as the Authorization header where a request may carry its token elsewhere.

    Raises:
        Unauthenticated, Invalid: As for `authenticate`.
        TooMany: They have asked too often.
    """
    try:
        caller = await authenticate(core, authorization or request.headers.get("Authorization"))
    except (Unauthenticated, Invalid):
        count_address()
        raise
    count_token(caller.token_hash)
    return caller


Handler = Callable[..., Awaitable[Any]]


def needs(core: Core, scope: str) -> Callable[[Handler], Handler]:
    """Wrap a route function: its first argument is the `Caller`, what it returns is sent as JSON.

    Without a live token it is not called, nor with one that lacks the scope.
    """

    def wrap(handler: Handler) -> Handler:
        @wraps(handler)
        async def route(**parts: Any) -> Response:
            caller = await admit(core)
            if not covers(caller.scopes, scope):
                raise Forbidden(OUTSIDE_SCOPE)
            answer = await handler(caller, **parts)
            return answer if isinstance(answer, Response) else send(answer)

        route.scope = scope  # type: ignore[attr-defined]  # for the reference, which is made from the routes
        return route

    return wrap


def open_to_all(handler: Handler) -> Handler:
    """Wrap a route function that needs no token: it is counted for the address, and what it returns is sent as JSON."""

    @wraps(handler)
    async def route(**parts: Any) -> Response:
        count_address()
        answer = await handler(**parts)
        return answer if isinstance(answer, Response) else send(answer)

    return route


def send(value: Any) -> Response:
    """Return a JSON answer."""
    return Response(msgspec.json.encode(value), content_type=JSON_TYPE)

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

from node.community.members.service import find_token_by_hash, hash_secret
from node.domain.actors import Member
from node.foundation.errors import Forbidden, Unauthenticated
from node.store.core import Core

from .errors import JSON_TYPE, OUTSIDE_SCOPE

_SECRET_LIMIT = 1000
# What the scope `follow` of old apps stands for.
_FOLLOW = frozenset(
    f"{verb}:{what}" for verb in ("read", "write") for what in ("follows", "blocks", "mutes")
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Caller:
    """Who asks: a member through an app. token_hash: the id under which the token is kept."""

    member: Member
    scopes: frozenset[str]
    token_hash: str


async def authenticate(core: Core, authorization: str | None) -> Caller:
    """Return whose token a request carries, from its Authorization header.

    Raises:
        Unauthenticated: None, or one that is not alive.
    """
    scheme, _, secret = (authorization or "").strip().partition(" ")
    secret = secret.strip()
    if scheme.lower() != "bearer" or not secret or len(secret) > _SECRET_LIMIT:
        raise Unauthenticated
    token_hash = hash_secret(secret)
    found = await find_token_by_hash(core, token_hash)
    if found is None:
        raise Unauthenticated
    return Caller(found[0], found[1], token_hash)


def covers(granted: frozenset[str], wanted: str) -> bool:
    """Return whether granted scopes include one such as `read:statuses`.

    >>> covers(frozenset({"read"}), "read:lists"), covers(frozenset({"follow"}), "write:follows")
    (True, True)
    >>> covers(frozenset({"read:lists"}), "read:statuses"), covers(frozenset({"follow"}), "write:statuses")
    (False, False)
    """
    return wanted in granted or wanted.partition(":")[0] in granted or ("follow" in granted and wanted in _FOLLOW)


Handler = Callable[..., Awaitable[Any]]


def needs(core: Core, scope: str) -> Callable[[Handler], Handler]:
    """Wrap a route function: its first argument is the `Caller`, what it returns is sent as JSON.

    Without a live token it is not called, nor with one that lacks the scope.
    """

    def wrap(handler: Handler) -> Handler:
        @wraps(handler)
        async def route(**parts: Any) -> Response:
            caller = await authenticate(core, request.headers.get("Authorization"))
            if not covers(caller.scopes, scope):
                raise Forbidden(OUTSIDE_SCOPE)
            answer = await handler(caller, **parts)
            return answer if isinstance(answer, Response) else send(answer)

        return route

    return wrap


def send(value: Any) -> Response:
    """Return a JSON answer."""
    return Response(msgspec.json.encode(value), content_type=JSON_TYPE)

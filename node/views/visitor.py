"""Who is at the browser: the session behind the cookie, the token that forms carry, and how members' routes are wrapped.

A member's form carries a token made from their cookie, which no other site can read; and a browser says where a request
comes from. Both are asked for every POST (T58); who has no session yet is asked the second alone.

Spec: design.md §4; signatures.md T48, T55, T58.
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from functools import wraps
from typing import Any

from quart import Response, request
from quart.typing import ResponseReturnValue

from node.community.members.sessions import SESSION_LIFE, Preferences, Session, cookie_name, find_session
from node.domain.actors import Member
from node.foundation.errors import Forbidden, NotFound
from node.store.core import Core

from .words import Words

CSRF_FIELD = "csrf"
_COOKIE_LIMIT = 200
_DISMISSED_SECONDS, _DISMISSED_LIMIT = 60 * 86_400, 500


@dataclass(frozen=True, slots=True)
class Visitor:
    """Somebody who is signed in, or nobody.

    session: None for nobody. csrf: what their forms carry; empty for nobody. words: how they read.
    dismissed: the announcements that they have put away in this browser.
    """

    session: Session | None
    csrf: str
    words: Words
    dismissed: frozenset[int] = frozenset()

    @property
    def member(self) -> Member:
        """The member; only on routes that need one."""
        assert self.session is not None
        return self.session.member


def csrf_of(cookie: str) -> str:
    """Return the token that forms of a browser with this cookie carry."""
    return hashlib.sha256(f"form {cookie}".encode()).hexdigest()[:40]


async def find_visitor(core: Core) -> Visitor:
    """Return who makes the present request."""
    cookie = request.cookies.get(cookie_name(core), "")
    session = await find_session(core, cookie) if 0 < len(cookie) <= _COOKIE_LIMIT else None
    if session is not None and not session.has_chosen:
        session = replace(session, preferences=_guess_preferences())
    preferences = session.preferences if session else _guess_preferences()
    dismissed = _read_dismissed(core) if session and core.pressure.announcements else frozenset()
    return Visitor(session, csrf_of(cookie) if session else "", Words(preferences, core.clock.now()), dismissed)


def check_form(core: Core, visitor: Visitor, form: dict[str, str]) -> None:
    """Raise unless a form was sent from one of our own pages.

    Raises:
        Forbidden: It was not, or its token is missing or another's.
    """
    origin = request.headers.get("Origin")
    came_from_elsewhere = request.headers.get("Sec-Fetch-Site") in ("cross-site", "same-site")
    if came_from_elsewhere or origin not in (None, core.origin):
        raise Forbidden("This form was sent from another site. Open the page here and try again.")
    if visitor.session is not None and not _is_same(visitor.csrf, form.get(CSRF_FIELD, "")):
        raise Forbidden("This form has grown old. Open the page again; what you wrote is still in your browser.")


def _is_same(token: str, given: str) -> bool:
    return hmac.compare_digest(token.encode(), given.encode("utf-8", "surrogatepass"))


def see(path: str) -> Response:
    """Return "look there now"."""
    return Response(status=303, headers={"Location": path})


def to_sign_in() -> Response:
    """Return what a browser without a session gets for everything private, existing or not."""
    return see("/sign-in")


def keep_cookie(core: Core, response: Response, cookie: str) -> Response:
    """Put a new session's cookie into an answer."""
    response.set_cookie(
        cookie_name(core),
        cookie,
        max_age=int(SESSION_LIFE.total_seconds()),
        secure=core.origin.startswith("https://"),
        httponly=True,
        samesite="Lax",
        path="/",
    )
    return response


def keep_dismissed(core: Core, response: Response, dismissed: set[int]) -> Response:
    """Remember in the browser which announcements were put away, of those that are still to be seen."""
    open_now = {each.announcement_id for each in core.pressure.announcements}
    response.set_cookie(
        _dismissed_name(core),
        ".".join(str(number) for number in sorted(dismissed & open_now)),
        max_age=_DISMISSED_SECONDS,
        secure=core.origin.startswith("https://"),
        httponly=True,
        samesite="Lax",
        path="/",
    )
    return response


def _read_dismissed(core: Core) -> frozenset[int]:
    said = request.cookies.get(_dismissed_name(core), "")[:_DISMISSED_LIMIT].split(".")
    return frozenset(number for text in said if (number := read_number(text)) is not None)


def _dismissed_name(core: Core) -> str:
    return f"{cookie_name(core)}-away"


def drop_cookie(core: Core, response: Response) -> Response:
    """Take the cookie away."""
    response.delete_cookie(cookie_name(core), path="/", httponly=True, samesite="Lax")
    return response


Handler = Callable[..., Awaitable[Any]]


def for_members(core: Core) -> Callable[[Handler], Handler]:
    """Wrap a route: its first argument is the `Visitor`; nobody is sent to the sign-in page; POSTs are checked."""
    return _for(core, lambda member: True)


def for_operators(core: Core) -> Callable[[Handler], Handler]:
    """Wrap a route that only operators may know of: everybody else gets what is got for something absent."""
    return _for(core, lambda member: member.role == "operator")


def for_verifiers(core: Core) -> Callable[[Handler], Handler]:
    """Wrap a route that only verifiers and operators may know of."""
    return _for(core, lambda member: member.role in ("verifier", "operator"))


def _for(core: Core, is_for: Callable[[Member], bool]) -> Callable[[Handler], Handler]:
    def wrap(handler: Handler) -> Handler:
        @wraps(handler)
        async def route(**parts: Any) -> ResponseReturnValue:
            visitor = await find_visitor(core)
            if visitor.session is None:
                return to_sign_in()
            if not is_for(visitor.member):
                raise NotFound  # before the form is looked at, which would tell that there is one
            if request.method == "POST":
                check_form(core, visitor, await read_form())
            answer: ResponseReturnValue = await handler(visitor, **parts)
            return answer

        return route

    return wrap


async def read_form() -> dict[str, str]:
    """Return the fields of the form that was sent, each once; zeros, which no keyboard sends and PostgreSQL refuses, go."""
    form = await request.form
    return {name: value.replace("\0", "") for name, value in form.items() if isinstance(value, str)}


def read_number(text: str) -> int | None:
    """Return a number that one of our pages put into an address or a form; None for anything else.

    >>> read_number("3764938132684938132"), read_number("²"), read_number("9" * 19)
    (3764938132684938132, None, None)
    """
    number = int(text) if text.isascii() and text.isdigit() and len(text) < 20 else None
    return number if number is None or number < 2**63 else None


def _guess_preferences() -> Preferences:
    """Return how somebody reads who has not said so: what their browser asks for, if we have it."""
    best = request.accept_languages.best_match(["en", "de"], default="en")
    return Preferences(language=best or "en")

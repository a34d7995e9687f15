"""The way back from signing in: to the page on which an app waits to be let in, and nowhere else.

An address that somebody else put into a link must not lead away from this node (T58), so one path alone is taken.
"""

from __future__ import annotations

from urllib.parse import quote, urlencode

AUTHORIZE = "/oauth/authorize"
WAY_BACK = "to"
_LIMIT = 16_000


def read_way_back(text: str) -> str:
    """Return a way back as it was given, or nothing where it leads anywhere else.

    >>> read_way_back("/oauth/authorize?client_id=x"), read_way_back("//evil.example"), read_way_back("/oauth/authorized?")
    ('/oauth/authorize?client_id=x', '', '')
    """
    is_one = text.startswith(f"{AUTHORIZE}?") and len(text) <= _LIMIT
    return text if is_one and text.isascii() and text.isprintable() and " " not in text else ""


def make_way_back(fields: dict[str, str]) -> str:
    """Return the way back to what an app asked for."""
    return f"{AUTHORIZE}?{urlencode(fields)}"


def sign_in_path(way_back: str) -> str:
    """Return the page to sign in on, with the way back from it."""
    return f"/sign-in?{WAY_BACK}={quote(way_back, safe='')}" if way_back else "/sign-in"

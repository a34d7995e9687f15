"""Scopes: what an app may do for a member, in the words that apps use.

A wide scope such as `read` stands for every narrow one that begins with it, such as `read:statuses`. `follow` is what old
apps ask for; `profile` says who the member is and nothing else.

Pure. Stored: the names are what tokens are kept with, and may never change their meaning.

Spec: Mastodon API, OAuth scopes; RFC 6749 §3.3.
"""

from __future__ import annotations

from collections.abc import Collection

from node.foundation.errors import Invalid

WIDE = ("read", "write", "follow", "push", "profile")
_READ = (
    "accounts", "blocks", "bookmarks", "favourites", "filters", "follows", "lists", "mutes", "notifications", "search",
    "statuses",
)  # fmt: skip
_WRITE = (
    "accounts", "blocks", "bookmarks", "conversations", "favourites", "filters", "follows", "lists", "media", "mutes",
    "notifications", "reports", "statuses",
)  # fmt: skip
KNOWN = (*WIDE, *(f"read:{what}" for what in _READ), *(f"write:{what}" for what in _WRITE))
DEFAULT = ("read",)
_FOLLOW = frozenset(f"{verb}:{what}" for verb in ("read", "write") for what in ("follows", "blocks", "mutes"))
_SHOWN_LIMIT = 60


def read_scopes(text: str) -> tuple[str, ...]:
    """Return the scopes in a text, each once, in its order.

    Raises:
        Invalid: One is not known here, or the text names none.
    """
    wanted = tuple(dict.fromkeys(text.split()))
    if not wanted:
        raise Invalid(f"Scopes are made of {', '.join(WIDE)}.")
    for scope in wanted:
        if scope not in KNOWN:
            raise Invalid(f"The scope {scope[:_SHOWN_LIMIT]} is not known here.")
    return wanted


def covers(granted: Collection[str], wanted: str) -> bool:
    """Return whether granted scopes include one.

    >>> covers({"read"}, "read:lists"), covers({"follow"}, "write:follows"), covers({"read:accounts"}, "profile")
    (True, True, True)
    >>> covers({"read:lists"}, "read:statuses"), covers({"follow"}, "write:statuses"), covers({"profile"}, "read")
    (False, False, False)
    """
    if wanted in granted or wanted.partition(":")[0] in granted:
        return True
    if wanted == "profile":
        return "read" in granted or "read:accounts" in granted
    return wanted in _FOLLOW and "follow" in granted


def are_within(wanted: Collection[str], granted: Collection[str]) -> bool:
    """Return whether all of some scopes are included in others.

    >>> are_within(("read:lists", "write"), ("read", "write")), are_within(("read",), ("read:lists",))
    (True, False)
    """
    return all(covers(granted, scope) for scope in wanted)


def without_repetition(scopes: Collection[str]) -> list[str]:
    """Return scopes as they are told to people: a narrow one goes where a wide one says the same.

    >>> without_repetition(["read", "read:lists", "write:media", "follow"])
    ['read', 'write:media', 'follow']
    """
    return [scope for scope in scopes if not covers([other for other in scopes if other != scope], scope)]

"""Pages of a list: the span an app asks for, and the `Link` by which it comes to the next and the previous one.

`max_id` and `since_id` look from the newest down, `min_id` from the oldest up; all three are left out themselves.

Spec: RFC 8288; Mastodon API, Paginating through API responses.
"""

from __future__ import annotations

from urllib.parse import urlencode

from node.community.posts.reading import SHOWN_LIMIT, Span

from .parameters import Parameters

_CURSORS = ("max_id", "since_id", "min_id")
_LIMIT = 20
_END = 2**62
_DIGITS_LIMIT = 40


def read_span(parameters: Parameters) -> Span:
    """Return the part of a list of posts that is asked for; what cannot be read is as if it were absent."""
    before, since, least = (_read_cursor(parameters.text(name) or "") for name in _CURSORS)
    after = since if least is None else least
    return Span(
        limit=read_limit(parameters),
        before_id=_END if before is None else before,
        after_id=0 if after is None else after,
        oldest_first=least is not None,
    )


def read_limit(parameters: Parameters) -> int:
    """Return how many are wanted: 20 unless told otherwise, at least 1, at most 40."""
    text = parameters.text("limit") or ""
    wanted = int(text) if text.isascii() and text.isdigit() and len(text) < 10 else _LIMIT
    return min(max(wanted, 1), SHOWN_LIMIT)


def build_link(url: str, ids: list[str], span: Span) -> str | None:
    """Return the `Link` header for a page, or None for an empty one.

    Args:
        url: The public address of the list, without a query.
        ids: What stands on the page, newest first.
        span: What was asked for; a page that is not full, and reaches to the end, has no next one.
    """
    if not ids:
        return None
    links = []
    if len(ids) == span.limit or span.after_id:
        links.append(_link(url, span, "max_id", ids[-1], "next"))
    links.append(_link(url, span, "min_id", ids[0], "prev"))
    return ", ".join(links)


def _read_cursor(text: str) -> int | None:
    """Return the number of the post that a cursor stands at; one outside all numbers stands at an end."""
    if not (text.isascii() and text.isdigit() and len(text) <= _DIGITS_LIMIT):
        return None
    return min(int(text) >> 1, _END)


def _link(url: str, span: Span, cursor: str, status_id: str, relation: str) -> str:
    query = urlencode({"limit": span.limit, cursor: status_id})
    return f'<{url}?{query}>; rel="{relation}"'

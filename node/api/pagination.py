"""Pages of a list: the span an app asks for, and the `Link` by which it comes to the next and the previous one.

`max_id` and `since_id` look from the newest down, `min_id` from the oldest up; all three are left out themselves.

Spec: RFC 8288; Mastodon API, Paginating through API responses.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from urllib.parse import urlencode

from quart import Response

from node.community.posts.reading import SHOWN_LIMIT, Span

from .auth import send
from .entities import Entity
from .parameters import Parameters

_CURSORS = ("max_id", "since_id", "min_id")
_LIMIT = 20
_END = 2**62
_DIGITS_LIMIT = 40
Query = Sequence[tuple[str, str]]


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


def read_plain_span(parameters: Parameters, *, usual: int = SHOWN_LIMIT) -> Span:
    """Return the part of a list of something else than posts; its cursors are plain numbers, such as those of accounts."""
    before, since, least = (_read_number(parameters.text(name) or "") for name in _CURSORS)
    after = since if least is None else least
    return Span(
        limit=read_limit(parameters, usual=usual),
        before_id=_END if before is None else min(before, _END),
        after_id=0 if after is None else min(after, _END),
        oldest_first=least is not None,
    )


def cut_out(numbers: Iterable[int], span: Span) -> list[int]:
    """Return the wanted part of a list of numbers that is at hand as a whole, the largest first.

    >>> cut_out([1, 2, 3, 4], Span(limit=2)), cut_out([1, 2, 3, 4], Span(limit=2, after_id=1, oldest_first=True))
    ([4, 3], [3, 2])
    """
    found = sorted((number for number in numbers if span.after_id < number < span.before_id), reverse=True)
    return found[-span.limit :] if span.oldest_first else found[: span.limit]


def read_limit(parameters: Parameters, *, usual: int = _LIMIT) -> int:
    """Return how many are wanted: 20 unless told otherwise, at least 1, at most 40."""
    text = parameters.text("limit") or ""
    wanted = int(text) if text.isascii() and text.isdigit() and len(text) < 10 else usual
    return min(max(wanted, 1), SHOWN_LIMIT)


def build_link(url: str, ids: list[str], span: Span, *, query: Query = ()) -> str | None:
    """Return the `Link` header for a page, or None for an empty one.

    Args:
        url: The public address of the list, without a query.
        ids: What stands on the page, newest first.
        span: What was asked for; a page that is not full, and reaches to the end, has no next one.
        query: What else was asked for, which the other pages are to have too: (name, value) each.
    """
    if not ids:
        return None
    links = []
    if len(ids) == span.limit or span.after_id:
        links.append(_link(url, span, "max_id", ids[-1], "next", query))
    links.append(_link(url, span, "min_id", ids[0], "prev", query))
    return ", ".join(links)


def send_page(url: str, entities: list[Entity], ids: list[str], span: Span, *, query: Query = ()) -> Response:
    """Return a page of a list with its `Link`; `ids` are what its cursors name, newest first."""
    response = send(entities)
    link = build_link(url, ids, span, query=query)
    if link is not None:
        response.headers["Link"] = link
    return response


def _read_cursor(text: str) -> int | None:
    """Return the number of the post that a cursor stands at; one outside all numbers stands at an end."""
    number = _read_number(text)
    return None if number is None else min(number >> 1, _END)


def _read_number(text: str) -> int | None:
    if not (text.isascii() and text.isdigit() and len(text) <= _DIGITS_LIMIT):
        return None
    return min(int(text), 2 * _END + 1)


def _link(url: str, span: Span, cursor: str, status_id: str, relation: str, query: Query) -> str:
    asked = urlencode([*query, ("limit", span.limit), (cursor, status_id)])
    return f'<{url}?{asked}>; rel="{relation}"'

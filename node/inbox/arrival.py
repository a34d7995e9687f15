"""From bytes to `Arrival`: parse, view, sanitise. Everything dear about an activity that needs no transaction."""

from __future__ import annotations

from typing import Any

from node.federation.jsonld import normalize_document
from node.federation.vocabulary import ActivityView, ObjectView, understand
from node.foundation.errors import RemoteMalformed
from node.foundation.text import markdown_to_html, sanitize_html

from .dispatch import Arrival

_MARKDOWN = frozenset({"text/markdown", "text/x-markdown"})


def read_arrival(document: dict[str, Any], text: str, *, peer_id: int | None) -> Arrival:
    """Return an activity with its view and its content made harmless.

    Args:
        document: The JSON value as received.
        text: The same as text, for keeping.
        peer_id: Who brought it.

    Raises:
        RemoteMalformed: It is not an activity, or something in it cannot be read.
        UnsupportedActivity: Nothing here knows its type.
    """
    view = understand(normalize_document(document))
    if not isinstance(view, ActivityView):
        raise RemoteMalformed("This document is not an activity.")
    inner = view.inner
    html = _content(inner) if isinstance(inner, ObjectView) else ""
    return Arrival(view.id, view.type, view.actor, peer_id, document, text, view, html)


def _content(inner: ObjectView) -> str:
    if not inner.content and inner.source:
        return markdown_to_html(inner.source)
    if inner.media_type in _MARKDOWN:
        return markdown_to_html(inner.content)
    return sanitize_html(inner.content)

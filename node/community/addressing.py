"""Whom a received document names, in the terms of `domain.audience`: every spelling of "everybody" is one."""

from __future__ import annotations

from node.domain.audience import Addressed
from node.federation.vocabulary import PUBLIC, ActivityView, ObjectView, is_public_address


def read_addressed(*views: ActivityView | ObjectView) -> Addressed:
    """Return everybody named by these views together; a second `audience` counts as somebody named."""
    audiences = [uri for view in views for uri in view.audience]
    named = [uri for view in views for uri in (*view.to, *view.cc)] + audiences[1:]
    uris = frozenset(PUBLIC if is_public_address(uri) else uri for uri in named)
    audience = audiences[0] if audiences else None
    return Addressed(uris, PUBLIC if audience is not None and is_public_address(audience) else audience)

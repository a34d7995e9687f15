"""Filter, FilterKeyword, FilterStatus and FilterResult. Spec: Mastodon API, entities of the same names."""

from __future__ import annotations

from node.domain.filtering import Catch, Filter, FilteredPost, Keyword

from . import Entity, format_moment
from .ids import status_id


def build_filter(found: Filter, posts: list[tuple[FilteredPost, int]]) -> Entity:
    """Return a filter as its owner manages it, with the numbers of the posts that it names."""
    return {**_build_plain(found), "statuses": [build_filter_status(mark, post_id) for mark, post_id in posts]}


def build_keyword(keyword: Keyword) -> Entity:
    """Return one keyword of a filter."""
    return {"id": str(keyword.keyword_id), "keyword": keyword.text, "whole_word": keyword.is_whole_word}


def build_filter_status(mark: FilteredPost, post_id: int) -> Entity:
    """Return one post that a filter names."""
    return {"id": str(mark.mark_id), "status_id": status_id(post_id)}


def build_result(catch: Catch, post_id: int) -> Entity:
    """Return why a filter caught a status."""
    return {
        "filter": _build_plain(catch.filter),
        "keyword_matches": list(catch.keywords),
        "status_matches": [status_id(post_id)] if catch.is_named else [],
    }


def _build_plain(found: Filter) -> Entity:
    return {
        "id": str(found.filter_id),
        "title": found.title,
        "context": list(found.contexts),
        "expires_at": None if found.expires_at is None else format_moment(found.expires_at),
        "filter_action": found.action,
        "keywords": [build_keyword(keyword) for keyword in found.keywords],
    }

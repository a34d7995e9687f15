"""Filters: what a member does not want to meet unprepared. They are their own; nobody else learns of them.

A filter names words or single posts. It takes nothing away: an app is told which posts it catches and why, and shows a
warning, or leaves them out, as the member chose. Where it applies is for the app too, which knows what it is showing.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

CONTEXTS = ("home", "notifications", "public", "thread", "account")
ACTIONS = ("warn", "hide", "blur")
USUAL_ACTION = "warn"
TITLE_LIMIT_CHARACTERS = 256
KEYWORD_LIMIT_CHARACTERS = 200
FILTERS_LIMIT = 50
# Of one filter: every post that is shown is compared with each of them.
KEYWORDS_LIMIT = 100
POSTS_LIMIT = 200


@dataclass(frozen=True, slots=True)
class Keyword:
    """A word or phrase. is_whole_word: it counts only where it is not part of a longer word."""

    keyword_id: int
    text: str
    is_whole_word: bool

    def stands_in(self, folded: str) -> bool:
        """Return whether it stands in a text that was casefolded.

        >>> Keyword(1, "Call", True).stands_in("recall"), Keyword(1, "Call", False).stands_in("recall")
        (False, True)
        """
        word = self.text.casefold()
        if word not in folded:
            return False
        if not self.is_whole_word:
            return True
        before = r"(?<!\w)" if re.match(r"\w", word) else ""
        behind = r"(?!\w)" if re.match(r"\w", word[-1]) else ""
        return re.search(f"{before}{re.escape(word)}{behind}", folded) is not None


@dataclass(frozen=True, slots=True)
class FilteredPost:
    """A single post that a filter names, by its id."""

    mark_id: int
    post_uri: str


@dataclass(frozen=True, slots=True)
class Filter:
    """A filter of one member. contexts: where it applies, of `CONTEXTS`. action: one of `ACTIONS`."""

    filter_id: int
    title: str
    contexts: tuple[str, ...]
    action: str
    expires_at: datetime | None
    keywords: tuple[Keyword, ...] = ()
    posts: tuple[FilteredPost, ...] = ()

    def is_live(self, now: datetime) -> bool:
        """Whether it still catches anything."""
        return self.expires_at is None or now < self.expires_at


@dataclass(frozen=True, slots=True)
class Catch:
    """Why a filter caught a post: by these keywords, or because it names the post."""

    filter: Filter
    keywords: tuple[str, ...]
    is_named: bool


def find_catches(filters: Iterable[Filter], *, words: str, post_uri: str) -> list[Catch]:
    """Return which filters catch a post.

    Args:
        filters: Of the member who reads; those that have ended are left out by the caller.
        words: Everything that the post says.
        post_uri: Its id.
    """
    folded = words.casefold()
    found = []
    for each in filters:
        keywords = tuple(keyword.text for keyword in each.keywords if keyword.stands_in(folded))
        is_named = any(post.post_uri == post_uri for post in each.posts)
        if keywords or is_named:
            found.append(Catch(each, keywords, is_named))
    return found

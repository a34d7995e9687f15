"""What somebody looks for: words, phrases in quotes, and filters. Any text is understood, or refused with a reason."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from datetime import datetime

from node.foundation.folding import Hits, fold_words, is_alone

QUERY_LIMIT_CHARACTERS = 200
TERMS_LIMIT = 8
# A beginning of fewer letters would be that of half of all words.
PREFIX_LETTERS = 3
PROBLEMS = ("too_long", "too_many", "no_words")
_QUOTES = re.compile('["\u201c\u201d\u201e\u201f\u00ab\u00bb]')
# So many words the index is asked for; more of a long phrase are compared with the text itself.
_INDEXED_WORDS = 12


@dataclass(frozen=True, slots=True)
class Sought:
    """The words of a query.

    terms: each one word, or several that stand side by side. prefix: the last word of the last term when it may go on;
    it stands in its term, too.
    """

    terms: tuple[tuple[str, ...], ...] = ()
    prefix: str | None = None

    @property
    def words(self) -> tuple[str, ...]:
        """Every whole word once, at most twelve: what the index is asked for."""
        whole = [word for place, term in enumerate(self.terms) for word in self._whole(place, term)]
        return tuple(dict.fromkeys(whole))[:_INDEXED_WORDS]

    @property
    def hits(self) -> Hits:
        """What is marked in a text that was found."""
        whole = [word for place, term in enumerate(self.terms) for word in self._whole(place, term)]
        return Hits(frozenset(whole), self.prefix)

    @property
    def phrases(self) -> tuple[tuple[str, ...], ...]:
        """The terms that are more than one word."""
        return tuple(term for term in self.terms if len(term) > 1)

    def fits(self, words: list[str]) -> bool:
        """Return whether the phrases stand in a text of these words; single words are for the index."""
        text = f" {' '.join(words)} "
        for place, term in enumerate(self.terms):
            is_open = self.prefix is not None and place == len(self.terms) - 1
            if len(term) > 1 and f" {' '.join(term)}{'' if is_open else ' '}" not in text:
                return False
        return True

    def _whole(self, place: int, term: tuple[str, ...]) -> tuple[str, ...]:
        return term[:-1] if self.prefix is not None and place == len(self.terms) - 1 else term


@dataclass(frozen=True, slots=True)
class Filters:
    """What a search is narrowed to.

    group_id: one group. author_id: one person. from_at, to_at: published at or after, and before. with_sources: only
    what leads to a page elsewhere.
    """

    group_id: int | None = None
    author_id: int | None = None
    from_at: datetime | None = None
    to_at: datetime | None = None
    with_sources: bool = False

    @property
    def is_enough(self) -> bool:
        """Whether they say by themselves what is looked for."""
        return self.author_id is not None or self.with_sources


@dataclass(frozen=True, slots=True)
class Query:
    """What somebody looks for, and where."""

    sought: Sought
    filters: Filters = field(default_factory=Filters)


def parse_sought(text: str) -> Sought | str:
    """Return what a text looks for, or one of `PROBLEMS`.

    Words that are written without a space between them (night-shift, 夜勤) are looked for side by side, like those in
    quotes. The last word may go on, unless it is short or stands in quotes. A quote that is not closed ends with the text.

    >>> parse_sought('"night shift" müll')
    Sought(terms=(('night', 'shift'), ('mull',)), prefix='mull')
    >>> parse_sought('* " NEAR('), parse_sought("🙂")
    (Sought(terms=(('near',),), prefix=None), 'no_words')
    """
    if len(text) > QUERY_LIMIT_CHARACTERS:
        return "too_long"
    terms: list[tuple[str, ...]] = []
    is_open = False
    for place, part in enumerate(_QUOTES.split(text)):
        is_quoted = place % 2 == 1
        for chunk in [part] if is_quoted else part.split():
            if words := tuple(fold_words(chunk)):
                terms.append(words)
                is_open = not is_quoted
    if not terms:
        return "no_words"
    if len(terms) > TERMS_LIMIT:
        return "too_many"
    last = terms[-1][-1]
    may_go_on = is_open and not is_alone(last) and len(last) >= PREFIX_LETTERS
    return Sought(tuple(terms), last if may_go_on else None)

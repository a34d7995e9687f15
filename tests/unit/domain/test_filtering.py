"""Which posts a member's filters catch: by words, by whole words, by naming them."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from node.domain.filtering import Filter, FilteredPost, Keyword, find_catches

_POST = "https://a.example/posts/one"


def _filter(*words: tuple[str, bool], posts: tuple[str, ...] = ()) -> Filter:
    keywords = tuple(Keyword(n, text, is_whole) for n, (text, is_whole) in enumerate(words))
    return Filter(1, "x", ("home",), "warn", None, keywords, tuple(FilteredPost(n, uri) for n, uri in enumerate(posts)))


@pytest.mark.parametrize(
    ("keyword", "is_whole", "words", "is_caught"),
    [
        ("exam", False, "No examination", True),
        ("exam", True, "No examination", False),
        ("Exam", True, "the EXAM.", True),
        ("exam", True, "pre-exam", True),
        ("night shift", True, "my night shift is", True),
        ("night shift", True, "fortnight shift", False),
        ("c++", True, "I like C++!", True),
        ("#rota", True, "a#rota", True),
        ("ß", True, "STRASSE", False),
        ("straße", True, "STRASSE", True),
        (".*", False, "anything", False),
    ],
)
def test_a_keyword_catches_as_its_owner_meant(keyword: str, is_whole: bool, words: str, is_caught: bool) -> None:
    catches = find_catches([_filter((keyword, is_whole))], words=words, post_uri=_POST)

    assert bool(catches) is is_caught


def test_a_catch_says_which_words_and_whether_the_post_was_named() -> None:
    both = _filter(("exam", False), ("test", True), posts=(_POST,))
    neither = _filter(("quiz", False), posts=("https://a.example/posts/two",))

    (catch,) = find_catches([both, neither], words="Exams and tests", post_uri=_POST)

    assert (catch.filter, catch.keywords, catch.is_named) == (both, ("exam",), True)


def test_a_filter_ends_at_its_time() -> None:
    ends_at = datetime(2026, 11, 22, 12, tzinfo=UTC)
    ending = Filter(1, "x", ("home",), "warn", ends_at)

    assert [ending.is_live(ends_at.replace(hour=11)), ending.is_live(ends_at)] == [True, False]


@given(keyword=st.text(min_size=1), words=st.text(), is_whole=st.booleans())
def test_any_keyword_is_looked_for_in_any_text(keyword: str, words: str, is_whole: bool) -> None:
    find_catches([_filter((keyword, is_whole))], words=words, post_uri=_POST)
    if not is_whole:
        assert Keyword(1, keyword, False).stands_in(f"{words}{keyword}".casefold()) in (True, False)

"""Hashtags: found in words, made to lead somewhere, and nothing else of a text changed."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from node.foundation.hashtags import TAGS_LIMIT, find_tags, fold_tag
from node.foundation.text import link_tags, markdown_to_html, sanitize_html, strip_marks


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("#one and #Two, #three.", ["one", "Two", "three"]),
        ("#7 #2026 #covid19", ["covid19"]),
        ("a#b ##c @x#d https://a.example/#e ?#f", []),
        ("(#müde) #夜勤", ["müde", "夜勤"]),
        ("# alone #", []),
        ("#same #SAME", ["same"]),
        ("&#39; it is", []),
    ],
)
def test_a_tag_is_a_mark_and_a_word(text: str, found: list[str]) -> None:
    assert find_tags(text) == found


def test_a_text_has_at_most_thirty_tags() -> None:
    assert len(find_tags(" ".join(f"#tag{n}" for n in range(100)))) == TAGS_LIMIT


def test_what_stands_in_links_and_code_stays_as_it_is() -> None:
    html = markdown_to_html("[#in a link](https://a.example/#top) `#code` #out\n\n```\n#block\n```")

    linked = link_tags(html, lambda tag: f"https://home.example/search?q=%23{tag}&x")

    assert linked.count('rel="tag"') == 1
    assert 'href="https://home.example/search?q=%23out&amp;x"' in linked
    assert strip_marks(linked) == strip_marks(html)


@given(source=st.text(alphabet=st.sampled_from("#ab<>\"'&; `*[](/)\nß夜7")))
def test_linking_changes_no_words_and_only_adds_links(source: str) -> None:
    for made in (markdown_to_html(source), sanitize_html(source)):
        linked = link_tags(made, lambda tag: f"/{fold_tag(tag)}")

        assert (
            re.sub(r'<a href="/[^"]*" class="mention hashtag" rel="tag">#<span>(\w+)</span></a>', r"#\1", linked)
            == made
        )

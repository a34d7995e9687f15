"""No text makes the node stop and think: a text as long as is taken stays within a bound, whatever it is made of.

The bound is CPU time of this process, ten times what these machines need; what it guards against grows with the square.
"""

from __future__ import annotations

import time
from collections.abc import Callable

import pytest

from node.foundation.text import (
    clean_line,
    clean_text,
    find_mentions,
    html_to_text,
    markdown_to_html,
    sanitize_html,
)

_CHARACTERS = 100_000
_MARKDOWN_CHARACTERS = 50_000
_MARKDOWN_SECONDS = 15.0
_OTHER_SECONDS = 4.0

MARKDOWN = [
    ">", "> ", ">\n", "[", "![", "[a](", "[a][b]", "[a\n", "[a]: b\n", "*", "*a ", "**a _b ", "_ ", "~~a ", "`", "<", "&", "&#",
    "\\", "- ", "- a\n", "1. ", "# ", "|", "|\n", "|a|\n|-|\n", "a@b.", "http://", "www.a.", "mailto:", "//", "a.b ", "\n", "\t>",
]  # fmt: skip
HTML = [
    "<ul><li>", "<blockquote>", "<b>", "<a href=x>", "<a href=https://a.example>a.", "<table>", "<table><tr><td>", "<p>", "</p>",
    "<li>", "<em><p>", "<svg>", "<math>", "<x>", "<b><i>", "<font>", "<select>", "<template>", "<", "<!--", "<![CDATA[", "&#x",
    "&amp;", "<br", "<p ", "<a b='", "</ul><ul>", "a\u0301", "<nobr>", "<div></p>", "<span>", "<ul title='</ul>'>",
]  # fmt: skip
OTHER = [
    "@",
    "@a",
    "@aa@",
    "@aa@a.",
    "@aa@" + "a" * 254,
    "a.",
    " ",
    "\n",
    "\u0301",
    "\u202e",
    "\r",
    "a\u0301",
    "@aa@a-",
]


def _cpu_seconds(function: Callable[[str], object], source: str) -> float:
    began = time.process_time()
    function(source)
    return time.process_time() - began


@pytest.mark.parametrize("depth", ["> " * 10_000, ">" * 10_000, "[" * 10_000, "- " * 10_000, "*" * 10_000])
def test_t44_ten_thousand_levels_of_markdown_are_rendered_in_a_moment(depth: str) -> None:
    assert _cpu_seconds(markdown_to_html, depth) < 2.0


@pytest.mark.parametrize("unit", MARKDOWN)
def test_t43_no_rule_of_markdown_grows_with_the_square(unit: str) -> None:
    assert _cpu_seconds(markdown_to_html, unit * (_MARKDOWN_CHARACTERS // len(unit))) < _MARKDOWN_SECONDS


@pytest.mark.parametrize("function", [sanitize_html, html_to_text])
@pytest.mark.parametrize("unit", HTML)
def test_t44_no_nesting_of_html_grows_with_the_square(function: Callable[[str], str], unit: str) -> None:
    assert _cpu_seconds(function, unit * (1_000_000 // len(unit))) < _OTHER_SECONDS


@pytest.mark.parametrize("function", [clean_line, clean_text, find_mentions, html_to_text, sanitize_html])
@pytest.mark.parametrize("unit", OTHER)
def test_t43_no_pattern_grows_with_the_square(function: Callable[[str], object], unit: str) -> None:
    assert _cpu_seconds(function, unit * (_CHARACTERS // len(unit))) < _OTHER_SECONDS


def test_t44_of_a_text_with_too_many_marks_the_words_stay() -> None:
    nested = "<ul><li>" * 20_000 + "the words"

    assert sanitize_html(nested) == html_to_text(nested) == "the words"


def test_t42_no_more_is_read_than_is_taken() -> None:
    assert len(markdown_to_html("a" * 1_000_000)) < 101_000
    assert len(sanitize_html("a" * 1_000_000)) == 200_000
    assert len(html_to_text("a" * 1_000_000)) == 200_000


def test_t44_a_long_table_keeps_its_marks() -> None:
    table = "<table>" + "<tr><td>1</td><td>2</td></tr>" * 1000 + "</table>"

    assert sanitize_html(table).count("<td>") == 2000

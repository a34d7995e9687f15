"""Moments within sentences, and what browsers are called."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from node.community.members.sessions import Preferences
from node.views.browsers import name_browser
from node.views.markup import Markup
from node.views.words import Words

NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)
_SAFARI = "AppleWebKit/605.1.15 (KHTML, like Gecko) Version/19.0"
_CHROME = "AppleWebKit/537.36 (KHTML, like Gecko) Chrome/142.0.0.0"


def test_today_is_small_within_a_sentence_and_large_at_its_beginning() -> None:
    english, german = (Words(Preferences(language), NOON) for language in ("en", "de"))

    alone, within = english.moment(NOON), english("write.saved", at=english.moment(NOON))

    assert alone.striptags() == "Today, 12:00"
    assert within.striptags() == "Draft kept today, 12:00."
    assert "heute, 12:00" in german("post.edited", at=german.moment(NOON))


def test_a_day_of_the_week_keeps_its_letter_within_a_sentence() -> None:
    english = Words(Preferences(), NOON)

    said = english("write.saved", at=english.moment(NOON - timedelta(days=1)))

    assert said.striptags() == "Draft kept Saturday, 12:00."


def test_t49_what_stands_beside_a_moment_is_escaped_once() -> None:
    english = Words(Preferences(), NOON)

    said = english("catch_up.newest", name="<b>Ana & O'Hara", at=english.moment(NOON))

    assert said.startswith("&lt;b&gt;Ana &amp; O&#39;Hara wrote last, <time ")
    assert isinstance(said, Markup)


@pytest.mark.parametrize(
    ("agent", "name"),
    [
        ("Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0", "Firefox, Linux"),
        (f"Mozilla/5.0 (Windows NT 10.0; Win64; x64) {_CHROME} Safari/537.36 Edg/142.0.0.0", "Edge, Windows"),
        (f"Mozilla/5.0 (Linux; Android 16; K) {_CHROME} Mobile Safari/537.36", "Chrome, Android"),
        (
            f"Mozilla/5.0 (iPhone; CPU iPhone OS 19_0 like Mac OS X) {_SAFARI} Mobile/15E148 Safari/604.1",
            "Safari, iPhone",
        ),
        (f"Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) {_SAFARI} Safari/605.1.15", "Safari, Mac"),
        ("curl/8.5.0", "curl/8.5.0"),
        ("", ""),
    ],
)
def test_a_browser_is_called_by_its_name(agent: str, name: str) -> None:
    assert name_browser(agent) == name

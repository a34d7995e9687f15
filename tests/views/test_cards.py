"""Cards of posts are kept between pages; what they cost in memory has a bound."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest

from node.community.members.sessions import Preferences
from node.domain.posts import Post
from node.store.core import Core
from node.views.cards import Card
from node.views.shell import Shell
from node.views.words import Words

NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)


def a_card(html: str) -> Card:
    """Return the card of a post."""
    uri = "https://a.example/people/ana"
    post = Post(
        post_id=1, uri="https://a.example/posts/1", audience="group", group_id=2, author_id=3, author_uri=uri,
        author_name="Ana", author_handle="ana", author_host="a.example", known_through=None, parent_id=None, root_id=1,
        in_reply_to=None, seq=1, state="live", title="", warning="", source=html, html=html, reason=None,
        is_pinned=False, is_locked=False, published_at=NOON, edited_at=None,
    )  # fmt: skip
    words = Words(Preferences(), NOON).of_today()
    return Card(
        post=post, number=1, here="/groups/ward/threads/x", words=words, node="Home", tick="", is_own=False,
        is_staff=False, answers=None, quotes=(), images=(),
    )  # fmt: skip


@pytest.mark.parametrize(("length", "is_kept"), [(1_000, True), (100_000, False)])
def test_t42_long_posts_are_not_kept_in_memory(length: int, is_kept: bool) -> None:
    shell = Shell(core=object.__new__(Core))
    card = a_card("<p>" + "𐌰" * length + "</p>")

    first, second = shell.cards.show(card), shell.cards.show(replace(card))

    assert first == second
    assert (first is second) is is_kept


@pytest.mark.parametrize(
    "change",
    [
        {"tick": "physician"}, {"node": "Other"}, {"here": "/groups/ward@a.example/threads/x"}, {"answers": ("/x", "Ben")},
    ],
)  # fmt: skip
def test_a_card_that_shows_something_else_is_made_anew(change: dict[str, Any]) -> None:
    shell = Shell(core=object.__new__(Core))
    card = a_card("<p>Text</p>")

    first, second = shell.cards.show(card), shell.cards.show(replace(card, **change))

    assert first != second


def test_a_post_that_was_edited_is_shown_as_it_is_now() -> None:
    shell = Shell(core=object.__new__(Core))
    card = a_card("<p>Two milligrams</p>")

    before = shell.cards.show(card)
    after = shell.cards.show(replace(card, post=replace(card.post, html="<p>Twenty milligrams</p>")))

    assert "Two milligrams" in before and "Twenty milligrams" in after

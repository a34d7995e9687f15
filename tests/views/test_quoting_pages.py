"""Quoting by link: a card for those who may read what is linked to, just the link for everybody else (T22, T53)."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from node.community.posts.service import withdraw_post
from node.community.reading.quotes import quote_text
from node.domain.posts import Post
from tests.support.group_life import let_in, make_group, put_out
from tests.support.lone_house import ORIGIN
from tests.support.reading_room import Ward, page_of

_CARD = 'class="quote-card"'
_CANARY = "canaryofaquote"


def _a_post(source: str, *, warning: str = "") -> Post:
    at = datetime(2026, 11, 21, tzinfo=UTC)
    uri = f"{ORIGIN}/posts/{'a' * 26}"
    return Post(
        1, uri, "group", 2, 3, f"{ORIGIN}/people/ben", "Ben", "ben", "home.example", None, None, 1, None, 4, "live", "",
        warning, source, "", None, False, False, at, None,
    )  # fmt: skip


async def test_quote_opens_the_reply_with_the_first_lines_and_a_link(ward: Ward) -> None:
    topic = await ward.say(ward.ben, "How do you sleep?\n\nI do not.", title="Nights")
    ana = await ward.browser("ana")

    await ana.get(f"{page_of(topic)}?quote={topic.uri.rpartition('/')[2]}")
    begun = dict(ana.find_form("reply").pairs)["text"]
    await ana.submit("reply", text=f"{begun}\nAs you say.", action="send")

    assert begun.strip() == f"> How do you sleep?\n> I do not.\n>\n> {ORIGIN}{page_of(topic)}"
    assert ana.status == 200 and ana.text.count(_CARD) == 1
    card = ana.text.partition(_CARD)[2].partition("</div>")[0]
    assert "Ben" in card and "How do you sleep?" in card and f'href="{page_of(topic)}"' in card


async def test_a_quote_comes_behind_what_was_begun(ward: Ward) -> None:
    topic, ana = await ward.say(ward.ben, "How do you sleep?", title="Nights"), await ward.browser("ana")
    await ana.get(page_of(topic))
    await ana.submit("reply", text="My own words.", action="draft")

    await ana.get(f"{page_of(topic)}?quote={topic.uri.rpartition('/')[2]}")

    text = dict(ana.find_form("reply").pairs)["text"].strip()
    assert text.startswith("My own words.\n\n> How do you sleep?")


async def test_t22_a_link_to_what_a_reader_may_not_read_is_just_a_link(ward: Ward) -> None:
    circle = await make_group(ward.lone, "circle", ward.ana, is_hidden=True)
    secret = await ward.say(ward.ana, f"{_CANARY} in words.", title=_CANARY, group=circle)
    link = f"{ORIGIN}{page_of(secret, 'circle')}"
    topic = await ward.say(ward.ana, f"See {link} and {secret.uri}", title="Look")
    ana, ben = await ward.browser("ana"), await ward.browser("ben")

    await ana.get(page_of(topic))
    await ben.get(page_of(topic))
    before = (ana.text.count(_CARD), ben.text.count(_CARD), _CANARY in ben.text, link in ben.text)
    await let_in(ward.lone, circle, ward.ben)
    await ben.get(page_of(topic))
    inside = _CANARY in ben.text
    await put_out(ward.lone, circle, ward.ben)
    await ben.get(page_of(topic))

    assert before == (1, 0, False, True)
    assert inside and _CANARY not in ben.text


async def test_t22_what_was_written_before_one_came_is_just_a_link(ward: Ward) -> None:
    late = await make_group(ward.lone, "late", ward.ana, history="since_join")
    early = await ward.say(ward.ana, _CANARY, title="Early", group=late)
    await let_in(ward.lone, late, ward.cy)
    topic = await ward.say(ward.ana, f"See {ORIGIN}{page_of(early, 'late')}", title="Look", group=late)
    cy = await ward.browser("cy")

    await cy.get(page_of(topic, "late"))

    assert cy.status == 200 and _CARD not in cy.text and _CANARY not in cy.text


async def test_t30_a_post_that_was_taken_back_stands_in_no_card(ward: Ward) -> None:
    quoted = await ward.say(ward.ben, _CANARY, title="Nights")
    topic = await ward.say(ward.ana, f"See {ORIGIN}{page_of(quoted)}", title="Look")
    ana = await ward.browser("ana")
    await ana.get(page_of(topic))
    before = ana.text.count(_CANARY)

    await withdraw_post(ward.lone.core, ward.lone.house.tables, author=ward.ben, post_id=quoted.post_id)
    await ana.get(page_of(topic))

    assert before == 1 and _CANARY not in ana.text and _CARD not in ana.text


async def test_t51_an_address_elsewhere_that_looks_like_a_posts_makes_no_card(ward: Ward) -> None:
    quoted = await ward.say(ward.ben, "Well.", title="Nights")
    token = quoted.uri.rpartition("/")[2]
    elsewhere = f"https://evil.example/groups/ward/threads/{token} https://home.example.evil.example/posts/{token}"
    topic = await ward.say(ward.ana, f"See {elsewhere}", title="Look")
    ana = await ward.browser("ana")

    await ana.get(page_of(topic))

    assert _CARD not in ana.text


async def test_t53_nothing_is_fetched_for_a_card(ward: Ward) -> None:
    quoted = await ward.say(ward.ben, "Well.", title="Nights")
    before = ward.lone.wire.requests

    topic = await ward.say(ward.ana, f"{quoted.uri} https://a.example/posts/{'a' * 26}", title="Look")
    ana = await ward.browser("ana")
    await ana.get(page_of(topic))

    assert ana.text.count(_CARD) == 1 and ward.lone.wire.requests == before


async def test_a_post_shows_three_cards_and_each_once(ward: Ward) -> None:
    quoted = [await ward.say(ward.ben, f"Word {number}.", title="Nights") for number in range(5)]
    links = "\n\n".join(each.uri for each in (quoted[0], *quoted))
    topic = await ward.say(ward.ana, links, title="Look")
    ana = await ward.browser("ana")

    await ana.get(page_of(topic))

    assert ana.text.count(_CARD) == 3


async def test_a_card_shows_two_hundred_characters_and_a_note_instead_of_what_is_folded_away(ward: Ward) -> None:
    long = await ward.say(ward.ben, f"{'word ' * 60}end", title="Nights")
    ana = await ward.browser("ana")
    await ana.get("/groups/ward/write")
    await ana.submit("write", title="Days", text=_CANARY, warning="Death", action="send")
    warned = f"{ORIGIN}{ana.path}"
    topic = await ward.say(ward.ana, f"{long.uri}\n\n{warned}", title="Look")

    await ana.get(page_of(topic))
    cards = [each.partition("</div>")[0] for each in ana.text.split(_CARD)[1:]]

    assert "word…" in cards[0] and "end" not in cards[0].rpartition("<p>")[2]
    assert "Death" in cards[1] and _CANARY not in ana.text


@pytest.mark.parametrize(
    ("said", "quoted"),
    [
        ("One.\n\n> Another's.\n\nTwo.", "> One.\n> Two."),
        ("@ben@home.example and @ana, mail me@there.example", "> ben and ana, mail me@there.example"),
        ("1\n2\n3\n4\n5", "> 1\n> 2\n> 3\n> 4 …"),
        ("x" * 900, f"> {'x' * 300} …"),
    ],
)
def test_what_is_quoted_is_short_names_nobody_and_quotes_no_quotation(said: str, quoted: str) -> None:
    text = quote_text(_a_post(said), "https://home.example/here")

    assert text == f"{quoted}\n>\n> https://home.example/here\n\n"


def test_what_stands_behind_a_content_note_is_not_quoted() -> None:
    assert quote_text(_a_post("The words.", warning="Death"), "here") == "> Death\n>\n> here\n\n"

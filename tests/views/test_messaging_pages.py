"""Pages of private messages: who reads, what is unread, and that somebody else's conversation is absent (T22, T58)."""

from __future__ import annotations

from node.community.distance import service as distance
from node.community.messages.conversations import list_conversations
from tests.support.browser_form import Browser
from tests.support.reading_room import Ward

_CANARY = "betweenthetwoofus"


async def _write(ward: Ward, browser: Browser, to: str, text: str) -> str:
    """Write a message by the form; return the page of its conversation."""
    await browser.get("/messages/write")
    await browser.submit("message", to=to, text=text)
    assert browser.steps == [303, 200], browser.words
    [conversation, *_] = await list_conversations(ward.lone.core, viewer=ward.ana)
    return f"/messages/{conversation.conversation_id}"


async def test_a_message_stands_with_both_and_is_unread_until_it_is_opened(ward: Ward) -> None:
    ana, ben = await ward.browser("ana"), await ward.browser("ben")

    page = await _write(ward, ana, "@ben", "A word?")
    await ben.get("/messages")
    before = (ben.words, "is-unread" in ben.text)
    await ben.get(page)
    opened = ben.words
    await ben.get("/messages")

    assert "Ana" in before[0] and "A word?" in before[0] and before[1]
    assert "A word?" in opened and "Only the people named read this" in opened
    assert "is-unread" not in ben.text


async def test_an_answer_goes_on_in_the_conversation_and_makes_a_notice(ward: Ward) -> None:
    ana, ben = await ward.browser("ana"), await ward.browser("ben")
    page = await _write(ward, ana, "ben", "A word?")

    await ben.get(page)
    await ben.submit("answer", text="Yes, tonight.")
    answered = ben.steps
    await ana.get("/notifications")
    notices = ana.words
    await ana.get(page)

    assert answered == [303, 200]
    assert "Ben wrote to you" in notices and "Yes, tonight." in notices
    assert ana.words.index("A word?") < ana.words.index("Yes, tonight.")


async def test_a_browser_that_only_fetches_ahead_reads_nothing(ward: Ward) -> None:
    ana, ben = await ward.browser("ana"), await ward.browser("ben")
    page = await _write(ward, ana, "@ben", "A word?")

    await ben.get(page, sec_purpose="prefetch")
    await ben.get("/messages")

    assert "is-unread" in ben.text


async def test_what_was_typed_is_kept_when_nobody_of_that_name_is_known(ward: Ward) -> None:
    ana = await ward.browser("ana")
    await ana.get("/messages/write?to=@nobody")

    await ana.submit("message", text=_CANARY)

    assert ana.status == 422 and 'role="alert"' in ana.text
    form = dict(ana.find_form("message").pairs)
    assert (form["to"], form["text"].strip()) == ("@nobody", _CANARY)
    assert await list_conversations(ward.lone.core, viewer=ward.ana) == []


async def test_pressing_twice_sends_once(ward: Ward) -> None:
    ana = await ward.browser("ana")
    await ana.get("/messages/write")
    fields = dict(ana.find_form("message").pairs) | {"to": "@ben", "text": "A word?"}

    for _ in range(2):
        await ana.post("/messages/write", fields)

    posts = await ward.lone.core.store.read(lambda tx: tx.all("SELECT uri FROM posts WHERE audience = 'people'"))
    assert len(posts) == 1


async def test_t22_somebody_elses_conversation_is_answered_like_none(ward: Ward) -> None:
    ana, cy = await ward.browser("ana"), await ward.browser("cy")
    page = await _write(ward, ana, "@ben", _CANARY)
    await cy.get("/messages/write")
    csrf, answers = cy.csrf, []

    for path in (page, "/messages/42"):
        await cy.get(path)
        answers.append((cy.status, cy.words))
        for action in (path, f"{path}/put-away"):
            await cy.post(action, {"csrf": csrf, "text": "Hello"})
            answers.append((cy.status, cy.words))

    assert answers[:3] == answers[3:]
    assert {status for status, _ in answers} == {404} and _CANARY not in cy.text


async def test_one_that_was_put_away_comes_back_with_the_next_message(ward: Ward) -> None:
    ana, ben = await ward.browser("ana"), await ward.browser("ben")
    page = await _write(ward, ana, "@ben", "A word?")
    await ben.get(page)

    await ben.submit("put-away")
    away = ben.words
    await ana.get(page)
    await ana.submit("answer", text="Are you there?")
    await ben.get("/messages")

    assert "A word?" not in away and "No messages yet" in away
    assert "Are you there?" in ben.words


async def test_a_person_can_be_written_to_from_their_card(ward: Ward) -> None:
    ana = await ward.browser("ana")

    await ana.get("/people/ben@home.example")
    linked = "/messages/write?to=@ben@home.example" in ana.text
    await ana.get("/messages/write?to=@ben@home.example")

    assert linked and dict(ana.find_form("message").pairs)["to"] == "@ben@home.example"


async def test_whoever_writes_to_somebody_who_blocked_them_is_not_told(ward: Ward) -> None:
    ben = await ward.browser("ben")
    await distance.block(ward.lone.core, viewer=ward.ana, actor_id=ward.ben.actor_id)

    await ben.get("/messages/write")
    await ben.submit("message", to="@ana", text="A word?")
    written = (ben.steps, "A word?" in ben.words)
    await ben.submit("answer", text="Or tomorrow.")

    assert written == ([303, 200], True)
    assert ben.steps == [303, 200] and "Or tomorrow." in ben.words
    assert await list_conversations(ward.lone.core, viewer=ward.ana) == []

"""Writing: a look beforehand, nothing typed is lost, nothing is sent twice; changing and taking back; pictures."""

from __future__ import annotations

import io
from typing import Any

import pytest
from PIL import Image

from node.community.posts.tending import lock_thread
from node.foundation.text import CONTENT_LIMIT_CHARACTERS
from node.store.engine import Tx
from tests.support.browser_form import Browser
from tests.support.group_life import make_group
from tests.support.reading_room import Ward, list_drafts, page_of
from tests.support.village import Village

_PLACE = "canaryplaceofthepicture"
_LINE_ENDS = "First line.\n\n- one\n- two\n\n> said *somebody*"


def _a_picture(*, place: str = "", kind: str = "JPEG") -> bytes:
    """Return a small picture; `place` stands in its metadata, as cameras write it."""
    picture, out, exif = Image.new("RGB", (24, 16), "teal"), io.BytesIO(), Image.Exif()
    exif[0x010E] = place or "nowhere"
    picture.save(out, kind, **({"exif": exif.tobytes()} if place else {}))
    return out.getvalue()


async def _texts(ward: Ward) -> list[str]:
    """Return what stands in the group, in order."""
    sql = "SELECT html FROM posts WHERE group_id = :group_id AND state = 'live' ORDER BY post_id"
    rows = await ward.lone.core.store.read(lambda tx: tx.all(sql, group_id=ward.group.group_id))
    return [row.html.strip() for row in rows]


async def _on_write_page(ward: Ward, handle: str = "ben") -> Browser:
    browser = await ward.browser(handle)
    await browser.get("/groups/ward/write")
    return browser


async def test_a_look_beforehand_sends_nothing_and_loses_nothing(ward: Ward) -> None:
    ben = await _on_write_page(ward)

    await ben.submit("write", title="Nights", text=_LINE_ENDS, warning="Long", action="preview")

    assert ben.status == 200
    assert "<li>one</li>" in ben.text and "<em>somebody</em>" in ben.text
    filled = dict(ben.find_form("write").pairs)
    assert (filled["title"], filled["text"], filled["warning"]) == ("Nights", _LINE_ENDS, "Long")
    assert await _texts(ward) == []


@pytest.mark.parametrize("action", ["preview", "draft"])
async def test_what_was_begun_waits_on_the_node_for_every_device(ward: Ward, action: str) -> None:
    phone, desk = await _on_write_page(ward), await ward.browser("ben")

    await phone.submit("write", title="Nights", text="Half a thought", action=action)
    await desk.get("/write")
    listed = desk.words
    [link] = [link for link in desk.page.links if link == "/groups/ward/write"][:1]
    await desk.get(link)

    assert "What you began Nights" in listed
    assert dict(desk.find_form("write").pairs)["text"] == "Half a thought"
    assert "Draft kept today, 12:00." in desk.words


async def test_a_draft_is_its_authors_alone(ward: Ward) -> None:
    await (await _on_write_page(ward)).submit("write", text="Half a thought", action="draft")

    for path in ("/write", "/groups/ward/write", "/groups/ward", "/"):
        ana = await ward.browser("ana")
        assert b"Half a thought" not in (await ana.get(path)).body, path


async def test_sending_forgets_the_draft_and_so_does_emptying_it(ward: Ward) -> None:
    ben = await _on_write_page(ward)
    await ben.submit("write", title="Nights", text="Half a thought", action="draft")
    begun = await list_drafts(ward)

    await ben.submit("write", text="A whole thought")
    sent = await list_drafts(ward)
    await ben.get("/groups/ward/write")
    await ben.submit("write", text="Another", action="draft")
    await ben.submit("write", text="", title="", action="draft")

    assert (begun, sent, await list_drafts(ward)) == ([("Nights", "Half a thought")], [], [])
    assert await _texts(ward) == ["<p>A whole thought</p>"]


async def test_sending_leads_to_the_post_and_others_read_it(ward: Ward) -> None:
    ben = await _on_write_page(ward)

    await ben.submit("write", title="Nights", text="How do you *sleep*?", warning="Fatigue")
    ana = await ward.browser("ana")
    await ana.get(ben.path)

    assert ben.steps == [303, 200] and "/threads/" in ben.path
    assert "Nights" in ana.words and "<em>sleep</em>" in ana.text and "Fatigue" in ana.words


@pytest.mark.parametrize(
    ("text", "sentence"),
    [("a" * (CONTENT_LIMIT_CHARACTERS + 1), "100000 characters"), ("", "Please write something"), ("  \n ", "write something")],
    ids=["too long", "empty", "blank"],
)  # fmt: skip
async def test_a_refused_text_comes_back_with_the_reason(ward: Ward, text: str, sentence: str) -> None:
    ben = await _on_write_page(ward)

    await ben.submit("write", title="Nights", text=text)

    assert (ben.status, ben.path) == (422, "/groups/ward/write")
    assert len(ben.page.alerts) == 1 and sentence in ben.page.alerts[0]
    filled = dict(ben.find_form("write").pairs)
    assert (filled["title"], filled["text"]) == ("Nights", text)
    assert await list_drafts(ward) == [("Nights", text)]
    assert await _texts(ward) == []


async def test_a_long_text_in_any_script_fits_through_both_forms(ward: Ward) -> None:
    long = "漢" * (CONTENT_LIMIT_CHARACTERS - 100)  # what marks it as a paragraph counts too
    ben = await _on_write_page(ward)

    await ben.submit("write", text=long)
    topic = (ben.status, ben.path)
    await ben.submit("reply", text=long)

    assert topic[0] == ben.status == 200
    assert "/threads/" in topic[1]
    assert await _texts(ward) == [f"<p>{long}</p>"] * 2


async def test_sent_twice_is_posted_once(ward: Ward) -> None:
    ben = await _on_write_page(ward)
    form = ben.find_form("write").filled({"title": "Nights", "text": "Once"})

    await ben.post("/groups/ward/write", form, multipart=True)
    first = ben.path
    await ben.post("/groups/ward/write", form, multipart=True)

    assert ben.path == first
    assert await _texts(ward) == ["<p>Once</p>"]


async def test_an_answer_sent_twice_is_posted_once(ward: Ward) -> None:
    topic = await ward.say(ward.ana, "One", title="Rounds")
    ben = await ward.browser("ben")
    await ben.get(page_of(topic))
    form = ben.find_form("reply").filled({"text": "Me too"})

    for _ in range(2):
        await ben.post(page_of(topic), form)

    assert await _texts(ward) == ["<p>One</p>", "<p>Me too</p>"]


async def test_two_members_may_send_the_same_words(ward: Ward) -> None:
    for handle in ("ana", "ben"):
        browser = await ward.browser(handle)
        await browser.get("/groups/ward/write")
        await browser.post("/groups/ward/write", {"csrf": browser.csrf, "text": "Good morning", "once": "1"})

    assert await _texts(ward) == ["<p>Good morning</p>"] * 2


async def test_an_answer_stands_in_its_thread(ward: Ward) -> None:
    topic = await ward.say(ward.ana, "One", title="Rounds")
    ben = await ward.browser("ben")
    await ben.get(page_of(topic))

    await ben.submit("reply", text="Me too")

    assert ben.steps == [303, 200] and ben.path.startswith(page_of(topic))
    assert "2 posts" in ben.words and "Me too" in ben.words


async def test_an_answer_to_one_post_says_whom_it_answers_even_after_a_look(ward: Ward) -> None:
    topic = await ward.say(ward.ana, "One", title="Rounds")
    await ward.say(ward.ben, "Two", to=topic)
    ana = await ward.browser("ana")
    await ana.get(page_of(topic))
    [link] = [link for link in ana.page.links if link.startswith("?reply=")][1:]

    await ana.get(f"{page_of(topic)}{link}")
    await ana.submit("reply", text="To *you*", action="preview")
    looked = (ana.words, dict(ana.find_form("reply").pairs)["text"])
    await ana.submit("reply")

    assert "Answers Ben" in looked[0] and looked[1] == "To *you*"
    assert "Answers Ben" in ana.words and "To you" in ana.words


async def test_a_refused_answer_comes_back_with_the_reason_and_stays_a_draft(ward: Ward) -> None:
    topic = await ward.say(ward.ana, "One", title="Rounds")
    ben, desk = await ward.browser("ben"), await ward.browser("ben")
    await ben.get(page_of(topic))
    long = "a" * (CONTENT_LIMIT_CHARACTERS + 1)

    await ben.submit("reply", text=long)
    await desk.get(page_of(topic))

    assert ben.status == 422 and "100000 characters" in ben.page.alerts[0]
    assert dict(ben.find_form("reply").pairs)["text"] == long
    assert dict(desk.find_form("reply").pairs)["text"] == long


async def test_an_answer_to_a_thread_closed_meanwhile_is_not_lost(ward: Ward) -> None:
    topic = await ward.say(ward.ana, "One", title="Rounds")
    ben = await ward.browser("ben")
    await ben.get(page_of(topic))
    await lock_thread(ward.lone.core, ward.lone.house.tables, staff=ward.ana, post_id=topic.post_id, is_locked=True)

    await ben.submit("reply", text="A second too late")

    assert ben.status == 422 and len(ben.page.alerts) == 1
    assert "A second too late" in ben.text
    assert await list_drafts(ward) == [("", "A second too late")]
    assert await _texts(ward) == ["<p>One</p>"]


async def test_staff_close_and_open_and_pin_a_thread_by_its_page(ward: Ward) -> None:
    topic = await ward.say(ward.ben, "One", title="Rounds")
    ana, ben = await ward.browser("ana"), await ward.browser("ben")
    await ana.get(page_of(topic))

    await ana.submit(f"{page_of(topic)}/staff", act="lock")
    await ana.submit(f"{page_of(topic)}/staff", act="pin")
    await ben.get("/groups/ward")
    seen = ben.words
    await ana.submit(f"{page_of(topic)}/staff", act="unlock")
    await ben.get(page_of(topic))
    await ben.post(f"{page_of(topic)}/staff", {"csrf": ben.csrf, "act": "unpin"})
    refused = ben.status
    await ben.get("/groups/ward")

    assert "Closed" in seen and "Kept at the top" in seen
    assert refused == 403
    assert "Closed" not in ben.words and "Kept at the top" in ben.words


async def test_a_change_is_shown_as_one(ward: Ward) -> None:
    topic = await ward.say(ward.ben, "How do you sleeep?", title="Nights")
    ben, ana = await ward.browser("ben"), await ward.browser("ana")
    await ben.get(f"{page_of(topic)}/edit")
    before = dict(ben.find_form("edit").pairs)

    await ben.submit("edit", text="How do you sleep?", title="Nights on call")
    await ana.get(page_of(topic))

    assert (before["title"], before["text"]) == ("Nights", "How do you sleeep?")
    assert ben.steps == [303, 200]
    assert "Nights on call" in ana.words and "changed today, 12:00" in ana.words
    assert "sleeep" not in ana.text


@pytest.mark.parametrize("forget", [True, False])
async def test_the_earlier_text_goes_when_its_author_says_so(ward: Ward, forget: bool) -> None:
    topic = await ward.say(ward.ben, "The patient from Aurich", title="Nights")
    ben = await ward.browser("ben")
    await ben.get(f"{page_of(topic)}/edit")

    await ben.submit("edit", text="The patient", forget_earlier="1" if forget else None)
    versions = await ward.lone.core.store.read(lambda tx: tx.all("SELECT * FROM post_versions"))

    assert ("Aurich" in str(versions)) is not forget
    assert await _texts(ward) == ["<p>The patient</p>"]


async def test_a_refused_change_keeps_what_was_typed(ward: Ward) -> None:
    topic = await ward.say(ward.ben, "One", title="Nights")
    ben = await ward.browser("ben")
    await ben.get(f"{page_of(topic)}/edit")

    await ben.submit("edit", text="", title="Another title")

    assert ben.status == 422 and ben.page.alerts
    assert dict(ben.find_form("edit").pairs)["title"] == "Another title"
    assert await _texts(ward) == ["<p>One</p>"]


async def test_a_post_is_taken_back_after_a_question(ward: Ward) -> None:
    topic = await ward.say(ward.ana, "One", title="Rounds")
    rash = await ward.say(ward.ben, "A rash word", to=topic)
    ben, ana = await ward.browser("ben"), await ward.browser("ana")

    await ben.get(f"{page_of(rash)}/withdraw")
    asked = ben.words
    await ben.submit("withdraw")
    await ana.get(page_of(topic))

    assert "Take this post back?" in asked and "A rash word" in asked
    assert ben.steps == [303, 200] and ben.path == page_of(topic)
    assert "Post 2 was withdrawn by its author." in ana.words and "rash" not in ana.text
    assert (await ben.get(f"{page_of(rash)}/edit")).status == 404


@pytest.mark.parametrize("tail", ["edit", "withdraw"])
async def test_t14_nobody_changes_or_takes_back_another_members_post(ward: Ward, tail: str) -> None:
    topic = await ward.say(ward.ben, "One", title="Rounds")
    ana = await ward.browser("ana")
    await ana.get("/groups/ward/write")

    await ana.post(f"{page_of(topic)}/{tail}", {"csrf": ana.csrf, "text": "Other words"})

    assert ana.status == 404
    assert await _texts(ward) == ["<p>One</p>"]


async def test_t49_what_is_typed_is_words_in_forms_previews_and_posts(ward: Ward) -> None:
    evil = """</textarea><script>alert(1)</script><img src=x onerror=alert(1)>"'{{ 7 * 7 }}"""
    ben = await _on_write_page(ward)

    await ben.submit("write", title=evil, text=evil, warning=evil, action="preview")
    looked = (ben.text, dict(ben.find_form("write").pairs))
    await ben.submit("write")
    ana = await ward.browser("ana")
    pages = [looked[0], ben.text, *[(await ana.get(path)).body.decode() for path in ("/", "/groups/ward")]]

    assert (looked[1]["text"], looked[1]["title"], looked[1]["warning"]) == (evil, evil, evil)
    for page in pages:
        assert "<script>" not in page and "<img src=x" not in page and "49" not in page.replace("/", "")[-200:]


async def test_t22_writing_where_one_is_not_a_member_is_writing_nowhere(ward: Ward) -> None:
    circle = await make_group(ward.lone, "circle", ward.ana, is_hidden=True)
    inside = await ward.say(ward.ana, "Words", title="Secret", group=circle)
    cy = await ward.browser("cy")
    await cy.get("/me/settings")
    form: dict[str, Any] = {"csrf": cy.csrf, "text": "Me too", "title": "Me"}

    answers = [
        await cy.post(path, form)
        for path in ("/groups/circle/write", "/groups/nothing/write", page_of(inside, "circle"))
    ]
    listed = await cy.post("/groups/ward/write", form)

    assert {(answer.status, answer.body) for answer in answers} == {(404, answers[0].body)}
    assert listed.status == 403
    assert await list_drafts(ward) == []


async def test_a_post_written_in_a_browser_is_read_and_answered_on_another_node(village: Village) -> None:
    a, b, ward = await village.shared_ward()
    ana, ben = await Browser(a).enter("ana"), await Browser(b).enter("ben")
    await ana.get("/groups/ward/write")

    await ana.submit("write", title="Nights", text="How do you *sleep*?")
    await village.rest()
    await ben.get("/")
    [link] = [link for link in ben.page.links if "/threads/" in link]
    await ben.get(link)
    read = ben.text
    await ben.submit("reply", text="Badly.")
    await village.rest()
    await ana.get(ana.path)

    assert "<em>sleep</em>" in read
    assert "Badly." in ana.words and "Hospital" in ana.words
    assert await a.texts(ward, as_="ana") == await b.texts(ward, as_="ben")


async def test_a_draft_outlives_the_node_that_held_it(village: Village) -> None:
    a, b, _ = await village.shared_ward()
    ben = await Browser(b).enter("ben")
    await ben.get(f"/groups/ward@{a.host}/write")
    await ben.submit("write", title="Nights", text="Half a thought", action="preview")

    await b.stop()
    await b.start()
    await ben.get(f"/groups/ward@{a.host}/write")

    assert dict(ben.find_form("write").pairs)["text"] == "Half a thought"


async def test_while_a_group_is_on_its_way_back_what_was_typed_stays_on_the_page(ward: Ward) -> None:
    ben = await _on_write_page(ward)
    await ward.lone.core.store.write(_begin_recovery)

    await ben.submit("write", title="A title", text="Typed with one thumb")

    assert ben.status == 503
    assert "This group was restored from a backup" in ben.words
    assert "Typed with one thumb" in ben.text
    assert await _texts(ward) == []


async def _begin_recovery(tx: Tx) -> None:
    await tx.run("UPDATE groups SET recovering_at = 1, next_epoch = 2")

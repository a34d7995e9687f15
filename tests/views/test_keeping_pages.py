"""What was begun is kept: pictures that were chosen, drafts of answers, and no more than a post may hold."""

from __future__ import annotations

import io

import pytest
from PIL import Image

from node.foundation.text import CONTENT_LIMIT_CHARACTERS, TITLE_LIMIT_CHARACTERS
from tests.support.browser_form import Browser, Upload
from tests.support.reading_room import Ward, list_drafts, page_of


def _a_picture(colour: str = "teal") -> Upload:
    picture, out = Image.new("RGB", (24, 16), colour), io.BytesIO()
    picture.save(out, "PNG")
    return Upload(out.getvalue())


def _alts(browser: Browser) -> list[str]:
    """Return what the pictures of a page show, in its order."""
    return [part.partition('alt="')[2].partition('"')[0] for part in browser.text.split("<img ")[1:]]


async def _on_write_page(ward: Ward) -> Browser:
    browser = await ward.browser("ben")
    await browser.get("/groups/ward/write")
    return browser


async def test_pictures_stand_in_the_order_in_which_they_were_put(ward: Ward) -> None:
    ben = await _on_write_page(ward)
    for _ in range(3):  # tokens are random, so any one of these could be right by chance
        colours = ("red", "green", "blue")

        await ben.get("/groups/ward/write")
        pictures = [_a_picture(colour) for colour in colours]
        await ben.submit("write", text="Look", **{"images[]": pictures, "alt[]": list(colours)})

        assert _alts(ben) == list(colours)


async def test_pictures_stay_chosen_through_a_preview_and_go_when_unticked(ward: Ward) -> None:
    ben = await _on_write_page(ward)
    await ben.submit(
        "write",
        text="Look",
        action="preview",
        **{"images[]": [_a_picture(), _a_picture("red")], "alt[]": ["One", "Two"]},
    )
    kept = [value for name, value in ben.find_form("write").pairs if name == "kept[]"]

    await ben.submit("write", action="preview", **{"images[]": _a_picture("blue"), "alt[]": "Three"})
    await ben.submit("write", action="send", **{"kept[]": [kept[0], *_kept(ben)[2:]]})

    assert len(kept) == 2
    assert ben.steps == [303, 200] and _alts(ben) == ["One", "Three"]


def _kept(browser: Browser) -> list[str]:
    return [value for name, value in browser.find_form("write").pairs if name == "kept[]"]


async def test_pictures_before_one_that_is_none_stay_chosen(ward: Ward) -> None:
    ben = await _on_write_page(ward)

    await ben.submit("write", text="Look", **{"images[]": [_a_picture(), Upload(b"none")], "alt[]": ["One", "Two"]})

    assert ben.status == 422 and 'role="alert"' in ben.text
    assert len(_kept(ben)) == 1 and dict(ben.find_form("write").pairs)["text"] == "Look"


async def test_t24_somebody_elses_picture_cannot_be_kept(ward: Ward) -> None:
    ben, ana = await _on_write_page(ward), await ward.browser("ana")
    await ben.submit("write", text="Look", action="preview", **{"images[]": _a_picture(), "alt[]": "One"})
    await ana.get("/groups/ward/write")

    await ana.post(
        "/groups/ward/write",
        [("csrf", ana.csrf), ("text", "Mine"), ("once", "1"), ("action", "send"), ("kept[]", _kept(ben)[0])],
    )

    assert ana.status == 200 and _alts(ana) == []


async def test_a_draft_of_an_answer_leads_to_its_thread(ward: Ward) -> None:
    topic, ana = await ward.say(ward.ben, "How do you sleep?", title="Nights"), await ward.browser("ana")
    await ana.get(page_of(topic))
    await ana.submit("reply", text="I was about to say", action="draft")

    await ana.get("/write")
    links = [part.partition('"')[0] for part in ana.text.split('<a href="')[1:]]
    await ana.get(page_of(topic))

    assert f"{page_of(topic)}#reply" in links
    assert "I was about to say" in dict(ana.find_form("reply").pairs)["text"]


@pytest.mark.parametrize("action", ["draft", "preview", "send"])
@pytest.mark.parametrize(("times", "kept"), [(1, True), (2, False)], ids=["a little", "far"])
async def test_what_is_too_long_for_a_post_is_given_back_and_takes_little_room(
    ward: Ward, action: str, times: int, kept: bool
) -> None:
    ben = await _on_write_page(ward)
    await ben.submit("write", title="Nights", text="Short.", action="draft")
    limits = {"text": CONTENT_LIMIT_CHARACTERS, "title": TITLE_LIMIT_CHARACTERS, "warning": TITLE_LIMIT_CHARACTERS}

    for name, limit in limits.items():
        long = "x" * (limit * times + 1)
        await ben.submit("write", action=action, **{"text": "Short.", "title": "Nights", "warning": "", name: long})

        assert ben.status == 422 and 'role="alert"' in ben.text
        assert dict(ben.find_form("write").pairs)[name] == long
        [(title, text)] = await list_drafts(ward)
        assert len({"text": text, "title": title}.get(name, "")) <= limit * 2
        assert (long in (title, text)) == (kept and name != "warning")


async def test_an_answer_that_is_far_too_long_is_given_back_and_not_kept(ward: Ward) -> None:
    topic, ana = await ward.say(ward.ben, "How do you sleep?", title="Nights"), await ward.browser("ana")
    await ana.get(page_of(topic))
    long = "x" * (CONTENT_LIMIT_CHARACTERS * 2 + 1)

    for action in ("draft", "preview", "send"):
        await ana.submit("reply", text=long, action=action)

        assert ana.status == 422 and 'role="alert"' in ana.text
        assert dict(ana.find_form("reply").pairs)["text"] == long
    assert await list_drafts(ward) == []

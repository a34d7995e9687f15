"""A page that somebody has left open: told of new posts, without them where there is no script, and on paper."""

from __future__ import annotations

import time
from typing import Any

from playwright.async_api import Browser, expect

from tests.support.commands import PASSWORD
from tests.support.process_node import ProcessNode
from tools.browsing import NARROW, sign_in


async def _ward(society: ProcessNode) -> tuple[str, dict[str, Any]]:
    """Return the address of a group and a topic of Ana's in it; Dee is a member, too."""
    ward = await society.group("ward", owner="ana")
    await society.member("dee")
    await society.join(ward, as_="dee")
    await society.approve(ward, society.person("dee"))
    topic: dict[str, Any] = await society.post(ward, "How do you sleep?", as_="ana", title="Nights")
    return ward, topic


async def test_an_open_thread_says_that_there_is_more_and_loses_nothing_that_was_typed(
    chromium: Browser, nodes: tuple[ProcessNode, ProcessNode]
) -> None:
    society, _ = nodes
    ward, topic = await _ward(society)
    page = await (await chromium.new_context()).new_page()
    await sign_in(page, society.origin, "ana", PASSWORD)
    await page.goto(f"{society.origin}/groups/ward/threads/{topic['uri'].rpartition('/')[2]}")
    await page.fill("#reply [name=text]", "I was about to say")

    await society.post(ward, "Not at all.", as_="dee", reply_to=topic["uri"])
    line = page.get_by_role("status").get_by_role("link")
    await expect(line).to_have_text("1 new post – show")
    await society.post(ward, "Or hardly.", as_="dee", reply_to=topic["uri"])
    await expect(line).to_have_text("2 new posts – show")
    await expect(page.locator("#reply [name=text]")).to_be_focused()
    await line.click()

    await expect(page.locator("main")).to_contain_text("Or hardly.")
    await expect(page.locator("#reply [name=text]")).to_have_value("I was about to say")


async def test_open_lists_say_it_too_and_a_node_stops_without_waiting_for_them(
    chromium: Browser, nodes: tuple[ProcessNode, ProcessNode]
) -> None:
    society, _ = nodes
    ward, _ = await _ward(society)
    context, pages = await chromium.new_context(viewport={"width": NARROW[0], "height": NARROW[1]}), []
    for path in ("/", "/groups/ward"):
        pages.append(await context.new_page())
        await (
            sign_in(pages[-1], society.origin, "ana", PASSWORD)
            if path == "/"
            else pages[-1].goto(society.origin + path)
        )

    await society.post(ward, "What do you eat?", as_="dee", title="Days")
    for page in pages:
        await page.bring_to_front()
        await expect(page.locator("#live")).to_have_text("1 new post – show")
    await pages[0].bring_to_front()
    await pages[0].click("#live a")
    await expect(pages[0].locator("main")).to_contain_text("Days")
    began = time.monotonic()
    code = await society.stop()

    assert code == 0
    assert time.monotonic() - began < 5


async def test_without_script_an_open_page_is_as_it_was(
    chromium: Browser, nodes: tuple[ProcessNode, ProcessNode]
) -> None:
    society, _ = nodes
    ward, topic = await _ward(society)
    page = await (await chromium.new_context(java_script_enabled=False)).new_page()
    await sign_in(page, society.origin, "ana", PASSWORD)
    await page.goto(f"{society.origin}/groups/ward/threads/{topic['uri'].rpartition('/')[2]}")

    await society.post(ward, "Not at all.", as_="dee", reply_to=topic["uri"])
    await page.reload()

    await expect(page.locator("main")).to_contain_text("Not at all.")
    await expect(page.locator("#live")).to_have_text("")


async def test_a_thread_on_paper_says_whose_it_is_and_has_no_forms(
    chromium: Browser, nodes: tuple[ProcessNode, ProcessNode]
) -> None:
    society, _ = nodes
    ward, topic = await _ward(society)
    warned = await society.post(ward, "The words.", as_="dee", title="A note", warning="Death")
    page = await (await chromium.new_context()).new_page()
    await sign_in(page, society.origin, "ana", PASSWORD)
    await page.goto(f"{society.origin}/groups/ward/threads/{warned['uri'].rpartition('/')[2]}")
    await page.emulate_media(media="print")
    await page.wait_for_function(
        "document.querySelector('.warned .prose').checkVisibility({contentVisibilityAuto: true})"
    )
    await page.goto(f"{society.origin}/groups/ward/threads/{topic['uri'].rpartition('/')[2]}")

    head = page.locator(".print-head")
    await expect(head).to_be_visible()
    for words in ("Confidential", "Printed by Ana Moreau", "Ward", "Society", "UTC"):
        await expect(head).to_contain_text(words)
    for shown in ("h1", ".readers", ".prose"):
        await expect(page.locator(shown).first).to_be_visible()
    hidden = "form, nav, button, textarea, .rail, .bar, .post-foot, #reply-title"
    assert (
        await page.locator(hidden).evaluate_all(
            "all => all.filter(each => each.checkVisibility()).map(e => e.outerHTML)"
        )
        == []
    )
    assert (await page.pdf())[:4] == b"%PDF"

"""The way into a group and its first conversation, by two people at real browsers on two real nodes (J-03, J-04 in small)."""

from __future__ import annotations

from playwright.async_api import Browser, Page, expect

from tests.support.commands import PASSWORD
from tests.support.process_node import ProcessNode
from tests.support.waiting import until_true
from tools.browsing import sign_in


async def _open(browser: Browser, node: ProcessNode, handle: str) -> Page:
    """Return a page on which somebody is signed in."""
    page = await (await browser.new_context()).new_page()
    await sign_in(page, node.origin, handle, PASSWORD)
    return page


async def _see(page: Page, path: str, words: str) -> None:
    """Open a page again and again until it says something that is on its way from another node."""

    async def is_said() -> bool:
        await page.goto(path)
        return words in await page.inner_text("main")

    await until_true(is_said)


async def test_signing_in_takes_a_keyboard_and_nothing_else(
    chromium: Browser, nodes: tuple[ProcessNode, ProcessNode]
) -> None:
    society, _ = nodes
    page = await chromium.new_page()
    await page.goto(society.origin)

    await page.keyboard.press("Tab")
    await expect(page.locator(".skip")).to_be_focused()
    await expect(page.locator(".skip")).to_be_in_viewport()
    await page.keyboard.press("Enter")
    for _ in range(5):
        await page.keyboard.press("Tab")
        if await page.evaluate("document.activeElement.getAttribute('href')") == "/sign-in":
            break
    await page.keyboard.press("Enter")
    await page.wait_for_url(f"{society.origin}/sign-in")
    for _ in range(20):
        await page.keyboard.press("Tab")
        if await page.evaluate("document.activeElement.name") == "handle":
            break
    await page.keyboard.type("ana")
    await page.keyboard.press("Tab")
    await page.keyboard.type("not the password")
    await page.keyboard.press("Enter")
    await expect(page.get_by_role("alert")).to_be_visible()
    await expect(page.get_by_label("Your handle")).to_have_value("ana")
    await page.get_by_label("Password").focus()
    await page.keyboard.type(PASSWORD)
    await page.keyboard.press("Enter")

    await page.wait_for_url(f"{society.origin}/")
    await expect(page.locator("h1")).to_contain_text("Ana Moreau")


async def test_two_people_on_two_nodes_come_to_talk(chromium: Browser, nodes: tuple[ProcessNode, ProcessNode]) -> None:
    society, hospital = nodes
    ward = f"{hospital.origin}/groups/ward@{society.host}"

    # 1. Ana starts a group that people ask to join.
    ana = await _open(chromium, society, "ana")
    await ana.goto(f"{society.origin}/groups/new")
    await ana.fill("#handle", "ward")
    await ana.fill("#title", "On the ward")
    await ana.check("[name=policy][value=request]")
    await ana.click("main form button")
    await ana.wait_for_url(f"{society.origin}/groups/ward")

    # 2. Ben finds it by its address on his own node, and says why he would like to come in.
    ben = await _open(chromium, hospital, "ben")
    await ben.goto(f"{hospital.origin}/groups/find")
    await ben.fill("[name=address]", f"ward@{society.host}")
    await ben.click("main form button")
    await ben.fill("#join [name=reason]", "Night shifts, and nobody to ask.")
    await ben.click("#join button")
    await expect(ben.locator("main")).to_contain_text("sked")

    # 3. Ana reads the request, lets his node in by a form of its own, and then him.
    await _see(ana, f"{society.origin}/groups/ward/requests", "Night shifts, and nobody to ask.")
    await ana.check("#admit-node [name=confirm]")
    await ana.click("#admit-node button")
    await ana.click("#decide button[value=approve]")

    # 4. Ana writes: a look beforehand, then it is sent.
    await ana.goto(f"{society.origin}/groups/ward/write")
    await ana.fill("#title", "Nights")
    await ana.fill("#write [name=text]", "How do you *sleep*?")
    await ana.click("#write button[value=preview]")
    await expect(ana.locator(".is-preview em")).to_have_text("sleep")
    await ana.click("#write button[value=send]")
    await expect(ana.locator("h1")).to_have_text("Nights")

    # 5. Ben finds it among what is new, reads it, and answers.
    await _see(ben, hospital.origin, "Nights")
    await ben.click("text=Nights")
    await expect(ben.locator("article em")).to_have_text("sleep")
    await expect(ben.locator("main .readers").first).to_contain_text("2 physicians")
    await ben.fill("#reply [name=text]", "Badly, thank you.")
    await ben.click("#reply button[value=send]")
    await expect(ben.locator("main")).to_contain_text("Badly, thank you.")

    # 6. Ana has his answer among what is new to her.
    await _see(ana, society.origin, "Ben Okafor wrote last")
    await ana.click("text=Nights")
    await expect(ana.locator("article").last).to_contain_text("Badly, thank you.")

    # 7. Having read it she is caught up; so is he.
    await ana.goto(society.origin)
    await expect(ana.locator("main")).to_contain_text("You are caught up")
    await ben.goto(ward)
    assert await ben.locator(".is-unread").count() == 0


async def test_a_node_that_dies_in_the_middle_of_writing_has_kept_the_draft(
    chromium: Browser, nodes: tuple[ProcessNode, ProcessNode]
) -> None:
    society, _ = nodes
    await society.group("ward", owner="ana")
    ana = await _open(chromium, society, "ana")
    await ana.goto(f"{society.origin}/groups/ward/write")
    await ana.fill("#title", "Nights")
    await ana.fill("#write [name=text]", "Half a thought")
    await ana.click("#write button[value=preview]")
    await expect(ana.locator(".is-preview").last).to_contain_text("Half a thought")

    await society.kill()
    await society.start()
    await ana.goto(f"{society.origin}/write")
    await ana.click("text=Nights")

    await expect(ana.locator("#title")).to_have_value("Nights")
    await expect(ana.locator("#write [name=text]")).to_have_value("Half a thought")

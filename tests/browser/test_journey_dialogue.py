"""J-04, sustained dialogue: a long thread on three nodes, a summary, a side topic, and one structure everywhere.

Eight weeks are compressed: what counts is where people stopped reading, not the time of day.
"""

from __future__ import annotations

import asyncio
import re
from pathlib import Path

from playwright.async_api import Browser, Locator, Page, expect

from tests.support.lab import Lab, Writer, a_lab, see

_PHONE = {"viewport": {"width": 390, "height": 844}, "has_touch": True}
_POSTS = 120
_GROUP = "/groups/ward@{host}"


async def _a_shared_group(lab: Lab) -> str:
    """Make Ana's group on A, with Ben of B and Dee of D in it, Dee a facilitator; return its path elsewhere."""
    await asyncio.gather(lab.befriend(lab.a, lab.b), lab.befriend(lab.a, lab.d))
    await asyncio.gather(
        lab.a.member("ana", name="Ana Moreau"),
        lab.b.member("ben", name="Ben Okafor"),
        lab.d.member("dee", name="Dee Lindqvist"),
    )
    ward = await lab.a.group("ward", owner="ana")
    for node, handle in ((lab.b, "ben"), (lab.d, "dee")):
        await node.join(ward, as_=handle)
        await lab.rest()
        await lab.a.approve(ward, node.person(handle))
    await lab.a.run("group", "role", ward, lab.d.person("dee"), "facilitator")
    await lab.rest()
    return _GROUP.format(host=lab.a.host)


async def _talk(lab: Lab, path: str) -> None:
    """Let three people talk from three nodes until the thread has 105 posts, and Ana has read them all."""
    ana, ben, dee = [await Writer.of(node, handle) for node, handle in ((lab.a, "ana"), (lab.b, "ben"), (lab.d, "dee"))]
    topic = await ana.say("@ward What do you do at night?")
    await lab.rest()
    at_b, at_d = await ben.find("at night"), await dee.find("at night")
    for number in range(1, _POSTS - 14, 3):
        await ana.say(f"Ana's thought {number}.", to=topic)
        await ben.say(f"Ben's thought {number + 1}.", to=at_b)
        await dee.say(f"Dee's thought {number + 2}.", to=at_d)
    await lab.rest()


async def _texts(page: Page, url: str) -> list[str]:
    """Return what a thread says on somebody's node, from its first post to its last, page by page."""
    found: list[str] = []
    await page.goto(f"{url}?after=0")
    while True:
        found += await page.locator("article.post .prose").all_inner_texts()
        more = page.locator("a[href*='?after=']", has_text=re.compile("more post"))
        if await more.count() == 0:
            return found
        await _follow(page, more)


async def test_j04_sustained_dialogue(chromium: Browser, tmp_path: Path) -> None:
    async with a_lab(chromium, tmp_path, "abd") as lab:
        path = await _a_shared_group(lab)
        ana = await lab.sit(lab.a, "ana", **_PHONE)
        dee, ben = await lab.sit(lab.d, "dee"), await lab.sit(lab.b, "ben")

        with lab.step("A thread lives 8 weeks with 120 posts on three nodes."):
            await _talk(lab, path)
            await ana.goto(f"{lab.a.origin}/groups/ward")
            thread = str(await ana.locator("a[href*='/threads/']").first.get_attribute("href"))
            token = thread.partition("#")[0].rpartition("/")[2]
            await _texts(ana, f"{lab.a.origin}/groups/ward/threads/{token}")
            await ana.goto(lab.a.origin)
            await expect(ana.locator("main")).to_contain_text("You are caught up")
            here, there = f"{lab.d.origin}{path}/threads/{token}", f"{lab.b.origin}{path}/threads/{token}"
            ben_app, dee_app = await Writer.of(lab.b, "ben"), await Writer.of(lab.d, "dee")
            at_b, at_d = await ben_app.find("at night"), await dee_app.find("at night")
            for number in range(9):
                await ben_app.say(f"While she was away {number}.", to=at_b)
            await lab.rest()
            await dee_app.say("The gist: [most of us sleep](https://doi.org/10.1000/182).", to=at_d)
            await lab.rest()
            for number in range(4):
                await ben_app.say(f"Since the summary {number}.", to=at_b)
            await lab.rest()

        with lab.step("Dee pins a summary with sources."):
            await dee.goto(f"{here}?after=0")
            await _open_last_with(dee, "The gist")
            await dee.locator("article", has_text="The gist").locator("text=Look after").click()
            await dee.click("#sum-up button")
            await lab.rest()

        with lab.step('Catch-up shows one line "14 new, Dee\'s summary covers the first 9".'):
            await see(ana, lab.a.origin, "14 new")
            await expect(ana.locator(".agenda li")).to_have_count(1)
            await expect(ana.locator(".agenda li")).to_contain_text("Dee Lindqvist’s summary covers the first 9.")

        with lab.step("Opening lands at her unread position."):
            await ana.locator(".agenda a", has_text="at night").click()
            await expect(ana.locator("#unread")).to_be_in_viewport()
            await expect(ana.locator("#unread + article")).to_contain_text("While she was away 0.")
            await expect(ana.locator(".summary")).to_contain_text("Summary by Dee Lindqvist")

        with lab.step("Dee splits a side topic."):
            await ben.goto(there)
            aside = await ben_app.say("Another thing: who makes the rota?", to=at_b)
            await lab.rest()
            await ben_app.say("It is a mess with us.", to=aside)
            await lab.rest()
            await dee.goto(here)
            await _open_last_with(dee, "who makes the rota")
            await dee.locator("article", has_text="who makes the rota").locator("text=Look after").click()
            await dee.fill("#split [name=title]", "Who makes the rota?")
            await dee.click("#split button")
            await lab.rest()

        with lab.step("All nodes show the same structure afterwards."):
            shown = []
            for page, node in ((ana, lab.a), (ben, lab.b), (dee, lab.d)):
                group = "/groups/ward" if node is lab.a else path
                await see(page, f"{node.origin}{group}/threads/{token}", "made 2 posts a topic of their own")
                old = await _texts(page, f"{node.origin}{group}/threads/{token}")
                await page.goto(f"{node.origin}{group}")
                titles = [text for text in await page.locator("h3.row-title").all_inner_texts()]
                await page.locator("h3.row-title a", has_text="Who makes the rota?").click()
                new = await page.locator("article.post .prose").all_inner_texts()
                shown.append((old, new, sorted(titles)))
            assert shown[0] == shown[1] == shown[2]
            assert len(shown[0][0]) == _POSTS and shown[0][1] == [
                "Another thing: who makes the rota?",
                "It is a mess with us.",
            ]


async def _open_last_with(page: Page, words: str) -> None:
    """Go on in a thread until a post shows that says something."""
    while await page.locator("article.post", has_text=words).count() == 0:
        await _follow(page, page.locator("a", has_text=re.compile("more post")))


async def _follow(page: Page, link: Locator) -> None:
    """Go where a link leads, and wait for the whole page: a click returns as soon as its first bytes are there."""
    async with page.expect_navigation():
        await link.first.click()

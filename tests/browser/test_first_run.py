"""The first day of a node in a real browser: the set-up link, the list, a second node, wrong words; axe finds nothing."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from axe_playwright_python.base import AXE_SCRIPT
from playwright.async_api import Browser, Page

from tests.support.process_node import ProcessNode
from tests.support.proxy import Proxy
from tools.browsing import NARROWEST, WIDE

_RULES = "{type: 'tag', values: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice']}"
_SCROLLS = "document.documentElement.scrollWidth - innerWidth"


@pytest.fixture
async def fresh(tmp_path: Path) -> AsyncIterator[tuple[ProcessNode, ProcessNode, str]]:
    """Give a society that nobody operates, a hospital, and the society's set-up link."""
    proxy = Proxy()
    await proxy.start()
    society, hospital = (
        ProcessNode(tmp_path / "society", proxy),
        await ProcessNode.make(tmp_path / "b", name="Hospital"),
    )
    try:
        words = ["--base-url", society.origin, "--name", "Society", "--insecure-loopback"]
        link = (await society.run("init", *words))["setup_url"]
        await society.start()
        await hospital.start()
        yield society, hospital, link
    finally:
        await society.close()
        await hospital.close()


async def _look(page: Page) -> list[str]:
    """Return what is wrong with the present page: by axe, in both schemes, and by its width."""
    found = []
    for scheme in ("light", "dark"):
        await page.emulate_media(color_scheme=scheme)  # type: ignore[arg-type]
        await page.evaluate(AXE_SCRIPT)
        said: dict[str, Any] = await page.evaluate(
            f"axe.run(document, {{runOnly: {_RULES}, resultTypes: ['violations']}})"
        )
        found += [f"{each['id']}: {[node['target'] for node in each['nodes']]}" for each in said["violations"]]
    await page.set_viewport_size({"width": NARROWEST[0], "height": NARROWEST[1]})
    if (points := await page.evaluate(_SCROLLS)) > 0:
        found.append(f"{points} points too wide")
    await page.set_viewport_size({"width": WIDE[0], "height": WIDE[1]})
    return [f"{page.url}: {each}" for each in found]


@pytest.mark.slow
async def test_somebody_sets_a_node_up_and_compares_words_with_another(
    chromium: Browser, fresh: tuple[ProcessNode, ProcessNode, str]
) -> None:
    society, hospital, link = fresh
    page = await (await chromium.new_context()).new_page()
    await page.goto(link)
    found = await _look(page)

    for name, value in {"name": "Ola Nordmann", "handle": "ola", "password": "a short sentence"}.items():
        await page.fill(f"#set-up [name={name}]", value)
    await page.click("#set-up button")
    await page.wait_for_url(f"{society.origin}/node/first-day")
    found += await _look(page)
    await page.click("#peer a.button")
    await page.fill("#peer-add [name=host]", hospital.origin)
    await page.click("#peer-add button")
    await page.wait_for_selector("#peer-confirm")
    await page.click("text=The same as a code, for a camera")
    assert await page.is_visible("svg.qr")
    found += await _look(page)
    await page.fill("#peer-confirm [name=words]", "one two three four five six seven eight")
    await page.click("#peer-confirm button")
    await page.wait_for_selector("#peer-again")
    found += await _look(page)
    await page.click("#peer-again button")
    words = " ".join((await hospital.run("key", "fingerprint"))["words"])
    await page.fill("#peer-confirm [name=words]", words)
    await page.click("#peer-confirm button")
    await page.wait_for_selector("#peer-policy", state="attached")
    await page.click("#policy summary")
    found += await _look(page)

    await page.goto(f"{society.origin}/node")
    await page.click("text=The numbers, hour by hour")
    found += await _look(page)

    peers = (await society.run("peer", "list"))["peers"]
    assert [(peer["state"], peer["pinned"]) for peer in peers] == [("active", True)]
    if found:
        pytest.fail("\n".join(found), pytrace=False)

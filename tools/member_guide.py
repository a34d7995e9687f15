"""Take the pictures of docs/member anew, a part of `make guide`. They go into `docs/member/pictures/`, which is kept.

Starts a demonstration in a temporary directory and looks at its pages as its people do. The pictures are small: they are
in the repository.
"""

from __future__ import annotations

import asyncio
import shutil
import sys
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from playwright.async_api import Browser
from playwright.async_api import Page as Tab

from node.cli.remote import ask
from tools.browsing import find_names, open_chromium, sign_in
from tools.guide import shrink
from tools.pictures import open_demonstration

FOLDER = Path(__file__).parents[1] / "docs" / "member" / "pictures"
_SIZE = {"width": 820, "height": 760}
_REASON = "I cover nights at the hospital, and the record takes half of them."


def main() -> int:
    """Take all pictures."""
    shutil.rmtree(FOLDER, ignore_errors=True)
    FOLDER.mkdir(parents=True)
    with tempfile.TemporaryDirectory(prefix="rounds-guide-") as folder, open_demonstration(Path(folder)) as told:
        _stir(told)
        asyncio.run(_take_all(told))
    for picture in sorted(FOLDER.glob("*.png")):
        print(f"{picture.name}: {picture.stat().st_size} bytes")
    return 0


def _stir(told: dict[str, Any]) -> None:
    """Start a group on the society's node, let somebody of the hospital ask to join, and invite a newcomer."""
    society, hospital = told["nodes"]
    data = Path(society["data"])
    ask(data, ["group", "create", "nights", "--title", "Nights", "--policy", "request", "--owner", "ana"])
    address = f"nights@{urlsplit(society['base_url']).netloc}"
    ask(Path(hospital["data"]), ["group", "join", address, "--as", "ben", "--reason", _REASON])
    words = ["member", "add", "eva", "--name", "Eva Brandt", "--password-stdin"]
    ask(data, words, f"{_password(told, 'ana')}\n")


def _password(told: dict[str, Any], handle: str) -> str:
    people = {person["handle"]: person["password"] for node in told["nodes"] for person in node["members"]}
    return str(people[handle])


async def _take_all(told: dict[str, Any]) -> None:
    society, hospital = told["nodes"]
    origin, elsewhere = society["base_url"], f"residents@{urlsplit(hospital['base_url']).netloc}"
    password = _password(told, "ana")
    async with open_chromium() as browser:
        async with _signed_in(browser, origin, "eva", password) as eva:
            await eva.goto(f"{origin}/me/verification")
            await _take(eva, "verification", "form#apply")
        async with _signed_in(browser, origin, "ana", password) as ana:
            names = await find_names(ana, origin, "emr")
            await ana.goto(f"{origin}/groups/emr/threads/{names['thread']}")
            await _take(ana, "thread", "main .head", ".post >> nth=0", ".post >> nth=1")
            await ana.goto(f"{origin}/groups/emr/write")
            await _take(ana, "write", "main .head", "form#write")
            await ana.goto(f"{origin}/groups/{elsewhere}/join")
            await _take(ana, "join", "main .head", "main .section >> nth=0")
            await ana.goto(f"{origin}/groups/emr/members")
            await _take(ana, "readers", "section[aria-labelledby=readers]")
            await ana.goto(f"{origin}/groups/nights/requests")
            await _take(ana, "requests", "article.post")


@asynccontextmanager
async def _signed_in(browser: Browser, origin: str, handle: str, password: str) -> AsyncIterator[Tab]:
    context = await browser.new_context(viewport=_SIZE, color_scheme="light")  # type: ignore[arg-type]
    tab = await context.new_page()
    await sign_in(tab, origin, handle, password)
    yield tab
    await context.close()


async def _take(tab: Tab, name: str, *parts: str) -> None:
    """Take a picture of some parts of a page, from the first to the last, without the ports of this machine."""
    await _hide_ports(tab)
    boxes = [box for part in parts if (box := await tab.locator(part).bounding_box())]
    top = max(0, boxes[0]["y"] - 12)
    height = boxes[-1]["y"] + boxes[-1]["height"] + 12 - top
    clip = {"x": 0, "y": top, "width": _SIZE["width"], "height": height}
    raw = await tab.screenshot(full_page=True, clip=clip)  # type: ignore[arg-type]
    shrink(raw, FOLDER / f"{name}.png")


async def _hide_ports(tab: Tab) -> None:
    """Write example addresses in the place of this machine's, and leave the bars away, as they stand on every page."""
    script = """() => {
      const walk = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
      while (walk.nextNode()) walk.currentNode.data = walk.currentNode.data
        .replaceAll(/localhost:\\d*[02468]\\b/g, EVEN).replaceAll(/localhost:\\d*[13579]\\b/g, ODD);
      document.querySelectorAll(".bar, .masthead, main > div > .notice:first-child").forEach(each => each.remove());
    }"""
    is_even = int(urlsplit(tab.url).port or 0) % 2 == 0
    names = ("society.example", "hospital.example") if is_even else ("hospital.example", "society.example")
    await tab.evaluate(script.replace("EVEN", repr(names[0])).replace("ODD", repr(names[1])))


if __name__ == "__main__":
    sys.exit(main())

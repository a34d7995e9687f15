"""Every page in a real browser: axe finds nothing, nothing scrolls sideways, and text may be twice as large."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from axe_playwright_python.base import AXE_SCRIPT
from playwright.async_api import Browser, Page

from node.views.pages import APPLICANT, MEMBER, NEWCOMER, NOBODY, OFFICER, OPERATOR, PAGES
from tests.support.commands import PASSWORD
from tests.support.process_node import ProcessNode
from tools.browsing import NARROW, NARROWEST, WIDE, act_as_staff, apply_as, find_names, introduce_app, path_of, sign_in
from tools.scenes import HANDLES, Neighbourhood, add_people, age, decide_applications
from tools.scenes import OFFICER as SECOND_OFFICER

# Everything is looked at once, colour in both schemes.
_RULES = "{type: 'tag', values: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice']}"
_COLOURS = "{type: 'rule', values: ['color-contrast']}"
_SCROLLS = "document.documentElement.scrollWidth - innerWidth"
_TWICE = "document.documentElement.style.fontSize = '200%'"
# An id that is there twice leads a link such as #reply to the wrong place.
_DOUBLE = """[...document.querySelectorAll("[id]")].map(each => each.id)
  .filter((id, place, all) => all.indexOf(id) < place)"""
_FOCUSED = "getComputedStyle(document.activeElement).outlineStyle"
_PEOPLE = {
    MEMBER: "ana",
    NOBODY: "",
    NEWCOMER: "tomas",
    APPLICANT: "dee",
    OPERATOR: "op",
    OFFICER: SECOND_OFFICER,
} | HANDLES
_TOO_LONG = "Donaudampfschifffahrtselektrizitätenhauptbetriebswerkbauunterbeamtengesellschaft" * 2


async def _fill(society: ProcessNode, hospital: ProcessNode) -> dict[str, str]:
    """Put something on every page, and return what the register's paths name."""
    ward = await society.group("ward", owner="ana")
    await hospital.group("circle", owner="ben")
    await hospital.join(ward, as_="ben", reason=f"Night shifts. {_TOO_LONG}")
    await hospital.rest()
    await society.rest()
    await society.member("dee")
    await society.member("tomas")
    await society.join(ward, as_="dee")
    await society.approve(ward, society.person("dee"))
    topic = await society.post(ward, f"One.\n\n> Two.\n\n`{_TOO_LONG}` {_TOO_LONG}", as_="ana", title=_TOO_LONG)
    await society.post(ward, "- an\n- answer\n\nhttps://example.org/" + "a" * 200, as_="dee", reply_to=topic["uri"])
    await society.post(ward, "Folded away.", as_="dee", title="A note", warning="Death")
    link = (await society.run("member", "reset", "dee"))["link"].rpartition("/")[2]
    return {"elsewhere": f"circle@{hospital.host}", "peer": hospital.host, "member": "dee", "link": link}


async def _wait(society: ProcessNode, chromium: Browser, neighbourhood: Neighbourhood) -> dict[str, str]:
    """Bring nodes and people into every state that the register names, let time pass, and return what it calls them."""

    async def run(*argv: str, text: str = "") -> bool:
        code, _, _ = await society.run_raw(*argv, text=text)
        return code == 0

    await neighbourhood.meet(run, group="ward")
    await add_people(run, PASSWORD)
    context = await chromium.new_context()
    page = await context.new_page()
    await apply_as(chromium, society.origin, "dee", PASSWORD)
    await sign_in(page, society.origin, "op", PASSWORD)
    names = await decide_applications(chromium, page, society.origin, PASSWORD)
    await society.stop()
    age(society.data)
    await society.start()
    await neighbourhood.confirm(page, society.origin)
    await neighbourhood.lose(run, group="ward")
    await context.close()
    return names | neighbourhood.names


async def _look(page: Page, rules: str) -> list[str]:
    """Return what axe finds, a line each."""
    await page.evaluate(AXE_SCRIPT)
    found: dict[str, Any] = await page.evaluate(f"axe.run(document, {{runOnly: {rules}, resultTypes: ['violations']}})")
    return [
        f"{each['id']}: {[node['target'] for node in each['nodes']]} {each['help']}" for each in found["violations"]
    ]


async def _measure(page: Page) -> dict[str, int]:
    """Return by how much a page is too wide, at 320 points and with text twice as large."""
    too_wide = {}
    await page.set_viewport_size({"width": NARROWEST[0], "height": NARROWEST[1]})
    too_wide["320 points"] = await page.evaluate(_SCROLLS)
    await page.set_viewport_size({"width": WIDE[0], "height": WIDE[1]})
    await page.evaluate(_TWICE)
    too_wide["text at 200 %"] = await page.evaluate(_SCROLLS)
    return {name: points for name, points in too_wide.items() if points > 0}


async def _visit(page: Page, address: str) -> list[str]:
    """Return what is wrong with a page, a line each."""
    await page.set_viewport_size({"width": WIDE[0], "height": WIDE[1]})
    await page.emulate_media(color_scheme="light")
    answer = await page.goto(address)
    found = await _look(page, _RULES)
    found += [f"an id is there twice: {name}" for name in await page.evaluate(_DOUBLE)]
    await page.keyboard.press("Tab")
    await page.keyboard.press("Tab")
    if await page.evaluate(_FOCUSED) == "none":
        found.append("what has the focus does not show it")
    await page.set_viewport_size({"width": NARROW[0], "height": NARROW[1]})
    await page.emulate_media(color_scheme="dark")
    found += await _look(page, _COLOURS)
    found += [f"{points} points too wide: {what}" for what, points in (await _measure(page)).items()]
    return found if answer is not None and answer.status < 500 else [f"did not come: {address}"]


@pytest.fixture
def neighbourhood() -> Iterator[Neighbourhood]:
    """Give nodes in every state, for the society's list."""
    made = Neighbourhood()
    yield made
    made.close()


@pytest.mark.slow
@pytest.mark.timeout(500)
@pytest.mark.parametrize("states", [1, pytest.param(None, marks=pytest.mark.long, id="all")])
async def test_every_page_can_be_read_by_everybody(
    chromium: Browser, nodes: tuple[ProcessNode, ProcessNode], neighbourhood: Neighbourhood, states: int | None
) -> None:
    """states: as many of each page are looked at; None: all of them."""
    society, hospital = nodes
    names = await _fill(society, hospital) | await _wait(society, chromium, neighbourhood)
    found, asked = [], []

    for who, handle in _PEOPLE.items():
        context = await chromium.new_context()
        page = await context.new_page()
        names.setdefault("app", await introduce_app(page, society.origin))
        page.on("request", lambda request: asked.append(request.url))
        if handle:
            await sign_in(page, society.origin, handle, PASSWORD)
        if who == MEMBER:
            names |= await find_names(page, society.origin, "ward")
            await act_as_staff(page, society.origin, names)
        for each in PAGES:
            for state in each.states[:states]:
                if state.who == who:
                    lines = await _visit(page, society.origin + path_of(state, names))
                    found += [f"{each.name} {state.name}: {line}" for line in lines]
        await context.close()

    if found:
        pytest.fail("\n".join(found), pytrace=False)
    assert [url for url in asked if not url.startswith(f"{society.origin}/")] == []

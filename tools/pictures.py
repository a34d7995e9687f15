"""Take pictures of every page: `make pictures`. They go into `pictures/`, which is not kept.

Starts a demonstration of its own in a temporary directory, signs in as its people, and takes each state of the register
of pages wide and 390 points narrow, light and dark, and in German. Fails when a page cannot be had, or scrolls sideways.
"""

from __future__ import annotations

import asyncio
import json
import shutil
import socket
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Literal
from urllib.parse import urlsplit

from playwright.async_api import Page as Tab

from node.cli.remote import ask
from node.views.pages import APPLICANT, MEMBER, NEWCOMER, NOBODY, OFFICER, OPERATOR, PAGES, Page, State
from tools.browsing import (
    NARROW,
    WIDE,
    act_as_staff,
    apply_as,
    find_names,
    introduce_app,
    open_chromium,
    path_of,
    sign_in,
)
from tools.scenes import HANDLES, Neighbourhood, Run, add_people, age, decide_applications
from tools.scenes import OFFICER as SECOND_OFFICER

FOLDER = Path(__file__).parents[1] / "pictures"
LOOKS: tuple[tuple[str, tuple[int, int], Literal["light", "dark"], str], ...] = (
    ("wide-light", WIDE, "light", "en"),
    ("wide-dark", WIDE, "dark", "en"),
    ("390-light", NARROW, "light", "en"),
    ("390-dark", NARROW, "dark", "en"),
    ("wide-light-de", WIDE, "light", "de"),
)
# Who is who in the demonstration's society: its operator is in no group.
_PEOPLE = {MEMBER: "ana", NEWCOMER: "ola", APPLICANT: "dee", OPERATOR: "ola", OFFICER: SECOND_OFFICER} | HANDLES
# Of those whom only the pictures know.
_PASSWORD = "correct horse battery"  # noqa: S105  # of a demonstration on loopback
_REFUSED = {"spent": 404, "absent": 404, "no words": 422, "unknown app": 400, "asks too much": 400}
_GROUP, _ELSEWHERE = "emr", "residents"
_START_SECONDS = 120


def main() -> int:
    """Take all pictures; return 0 when every state has them."""
    shutil.rmtree(FOLDER, ignore_errors=True)
    FOLDER.mkdir()
    neighbourhood = Neighbourhood()
    try:
        with tempfile.TemporaryDirectory(prefix="rounds-pictures-") as folder:
            troubles = _take(Path(folder), neighbourhood)
    finally:
        neighbourhood.close()
    for trouble in troubles:
        print(trouble, file=sys.stderr)
    print(f"{len(list(FOLDER.glob('*.png')))} pictures of {len(PAGES)} pages in {FOLDER}.")
    return 1 if troubles else 0


def _take(folder: Path, neighbourhood: Neighbourhood) -> list[str]:
    """Run the demonstration twice, the second time as if later, and return what went wrong with its pictures."""
    port = find_ports()
    with open_demonstration(folder, port=port) as told:
        _stir(told)
        names = asyncio.run(_prepare(told, neighbourhood))
    age(Path(told["nodes"][0]["data"]))
    with open_demonstration(folder, port=port) as told:
        return asyncio.run(_take_all(told, names, neighbourhood))


@contextmanager
def open_demonstration(folder: Path, *, port: int | None = None) -> Iterator[dict[str, Any]]:
    """Run a demonstration and give what it says of itself: its nodes, people and passwords."""
    number = str(port or find_ports())
    command = [sys.executable, "-m", "node", "demo", "--port", number, "--dir", str(folder / "demo")]
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=log, text=True)  # noqa: S603
    try:
        assert process.stdout is not None
        for line in process.stdout:
            if "ready" in line:
                break
        else:
            raise SystemExit(f"The demonstration did not start: {(folder / 'log').read_text()}")
        yield json.loads((folder / "demo" / "demo.json").read_text("utf-8"))
    finally:
        process.terminate()
        process.wait(_START_SECONDS)


def find_ports() -> int:
    """Return a port that is free, with a free one after it."""
    while True:
        with socket.socket() as one, socket.socket() as two:
            one.bind(("127.0.0.1", 0))
            port = int(one.getsockname()[1])
            try:
                two.bind(("127.0.0.1", port + 1))
            except (OSError, OverflowError):
                continue
            return port


def _stir(told: dict[str, Any]) -> None:
    """Let somebody of each node ask to join, so that the desk has something to decide."""
    society, hospital = told["nodes"]
    address = f"{_GROUP}@{urlsplit(society['base_url']).netloc}"
    reason = "I would like to read along, and to tell what we tried at our clinic."
    for node, handle in ((society, "tomas"), (hospital, "ben")):
        ask(Path(node["data"]), ["group", "join", address, "--as", handle, "--reason", reason])


async def _prepare(told: dict[str, Any], neighbourhood: Neighbourhood) -> dict[str, str]:
    """Make the nodes and people that are seen in other states than the first, and return what the register calls them."""
    society = told["nodes"][0]
    passwords = {person["handle"]: person["password"] for person in society["members"]}

    run = _command_of(society)
    await neighbourhood.meet(run, group=_GROUP)
    await add_people(run, _PASSWORD)
    async with open_chromium() as browser:
        await apply_as(browser, society["base_url"], "dee", passwords["dee"])
        page = await browser.new_page()
        await sign_in(page, society["base_url"], "ola", passwords["ola"])
        return await decide_applications(browser, page, society["base_url"], _PASSWORD)


def _command_of(society: dict[str, Any]) -> Run:
    """Return what runs a command in a node of the demonstration."""

    async def run(*argv: str, text: str = "") -> bool:
        answer = await asyncio.to_thread(ask, Path(society["data"]), list(argv), text)
        return answer is not None and answer.code == 0

    return run


async def _take_all(told: dict[str, Any], more: dict[str, str], neighbourhood: Neighbourhood) -> list[str]:
    """Take every picture and return what went wrong, a line each."""
    society, hospital = told["nodes"]
    passwords = {person["handle"]: person["password"] for person in society["members"]}
    passwords |= dict.fromkeys((*HANDLES.values(), SECOND_OFFICER), _PASSWORD)
    reset = ask(Path(society["data"]), ["member", "reset", "tomas", "--json"])
    link = json.loads(reset.out)["link"] if reset else ""
    peer = urlsplit(hospital["base_url"]).netloc
    names = {"peer": peer, "member": "dee", "elsewhere": f"{_ELSEWHERE}@{peer}", "link": link.rpartition("/")[2]}
    names |= more | neighbourhood.names
    await neighbourhood.lose(_command_of(society), group=_GROUP)
    troubles: list[str] = []
    async with open_chromium() as browser:
        cookies = {NOBODY: None}
        for who, handle in _PEOPLE.items():
            context = await browser.new_context()
            tab = await context.new_page()
            names.setdefault("app", await introduce_app(tab, society["base_url"]))
            await sign_in(tab, society["base_url"], handle, passwords[handle])
            if who == MEMBER:
                names |= await find_names(tab, society["base_url"], _GROUP)
                await act_as_staff(tab, society["base_url"], names)
            if who == OPERATOR:
                await neighbourhood.confirm(tab, society["base_url"])
            cookies[who] = await context.storage_state()
            await context.close()
        for look, size, scheme, language in LOOKS:
            for who, state in cookies.items():
                context = await browser.new_context(
                    viewport={"width": size[0], "height": size[1]}, color_scheme=scheme, locale=language,
                    storage_state=state,
                )  # fmt: skip
                tab = await context.new_page()
                for page, each in _states_of(who):
                    troubles += await _take_one(tab, society["base_url"], page, each, names, look)
                await context.close()
    return troubles


def _states_of(who: str) -> list[tuple[Page, State]]:
    return [(page, state) for page in PAGES for state in page.states if state.who == who]


async def take_whole(tab: Tab, path: Path) -> None:
    """Take a picture of a whole page in a window as high as the page: what sticks to an edge stands where it belongs."""
    size = tab.viewport_size
    assert size is not None
    height = await tab.evaluate("document.documentElement.scrollHeight")
    await tab.set_viewport_size({"width": size["width"], "height": max(size["height"], height)})
    await tab.screenshot(path=path)
    await tab.set_viewport_size(size)


async def _take_one(tab: Tab, origin: str, page: Page, state: State, names: dict[str, str], look: str) -> list[str]:
    """Take one picture."""
    name = "-".join(filter(None, (page.name, state.name.replace(" ", "-") or state.who, look)))
    answer = await tab.goto(origin + path_of(state, names))
    wanted = _REFUSED.get(state.name, _REFUSED.get(page.name, 200))
    if answer is None or answer.status != wanted:
        return [f"{name}: {answer.status if answer else 'no answer'} instead of {wanted}"]
    await take_whole(tab, FOLDER / f"{name}.png")
    if await tab.evaluate("document.documentElement.scrollWidth > innerWidth"):
        return [f"{name}: scrolls sideways"]
    return []


if __name__ == "__main__":
    sys.exit(main())

"""Nodes and people in the states that only operators and applicants see: for the pictures and for the browser tests.

In two parts, because a node has to be started anew between them: with one officer everything is made, then time passes and
the node asks for two (`age`), and what waits for the second one is made.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Awaitable, Callable
from contextlib import closing
from pathlib import Path
from typing import Any

from playwright.async_api import Browser, Page

from node.foundation.clock import SystemClock, to_micros
from node.foundation.config import CONFIG_NAME
from node.foundation.fingerprints import fingerprint_words
from tools.browsing import apply_as, sign_in
from tools.neighbours import Neighbour

# Runs a command inside the node and says whether it was done; `text` is what it reads.
Run = Callable[..., Awaitable[bool]]

_NOBODYS = " ".join(["acorn"] * 8)
_LAPSED = """UPDATE verifications SET lapses_at = :at
  WHERE actor_id = (SELECT actor_id FROM members WHERE handle = :handle)"""
# Who applies, and the number they give; eva gives the one of dee, who has applied before.
_APPLICANTS = {"eva": "1234567893", "flo": "1245319599", "gus": "1003000126", "hal": "1679576722"}
_NAMES = {
    "eva": "Eva Kovács",
    "flo": "Flora Janssen",
    "gus": "Gustav Lindqvist",
    "hal": "Hal Whitmore",
    "otto": "Otto Weiss",
}
HANDLES = {"declined": "flo", "asked": "gus", "lapsed": "hal"}
OFFICER = "otto"


class Neighbourhood:
    """The other nodes, one in each state. Close it at the end."""

    def __init__(self) -> None:
        self._met = {
            "draft": Neighbour("Lakeside Practice", operator="Mira Solano"),
            "locked": Neighbour("Coastal Clinics", operator="Jon Aasen"),
            "confirmed": Neighbour("College of Surgeons", operator="Ruth Amadi"),
            "paused": Neighbour("Eastern Residents"),
            "parted": Neighbour("Old Town Hospital"),
            "lost": Neighbour("Island Health"),
            "unfound": Neighbour("Nobody"),
        }
        self._met["unfound"].shut()
        self._shut = {"unfound"}

    @property
    def names(self) -> dict[str, str]:
        """The host of each, by its state."""
        return {f"peer_{state}": each.host for state, each in self._met.items()}

    async def meet(self, run: Run, *, group: str) -> None:
        """Put the nodes on the list, with one officer, and let the one that will be lost hold a group.

        Raises:
            RuntimeError: A node is not in the state that it is to be seen in.
        """
        met = self._met
        done = [await run("peer", "add", met[state].origin) for state in ("draft", "locked")]
        for state in ("paused", "parted", "lost"):
            done.append(await run("peer", "add", met[state].origin, "--fingerprint", met[state].fingerprint, "--yes"))
        done.append(await run("peer", "pause", met["paused"].host, "--reason", "Their certificate has lapsed."))
        done.append(await run("peer", "part", met["parted"].host, "--reason", "It is closed."))
        done.append(await run("group", "admit", group, met["lost"].host, "--yes"))
        wrong = await run("peer", "verify", met["locked"].host, "--fingerprint", _NOBODYS)
        unfound = await run("peer", "add", met["unfound"].origin)
        if not all(done) or wrong or unfound:
            raise RuntimeError(f"the neighbours cannot be met: {done}, {wrong}, {unfound}")

    async def confirm(self, page: Page, origin: str) -> None:
        """Let an operator, signed in, compare the words of the node that waits for a second one's then."""
        node = self._met["confirmed"]
        await page.goto(f"{origin}/peers")
        await page.fill("#peer-add [name=host]", node.origin)
        await page.click("#peer-add button")
        await page.fill("#peer-confirm [name=words]", " ".join(fingerprint_words(node.fingerprint)))
        await page.click("#peer-confirm button")
        await page.wait_for_selector("#officers")

    async def lose(self, run: Run, *, group: str) -> None:
        """Shut a node, and invite somebody of it to a group: that waits then, and says why."""
        self._met["lost"].shut()
        self._shut.add("lost")
        if not await run("group", "invite", group, f"nia@{self._met['lost'].host}"):
            raise RuntimeError("nobody of the node that is lost could be invited")

    def close(self) -> None:
        """Shut every node."""
        for state, each in self._met.items():
            if state not in self._shut:
                each.shut()


async def add_people(run: Run, password: str) -> None:
    """Make those who apply, and the second operator."""
    for handle in (*_APPLICANTS, OFFICER):
        more = ["--role", "operator"] if handle == OFFICER else ["--class", "physician"]
        await run("member", "add", handle, "--name", _NAMES[handle], *more, "--password-stdin", text=f"{password}\n")


async def decide_applications(browser: Browser, page: Page, origin: str, password: str) -> dict[str, str]:
    """Let them apply, and an operator, signed in on `page`, decide; return the numbers of the applications by name.

    Who is eva has given somebody else's number and waits; flo is declined, gus is asked for more, hal is verified.
    """
    for handle, number in _APPLICANTS.items():
        await apply_as(browser, origin, handle, password, number=number)
    await page.goto(f"{origin}/node/verification")
    found: list[list[str]] = await page.eval_on_selector_all(
        "main a[href^='/node/verification/']", "all => all.map(a => [a.innerText, a.getAttribute('href')])"
    )
    numbers = {
        handle: href.rpartition("/")[2] for handle in _APPLICANTS for text, href in found if _NAMES[handle] in text
    }
    await _decide(page, origin, numbers["flo"], "decline", "Two registers know no such number.")
    await _decide(page, origin, numbers["gus"], "ask", "Please send us the letter with your new name.")
    await _decide(page, origin, numbers["hal"], "verify", "")
    named = {"conflict": "eva", "declined": "flo", "asked": "gus", "approved": "hal"}
    return {f"application_{name}": numbers[handle] for name, handle in named.items()} | {"lapsed": HANDLES["lapsed"]}


async def _decide(page: Page, origin: str, number: str, decision: str, answer: str) -> None:
    await page.goto(f"{origin}/node/verification/{number}")
    form = "#decide-verification"
    if decision == "verify":
        for method in ("register", "video"):
            await page.check(f"{form} [name=method-{method}]")
        await page.select_option(f"{form} [name=assurance]", "A3")
    await page.check(f"{form} [name=decision][value={decision}]")
    await page.fill(f"{form} [name=reason]", "Compared with the register by video.")
    await page.fill(f"{form} [name=answer]", answer)
    await page.click(f"{form} .button")
    await page.wait_for_url(f"{origin}/node/verification")


def age(data: Path) -> None:
    """Let a node that is not running wake up later: a verification has lapsed, and two officers are asked for."""
    with closing(sqlite3.connect(data / "rounds.sqlite")) as store, store:
        store.execute(_LAPSED, {"at": to_micros(SystemClock().now()) - 86_400_000_000, "handle": HANDLES["lapsed"]})
    path = data / CONFIG_NAME
    path.write_text(path.read_text("utf-8") + "\n[peers]\nofficers = 2\n", "utf-8")


async def look_for(page: Page, origin: str, handle: str, password: str) -> Any:
    """Sign somebody in and return what a browser keeps of that."""
    await sign_in(page, origin, handle, password)
    return await page.context.storage_state()

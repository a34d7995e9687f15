"""The lab of the journeys: nodes in processes of their own, people at real browsers, numbered steps.

A is a society that hosts most groups, B a hospital, D a second society that A alone trusts, C is trusted by nobody.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import aiohttp
from playwright.async_api import Browser, Page

from node.foundation.config import CONFIG_NAME
from tests.support.commands import PASSWORD
from tests.support.process_node import ProcessNode
from tests.support.waiting import until_true
from tools.browsing import sign_in

_NAMES = {"a": "Society", "b": "Hospital", "c": "Elsewhere", "d": "College"}


@dataclass(slots=True)
class Lab:
    """Nodes by their letter, and the browser in which people sit."""

    browser: Browser
    nodes: dict[str, ProcessNode]
    steps: list[str] = field(default_factory=list)

    @property
    def a(self) -> ProcessNode:
        """The society."""
        return self.nodes["a"]

    @property
    def b(self) -> ProcessNode:
        """The hospital."""
        return self.nodes["b"]

    @property
    def c(self) -> ProcessNode:
        """The node that nobody trusts."""
        return self.nodes["c"]

    @property
    def d(self) -> ProcessNode:
        """The college that A alone trusts."""
        return self.nodes["d"]

    async def befriend(self, one: ProcessNode, other: ProcessNode) -> None:
        """Let two nodes trust each other."""
        await asyncio.gather(one.add_peer(other), other.add_peer(one))

    async def ask_for_two_officers(self, node: ProcessNode) -> None:
        """Let a node's policy ask that two operators confirm another node; it is started anew for that."""
        await node.stop()
        path = node.data / CONFIG_NAME
        path.write_text(path.read_text("utf-8") + "\n[peers]\nofficers = 2\n", "utf-8")
        await node.start()

    async def sit(self, node: ProcessNode, handle: str, **context: Any) -> Page:
        """Return a browser window in which somebody is signed in at their node."""
        page = await self.window(**context)
        await sign_in(page, node.origin, handle, PASSWORD)
        return page

    async def window(self, **context: Any) -> Page:
        """Return a browser window of somebody new."""
        return await (await self.browser.new_context(**context)).new_page()

    @contextmanager
    def step(self, sentence: str) -> Iterator[None]:
        """Number a sentence of the journey; when it fails, the failure says which it was."""
        self.steps.append(sentence)
        try:
            yield
        except BaseException as error:
            error.add_note(f"step {len(self.steps)}: {sentence}")
            raise

    async def rest(self) -> None:
        """Wait until nothing is on its way."""
        for node in self.nodes.values():
            await node.rest()


@asynccontextmanager
async def a_lab(browser: Browser, folder: Path, letters: str) -> AsyncIterator[Lab]:
    """Start the nodes of some letters, each with its operator `op`; they know nobody yet."""
    nodes: dict[str, ProcessNode] = {}
    try:
        made = await asyncio.gather(*(ProcessNode.make(folder / letter, name=_NAMES[letter]) for letter in letters))
        nodes.update(zip(letters, made, strict=True))
        await asyncio.gather(*(node.start() for node in made))
        yield Lab(browser, nodes)
    finally:
        for node in nodes.values():
            await node.close()


async def see(page: Page, path: str, words: str, *, seconds: float = 30) -> None:
    """Open a page again and again until it says something that is on its way from another node."""

    async def is_said() -> bool:
        await page.goto(path)
        return words in await page.inner_text("main")

    await until_true(is_said, seconds=seconds)


class Writer:
    """A member's app, for talk that is longer than anybody would type into a browser."""

    def __init__(self, node: ProcessNode, token: str) -> None:
        self._node = node
        self._headers = {"Authorization": f"Bearer {token}"}

    @classmethod
    async def of(cls, node: ProcessNode, handle: str) -> Writer:
        """Return a member's app, signed in by a token."""
        made = await node.run("member", "token", handle, "--scopes", "read write")
        return cls(node, str(made["access_token"]))

    async def say(self, text: str, *, to: str | None = None) -> str:
        """Post, or answer; return the number by which this node's apps know the post."""
        form = {"status": text} | ({"in_reply_to_id": to} if to else {})
        async with (
            aiohttp.ClientSession(headers=self._headers) as session,
            session.post(f"{self._node.origin}/api/v1/statuses", data=form) as answer,
        ):
            said = await answer.json()
            assert answer.status == 200, said
            return str(said["id"])

    async def find(self, words: str) -> str:
        """Return the number of the newest post in the home timeline that says something."""
        async with (
            aiohttp.ClientSession(headers=self._headers) as session,
            session.get(f"{self._node.origin}/api/v1/timelines/home") as answer,
        ):
            for status in await answer.json():
                shown = status.get("reblog") or status
                if words in shown["content"]:
                    return str(shown["id"])
        raise LookupError(words)

"""An open page that listens: the stream of `/live`, as a browser reads it."""

from __future__ import annotations

import asyncio
import json
from collections.abc import MutableMapping
from typing import Any
from urllib.parse import urlsplit

from node.federation.message import Request
from tests.support.browser_form import Browser
from tests.support.requesters import scope_of

_PATIENCE_SECONDS = 10.0


class LivePage:
    """One stream.

    status, headers: of the answer. said: every byte that came. is_over: the node has closed it.
    """

    def __init__(self) -> None:
        self.status = 0
        self.headers: dict[str, str] = {}
        self.said = b""
        self.is_over = False
        self._changed, self._gone, self._read = asyncio.Event(), asyncio.Event(), 0
        self._task: asyncio.Task[None] | None = None

    @classmethod
    async def open(cls, browser: Browser, app: Any, *, after: int = 0, group: int | None = None) -> LivePage:
        """Open a stream with the session of a browser, and return it once the node listens."""
        page = cls()
        target = f"/live?after={after}" + (f"&group={group}" if group else "")
        cookie = "; ".join(f"{name}={value}" for name, value in browser.cookies.items())
        request = Request(
            "GET",
            target,
            (("host", urlsplit(browser.origin).netloc), ("accept", "text/event-stream"), ("cookie", cookie)),
        )
        page._task = asyncio.create_task(page._run(app, scope_of(request)))
        await page._wait_for(lambda: page.said != b"" or page.is_over)
        return page

    async def close(self) -> None:
        """Go away, as somebody does who closes the page."""
        self._gone.set()
        await self.ended()

    async def ended(self) -> None:
        """Wait until the stream is over."""
        await self._wait_for(lambda: self.is_over)

    async def told(self) -> list[dict[str, Any]]:
        """Wait for something that was not told before, and return it."""
        await self._wait_for(lambda: b"data: " in self.said[self._read :])
        return self.heard()

    async def says(self, text: bytes) -> None:
        """Wait until the stream holds these bytes."""
        await self._wait_for(lambda: text in self.said)

    def heard(self) -> list[dict[str, Any]]:
        """Return what was told since the last time, without waiting."""
        new, self._read = self.said[self._read :], len(self.said)
        lines = [line.removeprefix(b"data: ") for line in new.splitlines() if line.startswith(b"data: ")]
        return [json.loads(line) for line in lines]

    async def _wait_for(self, is_so: Any) -> None:
        async with asyncio.timeout(_PATIENCE_SECONDS):
            while not is_so():
                self._changed.clear()
                await self._changed.wait()

    async def _run(self, app: Any, scope: dict[str, Any]) -> None:
        try:
            await app(scope, self._receive, self._send)
        finally:
            self.is_over = True
            self._changed.set()

    async def _receive(self) -> MutableMapping[str, Any]:
        if "asked" not in self.headers:
            self.headers["asked"] = "yes"
            return {"type": "http.request", "body": b"", "more_body": False}
        await self._gone.wait()
        return {"type": "http.disconnect"}

    async def _send(self, message: MutableMapping[str, Any]) -> None:
        if message["type"] == "http.response.start":
            self.status = message["status"]
            self.headers |= {name.decode().lower(): value.decode() for name, value in message["headers"]}
        self.said += message.get("body", b"")
        self._changed.set()

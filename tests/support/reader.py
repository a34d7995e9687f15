"""A member who reads one node from outside, with an app and with a browser: what a group looks like to them, post by post."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from typing import Any

import aiohttp

from .commands import PASSWORD, Commands
from .html_forms import Page

_THREAD = re.compile(r"/groups/[^/]+/threads/[a-z2-7]{26}")
_SECONDS = aiohttp.ClientTimeout(total=20)


class Reader:
    """Somebody with an access token and a session. Give it back with `close`."""

    def __init__(self, node: Commands, handle: str, token: str) -> None:
        self.handle = handle
        self._node = node
        self._app = aiohttp.ClientSession(
            headers={"Authorization": f"Bearer {token}"}, timeout=_SECONDS, connector=_short_lived()
        )
        self._browser = aiohttp.ClientSession(timeout=_SECONDS, connector=_short_lived())

    @classmethod
    async def of(cls, node: Commands, handle: str) -> Reader:
        """Return a member of a node, with the scopes that reading and writing need."""
        made = await node.run("member", "token", handle, "--scopes", "read write")
        return cls(node, handle, str(made["access_token"]))

    async def close(self) -> None:
        """Close both."""
        await self._app.close()
        await self._browser.close()

    async def say(self, text: str, *, to: str = "", key: str = "") -> dict[str, Any]:
        """Post by the app, or answer the post of this number; return the status once it was acknowledged.

        Raises:
            aiohttp.ClientError, OSError, TimeoutError: It was not.
        """
        form = {"status": text} | ({"in_reply_to_id": to} if to else {})
        headers = {"Idempotency-Key": key} if key else {}
        url = f"{self._node.origin}/api/v1/statuses"
        async with self._app.post(url, data=form, headers=headers) as answer:
            answer.raise_for_status()
            return dict(await answer.json())

    async def ask(self, path: str) -> Any:
        """Return what the client API answers."""
        async with self._app.get(f"{self._node.origin}{path}") as answer:
            answer.raise_for_status()
            return await answer.json()

    async def status(self, path: str) -> int:
        """Return the status with which a path answers the app."""
        async with self._app.get(f"{self._node.origin}{path}") as answer:
            return answer.status

    async def list_in_app(self, title: str) -> set[str]:
        """Return the ids of the posts that an app shows of a group: its list, and every thread in it."""
        [number] = [each["id"] for each in await self.ask("/api/v1/lists") if each["title"] == title]
        uris: set[str] = set()
        query = "?limit=40"
        while topics := await self.ask(f"/api/v1/timelines/list/{number}{query}"):
            for each in topics:
                topic = each["reblog"] or each
                context = await self.ask(f"/api/v1/statuses/{topic['id']}/context")
                uris |= {topic["uri"]} | {answer["uri"] for answer in context["descendants"]}
            query = f"?limit=40&max_id={topics[-1]['id']}"
        return uris

    async def read_pages(self, address: str) -> str:
        """Return what the pages of a group say: its list and its threads, each back to its beginning."""
        await self._sign_in()
        listed = [page async for page in self._walk_back(f"/groups/{address}")]
        threads = {path for text in listed for path in _THREAD.findall(text)}
        told = [page for path in sorted(threads) async for page in self._walk_back(path)]
        return "\n".join(Page(text).words for text in (*listed, *told))

    async def _walk_back(self, path: str) -> AsyncIterator[str]:
        """Yield a page and those before it, as long as it links to one."""
        query: str | None = ""
        while query is not None:
            yield (text := await self._get(f"{path}{query}"))
            query = next(
                (link.removeprefix(path) for link in Page(text).links if link.startswith(f"{path}?before=")), None
            )

    async def _sign_in(self) -> None:
        forms = [each for each in Page(await self._get("/sign-in")).forms if each.id == "sign-in"]
        if not forms:  # who is signed in already is led on
            return
        pairs = forms[0].filled({"handle": self.handle, "password": PASSWORD})
        async with self._browser.post(f"{self._node.origin}/sign-in", data=pairs) as answer:
            assert answer.status == 200, await answer.text()

    async def _get(self, path: str) -> str:
        async with self._browser.get(f"{self._node.origin}{path}") as answer:
            answer.raise_for_status()
            return await answer.text()


def _short_lived() -> aiohttp.TCPConnector:
    """A connection for each request, as nodes are ended under their readers here; certificates are for nodes to look at."""
    return aiohttp.TCPConnector(force_close=True, ssl=False)

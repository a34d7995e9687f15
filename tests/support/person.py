"""Somebody at a browser, over the network: signs in, and says on the consent page whether an app may come in.

ben = Person(node.origin, "ben", trusted)
code = await ben.decide(address_of_the_app)             # where the app asked to be shown the code
place = await ben.decide(address, decision="deny")      # where the app is led back to
"""

from __future__ import annotations

import ssl
from urllib.parse import urljoin

import aiohttp

from tests.support.commands import PASSWORD
from tests.support.html_forms import Form, Page

_SECONDS = aiohttp.ClientTimeout(total=60)
_MOST_STEPS = 8


class Person:
    """Somebody with a browser of their own.

    Args:
        origin: The node on which they have an account.
        handle: Theirs there.
        trusted: Which certificates their browser takes.
    """

    def __init__(self, origin: str, handle: str, trusted: ssl.SSLContext) -> None:
        self._origin = origin
        self._handle = handle
        self._trusted = trusted

    async def decide(self, address: str, *, decision: str = "allow") -> str:
        """Open what an app asks for, sign in, decide, and return the code shown, or the address of the app gone back to."""
        connector = aiohttp.TCPConnector(ssl=self._trusted)
        jar = aiohttp.CookieJar(unsafe=True)
        async with aiohttp.ClientSession(timeout=_SECONDS, connector=connector, cookie_jar=jar) as browser:
            place, text = await self._walk(browser, "GET", address)
            for form in Page(text).forms:
                if form.id == "sign-in":
                    given = {"handle": self._handle, "password": PASSWORD}
                    place, text = await self._send(browser, place, form, given)
            [form] = [each for each in Page(text).forms if each.id == "authorize"]
            place, text = await self._send(browser, place, form, {"decision": decision})
            return _find_code(text) if place.startswith(self._origin) else place

    async def _send(
        self, browser: aiohttp.ClientSession, place: str, form: Form, given: dict[str, str]
    ) -> tuple[str, str]:
        target = urljoin(place, form.action or place)
        return await self._walk(browser, "POST", target, form.filled(given))

    async def _walk(
        self, browser: aiohttp.ClientSession, method: str, address: str, fields: list[tuple[str, str]] | None = None
    ) -> tuple[str, str]:
        """Return (where it ended, the page), following redirects on the node and stopping at one that leaves it."""
        for _ in range(_MOST_STEPS):
            headers = {"Accept": "text/html", "Origin": self._origin}
            async with browser.request(method, address, data=fields, headers=headers, allow_redirects=False) as answer:
                if answer.status not in (302, 303):
                    assert answer.status == 200, (address, answer.status, await answer.text())
                    return address, await answer.text()
                address = urljoin(address, answer.headers["Location"])
            method, fields = "GET", None
            if not address.startswith(self._origin):
                return address, ""
        raise AssertionError(f"sent round in circles: {address}")


def _find_code(text: str) -> str:
    """Return the code on a page; nothing where it shows none."""
    begin = text.find('id="code"')
    return text[begin:].split('value="', 1)[1].split('"', 1)[0] if begin >= 0 else ""

"""Row 8: a certificate that has expired, names somebody else, or that nobody has signed; and the right one again."""

from __future__ import annotations

import ssl
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio

from tests.support.authority import Authority
from tests.support.neighbours import Neighbours, the_neighbours
from tests.support.waiting import until_true

pytestmark = [pytest.mark.long, pytest.mark.slow, pytest.mark.timeout(240), pytest.mark.asyncio(loop_scope="module")]


@dataclass(frozen=True)
class Secured:
    """Two nodes behind TLS, the authority that they trust, and what the second one's door shows."""

    pair: Neighbours
    authority: Authority
    door: ssl.SSLContext

    def show(self, file: Path) -> None:
        """Let the second node's door show this certificate to whoever comes from now on."""
        self.door.load_cert_chain(file)
        self.pair.b.proxy.disturb(None)


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def secured(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Secured]:
    """Give two nodes that speak https with each other."""
    folder = tmp_path_factory.mktemp("secured")
    authority = Authority(folder)
    doors: dict[str, ssl.SSLContext] = {}

    def make(name: str) -> dict[str, Any]:
        doors[name] = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        doors[name].load_cert_chain(authority.issue())
        doors[name].num_tickets = 0  # no connection rests on what was shown before
        return {"tls": doors[name]}

    settings = f'ca_file = "{authority.file}"\ndeliver_timeout_seconds = 3'
    async with the_neighbours(folder, ["sqlite:"] * 2, settings=settings, make=make) as pair:
        await pair.rest()
        yield Secured(pair, authority, doors["hospital"])


_BAD: dict[str, Callable[[Authority], Path]] = {
    "has expired": lambda authority: authority.issue(days=-1),
    "names somebody else": lambda authority: authority.issue("elsewhere.example"),
    "is signed by itself": lambda authority: authority.issue(is_own=False),
}


@pytest.mark.parametrize("certificate", _BAD)
async def test_row_08_a_certificate_that_cannot_be_trusted_holds_the_lane_until_it_is_renewed(
    secured: Secured, certificate: str
) -> None:
    pair = secured.pair
    secured.show(_BAD[certificate](secured.authority))
    uri = await pair.speak(pair.a)

    async def is_held() -> bool:
        lanes = (await pair.a.tell("lane", "list"))["lanes"]
        return any(lane["queued"] and lane["error"] and lane["error"]["code"] == "unreachable" for lane in lanes)

    await until_true(is_held)
    came = await pair.has(pair.b, uri)
    spoken = await pair.speak(pair.b)  # the other way is as ever, and the contact starts ours again
    secured.show(secured.authority.issue())
    await until_true(lambda: pair.has(pair.b, uri), seconds=60)
    await pair.rest()

    assert not came
    assert await pair.has(pair.a, spoken)
    assert await pair.check() == []


async def test_row_08_without_trust_in_our_authority_nothing_is_sent_at_all(secured: Secured) -> None:
    assert secured.pair.a.origin.startswith("https://")
    assert secured.pair.b.origin.startswith("https://")
    sent = b"".join(bytes(talk.sent) for talk in secured.pair.b.proxy.conversations)
    assert b"POST /" in sent, "behind the door it is the node that answers"

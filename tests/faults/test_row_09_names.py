"""Row 9: names that do not resolve, slowly, or to somewhere else. Nobody is asked for a name that is on no list.

The nodes have names of their own here; a resolver under their processes (`resolver.c`) answers as the test says.
"""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio

from tests.support.commands import CommandRefused
from tests.support.neighbours import Neighbours, the_neighbours
from tests.support.waiting import until_true

pytestmark = [pytest.mark.long, pytest.mark.slow, pytest.mark.timeout(240), pytest.mark.asyncio(loop_scope="module")]
_HOSTS = {"society": "society.test", "hospital": "hospital.test"}


@dataclass(frozen=True)
class Names:
    """The two nodes, and what their resolver says and was asked."""

    pair: Neighbours
    folder: Path

    def say(self, **answers: str) -> None:
        """Let the resolver give these answers, and the usual ones otherwise."""
        lines = [f"{host} {answers.get(name, '127.0.0.1')}\n" for name, host in _HOSTS.items()]
        (self.folder / "names").write_text("".join(lines))

    def list_asked(self) -> set[str]:
        """Return every name that was ever asked for."""
        return set((self.folder / "lookups").read_text().split())

    async def error(self) -> dict[str, Any] | None:
        """Return what is wrong with the way from the first node to the second."""
        lanes = (await self.pair.a.tell("lane", "list"))["lanes"]
        return next((lane["error"] for lane in lanes if lane["queued"] and lane["error"]), None)


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def names(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Names]:
    """Give two nodes with names."""
    if shutil.which("gcc") is None:
        pytest.skip("There is no C compiler: run `sudo apt-get install gcc`.")
    folder = tmp_path_factory.mktemp("names")
    source, shim = Path(__file__).with_name("resolver.c"), folder / "resolver.so"
    subprocess.run(["gcc", "-shared", "-fPIC", "-O1", "-o", shim, source, "-ldl"], check=True, capture_output=True)  # noqa: ASYNC221
    given = {
        "LD_PRELOAD": str(shim), "FAULT_NAMES": str(folder / "names"), "FAULT_LOOKUPS": str(folder / "lookups"),
    }  # fmt: skip
    (folder / "names").write_text("".join(f"{host} 127.0.0.1\n" for host in _HOSTS.values()))

    def make(name: str) -> dict[str, Any]:
        return {"host_name": _HOSTS[name], "environment": given}

    async with the_neighbours(folder, ["sqlite:"] * 2, make=make, settings="deliver_timeout_seconds = 2") as pair:
        await pair.rest()
        yield Names(pair, folder)


@pytest.mark.parametrize("answer", ["NXDOMAIN", "SERVFAIL", "SLOW", "10.0.0.7", "169.254.169.254", "127.0.0.9"])
async def test_row_09_a_name_that_leads_nowhere_or_elsewhere_holds_the_lane_until_it_is_right_again(
    names: Names, answer: str
) -> None:
    pair = names.pair
    names.say(hospital=answer)
    pair.b.proxy.disturb(None)  # no connection from before is left
    await pair.speak(pair.a)

    async def is_held() -> bool:
        await pair.a.tell("lane", "retry", pair.b.host)
        return await names.error() is not None

    await until_true(is_held, seconds=40)
    error = await names.error()
    names.say()
    await pair.rest()

    assert error is not None
    assert error["code"] == "unreachable"
    assert await pair.check() == []


async def test_row_09_a_node_whose_address_has_changed_is_found_at_the_new_one(names: Names) -> None:
    pair = names.pair
    pair.b.proxy.disturb(None)
    names.say(hospital="127.0.0.1")

    uri = await pair.speak(pair.a)

    await until_true(lambda: pair.has(pair.b, uri))
    assert await names.error() is None


async def test_t31_row_09_only_names_on_the_list_are_ever_looked_up(names: Names) -> None:
    pair = names.pair
    words = "see https://elsewhere.test/page and @somebody@stranger.test"
    posted = await pair.a.tell("post", "add", pair.ward, "--as", "ana", text=words)
    await until_true(lambda: pair.has(pair.b, posted["uri"]))
    with pytest.raises(CommandRefused):
        await pair.a.tell("message", "send", "https://stranger.test/people/eve", "--as", "ana", text="Hello")
    await pair.rest()

    assert names.list_asked() <= set(_HOSTS.values())

"""toot, a client for terminals: signs in, reads, posts with a picture, answers, votes, searches, as a person would type it."""

from __future__ import annotations

import asyncio
import json
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.clients.conftest import Town
from tests.village.test_pictures_travel import a_picture

pytestmark = [pytest.mark.slow, pytest.mark.timeout(600), pytest.mark.asyncio(loop_scope="session")]

TOOT = Path(sys.executable).with_name("toot")


class _Toot:
    """toot with a configuration of its own."""

    def __init__(self, town: Town, name: str) -> None:
        self._town = town
        self._environment = town.environment(name)

    async def run(self, *argv: str) -> tuple[int, str]:
        """Run a command; return its exit code and what it printed."""
        process = await self._start(*argv)
        out, _ = await asyncio.wait_for(process.communicate(b""), 120)
        return process.returncode or 0, out.decode()

    async def ask(self, *argv: str) -> Any:
        """Run a command that prints JSON."""
        code, out = await self.run(*argv, "--json")
        assert code == 0, out
        return json.loads(out)

    async def sign_in(self, handle: str) -> None:
        """Sign in as toot tells one to: by a browser, from which the code is copied."""
        process = await self._start("login", "--instance", self._town.hospital.origin)
        assert process.stdin is not None
        assert process.stdout is not None
        said = b""
        while b"Open link" not in said:
            chunk = await asyncio.wait_for(process.stdout.read(4096), 120)
            assert chunk, said
            said += chunk
        address = next(line for line in said.decode().splitlines() if line.startswith("https://"))
        code = await self._town.person(handle).decide(address)
        out, _ = await asyncio.wait_for(process.communicate(f"n\n{code}\n".encode()), 120)
        assert process.returncode == 0, out

    async def _start(self, *argv: str) -> asyncio.subprocess.Process:
        return await asyncio.create_subprocess_exec(
            TOOT, *argv, stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT, env=self._environment,
        )  # fmt: skip


async def test_toot_reads_posts_answers_votes_and_searches(town: Town) -> None:
    toot, file = _Toot(town, "toot"), town.folder / "field.jpg"
    file.write_bytes(a_picture())
    await toot.sign_in("ben")

    me = await toot.ask("whoami")
    said = await toot.ask("post", f"@{town.ward} Egret #egret", "--media", str(file), "--description", "A red field")
    asked = await toot.ask("post", f"@{town.ward} When?", "--poll-option", "Early", "--poll-option", "Late")
    voted = await toot.ask("polls", "vote", asked["poll"]["id"], "0")
    await town.pair.rest()
    [at_ana] = [each["reblog"] for each in await town.ana.ask("/api/v1/timelines/home") if "Egret" in each["content"]]
    answer = await town.ana.say("I saw it too", to=at_ana["id"])
    await town.pair.rest()
    context = await toot.ask("thread", said["id"])
    mine = await toot.ask("post", "So did I", "--reply-to", context["descendants"][0]["id"])
    await town.pair.rest()
    thread = await town.ana.ask(f"/api/v1/statuses/{at_ana['id']}/context")
    home = await toot.ask("timelines", "home")
    listed = await toot.ask("timelines", "list", "Ward")
    found = await toot.ask("search", "egret")
    kept = [await toot.run("bookmark", said["id"]), await toot.run("favourite", context["descendants"][0]["id"])]
    shown = [
        await toot.run("timelines", "home", "--no-pager", "--no-clear"), await toot.run("thread", said["id"]),
        await toot.run("status", said["id"]), await toot.run("notifications"), await toot.run("whoami"),
        await toot.run("instance"), await toot.run("lists", "list"), await toot.run("search", "egret"),
        await toot.run("polls", "show", asked["poll"]["id"]), await toot.run("bookmarks"),
    ]  # fmt: skip

    assert me["acct"] == "ben"
    assert said["media_attachments"][0]["description"] == "A red field"
    assert (voted["voted"], voted["own_votes"]) == (True, [0])
    assert [each["uri"] for each in context["descendants"]] == [answer["uri"]]
    assert mine["in_reply_to_id"] == context["descendants"][0]["id"]
    assert [each["uri"] for each in thread["descendants"]] == [answer["uri"], mine["uri"]]
    for statuses in (home, listed):
        assert said["uri"] in [each["reblog"]["uri"] for each in statuses]
    assert said["uri"] in [each["uri"] for each in found["statuses"]]
    assert [code for code, _ in (*kept, *shown)] == [0] * 12, [out for code, out in (*kept, *shown) if code]
    assert "Egret" in shown[0][1]


async def test_toot_shows_why_something_is_refused(town: Town) -> None:
    toot = _Toot(town, "toot-refused")
    await toot.sign_in("ben")

    code, out = await toot.run("post", "To nobody")
    shared = (await toot.ask("post", f"@{town.ward} Plover"))["id"]
    boosted, why = await toot.run("reblog", shared)

    assert (code, "Name the group" in out) == (1, True)
    assert (boosted, "cannot be shared further" in why) == (1, True)

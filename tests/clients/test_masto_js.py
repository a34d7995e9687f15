"""masto.js, on which Phanpy and Elk stand: signs in, reads, writes, uploads, votes, pages, searches, listens, reports."""

from __future__ import annotations

import asyncio
import base64
import json
import os
import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from tests.clients.conftest import Town
from tests.support.waiting import until_true
from tests.village.test_pictures_travel import a_picture

pytestmark = [pytest.mark.slow, pytest.mark.timeout(600), pytest.mark.asyncio(loop_scope="session")]

_FOLDER = Path(__file__).with_name("masto")
_OUT_OF_BAND = "urn:ietf:wg:oauth:2.0:oob"
_SCOPES = "read write follow push"
_MISSING = "masto is not installed: run `npm ci --prefix tests/clients/masto --ignore-scripts`."


class _Masto:
    """A process with masto.js in it."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self._process = process
        self._answers: asyncio.Queue[dict[str, Any]] = asyncio.Queue()
        self.events: list[dict[str, Any]] = []
        self._reading = asyncio.create_task(self._read())

    async def order(self, **order: Any) -> Any:
        """Have something done, and return the answer."""
        found = await self.attempt(**order)
        assert "error" not in found, found
        return found["answer"]

    async def attempt(self, **order: Any) -> dict[str, Any]:
        """Have something done that may be refused; return {"answer"}, or {"error", "status"}."""
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps(order).encode() + b"\n")
        async with asyncio.timeout(120):
            return await self._answers.get()

    async def call(self, *steps: Any, **given: Any) -> Any:
        """Call the API, such as `call("v1", "statuses", "create", status="Hello")`; a list is an id."""
        return await self.order(call=steps, **({"with": [given]} if given else {}))

    async def close(self) -> None:
        """End the process."""
        self._process.kill()
        await self._process.wait()
        await self._reading

    async def _read(self) -> None:
        assert self._process.stdout is not None
        while line := await self._process.stdout.readline():
            said = json.loads(line)
            if "event" in said:
                self.events.append(said)
            else:
                self._answers.put_nowait(said)


@asynccontextmanager
async def _masto(town: Town, name: str) -> AsyncIterator[_Masto]:
    if shutil.which("node") is None or not (_FOLDER / "node_modules" / "masto").exists():
        if os.environ.get("ROUNDS_TEST_ALLOW_SKIP") == "1":
            pytest.skip(_MISSING)
        pytest.fail(_MISSING, pytrace=False)
    process = await asyncio.create_subprocess_exec(
        "node", _FOLDER / "walk.mjs", town.hospital.origin, stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE, limit=2**24, env=town.environment(name),
    )  # fmt: skip
    made = _Masto(process)
    try:
        yield made
    finally:
        await made.close()


async def _sign_in(town: Town, masto: _Masto, handle: str) -> str:
    """Have somebody let the app in by the real pages; return the token."""
    app = await masto.call("v1", "apps", "create", clientName="Masto", redirectUris=_OUT_OF_BAND, scopes=_SCOPES)
    query = f"client_id={app['clientId']}&redirect_uri={_OUT_OF_BAND}&response_type=code&scope={_SCOPES}"
    code = await town.person(handle).decide(f"{town.hospital.origin}/oauth/authorize?{query.replace(' ', '%20')}")
    wish = {
        "grantType": "authorization_code", "clientId": app["clientId"], "clientSecret": app["clientSecret"],
        "redirectUri": _OUT_OF_BAND, "code": code, "scope": _SCOPES,
    }  # fmt: skip
    token = await masto.order(oauth=["token", "create"], **{"with": [wish]})
    await masto.order(token=token["accessToken"])
    return str(token["accessToken"])


async def test_masto_reads_writes_uploads_votes_pages_searches_and_reports(town: Town) -> None:
    async with _masto(town, "masto") as ben:
        await _sign_in(town, ben, "ben")
        me = await ben.call("v1", "accounts", "verifyCredentials")
        lists = await ben.call("v1", "lists", "list")

        blob = {"blob": base64.b64encode(a_picture()).decode()}
        picture = await ben.call("v2", "media", "create", file=blob, description="A red field")
        words = f"@{town.ward} Heron #heron"
        said = await ben.call("v1", "statuses", "create", status=words, mediaIds=[picture["id"]])
        poll = {"options": ["Early", "Late"], "expiresIn": 3600}
        asked = await ben.call("v1", "statuses", "create", status=f"@{town.ward} When?", poll=poll)
        await town.pair.rest()
        [at_ana] = [
            each["reblog"] for each in await town.ana.ask("/api/v1/timelines/home") if "Heron" in each["content"]
        ]
        answer = await town.ana.say("I saw it too", to=at_ana["id"])
        await town.pair.rest()

        context = await ben.call("v1", "statuses", [said["id"]], "context", "fetch")
        voted = await ben.call("v1", "polls", [asked["poll"]["id"]], "votes", "create", choices=[1])
        listed = await ben.call("v1", "timelines", "list", [lists[0]["id"]], "list")
        pages = await ben.order(pages=["v1", "timelines", "home", "list"], **{"with": [{"limit": 1}]})
        found = await ben.call("v2", "search", "list", q="heron")
        told = await ben.call("v1", "notifications", "list")
        about = context["descendants"][0]
        mine = await ben.call("v1", "statuses", "create", status="So did we all", inReplyToId=about["id"])
        await town.pair.rest()
        thread = await town.ana.ask(f"/api/v1/statuses/{at_ana['id']}/context")
        report = await ben.call(
            "v1", "reports", "create", accountId=about["account"]["id"], statusIds=[about["id"]], comment="Too loud"
        )
        alone = await ben.attempt(call=["v1", "statuses", "create"], **{"with": [{"status": "To nobody"}]})
        absent = await ben.attempt(call=["v1", "statuses", ["1"], "fetch"])

        assert (me["acct"], [each["title"] for each in lists]) == ("ben", ["Ward"])
        assert (said["visibility"], said["mediaAttachments"][0]["description"]) == ("private", "A red field")
        assert at_ana["media_attachments"][0]["description"] == "A red field"
        assert [each["uri"] for each in context["descendants"]] == [answer["uri"]]
        assert (voted["voted"], voted["ownVotes"]) == (True, [1])
        assert said["uri"] in [each["reblog"]["uri"] for each in listed]
        assert len(pages) >= 2
        assert {len(page) for page in pages[:-1]} == {1}
        assert len(pages[-1]) <= 1
        assert said["uri"] in [each["uri"] for each in found["statuses"]]
        assert about["id"] in [each["status"]["id"] for each in told if each["type"] == "mention"]
        assert [each["uri"] for each in thread["descendants"]] == [answer["uri"], mine["uri"]]
        assert report["targetAccount"]["acct"] == f"ana@{town.pair.a.host}"
        assert (alone["status"], alone["error"].startswith("Name the group")) == (422, True)
        assert (absent["status"], absent["error"]) == (404, "Record not found")


async def test_masto_hears_over_a_websocket_what_is_said_on_another_node(town: Town) -> None:
    async with _masto(town, "masto-stream") as ben:
        await _sign_in(town, ben, "ben")
        [ward] = await ben.call("v1", "lists", "list")
        await ben.order(stream="user")
        await ben.order(stream="list", **{"with": [{"list": ward["id"]}]})
        await ben.order(stream="hashtag", **{"with": [{"tag": "kingfisher"}]})

        async def hears() -> bool:
            """Speak until it is heard: when a subscription begins, nobody is told."""
            await town.ana.say("@ward #Kingfisher")
            await asyncio.sleep(2)
            return {each["stream"] for each in ben.events if each["event"] == "update"} == {"user", "list", "hashtag"}

        await until_true(hears, seconds=60)

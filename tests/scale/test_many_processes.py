"""Two processes that answer and two that work, stopped and ended apart: nothing is lost, and nothing done twice."""

from __future__ import annotations

import asyncio
import base64
import contextlib
import re
import time
from collections import Counter
from collections.abc import AsyncIterator
from io import BytesIO

import aiohttp
import pytest
from PIL import Image

from tests.support.bucket import BucketServer
from tests.support.commands import PASSWORD, CommandRefused
from tests.support.holdings import Place
from tests.support.html_forms import Page
from tests.support.invariants import Truth, check_places
from tests.support.many_processes import ManyProcesses, Worker
from tests.support.process_node import ProcessNode
from tests.support.waiting import until, until_true

_ENTRY = re.compile(rb'"logEntry":\{[^}]*"seq":(\d+)')
_PACE_SECONDS = 0.05
# What the node promises, and what a lease lasts that nobody gives back.
LIVE_SECONDS, LEASE_SECONDS = 2.0, 15.0

pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]


class Writer:
    """Somebody who posts all the time, through whichever process answers; notes what was acknowledged."""

    def __init__(self, node: ManyProcesses, group: str) -> None:
        self.truth = Truth()
        self.refused = 0
        self._node = node
        self._group = group
        self._count = 0

    @contextlib.asynccontextmanager
    async def at_work(self) -> AsyncIterator[None]:
        """Post meanwhile."""
        working = asyncio.create_task(self._work())
        try:
            yield
        finally:
            working.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await working

    async def say(self, process: Worker) -> str:
        """Post once through a process, and return the word that was posted."""
        self._count += 1
        word = f"word{self._count:05d}"
        made = await process.tell("post", "add", self._group, "--as", "ana", text=word)
        self.truth.add(self._group, made["uri"], word)
        return word

    async def _work(self) -> None:
        while True:
            with contextlib.suppress(CommandRefused, OSError, ValueError):
                # What was begun is seen to its end: a post that was acknowledged must be noted.
                await asyncio.shield(self.say(self._node.webs[self._count % 2]))
            await asyncio.sleep(_PACE_SECONDS)


@pytest.fixture
async def ward(node: ManyProcesses, peer: ProcessNode) -> str:
    """Give ana's group, which dora of the other node is in."""
    await node.member("ana")
    group = await node.group("ward", owner="ana")
    await peer.member("dora")
    await peer.tell("group", "join", group, "--as", "dora", "--reason", "nights")

    async def has_asked() -> bool:
        return peer.person("dora") in str(await node.webs[1].tell("group", "roster", group))

    async def is_in() -> bool:
        return '"member"' in str(await peer.tell("group", "roster", group)).replace("'", '"')

    await until_true(has_asked)
    await node.webs[1].tell("group", "approve", group, peer.person("dora"), "--admit-node", "--yes")
    await until_true(is_in)
    await node.member("ben")
    await node.join(group, as_="ben")
    await node.run("group", "approve", group, node.person("ben"), "--yes")
    return group


def count_requests(peer: ProcessNode) -> Counter[int]:
    """Return how often each entry was sent to the peer."""
    return Counter(int(seq) for talk in peer.proxy.conversations for seq in _ENTRY.findall(bytes(talk.sent)))


async def come_to_rest(node: ManyProcesses, peer: ProcessNode, ward: str, truth: Truth) -> None:
    """Wait until the peer has everything that was acknowledged."""
    await until_true(lambda: peer_has(peer, ward, truth), seconds=60)
    await node.rest()


async def peer_words(peer: ProcessNode, ward: str) -> list[str]:
    """Return the ids of the posts that dora can read."""
    return [str(post["uri"]) for post in (await peer.tell("post", "list", ward, "--as", "dora"))["posts"]]


def places(node: ManyProcesses, peer: ProcessNode, address: str) -> list[Place]:
    """Return where both nodes keep what they have."""
    return [Place(node.host, address, node.folder / "first"), Place(peer.host, "sqlite:", peer.data)]


async def test_two_that_answer_and_two_that_work_are_one_node_whatever_happens_to_each(
    node: ManyProcesses, peer: ProcessNode, ward: str, address: str, bucket: BucketServer
) -> None:
    writer = Writer(node, ward)
    await writer.say(node.webs[0])
    await come_to_rest(node, peer, ward, writer.truth)

    await _an_open_page_follows(node, peer, ward, writer)
    await _a_picture_that_one_took_all_show_and_none_keeps(node, peer, ward, bucket)
    await _t17_a_worker_that_stood_still_sends_and_writes_nothing_when_it_wakes(node, peer, ward, writer)
    await _who_stops_does_nothing_twice(node, peer, ward, writer)
    await _who_is_ended_by_force_loses_nothing(node, peer, ward, writer)
    await _what_one_is_told_of_a_peer_the_others_know(node, peer)

    assert len(writer.truth.acknowledged) > 50
    assert await check_places(places(node, peer, address), writer.truth) == []


async def _an_open_page_follows(node: ManyProcesses, peer: ProcessNode, ward: str, writer: Writer) -> None:
    """Within two seconds, whoever wrote and whoever works."""
    took = []
    async with a_live_page(node, node.webs[0]) as heard:
        for step in range(3):
            await asyncio.sleep(0.3)
            before, began = len(heard), time.monotonic()
            if step < 2:
                await writer.say(node.webs[1])
            else:
                await peer.tell("post", "add", ward, "--as", "dora", text="from afar")
            await until(lambda before=before: len(heard) > before)
            took.append(time.monotonic() - began)
    assert max(took) < LIVE_SECONDS, took


async def _a_picture_that_one_took_all_show_and_none_keeps(
    node: ManyProcesses, peer: ProcessNode, ward: str, bucket: BucketServer
) -> None:
    picture = BytesIO()
    Image.new("RGB", (4, 4), "teal").save(picture, "png")
    words = ["--as", "ana", "--image-data", base64.b64encode(picture.getvalue()).decode()]
    await node.webs[0].tell("post", "add", ward, *words, text="a picture")

    with node.only(node.webs[1]):  # it is fetched from the other one
        await until(lambda: [path for path in (peer.data / "media").glob("*/*") if path.is_file()] != [])

    assert b"<Key>node/" in bucket.ask("GET", "/pictures")[1]
    assert [path for each in node.all for path in (each.data / "media").glob("*/*")] == []


async def _t17_a_worker_that_stood_still_sends_and_writes_nothing_when_it_wakes(
    node: ManyProcesses, peer: ProcessNode, ward: str, writer: Writer
) -> None:
    """For longer than a lease lasts; another has its lanes and duties then."""
    idle, busy = sorted(node.workers, key=lambda each: each.log.count("duty_begins"))
    began = idle.log.count("duty_begins")
    busy.freeze()
    for n in range(10):
        await writer.say(node.webs[n % 2])
    await until(lambda: idle.log.count("duty_begins") > began, seconds=LEASE_SECONDS + 10)
    await peer.tell("post", "add", ward, "--as", "dora", text="from afar, too")

    async def is_done() -> bool:
        return await peer_has(peer, ward, writer.truth) and (await node.run("status"))["at_rest"]

    await until_true(is_done, seconds=60)
    await asyncio.sleep(1)  # what the peer said comes back in the group's log
    await until_true(is_done, seconds=60)
    before = count_requests(peer)
    busy.thaw()
    await until(lambda: "duty_ends" in busy.log)
    await asyncio.sleep(1)
    assert count_requests(peer) == before


async def _who_stops_does_nothing_twice(node: ManyProcesses, peer: ProcessNode, ward: str, writer: Writer) -> None:
    before, codes = count_requests(peer), []
    async with writer.at_work():
        for each in (node.workers[0], node.webs[1]):
            await asyncio.sleep(0.5)
            codes.append(await each.stop())
        await asyncio.gather(node.workers[0].start(), node.webs[1].start())
    await come_to_rest(node, peer, ward, writer.truth)
    sent = count_requests(peer) - before
    assert codes == [0, 0]
    assert {seq: times for seq, times in sent.items() if times > 1} == {}


async def _who_is_ended_by_force_loses_nothing(
    node: ManyProcesses, peer: ProcessNode, ward: str, writer: Writer
) -> None:
    """What was on its way at that moment may be sent again, and has its effect once (`check_places`)."""
    before = count_requests(peer)
    async with writer.at_work():
        for each in (node.workers[1], node.webs[0]):
            await asyncio.sleep(0.5)
            await each.kill()
        await asyncio.sleep(1)
        await asyncio.gather(node.workers[1].start(), node.webs[0].start())
    await come_to_rest(node, peer, ward, writer.truth)
    sent = count_requests(peer) - before
    again = sum(times - 1 for times in sent.values())
    print(f"{len(sent)} entries were sent while processes were ended by force, {again} of them again")
    assert again <= 20  # one worker, in the middle of a run of at most twenty


async def _what_one_is_told_of_a_peer_the_others_know(node: ManyProcesses, peer: ProcessNode) -> None:
    await node.webs[0].tell("peer", "pause", peer.host, "--reason", "audit")
    began = time.monotonic()

    async def all_know() -> bool:
        shown = [await each.tell("peer", "show", peer.host) for each in node.all]
        return all("paused" in str(each) for each in shown)

    await until_true(all_know)
    assert time.monotonic() - began < LIVE_SECONDS


async def peer_has(peer: ProcessNode, ward: str, truth: Truth) -> bool:
    """Say whether the peer has everything that was acknowledged."""
    return {each.post for each in truth.acknowledged} <= set(await peer_words(peer, ward))


@contextlib.asynccontextmanager
async def a_live_page(node: ManyProcesses, web: Worker) -> AsyncIterator[list[str]]:
    """Give what ben's open page is told by one process, as it comes; he signed in at any."""
    heard: list[str] = []
    async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(force_close=True)) as browser:
        async with browser.get(f"{node.origin}/sign-in") as answer:
            [form] = [each for each in Page(await answer.text()).forms if each.id == "sign-in"]
        pairs = form.filled({"handle": "ben", "password": PASSWORD})
        async with browser.post(f"{node.origin}/sign-in", data=pairs) as answer:
            assert answer.status == 200
        with node.only(web):
            listening = asyncio.create_task(_listen(browser, f"{node.origin}/live?after=0", heard))
            await until(lambda: heard != [])
        try:
            yield heard
        finally:
            listening.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await listening


async def _listen(browser: aiohttp.ClientSession, url: str, heard: list[str]) -> None:
    async with browser.get(url, timeout=aiohttp.ClientTimeout(total=None)) as answer:
        async for line in answer.content:
            if line.startswith((b"data: ", b"retry")):
                heard.append(line.decode())

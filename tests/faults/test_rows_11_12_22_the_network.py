"""Rows 11, 12 and 22: what comes twice, late, broken; partitions of every kind; who is removed while nobody can be told.

Three nodes share a group; each test ends with peace, and then the six rules hold. Where a test says `hurry=False`, nothing is
asked for by an operator: the nodes come together by themselves.
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from tests.support.foreign import ForeignPeer
from tests.support.holdings import read_holding
from tests.support.neighbours import Neighbours, let_in, the_neighbours
from tests.support.process_node import ProcessNode
from tests.support.proxy_faults import Seen, change, repeat
from tests.support.village import MovingClock
from tests.support.waiting import until_true

pytestmark = [pytest.mark.slow, pytest.mark.timeout(240), pytest.mark.asyncio(loop_scope="module")]
_CONVERGE_SECONDS = 60


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def three(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Neighbours]:
    """Give three nodes whose members share a group, for all tests of this file."""
    settings = "deliver_timeout_seconds = 2"
    async with the_neighbours(tmp_path_factory.mktemp("three"), ["sqlite:"] * 3, settings=settings) as made:
        await made.rest()
        yield made


@pytest_asyncio.fixture(loop_scope="module", autouse=True)
async def peace(three: Neighbours) -> AsyncIterator[None]:
    """Let no test hand its trouble on to the next."""
    yield
    for node in three.nodes:
        node.proxy.mend()
        node.proxy.disturb(None)


@pytest_asyncio.fixture(loop_scope="module")
async def outsider(three: Neighbours) -> AsyncIterator[ForeignPeer]:
    """Give an outside party that is a peer of the first node, with a writer in a group of its own there."""
    made = ForeignPeer(MovingClock().now)
    await made.start()
    await three.a.tell("peer", "add", made.origin, "--unpinned", "--yes")
    yield made
    await three.a.tell("peer", "part", made.host, "--yes")
    await made.stop()


async def _room(three: Neighbours, handle: str) -> str:
    """Return a group of its own for a test, hosted by the first node."""
    words = ["--title", handle.capitalize(), "--policy", "open", "--owner", "ana"]
    return str((await three.a.tell("group", "create", handle, *words))["uri"])


async def _head(three: Neighbours, group: str) -> int:
    return int((await read_holding(three.place(three.a))).groups[group].head_seq)


async def _speak(three: Neighbours, node: ProcessNode, times: int = 1) -> None:
    """Have a node's member post by commands, which need no network."""
    for _ in range(times):
        three.count += 1
        word = f"canary-{three.count}x{random.randrange(10**9)}"
        posted = await node.tell("post", "add", three.ward, "--as", three.reader(node).handle, text=word)
        three.truth.add(three.ward, posted["uri"], word)


async def _talk(three: Neighbours, times: int) -> None:
    """Have every node's member post so often, all at once."""
    await asyncio.gather(*(_speak(three, node, times) for node in three.nodes))


async def test_row_11_what_comes_twice_and_out_of_order_has_its_effect_once(three: Neighbours) -> None:
    seen = Seen()
    for node in three.nodes:
        node.proxy.disturb(repeat(random.Random(11), seen))

    await _talk(three, 3)
    await three.rest()
    for node in three.nodes:
        node.proxy.disturb(None)
    await three.rest()

    assert len(seen.requests) > 15
    assert await three.check() == []


@pytest.mark.parametrize("kind", ["corrupted", "truncated"])
async def test_row_11_what_is_changed_on_its_way_is_refused_and_comes_again(three: Neighbours, kind: str) -> None:
    seen = Seen()
    alter = {
        "corrupted": lambda body: body.replace(b"canary-", b"canarx-", 1) if b"canary-" in body else body[:-1] + b" ",
        "truncated": lambda body: body[: len(body) // 2],
    }[kind]
    for node in three.nodes[:2]:
        node.proxy.disturb(change(alter, 3, seen))

    await _talk(three, 2)
    await three.rest()
    for node in three.nodes[:2]:
        node.proxy.disturb(None)
    await three.rest()

    assert len(seen.posts) >= 2
    assert await three.check() == []


async def test_row_11_of_two_bodies_under_one_id_the_first_counts_and_nothing_breaks(
    three: Neighbours, outsider: ForeignPeer
) -> None:
    group = await _room(three, "twice")
    await three.a.tell("group", "admit", group, outsider.host, "--yes")
    guy = outsider.person("guy")
    await outsider.send(f"{group}/inbox", outsider.activity("Follow", guy, group, to=[group]), guy)
    await three.rest()
    first = outsider.create(guy, group, "the first words")
    other = outsider.prove({**first, "object": {**first["object"], "content": "<p>other words</p>"}}, guy)

    answers = [await outsider.send(f"{group}/inbox", each, guy) for each in (first, other, first)]
    await three.rest()

    assert {answer.status for answer in answers} == {202}
    shown = await three.a.tell("post", "list", group, "--as", "ana")
    assert [post["text"] for post in shown["posts"]] == ["the first words"]
    assert "activity_id_reused" in three.a.log_path.read_text()


@pytest.mark.long
@pytest.mark.parametrize("minutes", [1, 10, 60])
async def test_row_12_after_a_partition_the_nodes_come_together_by_themselves(three: Neighbours, minutes: int) -> None:
    for node in three.nodes[1:]:
        node.proxy.cut()
    three.a.proxy.cut()

    await _talk(three, 2)
    tries = {1: 2, 10: 7, 60: 11}[minutes]  # the waits of so many failures add up to about as much
    for _ in range(tries):
        for node in three.nodes:
            for other in three.nodes:
                if other is not node:
                    await node.tell("lane", "retry", other.host)
        await asyncio.sleep(0.1)
    for node in three.nodes:
        node.proxy.mend()
    for node in three.nodes:  # somebody says something: that is the contact by which nodes find that others are back
        assert await three.say(node) is not None

    if minutes == 1:
        await three.rest(hurry=False, seconds=_CONVERGE_SECONDS)
    else:
        await three.rest(seconds=_CONVERGE_SECONDS)
    assert await three.check() == []


@pytest.mark.long
async def test_row_12_a_node_that_reaches_others_and_is_not_reached_loses_nothing(three: Neighbours) -> None:
    three.b.proxy.cut()

    await three.say(three.a)
    await _speak(three, three.b)

    async def is_at_the_host() -> bool:
        shown = await three.a.tell("post", "list", three.ward, "--as", "ana")
        return any(three.truth.acknowledged[-1].word in post["text"] for post in shown["posts"])

    await until_true(is_at_the_host)
    three.b.proxy.mend()
    await three.rest(seconds=_CONVERGE_SECONDS)
    assert await three.check() == []


@pytest.mark.long
async def test_row_12_nodes_that_go_and_come_at_random_lose_nothing(three: Neighbours) -> None:
    chance = random.Random(12)

    async def swizzle() -> None:
        for _ in range(20):
            node = chance.choice(three.nodes)
            node.proxy.cut()
            await asyncio.sleep(chance.random() * 0.3)
            node.proxy.mend()

    swizzling = asyncio.create_task(swizzle())
    await _talk(three, 6)
    await swizzling

    await three.rest(seconds=_CONVERGE_SECONDS)
    assert await three.check() == []


async def test_row_22_who_is_removed_while_nobody_can_be_told_gets_nothing_more(three: Neighbours) -> None:
    group = await _room(three, "parting")
    await let_in(three.a, group, three.b, "ben")
    await three.say(three.a, group=group)
    await three.rest()
    three.b.proxy.cut()
    await three.say(three.a, group=group)  # it waits for the node that is away, and must not go there any more

    last = await _head(three, group) - 1
    await three.a.tell("group", "remove", group, three.b.person("ben"), "--yes")
    three.truth.removed[three.b.host, group] = last
    for _ in range(3):
        await three.say(three.a, group=group)
    three.b.proxy.mend()
    await three.rest()

    assert await three.check() == []
    passed = b"".join(bytes(talk.sent + talk.answered) for talk in three.b.proxy.conversations)
    said = [each.word for each in three.truth.acknowledged if each.group == group]
    assert [word for word in said if word.encode() in passed] == said[:1]


async def _is_at_b(three: Neighbours) -> bool:
    shown = await three.b.tell("post", "list", three.ward, "--as", "ben")
    return any(three.truth.acknowledged[-1].word in post["text"] for post in shown["posts"])


async def test_row_22_a_peer_that_is_parted_from_while_it_is_away_gets_nothing_more(
    three: Neighbours, outsider: ForeignPeer
) -> None:
    group = await _room(three, "ending")
    await three.a.tell("group", "admit", group, outsider.host, "--yes")
    guy = outsider.person("guy")
    await outsider.send(f"{group}/inbox", outsider.activity("Follow", guy, group, to=[group]), guy)
    await three.say(three.a, group=group)
    await outsider.wait_for("Announce", count=2)
    outsider.inbox_status = 503
    await three.say(three.a, group=group)

    await three.a.tell("peer", "part", outsider.host, "--yes")
    outsider.inbox_status = 202
    had = len(outsider.requests)
    await three.say(three.a, group=group)
    await three.a.tell("lane", "retry", three.b.host)  # everybody else is served on
    await three.say(three.a)
    await until_true(lambda: _is_at_b(three))

    later = b"".join(each.body for each in outsider.requests[had:])
    words = [each.word for each in three.truth.acknowledged if each.group == group]
    assert [word for word in words[1:] if word.encode() in later] == []
    await three.a.tell("peer", "add", outsider.origin, "--unpinned", "--yes")

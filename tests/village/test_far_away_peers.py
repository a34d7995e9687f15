"""Five of a hundred peers take what is sent and never answer: the others have everything at once, and nothing twice."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass

import pytest

from tests.support.many_peers import OtherNode, many_peers
from tests.support.village import Node, Village
from tests.support.waiting import until

_PEERS, _SILENT, _GROUPS = 100, 5, 3
_QUARTER = 16


@dataclass(slots=True)
class _Host:
    """A node with three groups whose members live on a hundred others."""

    village: Village
    node: Node
    groups: list[str]
    others: list[OtherNode]
    posted: int = 0

    @property
    def silent(self) -> list[OtherNode]:
        """The five that do not answer."""
        return self.others[:_SILENT]

    @property
    def healthy(self) -> list[OtherNode]:
        """The others."""
        return self.others[_SILENT:]

    async def post(self, rounds: int) -> None:
        """Post so often in every group, and wait until the healthy have it."""
        for _ in range(rounds):
            await asyncio.gather(*(self.node.post(group, as_="ana") for group in self.groups))
            self.posted += 1
        heads = await self.heads()
        await until(lambda: all(_newest(each) == heads for each in self.healthy))

    async def heads(self) -> dict[str, int]:
        """Return where the log of each group ends."""
        return {group: (await self.node.run("group", "show", group))["log"]["seq"] for group in self.groups}


@pytest.fixture
async def host(village: Village) -> AsyncIterator[_Host]:
    """Give a node with its hundred peers, all in its groups."""
    node = await village.node("society")
    await node.member("ana")
    groups = [await node.group(f"ward{number}", owner="ana", policy="open") for number in range(_GROUPS)]
    async with many_peers(node.core, groups, _PEERS) as others:
        yield _Host(village, node, groups, others)
        for other in others:
            other.hang_up()
        await node.stop()


async def test_t46_five_of_a_hundred_peers_hang_and_the_others_lose_nothing_and_wait_for_nobody(host: _Host) -> None:
    for other in host.silent:
        other.is_silent = True

    await host.post(4)
    first = sum(other.most_waiting for other in host.silent)
    for other in host.silent:
        other.hang_up()
        other.most_waiting = 0
    await host.node.stop()
    await host.node.start()
    host.village.clock.advance(3600)
    await host.post(3)
    after_restart = sum(other.most_waiting for other in host.silent)
    for other in host.silent:
        other.is_silent = False
        other.hang_up()
    host.village.clock.advance(3600)
    host.node.ring()
    heads = await host.heads()
    await until(lambda: all(_newest(each) == heads for each in host.others))

    assert 0 < first <= _QUARTER
    assert after_restart <= _SILENT  # who gave no answer is tried by one lane at a time, the node's own restart or not
    for other in host.others:
        for group, head in heads.items():
            entries = other.entries[group]
            assert entries == sorted(set(entries)), "in order, nothing twice"
            assert entries[-1] - entries[0] + 1 == len(entries), "nothing missing"
            assert entries[-1] == head


def _newest(other: OtherNode) -> dict[str, int]:
    return {group: entries[-1] for group, entries in other.entries.items()}

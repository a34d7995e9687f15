"""Acknowledged means on disk: a node that is ended by force has lost nothing that it answered with 202."""

from __future__ import annotations

import asyncio
import random
from collections import Counter
from dataclasses import dataclass, field
from typing import Any

import aiohttp
import asyncpg
import pytest

from tests.support.foreign import ForeignActor, ForeignPeer
from tests.support.process_node import ProcessNode
from tests.support.traces import read_rows

SENDERS = 200
MEMBERS = 8
DUPLICATES = 0.3
pytestmark = [pytest.mark.slow, pytest.mark.timeout(240)]


@dataclass
class Crowd:
    """Two hundred senders, and what they were told.

    acknowledged: the ids of the activities that were answered with 202, each with the id of its post.
    answers: how often which status came; 0 where nothing did.
    """

    peer: ForeignPeer
    ward: str
    acknowledged: dict[str, str] = field(default_factory=dict)
    answers: Counter[int] = field(default_factory=Counter)

    @property
    def people(self) -> list[ForeignActor]:
        """The members who write."""
        return [self.peer.person(f"member{number}") for number in range(MEMBERS)]

    def write(self, count: int) -> list[tuple[dict[str, Any], ForeignActor]]:
        """Return posts in any order, almost a third of them twice."""
        written = [
            (self.peer.create(by, self.ward, f"Post {n}"), by)
            for n in range(count)
            for by in [self.people[n % MEMBERS]]
        ]
        written += random.sample(written, int(count * DUPLICATES))
        random.shuffle(written)
        return written

    async def send(self, posts: list[tuple[dict[str, Any], ForeignActor]], *, enough: int, stop: asyncio.Event) -> None:
        """Send with two hundred hands until all was sent, or until so many were acknowledged; then ring `stop`."""
        waiting = list(posts)
        at_least = len(self.acknowledged) + enough

        async def send_some() -> None:
            while waiting and not stop.is_set():
                create, by = waiting.pop()
                status = await self._send(create, by)
                self.answers[status] += 1
                if status in (429, 503) and not stop.is_set():
                    waiting.append((create, by))
                elif status == 202:
                    self.acknowledged[create["id"]] = create["object"]["id"]
                    if len(self.acknowledged) >= at_least:
                        stop.set()

        await asyncio.gather(*(send_some() for _ in range(SENDERS)))

    async def _send(self, create: dict[str, Any], by: ForeignActor) -> int:
        try:
            return (await self.peer.send(f"{self.ward}/inbox", create, by)).status
        except (aiohttp.ClientError, OSError):
            return 0


async def _a_crowd(host: ProcessNode, peer: ForeignPeer) -> Crowd:
    """Let the writers into the group."""
    ward = f"{host.origin}/groups/ward"
    await host.run("peer", "add", peer.origin, "--unpinned", "--yes")
    await host.run("group", "admit", "ward", peer.host, "--yes")
    await host.run("group", "change", "ward", "--policy", "open")
    crowd = Crowd(peer, ward)
    for person in crowd.people:
        await peer.send(f"{ward}/inbox", peer.activity("Follow", person, ward, to=[ward]), person)
    await host.rest()
    assert (await host.run("group", "show", "ward"))["members"] == 1 + MEMBERS
    return crowd


async def test_every_acknowledged_activity_is_there_exactly_once_after_kill_9(
    host: ProcessNode, peer: ForeignPeer, address: str
) -> None:
    crowd = await _a_crowd(host, peer)

    for _ in range(3):
        stop = asyncio.Event()
        sending = asyncio.create_task(crowd.send(crowd.write(260), enough=random.randint(60, 250), stop=stop))
        await stop.wait()
        await host.kill()
        await sending
        await host.start()
    await host.rest()

    rows = await read_rows(address, host.data)
    taken = Counter(uri for row in rows["activities"] for uri in crowd.acknowledged if f"'{uri}'" in row)
    posts = Counter(post["uri"] for post in await host.posts("ward", as_="ana"))
    seqs = [post["seq"] for post in await host.posts("ward", as_="ana")]
    assert crowd.answers[202] > 180
    assert set(crowd.answers) <= {0, 202, 429, 503}, crowd.answers
    assert taken == Counter(crowd.acknowledged.keys())
    assert set(crowd.acknowledged.values()) <= set(posts)
    assert set(posts.values()) == {1}
    assert len(set(seqs)) == len(seqs)
    assert (await host.run("audit", "verify"))["ok"]
    assert (await host.run("deadletter", "list"))["deadletters"] == []


@pytest.mark.long_on("postgresql")
async def test_acknowledgements_share_their_way_to_the_disk(
    host: ProcessNode, peer: ForeignPeer, address: str, database_kind: str
) -> None:
    crowd = await _a_crowd(host, peer)
    await host.stop()  # a server tells its counts when those who were connected have gone
    synced = -await _syncs(address)
    await host.start()
    before = await _commits(host)

    await crowd.send(crowd.write(400), enough=10_000, stop=asyncio.Event())
    while_taking = await _commits(host) - before
    await host.rest()
    in_all = await _commits(host) - before
    await host.stop()
    synced += await _syncs(address)

    accepted = crowd.answers[202]
    assert accepted == 520
    if database_kind == "sqlite":
        assert while_taking < accepted / 2, f"{while_taking} commits for {accepted} activities"
    else:
        assert 0 < synced < in_all * 1.2, f"{synced} syncs for {in_all} transactions and {accepted} activities"


async def _commits(host: ProcessNode) -> int:
    return int((await host.run("status"))["counts"]["commits"])


async def _syncs(address: str) -> int:
    """Return how often the server waited for the disk; 0 on SQLite, which has no such count."""
    if address == "sqlite:":
        return 0
    connection: Any = await asyncpg.connect(address)
    try:
        return int(await connection.fetchval("SELECT wal_sync FROM pg_stat_wal"))
    finally:
        await connection.close()

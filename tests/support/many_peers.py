"""A hundred other nodes on loopback, in the test's own process: real sockets, and some that never answer.

They are no nodes: they take what is brought to them and remember which entries of which log came. A node is told of them
and of their members by rows, as if all had been let in long ago: to let in three hundred one by one takes minutes.
"""

from __future__ import annotations

import asyncio
import re
from collections import Counter, defaultdict
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

from node.domain.actors import Actor
from node.domain.peers import Peer, PeerPolicy
from node.store.actors import insert_actor
from node.store.core import Core
from node.store.engine import Tx
from node.store.logs import get_position
from node.store.peers import insert_peer
from node.store.rosters import admit_peer, get_group_by_uri, let_in, put_request
from node.store.streams import open_lane

_LENGTH = re.compile(rb"\r\ncontent-length: *([0-9]+)\r\n", re.IGNORECASE)
_GROUP = re.compile(rb'"group":"([^"]+)"')
_SEQ = re.compile(rb'"seq":(\d+)')
_TAKEN = b"HTTP/1.1 202 Accepted\r\ncontent-length: 0\r\n\r\n"


class OtherNode:
    """One of them.

    entries: the numbers that came, by the group's id. is_silent: it takes every request and answers none.
    waiting: connections with requests that it does not answer. most_waiting: how many requests waited at once.
    """

    def __init__(self) -> None:
        self.origin = ""
        self.is_silent = False
        self.entries: defaultdict[str, list[int]] = defaultdict(list)
        self.waiting: Counter[_Visit] = Counter()
        self.most_waiting = 0
        self._server: asyncio.Server | None = None
        self._open: set[_Visit] = set()

    async def start(self) -> None:
        """Begin to listen."""
        loop = asyncio.get_running_loop()
        self._server = await loop.create_server(lambda: _Visit(self), "127.0.0.1", 0)
        self.origin = f"http://localhost:{self._server.sockets[0].getsockname()[1]}"

    def stop(self) -> None:
        """Stop listening, and reset what is open."""
        if self._server is not None:
            self._server.close()
        self.hang_up()

    def hang_up(self) -> None:
        """Reset every connection."""
        for visit in list(self._open):
            visit.transport.abort()

    def come(self, visit: _Visit) -> None:
        """Note a connection."""
        self._open.add(visit)

    def go(self, visit: _Visit) -> None:
        """Forget a connection."""
        self._open.discard(visit)
        self.waiting.pop(visit, None)

    def answer(self, visit: _Visit, body: bytes) -> bytes:
        """Take a delivery and return the answer; nothing when there is none."""
        if self.is_silent:
            self.waiting[visit] += 1
            self.most_waiting = max(self.most_waiting, self.waiting.total())
            return b""
        if (group := _GROUP.search(body)) and (seq := _SEQ.search(body)):
            self.entries[group[1].decode()].append(int(seq[1]))
        return _TAKEN


class _Visit(asyncio.Protocol):
    """One connection to one of them."""

    def __init__(self, node: OtherNode) -> None:
        self._node = node
        self._received = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self.transport = transport
        self._node.come(self)

    def data_received(self, data: bytes) -> None:
        self._received += data
        while (end := self._received.find(b"\r\n\r\n")) >= 0:
            length = _LENGTH.search(self._received, 0, end + 2)
            size = end + 4 + (int(length[1]) if length else 0)
            if len(self._received) < size:
                return
            body, self._received = self._received[end + 4 : size], self._received[size:]
            self.transport.write(self._node.answer(self, body))

    def connection_lost(self, error: Exception | None) -> None:
        self._node.go(self)


@asynccontextmanager
async def many_peers(core: Core, groups: Sequence[str], count: int) -> AsyncIterator[list[OtherNode]]:
    """Give so many of them, listening until the block ends, active peers of a node with a member in each of its groups."""
    nodes = [OtherNode() for _ in range(count)]
    for node in nodes:
        await node.start()
    for peer in await core.store.write(_insert, core, groups, [node.origin for node in nodes]):
        core.peers.put(peer)
    try:
        yield nodes
    finally:
        for node in nodes:
            node.stop()


async def _insert(tx: Tx, core: Core, groups: Sequence[str], origins: Sequence[str]) -> list[Peer]:
    peers = []
    for origin in origins:
        host, number = origin.partition("://")[2], core.ids.number()
        peer = Peer(
            core.ids.number(), host, origin, host, "active", None, False, f"{origin}/actor", None, None, PeerPolicy(),
            None, None, None, None, None, None,
        )  # fmt: skip
        await insert_peer(tx, peer=peer)
        uri, inbox = f"{origin}/people/p", f"{origin}/inbox"
        await insert_actor(
            tx, actor=Actor(number, uri, "person", "p", host, False, None, "P", "", inbox), fetched_at=tx.now
        )
        for group in groups:
            await _let_in(tx, group, peer, number)
        peers.append(peer)
    return peers


async def _let_in(tx: Tx, group_uri: str, peer: Peer, actor_id: int) -> None:
    group = await get_group_by_uri(tx, uri=group_uri)
    assert group is not None
    group_id, position = group.group_id, await get_position(tx, group_id=group.group_id)
    assert position is not None
    seq = position.head.seq
    await admit_peer(tx, group_id=group_id, peer_id=peer.peer_id, decided_by="test", because_of="test", base_seq=seq)
    await put_request(tx, group_id=group_id, actor_id=actor_id, state="requested")
    await let_in(
        tx, group_id=group_id, actor_id=actor_id, role="member", joined_seq=seq, visible_after=seq, decided_by="test"
    )
    await open_lane(tx, peer_id=peer.peer_id, stream=group_uri, group_id=group_id, cursor=seq)

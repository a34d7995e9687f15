"""Pull: ask a group's host for the entries that we lack, page by page, at our own pace.

Asked for after we were let in, and when a delivery shows that the host is far ahead. What comes is checked exactly like
what is delivered. Spec: wire.md 4.11; reliability.md 4.6.
"""

from __future__ import annotations

from datetime import timedelta

from node.domain.groups import Group
from node.domain.peers import Peer
from node.federation.grouplog.entry import read_announce
from node.federation.grouplog.position import Verdict
from node.federation.jsonld import parse_document
from node.foundation.errors import NodeError, Refusing, RemoteMalformed
from node.foundation.logs import get_logger
from node.store.core import Core
from node.store.engine import Tx
from node.store.logs import Card, get_card, get_position, list_pulls_due, pull_at
from node.store.rosters import get_group

from .entries import PULL_BELL, EntryReceiver
from .receive import INBOX_BELL

PAGE_ENTRIES = 50
PAGE_LIMIT_BYTES = 8_388_608
LOOK_SECONDS = 2.0
_AGAIN = timedelta(seconds=15)


class Puller:
    """Pulls for one process."""

    def __init__(self, core: Core, entries: EntryReceiver) -> None:
        self._core = core
        self._entries = entries
        self._stopping = False

    async def run(self) -> None:
        """Pull until `stop` is called."""
        while not self._stopping:
            try:
                for group_id in await self._core.store.read(list_pulls_due):
                    await self._pull(group_id)
            except NodeError as error:
                get_logger().error("pulls_unread", code=error.code, reason=error.internal)
            await self._core.bell.wait(PULL_BELL, at_most_seconds=LOOK_SECONDS)

    def stop(self) -> None:
        """End after the present group."""
        self._stopping = True
        self._core.bell.ring(PULL_BELL)

    async def _pull(self, group_id: int) -> None:
        group = await self._core.store.read(_group, group_id)
        peer = self._core.peers.by_id(group.peer_id or 0) if group else None
        if group is None or peer is None or peer.state != "active":
            await self._core.store.write(_pull_at, group_id, None if group is None else _AGAIN)
            return
        try:
            while not self._stopping and await self._pull_page(group, peer):
                self._core.bell.ring(INBOX_BELL)
            again = None
        except Refusing as error:
            # Not every host keeps a log to read; its lane brings everything all the same, and a gap asks again.
            get_logger().info("pull_refused", group=group.uri, reason=error.internal)
            again = None
        except NodeError as error:
            get_logger().warning("pull_failed", group=group.uri, reason=error.internal)
            again = _AGAIN
        await self._core.store.write(_pull_at, group_id, again)
        self._core.bell.ring(INBOX_BELL)

    async def _pull_page(self, group: Group, peer: Peer) -> bool:
        """Fetch and keep one page; return whether there may be more."""
        core = self._core
        position = await core.store.read(_position, group.group_id)
        keys = await core.keyring.own(core.instance_id)
        url = f"{group.uri}/log?after={position}&limit={PAGE_ENTRIES}"
        signer = core.sign_for(keys, peer.origin)
        _, raw = await core.client.get_document(url, signer=signer, limit_bytes=PAGE_LIMIT_BYTES)
        items = parse_document(raw, limit_bytes=PAGE_LIMIT_BYTES).get("orderedItems")
        if not isinstance(items, list) or len(items) > PAGE_ENTRIES:
            raise RemoteMalformed(internal=f"{url} is not a page of a log")
        has_news = False
        for item in items:
            if not isinstance(item, dict):
                raise RemoteMalformed(internal=f"{url} holds something that is not an entry")
            received = read_announce(item)
            if received.entry.group != group.uri:
                raise RemoteMalformed(internal=f"{url} holds an entry of another group")
            author = received.object.get("actor")
            card = await core.store.read(_card, group.group_id, author if isinstance(author, str) else "")
            verdict, _ = await self._entries.keep(group, peer, await self._entries.check(group, received, card))
            if verdict not in (Verdict.NEXT, Verdict.HELD):
                raise RemoteMalformed(
                    internal=f"entry {received.entry.seq} of {group.uri} does not follow: {verdict.value}"
                )
            has_news = has_news or verdict is Verdict.NEXT
        return has_news and len(items) == PAGE_ENTRIES  # a page that says nothing new would be asked for ever (T40)


async def _group(tx: Tx, group_id: int) -> Group | None:
    return await get_group(tx, group_id=group_id)


async def _position(tx: Tx, group_id: int) -> int:
    position = await get_position(tx, group_id=group_id)
    return position.head.seq if position else 0


async def _card(tx: Tx, group_id: int, actor_uri: str) -> Card | None:
    return await get_card(tx, group_id=group_id, actor_uri=actor_uri)


async def _pull_at(tx: Tx, group_id: int, wait: timedelta | None) -> None:
    await pull_at(tx, group_id=group_id, due_at=None if wait is None else tx.now + wait)

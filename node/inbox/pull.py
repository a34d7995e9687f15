"""Pull: ask a group's host for the entries that we lack, page by page, at our own pace.

Asked for after we were let in, and when a delivery shows that the host is far ahead. What comes is checked exactly like
what is delivered. Spec: wire.md 4.11; reliability.md 4.6.
"""

from __future__ import annotations

import random
from datetime import timedelta
from typing import Any

from node.domain.groups import Group
from node.domain.peers import Peer
from node.domain.pressure import Room
from node.federation.grouplog.align import IDLE_SECONDS, is_look_due
from node.federation.grouplog.entry import LogEntry, ReceivedEntry, read_announce
from node.federation.grouplog.position import Verdict
from node.foundation.errors import NodeError, Refusing, RemoteMalformed
from node.foundation.logs import get_logger
from node.store.core import Core
from node.store.engine import Tx
from node.store.logs import Card, get_card, get_position, list_pulls_due, pull_at
from node.store.recovering import list_copied
from node.store.rosters import get_group

from .aligning import Aligner
from .entries import PULL_BELL, CheckedEntry, EntryReceiver
from .receive import INBOX_BELL

PAGE_ENTRIES = 50
LOOK_SECONDS = 2.0
_AGAIN = timedelta(seconds=15)
_LOOK_AFTER_SECONDS = 20.0


class Puller:
    """Pulls for one process."""

    def __init__(self, core: Core, entries: EntryReceiver) -> None:
        self._core = core
        self._entries = entries
        self._aligner = Aligner(core)
        self._heard_at: dict[int, float] = {}
        self._look_at = 0.0
        self._stopping = False

    async def run(self) -> None:
        """Pull until `stop` is called."""
        while not self._stopping:
            try:
                await self._look_after_idle()
                for group_id in await self._core.store.read(list_pulls_due):
                    if self._core.pressure.room < Room.SCARCE:  # as for what is delivered
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
        self._heard_at[group_id] = self._core.clock.monotonic()
        await self._core.store.write(_pull_at, group_id, again)
        self._core.bell.ring(INBOX_BELL)

    async def _pull_page(self, group: Group, peer: Peer) -> bool:
        """Fetch and keep one page; return whether there may be more."""
        core = self._core
        position = await core.store.read(_position, group.group_id)
        page = await self._aligner.fetch_page(group, peer, after=position, limit=PAGE_ENTRIES)
        items = page.get("orderedItems")
        if not isinstance(items, list) or len(items) > PAGE_ENTRIES:
            raise RemoteMalformed(internal=f"{group.uri} gives something that is not a page of a log")
        has_news, trouble = await self._keep_items(group, peer, items)
        if trouble is not None or not items:
            return await self._aligner.weigh(group, peer, page, trouble)
        return has_news and len(items) == PAGE_ENTRIES  # a page that says nothing new would be asked for ever (T40)

    async def _keep_items(self, group: Group, peer: Peer, items: list[Any]) -> tuple[bool, LogEntry | None]:
        """Check the entries of a page and keep them, all up to the next author's card in one transaction.

        Returns:
            Whether one of them was new; and the first that does not follow, after which nothing was looked at.
        """
        has_news, cards = False, dict[str, Card | None]()
        checked: list[CheckedEntry] = []
        for place, item in enumerate(items, 1):
            received = _read_item(group, item)
            author = str(received.object.get("actor"))
            if author not in cards:
                cards[author] = await self._core.store.read(_card, group.group_id, author)
            try:
                checked.append(await self._entries.check(group, received, cards[author]))
            except NodeError:  # what came before it is as good as without it
                await self._entries.keep_all(group, peer, checked)
                raise
            if checked[-1].card is None and place < len(items):
                continue
            for entry, verdict in await self._entries.keep_all(group, peer, checked):
                if verdict not in (Verdict.NEXT, Verdict.HELD):
                    get_logger().info("entry_does_not_follow", group=group.uri, seq=entry.seq, verdict=verdict.value)
                    return has_news, entry
                has_news = has_news or verdict is Verdict.NEXT
            checked, cards = [], {}
        return has_news, None

    async def _look_after_idle(self) -> None:
        """Ask now and then where hosts stand of whom nothing came for long: one of us may have been restored."""
        now = self._core.clock.monotonic()
        if now < self._look_at:
            return
        self._look_at = now + _LOOK_AFTER_SECONDS
        for group_id in await self._core.store.read(list_copied):
            heard = self._heard_at.setdefault(group_id, now - random.uniform(0, IDLE_SECONDS))  # noqa: S311 a spread
            if is_look_due(now - heard):
                await self._core.store.write(_pull_at, group_id, timedelta(0))


def _read_item(group: Group, item: Any) -> ReceivedEntry:
    if not isinstance(item, dict):
        raise RemoteMalformed(internal=f"the log of {group.uri} holds something that is not an entry")
    received = read_announce(item)
    if received.entry.group != group.uri:
        raise RemoteMalformed(internal=f"the log of {group.uri} holds an entry of another group")
    return received


async def _group(tx: Tx, group_id: int) -> Group | None:
    return await get_group(tx, group_id=group_id)


async def _position(tx: Tx, group_id: int) -> int:
    position = await get_position(tx, group_id=group_id)
    return position.head.seq if position else 0


async def _card(tx: Tx, group_id: int, actor_uri: str) -> Card | None:
    return await get_card(tx, group_id=group_id, actor_uri=actor_uri)


async def _pull_at(tx: Tx, group_id: int, wait: timedelta | None) -> None:
    await pull_at(tx, group_id=group_id, due_at=None if wait is None else tx.now + wait)

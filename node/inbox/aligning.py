"""Aligning: our copy of a group finds back to its host's log after one of the two was restored.

`grouplog.align` decides; this asks the host for single entries, checks their proofs, and takes back what the host has
otherwise. What is taken back is kept for the host, and our members' own words are sent again.

Spec: reliability.md 4.6, 4.7; decision 0012.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec

from node.domain.groups import Group
from node.domain.peers import Peer
from node.federation.grouplog.align import (
    Search,
    Way,
    begin_search,
    choose_told,
    choose_way,
    is_worth_keeping,
    may_begin_anew,
    proves_fork,
)
from node.federation.grouplog.checkpoint import checkpoint_method, read_checkpoint, verify_checkpoint
from node.federation.grouplog.entry import LogEntry, chain_zero, entry_method, read_announce, verify_entry
from node.federation.grouplog.position import HEADER, Position, format_position, parse_position
from node.federation.jsonld import parse_document
from node.federation.signatures.keys import load_multikey
from node.foundation.errors import NodeError, Refusing
from node.foundation.logs import get_logger
from node.store import recovering
from node.store.actors import list_keys_of
from node.store.audit import write_audit
from node.store.core import TIDY_BELL, Core
from node.store.engine import Tx
from node.store.logs import CopyPosition, StoredEntry, chain_at, cut_log, get_entry, get_position, list_entries
from node.store.objects import lose_places
from node.store.polls import reopen_polls
from node.store.rosters import set_base, take_group
from node.store.submissions import reopen_submission
from node.store.takings import cut_taken_back

LIMIT_BYTES = 8_388_608
_QUESTIONS = 64
Page = Mapping[str, Any]


class Aligner:
    """Asks hosts about their logs, for one process."""

    def __init__(self, core: Core) -> None:
        self._core = core
        self._forked: set[int] = set()

    async def fetch_page(self, group: Group, peer: Peer, *, after: int, limit: int) -> Page:
        """Return a page of a host's log; the request tells where we stand."""
        core = self._core
        told = await core.store.read(_read_told, group.group_id)
        keys = await core.keyring.own(core.instance_id)
        _, raw = await core.client.get_document(
            f"{group.uri}/log?after={after}&limit={limit}",
            signer=core.sign_for(keys, peer.origin),
            limit_bytes=LIMIT_BYTES,
            headers=((HEADER, format_position(group.uri, told)),),
        )
        page = parse_document(raw, limit_bytes=LIMIT_BYTES)
        if page.get("doneWith") == told.chain:  # what we keep may lie before our base now, or never be shown again
            await core.store.write(_let_go, core, group)
        return page

    async def weigh(self, group: Group, peer: Peer, page: Page, trouble: LogEntry | None) -> bool:
        """Look at how a host's page stands to our copy; return whether our copy was changed, so that pulling goes on.

        Args:
            group: The group.
            peer: Its host.
            page: The page that was read.
            trouble: The entry of it that does not follow, proved by the host.
        """
        position = await self._core.store.read(get_position, group_id=group.group_id)
        found = parse_position(page.get("logPosition") if isinstance(page.get("logPosition"), str) else None)
        if position is None or found is None or found[0] != group.uri:
            return False
        ours, head = position.head, found[1]
        if trouble is not None and trouble.epoch > head.epoch:
            head = Position(trouble.epoch, trouble.seq, trouble.chain)
        chain = head.chain if head.seq == ours.seq else None
        if trouble is not None and trouble.seq == ours.seq + 1:
            chain = trouble.prev
        if trouble is not None and await self._proves_fork(group, trouble, ours):
            await self._note_fork(group, peer, trouble.seq)
            return False
        if choose_way(ours, head, host_chain=chain) in (Way.WAIT, Way.PULL):
            return False
        proved = trouble if trouble is not None and trouble.epoch >= head.epoch else None
        proved = proved or await self._see(group, peer, head.seq)
        return proved is not None and await self._choose_way(group, peer, page, position, proved)

    async def _choose_way(self, group: Group, peer: Peer, page: Page, position: CopyPosition, proved: LogEntry) -> bool:
        """Decide by an entry that the host has signed."""
        ours, host = position.head, Position(proved.epoch, proved.seq, proved.chain)
        theirs = {proved.seq: proved.chain, proved.seq - 1: proved.prev}
        way = choose_way(ours, host, host_chain=theirs.get(ours.seq))
        if way is Way.FORKED:
            await self._note_fork(group, peer, proved.seq)
        if way is not Way.SEARCH:
            return False
        search = await self._search(group, peer, position, begin_search(ours, host, base_seq=position.base_seq))
        common = search.find_common(position.base_seq)
        if common is not None:
            return await self._core.store.write(_cut, group, ours, common)
        base = await self._read_base(group, page)
        if base is None or not may_begin_anew(host, ours):
            return False
        return await self._core.store.write(_begin_anew, group, ours, base)

    async def _proves_fork(self, group: Group, trouble: LogEntry, ours: Position) -> bool:
        """Say whether the entry alone shows two histories: asked again, the host would show the one that we have."""
        held = await self._core.store.read(get_entry, group_id=group.group_id, seq=trouble.seq)
        return proves_fork(trouble, ours, held=held.entry(group.uri) if held else None)

    async def _note_fork(self, group: Group, peer: Peer, seq: int) -> None:
        if group.group_id not in self._forked:
            self._forked.add(group.group_id)
            get_logger().error("two_histories", group=group.uri, peer=peer.host, seq=seq)
            await self._core.store.write(_tell_fork, group, peer)

    async def _search(self, group: Group, peer: Peer, position: CopyPosition, search: Search) -> Search:
        for _ in range(_QUESTIONS):
            if (seq := search.question) is None:
                break
            ours = await self._core.store.read(chain_at, group_id=group.group_id, position=position, seq=seq)
            entry = await self._see(group, peer, seq) if seq > 0 else None
            theirs = chain_zero(group.uri) if seq == 0 else entry.chain if entry is not None else None
            search = search.learn(seq, is_same=theirs == ours)
        return search

    async def _see(self, group: Group, peer: Peer, seq: int) -> LogEntry | None:
        """Return one entry of the host's log, proved by its signature; None where the host has or shows none."""
        try:
            page = await self.fetch_page(group, peer, after=seq - 1, limit=1)
        except Refusing:
            return None
        items = page.get("orderedItems")
        if not isinstance(items, list) or not items or not isinstance(items[0], dict):
            return None
        received = read_announce(items[0])
        if received.entry.group != group.uri or received.entry.seq != seq:
            return None
        method = entry_method(received)
        verify_entry(received, load_multikey(await self._core.store.read(_group_key, group.group_id, method, seq)))
        return received.entry

    async def _read_base(self, group: Group, page: Page) -> Position | None:
        """Return the host's checkpoint for us from a page, if the group has signed it."""
        document = page.get("checkpoint")
        try:
            base = read_checkpoint(document, group.uri)
            assert isinstance(document, dict)
            method = checkpoint_method(document, group.uri)
            verify_checkpoint(document, load_multikey(await self._core.store.read(_group_key, group.group_id, method)))
        except NodeError as error:
            get_logger().info("checkpoint_refused", group=group.uri, reason=error.internal)
            return None
        return base


async def _read_told(tx: Tx, group_id: int) -> Position:
    """Return the position that our requests tell: our head, or where the last thing stood that we keep for the host."""
    position = await get_position(tx, group_id=group_id)
    head = position.head if position else Position(1, 0, "0" * 64)
    newest = await recovering.get_newest_orphan(tx, group_id=group_id)
    return choose_told(head, [newest] if newest else [])


async def _let_go(tx: Tx, core: Core, group: Group) -> None:
    if gone := await recovering.drop_handed(tx, group_id=group.group_id):
        tx.after_commit(lambda: core.bell.ring(TIDY_BELL))
        get_logger().info("kept_entries_let_go", group=group.uri, entries=gone)


async def _group_key(tx: Tx, group_id: int, method: str, seq: int | None = None) -> str:
    """Return the key of a group that a proof names; a revoked one only for an entry of before. Else nothing."""
    for row in await list_keys_of(tx, actor_id=group_id):
        is_revoked = row.state == "revoked" and (seq is None or seq > (row.last_seq or 0))
        if row.key_id == method and row.state != "retired" and not is_revoked:
            return str(row.public_key)
    return ""


async def _tell_fork(tx: Tx, group: Group, peer: Peer) -> None:
    await write_audit(tx, actor=peer.host, action="group.two_histories", target=f"{group.handle}@{group.host}")


async def _cut(tx: Tx, group: Group, ours: Position, common: int) -> bool:
    """Take back what stands behind the last common entry, unless our copy has moved meanwhile."""
    position = await _hold(tx, group, ours)
    if position is None:
        return False
    await _take_out(tx, group, common)
    chain = await chain_at(tx, group_id=group.group_id, position=position, seq=common)
    await cut_log(tx, group_id=group.group_id, seq=common, chain=chain or "")
    await cut_taken_back(tx, group_id=group.group_id, seq=common)
    await reopen_polls(tx, group_id=group.group_id, seq=common)
    get_logger().warning("copy_cut", group=group.uri, after=common, entries=ours.seq - common)
    return True


async def _begin_anew(tx: Tx, group: Group, ours: Position, base: Position) -> bool:
    """Begin our copy at the host's checkpoint: nothing of it is in the host's log any more."""
    position = await _hold(tx, group, ours)
    if position is None:
        return False
    await _take_out(tx, group, position.base_seq)
    await cut_log(tx, group_id=group.group_id, seq=position.base_seq, chain=position.base_chain)
    await cut_taken_back(tx, group_id=group.group_id, seq=position.base_seq)
    await reopen_polls(tx, group_id=group.group_id, seq=position.base_seq)
    await set_base(tx, group_id=group.group_id, epoch=base.epoch, seq=base.seq, chain=base.chain)
    await recovering.lower_places(tx, group_id=group.group_id, seq=base.seq)
    get_logger().warning("copy_begun_anew", group=group.uri, after=base.seq)
    return True


async def _hold(tx: Tx, group: Group, ours: Position) -> CopyPosition | None:
    await take_group(tx, group_id=group.group_id)
    position = await get_position(tx, group_id=group.group_id)
    return position if position is not None and position.head == ours else None


async def _take_out(tx: Tx, group: Group, common: int) -> None:
    """Keep the entries behind a number for the host, and send again what our own members said in them."""
    after = common
    while entries := await list_entries(tx, group_id=group.group_id, after=after):
        for stored in entries:
            has_content = stored.salt is not None
            if is_worth_keeping(author=stored.actor_uri, group=group.uri, has_content=has_content):
                await recovering.keep_orphan(
                    tx, group_id=group.group_id, entry=stored.entry(group.uri), document=_announce_text(group, stored)
                )
                await reopen_submission(tx, activity_uri=stored.activity_uri, document=stored.document)
        after = entries[-1].seq
    await lose_places(tx, group_id=group.group_id, seq=common)


def _announce_text(group: Group, stored: StoredEntry) -> str:
    return msgspec.json.encode(stored.announce(group.uri)).decode()

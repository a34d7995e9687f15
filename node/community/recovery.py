"""Recovery of the groups hosted here: ask the member nodes for what a restore has lost, then let the logs go on.

`grouplog.recovery` decides who is asked when and when it is over; what came is kept and judged in `settling`. A node that
told a position beyond our log is asked like one that was not heard: perhaps we were restored and do not know it.

Spec: reliability.md 4.7; decision 0012.
"""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import Any
from urllib.parse import urlencode

from node.domain.groups import Group
from node.domain.journal import Told
from node.domain.peers import Peer
from node.federation.grouplog.entry import ReceivedEntry, entry_method, read_announce, verify_entry
from node.federation.grouplog.handed import LOCATOR_PLACES, build_locator, list_branches, proves_loss
from node.federation.grouplog.position import parse_position
from node.federation.grouplog.recovery import Recovery, be_calm, begin_recovery
from node.federation.jsonld import parse_document
from node.federation.signatures.keys import PublicKey, load_multikey
from node.foundation.errors import NodeError, RemoteMalformed
from node.foundation.logs import get_logger
from node.inbox.dispatch import Tables
from node.inbox.receive import INBOX_BELL
from node.outbox.publish import LANES_BELL
from node.store import journal, recovering
from node.store.actors import list_keys_of
from node.store.core import DOUBTS_BELL, Core
from node.store.engine import Tx
from node.store.logs import chain_at, get_chain, get_entry_by_activity, get_position
from node.store.recovering import Orphan, RecoveringGroup
from node.store.rosters import get_group, list_admissions
from node.store.streams import get_lane

from .settling import keep_handed, read_handed, read_kept, settle

PAGE_LIMIT_BYTES = 8_388_608
_LOOK_SECONDS = 5.0
_GROUPS_AT_ONCE = 4
# What came within this time is kept; the next question says so, and the node goes on from there.
_HEAR_SECONDS = 300.0


class Recoverer:
    """Brings groups back in one process."""

    def __init__(self, core: Core, tables: Tables) -> None:
        self._core = core
        self._tables = tables
        self._states: dict[int, Recovery] = {}
        self._at_once = asyncio.Semaphore(_GROUPS_AT_ONCE)
        self._stopping = False

    async def run(self) -> None:
        """Work until `stop` is called; without a restore there is nothing to do."""
        while not self._stopping:
            try:
                await self.round()
            except NodeError as error:
                get_logger().error("recovery_unread", code=error.code, reason=error.internal)
            await self._core.bell.wait(DOUBTS_BELL, at_most_seconds=_LOOK_SECONDS)

    def stop(self) -> None:
        """End after the present group."""
        self._stopping = True
        self._core.bell.ring(DOUBTS_BELL)

    async def round(self) -> None:
        """Ask whoever is due for every group that is on its way back or in doubt, and settle what came."""
        core = self._core
        returning = {each.group_id: each for each in await core.store.read(recovering.list_recovering)}
        unsettled = set(await core.store.read(recovering.list_groups_with_orphans))
        doubted = {group_id for group_id, _ in core.doubts}
        wanted = sorted({*returning, *unsettled, *doubted, *self._states})
        await asyncio.gather(*(self._bring_on(group_id, returning.get(group_id)) for group_id in wanted))

    async def _bring_on(self, group_id: int, returning: RecoveringGroup | None) -> None:
        async with self._at_once:
            if self._stopping:
                return
            try:
                group, copies = await self._core.store.read(_read_group, self._core, group_id)
                if group is not None and group.is_local:
                    await self._step(group, copies, returning)
            except Exception:  # whatever a copy holds: the other groups go on, and this one is tried again
                get_logger().exception("recovery_failed", group_id=group_id)

    async def _step(self, group: Group, copies: dict[str, int], returning: RecoveringGroup | None) -> None:
        """Ask the nodes that are due, and settle once all were heard. copies: {host: behind what its copy starts}."""
        core, now = self._core, self._core.clock.now().timestamp()
        state = self._doubt(group, self._state(group, list(copies), returning), now)
        for gone in state.waiting - set(copies):
            state = state.drop(gone)
        for host in state.list_due(now, copies):
            if self._stopping:
                return
            state = state.ask(host, now)
            peer = core.peers.by_host(host)
            try:
                if peer is not None and peer.state == "active":
                    is_lost, chain = await self._hear(group, peer, copies[host])
                    state = state.hear(host, chain)
                    await core.store.write(_note_heard, group.group_id, peer.peer_id, chain)
                    if is_lost and returning is None:
                        await self._begin(group)
                        return
            except (NodeError, TimeoutError) as error:
                get_logger().info("copy_not_heard", group=group.uri, peer=host, reason=str(error))
        self._states[group.group_id] = state
        if not state.is_over(core.clock.now().timestamp()):
            return
        if await settle(core, self._tables, group, await core.store.read(_read_told, group)):
            get_logger().warning("group_recovered", group=group.uri, unheard=sorted(state.waiting))
        if not state.waiting:
            self._states.pop(group.group_id, None)
        core.bell.ring(LANES_BELL)
        core.bell.ring(INBOX_BELL)

    def _state(self, group: Group, hosts: list[str], returning: RecoveringGroup | None) -> Recovery:
        known = self._states.get(group.group_id)
        if returning is None:
            return known or be_calm(group.epoch)
        if known is not None and known != be_calm(known.epoch):  # an operator may end the waiting
            return replace(known, epoch=returning.next_epoch, began=returning.since_at.timestamp())
        begun = begin_recovery(epochs={group.epoch}, nodes=hosts, now=returning.since_at.timestamp())
        return replace(begun, epoch=returning.next_epoch)

    def _doubt(self, group: Group, state: Recovery, now: float) -> Recovery:
        """Take up what lanes and pages have noticed: a node that may hold more than we do."""
        for (group_id, peer_id), chain in list(self._core.doubts.items()):
            if group_id == group.group_id:
                del self._core.doubts[group_id, peer_id]
                peer = self._core.peers.by_id(peer_id)
                state = state.suspect(peer.host, chain, now) if peer is not None else state
        return state

    async def _begin(self, group: Group) -> None:
        """An entry with our signature lies beyond our log: it was restored, and nobody said so."""
        get_logger().warning("restore_noticed", group=group.uri)
        told = await self._core.store.read(_read_told, group)
        epochs = {group.epoch, *told.epochs.get(group.uri, ())}
        await self._core.store.write(_begin, group.group_id, max(epochs) + 1)
        self._states.pop(group.group_id, None)
        self._core.bell.ring(DOUBTS_BELL)

    async def _hear(self, group: Group, peer: Peer, base_seq: int) -> tuple[bool, str]:
        """Take what one node holds that we lack.

        Returns:
            Whether it proves that our log once went otherwise, and the chain at which the node stands.

        Raises:
            TimeoutError: It was too slow to give all; what came is kept.
        """
        core = self._core
        keys = await core.keyring.own(core.instance_id)
        keys_of_group = await core.store.read(_group_keys, group.group_id)
        at = [("at", f"{seq}.{chain}") for seq, chain in await self._find_places(group, peer, base_seq)]
        url = f"{peer.origin}/copies?{urlencode([('group', group.uri), *at])}"
        signer, is_lost, chain, seen = core.sign_for(keys, peer.origin), False, "", set[str]()
        async with asyncio.timeout(_HEAR_SECONDS):
            while True:
                _, raw = await core.client.get_document(url, signer=signer, limit_bytes=PAGE_LIMIT_BYTES)
                page = parse_document(raw, limit_bytes=PAGE_LIMIT_BYTES)
                entries = [each for each in _read_page(group, page, keys_of_group) if each.entry.chain not in seen]
                seen.update(each.entry.chain for each in entries)
                told = parse_position(str(page.get("logPosition", "")))
                chain = told[1].chain if told is not None else chain
                is_lost = await core.store.write(_keep, group, entries) or is_lost
                url = page.get("next", "")
                if not isinstance(url, str) or not url.startswith(f"{peer.origin}/copies?") or not entries:
                    return is_lost, chain

    async def _find_places(self, group: Group, peer: Peer, base_seq: int) -> list[tuple[int, str]]:
        """Return the places that the question names: of our log, and of what others have given already."""
        chains, places, orphans = await self._core.store.read(_read_locator, group, peer.peer_id, base_seq)
        kept = await asyncio.to_thread(read_kept, orphans)
        branches = list_branches([read_handed(each) for each in kept.values()], chains.get)
        return (places + branches)[:LOCATOR_PLACES]


def _read_page(group: Group, page: dict[str, Any], keys: dict[str, PublicKey]) -> list[ReceivedEntry]:
    """Return the entries of a page that a key of ours proves; the rest is counted and left alone."""
    items = page.get("orderedItems")
    if not isinstance(items, list):
        raise RemoteMalformed(internal="a part of a copy cannot be read")
    proved, forged = [], 0
    for item in items:
        try:
            received = read_announce(item if isinstance(item, dict) else {})
            if received.entry.group != group.uri:
                raise RemoteMalformed(internal="an entry of another group")
            if (method := entry_method(received)) not in keys:
                raise RemoteMalformed(internal=f"an entry proved by {method}, which is revoked or was never ours")
            verify_entry(received, keys[method])
        except NodeError:
            forged += 1
        else:
            proved.append(received)
    if forged:
        get_logger().warning("copies_forged", group=group.uri, entries=forged)
    return proved


async def _read_told(tx: Tx, group: Group) -> Told:
    return await journal.read_told(tx, group_uri=group.uri)


async def _read_group(tx: Tx, core: Core, group_id: int) -> tuple[Group | None, dict[str, int]]:
    """Return a group, and {host: behind what its copy starts} of the nodes that may hold it."""
    group = await get_group(tx, group_id=group_id)
    admitted = [
        (core.peers.by_id(each.peer_id), each.base_seq) for each in await list_admissions(tx, group_id=group_id)
    ]
    return group, {peer.host: base_seq for peer, base_seq in admitted if peer is not None}


async def _group_keys(tx: Tx, group_id: int) -> dict[str, PublicKey]:
    """Return the keys that the group has and had, but those that were revoked: with these anybody could prove anything."""
    return {
        row.key_id: load_multikey(row.public_key)
        for row in await list_keys_of(tx, actor_id=group_id)
        if row.algorithm == "ed25519" and row.state != "revoked"
    }


async def _read_locator(
    tx: Tx, group: Group, peer_id: int, base_seq: int
) -> tuple[dict[int, str], list[tuple[int, str]], list[Orphan]]:
    """Return chains of our log by number, those of them that a node is asked by, and what was given back already."""
    group_id = group.group_id
    position = await get_position(tx, group_id=group_id)
    assert position is not None
    lane = await get_lane(tx, peer_id=peer_id, stream=group.uri)
    first, last, cursor = min(base_seq, position.head.seq), position.head.seq, lane.cursor if lane else None
    orphans = await recovering.list_orphans(tx, group_id=group_id)
    wanted = {seq for seq, _ in build_locator(first, last, lambda seq: "", cursor=cursor)}
    wanted |= {orphan.seq - 1 for orphan in orphans if orphan.seq - 1 <= last}
    chains = {seq: await chain_at(tx, group_id=group_id, position=position, seq=seq) or "" for seq in sorted(wanted)}
    return chains, build_locator(first, last, chains.__getitem__, cursor=cursor), orphans


async def _keep(tx: Tx, group: Group, entries: list[ReceivedEntry]) -> bool:
    """Keep what we lack of some proved entries; return whether one shows that our log once went otherwise."""
    position = await get_position(tx, group_id=group.group_id)
    assert position is not None
    is_lost = False
    for received in entries:
        entry = received.entry
        chain_here = await get_chain(tx, group_id=group.group_id, seq=entry.seq)
        if chain_here == entry.chain:
            continue
        is_lost = is_lost or proves_loss(read_handed(received), position.head, chain_here=chain_here)
        if await get_entry_by_activity(tx, group_id=group.group_id, activity_uri=entry.activity) is None:
            await keep_handed(tx, group, received)
            if position.is_recovering:  # where the journal burned, epochs are learned from what comes back
                await recovering.begin(tx, group_id=group.group_id, next_epoch=entry.epoch + 1)
    await recovering.count_ask(tx, group_id=group.group_id)
    return is_lost


async def _note_heard(tx: Tx, group_id: int, peer_id: int, chain: str) -> None:
    await recovering.note_heard(tx, group_id=group_id, peer_id=peer_id, chain=chain)


async def _begin(tx: Tx, group_id: int, next_epoch: int) -> None:
    await recovering.begin(tx, group_id=group_id, next_epoch=next_epoch)

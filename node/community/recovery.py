"""Recovery of the groups hosted here: ask the member nodes for what a restore has lost, then let the logs go on.

`grouplog.recovery` decides who is asked when and when it is over; what came is kept and judged in `settling`. A node that
told a position beyond our log is asked like one that was not heard: perhaps we were restored and do not know it.

Spec: reliability.md 4.7; decision 0012.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any
from urllib.parse import urlencode

from node.domain.groups import Group
from node.domain.journal import Told
from node.domain.peers import Peer
from node.federation.grouplog.entry import ReceivedEntry, read_announce, verify_entry
from node.federation.grouplog.handed import build_locator, proves_loss
from node.federation.grouplog.position import parse_position
from node.federation.grouplog.recovery import Recovery, be_calm, begin_recovery
from node.federation.jsonld import parse_document
from node.federation.signatures.keys import PublicKey, load_multikey
from node.foundation.errors import NodeError, RemoteMalformed
from node.foundation.logs import get_logger
from node.inbox.dispatch import Tables
from node.inbox.receive import INBOX_BELL
from node.outbox.publish import LANES_BELL
from node.store import recovering
from node.store.actors import list_keys_of
from node.store.core import DOUBTS_BELL, Core
from node.store.engine import Tx
from node.store.logs import get_chain, get_entry_by_activity, get_position
from node.store.recovering import RecoveringGroup
from node.store.rosters import get_group, list_admissions

from .settling import keep_handed, read_handed, settle

PAGE_LIMIT_BYTES = 8_388_608
_LOOK_SECONDS = 5.0
_PAGES = 4000


class Recoverer:
    """Brings groups back in one process."""

    def __init__(self, core: Core, tables: Tables) -> None:
        self._core = core
        self._tables = tables
        self._states: dict[int, Recovery] = {}
        self._stopping = False

    async def run(self) -> None:
        """Work until `stop` is called; without a restore there is nothing to do."""
        while not self._stopping:
            try:
                await self.round()
            except Exception:  # whatever a copy holds: the other groups go on, and this one is tried again
                get_logger().exception("recovery_failed")
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
        for group_id in sorted({*returning, *unsettled, *doubted, *self._states}):
            if self._stopping:
                return
            group, hosts = await core.store.read(_read_group, core, group_id)
            if group is not None and group.is_local:
                await self._step(group, hosts, returning.get(group_id))

    async def _step(self, group: Group, hosts: list[str], returning: RecoveringGroup | None) -> None:
        core, now = self._core, self._core.clock.now().timestamp()
        state = self._doubt(group, self._state(group, hosts, returning), now)
        for gone in state.waiting - set(hosts):
            state = state.drop(gone)
        for host in state.list_due(now):
            if self._stopping:
                return
            state = state.ask(host, now)
            peer = core.peers.by_host(host)
            try:
                if peer is not None and peer.state == "active":
                    is_lost, chain = await self._hear(group, peer)
                    state = state.hear(host, chain)
                    if is_lost and returning is None:
                        await self._begin(group)
                        return
            except NodeError as error:
                get_logger().info("copy_not_heard", group=group.uri, peer=host, reason=error.internal)
        self._states[group.group_id] = state
        if not state.is_over(core.clock.now().timestamp()):
            return
        told = core.store.journal.read()
        if await settle(core, self._tables, group, told):
            get_logger().warning("group_recovered", group=group.uri, unheard=sorted(state.waiting))
        if not state.waiting:
            self._states.pop(group.group_id, None)
        core.bell.ring(LANES_BELL)
        core.bell.ring(INBOX_BELL)

    def _state(self, group: Group, hosts: list[str], returning: RecoveringGroup | None) -> Recovery:
        known = self._states.get(group.group_id)
        if returning is None:
            return known or be_calm(group.epoch)
        if known is not None and known.epoch == returning.next_epoch:
            return known
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
        epochs = {group.epoch, *self._core.store.journal.read().epochs.get(group.uri, ())}
        await self._core.store.write(_begin, group.group_id, max(epochs) + 1)
        self._states.pop(group.group_id, None)
        self._core.bell.ring(DOUBTS_BELL)

    async def _hear(self, group: Group, peer: Peer) -> tuple[bool, str]:
        """Take what one node holds that we lack.

        Returns:
            Whether it proves that our log once went otherwise, and the chain at which the node stands.
        """
        core = self._core
        keys = await core.keyring.own(core.instance_id)
        key = await core.store.read(_group_key, group.group_id)
        places = await core.store.read(_read_locator, group)
        at = [("at", f"{seq}.{chain}") for seq, chain in places]
        url = f"{peer.origin}/copies?{urlencode([('group', group.uri), *at])}"
        signer, is_lost, chain = core.sign_for(keys, peer.origin), False, ""
        for _ in range(_PAGES):
            _, raw = await core.client.get_document(url, signer=signer, limit_bytes=PAGE_LIMIT_BYTES)
            page = parse_document(raw, limit_bytes=PAGE_LIMIT_BYTES)
            entries = _read_page(group, page, key)
            told = parse_position(str(page.get("logPosition", "")))
            chain = told[1].chain if told is not None else chain
            is_lost = await core.store.write(_keep, group, entries, core.store.journal.read()) or is_lost
            url = page.get("next", "")
            if not isinstance(url, str) or not url.startswith(f"{peer.origin}/copies?") or not entries:
                break
        return is_lost, chain


def _read_page(group: Group, page: dict[str, Any], key: PublicKey) -> list[ReceivedEntry]:
    """Return the entries of a page that our own key proves; the rest is counted and left alone."""
    items = page.get("orderedItems")
    if not isinstance(items, list):
        raise RemoteMalformed(internal="a part of a copy cannot be read")
    proved, forged = [], 0
    for item in items:
        try:
            received = read_announce(item if isinstance(item, dict) else {})
            if received.entry.group != group.uri:
                raise RemoteMalformed(internal="an entry of another group")
            verify_entry(received, key)
        except NodeError:
            forged += 1
        else:
            proved.append(received)
    if forged:
        get_logger().warning("copies_forged", group=group.uri, entries=forged)
    return proved


async def _read_group(tx: Tx, core: Core, group_id: int) -> tuple[Group | None, list[str]]:
    """Return a group and the hosts of the nodes that may hold it."""
    group = await get_group(tx, group_id=group_id)
    peers = [core.peers.by_id(each.peer_id) for each in await list_admissions(tx, group_id=group_id)]
    return group, [peer.host for peer in peers if peer is not None]


async def _group_key(tx: Tx, group_id: int) -> PublicKey:
    rows = await list_keys_of(tx, actor_id=group_id)
    return load_multikey(next(row.public_key for row in rows if row.algorithm == "ed25519" and row.state == "current"))


async def _read_locator(tx: Tx, group: Group) -> list[tuple[int, str]]:
    """Return places of our log from its end back, for a node to find the last that it shares."""
    position = await get_position(tx, group_id=group.group_id)
    assert position is not None
    chains = {position.base_seq: position.base_chain}
    for seq, _ in build_locator(position.base_seq, position.head.seq, lambda seq: ""):
        if seq not in chains:
            chains[seq] = await get_chain(tx, group_id=group.group_id, seq=seq) or ""
    return build_locator(position.base_seq, position.head.seq, chains.__getitem__)


async def _keep(tx: Tx, group: Group, entries: list[ReceivedEntry], told: Told) -> bool:
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
    await recovering.count_ask(tx, group_id=group.group_id)
    return is_lost


async def _begin(tx: Tx, group_id: int, next_epoch: int) -> None:
    await recovering.begin(tx, group_id=group_id, next_epoch=next_epoch)

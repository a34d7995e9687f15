"""What a member's node gives back to a group's host after the host lost the end of its log.

    GET /copies?group=G&at=412.HEX&at=411.HEX&at=409.HEX…      signed by an actor of the host

The host names places of its log (number and chain); the answer is a page of the Announces behind the last of them that
our copy shares, as they were brought to us. `next` leads on; behind the end of the copy come pages of what we keep outside the
log because the host has not shown it again.

Spec: reliability.md 4.7; decision 0012.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qs, urlencode

from node.domain.access import may_node_read_copy
from node.domain.peers import Peer
from node.federation.grouplog.align import choose_told
from node.federation.grouplog.handed import LOCATOR_PLACES, choose_handing
from node.federation.grouplog.position import Position, format_position
from node.federation.message import Answer, Request
from node.foundation.errors import NotFound
from node.store.core import Core
from node.store.engine import Tx
from node.store.logs import StoredEntry, get_chain, get_position, list_entries
from node.store.recovering import ORPHANS_AT_ONCE, Orphan, get_newest_orphan, list_orphans_after, note_handed
from node.store.rosters import get_group_by_uri, has_local_members

from .actors import CONTEXT
from .answers import json_answer, read_number
from .publish import decode


async def copy_page(core: Core, peer: Peer, request: Request, parts: dict[str, str]) -> Answer:
    """Answer with a part of our copy of a group that the peer hosts."""
    query = parse_qs(request.query, keep_blank_values=True)
    group_uri, places, kept = query.get("group", [""])[-1], query.get("at", []), query.get("kept")
    after = read_number(query.get("after", [""])[-1], -1)
    asked = _Asked(group_uri, _read_locator(places), after, kept[-1] if kept else None)
    part = await core.store.read(_read_part, peer, asked)
    if part.kept:
        await core.store.write(_note_handed, part.kept)
    page: dict[str, Any] = {
        "@context": CONTEXT,
        "type": "OrderedCollectionPage",
        "id": f"{core.origin}/copies?{request.query}",
        "logPosition": format_position(group_uri, part.told),
        "orderedItems": [
            *(entry.announce(group_uri) for entry in part.entries),
            *(decode(orphan.document) for orphan in part.kept),
        ],
    }
    if part.next is not None:
        page["next"] = f"{core.origin}/copies?{urlencode({'group': group_uri, **part.next})}"
    return json_answer(page)


@dataclass(frozen=True, slots=True)
class _Asked:
    """What the host asks: after its locator, or (a later page) after a number of our copy, or a chain of what we keep."""

    group_uri: str
    locator: list[tuple[int, str]]
    after: int
    kept_after: str | None


@dataclass(frozen=True, slots=True)
class _Part:
    """Part of our copy of a group elsewhere. told: the position that our requests tell.

    kept: entries outside its log. next: what the address of the next part says; None for the last.
    """

    told: Position
    entries: list[StoredEntry]
    kept: list[Orphan]
    next: dict[str, object] | None


async def _read_part(tx: Tx, peer: Peer, asked: _Asked) -> _Part:
    group = await get_group_by_uri(tx, uri=asked.group_uri)
    if group is None or not may_node_read_copy(is_host=group.peer_id is not None and group.peer_id == peer.peer_id):
        raise NotFound
    position = await get_position(tx, group_id=group.group_id)
    if position is None or not await has_local_members(tx, group_id=group.group_id):
        raise NotFound
    newest = await get_newest_orphan(tx, group_id=group.group_id)
    told = choose_told(position.head, [newest] if newest else [])
    if asked.kept_after is not None:
        return await _read_kept(tx, group.group_id, told, asked.kept_after)
    after = asked.after
    if after < 0:
        held = {position.base_seq: position.base_chain}
        for seq, _ in asked.locator:
            if (
                seq != position.base_seq
                and (chain := await get_chain(tx, group_id=group.group_id, seq=seq)) is not None
            ):
                held[seq] = chain
        after = choose_handing(asked.locator, base_seq=position.base_seq, chain_at=held.get)
    entries = await list_entries(tx, group_id=group.group_id, after=after)
    if not entries:
        return await _read_kept(tx, group.group_id, told, "")
    more: dict[str, object] = {"after": entries[-1].seq}
    if entries[-1].seq < position.head.seq:
        return _Part(told, entries, [], more)
    return _Part(told, entries, [], {"kept": ""} if newest else None)


async def _read_kept(tx: Tx, group_id: int, told: Position, after: str) -> _Part:
    """Return the next of what we keep outside a copy."""
    kept = await list_orphans_after(tx, group_id=group_id, chain=after)
    return _Part(told, [], kept, {"kept": kept[-1].chain} if len(kept) == ORPHANS_AT_ONCE else None)


async def _note_handed(tx: Tx, kept: list[Orphan]) -> None:
    for orphan in kept:
        await note_handed(tx, group_id=orphan.group_id, chain=orphan.chain)


def _read_locator(places: list[str]) -> list[tuple[int, str]]:
    """Return (number, chain) of each place that can be read, at most as many as are asked for."""
    read = [place.partition(".") for place in places[:LOCATOR_PLACES]]
    return [(int(seq), chain) for seq, _, chain in read if seq.isascii() and seq.isdigit() and len(seq) < 17]

"""What a member's node gives back to a group's host after the host lost the end of its log.

    GET /copies?group=G&at=412.HEX&at=411.HEX&at=409.HEX…      signed by an actor of the host

The host names places of its log (number and chain); the answer is a page of the Announces behind the last of them that
our copy shares, as they were brought to us. `next` leads on; the last page ends with what we keep outside the log because
the host has not shown it again.

Spec: reliability.md 4.7; decision 0012.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qs, urlencode

from node.domain.access import may_node_read_copy
from node.domain.peers import Peer
from node.federation.grouplog.align import choose_told
from node.federation.grouplog.entry import read_announce
from node.federation.grouplog.handed import choose_handing
from node.federation.grouplog.position import Position, format_position
from node.federation.message import Answer, Request
from node.foundation.errors import NotFound
from node.store.core import Core
from node.store.engine import Tx
from node.store.logs import StoredEntry, get_chain, get_position, list_entries
from node.store.recovering import list_orphans
from node.store.rosters import get_group_by_uri, has_local_members

from .actors import CONTEXT
from .answers import json_answer, read_number
from .deliver import announce_entry
from .publish import decode


async def copy_page(core: Core, peer: Peer, request: Request, parts: dict[str, str]) -> Answer:
    """Answer with a part of our copy of a group that the peer hosts."""
    query = parse_qs(request.query)
    group_uri, places = query.get("group", [""])[-1], query.get("at", [])
    asked = _Asked(group_uri, _read_locator(places), read_number(query.get("after", [""])[-1], -1))
    part = await core.store.read(_read_part, peer, asked)
    page: dict[str, Any] = {
        "@context": CONTEXT,
        "type": "OrderedCollectionPage",
        "id": f"{core.origin}/copies?{request.query}",
        "logPosition": format_position(group_uri, part.told),
        "orderedItems": [*(announce_entry(group_uri, entry) for entry in part.entries), *map(decode, part.kept)],
    }
    if part.has_more:
        page["next"] = f"{core.origin}/copies?{urlencode({'group': group_uri, 'after': part.entries[-1].seq})}"
    return json_answer(page)


@dataclass(frozen=True, slots=True)
class _Asked:
    """What the host asks: after its locator, or (a later page) after a number of our copy."""

    group_uri: str
    locator: list[tuple[int, str]]
    after: int


@dataclass(frozen=True, slots=True)
class _Part:
    """Part of our copy of a group elsewhere. told: the position that our requests tell.

    kept: entries outside its log, as text; with the last part.
    """

    told: Position
    entries: list[StoredEntry]
    kept: list[str]
    has_more: bool


async def _read_part(tx: Tx, peer: Peer, asked: _Asked) -> _Part:
    group = await get_group_by_uri(tx, uri=asked.group_uri)
    if group is None or not may_node_read_copy(is_host=group.peer_id is not None and group.peer_id == peer.peer_id):
        raise NotFound
    position = await get_position(tx, group_id=group.group_id)
    if position is None or not await has_local_members(tx, group_id=group.group_id):
        raise NotFound
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
    has_more = bool(entries) and entries[-1].seq < position.head.seq
    orphans = await list_orphans(tx, group_id=group.group_id)
    told = choose_told(position.head, [read_announce(decode(each.document)).entry for each in orphans])
    return _Part(told, entries, [] if has_more else [each.document for each in orphans], has_more)


def _read_locator(places: list[str]) -> list[tuple[int, str]]:
    """Return (number, chain) of each place that can be read, at most 64."""
    read = [place.partition(".") for place in places[:64]]
    return [(int(seq), chain) for seq, _, chain in read if seq.isascii() and seq.isdigit() and len(seq) < 17]

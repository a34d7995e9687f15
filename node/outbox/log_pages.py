"""Pages of the logs hosted here, for nodes with a current member; and what a peer's position says about our log.

    GET G/log?after=SEQ&limit=50      with `Rounds-Log: G; epoch=E; seq=N; chain=HEX`, where the peer's copy stands

`logPosition` of a page tells where our log stands, `doneWith` that we need nothing more of what the peer kept for us. A copy of
an epoch before ours also gets our signed checkpoint, at which it may begin anew. Spec: wire.md 4.10; decision 0012.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qs

from node.domain.groups import Group
from node.domain.peers import Peer
from node.federation.grouplog.checkpoint import build_checkpoint
from node.federation.grouplog.handed import holds_more
from node.federation.grouplog.position import HEADER, Position, format_position, parse_position
from node.federation.grouplog.recovery import is_done_with
from node.federation.message import Answer, Request
from node.foundation.errors import NotFound
from node.store.core import Core
from node.store.engine import Tx
from node.store.logs import StoredEntry, chain_at, get_entry, get_position, list_entries
from node.store.recovering import get_heard, has_orphans

from .actors import CONTEXT
from .answers import json_answer, read_number
from .permitted import check_may_read, readable_group

PAGE_ENTRIES = 50


async def log_page(core: Core, peer: Peer, request: Request, parts: dict[str, str]) -> Answer:
    """Answer with a page of a log hosted here; the request may tell where the peer's copy stands."""
    query = parse_qs(request.query)
    after = read_number(query.get("after", ["0"])[-1], 0)
    limit = min(max(read_number(query.get("limit", [str(PAGE_ENTRIES)])[-1], PAGE_ENTRIES), 1), PAGE_ENTRIES)
    told = parse_position(request.one(HEADER))
    log = await core.store.read(_read_log, core, peer, parts["handle"], after, told)
    group, entries = log.group, log.entries[:limit]
    if told is not None and log.is_doubted:
        core.doubt(group.group_id, peer.peer_id, told[1].chain)
    page: dict[str, Any] = {
        "@context": CONTEXT,
        "type": "OrderedCollectionPage",
        "id": f"{group.uri}/log?after={after}&limit={limit}",
        "partOf": f"{group.uri}/log",
        "totalItems": group.head_seq,
        "orderedItems": [entry.announce(group.uri) for entry in entries],
        "logPosition": format_position(group.uri, log.head),
    }
    if told is not None and log.is_done_with:
        page["doneWith"] = told[1].chain
    if told is not None and told[1].epoch < log.head.epoch:  # a copy that has nothing in common with us begins here
        keys = await core.keyring.own(group.group_id)
        page["checkpoint"] = build_checkpoint(group.uri, log.base, keys.ed25519, method=keys.ed25519_key_id)
    if len(entries) == limit:
        page["next"] = f"{group.uri}/log?after={entries[-1].seq}&limit={limit}"
    return json_answer(page)


@dataclass(frozen=True, slots=True)
class _LogPart:
    """Part of a log of ours. base: behind which the peer may read. is_doubted: whether the peer may hold more than we.

    is_done_with: whether we need nothing more of what the peer keeps for us.
    """

    group: Group
    head: Position
    base: Position
    entries: list[StoredEntry]
    is_doubted: bool
    is_done_with: bool


async def _read_log(
    tx: Tx, core: Core, peer: Peer, handle: str, after: int, told: tuple[str, Position] | None
) -> _LogPart:
    group = await readable_group(tx, core, peer, handle)
    base_seq = await check_may_read(tx, group, peer)
    position = await get_position(tx, group_id=group.group_id)
    assert position is not None
    entries = await list_entries(tx, group_id=group.group_id, after=max(after, base_seq))
    is_doubted = is_done = False
    if told is not None and told[0] == group.uri:
        chain = await chain_at(tx, group_id=group.group_id, position=position, seq=told[1].seq)
        is_doubted = holds_more(told[1], position.head, chain_here=chain)
        heard = await get_heard(tx, group_id=group.group_id, peer_id=peer.peer_id)
        is_done = is_done_with(told[1], heard_chain=heard, chain_here=chain)
        is_done = is_done and not await has_orphans(tx, group_id=group.group_id)
    base_chain = await chain_at(tx, group_id=group.group_id, position=position, seq=base_seq)
    base = Position(position.head.epoch, base_seq, base_chain or "0" * 64)
    return _LogPart(group, position.head, base, entries, is_doubted, is_done)


async def log_entry(core: Core, peer: Peer, request: Request, parts: dict[str, str]) -> Answer:
    """Answer with one entry of a log hosted here."""
    group, entry = await core.store.read(_read_entry, core, peer, parts["handle"], read_number(parts["seq"], 0))
    return json_answer(entry.announce(group.uri))


async def _read_entry(tx: Tx, core: Core, peer: Peer, handle: str, seq: int) -> tuple[Group, StoredEntry]:
    group = await readable_group(tx, core, peer, handle)
    base = await check_may_read(tx, group, peer)
    entry = await get_entry(tx, group_id=group.group_id, seq=seq)
    if entry is None or entry.seq <= base:
        raise NotFound
    return group, entry

"""The list of nodes that several operators share: read, compared with ours, and taken over as proposals.

A list never makes a peer: who is new on it becomes a draft, whose words two people still compare; who is taken off it is
proposed for a pause on the desk, and nothing happens to it until an operator decides. Nobody is contacted by an import.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from urllib.parse import urlsplit

from node.domain.peers import Peer
from node.foundation.errors import Invalid, NodeError
from node.foundation.fingerprints import matches_fingerprint
from node.store.audit import write_audit
from node.store.core import Core
from node.store.engine import Tx
from node.store.listing import forget_listed, get_listed, leave_list, list_listed, put_listed
from node.store.peers import get_peer_by_host, insert_peer

from .facts import parse_peer
from .service import make_draft, require_peer, tell_peer

LINES_LIMIT = 5_000
_SPLIT = re.compile(r"[\s,;]+")
_ANY_KEY = "0" * 64
# Which of our peers a pause is proposed for when the list does not name them any more.
_CONCERNED = ("active", "verified")


@dataclass(frozen=True, slots=True)
class ListedNode:
    """One line of a list: where the node is, and the fingerprint that the list gives, or nothing."""

    origin: str
    fingerprint: str

    @property
    def host(self) -> str:
        """What people call it."""
        return urlsplit(self.origin).netloc


@dataclass(frozen=True, slots=True)
class Difference:
    """What a list changes here, by host: drafts to be made; pauses to be proposed; who is back on it; who stays as it is."""

    drafts: list[str]
    proposed: list[str]
    back: list[str]
    unchanged: list[str]


def read_list(core: Core, text: str) -> list[ListedNode]:
    """Return the nodes of a list: one a line, its host or URL, then its fingerprint if the list gives it.

    Hex or eight words, with commas, semicolons or spaces between. What begins with # is left out, so is our own node.

    Raises:
        Invalid: A line cannot be read, a node is there twice, or there is none; every such line is named.
    """
    found: dict[str, ListedNode] = {}
    wrong = []
    lines = text.splitlines()
    if len(lines) > LINES_LIMIT:
        raise Invalid(f"A list has at most {LINES_LIMIT} lines.")
    for number, line in enumerate(lines, 1):
        host, *rest = [part.strip('"') for part in _SPLIT.split(line.partition("#")[0].strip())]
        if not host or (number == 1 and host.lower() == "host") or _is_own(core, host):
            continue
        try:
            node = ListedNode(parse_peer(core, host), " ".join(filter(None, rest)).lower())
            if node.fingerprint:
                matches_fingerprint(node.fingerprint, _ANY_KEY)
            if node.host in found:
                raise Invalid("It is there twice.")
            found[node.host] = node
        except NodeError as error:
            wrong.append(f"line {number} ({host[:80]}): {error.safe}")
    if wrong:
        raise Invalid(f"Nothing was taken over. {' '.join(wrong[:20])}")
    if not found:
        raise Invalid("There is no node on this list. Nothing was changed.")
    return list(found.values())


async def compare_list(core: Core, nodes: list[ListedNode]) -> Difference:
    """Return what a list would change."""
    return await core.store.read(_compare, nodes)


async def import_list(core: Core, nodes: list[ListedNode], *, by: str) -> Difference:
    """Take a list over: drafts and proposals, nothing else."""
    return await core.store.write(_import, core, nodes, by)


async def keep_peer(core: Core, text: str, *, by: str) -> Peer:
    """Decide that a peer stays although the shared list does not name it any more.

    Raises:
        NotFound: It is no peer.
    """
    return await core.store.write(_keep, core, require_peer(core, text), by)


async def _compare(tx: Tx, nodes: list[ListedNode]) -> Difference:
    wanted = {node.host for node in nodes}
    known = {each.host: each for each in await list_listed(tx)}
    drafts, proposed, back = [], [], []
    for node in nodes:
        if await get_peer_by_host(tx, host=node.host) is None:
            drafts.append(node.host)
        elif node.host in known and known[node.host].left_at is not None:
            back.append(node.host)
    for host, listed in known.items():
        if host not in wanted and listed.left_at is None:
            peer = await get_peer_by_host(tx, host=host)
            if peer is not None and peer.state in _CONCERNED:
                proposed.append(host)
    changed = {*drafts, *back}
    return Difference(sorted(drafts), sorted(proposed), sorted(back), sorted(wanted - changed))


async def _import(tx: Tx, core: Core, nodes: list[ListedNode], by: str) -> Difference:
    difference = await _compare(tx, nodes)
    wanted = {node.host for node in nodes}
    for listed in await list_listed(tx):
        if listed.host not in wanted:
            await leave_list(tx, host=listed.host)
    for node in nodes:
        await put_listed(tx, host=node.host, fingerprint=node.fingerprint)
        if node.host in difference.drafts:
            draft = make_draft(core, node.origin)
            await insert_peer(tx, peer=draft)
            await write_audit(tx, actor=by, action="peer.draft", target=node.host, reason="by the shared list")
            await tell_peer(tx, core, draft.peer_id)
    for host in difference.proposed:
        await write_audit(tx, actor=by, action="peer.pause_proposed", target=host, reason="not on the shared list")
    return difference


async def _keep(tx: Tx, core: Core, peer: Peer, by: str) -> Peer:
    listed = await get_listed(tx, host=peer.host)
    if listed is None or listed.left_at is None:
        return peer
    await forget_listed(tx, host=peer.host)
    await write_audit(tx, actor=by, action="peer.kept", target=peer.host, reason="not on the shared list")
    return peer


def _is_own(core: Core, text: str) -> bool:
    return text.rstrip("/").lower() in (core.host, core.origin)

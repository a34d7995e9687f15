"""What operators read about peers: the ledger, one peer, and what a pause or a parting would touch."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from node.domain.peers import Peer
from node.federation.signatures.keys import fingerprint_hex
from node.foundation.fingerprints import fingerprint_words, matches_fingerprint
from node.outbox.waiting import WaitingLane, list_waiting_lanes, list_waiting_lanes_of
from node.store.actors import get_actor_by_uri
from node.store.audit import find_audit, list_audit_of
from node.store.core import Core
from node.store.engine import Tx
from node.store.listing import get_listed
from node.store.officers import Assent, list_assents_to_key
from node.store.peers import count_peer, list_peers
from node.store.rosters import list_groups
from node.store.sharing import SharedGroup, count_shared_groups, count_sharing_members, list_shared_groups

from .countersigning import find_key_to_confirm
from .service import require_peer

STEPS = ("found", "words", "agree", "test")


@dataclass(frozen=True, slots=True)
class Change:
    """The last time somebody changed a peer's state. by: their name, or "operator" for a command, "node" for itself."""

    by: str
    at: datetime
    reason: str


@dataclass(frozen=True, slots=True)
class PeerLine:
    """A peer in the ledger.

    trouble: the code of what is wrong on the way to it, or None; since: since when.
    members_here: its people in groups we hold. change: who paused or parted, for those states.
    waits_for_officer: whether its key was confirmed and another operator has to countersign.
    left_list_at: since when the shared list does not name it any more, where it did and a pause is proposed for that.
    """

    peer: Peer
    members_here: int
    groups_shared: int
    queued: int
    oldest_at: datetime | None
    trouble: str | None
    since: datetime | None
    change: Change | None
    waits_for_officer: bool
    left_list_at: datetime | None


@dataclass(frozen=True, slots=True)
class PeerPage:
    """Everything about one peer.

    own, theirs: (eight words, hex) of our key and of the key it shows; theirs is None until it was reached.
    offered: likewise of another key that it shows now, where nobody has compared that one yet; else None.
    assents: our operators who confirmed the key that waits for another one's word, where there is such a key.
    listed_fits: whether the key is the one that the shared list gives; None where it gives none, or no key is known.
    signed: who put the version of the agreement on record last, if anybody did.
    steps: (name, "done", "now" or "next"). shared: groups that both hold. our_members: how many of ours are in those.
    lanes: with the title of the group, where it is a group's. records: its last rows of the audit log, newest first.
    """

    line: PeerLine
    own: tuple[list[str], str]
    theirs: tuple[list[str], str] | None
    offered: tuple[list[str], str] | None
    assents: list[Assent]
    listed_fits: bool | None
    signed: Change | None
    steps: list[tuple[str, str]]
    shared: list[SharedGroup]
    our_members: int
    lanes: list[tuple[WaitingLane, str]]
    records: list[Any]

    @property
    def peer(self) -> Peer:
        """The peer."""
        return self.line.peer


async def own_fingerprint(core: Core) -> str:
    """Return the fingerprint of our instance key in hex: what we read to another operator."""
    keys = await core.keyring.own(core.instance_id)
    return fingerprint_hex(keys.ed25519.public)


async def read_ledger(core: Core) -> list[PeerLine]:
    """Return every peer, by host.

    Cost: about ten queries for each.
    """
    return await core.store.read(_ledger, core)


async def read_peer(core: Core, text: str) -> PeerPage:
    """Return one peer.

    Raises:
        NotFound: It is not on the list.
    """
    own = await own_fingerprint(core)
    return await core.store.read(_page, core, require_peer(core, text).peer_id, own)


def list_steps(peer: Peer) -> list[tuple[str, str]]:
    """Return how far two nodes have got: each step with "done", "now" or "next"."""
    is_agreed = peer.state in ("active", "paused")
    done = {
        "found": peer.fingerprint is not None,
        "words": is_agreed or peer.state == "verified",
        "agree": is_agreed,
        "test": is_agreed and None not in (peer.last_delivered_at, peer.last_received_at),
    }
    current = next((name for name in STEPS if not done[name]), None)
    return [(name, "done" if done[name] else "now" if name == current else "next") for name in STEPS]


async def _ledger(tx: Tx, core: Core) -> list[PeerLine]:
    lanes: dict[int, list[WaitingLane]] = {}
    for lane in await list_waiting_lanes(tx, core):
        lanes.setdefault(lane.row.peer_id, []).append(lane)
    return [await _line(tx, core, peer, lanes.get(peer.peer_id, [])) for peer in await list_peers(tx)]


async def _page(tx: Tx, core: Core, peer_id: int, own: str) -> PeerPage:
    peer = next(each for each in await list_peers(tx) if each.peer_id == peer_id)
    lanes = await list_waiting_lanes_of(tx, peer)
    titles = {group.group_id: group.title for group in await list_groups(tx) if not group.is_hidden}
    return PeerPage(
        line=await _line(tx, core, peer, lanes),
        own=(fingerprint_words(own), own),
        theirs=_show_key(peer.fingerprint),
        offered=_show_key(peer.offered),
        assents=await _list_assents(tx, core, peer),
        listed_fits=await _fits_list(tx, peer),
        signed=await _find_change(tx, core, peer, "peer.agreement") if peer.agreement_version is not None else None,
        steps=list_steps(peer),
        shared=await list_shared_groups(tx, peer_id=peer_id, host=peer.host),
        our_members=await count_sharing_members(tx, peer_id=peer_id),
        lanes=[(lane, titles.get(lane.row.group_id or 0, "")) for lane in lanes],
        records=await list_audit_of(tx, target=peer.host),
    )


def _show_key(fingerprint: str | None) -> tuple[list[str], str] | None:
    return (fingerprint_words(fingerprint), fingerprint) if fingerprint else None


async def _line(tx: Tx, core: Core, peer: Peer, lanes: list[WaitingLane]) -> PeerLine:
    counts = await count_peer(tx, peer=peer)
    troubled = [lane.row for lane in lanes if lane.queued and lane.row.error_code is not None]
    worst = min(troubled, key=lambda row: row.error_since_at or row.due_at, default=None)
    known = peer if peer.error_code is not None else worst
    return PeerLine(
        peer=peer,
        members_here=counts["members_here"],
        groups_shared=await count_shared_groups(tx, peer_id=peer.peer_id),
        queued=sum(lane.queued for lane in lanes),
        oldest_at=min((lane.oldest_at for lane in lanes if lane.oldest_at is not None), default=None),
        trouble=known.error_code if known else None,
        since=known.error_since_at if known else None,
        change=await _find_change(tx, core, peer, f"peer.{peer.state}") if peer.state in ("paused", "parted") else None,
        waits_for_officer=await _waits_for_officer(tx, core, peer),
        left_list_at=await _left_list_at(tx, peer),
    )


async def _left_list_at(tx: Tx, peer: Peer) -> datetime | None:
    listed = await get_listed(tx, host=peer.host) if peer.state in ("active", "verified") else None
    return listed.left_at if listed is not None else None


async def _fits_list(tx: Tx, peer: Peer) -> bool | None:
    listed = await get_listed(tx, host=peer.host)
    if listed is None or not listed.fingerprint or peer.fingerprint is None or listed.left_at is not None:
        return None
    return matches_fingerprint(listed.fingerprint, peer.fingerprint)


async def _waits_for_officer(tx: Tx, core: Core, peer: Peer) -> bool:
    if find_key_to_confirm(core, peer) is None:
        return False
    return peer.state == "verified" or bool(await _list_assents(tx, core, peer))


async def _list_assents(tx: Tx, core: Core, peer: Peer) -> list[Assent]:
    key = find_key_to_confirm(core, peer)
    return [] if key is None else await list_assents_to_key(tx, peer_id=peer.peer_id, fingerprint=key)


async def _find_change(tx: Tx, core: Core, peer: Peer, action: str) -> Change | None:
    row = await find_audit(tx, target=peer.host, action=action)
    return None if row is None else Change(await _name_of(tx, core, row.actor), row.written_at, row.reason or "")


async def _name_of(tx: Tx, core: Core, actor: str) -> str:
    """Return the name of a member of ours by address; anything else as it is."""
    handle, _, host = actor.partition("@")
    if host != core.host:
        return actor
    person = await get_actor_by_uri(tx, uri=f"{core.origin}/people/{handle}")
    return person.name if person is not None else actor

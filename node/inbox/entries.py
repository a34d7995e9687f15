"""Receive a log entry of a group hosted elsewhere: believed only whole, in order, and by the right keys.

*How it works.* The Announce is read; its signer must be the group, and the group one that we hold a copy of, hosted on
that peer. The group's proof over the entry, the commitment to the content and the author's own proof are checked before
the transaction; the place in the order is checked in it. What is next is stored and acknowledged; what we hold already
is acknowledged; what lies beyond waits a moment for its predecessor and is then refused with 409 and our position, as is
what contradicts our copy. The entry becomes a post later, in `process`.

The key that proves an author's words is the one on the card in force in *this* group (wire.md 4.9): a member of our own
by our own key, an actor of the host's node by its document, anybody else by their card alone. No author is contacted.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import msgspec

from node.domain.audience import Addressed, fits_group
from node.domain.groups import Group
from node.domain.peers import Peer
from node.federation.grouplog.entry import LogEntry, ReceivedEntry, entry_method, read_announce, verify_entry
from node.federation.grouplog.position import HEADER, Position, Verdict, format_position, judge, parse_position
from node.federation.integrity import proof_method, verify_proof
from node.federation.message import Answer
from node.federation.origin import check_announced_origins
from node.federation.signatures.keys import load_multikey
from node.federation.signatures.verify import VerifiedRequest
from node.federation.vocabulary import ActivityView, ObjectView
from node.foundation.errors import Forbidden, NodeError, NotFound, RemoteMalformed, SignatureInvalid
from node.foundation.logs import get_logger
from node.store.actors import get_actor_by_uri, list_methods
from node.store.core import Core
from node.store.engine import Tx
from node.store.logs import (
    Card,
    CopyPosition,
    append_entry,
    get_card,
    get_chain,
    get_position,
    insert_card,
    pull_at,
    store_entry,
)
from node.store.recovering import drop_orphans_of
from node.store.rosters import get_group_by_uri, has_local_members

from .arrival import read_arrival
from .cards import read_card
from .dereference import Dereferencer, parse_origin_of
from .dispatch import Arrival
from .received import note_received

WAIT_FOR_PREDECESSOR_SECONDS = 2.0
_WAIT_WITHIN = 64
_LOOK_AGAIN_SECONDS = 0.05
_FRESH_KEPT = 512
PULL_BELL = "pull"

# The verbs that each kind of entry may carry; a Tombstone may stand for any of them.
VERBS: dict[str, frozenset[str]] = {
    "create": frozenset({"Create", "Offer"}),
    "update": frozenset({"Update", "Accept", "Reject"}),
    "delete": frozenset({"Delete"}),
    "remove": frozenset({"Delete", "Remove"}),
    "lock": frozenset({"Lock", "Undo"}),
    "pin": frozenset({"Add", "Remove"}),
    "split": frozenset({"Add"}),
    "role": frozenset({"Add", "Remove"}),
    "author": frozenset({"Add"}),
    "readers": frozenset({"Update"}),
    "settings": frozenset({"Update"}),
    "count": frozenset({"Update"}),
}
_BY_THE_GROUP = frozenset({"author", "readers", "settings", "count"})
_AUTHORED = frozenset({"create", "update", "delete"})


@dataclass(frozen=True, slots=True)
class _Copy:
    """What we know of the group an entry belongs to, read in one snapshot."""

    group: Group
    has_members: bool
    position: CopyPosition
    card: Card | None
    holds_it: bool


@dataclass(frozen=True, slots=True)
class CheckedEntry:
    """An entry whose proofs hold; its place is still to be judged.

    text: the activity as JSON. arrival: what it says; None once it was erased. card: the author's card it brings, if any.
    """

    received: ReceivedEntry
    text: str
    arrival: Arrival | None = None
    card: Card | None = None


class EntryReceiver:
    """Takes log entries for one process."""

    def __init__(self, core: Core, dereferencer: Dereferencer) -> None:
        self._core = core
        self._dereferencer = dereferencer
        self._moved: dict[int, asyncio.Condition] = {}
        self._fresh: dict[str, Arrival] = {}

    def take_fresh(self, chain: str) -> Arrival | None:
        """Return what was read of an entry a moment ago, so that `process` need not read it again."""
        return self._fresh.pop(chain, None)

    async def receive(self, proof: VerifiedRequest, peer: Peer, document: dict[str, Any], header: str | None) -> Answer:
        """Take one Announce with a log entry and return 202 or 409, with our position.

        Raises:
            NotFound: We hold no copy of this group from this peer.
            ProtocolError: The entry cannot be believed; nothing is written.
        """
        received = read_announce(document)
        if proof.actor_uri != received.entry.group:
            raise Forbidden(internal=f"{proof.actor_uri} announces an entry of {received.entry.group}")
        copy = await self._find_copy(received)
        if copy is None or copy.group.peer_id != peer.peer_id:
            raise NotFound(internal=f"no copy of {received.entry.group} from {peer.host}")
        if not copy.has_members:
            # Asked for, not yet let in: whatever we missed is pulled once the Accept is here.
            return _answer(409, copy.group, copy.position.head)
        await self._note_head(copy, header)
        if copy.holds_it:  # checked when it came, by the card of then
            return _answer(202, copy.group, copy.position.head)
        checked = await self.check(copy.group, received, copy.card)
        return await self._keep(copy.group, peer, checked)

    async def _find_copy(self, received: ReceivedEntry) -> _Copy | None:
        """Return our copy of the group, once somebody here is in it: the Accept before may not be acted on yet."""
        deadline = self._core.clock.monotonic() + WAIT_FOR_PREDECESSOR_SECONDS
        while True:
            copy = await self._core.store.read(_read_copy, received)
            if (copy is not None and copy.has_members) or self._core.clock.monotonic() > deadline:
                return copy
            await asyncio.sleep(_LOOK_AGAIN_SECONDS)

    async def check(self, group: Group, received: ReceivedEntry, card: Card | None) -> CheckedEntry:
        """Check proofs and content of an entry. `card`: its author's, in force in this group.

        Raises:
            ProtocolError: It cannot be believed. The request was signed well, so a bad proof inside is no 401.
        """
        try:
            return await self._check(group, received, card)
        except SignatureInvalid as error:
            raise RemoteMalformed(internal=error.internal) from error

    async def _check(self, group: Group, received: ReceivedEntry, card: Card | None) -> CheckedEntry:
        peer = self._core.peers.by_id(group.peer_id or 0)
        if peer is None:
            raise NotFound(internal=f"the host of {group.uri} is no peer")
        seq = received.entry.seq
        group_key = await self._dereferencer.get_proving_key(entry_method(received), peer, seq=seq)
        if group_key.actor_uri != group.uri:
            raise RemoteMalformed(internal=f"the key of {group.uri} belongs to {group_key.actor_uri}")
        verify_entry(received, group_key.key)
        text = msgspec.json.encode(received.object).decode()
        if received.salt is None:
            return CheckedEntry(received, text)
        arrival = read_arrival(received.object, text, peer_id=peer.peer_id)
        view, kind = arrival.view, received.entry.kind
        if view.type not in VERBS[kind]:
            raise RemoteMalformed(f"A {view.type} cannot stand in an entry of kind {kind}.")
        if view.actor == group.uri:
            return CheckedEntry(received, text, arrival, await self._check_group_words(group, received, view))
        if kind in _BY_THE_GROUP:
            raise RemoteMalformed(f"An entry of kind {kind} is the group's own.")
        _check_audience(group, view)
        moderators = (view.actor,) if kind == "remove" else ()  # the host decided by their role
        check_announced_origins(view, moderators=moderators, allow_insecure=self._core.allow_insecure)
        await self._check_author(group, peer, received, card)
        return CheckedEntry(received, text, arrival)

    async def _check_group_words(self, group: Group, received: ReceivedEntry, view: ActivityView) -> Card | None:
        """The group speaks for itself under the proof of the entry; a card may not contradict what we know better."""
        if received.entry.kind in _AUTHORED:
            check_announced_origins(view, allow_insecure=self._core.allow_insecure)
        if received.entry.kind != "author":
            return None
        card = view.object
        if view.target != f"{group.uri}/authors" or card is None or not isinstance(card.get("id"), str):
            raise RemoteMalformed("An author's card cannot be read.")
        read = read_card(received.entry.seq, card, msgspec.json.encode(card).decode())
        has_key = read.key_id is not None and read.public_key is not None
        await self._check_card(card["id"], (read.key_id or "", read.public_key or "") if has_key else None)
        return read

    async def _check_card(self, actor_uri: str, method: tuple[str, str] | None) -> None:
        """Refuse a card for one of our own, or for an actor of another peer of ours, that names another key."""
        origin = parse_origin_of(self._core, actor_uri)
        if not origin:
            raise RemoteMalformed("An author's card names no address.")
        peer = self._core.peers.active(origin)
        if origin != self._core.origin and peer is None:
            return
        ours = await self._core.store.read(_known_methods, actor_uri)
        if not ours and peer is None:
            raise RemoteMalformed("An author's card names somebody who is not here.")
        if method is not None and ours.get(method[0]) == method[1]:
            return
        if peer is not None:
            try:
                await self._dereferencer.fetch_actor(actor_uri, peer)
            except NodeError as error:
                if not ours:  # their node is down, or does not show them to us: it does not disagree either
                    get_logger().info("author_card_unchecked", author=actor_uri, reason=error.internal)
                    return
                raise
            ours = await self._core.store.read(_known_methods, actor_uri)
            if ours.get(method[0]) == method[1] if method is not None else not ours:
                return
        get_logger().warning("author_card_disagrees", author=actor_uri)
        raise RemoteMalformed("An author's card names another key than the author's own node does.")

    async def _check_author(self, group: Group, peer: Peer, received: ReceivedEntry, card: Card | None) -> None:
        """Check the author's own proof by the key in force in this group; of ours, by one that they have or had."""
        author = received.object["actor"]
        origin = parse_origin_of(self._core, author)
        named = proof_method(received.object)
        if origin == self._core.origin:
            methods = await self._core.store.read(_known_methods, author)
            if not methods:
                raise RemoteMalformed("The entry's author is not here.")
        elif card is not None:
            methods = {card.key_id or "": card.public_key} if card.public_key else {}
        elif origin == peer.origin:
            methods = await self._methods_of_host_actor(author, peer, named)
        else:
            raise RemoteMalformed("The log has no card for this author.")
        if not methods:
            return  # an author of software without Ed25519: relayed, unsigned (wire.md 4.5)
        if named is None or named not in methods:
            raise RemoteMalformed("The entry's content does not carry its author's proof.")
        verify_proof(received.object, load_multikey(methods[named]))

    async def _methods_of_host_actor(self, author: str, peer: Peer, named: str | None) -> dict[str, str]:
        """An actor of the host's own node needs no card: its node vouches for it by its document."""
        methods = await self._core.store.read(_known_methods, author)
        if not methods and not await self._core.store.read(_is_known, author):
            await self._dereferencer.fetch_actor(author, peer)
            methods = await self._core.store.read(_known_methods, author)
        elif methods and named is not None and named not in methods:  # changed since; asked for within the limits
            await self._dereferencer.get_key(named, peer)
            methods = await self._core.store.read(_known_methods, author)
        return methods

    async def keep(self, group: Group, peer: Peer, checked: CheckedEntry) -> tuple[Verdict, Position]:
        """Store an entry if it is next; return the verdict and where our copy then stands."""
        self._remember(checked)
        verdict, head = await self._core.write_arrival(_keep, self._core, group, peer, checked)
        if verdict is not Verdict.NEXT:
            self._fresh.pop(checked.received.entry.chain, None)
        return verdict, head

    async def keep_all(
        self, group: Group, peer: Peer, several: Sequence[CheckedEntry]
    ) -> list[tuple[LogEntry, Verdict]]:
        """Store entries that follow one another, in one transaction; return verdicts up to the first that does not follow."""
        if not several:
            return []
        for checked in several:
            self._remember(checked)
        verdicts = await self._core.write_arrival(_keep_all, self._core, group, peer, several)
        found = [(checked.received.entry, verdict) for checked, verdict in zip(several, verdicts, strict=False)]
        for entry, verdict in found:
            if verdict is not Verdict.NEXT:
                self._fresh.pop(entry.chain, None)
        return found

    def _remember(self, checked: CheckedEntry) -> None:
        if checked.arrival is not None:
            self._fresh[checked.received.entry.chain] = checked.arrival
            if len(self._fresh) > _FRESH_KEPT:
                self._fresh.pop(next(iter(self._fresh)))

    async def _keep(self, group: Group, peer: Peer, checked: CheckedEntry) -> Answer:
        """Store the entry if it is next; one whose predecessor is on its way waits for it."""
        deadline = self._core.clock.monotonic() + WAIT_FOR_PREDECESSOR_SECONDS
        condition = self._moved.setdefault(group.group_id, asyncio.Condition())
        while True:
            verdict, head = await self.keep(group, peer, checked)
            if verdict is Verdict.NEXT:
                async with condition:
                    condition.notify_all()
                return _answer(202, group, head)
            if verdict is Verdict.HELD:
                return _answer(202, group, head)
            remaining = deadline - self._core.clock.monotonic()
            seq = checked.received.entry.seq
            is_near = verdict is Verdict.GAP and seq - head.seq <= _WAIT_WITHIN
            if verdict in (Verdict.RECOUNTED, Verdict.DIVERGED):
                await self._core.store.write(_pull_now, group.group_id)
                self._core.bell.ring(PULL_BELL)
            if not is_near or remaining <= 0:
                get_logger().info("entry_refused", group=group.uri, seq=seq, verdict=verdict.value)
                return _answer(409, group, head)
            await _wait(condition, min(remaining, _LOOK_AGAIN_SECONDS))

    async def _note_head(self, copy: _Copy, header: str | None) -> None:
        """A host that is far ahead of us is asked for what we lack, page by page, at our own pace."""
        told = parse_position(header)
        if told is not None and told[0] == copy.group.uri and told[1].seq > copy.position.head.seq + _WAIT_WITHIN:
            await self._core.store.write(_pull_now, copy.group.group_id)
            self._core.bell.ring(PULL_BELL)


async def _keep(tx: Tx, core: Core, group: Group, peer: Peer, checked: CheckedEntry) -> tuple[Verdict, Position]:
    received, entry, card = checked.received, checked.received.entry, checked.card
    position = await get_position(tx, group_id=group.group_id)
    if position is None or not await has_local_members(tx, group_id=group.group_id):
        return Verdict.GAP, Position(entry.epoch, 0, "0" * 64)
    held = await get_chain(tx, group_id=group.group_id, seq=entry.seq)
    verdict = judge(entry, position.head, base_seq=position.base_seq, held_chain=held)
    if verdict is not Verdict.NEXT:
        return verdict, position.head
    if not await append_entry(tx, group_id=group.group_id, stored=store_entry(received, checked.text)):
        return Verdict.GAP, position.head
    if entry.epoch > 1:  # what we kept for a host that was restored: now its log shows it
        await drop_orphans_of(tx, group_id=group.group_id, activity_uri=entry.activity)
    if card is not None:
        actor_uri = msgspec.json.decode(card.document)["id"]
        await insert_card(tx, group_id=group.group_id, actor_uri=actor_uri, card=card)
    await note_received(tx, core, peer)
    return Verdict.NEXT, Position(entry.epoch, entry.seq, entry.chain)


async def _keep_all(tx: Tx, core: Core, group: Group, peer: Peer, several: Sequence[CheckedEntry]) -> list[Verdict]:
    verdicts = []
    for checked in several:
        verdict, _ = await _keep(tx, core, group, peer, checked)
        verdicts.append(verdict)
        if verdict not in (Verdict.NEXT, Verdict.HELD):
            break
    return verdicts


async def _pull_now(tx: Tx, group_id: int) -> None:
    await pull_at(tx, group_id=group_id, due_at=tx.now)


async def _read_copy(tx: Tx, received: ReceivedEntry) -> _Copy | None:
    group = await get_group_by_uri(tx, uri=received.entry.group)
    if group is None:
        return None
    position = await get_position(tx, group_id=group.group_id)
    if position is None:
        return None
    author = received.object.get("actor")
    card = None
    if isinstance(author, str):
        card = await get_card(tx, group_id=group.group_id, actor_uri=author)
    holds_it = await get_chain(tx, group_id=group.group_id, seq=received.entry.seq) == received.entry.chain
    return _Copy(group, await has_local_members(tx, group_id=group.group_id), position, card, holds_it)


async def _known_methods(tx: Tx, actor_uri: str) -> dict[str, str]:
    return await list_methods(tx, uri=actor_uri)


async def _is_known(tx: Tx, actor_uri: str) -> bool:
    actor = await get_actor_by_uri(tx, uri=actor_uri)
    return actor is not None and actor.known_through is None


def _check_audience(group: Group, view: ActivityView) -> None:
    """Raise unless a member's words were said in this group: a host may not show elsewhere what it has read (T20)."""
    said: list[ActivityView | ObjectView] = [view]
    named: list[str] = []
    if isinstance(view.inner, ObjectView) and view.type in ("Create", "Update"):
        said.append(view.inner)
        named = [tag.href for tag in view.inner.mentions if tag.href]
    for each in said:
        addressed = Addressed(frozenset((*each.to, *each.cc)), next(iter(each.audience), None))
        if (problem := fits_group(addressed, group.uri, named=named)) is not None:
            raise RemoteMalformed(problem)


def _answer(status: int, group: Group, position: Position) -> Answer:
    return Answer(status, ((HEADER, format_position(group.uri, position)),))


async def _wait(condition: asyncio.Condition, seconds: float) -> None:
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(seconds), condition:
            await condition.wait()

"""Receive: from a request at an inbox to a durable row and an answer. The corridor on one page.

*How it works* (design.md §2, path 1; contract.md 2.5).

1. Signature headers are read; none: 401, unreadable: 400.
2. The host of the key id is looked up in the allow-list, before anything is fetched: stranger 403, paused 503.
   A node short of room or of time says so here, before it does anything for the request: 503, 429.
3. Coverage, time and digest are checked; then the key is had from memory, from the store, or fetched from that peer.
4. The signature is verified once; a known key that fails is fetched anew at most once a minute.
5. The actor of the activity is exactly the owner of the key, and *that actor's* origin is an active peer.
6. The body is parsed strictly and its ids belong to the actor's origin.
   A test between two nodes (`probes`) ends here.
7. One transaction keeps it; a log entry has its place checked there. Then 202.

Handlers run later, in `process`. Whatever acts on remote words takes the `VerifiedRequest` as a parameter.
"""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
from collections import defaultdict
from collections.abc import Awaitable, Callable
from datetime import datetime
from typing import Any

from node.domain.peers import Peer
from node.federation.jsonld import parse_document
from node.federation.mediatypes import is_activity_type
from node.federation.message import Answer, Request
from node.federation.origin import check_activity_origins
from node.federation.probes import read_probe
from node.federation.signatures.verify import Claim, VerifiedRequest, check_claim, read_claim, verify_claim
from node.foundation.clock import format_instant
from node.foundation.errors import (
    Forbidden,
    NodeError,
    SignatureExpired,
    SignatureInvalid,
    TooMany,
    Unavailable,
    UnsupportedActivity,
    UnsupportedType,
)
from node.foundation.logs import get_logger
from node.store.activities import get_digest, insert_activity
from node.store.core import Core
from node.store.engine import Tx
from node.store.keyring import KnownKey
from node.store.tally import RECEIVED

from .arrival import read_arrival
from .dereference import Dereferencer, parse_origin_of
from .dispatch import Arrival
from .entries import EntryReceiver
from .probes import ProbeTaker
from .received import note_received

PAUSED_RETRY_SECONDS = 300
WAIT_FOR_TURN_SECONDS = 2.0
INBOX_BELL = "inbox"

Check = Callable[[Peer], Awaitable[None]]


class Receiver:
    """Takes activities for one process."""

    def __init__(self, core: Core, dereferencer: Dereferencer) -> None:
        self._core = core
        self._dereferencer = dereferencer
        self.entries = EntryReceiver(core, dereferencer)
        self._probes = ProbeTaker(core)
        limit = core.config.limits.in_flight_per_peer
        self._turns: defaultdict[int, asyncio.Semaphore] = defaultdict(lambda: asyncio.Semaphore(limit))
        self._fresh: dict[int, Arrival] = {}

    def take_fresh(self, activity_id: int) -> Arrival | None:
        """Return what was read of an activity a moment ago, so that `process` need not read it again."""
        return self._fresh.pop(activity_id, None)

    async def receive(self, request: Request, *, check: Check | None = None) -> Answer:
        """Take one activity and return the answer; errors are raised and become a status at the door.

        Args:
            request: As received.
            check: Raises unless this inbox is there for the peer; asked only once the signature is good, so that a
                forger learns nothing (T23).

        Raises:
            Refused: With the status of contract.md 2.5.
            ProtocolError: 400.
            Unavailable, TooMany: The node is short of room, or of time for this peer.
        """
        claim, peer = self.identify(request)
        if not is_activity_type(request.one("content-type") or ""):
            raise UnsupportedType
        self._core.pressure.check_arrival(peer)
        turn = self._turns[peer.peer_id]
        if turn.locked():
            await self._wait_for_turn(turn, peer)
        else:
            await turn.acquire()  # does not wait, so needs no clock
        try:
            answer = await self._receive(request, claim, peer, check)
        finally:
            turn.release()
        if answer.status == 202:
            self._core.tally.count(RECEIVED, self._core.clock.now())
        return answer

    def identify(self, request: Request) -> tuple[Claim, Peer]:
        """Return what a request claims, and the active peer that its key id belongs to. Nothing is fetched.

        Raises:
            SignatureMissing, SignatureInvalid, Malformed: 401, 401, 400.
            Forbidden: The host is not on the list, or not active.
            Unavailable: The peer is paused.
        """
        claim = read_claim(request, origin=self._core.origin)
        peer = self._core.peers.by_origin(parse_origin_of(self._core, claim.key_id))
        if peer is not None and peer.state == "paused":
            raise Unavailable("This peer is paused.", retry_after_seconds=PAUSED_RETRY_SECONDS)
        if peer is None or peer.state != "active":
            raise Forbidden(internal=f"the host of {claim.key_id[:200]} is not an active peer")
        return claim, peer

    async def _wait_for_turn(self, turn: asyncio.Semaphore, peer: Peer) -> None:
        try:
            async with asyncio.timeout(WAIT_FOR_TURN_SECONDS):
                await turn.acquire()
        except TimeoutError:
            raise TooMany(internal=f"too many requests of {peer.host} in flight") from None

    async def verify(self, request: Request, claim: Claim, peer: Peer) -> VerifiedRequest:
        """Return the proof of who sent a request.

        Raises:
            Unauthenticated: The signature does not hold, or its key cannot be had.
        """
        core = self._core
        try:
            check_claim(claim, request, authority=core.host, now=core.clock.now())
        except SignatureExpired:
            await self._note_clock(request, claim, peer)
            raise
        known = await self._dereferencer.get_key(claim.key_id, peer)
        try:
            check_expiry(known, now=core.clock.now())
            proof = verify_claim(
                claim, request, known.key, owner=known.actor_uri, authority=core.host, now=core.clock.now()
            )
        except SignatureInvalid:
            renewed = await self._dereferencer.get_key_again(claim.key_id, peer)
            if renewed is None or (renewed.key, renewed.expires_at) == (known.key, known.expires_at):
                raise
            check_expiry(renewed, now=core.clock.now())
            get_logger().warning("peer_key_changed", key=claim.key_id, peer=peer.host)
            proof = verify_claim(
                claim, request, renewed.key, owner=renewed.actor_uri, authority=core.host, now=core.clock.now()
            )
        owner = core.peers.by_origin(parse_origin_of(core, proof.actor_uri))
        if owner is None or owner.peer_id != peer.peer_id or owner.state != "active":
            raise Forbidden(internal=f"the owner of {claim.key_id} is not of an active peer")
        core.tally.hear_signed(peer.peer_id, claim.created_at, core.clock.now())
        return proof

    async def _note_clock(self, request: Request, claim: Claim, peer: Peer) -> None:
        """Note what a peer's clock says if it is why it was refused: a known key, and good at the time that it names."""
        core, known = self._core, await self._core.keyring.known(claim.key_id)
        if known is None or claim.created_at is None:
            return
        with contextlib.suppress(NodeError):
            verify_claim(claim, request, known.key, owner=known.actor_uri, authority=core.host, now=claim.created_at)
            core.tally.hear_signed(peer.peer_id, claim.created_at, core.clock.now())

    async def _receive(self, request: Request, claim: Claim, peer: Peer, check: Check | None) -> Answer:
        core = self._core
        if await self._is_delete_of_stranger(request, claim):
            return Answer(202)
        proof = await self.verify(request, claim, peer)
        if check is not None:
            await check(peer)
        document = parse_document(request.body, limit_bytes=core.config.limits.inbox_bytes)
        if document.get("actor") != proof.actor_uri:
            raise Forbidden(internal=f"{claim.key_id} speaks for another actor")
        if isinstance(document.get("logEntry"), dict):
            answer = await self.entries.receive(proof, peer, document, request.one("rounds-log"))
            core.bell.ring(INBOX_BELL)
            return answer
        try:
            arrival = read_arrival(document, request.body.decode(), peer_id=peer.peer_id)
        except UnsupportedActivity as error:
            get_logger().info("activity_dropped", peer=peer.host, reason=error.internal)
            return Answer(202)
        check_activity_origins(
            arrival.view,
            signer=proof.actor_uri,
            moderators=(proof.actor_uri,) if self.is_for_our_group(arrival) else (),
            allow_insecure=core.allow_insecure,
        )
        if (tested := await self._test(document, peer)) is not None:
            return tested
        await self._keep(arrival, peer, request.body)
        return Answer(202)

    async def _test(self, document: dict[str, Any], peer: Peer) -> Answer | None:
        """Answer a step of a test between two nodes; None for everything else."""
        if peer.instance_uri is None:
            return None
        probe = read_probe(document, origin=peer.origin, actor=peer.instance_uri, reader=self._core.instance_uri)
        return None if probe is None else await self._probes.take(probe, peer)

    def is_for_our_group(self, arrival: Arrival) -> bool:
        """Say whether an activity goes to a group hosted here: there a moderator may act on what others wrote."""
        groups = f"{self._core.origin}/groups/"
        return any(uri.startswith(groups) for uri in (*arrival.view.audience, *arrival.view.to, *arrival.view.cc))

    async def _is_delete_of_stranger(self, request: Request, claim: Claim) -> bool:
        """Say whether somebody we never heard of was deleted: there is nothing to do, and no key to fetch (T14)."""
        if b'"Delete"' not in request.body or await self._core.keyring.known(claim.key_id) is not None:
            return False
        document = parse_document(request.body, limit_bytes=self._core.config.limits.inbox_bytes)
        target = document.get("object")
        target = target.get("id") if isinstance(target, dict) else target
        return document.get("type") == "Delete" and target == document.get("actor")

    async def _keep(self, arrival: Arrival, peer: Peer, body: bytes) -> None:
        core = self._core
        activity_id = core.ids.number()
        digest = hashlib.sha256(body).hexdigest()
        self._fresh[activity_id] = arrival
        if len(self._fresh) > 2000:
            self._fresh.pop(next(iter(self._fresh)))
        is_new = await core.write_arrival(_keep, core, activity_id, arrival, peer, digest)
        if not is_new:
            self._fresh.pop(activity_id, None)
        core.bell.ring(INBOX_BELL)


def check_expiry(known: KnownKey, *, now: datetime) -> None:
    """Raise when a key's own node has said that it signs no more.

    Raises:
        SignatureInvalid: Its time is over.
    """
    if known.expires_at is not None and known.expires_at <= now:
        raise SignatureInvalid(internal=f"the key {known.key_id} expired at {format_instant(known.expires_at)}")


async def _keep(tx: Tx, core: Core, activity_id: int, arrival: Arrival, peer: Peer, digest: str) -> bool:
    """Keep an activity unless its id was taken; the first body under an id is the one that counts."""
    is_new = await insert_activity(
        tx,
        activity_id=activity_id,
        uri=arrival.uri,
        peer_id=peer.peer_id,
        actor_uri=arrival.actor_uri,
        type=arrival.type,
        digest=digest,
        document=arrival.text,
    )
    if not is_new and await get_digest(tx, uri=arrival.uri) != digest:
        get_logger().warning("activity_id_reused", uri=arrival.uri, peer=peer.host)
    await note_received(tx, core, peer)
    return is_new

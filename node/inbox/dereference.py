"""Dereference: fetch actors and keys of active peers, boundedly, and keep what they say.

*How it works.* Only origins of active peers are asked, with a signature of our instance actor. Per key id one fetch is
under way at a time; all of them share a bucket of 300, refilled 60 a minute; what failed is not asked again for ten
minutes, or for five seconds where the peer was not there to answer. A document counts only if its `id` is the address
that answered, and a key only if its owner lists it (T03 to T05).
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any
from urllib.parse import urldefrag, urlsplit

import msgspec

from node.domain.actors import Actor
from node.domain.peers import Peer
from node.federation.jsonld import normalize_document, parse_document
from node.federation.message import KeyDocument
from node.federation.negativecache import NegativeCache
from node.federation.origin import check_actor_origins, parse_origin
from node.federation.signatures.keys import fingerprint_hex, load_key_document
from node.federation.succession import leads_to
from node.federation.vocabulary import ActorView, understand
from node.foundation.errors import (
    Forbidden,
    KeyOutOfReach,
    KeyUnavailable,
    NodeError,
    OriginMismatch,
    Refusing,
    RemoteMalformed,
    StoreError,
    TooMany,
    Unreachable,
)
from node.foundation.logs import get_logger
from node.foundation.text import clean_line, sanitize_html
from node.store.actors import get_actor_document, save_remote_actor
from node.store.audit import write_audit
from node.store.core import Core
from node.store.engine import Tx
from node.store.keyring import KnownKey
from node.store.peers import (
    get_peer,
    take_peer,
    update_peer_error,
    update_peer_facts,
    update_peer_offered,
    update_peer_state,
)

from .attested import learn_attestation, needs_instance

BUCKET_SIZE = 300
REFILL_PER_SECOND = 1.0
# A node that was down for a moment must not stay unbelieved for ten minutes.
UNREACHED_SECONDS = 5.0
KEY_CHANGED = "This peer shows another key than the one you compared. Call its operator before you resume it."
_KINDS = {"Group": "group", "Application": "instance", "Service": "person"}


@dataclass(slots=True)
class Bucket:
    """A token bucket over a monotonic clock."""

    size: float
    refill_per_second: float
    level: float
    filled_at: float

    def take(self, now: float) -> bool:
        """Take one, or say that it is empty."""
        self.level = min(self.size, self.level + (now - self.filled_at) * self.refill_per_second)
        self.filled_at = now
        if self.level < 1:
            return False
        self.level -= 1
        return True


class Dereferencer:
    """Fetches for one process."""

    def __init__(self, core: Core) -> None:
        self._core = core
        monotonic = core.clock.monotonic
        self._bucket = Bucket(BUCKET_SIZE, REFILL_PER_SECOND, BUCKET_SIZE, monotonic())
        self._failed = NegativeCache(monotonic)
        self._unreached = NegativeCache(monotonic, ttl_seconds=UNREACHED_SECONDS)
        self._under_way: dict[str, asyncio.Task[str]] = {}
        self._refetched: dict[str, float] = {}

    async def get_key(self, key_id: str, peer: Peer) -> KnownKey:
        """Return a key of an active peer's actor, fetched when it is not known.

        Raises:
            KeyUnavailable: It cannot be had, or nobody owns it.
            TooMany: Too many keys had to be fetched lately.
        """
        known = await self._core.keyring.known(key_id)
        return known if known is not None else await self._fetch_known(key_id, peer)

    async def get_proving_key(self, key_id: str, peer: Peer, *, seq: int | None = None) -> KnownKey:
        """Return a key of an active peer's actor that proves what was said, now or before it was changed.

        Args:
            key_id: As the proof names it.
            peer: Whose actor it is.
            seq: The number of the log entry that it proves. A revoked key proves those before it was revoked, and
                nothing that is no entry.

        Raises:
            KeyUnavailable: It cannot be had, nobody owns it, or it was revoked before; KeyOutOfReach: not now.
            TooMany: Too many keys had to be fetched lately.
        """
        known = await self._core.keyring.proving(key_id)
        if known is None:
            self._check_failed(key_id)
            owner = await self._fetch_once(key_id, peer)
            known = await self._core.keyring.proving(key_id)
            if known is None or known.actor_uri != owner:
                raise self._not_listed(key_id, owner)
        if known.last_seq is not None and (seq is None or seq > known.last_seq):
            raise KeyUnavailable(internal=f"the key {key_id} was revoked")
        return known

    async def _fetch_known(self, key_id: str, peer: Peer) -> KnownKey:
        self._check_failed(key_id)
        owner = await self._fetch_once(key_id, peer)
        known = await self._core.keyring.known(key_id)
        if known is None or known.actor_uri != owner:
            raise self._not_listed(key_id, owner)
        return known

    def _check_failed(self, key_id: str) -> None:
        if self._unreached.find(key_id) is not None:
            raise KeyOutOfReach(internal=f"the node that has the key {key_id} gave no answer a moment ago")
        if self._failed.find(key_id) is not None:
            raise KeyUnavailable(internal=f"the key {key_id} could not be had a moment ago")

    def _not_listed(self, key_id: str, owner: str) -> KeyUnavailable:
        self._failed.remember(key_id, "its owner does not list it")
        return KeyUnavailable(internal=f"{owner} does not list the key {key_id}")

    async def get_key_again(self, key_id: str, peer: Peer) -> KnownKey | None:
        """Fetch a key that failed or expired anew, at most once a minute per actor; None when it is too soon."""
        actor_uri = urldefrag(key_id)[0]
        now = self._core.clock.monotonic()
        if now - self._refetched.get(actor_uri, -60.0) < 60.0:
            return None
        self._refetched = {uri: at for uri, at in self._refetched.items() if now - at < 60.0}
        self._refetched[actor_uri] = now
        self._core.keyring.forget(actor_uri)
        return await self._fetch_known(key_id, peer)

    async def _fetch_once(self, key_id: str, peer: Peer) -> str:
        """Fetch the actor that a key says it belongs to, and return their id."""
        task = self._under_way.get(key_id)
        if task is None:
            if not self._bucket.take(self._core.clock.monotonic()):
                raise TooMany(internal="the bucket of key fetches is empty")
            task = self._under_way[key_id] = asyncio.create_task(self._fetch_key(key_id, peer))
            task.add_done_callback(lambda _: self._under_way.pop(key_id, None))
        return await asyncio.shield(task)

    async def _fetch_key(self, key_id: str, peer: Peer) -> str:
        try:
            owner = await self._find_owner(key_id, peer)
            await self.fetch_actor(owner, peer)
        except StoreError:  # it is our own database that is away: the peer has done nothing wrong, and comes again
            raise
        except NodeError as error:
            is_out_of_reach = isinstance(error, Unreachable)
            (self._unreached if is_out_of_reach else self._failed).remember(key_id, error.internal)
            get_logger().info("key_unavailable", key=key_id, peer=peer.host, reason=error.internal)
            raise (KeyOutOfReach if is_out_of_reach else KeyUnavailable)(internal=error.internal) from error
        return owner

    async def _find_owner(self, key_id: str, peer: Peer) -> str:
        """Return the actor a key says it belongs to. `actor#main-key` needs no look-up; others are documents."""
        address, fragment = urldefrag(key_id)
        if fragment:
            return address
        document = await self._get(key_id, peer, is_exact=False)  # GoToSocial answers with a stub of the actor
        for value in (document.get("owner"), document.get("controller"), document.get("id")):
            if isinstance(value, str) and value and parse_origin_of(self._core, value) == peer.origin:
                key = document.get("publicKey")
                nested = key.get("owner") if isinstance(key, dict) else None
                return nested if isinstance(nested, str) else value
        raise RemoteMalformed(internal=f"the key document {key_id} names no owner")

    async def fetch_actor(self, uri: str, peer: Peer) -> Actor:
        """Fetch an actor of an active peer and keep it with its keys.

        What its node told us while the answer was on its way is newer, and it is asked once more: an end of somebody's
        verification, or a new key, is not undone by a document from before.

        Raises:
            RemoteMalformed: What came is not that actor.
            OriginMismatch: It claims what belongs to somebody else.
            Unreachable, Refusing: The peer did not give it.
            Forbidden: The address is not on that peer.
        """
        if parse_origin_of(self._core, uri) != peer.origin:
            raise Forbidden(internal=f"{uri} is not of {peer.origin}")
        asked_at = self._core.clock.now()
        return await self._fetch_actor(uri, peer, asked_at) or await self._take_actor(uri, peer)

    async def _fetch_actor(self, uri: str, peer: Peer, asked_at: datetime | None) -> Actor | None:
        document = await self._get(uri, peer)
        view = understand(normalize_document(document))
        if not isinstance(view, ActorView) or view.id != uri:
            raise RemoteMalformed(internal=f"{uri} answered with something else")
        await self._check_pin(view, peer)
        check_actor_origins(view, expected_origin=peer.origin, allow_insecure=self._core.allow_insecure)
        return await self._save_actor(view, peer, asked_at)

    async def _take_actor(self, uri: str, peer: Peer) -> Actor:
        saved = await self._fetch_actor(uri, peer, None)
        assert saved is not None  # nothing is too old that was not asked when
        return saved

    async def _check_pin(self, view: ActorView, peer: Peer) -> None:
        """Pause a pinned peer whose node shows another key than the one its operator read out (T62).

        Where the pinned key itself named the new one, that is pinned in its place, unless our policy for the peer wants
        two operators to compare.

        Raises:
            KeyUnavailable: It does; nothing of the new document is kept.
        """
        if view.id != f"{peer.origin}/actor" or not peer.is_pinned or peer.fingerprint is None:
            return
        listed = [key for key in view.keys if key.signs]
        multikeys = [key for key in listed if key.algorithm == "ed25519"] or listed
        shown = fingerprint_hex(load_key_document(multikeys[0])) if multikeys else ""
        if shown == peer.fingerprint:
            return
        if self._may_follow(peer) and leads_to(view.document, pinned=peer.fingerprint, shown=shown):
            get_logger().warning("pinned_key_succeeded", peer=peer.host)
            await self._core.store.write(_pin_next, self._core, peer, shown)
            return
        get_logger().error("pinned_key_changed", peer=peer.host)
        await self._core.store.write(_pause_for_key, self._core, peer, shown)
        raise KeyUnavailable(internal=f"the instance key of {peer.host} is not the pinned one")

    def _may_follow(self, peer: Peer) -> bool:
        return peer.policy.accepts_successor and self._core.config.peers.officers == 1

    async def _save_actor(self, view: ActorView, peer: Peer, asked_at: datetime | None) -> Actor | None:
        """Keep what a peer's actor says of itself, and what its node states of it; None when that is old by now."""
        core = self._core
        actor = Actor(
            actor_id=core.ids.number(),
            uri=view.id,
            kind=_KINDS.get(view.type, "person"),
            handle=clean_line(view.handle or "", limit=100) or urlsplit(view.id).path.rpartition("/")[2],
            host=urlsplit(view.id).netloc,
            is_local=False,
            known_through=None,
            name=clean_line(view.name or view.handle or "") or view.id,
            summary=sanitize_html(view.summary or ""),
            inbox_uri=view.shared_inbox or view.inbox,
        )
        keys = tuple(key for key in view.keys if key.owner == view.id)
        text = msgspec.json.encode(view.document).decode()
        await self._fetch_instance_for(actor, view.document, peer)
        saved = await core.store.write(_save, core, actor, view.document, text, keys, asked_at)
        core.keyring.forget(view.id)
        return saved

    async def _fetch_instance_for(self, actor: Actor, document: dict[str, Any], peer: Peer) -> None:
        """Fetch the instance actor whose key a statement needs; without it the statement is refused, the actor kept."""
        needed = await self._core.store.read(_needs_instance, self._core, actor, document)
        if needed is None or needed == actor.uri:
            return
        try:
            await self.fetch_actor(needed, peer)
        except NodeError as error:
            get_logger().info("instance_unavailable", peer=peer.host, reason=error.internal)

    async def _get(self, uri: str, peer: Peer, *, is_exact: bool = True) -> dict[str, object]:
        if peer.state != "active" and self._core.peers.active(peer.origin) is None:
            raise Refusing(internal=f"{peer.host} is not an active peer")
        keys = await self._core.keyring.own(self._core.instance_id)
        _, raw = await self._core.client.get_document(uri, signer=self._core.sign_for(keys, peer.origin))
        document = parse_document(raw)
        if is_exact and document.get("id") != uri:
            raise OriginMismatch(internal=f"{uri} answered with the document {str(document.get('id'))[:200]}")
        return document


def parse_origin_of(core: Core, uri: str) -> str:
    """Return the origin of an id, or nothing when it has none that may be asked."""
    try:
        return parse_origin(uri, allow_insecure=core.allow_insecure)
    except NodeError:
        return ""


async def _needs_instance(tx: Tx, core: Core, actor: Actor, document: dict[str, Any]) -> str | None:
    return await needs_instance(tx, core, actor=actor, document=document)


async def _save(
    tx: Tx,
    core: Core,
    actor: Actor,
    document: dict[str, Any],
    text: str,
    keys: tuple[KeyDocument, ...],
    asked_at: datetime | None,
) -> Actor | None:
    row = await get_actor_document(tx, uri=actor.uri)
    if row is not None and row.fetched_at is not None and asked_at is not None and asked_at < row.fetched_at <= tx.now:
        return None
    saved = await save_remote_actor(tx, actor=actor, document=text, keys=keys)
    await learn_attestation(tx, core, actor=saved, document=document)
    return saved


async def _pin_next(tx: Tx, core: Core, peer: Peer, shown: str) -> None:
    """Let the key that the pinned one named take its place."""
    await take_peer(tx, peer_id=peer.peer_id)
    current = await get_peer(tx, peer_id=peer.peer_id)
    if current is None or current.fingerprint != peer.fingerprint:
        return
    await update_peer_facts(tx, peer=replace(current, fingerprint=shown))
    await write_audit(tx, actor="node", action="peer.key_succeeded", target=peer.host, reason=shown)
    changed = await get_peer(tx, peer_id=peer.peer_id)
    if changed is not None:
        tx.after_commit(lambda: core.peers.put(changed))


async def _pause_for_key(tx: Tx, core: Core, peer: Peer, shown: str) -> None:
    if await take_peer(tx, peer_id=peer.peer_id) != "active":
        return
    await update_peer_state(tx, peer_id=peer.peer_id, state="paused")
    await update_peer_error(tx, peer_id=peer.peer_id, code="key_changed", sentence=KEY_CHANGED)
    if shown:
        await update_peer_offered(tx, peer_id=peer.peer_id, fingerprint=shown)
    await write_audit(tx, actor="node", action="peer.paused", target=peer.host, reason="key_changed")
    current = await get_peer(tx, peer_id=peer.peer_id)
    if current is not None:
        tx.after_commit(lambda: core.peers.put(current))

"""Keys in memory: our own private ones, unsealed once, and the public ones of peers' actors.

Loading an RSA key costs up to 130 ms when done carelessly (stack.md §0.5), so each is loaded once and kept.
"""

from __future__ import annotations

import hashlib
import hmac
from collections import OrderedDict
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from node.federation.message import KeyDocument
from node.federation.signatures.keys import (
    PrivateKey,
    PublicKey,
    fingerprint_hex,
    format_multikey,
    format_public_pem,
    generate_ed25519_key,
    generate_rsa_key,
    load_key_document,
    load_private,
    seal,
    serialize_private,
    unseal,
)

from .actors import get_key, insert_key, list_keys_of
from .attestations import insert_attestation_key, list_own_attestation_keys
from .engine import Store, Tx

_OWN_LIMIT = 5_000
_REMOTE_LIMIT = 20_000
_SIGNING = frozenset({"current", "overlap"})
# Of a peer's keys "retired" means vanished from the document without a word: such a key proves nothing. Ours we know.
_PROVING = _SIGNING | {"past", "revoked"}


class KeyNotAtHand(Exception):
    """A body needs keys that are not in memory; `Core.write` loads them and runs it again."""

    def __init__(self, actor_id: int) -> None:
        self.actor_id = actor_id
        super().__init__(actor_id)


@dataclass(frozen=True, slots=True)
class OwnKeys:
    """An actor of ours with the private keys that it signs with now.

    rsa_name, ed25519_name: under which they are published, behind the actor's id. The first ones have names of their own,
    later ones are named after themselves (`name_key`).
    """

    actor_id: int
    actor_uri: str
    rsa: PrivateKey
    ed25519: PrivateKey
    rsa_name: str = "main-key"
    ed25519_name: str = "ed25519"

    @property
    def rsa_key_id(self) -> str:
        """The id under which the RSA key is published."""
        return f"{self.actor_uri}#{self.rsa_name}"

    @property
    def ed25519_key_id(self) -> str:
        """The id under which the Ed25519 key is published."""
        return f"{self.actor_uri}#{self.ed25519_name}"

    @property
    def documents(self) -> tuple[KeyDocument, KeyDocument]:
        """The public keys, as the actor publishes them."""
        return (
            KeyDocument(self.rsa_key_id, self.actor_uri, "rsa", format_public_pem(self.rsa.public)),
            KeyDocument(self.ed25519_key_id, self.actor_uri, "ed25519", format_multikey(self.ed25519.public)),
        )


@dataclass(frozen=True, slots=True)
class KnownKey:
    """A public key with the actor that publishes it.

    expires_at: until when it signs. last_seq: of one that was revoked, the last entry of its group's log that it proves.
    """

    key_id: str
    actor_id: int
    actor_uri: str
    actor_kind: str
    host: str
    key: PublicKey
    expires_at: datetime | None = None
    last_seq: int | None = None


@dataclass(frozen=True, slots=True)
class AttestationKey:
    """The key by which this node attests who its members are. It signs nothing else, and nothing else signs that."""

    key_id: str
    private: PrivateKey

    @property
    def document(self) -> KeyDocument:
        """The public key as the instance actor publishes it."""
        return KeyDocument(self.key_id, self.key_id.partition("#")[0], "ed25519", format_multikey(self.private.public))


def name_key(algorithm: str, public: PublicKey) -> str:
    """Return the name of a key that comes after the first: no other key ever gets it, not even after a restore."""
    kind = "main-key" if algorithm == "rsa" else algorithm
    return f"{kind}-{fingerprint_hex(public)[:16]}"


class Keyring:
    """The keys of this process. `node_key` (32 bytes) opens what is sealed in the database."""

    def __init__(self, store: Store, node_key: bytes) -> None:
        self._store = store
        self._node_key = node_key
        self._attesting: AttestationKey | None = None
        self._attesting_documents: tuple[KeyDocument, ...] = ()
        self._own: OrderedDict[int, OwnKeys] = OrderedDict()
        self._known: OrderedDict[str, KnownKey] = OrderedDict()
        self._proving: OrderedDict[str, KnownKey] = OrderedDict()

    def make(self, actor_id: int, actor_uri: str) -> OwnKeys:
        """Generate the keys of a new actor. Takes about 0.1 s of CPU: call it in a thread."""
        return OwnKeys(actor_id, actor_uri, generate_rsa_key(), generate_ed25519_key())

    def seal(self, keys: OwnKeys) -> list[tuple[KeyDocument, str]]:
        """Return each public key with its private part sealed for the database."""
        privates = (keys.rsa, keys.ed25519)
        return [
            (document, seal(serialize_private(private), node_key=self._node_key, context=document.key_id))
            for document, private in zip(keys.documents, privates, strict=True)
        ]

    def make_next(self, actor_uri: str, algorithm: str) -> tuple[KeyDocument, str]:
        """Generate a key that comes after an actor's first ("attestation" for one that attests).

        RSA takes about 0.1 s of CPU: call it in a thread.

        Returns:
            Its public part, and its private part sealed for the database.
        """
        private = generate_rsa_key() if algorithm == "rsa" else generate_ed25519_key()
        key_id = f"{actor_uri}#{name_key(algorithm, private.public)}"
        text = format_public_pem(private.public) if algorithm == "rsa" else format_multikey(private.public)
        sealed = seal(serialize_private(private), node_key=self._node_key, context=key_id)
        return KeyDocument(key_id, actor_uri, "rsa" if algorithm == "rsa" else "ed25519", text), sealed

    @property
    def attesting(self) -> AttestationKey:
        """The key by which this node attests now; it is loaded when the node is opened."""
        assert self._attesting is not None
        return self._attesting

    @property
    def attesting_documents(self) -> tuple[KeyDocument, ...]:
        """The keys by which this node's attestations are proved: the one that attests first, then those beside it."""
        return self._attesting_documents

    async def open_attesting(self, instance_uri: str) -> None:
        """Load the keys by which this node attests; make one where there is none."""
        rows = await self._store.read(_attestation_rows)
        if not any(row.state in (None, "current") for row in rows):
            key_id, made = f"{instance_uri}#attestation", generate_ed25519_key()
            if rows:  # what there was is revoked
                key_id = f"{instance_uri}#{name_key('attestation', made.public)}"
            text = seal(serialize_private(made), node_key=self._node_key, context=key_id)
            await self._store.write(_insert_attestation_row, key_id, format_multikey(made.public), text)
            rows = await self._store.read(_attestation_rows)
        current = next(row for row in rows if row.state in (None, "current"))
        private = load_private(unseal(current.sealed_private, node_key=self._node_key, context=current.key_id))
        self._attesting = AttestationKey(current.key_id, private)
        self._attesting_documents = list_attesting(rows, instance_uri)

    def lock(self, text: str, *, context: str) -> str:
        """Return words locked with the node's key file, as text for a database column."""
        return seal(text.encode(), node_key=self._node_key, context=context)

    def unlock(self, sealed: str, *, context: str) -> str:
        """Return words that `lock` locked for the same purpose."""
        return unseal(sealed, node_key=self._node_key, context=context).decode()

    def mark(self, text: str) -> str:
        """Return a keyed hash by which the same text is known again; without keys/node.key nobody can compute it."""
        return hmac.new(self._node_key, b"mark:" + text.encode(), hashlib.sha256).hexdigest()

    async def own(self, actor_id: int) -> OwnKeys:
        """Return the private keys of one of our actors.

        Raises:
            KeyError: The actor is not ours.
        """
        found = self._own.get(actor_id)
        if found is None:
            found = self._own[actor_id] = self._open(await self._store.read(_own_rows, actor_id), actor_id)
            while len(self._own) > _OWN_LIMIT:
                self._own.popitem(last=False)
        return found

    def at_hand(self, actor_id: int) -> OwnKeys:
        """Return the private keys of one of our actors without waiting, for use inside a transaction.

        Raises:
            KeyNotAtHand: They are not in memory; `Core.write` handles this.
        """
        found = self._own.get(actor_id)
        if found is None:
            raise KeyNotAtHand(actor_id)
        return found

    async def known(self, key_id: str) -> KnownKey | None:
        """Return a public key that we have seen and that signs, or None."""
        return self._known.get(key_id) or await self._remember(key_id, _SIGNING, self._known)

    async def proving(self, key_id: str) -> KnownKey | None:
        """Return a public key that proves what was said, now or before, or None. Requests are signed with others."""
        return self._proving.get(key_id) or await self._remember(key_id, _PROVING, self._proving)

    async def _remember(
        self, key_id: str, states: frozenset[str], cache: OrderedDict[str, KnownKey]
    ) -> KnownKey | None:
        row = await self._store.read(_known_row, key_id)
        if row is None or not (row.state in states or (row.state == "retired" and row.is_local and states == _PROVING)):
            return None
        key = load_key_document(KeyDocument(row.key_id, row.uri, row.algorithm, row.public_key))
        found = cache[key_id] = KnownKey(
            row.key_id, row.actor_id, row.uri, row.kind, row.host, key, row.expires_at,
            (row.last_seq or 0) if row.state == "revoked" else None,
        )  # fmt: skip
        while len(cache) > _REMOTE_LIMIT:
            cache.popitem(last=False)
        return found

    def forget(self, actor_uri: str) -> None:
        """Drop the cached public keys of an actor; they are read again when needed."""
        for cache in (self._known, self._proving):
            for key_id in [key_id for key_id, known in cache.items() if known.actor_uri == actor_uri]:
                del cache[key_id]

    def forget_host(self, host: str) -> None:
        """Drop the cached public keys of everybody of another node."""
        for cache in (self._known, self._proving):
            for key_id in [key_id for key_id, known in cache.items() if known.host == host]:
                del cache[key_id]

    def forget_own(self, actor_id: int) -> None:
        """Drop the private keys of an actor of ours: it signs with others now. They are read again when needed."""
        self._own.pop(actor_id, None)
        self._proving.clear()

    def forget_all(self) -> None:
        """Drop every key but the one that attests: another process changed some. They are read again when needed."""
        self._known.clear()
        self._proving.clear()
        self._own.clear()

    def _open(self, rows: list[Any], actor_id: int) -> OwnKeys:
        opened = {
            row.algorithm: (
                row.uri,
                load_private(unseal(row.sealed_private, node_key=self._node_key, context=row.key_id)),
                row.key_id.rpartition("#")[2],
            )
            for row in rows
            if row.sealed_private and row.state == "current"
        }
        if set(opened) != {"rsa", "ed25519"}:
            raise KeyError(actor_id)
        (uri, rsa, rsa_name), (_, ed25519, ed25519_name) = opened["rsa"], opened["ed25519"]
        return OwnKeys(actor_id, uri, rsa, ed25519, rsa_name, ed25519_name)


def list_attesting(rows: list[Any], instance_uri: str) -> tuple[KeyDocument, ...]:
    """Return the keys by which this node's attestations are proved, from the rows of all: the one that attests first."""
    listed = [row for row in rows if row.state in (None, "current")] + [row for row in rows if row.state == "overlap"]
    return tuple(
        KeyDocument(row.key_id, instance_uri, "ed25519", row.public_key, row.state or "current", row.expires_at)
        for row in listed
    )


async def insert_own_keys(tx: Tx, *, actor_id: int, sealed: list[tuple[KeyDocument, str]]) -> None:
    """Keep the keys of a new actor of ours."""
    for document, private in sealed:
        await insert_key(tx, actor_id=actor_id, key=document, sealed_private=private)


async def _own_rows(tx: Tx, actor_id: int) -> list[Any]:
    return await list_keys_of(tx, actor_id=actor_id)


async def _known_row(tx: Tx, key_id: str) -> Any:
    return await get_key(tx, key_id=key_id)


async def _attestation_rows(tx: Tx) -> list[Any]:
    return await list_own_attestation_keys(tx)


async def _insert_attestation_row(tx: Tx, key_id: str, public_key: str, sealed: str) -> None:
    await insert_attestation_key(tx, key_id=key_id, public_key=public_key, sealed_private=sealed)

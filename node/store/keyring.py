"""Keys in memory: our own private ones, unsealed once, and the public ones of peers' actors.

Loading an RSA key costs up to 130 ms when done carelessly (stack.md §0.5), so each is loaded once and kept.
"""

from __future__ import annotations

import hashlib
import hmac
from collections import OrderedDict
from dataclasses import dataclass
from typing import Any

from node.federation.message import KeyDocument
from node.federation.signatures.keys import (
    PrivateKey,
    PublicKey,
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
from .attestations import get_attestation_key, insert_attestation_key
from .engine import Store, Tx

_OWN_LIMIT = 5_000
_REMOTE_LIMIT = 20_000


class KeyNotAtHand(Exception):
    """A body needs keys that are not in memory; `Core.write` loads them and runs it again."""

    def __init__(self, actor_id: int) -> None:
        self.actor_id = actor_id
        super().__init__(actor_id)


@dataclass(frozen=True, slots=True)
class OwnKeys:
    """An actor of ours with its private keys."""

    actor_id: int
    actor_uri: str
    rsa: PrivateKey
    ed25519: PrivateKey

    @property
    def rsa_key_id(self) -> str:
        """The id under which the RSA key is published."""
        return f"{self.actor_uri}#main-key"

    @property
    def ed25519_key_id(self) -> str:
        """The id under which the Ed25519 key is published."""
        return f"{self.actor_uri}#ed25519"

    @property
    def documents(self) -> tuple[KeyDocument, KeyDocument]:
        """The public keys as the actor publishes them."""
        return (
            KeyDocument(self.rsa_key_id, self.actor_uri, "rsa", format_public_pem(self.rsa.public)),
            KeyDocument(self.ed25519_key_id, self.actor_uri, "ed25519", format_multikey(self.ed25519.public)),
        )


@dataclass(frozen=True, slots=True)
class KnownKey:
    """A public key with the actor that publishes it."""

    key_id: str
    actor_id: int
    actor_uri: str
    actor_kind: str
    host: str
    key: PublicKey


@dataclass(frozen=True, slots=True)
class AttestationKey:
    """The key by which this node attests who its members are. It signs nothing else, and nothing else signs that."""

    key_id: str
    private: PrivateKey

    @property
    def document(self) -> KeyDocument:
        """The public key as the instance actor publishes it."""
        return KeyDocument(self.key_id, self.key_id.partition("#")[0], "ed25519", format_multikey(self.private.public))


class Keyring:
    """The keys of this process. `node_key` (32 bytes) opens what is sealed in the database."""

    def __init__(self, store: Store, node_key: bytes) -> None:
        self._store = store
        self._node_key = node_key
        self._attesting: AttestationKey | None = None
        self._own: OrderedDict[int, OwnKeys] = OrderedDict()
        self._known: OrderedDict[str, KnownKey] = OrderedDict()

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

    @property
    def attesting(self) -> AttestationKey:
        """The key by which this node attests; it is loaded when the node is opened."""
        assert self._attesting is not None
        return self._attesting

    async def open_attesting(self, instance_uri: str) -> None:
        """Load the key by which this node attests; make it where there is none."""
        key_id = f"{instance_uri}#attestation"
        sealed = await self._store.read(_attestation_row, key_id)
        if sealed is None:
            made = generate_ed25519_key()
            text = seal(serialize_private(made), node_key=self._node_key, context=key_id)
            await self._store.write(_insert_attestation_row, key_id, format_multikey(made.public), text)
            sealed = await self._store.read(_attestation_row, key_id)
        assert sealed is not None
        self._attesting = AttestationKey(key_id, load_private(unseal(sealed, node_key=self._node_key, context=key_id)))

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
        """Return a public key that we have seen, or None."""
        found = self._known.get(key_id)
        if found is not None:
            return found
        row = await self._store.read(_known_row, key_id)
        if row is None or row.state == "retired":
            return None
        key = load_key_document(KeyDocument(row.key_id, row.uri, row.algorithm, row.public_key))
        found = self._known[key_id] = KnownKey(row.key_id, row.actor_id, row.uri, row.kind, row.host, key)
        while len(self._known) > _REMOTE_LIMIT:
            self._known.popitem(last=False)
        return found

    def forget(self, actor_uri: str) -> None:
        """Drop the cached public keys of an actor; they are read again when needed."""
        for key_id in [key_id for key_id, known in self._known.items() if known.actor_uri == actor_uri]:
            del self._known[key_id]

    def forget_host(self, host: str) -> None:
        """Drop the cached public keys of everybody of another node."""
        for key_id in [key_id for key_id, known in self._known.items() if known.host == host]:
            del self._known[key_id]

    def _open(self, rows: list[Any], actor_id: int) -> OwnKeys:
        opened = {
            row.algorithm: (
                row.uri,
                load_private(unseal(row.sealed_private, node_key=self._node_key, context=row.key_id)),
            )
            for row in rows
            if row.sealed_private and row.state == "current"
        }
        if set(opened) != {"rsa", "ed25519"}:
            raise KeyError(actor_id)
        return OwnKeys(actor_id, opened["rsa"][0], opened["rsa"][1], opened["ed25519"][1])


async def insert_own_keys(tx: Tx, *, actor_id: int, sealed: list[tuple[KeyDocument, str]]) -> None:
    """Keep the keys of a new actor of ours."""
    for document, private in sealed:
        await insert_key(tx, actor_id=actor_id, key=document, sealed_private=private)


async def _own_rows(tx: Tx, actor_id: int) -> list[Any]:
    return await list_keys_of(tx, actor_id=actor_id)


async def _known_row(tx: Tx, key_id: str) -> Any:
    return await get_key(tx, key_id=key_id)


async def _attestation_row(tx: Tx, key_id: str) -> str | None:
    return await get_attestation_key(tx, key_id=key_id)


async def _insert_attestation_row(tx: Tx, key_id: str, public_key: str, sealed: str) -> None:
    await insert_attestation_key(tx, key_id=key_id, public_key=public_key, sealed_private=sealed)

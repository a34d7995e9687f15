"""Looking through what came out of a backup: does it hold what it says, is every log whole, do its keys open?

Used by the drill, which throws the folder away, and by the restore, which keeps it. Works on the folder alone: it opens the
database apart from any node, so nothing is served, sent or fetched.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

import msgspec

from node.federation.grouplog.entry import ReceivedEntry, parse_salt, verify_entry
from node.federation.integrity import sign_document, verify_proof
from node.federation.signatures.keys import (
    PrivateKey,
    PublicKey,
    fingerprint_hex,
    format_multikey,
    format_public_pem,
    load_multikey,
    load_private,
    unseal,
)
from node.foundation.clock import Clock, format_instant
from node.foundation.config import load_config
from node.foundation.errors import NodeError, StoreError
from node.foundation.fingerprints import fingerprint_words
from node.store.actors import get_actor_by_uri, list_keys_of
from node.store.audit import find_first_bad
from node.store.backup import snapshot
from node.store.backup.archive import DATABASE_NAME, Unpacked
from node.store.backups import find_newest_post, list_attestation_keys, list_logs, list_sealed_keys
from node.store.engine import Store, Tx
from node.store.logs import StoredEntry, get_position, list_entries
from node.store.migrate import migrate
from node.store.opening import open_store

from .service import count_node

PROVED_ENTRIES = 50


@dataclass(slots=True)
class Findings:
    """What a restored folder holds.

    problems: a sentence each; none when all is well. losses: the same of pictures, without which the rest is whole.
    absent: hashes of pictures without a file.
    key: the instance's private key, with `key_id`; None when it does not open. fingerprint: hex.
    """

    counts: dict[str, int] = field(default_factory=dict)
    newest_at: datetime | None = None
    fingerprint: str = ""
    key: PrivateKey | None = None
    key_id: str = ""
    problems: list[str] = field(default_factory=list)
    losses: list[str] = field(default_factory=list)
    absent: set[str] = field(default_factory=set)

    def describe_fingerprint(self) -> dict[str, Any]:
        """Return the fingerprint as commands print it."""
        words = fingerprint_words(self.fingerprint) if self.fingerprint else []
        return {"algorithm": "sha-256", "hex": self.fingerprint, "words": words, "key_id": self.key_id}


async def examine(folder: Path, unpacked: Unpacked, *, clock: Clock, note: Callable[[str], object]) -> Findings:
    """Look through a folder that `unpack` filled, after bringing its database to this release's schema.

    Raises:
        ConfigError: Its configuration cannot be used by this release.
        StoreError: Its database is damaged, or newer than this release.
    """
    config = load_config(folder, {})
    file, found = folder / DATABASE_NAME, Findings()
    note("Checking the database.")
    await asyncio.to_thread(snapshot.check_file, file)
    store = await open_store("sqlite:", data=folder, clock=clock)
    try:
        await migrate(store, now=clock.now())
        found.counts, _ = await store.read(count_node)
        found.newest_at = await store.read(find_newest_post)
        note("Checking keys.")
        await _check_keys(store, folder, f"{config.base_url}/actor", found)
        note("Checking the logs of groups.")
        for group in await store.read(list_logs):
            if (problem := await _check_log(store, group)) is not None:
                found.problems.append(f"The log of {group.uri}: {problem}")
        counted, first_bad = await store.read(find_first_bad)
        if first_bad is not None:
            found.problems.append(f"The audit log does not fit together at row {first_bad} of {counted}.")
    finally:
        await store.close()
    _compare(found, unpacked, await asyncio.to_thread(_find_absent, folder))
    return found


def sign_drill(found: Findings, unpacked: Unpacked, *, seconds: float, now: datetime) -> dict[str, Any]:
    """Return the drill's statement, signed by the restored instance key; `signature` is None where that does not open.

    Shape: {"ok", "counts", "newest_at", "fingerprint", "seconds", "taken_at", "problems", "signature"}
    Spec: contract.md 2.3; FEP-8b32 over all members but `signature`.
    """
    problems = [*found.problems, *found.losses]
    statement = {
        "ok": not problems,
        "counts": found.counts,
        "newest_at": None if found.newest_at is None else format_instant(found.newest_at),
        "fingerprint": found.describe_fingerprint(),
        "seconds": round(seconds, 1),
        "taken_at": unpacked.manifest.taken_at,
        "problems": problems,
    }
    proof = None
    if found.key is not None:
        proof = sign_document(statement, found.key, method=found.key_id, created=format_instant(now))["proof"]
    return {**statement, "signature": proof}


def verify_drill(statement: dict[str, Any], key: PublicKey) -> None:
    """Return when a drill's statement was signed by this instance key.

    Raises:
        SignatureInvalid: It was not.
    """
    rest = {name: value for name, value in statement.items() if name != "signature"}
    verify_proof({**rest, "proof": statement.get("signature")}, key)


def _compare(found: Findings, unpacked: Unpacked, absent: set[str]) -> None:
    """Compare what was found with what the backup said of itself."""
    for name, count in unpacked.manifest.counts.items():
        if found.counts.get(name) != count:
            found.problems.append(f"The backup speaks of {count} {name}, and holds {found.counts.get(name, 0)}.")
    if found.fingerprint != unpacked.manifest.fingerprint:
        found.problems.append("The node's key is not the one that the backup speaks of.")
    if unpacked.broken:
        found.losses.append(f"{len(unpacked.broken)} pictures are not what their names say.")
    if missing := absent - set(unpacked.broken):
        found.losses.append(f"{len(missing)} pictures are missing.")
    found.absent = absent


def _find_absent(folder: Path) -> set[str]:
    wanted = snapshot.list_all_files(folder / DATABASE_NAME)
    return {sha256 for sha256 in wanted if not (folder / "media" / sha256[:2] / sha256).exists()}


async def _check_keys(store: Store, folder: Path, instance_uri: str, found: Findings) -> None:
    node_key = (folder / "keys" / "node.key").read_bytes()
    found.key_id = f"{instance_uri}#ed25519"
    closed, after = 0, ""
    rows = [*await store.read(_attestation_keys), *await store.read(_sealed_keys, after)]
    while rows:
        for row in rows:
            private = _open_key(row, node_key)
            closed += private is None
            is_instance_key = row.key_id.startswith(f"{instance_uri}#ed25519") and row.state == "current"
            if is_instance_key and private is not None:
                found.key_id, found.key, found.fingerprint = row.key_id, private, fingerprint_hex(private.public)
        after = rows[-1].key_id
        rows = await store.read(_sealed_keys, after)
    if closed:
        found.problems.append(f"{closed} keys do not open with keys/node.key.")
    if await store.read(_instance, instance_uri) is None or found.key is None:
        found.problems.append("The node's own key is missing.")


def _open_key(row: Any, node_key: bytes) -> PrivateKey | None:
    """Return a private key that opens and belongs to its public half, or None."""
    try:
        private = load_private(unseal(row.sealed_private, node_key=node_key, context=row.key_id))
    except StoreError:
        return None
    shown = format_multikey(private.public) if private.algorithm == "ed25519" else format_public_pem(private.public)
    return private if shown == row.public_key else None


async def _check_log(store: Store, group: Any) -> str | None:
    """Return what is wrong with a group's log from its base to its head, or None."""
    position = await store.read(_position, group.group_id)
    keys = [
        load_multikey(row.public_key)
        for row in await store.read(_keys_of, group.group_id)
        if row.algorithm == "ed25519"
    ]
    seq, chain = position.base_seq, position.base_chain
    while entries := await store.read(_entries, group.group_id, seq):
        for stored in entries:
            entry = stored.entry(group.uri)
            if (stored.seq, stored.prev, stored.chain) != (seq + 1, chain, entry.chain):
                return f"entry {stored.seq} does not fit the one before."
            if stored.seq > position.head.seq - PROVED_ENTRIES and not _is_proved(stored, group.uri, keys):
                return f"entry {stored.seq} is not proved by the group's key."
            seq, chain = stored.seq, stored.chain
    if (seq, chain) != (position.head.seq, position.head.chain):
        return f"it ends at {seq} and should end at {position.head.seq}."
    return None


def _is_proved(stored: StoredEntry, group_uri: str, keys: list[PublicKey]) -> bool:
    entry = stored.entry(group_uri)
    wire = {**entry.to_wire(), "proof": msgspec.json.decode(stored.proof)}
    salt = None if stored.salt is None else parse_salt(stored.salt)
    received = ReceivedEntry(entry, wire, msgspec.json.decode(stored.document), salt, ())
    for key in keys:
        try:
            verify_entry(received, key)
        except NodeError:
            continue
        return True
    return False


async def _attestation_keys(tx: Tx) -> list[Any]:
    return await list_attestation_keys(tx)


async def _sealed_keys(tx: Tx, after: str) -> list[Any]:
    return await list_sealed_keys(tx, after=after)


async def _instance(tx: Tx, uri: str) -> Any:
    return await get_actor_by_uri(tx, uri=uri)


async def _position(tx: Tx, group_id: int) -> Any:
    return await get_position(tx, group_id=group_id)


async def _keys_of(tx: Tx, group_id: int) -> list[Any]:
    return await list_keys_of(tx, actor_id=group_id)


async def _entries(tx: Tx, group_id: int, after: int) -> list[StoredEntry]:
    return await list_entries(tx, group_id=group_id, after=after)

"""A key that leaked goes at once: it proves nothing new from this moment on, and peers are told before anything else.

It stands in the journal, so no restore brings it back. Entries of a log that it proved up to now stay proved: what comes
back from a member's node after a restore must be proved by another one.

Of the instance's Ed25519 key nobody can say which is the true one any more: its peers pause, and operators compare.

Spec: reliability.md 4.7; decision 0019.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import Any

from node.domain.journal import Told
from node.federation.message import KeyDocument
from node.foundation.errors import Conflict, NotFound
from node.foundation.logs import get_logger
from node.outbox.attesting import attest
from node.outbox.telling import tell_of_keys
from node.store import journal
from node.store.actors import get_actor_by_uri, list_keys_of
from node.store.attestations import insert_attestation_key, list_own_attestation_keys, set_attestation_key
from node.store.audit import write_audit
from node.store.changes import KEYS, note_change
from node.store.core import Core
from node.store.engine import Tx
from node.store.key_changes import drop_succession, get_own_key, know_public, list_lacking, set_key
from node.store.logs import get_position
from node.store.rosters import take_group
from node.store.verifications import list_attested_members

from .rotation import ALGORITHMS, ATTESTATION, Owner, publish_key


@dataclass(frozen=True, slots=True)
class Revoked:
    """What was revoked.

    following: the key that signs now in its place; None where it did not sign.
    must_compare: whether operators of other nodes have to compare our new key.
    """

    key_id: str
    following: str | None
    must_compare: bool


async def revoke(core: Core, key_id: str, *, by: str) -> Revoked:
    """Revoke a key of ours; where it is the one that signs, another one signs from now on.

    Raises:
        NotFound: No key of ours has this id.
        Conflict: It is revoked already.
    """
    attesting = await core.store.read(list_own_attestation_keys)
    if any(row.key_id == key_id for row in attesting):
        return await _revoke_attesting(core, key_id, by)
    row = await core.store.read(get_own_key, key_id=key_id)
    if row is None:
        raise NotFound("This node has no key of this id. `rounds key list` shows those that it has.")
    key, sealed = await asyncio.to_thread(core.keyring.make_next, row.uri, row.algorithm)
    owner = Owner(row.actor_id, row.uri, row.kind, row.handle)
    return await core.store.write(_revoke, core, owner, key_id, key, sealed, by)


def is_compared(core: Core, key_id: str) -> bool:
    """Say whether a key of ours is one that operators of other nodes compare."""
    return key_id.startswith(f"{core.instance_uri}#ed25519")


async def revoke_again(tx: Tx, core: Core, told: Told) -> None:
    """After a restore: revoke what was revoked since the backup, and know the keys again that were made since."""
    for key_id, (owner_uri, public) in told.made.items():
        owner = await get_actor_by_uri(tx, uri=owner_uri)
        if owner is not None and owner.is_local:
            await know_public(tx, key_id=key_id, actor_id=owner.actor_id, public_key=public)
    for key_id, last_seq in told.keys.items():
        row = await get_own_key(tx, key_id=key_id)
        if row is not None and row.state != "revoked":
            await set_key(tx, key_id=key_id, state="revoked", expires_at=tx.now, last_seq=last_seq)
            tx.after_commit(lambda actor_id=row.actor_id: core.keyring.forget_own(actor_id))  # type: ignore[misc]
    for row in await list_own_attestation_keys(tx):
        if row.key_id in told.keys and row.state != "revoked":
            await set_attestation_key(tx, key_id=row.key_id, state="revoked", expires_at=tx.now)


async def make_lacking(core: Core) -> None:
    """Give new keys to actors of ours that have nothing to sign with, as after a restore when theirs were revoked."""
    for algorithm in ALGORITHMS:
        for row in await core.store.read(list_lacking, algorithm=algorithm):
            key, sealed = await asyncio.to_thread(core.keyring.make_next, row.uri, algorithm)
            await core.store.write(_make, core, Owner(row.actor_id, row.uri, row.kind, row.handle), key, sealed)
    await core.keyring.open_attesting(core.instance_uri)


async def _revoke(tx: Tx, core: Core, owner: Owner, key_id: str, key: KeyDocument, sealed: str, by: str) -> Revoked:
    group = await take_group(tx, group_id=owner.actor_id)
    rows = [row for row in await list_keys_of(tx, actor_id=owner.actor_id) if row.algorithm == key.algorithm]
    revoked = next((row for row in rows if row.key_id == key_id), None)
    if revoked is None or revoked.state == "revoked":
        raise Conflict(f"The key {key_id} is revoked already.")
    position = await get_position(tx, group_id=owner.actor_id) if group is not None else None
    last_seq = position.head.seq if position is not None else None
    await set_key(tx, key_id=key_id, state="revoked", expires_at=tx.now, last_seq=last_seq)
    told: dict[str, Any] = {} if last_seq is None else {"seq": last_seq}
    await journal.note(tx, "key", key=key_id, **told)
    is_pinned = owner.kind == "instance" and key.algorithm == "ed25519"
    if is_pinned:
        await drop_succession(tx, key_id=key_id)
    following = None
    if revoked.state == "current":
        coming = next((row for row in rows if row.state == "overlap" and row.expires_at is None), None)
        following = coming.key_id if coming is not None else key.key_id
        if coming is not None:
            await set_key(tx, key_id=following, state="current")
        else:
            await publish_key(tx, core, owner, key, sealed)
        if is_pinned:  # whoever has the leaked key could have given this word as well
            await drop_succession(tx, key_id=following)
    await write_audit(tx, actor=by, action="key.revoke", target=key_id)
    await tell_of_keys(tx, core, actor_id=owner.actor_id)
    tx.after_commit(lambda: core.keyring.forget_own(owner.actor_id))
    return Revoked(key_id, following, is_pinned and following is not None)


async def _make(tx: Tx, core: Core, owner: Owner, key: KeyDocument, sealed: str) -> None:
    get_logger().warning("key_made_anew", owner=owner.uri, algorithm=key.algorithm)
    await publish_key(tx, core, owner, key, sealed)
    await note_change(tx, KEYS)
    await write_audit(tx, actor="node", action="key.made_anew", target=key.key_id)
    await tell_of_keys(tx, core, actor_id=owner.actor_id)
    tx.after_commit(lambda: core.keyring.forget_own(owner.actor_id))


async def _revoke_attesting(core: Core, key_id: str, by: str) -> Revoked:
    key, sealed = await asyncio.to_thread(core.keyring.make_next, core.instance_uri, ATTESTATION)
    following = await core.store.write(_end_attesting, core, key_id, key, sealed, by)
    await core.keyring.open_attesting(core.instance_uri)
    after = 0
    while members := await core.store.read(list_attested_members, after=after):
        for actor_id in members:
            await core.write(_attest, core, actor_id)
        after = members[-1]
    return Revoked(key_id, following, must_compare=False)


async def _end_attesting(tx: Tx, core: Core, key_id: str, key: KeyDocument, sealed: str, by: str) -> str | None:
    row = next(row for row in await list_own_attestation_keys(tx) if row.key_id == key_id)
    if row.state == "revoked":
        raise Conflict(f"The key {key_id} is revoked already.")
    await set_attestation_key(tx, key_id=key_id, state="revoked", expires_at=tx.now)
    await journal.note(tx, "key", key=key_id)
    is_current = row.state in (None, "current")
    if is_current:
        await insert_attestation_key(tx, key_id=key.key_id, public_key=key.text, sealed_private=sealed)
    await note_change(tx, KEYS)
    await write_audit(tx, actor=by, action="key.revoke", target=key_id)
    await tell_of_keys(tx, core, actor_id=core.instance_id)
    return key.key_id if is_current else None


async def _attest(tx: Tx, core: Core, actor_id: int) -> None:
    await attest(tx, core, actor_id=actor_id)

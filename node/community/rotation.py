"""New keys for our actors: published beside the old ones first, signing later, so that nothing that is under way is refused.

*How it works.* A new key is made and published; the old one gets an end, and every peer that may have the document is told on
the control stream. Once all of them have taken that word, or a day later, the new key signs, and the old one stands beside
it for a week. After that it proves what was said before, and nothing new. Each step is one transaction, and `KeyKeeper` does
what is due: a node that was stopped in between goes on where it was.

The instance's Ed25519 key is what operators compared: the old one names the new (`federation.succession`). What leaked goes
at once (`revoking`).

Spec: reliability.md 4.7; decision 0019.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from node.federation.credentials import LIFE
from node.federation.message import KeyDocument
from node.federation.succession import build_succession
from node.foundation.clock import format_instant
from node.foundation.errors import Conflict, NodeError
from node.foundation.logs import get_logger
from node.outbox.publish import CONTROL, encode
from node.outbox.telling import tell_of_keys
from node.store import journal
from node.store.actors import insert_key, list_keys_of
from node.store.attestations import insert_attestation_key, list_own_attestation_keys, set_attestation_key
from node.store.audit import write_audit
from node.store.changes import KEYS, note_change
from node.store.core import Core
from node.store.engine import Tx
from node.store.key_changes import (
    count_untold,
    forget_tellings,
    has_coming,
    insert_succession,
    list_due,
    list_gone,
    note_telling,
    set_key,
)

ALGORITHMS = ("rsa", "ed25519")
ATTESTATION = "attestation"
KEYS_BELL = "keys"
_LOOK_SECONDS = 60.0
_LOOK_SOON_SECONDS = 5.0


@dataclass(frozen=True, slots=True)
class Owner:
    """An actor of ours whose keys change."""

    actor_id: int
    uri: str
    kind: str
    handle: str


async def rotate(core: Core, owner: Owner, algorithm: str, *, by: str) -> str:
    """Begin to change one key of an actor of ours; return the id of the new one.

    Args:
        core: This node.
        owner: Whose.
        algorithm: "rsa" or "ed25519"; "attestation" for the key by which this node attests.
        by: For the audit log.

    Raises:
        Conflict: It is changing already.
    """
    key, sealed = await asyncio.to_thread(core.keyring.make_next, owner.uri, algorithm)
    if algorithm == ATTESTATION:
        await core.write(_begin_attesting, core, owner, key, sealed, by)
        await core.keyring.open_attesting(core.instance_uri)
    else:
        await core.write(_begin, core, owner, key, sealed, by)
    core.bell.ring(KEYS_BELL)
    return key.key_id


class KeyKeeper:
    """Does what is due of keys that change. One per node; two that look at once do no harm."""

    def __init__(self, core: Core) -> None:
        self._core = core

    async def run(self) -> None:
        """Look at once and every minute, sooner while a key is on its way, until cancelled."""
        while True:
            is_waiting = True
            try:
                is_waiting = await self.look()
            except NodeError as error:
                get_logger().error("keys_unchanged", code=error.code, reason=error.internal)
            seconds = _LOOK_SOON_SECONDS if is_waiting else _LOOK_SECONDS
            await self._core.bell.wait(KEYS_BELL, at_most_seconds=seconds)

    async def look(self) -> bool:
        """Let keys sign that everybody knows, and take away those whose time is over; return whether one is on its way."""
        core = self._core
        due_at = core.clock.now() - timedelta(hours=core.config.keys.overlap_hours)
        for row in await core.store.read(list_due, due_at=due_at, stream=CONTROL):
            await core.write(_switch, core, row)
        for row in await core.store.read(list_gone):
            await core.write(_retire, core, row)
        return await self._look_at_attesting() or await core.store.read(has_coming)

    async def _look_at_attesting(self) -> bool:
        core = self._core
        rows = await core.store.read(list_own_attestation_keys)
        coming = next((row for row in rows if row.state == "overlap" and row.expires_at is None), None)
        gone = [row for row in rows if row.state == "overlap" and row.expires_at and row.expires_at <= core.clock.now()]
        for row in gone:
            await core.store.write(_retire_attesting, row)
        is_switched = coming is not None and await core.store.write(_switch_attesting, core, coming)
        if gone or is_switched:
            await core.keyring.open_attesting(core.instance_uri)
        return coming is not None and not is_switched


async def publish_key(tx: Tx, core: Core, owner: Owner, key: KeyDocument, sealed: str) -> None:
    """Keep a new key of an actor, and write its public part where no restore reaches: what it proves must stay provable."""
    await insert_key(tx, actor_id=owner.actor_id, key=key, sealed_private=sealed)
    if key.algorithm == "ed25519":
        await journal.note(tx, "key_made", key=key.key_id, owner=owner.uri, public=key.text)


async def tell(tx: Tx, core: Core, actor_id: int, key_id: str) -> None:
    """Tell peers of an actor's keys, and note where in their streams they are told."""
    for peer_id, position in await tell_of_keys(tx, core, actor_id=actor_id):
        await note_telling(tx, key_id=key_id, peer_id=peer_id, position=position)


async def _begin(tx: Tx, core: Core, owner: Owner, key: KeyDocument, sealed: str, by: str) -> None:
    rows = [row for row in await list_keys_of(tx, actor_id=owner.actor_id) if row.algorithm == key.algorithm]
    if any(row.state == "overlap" and row.expires_at is None for row in rows):
        raise Conflict(f"The {key.algorithm} key of {owner.uri} is being changed already.")
    current = next(row for row in rows if row.state == "current")
    if owner.kind == "instance" and key.algorithm == "ed25519":
        previous = KeyDocument(current.key_id, owner.uri, "ed25519", current.public_key)
        private = core.keyring.at_hand(owner.actor_id).ed25519
        word = build_succession(previous, key, private, created=format_instant(core.clock.now()))
        await insert_succession(tx, key_id=key.key_id, document=encode(word).decode())
    coming = KeyDocument(key.key_id, owner.uri, key.algorithm, key.text, "overlap")
    await publish_key(tx, core, owner, coming, sealed)
    setting = core.config.keys
    end = tx.now + timedelta(hours=setting.overlap_hours, days=setting.keep_days)
    await set_key(tx, key_id=current.key_id, state="current", expires_at=end)
    await write_audit(tx, actor=by, action="key.rotate", target=key.key_id)
    await tell(tx, core, owner.actor_id, key.key_id)


async def _switch(tx: Tx, core: Core, row: Any) -> None:
    """Let a new key sign: all peers have taken the word of it, or its day is over."""
    rows = await list_keys_of(tx, actor_id=row.actor_id)
    if not any(each.key_id == row.key_id and each.state == "overlap" and each.expires_at is None for each in rows):
        return  # another process did
    end = tx.now + timedelta(days=core.config.keys.keep_days)
    for each in rows:
        if each.algorithm == row.algorithm and each.state == "current":
            ends_at = min(each.expires_at or end, end)
            await set_key(tx, key_id=each.key_id, state="overlap", expires_at=max(ends_at, tx.now))
    await set_key(tx, key_id=row.key_id, state="current")
    await forget_tellings(tx, key_id=row.key_id)
    await write_audit(tx, actor="node", action="key.signs", target=row.key_id)
    if row.kind == "instance":  # whoever has pinned the old one follows it now
        await tell_of_keys(tx, core, actor_id=row.actor_id)
    tx.after_commit(lambda: core.keyring.forget_own(row.actor_id))


async def _is_due(tx: Tx, core: Core, row: Any) -> bool:
    if row.created_at + timedelta(hours=core.config.keys.overlap_hours) <= tx.now:
        return True
    return await count_untold(tx, key_id=row.key_id, stream=CONTROL) == 0


async def _retire(tx: Tx, core: Core, row: Any) -> None:
    await set_key(tx, key_id=row.key_id, state="retired", expires_at=row.expires_at)
    await write_audit(tx, actor="node", action="key.retired", target=row.key_id)
    tx.after_commit(lambda: core.keyring.forget_own(row.actor_id))


async def _begin_attesting(tx: Tx, core: Core, owner: Owner, key: KeyDocument, sealed: str, by: str) -> None:
    rows = await list_own_attestation_keys(tx)
    if any(row.state == "overlap" and row.expires_at is None for row in rows):
        raise Conflict("The key by which this node attests is being changed already.")
    await insert_attestation_key(tx, key_id=key.key_id, public_key=key.text, sealed_private=sealed, state="overlap")
    await write_audit(tx, actor=by, action="key.rotate", target=key.key_id)
    await note_change(tx, KEYS)
    await tell(tx, core, owner.actor_id, key.key_id)


async def _switch_attesting(tx: Tx, core: Core, row: Any) -> bool:
    if not await _is_due(tx, core, row):
        return False
    for each in await list_own_attestation_keys(tx):
        if each.state in (None, "current"):
            end = tx.now + LIFE  # what it signed is believed for so long, and is made anew before that
            await set_attestation_key(tx, key_id=each.key_id, state="overlap", expires_at=end)
    await set_attestation_key(tx, key_id=row.key_id, state="current", expires_at=None)
    await note_change(tx, KEYS)
    await forget_tellings(tx, key_id=row.key_id)
    await write_audit(tx, actor="node", action="key.signs", target=row.key_id)
    return True


async def _retire_attesting(tx: Tx, row: Any) -> None:
    await set_attestation_key(tx, key_id=row.key_id, state="retired", expires_at=row.expires_at)
    await write_audit(tx, actor="node", action="key.retired", target=row.key_id)

"""What others state of their people: read from their actors' documents, checked, kept; and what hosts pass on.

A statement counts only if the peer's own instance actor, whose key operators compared, vouches for the key it is signed
by. One that cannot be believed is kept as "refused" with its reason, and counts as nothing; where a document carries
none, nothing is said any more. What a host passes on about people of nodes that are no peers of ours cannot be checked,
for nobody contacts those: it is kept apart, and our policy for that host decides whether it counts (wire.md 4.9).
"""

from __future__ import annotations

from dataclasses import astuple
from datetime import timedelta
from typing import Any

import msgspec

from node.domain.actors import Actor
from node.domain.attestations import Attested
from node.domain.peers import Peer
from node.federation.credentials import (
    KEY_MEMBER,
    MEMBER,
    Statement,
    StatementRefused,
    read_statement,
    verify_statement,
)
from node.foundation.logs import get_logger
from node.store.actors import get_actor_document
from node.store.attestations import drop_attestation, get_attested, put_attestation
from node.store.core import Core
from node.store.engine import Tx

# How long a document of an instance actor is believed to list the key it has now.
_FRESH = timedelta(minutes=1)


async def needs_instance(
    tx: Tx, core: Core, *, actor: Actor, document: dict[str, Any], only_missing: bool = False
) -> str | None:
    """Return the instance actor that must be fetched before a document's statement can be checked, or None.

    It is asked for when we do not have it, and when it lists another key than the statement names; with `only_missing`
    in the first case alone. A handler must not wait for the second: an end that names a new key would be lost with a
    failing fetch, and the word it takes back would stand. Refused, it counts as nothing.
    """
    peer, statement = core.peers.by_host(actor.host), document.get(MEMBER)
    if peer is None or not isinstance(statement, dict):
        return None
    uri = f"{peer.origin}/actor"
    row = await get_actor_document(tx, uri=uri)
    if row is None or not row.document:
        return uri
    if only_missing or (row.fetched_at is not None and tx.now - row.fetched_at < _FRESH):
        return None
    proof = statement.get("proof")
    named = proof.get("verificationMethod") if isinstance(proof, dict) else None
    return None if isinstance(named, str) and _lists(msgspec.json.decode(row.document), named) else uri


async def learn_attestation(tx: Tx, core: Core, *, actor: Actor, document: dict[str, Any]) -> bool:
    """Keep what an actor's own document states of them; return whether that says something else than before."""
    peer = core.peers.by_host(actor.host)
    if peer is None or actor.is_local or actor.kind != "person":
        return False
    before = await get_attested(tx, actor_id=actor.actor_id)
    given = document.get(MEMBER)
    if given is None:
        await drop_attestation(tx, actor_id=actor.actor_id)
        return before is not None
    try:
        statement = await _verify(tx, actor, given, peer)
    except StatementRefused as error:
        get_logger().warning("attestation_refused", actor=actor.uri, problem=error.reason, reason=error.internal)
        attested, starts_at, text = _refused(actor.host, error.reason, tx.now), tx.now, ""
    else:
        attested, starts_at = _attested(statement, actor.host, None), statement.starts_at
        text = msgspec.json.encode(given).decode()
    await put_attestation(tx, actor_id=actor.actor_id, attested=attested, starts_at=starts_at, document=text)
    return before is None or _meaning(before) != _meaning(attested)


async def learn_relayed(tx: Tx, core: Core, *, actor: Actor, card: dict[str, Any], through: str) -> None:
    """Keep what a host passes on about an author whose node is no peer of ours; of peers their own word counts alone."""
    home = core.peers.by_host(actor.host)
    if actor.is_local or (home is not None and home.state in ("active", "paused")):
        return
    given = card.get(MEMBER)
    if given is None:
        await drop_attestation(tx, actor_id=actor.actor_id, through_host=through)
        return
    issuer = f"{actor.uri.partition('://')[0]}://{actor.host}/actor"
    try:
        statement = read_statement(given, subject=actor.uri, issuer=issuer, now=tx.now)
    except StatementRefused as error:
        get_logger().warning("attestation_refused", actor=actor.uri, problem=error.reason, through=through)
        await drop_attestation(tx, actor_id=actor.actor_id, through_host=through)
        return
    attested = _attested(statement, actor.host, through)
    await put_attestation(tx, actor_id=actor.actor_id, attested=attested, starts_at=statement.starts_at, document="")


async def _verify(tx: Tx, actor: Actor, given: Any, peer: Peer) -> Statement:
    uri = f"{peer.origin}/actor"
    row = await get_actor_document(tx, uri=uri)
    instance = msgspec.json.decode(row.document) if row is not None and row.document else None
    if not actor.uri.startswith(f"{peer.origin}/"):
        raise StatementRefused("somebody_else")
    return verify_statement(
        given, subject=actor.uri, instance=instance, instance_uri=uri, fingerprint=peer.fingerprint, now=tx.now
    )


def _attested(statement: Statement, host: str, through: str | None) -> Attested:
    return Attested(
        state=statement.state,
        level=statement.level,
        stage=statement.stage,
        methods=statement.methods,
        jurisdictions=statement.jurisdictions,
        since=statement.since,
        checked=statement.checked,
        ends_at=statement.ends_at,
        issuer=host,
        through=through,
    )


def _refused(host: str, problem: str, now: Any) -> Attested:
    return Attested("refused", "A0", "", (), (), "", "", now, host, None, problem)


def _meaning(attested: Attested) -> tuple[Any, ...]:
    """Return what a word says, without until when: a renewal says nothing new."""
    return tuple(value for value in astuple(attested) if value != attested.ends_at)


def _lists(instance: Any, key_id: str) -> bool:
    listed = instance.get(KEY_MEMBER) if isinstance(instance, dict) else None
    return isinstance(listed, list) and any(isinstance(key, dict) and key.get("id") == key_id for key in listed)

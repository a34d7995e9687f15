"""Peers in the store: one row per other node, and what is remembered of the last contact."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import msgspec

from node.domain.peers import Peer, PeerPolicy, PeerTold

from . import journal
from .engine import Tx

_COLUMNS = """peer_id, host, origin, name, state, fingerprint, is_pinned, instance_uri, software_name,
  software_version, policy_json, agreement_version, last_received_at, last_delivered_at,
  error_code, error_sentence, error_since_at, told_json, offered"""
_ALL = f"SELECT {_COLUMNS} FROM peers ORDER BY host"
_BY_HOST = f"SELECT {_COLUMNS} FROM peers WHERE host = :host"
_BY_ID = f"SELECT {_COLUMNS} FROM peers WHERE peer_id = :peer_id"
_INSERT = f"""INSERT INTO peers ({_COLUMNS}, created_at, version) VALUES
  (:peer_id, :host, :origin, :name, :state, :fingerprint, :is_pinned, :instance_uri, :software_name,
   :software_version, :policy_json, NULL, NULL, NULL, NULL, NULL, NULL, :told_json, NULL, :created_at, 1)"""
_LOCK = "UPDATE peers SET version = version + 1 WHERE peer_id = :peer_id RETURNING state"
_HOST = "SELECT host FROM peers WHERE peer_id = :peer_id"
_SET_STATE = "UPDATE peers SET state = :state, version = version + 1 WHERE peer_id = :peer_id"
_SET_FACTS = """UPDATE peers SET name = :name, fingerprint = :fingerprint, is_pinned = :is_pinned,
  instance_uri = :instance_uri, software_name = :software_name, software_version = :software_version,
  told_json = :told_json, offered = NULL, version = version + 1 WHERE peer_id = :peer_id"""
_SET_POLICY = """UPDATE peers SET policy_json = :policy_json, agreement_version = :agreement_version,
  version = version + 1 WHERE peer_id = :peer_id"""
_SET_OFFERED = "UPDATE peers SET offered = :offered WHERE peer_id = :peer_id"
_CLEAR_ERROR = """UPDATE peers SET error_code = NULL, error_sentence = NULL, error_since_at = NULL, offered = NULL
  WHERE peer_id = :peer_id"""
_SET_ERROR = """UPDATE peers SET error_code = :error_code, error_sentence = :error_sentence,
  error_since_at = CASE WHEN error_code = :error_code THEN error_since_at ELSE :error_since_at END
  WHERE peer_id = :peer_id"""
_CERTIFICATE = "UPDATE peers SET certificate_ends_at = :ends_at WHERE peer_id = :peer_id"
_CERTIFICATES = "SELECT peer_id, certificate_ends_at FROM peers WHERE certificate_ends_at IS NOT NULL"
_RECEIVED = "UPDATE peers SET last_received_at = :last_received_at WHERE peer_id = :peer_id"
_DELIVERED = """UPDATE peers SET last_delivered_at = :last_delivered_at, error_code = NULL, error_sentence = NULL,
  error_since_at = NULL WHERE peer_id = :peer_id"""
_QUEUES = """SELECT COALESCE(SUM(h.head - l.cursor), 0) AS queued
  FROM lanes l JOIN stream_heads h ON h.peer_id = l.peer_id AND h.stream = l.stream WHERE l.peer_id = :peer_id"""
_GROUP_QUEUES = """SELECT COALESCE(SUM(g.head_seq - l.cursor), 0) AS queued
  FROM lanes l JOIN groups g ON g.group_id = l.group_id WHERE l.peer_id = :peer_id"""
_OLDEST = "SELECT MIN(created_at) AS oldest_at FROM stream_entries WHERE peer_id = :peer_id"
_GROUPS_OLDEST = """SELECT MIN(e.appended_at) AS oldest_at FROM lanes l
  JOIN log_entries e ON e.group_id = l.group_id AND e.seq = l.cursor + 1 WHERE l.peer_id = :peer_id"""
_SHARED_HOSTED_HERE = "SELECT COUNT(*) AS n FROM admissions WHERE peer_id = :peer_id"
_SHARED_HOSTED_THERE = "SELECT COUNT(*) AS n FROM groups WHERE peer_id = :peer_id"
_MEMBERS_HERE = """SELECT COUNT(DISTINCT m.actor_id) AS n FROM memberships m JOIN actors a ON a.actor_id = m.actor_id
  WHERE m.state = 'member' AND a.host = :host"""


async def list_peers(tx: Tx) -> list[Peer]:
    """Return every peer in every state, by host."""
    return [_peer(row) for row in await tx.all(_ALL)]


async def get_peer_by_host(tx: Tx, *, host: str) -> Peer | None:
    """Return a peer by the name people use for it."""
    row = await tx.one(_BY_HOST, host=host)
    return _peer(row) if row else None


async def get_peer(tx: Tx, *, peer_id: int) -> Peer | None:
    """Return a peer by our number."""
    row = await tx.one(_BY_ID, peer_id=peer_id)
    return _peer(row) if row else None


async def insert_peer(tx: Tx, *, peer: Peer) -> None:
    """Insert a peer.

    Raises:
        Duplicate: The host is listed already.
    """
    await tx.run(
        _INSERT,
        peer_id=peer.peer_id,
        host=peer.host,
        origin=peer.origin,
        name=peer.name,
        state=peer.state,
        fingerprint=peer.fingerprint,
        is_pinned=peer.is_pinned,
        instance_uri=peer.instance_uri,
        software_name=peer.software_name,
        software_version=peer.software_version,
        policy_json=peer.policy,
        told_json=peer.told,
        created_at=tx.now,
    )


async def take_peer(tx: Tx, *, peer_id: int) -> str | None:
    """Lock a peer's row for this transaction and return its state."""
    return await tx.value(_LOCK, peer_id=peer_id)  # type: ignore[no-any-return]


async def update_peer_state(tx: Tx, *, peer_id: int, state: str) -> None:
    """Set the state."""
    await tx.run(_SET_STATE, peer_id=peer_id, state=state)
    await journal.note(tx, "peer", host=await tx.value(_HOST, peer_id=peer_id), state=state)


async def update_peer_facts(tx: Tx, *, peer: Peer) -> None:
    """Set what the peer told of itself: name, key, software."""
    await tx.run(
        _SET_FACTS,
        peer_id=peer.peer_id,
        name=peer.name,
        fingerprint=peer.fingerprint,
        is_pinned=peer.is_pinned,
        instance_uri=peer.instance_uri,
        software_name=peer.software_name,
        software_version=peer.software_version,
        told_json=peer.told,
    )


async def update_peer_policy(tx: Tx, *, peer_id: int, policy: PeerPolicy, agreement_version: int | None) -> None:
    """Set what the peer may do, and which version of the agreement says so."""
    await tx.run(_SET_POLICY, peer_id=peer_id, policy_json=policy, agreement_version=agreement_version)


async def update_peer_offered(tx: Tx, *, peer_id: int, fingerprint: str) -> None:
    """Remember another key than the known one, which the peer has shown and nobody has compared."""
    await tx.run(_SET_OFFERED, peer_id=peer_id, offered=fingerprint)


async def clear_peer_error(tx: Tx, *, peer_id: int) -> None:
    """Forget what was wrong with a peer, and a key it had shown."""
    await tx.run(_CLEAR_ERROR, peer_id=peer_id)


async def update_peer_error(tx: Tx, *, peer_id: int, code: str, sentence: str) -> None:
    """Remember what is wrong with a peer; the time of the first sight is kept while the code stays."""
    await tx.run(_SET_ERROR, peer_id=peer_id, error_code=code, error_sentence=sentence, error_since_at=tx.now)


async def update_peer_received(tx: Tx, *, peer_id: int, at: datetime) -> None:
    """Remember when the peer last reached us."""
    await tx.run(_RECEIVED, peer_id=peer_id, last_received_at=at)


async def update_peer_delivered(tx: Tx, *, peer_id: int, at: datetime) -> None:
    """Remember when we last reached the peer, and that nothing is wrong."""
    await tx.run(_DELIVERED, peer_id=peer_id, last_delivered_at=at)


async def update_peer_certificate(tx: Tx, *, peer_id: int, ends_at: datetime) -> None:
    """Remember when the certificate ends that a peer has shown."""
    await tx.run(_CERTIFICATE, peer_id=peer_id, ends_at=ends_at)


async def list_certificates(tx: Tx) -> dict[int, datetime]:
    """Return {peer: when the certificate ends that it showed last}."""
    return {row.peer_id: row.certificate_ends_at for row in await tx.all(_CERTIFICATES)}


async def count_peer(tx: Tx, *, peer: Peer) -> dict[str, Any]:
    """Return {"queued", "oldest_queued_at", "members_here", "groups_shared"} of a peer."""
    queued = await tx.value(_QUEUES, peer_id=peer.peer_id) + await tx.value(_GROUP_QUEUES, peer_id=peer.peer_id)
    shared = await tx.value(_SHARED_HOSTED_HERE, peer_id=peer.peer_id)
    shared += await tx.value(_SHARED_HOSTED_THERE, peer_id=peer.peer_id)
    oldest = [
        await tx.value(_OLDEST, peer_id=peer.peer_id),
        await tx.value(_GROUPS_OLDEST, peer_id=peer.peer_id),
    ]
    return {
        "queued": int(queued),
        "oldest_queued_at": min((at for at in oldest if at is not None), default=None),
        "members_here": await tx.value(_MEMBERS_HERE, host=peer.host),
        "groups_shared": shared,
    }


def _peer(row: Any) -> Peer:
    values = row._asdict()
    values["policy"] = msgspec.convert(values.pop("policy_json"), PeerPolicy)
    values["told"] = msgspec.convert(values.pop("told_json") or {}, PeerTold)
    return Peer(**values)

"""Attestations in the store: what nodes say of their people, and what that counts for here."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from node.domain.attestations import NONE, Attested, Standing, judge
from node.domain.verification import Verification

from .engine import Tx
from .peerbook import PeerBook
from .verifications import list_verifications

_OF = """SELECT a.actor_id, a.host, t.through_host, t.state, t.level, t.stage, t.methods, t.jurisdictions, t.since, t.checked,
   t.ends_at, t.problem
  FROM actors a JOIN attestations t ON t.actor_id = a.actor_id
  WHERE a.actor_id IN :actor_ids AND a.is_local = 0 ORDER BY t.starts_at"""
_LOCAL = "SELECT actor_id, host FROM actors WHERE actor_id IN :actor_ids AND is_local = 1"
_PUT = """INSERT INTO attestations (actor_id, through_host, state, problem, level, stage, methods, jurisdictions, since,
   checked, starts_at, ends_at, document)
  VALUES (:actor_id, :through_host, :state, :problem, :level, :stage, :methods, :jurisdictions, :since, :checked,
   :starts_at, :ends_at, :document)
  ON CONFLICT (actor_id, through_host) DO UPDATE SET state = excluded.state, problem = excluded.problem,
   level = excluded.level, stage = excluded.stage, methods = excluded.methods, jurisdictions = excluded.jurisdictions,
   since = excluded.since, checked = excluded.checked, starts_at = excluded.starts_at, ends_at = excluded.ends_at,
   document = excluded.document"""
_DOCUMENT = """SELECT document FROM attestations
  WHERE actor_id = :actor_id AND through_host = '' AND state <> 'refused' AND ends_at > :now_at"""
_DROP = "DELETE FROM attestations WHERE actor_id = :actor_id AND through_host = :through_host"
_FORGET_RELAYED = """DELETE FROM attestations WHERE through_host <> '' AND NOT EXISTS (
   SELECT 1 FROM author_cards c JOIN actors a ON a.uri = c.actor_uri JOIN actors g ON g.actor_id = c.group_id
   WHERE a.actor_id = attestations.actor_id AND g.host = attestations.through_host)"""
_FORGET_OF_HOST = """DELETE FROM attestations WHERE through_host = ''
  AND actor_id IN (SELECT actor_id FROM actors WHERE host = :host AND is_local = 0)"""
_FORGET_INSTANCE = "UPDATE actors SET document = '' WHERE host = :host AND is_local = 0 AND kind = 'instance'"
_KEYS = """SELECT key_id, public_key, sealed_private, state, created_at, expires_at FROM attestation_keys
  ORDER BY created_at, key_id"""
_INSERT_KEY = """INSERT INTO attestation_keys (key_id, public_key, sealed_private, created_at, state)
  VALUES (:key_id, :public_key, :sealed_private, :created_at, :state) ON CONFLICT (key_id) DO NOTHING"""
_SET_KEY = "UPDATE attestation_keys SET state = :state, expires_at = :expires_at WHERE key_id = :key_id"


async def put_attestation(tx: Tx, *, actor_id: int, attested: Attested, starts_at: datetime, document: str) -> None:
    """Keep what is said of somebody in place of what was said before on the same way."""
    await tx.run(
        _PUT,
        actor_id=actor_id,
        through_host=attested.through or "",
        state=attested.state,
        problem=attested.problem,
        level=attested.level,
        stage=attested.stage,
        methods=" ".join(attested.methods),
        jurisdictions=" ".join(attested.jurisdictions),
        since=attested.since,
        checked=attested.checked,
        starts_at=starts_at,
        ends_at=attested.ends_at,
        document=document,
    )


async def get_attested(tx: Tx, *, actor_id: int) -> Attested | None:
    """Return what somebody's own node says of them, believed or not."""
    rows = await tx.all(_OF, actor_ids=[actor_id])
    return next((_attested(row) for row in rows if row.through_host == ""), None)


async def drop_attestation(tx: Tx, *, actor_id: int, through_host: str = "") -> None:
    """Forget what was said of somebody: nothing is said any more."""
    await tx.run(_DROP, actor_id=actor_id, through_host=through_host)


async def forget_relayed(tx: Tx) -> None:
    """Forget what hosts of groups passed on about authors of whom no card is left."""
    await tx.run(_FORGET_RELAYED)


async def forget_words_of(tx: Tx, *, host: str) -> None:
    """Forget what a node said of its people by a key that we trust no more, and the document that vouched for it."""
    await tx.run(_FORGET_OF_HOST, host=host)
    await tx.run(_FORGET_INSTANCE, host=host)


async def get_statement(tx: Tx, *, actor_id: int) -> str | None:
    """Return the statement of somebody's own node as it was signed, if it was believed and is in time."""
    return await tx.value(_DOCUMENT, actor_id=actor_id, now_at=tx.now)  # type: ignore[no-any-return]


async def find_standing(tx: Tx, peers: PeerBook, *, actor_id: int) -> Standing:
    """Return what is said of somebody, and what it counts for here."""
    return (await find_standings(tx, peers, actor_ids=[actor_id])).get(actor_id, NONE)


async def find_standings(tx: Tx, peers: PeerBook, *, actor_ids: list[int]) -> dict[int, Standing]:
    """Return what is said of people, and what it counts for here, by number; nothing for those of whom nothing is said.

    Of our own members our record decides, at this moment; of others the word of their own node if that is a peer, and
    what hosts of groups pass on only where it is not.

    Cost: three queries, however many people.
    """
    found: dict[int, Standing] = {}
    hosts = {row.actor_id: row.host for row in await tx.all(_LOCAL, actor_ids=actor_ids)}
    if hosts:
        for actor_id, (verification, stage) in (await list_verifications(tx, actor_ids=list(hosts))).items():
            found[actor_id] = judge(own_word(verification, stage, hosts[actor_id], tx.now), now=tx.now)
    for row in await tx.all(_OF, actor_ids=actor_ids) if len(hosts) < len(actor_ids) else []:
        standing = _judge_row(row, peers, tx.now)
        before = found.get(row.actor_id)
        if standing is not None and (before is None or standing.is_accepted or not before.is_accepted):
            found[row.actor_id] = standing
    return found


async def list_accepted(tx: Tx, peers: PeerBook, *, actor_ids: Iterable[int]) -> dict[int, str]:
    """Return the stage ("physician", "student" …) of those of some people whose attestation counts here, by number."""
    return {
        actor_id: standing.attested.stage
        for actor_id, standing in (await find_standings(tx, peers, actor_ids=list(set(actor_ids)))).items()
        if standing.is_accepted and standing.attested is not None
    }


def own_word(verification: Verification, stage: str, host: str, now: datetime) -> Attested:
    """Return what this node can say of a member at this moment."""
    is_lapsed = verification.state == "current" and not verification.is_current(now)
    state = "ended" if is_lapsed else verification.state
    changed_at = verification.lapses_at if is_lapsed else verification.changed_at
    return Attested(
        state=state,
        level=verification.level,
        stage=stage,
        methods=verification.methods,
        jurisdictions=(verification.jurisdiction,) if verification.jurisdiction else (),
        since=month(verification.since_at if state == "current" else changed_at),
        checked=month(verification.checked_at),
        ends_at=verification.lapses_at,
        issuer=host,
    )


def month(instant: datetime) -> str:
    """Return the month of an instant, such as "2026-12": days are nobody's business."""
    return f"{instant.year:04}-{instant.month:02}"


async def list_own_attestation_keys(tx: Tx) -> list[Any]:
    """Return the keys by which this node attests or did, oldest first: public, and sealed private parts."""
    return await tx.all(_KEYS)


async def insert_attestation_key(
    tx: Tx, *, key_id: str, public_key: str, sealed_private: str, state: str = "current"
) -> None:
    """Keep a key by which this node attests, unless it is there."""
    await tx.run(
        _INSERT_KEY,
        key_id=key_id,
        public_key=public_key,
        sealed_private=sealed_private,
        created_at=tx.now,
        state=state,
    )


async def set_attestation_key(tx: Tx, *, key_id: str, state: str, expires_at: datetime | None) -> None:
    """Set what an attestation key is for now: "current", "overlap", "retired" or "revoked"."""
    await tx.run(_SET_KEY, key_id=key_id, state=state, expires_at=expires_at)


def _judge_row(row: Any, peers: PeerBook, now: datetime) -> Standing | None:
    """Return what a stored word counts for; None where it is not the one to go by."""
    home = peers.by_host(row.host)
    is_home = home is not None and home.state in ("active", "paused")
    if (row.through_host == "") != is_home:
        return None
    teller = home if is_home else peers.by_host(row.through_host)
    if teller is None or teller.state not in ("active", "paused"):
        return None
    policy = teller.policy
    return judge(_attested(row), now=now, minimum=policy.minimum_assurance, accepts_relayed=policy.accepts_relayed)


def _attested(row: Any) -> Attested:
    return Attested(
        row.state, row.level, row.stage, tuple(row.methods.split()), tuple(row.jurisdictions.split()), row.since,
        row.checked, row.ends_at, row.host, row.through_host or None, row.problem,
    )  # fmt: skip

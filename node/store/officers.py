"""Operators who confirmed a peer's key, where the node asks for two of them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from .engine import Tx

_GIVE = """INSERT INTO peer_assents (peer_id, fingerprint, officer_id, given_at)
  VALUES (:peer_id, :fingerprint, :officer_id, :given_at) ON CONFLICT (peer_id, fingerprint, officer_id) DO NOTHING"""
# Who is no operator any more, or suspended, has no say.
_OFFICERS = """SELECT s.officer_id, m.handle, a.name, s.given_at FROM peer_assents s
  JOIN members m ON m.actor_id = s.officer_id JOIN actors a ON a.actor_id = s.officer_id
  WHERE s.peer_id = :peer_id AND s.fingerprint = :fingerprint AND m.role = 'operator' AND m.state = 'active'
  ORDER BY s.given_at, s.officer_id"""
_FORGET = "DELETE FROM peer_assents WHERE peer_id = :peer_id"


@dataclass(frozen=True, slots=True)
class Assent:
    """One operator's yes to a key. officer_id: who they are, whatever they are called."""

    officer_id: int
    handle: str
    name: str
    given_at: datetime


async def give_assent_to_key(tx: Tx, *, peer_id: int, fingerprint: str, officer_id: int) -> None:
    """Remember that an operator confirmed a key of a peer; twice is once."""
    await tx.run(_GIVE, peer_id=peer_id, fingerprint=fingerprint, officer_id=officer_id, given_at=tx.now)


async def list_assents_to_key(tx: Tx, *, peer_id: int, fingerprint: str) -> list[Assent]:
    """Return which of our operators confirmed a key of a peer, the first one first."""
    rows = await tx.all(_OFFICERS, peer_id=peer_id, fingerprint=fingerprint)
    return [Assent(*row) for row in rows]


async def forget_assents_to_keys(tx: Tx, *, peer_id: int) -> None:
    """Forget who confirmed a peer's keys: it took effect, or the attempt ended."""
    await tx.run(_FORGET, peer_id=peer_id)

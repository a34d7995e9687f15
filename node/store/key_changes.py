"""Keys of ours that change: what each is for now, who was told of it, and the words of former instance keys.

States of an own key: "current" signs; "overlap" is published beside it, coming while its `expires_at` is empty and going
when it is not; "retired" proves what was said before; "revoked" proves nothing new.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

from .changes import KEYS, note_change
from .engine import Tx

_SET = "UPDATE actor_keys SET state = :state, expires_at = :expires_at, last_seq = :last_seq WHERE key_id = :key_id"
_OWN = """SELECT k.key_id, k.actor_id, k.algorithm, k.public_key, k.state, k.created_at, k.expires_at, a.uri, a.kind, a.handle
  FROM actor_keys k JOIN actors a ON a.actor_id = k.actor_id WHERE a.is_local = 1"""
_ONE = f"{_OWN} AND k.key_id = :key_id"
_IS_UNTOLD = """EXISTS (SELECT 1 FROM key_tellings t JOIN peers p ON p.peer_id = t.peer_id
  WHERE t.key_id = k.key_id AND p.state IN ('active', 'paused') AND NOT EXISTS (
   SELECT 1 FROM lanes l WHERE l.peer_id = t.peer_id AND l.stream = :stream AND l.cursor >= t.position))"""
_DUE = f"""{_OWN} AND k.state = 'overlap' AND k.expires_at IS NULL
  AND (k.created_at <= :due_at OR NOT {_IS_UNTOLD}) ORDER BY k.created_at, k.key_id LIMIT 500"""
_ANY_COMING = """SELECT 1 AS yes FROM actor_keys k JOIN actors a ON a.actor_id = k.actor_id
  WHERE a.is_local = 1 AND k.state = 'overlap' AND k.expires_at IS NULL LIMIT 1"""
_GOING = f"{_OWN} AND k.state = 'overlap' AND k.expires_at <= :now_at ORDER BY k.key_id LIMIT 500"
_ACTORS = """SELECT actor_id, uri, kind, handle FROM actors WHERE is_local = 1 AND actor_id > :after
  ORDER BY actor_id LIMIT 500"""
_LACKING = """SELECT a.actor_id, a.uri, a.kind, a.handle FROM actors a WHERE a.is_local = 1
  AND EXISTS (SELECT 1 FROM actor_keys k WHERE k.actor_id = a.actor_id)
  AND NOT EXISTS (SELECT 1 FROM actor_keys k WHERE k.actor_id = a.actor_id AND k.algorithm = :algorithm
   AND k.state = 'current' AND k.sealed_private IS NOT NULL) ORDER BY a.actor_id"""
_KNOW_PUBLIC = """INSERT INTO actor_keys (key_id, actor_id, algorithm, public_key, sealed_private, state, created_at,
   expires_at, last_seq)
  VALUES (:key_id, :actor_id, 'ed25519', :public_key, NULL, 'retired', :created_at, NULL, NULL)
  ON CONFLICT (key_id) DO NOTHING"""
_INSERT_WORD = """INSERT INTO key_successions (key_id, document, created_at) VALUES (:key_id, :document, :created_at)
  ON CONFLICT (key_id) DO NOTHING"""
_DROP_WORD = "DELETE FROM key_successions WHERE key_id = :key_id"
_WORDS = "SELECT document FROM key_successions ORDER BY created_at DESC, key_id LIMIT 32"
_TELL = """INSERT INTO key_tellings (key_id, peer_id, position) VALUES (:key_id, :peer_id, :position)
  ON CONFLICT (key_id, peer_id) DO UPDATE SET position = excluded.position"""
_UNTOLD = """SELECT COUNT(*) AS n FROM key_tellings t JOIN peers p ON p.peer_id = t.peer_id
  WHERE t.key_id = :key_id AND p.state IN ('active', 'paused') AND NOT EXISTS (
   SELECT 1 FROM lanes l WHERE l.peer_id = t.peer_id AND l.stream = :stream AND l.cursor >= t.position)"""
_FORGET_TELLINGS = "DELETE FROM key_tellings WHERE key_id = :key_id"


async def get_own_key(tx: Tx, *, key_id: str) -> Any | None:
    """Return a key of ours: (key_id, actor_id, algorithm, public_key, state, created_at, expires_at, uri, kind, handle)."""
    return await tx.one(_ONE, key_id=key_id)


async def list_due(tx: Tx, *, due_at: datetime, stream: str) -> list[Any]:
    """Return up to 500 keys that may sign now: published before `due_at`, or everybody who was told took the word."""
    return await tx.all(_DUE, due_at=due_at, stream=stream)


async def has_coming(tx: Tx) -> bool:
    """Return whether a key of ours does not sign yet."""
    return await tx.value(_ANY_COMING) is not None


async def list_gone(tx: Tx) -> list[Any]:
    """Return up to 500 keys that stood beside a newer one for long enough."""
    return await tx.all(_GOING, now_at=tx.now)


async def list_own_actors(tx: Tx, *, after: int = 0) -> list[Any]:
    """Return up to 500 of our own actors by number: people, groups, staff rooms, the node itself."""
    return await tx.all(_ACTORS, after=after)


async def list_lacking(tx: Tx, *, algorithm: str) -> list[Any]:
    """Return our actors that have nothing to sign with: after a restore, when what they had was revoked since."""
    return await tx.all(_LACKING, algorithm=algorithm)


async def set_key(
    tx: Tx, *, key_id: str, state: str, expires_at: datetime | None = None, last_seq: int | None = None
) -> None:
    """Set what a key of ours is for from now on; other processes of this node read it anew."""
    await tx.run(_SET, key_id=key_id, state=state, expires_at=expires_at, last_seq=last_seq)
    await note_change(tx, KEYS)


async def know_public(tx: Tx, *, key_id: str, actor_id: int, public_key: str) -> None:
    """Keep the public part of a key of ours whose private part a restore has lost: what it proved stays proved."""
    await tx.run(_KNOW_PUBLIC, key_id=key_id, actor_id=actor_id, public_key=public_key, created_at=tx.now)


async def insert_succession(tx: Tx, *, key_id: str, document: str) -> None:
    """Keep the word of an instance key about the one after it; `key_id` is the latter."""
    await tx.run(_INSERT_WORD, key_id=key_id, document=document, created_at=tx.now)


async def drop_succession(tx: Tx, *, key_id: str) -> None:
    """Take back a word about a key."""
    await tx.run(_DROP_WORD, key_id=key_id)


async def list_successions(tx: Tx) -> list[str]:
    """Return the words of our former instance keys, oldest first."""
    return [row.document for row in reversed(await tx.all(_WORDS))]


async def note_telling(tx: Tx, *, key_id: str, peer_id: int, position: int) -> None:
    """Note where in a peer's stream it is told of a key."""
    await tx.run(_TELL, key_id=key_id, peer_id=peer_id, position=position)


async def count_untold(tx: Tx, *, key_id: str, stream: str) -> int:
    """Return how many peers have not taken the word of a key yet."""
    return int(await tx.value(_UNTOLD, key_id=key_id, stream=stream))


async def forget_tellings(tx: Tx, *, key_id: str) -> None:
    """Forget who was told of a key."""
    await tx.run(_FORGET_TELLINGS, key_id=key_id)

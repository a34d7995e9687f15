"""Actors and their keys in the store: our own members and groups, and those of peers."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from node.domain.actors import Actor
from node.federation.message import KeyDocument

from .changes import KEYS, note_change
from .engine import Tx
from .search_names import index_name

_COLUMNS = "actor_id, uri, kind, handle, host, is_local, known_through, name, summary, inbox_uri"
_BY_URI = f"SELECT {_COLUMNS} FROM actors WHERE uri = :uri"
_BY_ID = f"SELECT {_COLUMNS} FROM actors WHERE actor_id = :actor_id"
_BY_ADDRESS = f"SELECT {_COLUMNS} FROM actors WHERE host = :host AND handle = :handle AND kind = :kind"
_INSERT = """INSERT INTO actors (actor_id, uri, kind, handle, host, is_local, known_through, name, summary, inbox_uri,
   document, fetched_at, created_at, version)
  VALUES (:actor_id, :uri, :kind, :handle, :host, :is_local, :known_through, :name, :summary, :inbox_uri,
   :document, :fetched_at, :created_at, 1)
  ON CONFLICT (uri) DO NOTHING"""
_UPDATE_REMOTE = """UPDATE actors SET kind = :kind, handle = :handle, name = :name, summary = :summary,
   inbox_uri = :inbox_uri, document = :document, known_through = NULL, fetched_at = :fetched_at, version = version + 1
  WHERE uri = :uri AND is_local = 0"""
_RENAME_CARD = """UPDATE actors SET name = :name, version = version + 1
  WHERE uri = :uri AND is_local = 0 AND known_through IS NOT NULL"""
_GROUP_CARD = "UPDATE actors SET name = :name, summary = :summary, version = version + 1 WHERE actor_id = :actor_id"
_GROUP_DOCUMENT = "UPDATE actors SET document = :document WHERE actor_id = :actor_id AND is_local = 0"
_DOCUMENT = "SELECT document, fetched_at FROM actors WHERE uri = :uri"
# What was revoked stays so, whatever a document says: it may be an old one.
_UPSERT_KEY = """INSERT INTO actor_keys (key_id, actor_id, algorithm, public_key, sealed_private, state, created_at, expires_at,
   last_seq)
  VALUES (:key_id, :actor_id, :algorithm, :public_key, :sealed_private, :state, :created_at, :expires_at, :last_seq)
  ON CONFLICT (key_id) DO UPDATE SET public_key = excluded.public_key, algorithm = excluded.algorithm,
   state = excluded.state, expires_at = excluded.expires_at, last_seq = excluded.last_seq
  WHERE actor_keys.actor_id = excluded.actor_id AND actor_keys.state <> 'revoked'"""
_RETIRE_KEYS = """UPDATE actor_keys SET state = 'retired'
  WHERE actor_id = :actor_id AND NOT (key_id IN :key_ids) AND state IN ('current', 'overlap')"""
_RETIRE_KEYS_OF_HOST = """UPDATE actor_keys SET state = 'retired' WHERE state IN ('current', 'overlap')
  AND actor_id IN (SELECT actor_id FROM actors WHERE host = :host AND is_local = 0)"""
_DIFFERS = """SELECT 1 AS yes FROM actor_keys
  WHERE key_id = :key_id AND (public_key <> :public_key OR state <> :state OR expires_at IS NOT NULL)"""
_KEY = """SELECT k.key_id, k.algorithm, k.public_key, k.state, a.actor_id, a.uri, a.kind, a.host, a.is_local, k.expires_at,
   k.last_seq
  FROM actor_keys k JOIN actors a ON a.actor_id = k.actor_id WHERE k.key_id = :key_id"""
_KEYS_OF = """SELECT k.key_id, a.uri, k.algorithm, k.public_key, k.sealed_private, k.state, k.created_at, k.expires_at,
   k.last_seq
  FROM actor_keys k JOIN actors a ON a.actor_id = k.actor_id
  WHERE k.actor_id = :actor_id ORDER BY k.created_at, k.key_id"""
_OWN_KEYS = """SELECT k.key_id, a.uri AS owner, k.algorithm, k.state, k.created_at, k.expires_at
  FROM actor_keys k JOIN actors a ON a.actor_id = k.actor_id
  WHERE a.is_local = 1 AND k.key_id > :after ORDER BY k.key_id LIMIT 1000"""
_ACQUAINT = """INSERT INTO acquaintances (actor_id, peer_id) VALUES (:actor_id, :peer_id)
  ON CONFLICT (actor_id, peer_id) DO NOTHING"""
_ACQUAINTED = "SELECT 1 AS yes FROM acquaintances WHERE actor_id = :actor_id AND peer_id = :peer_id"


async def get_actor(tx: Tx, *, actor_id: int) -> Actor | None:
    """Return an actor by our number."""
    row = await tx.one(_BY_ID, actor_id=actor_id)
    return Actor(*row) if row else None


async def get_actor_by_uri(tx: Tx, *, uri: str) -> Actor | None:
    """Return an actor by id."""
    row = await tx.one(_BY_URI, uri=uri)
    return Actor(*row) if row else None


async def get_actor_by_address(tx: Tx, *, host: str, handle: str, kind: str) -> Actor | None:
    """Return a person or group by `handle@host`."""
    row = await tx.one(_BY_ADDRESS, host=host, handle=handle, kind=kind)
    return Actor(*row) if row else None


async def insert_actor(tx: Tx, *, actor: Actor, document: str = "", fetched_at: datetime | None = None) -> bool:
    """Insert an actor unless its id is there; return whether it was inserted."""
    done = await tx.run(
        _INSERT,
        actor_id=actor.actor_id,
        uri=actor.uri,
        kind=actor.kind,
        handle=actor.handle,
        host=actor.host,
        is_local=actor.is_local,
        known_through=actor.known_through,
        name=actor.name,
        summary=actor.summary,
        inbox_uri=actor.inbox_uri,
        document=document,
        fetched_at=fetched_at,
        created_at=tx.now,
    )
    if done == 1 and actor.kind == "person":  # a group is found by its title
        await index_name(tx, actor_id=actor.actor_id)
    return done == 1


async def save_remote_actor(tx: Tx, *, actor: Actor, document: str, keys: tuple[KeyDocument, ...]) -> Actor:
    """Insert or replace what a peer's actor says of itself, with its keys; keys no longer listed are retired."""
    if not await insert_actor(tx, actor=actor, document=document, fetched_at=tx.now):
        await tx.run(
            _UPDATE_REMOTE,
            uri=actor.uri,
            kind=actor.kind,
            handle=actor.handle,
            name=actor.name,
            summary=actor.summary,
            inbox_uri=actor.inbox_uri,
            document=document,
            fetched_at=tx.now,
        )
        await _index_name_of(tx, uri=actor.uri)
    saved = await get_actor_by_uri(tx, uri=actor.uri)
    assert saved is not None
    is_change = False
    for key in keys:
        differs = await tx.value(_DIFFERS, key_id=key.key_id, public_key=key.text, state=key.state)
        is_change = is_change or differs is not None
        await insert_key(tx, actor_id=saved.actor_id, key=key, sealed_private=None)
    retired = await tx.run(_RETIRE_KEYS, actor_id=saved.actor_id, key_ids=[key.key_id for key in keys])
    if is_change or retired:
        await note_change(tx, KEYS)
    return saved


async def retire_keys_of_host(tx: Tx, *, host: str) -> None:
    """Trust no key of another node's actors any more: each is fetched anew when it is needed."""
    await tx.run(_RETIRE_KEYS_OF_HOST, host=host)
    await note_change(tx, KEYS)


async def rename_card_actor(tx: Tx, *, uri: str, name: str) -> None:
    """Set the name of somebody whom we know through a card alone."""
    await tx.run(_RENAME_CARD, uri=uri, name=name)
    await _index_name_of(tx, uri=uri)


async def update_group_card(tx: Tx, *, actor_id: int, name: str, summary: str) -> None:
    """Set what a group is called and what it is for; it is found by the title that `rosters` keeps."""
    await tx.run(_GROUP_CARD, actor_id=actor_id, name=name, summary=summary)


async def update_group_document(tx: Tx, *, actor_id: int, document: str) -> None:
    """Set what a group elsewhere says of itself, after its host told it anew in the log."""
    await tx.run(_GROUP_DOCUMENT, actor_id=actor_id, document=document)


async def _index_name_of(tx: Tx, *, uri: str) -> None:
    if (actor := await get_actor_by_uri(tx, uri=uri)) is not None:
        await index_name(tx, actor_id=actor.actor_id)


async def get_actor_document(tx: Tx, *, uri: str) -> Any | None:
    """Return (document, fetched_at) as the actor's own node gave it."""
    return await tx.one(_DOCUMENT, uri=uri)


async def insert_key(tx: Tx, *, actor_id: int, key: KeyDocument, sealed_private: str | None) -> None:
    """Insert a key, or replace the public part of a known one; a key of somebody else stays theirs (T05).

    One that was revoked stays revoked.
    """
    await tx.run(
        _UPSERT_KEY,
        key_id=key.key_id,
        actor_id=actor_id,
        algorithm=key.algorithm,
        public_key=key.text,
        sealed_private=sealed_private,
        state=key.state,
        created_at=tx.now,
        expires_at=key.expires_at,
        last_seq=key.last_seq,
    )


async def get_key(tx: Tx, *, key_id: str) -> Any | None:
    """Return a key with its owner.

    (key_id, algorithm, public_key, state, actor_id, uri, kind, host, is_local, expires_at, last_seq).
    """
    return await tx.one(_KEY, key_id=key_id)


async def list_keys_of(tx: Tx, *, actor_id: int) -> list[Any]:
    """Return an actor's keys, oldest first."""
    return await tx.all(_KEYS_OF, actor_id=actor_id)


async def list_methods(tx: Tx, *, uri: str) -> dict[str, str]:
    """Return {key id: Multikey} of the Ed25519 keys that an actor has and had, as its own node gave them.

    Revoked ones, too: what stands in a log was said before, or its host would not have taken it. Nothing of somebody whom
    we know through a card alone.
    """
    actor = await get_actor_by_uri(tx, uri=uri)
    if actor is None or actor.known_through is not None:
        return {}
    return {
        row.key_id: row.public_key
        for row in await list_keys_of(tx, actor_id=actor.actor_id)
        if row.algorithm == "ed25519" and (actor.is_local or row.state != "retired")
    }


async def list_own_keys(tx: Tx, *, after: str = "") -> list[Any]:
    """Return up to 1000 keys of our own actors by id, without their private parts."""
    return await tx.all(_OWN_KEYS, after=after)


async def acquaint(tx: Tx, *, actor_id: int, peer_id: int) -> None:
    """Remember that a member of ours wrote to a peer, so that it may look them up."""
    await tx.run(_ACQUAINT, actor_id=actor_id, peer_id=peer_id)


async def is_acquainted(tx: Tx, *, actor_id: int, peer_id: int) -> bool:
    """Return whether a member of ours wrote to a peer."""
    return await tx.value(_ACQUAINTED, actor_id=actor_id, peer_id=peer_id) is not None

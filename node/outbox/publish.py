"""Publishing: into a peer's stream, or into the log of a group that we host. Always inside the caller's transaction.

An entry is numbered, chained and sealed in the transaction that holds the group's row; decision 0003 says why a
signature of 0.06 ms may stand there. Lanes are woken after the commit.
"""

from __future__ import annotations

import secrets
from typing import Any

import msgspec

from node.domain.actors import Actor
from node.domain.groups import Group
from node.federation.credentials import MEMBER
from node.federation.grouplog.entry import SALT_BYTES, LogEntry, commit_of, format_salt, seal_entry
from node.federation.integrity import proof_method, sign_document
from node.federation.message import KeyDocument
from node.foundation.clock import format_instant
from node.foundation.errors import Conflict, Recovering
from node.store.actors import acquaint, get_actor_by_uri, list_keys_of
from node.store.attestations import get_statement
from node.store.core import Core
from node.store.engine import Tx
from node.store.keyring import OwnKeys
from node.store.logs import Card, StoredEntry, append_entry, get_card, get_position, insert_card
from node.store.streams import append_to_stream

from .actors import build_card

CONTROL = "control"
DIRECT = "direct"
LANES_BELL = "lanes"
# A reader who looks at one key only takes the first.
_ORDER = {"current": 0, "overlap": 1, "past": 2, "revoked": 3}
_PEOPLE = {"person": "Person", "group": "Group", "instance": "Application"}

encode = msgspec.json.Encoder().encode
decode = msgspec.json.Decoder().decode


def prove(core: Core, keys: OwnKeys, activity: dict[str, Any]) -> dict[str, Any]:
    """Return an activity with its author's proof: the author's node vouches for it. Spec: FEP-8b32."""
    created = format_instant(core.clock.now())
    return sign_document(activity, keys.ed25519, method=keys.ed25519_key_id, created=created)


async def send(
    tx: Tx, core: Core, *, peer_id: int, stream: str, actor_id: int, activity: dict[str, Any], inbox_uri: str
) -> int:
    """Put an activity of one of our actors at the end of a peer's stream; the peer may then look that actor up.

    Returns:
        Its position there.
    """
    position = await append_to_stream(
        tx,
        peer_id=peer_id,
        stream=stream,
        actor_id=actor_id,
        activity_uri=activity["id"],
        inbox_uri=inbox_uri,
        document=encode(activity).decode(),
    )
    await acquaint(tx, actor_id=actor_id, peer_id=peer_id)
    tx.after_commit(lambda: core.bell.ring(LANES_BELL))
    return position


async def append(
    tx: Tx,
    core: Core,
    *,
    group: Group,
    kind: str,
    activity: dict[str, Any],
    media: list[dict[str, Any]] | None = None,
) -> StoredEntry:
    """Append an accepted activity to the log of a group that we host, its author's card first where that is news.

    The caller holds the group's row (`take_group`) and has decided that the activity is accepted.

    Raises:
        Conflict: The activity stands in the log already.
        Recovering: The log was restored and asks for its end.
    """
    author = activity["actor"]
    if author != group.uri:
        await append_card(tx, core, group=group, author=author, method=proof_method(activity))
    stored = await _append(tx, core, group=group, kind=kind, activity=activity, media=media)
    tx.after_commit(lambda: core.bell.ring(LANES_BELL))
    return stored


async def append_card(tx: Tx, core: Core, *, group: Group, author: str, method: str | None = None) -> None:
    """Append the author's card unless the one in force says the same.

    Args:
        tx: The transaction that holds the group's row.
        core: This node.
        group: Hosted here.
        author: Somebody's id.
        method: The key that proves what is appended next, so that the card names it; None where nothing is.
    """
    actor = await get_actor_by_uri(tx, uri=author)
    if actor is None:
        raise Conflict(internal=f"no actor for the author {author}")
    known = await get_card(tx, group_id=group.group_id, actor_uri=author)
    card, key = await _draw_card(tx, actor, method, known.key_id if known else None)
    text = encode(card).decode()
    if known is None or known.document != text:
        await _append_card(tx, core, group, card, key)


async def append_end(tx: Tx, core: Core, *, group: Group, author: str) -> None:
    """Append the card of somebody who is no member any more, if it takes back what the one in force attests.

    No other word of theirs comes into the log; they are called what they were called (T15).
    """
    known = await get_card(tx, group_id=group.group_id, actor_uri=author)
    actor = await get_actor_by_uri(tx, uri=author)
    if known is None or actor is None:
        return
    in_force = decode(known.document)
    card, key = await _draw_card(tx, actor, None, known.key_id)
    if _is_current(in_force.get(MEMBER)) and not _is_current(card.get(MEMBER)):
        names = {name: in_force[name] for name in ("name", "preferredUsername") if name in in_force}
        await _append_card(tx, core, group, card | names, key)


async def _draw_card(
    tx: Tx, actor: Actor, method: str | None, known: str | None
) -> tuple[dict[str, Any], KeyDocument | None]:
    """Return somebody's card as it is now, and the key that it names: the one that is wanted, else the known one."""
    keys = {
        key.key_id: key
        for key in await published_keys(tx, actor)
        if key.algorithm == "ed25519" and key.state != "revoked"
    }
    key = keys.get(method or "") or keys.get(known or "") or next((key for key in keys.values() if key.signs), None)
    statement = await get_statement(tx, actor_id=actor.actor_id)
    named = (key,) if key is not None else ()
    card = build_card(actor, _PEOPLE.get(actor.kind, "Person"), named, decode(statement) if statement else None)
    return card, key


def _is_current(statement: Any) -> bool:
    return isinstance(statement, dict) and "credentialStatus" not in statement


async def _append_card(tx: Tx, core: Core, group: Group, card: dict[str, Any], key: KeyDocument | None) -> None:
    activity = {
        "@context": "https://www.w3.org/ns/activitystreams",
        "type": "Add",
        "id": f"{core.origin}/activities/{core.ids.token()}",
        "actor": group.uri,
        "object": card,
        "target": f"{group.uri}/authors",
        "to": [f"{group.uri}/followers"],
    }
    stored = await _append(tx, core, group=group, kind="author", activity=activity, media=None)
    kept = Card(stored.seq, encode(card).decode(), key.key_id if key else None, key.text if key else None)
    await insert_card(tx, group_id=group.group_id, actor_uri=card["id"], card=kept)


async def published_keys(tx: Tx, actor: Actor) -> tuple[KeyDocument, ...]:
    """Return the public keys that an actor publishes: what it signs with, what stands beside that, what was before."""
    found = []
    for row in await list_keys_of(tx, actor_id=actor.actor_id):
        state = "past" if row.state == "retired" and actor.is_local else row.state
        if state in _ORDER and not (row.algorithm == "rsa" and state in ("past", "revoked")):
            key = KeyDocument(row.key_id, actor.uri, row.algorithm, row.public_key, state, row.expires_at, row.last_seq)
            found.append(key)
    return tuple(sorted(found, key=lambda key: _ORDER[key.state]))


async def _append(
    tx: Tx, core: Core, *, group: Group, kind: str, activity: dict[str, Any], media: list[dict[str, Any]] | None
) -> StoredEntry:
    position = await get_position(tx, group_id=group.group_id)
    assert position is not None
    if position.is_recovering:
        raise Recovering
    salt = secrets.token_bytes(SALT_BYTES)
    head = position.head
    commit = commit_of(salt, activity)
    entry = LogEntry(group.uri, head.epoch, head.seq + 1, head.chain, activity["id"], kind, commit)
    keys = core.keyring.at_hand(group.group_id)
    proof = seal_entry(entry, keys.ed25519, method=keys.ed25519_key_id)
    stored = StoredEntry(
        seq=entry.seq,
        kind=kind,
        activity_uri=entry.activity,
        actor_uri=activity["actor"],
        prev=entry.prev,
        chain=entry.chain,
        commit_hash=commit,
        epoch=entry.epoch,
        proof=encode(proof).decode(),
        salt=format_salt(salt),
        document=encode(activity).decode(),
        media=media,
    )
    if not await append_entry(tx, group_id=group.group_id, stored=stored):
        raise Conflict(internal=f"the log of {group.uri} moved although its row was held")
    return stored

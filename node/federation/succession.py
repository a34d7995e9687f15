"""A node's word about its next instance key, signed by the key before: so that no two operators must call each other.

    {"type": "KeySuccession", "actor": "https://a.example/actor", "previous": {Multikey}, "next": {Multikey}, "proof": {…}}

They stand in `keySuccession` of the instance actor, all that there were, oldest first: a peer that was away finds its way
from the key it has pinned to the one that is shown. A key that named two successors leads nowhere: one of the two words is
not its node's. A key that leaked or was lost has no word to give; then operators compare again.

Spec: reliability.md 4.7; signatures.md T62.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from node.foundation.errors import NodeError, RemoteMalformed

from .integrity import sign_document, verify_proof
from .message import KeyDocument
from .signatures.keys import PrivateKey, fingerprint_hex, load_multikey

SUCCESSIONS = "keySuccession"
SUCCESSIONS_LIMIT = 32
_TYPE = "KeySuccession"


def build_succession(previous: KeyDocument, following: KeyDocument, key: PrivateKey, *, created: str) -> dict[str, Any]:
    """Return the word of a key about the one that comes after it.

    Args:
        previous: The key that speaks.
        following: The one that it names.
        key: The private part of the former.
        created: When it is said.
    """
    document = {
        "type": _TYPE,
        "actor": previous.owner,
        "previous": _multikey(previous),
        "next": _multikey(following),
    }
    return sign_document(document, key, method=previous.key_id, created=created)


def leads_to(document: Mapping[str, Any], *, pinned: str, shown: str) -> bool:
    """Say whether an instance actor's statements lead from the pinned key to the one that it shows, one after the other.

    Args:
        document: The actor, as its own node gave it.
        pinned: The fingerprint that operators compared.
        shown: The fingerprint of the key that the actor signs with now.
    """
    listed = document.get(SUCCESSIONS)
    if not isinstance(listed, list) or len(listed) > SUCCESSIONS_LIMIT:
        return False
    following: dict[str, set[str]] = {}
    for statement in listed:
        try:
            previous, then = _read(statement, str(document.get("id")))
        except NodeError:
            continue
        following.setdefault(previous, set()).add(then)
    at, seen = pinned, {pinned}
    while at != shown:
        if len(then_all := following.get(at, set())) != 1:
            return False
        [at] = then_all
        if at in seen:
            return False
        seen.add(at)
    return True


def _read(statement: Any, actor: str) -> tuple[str, str]:
    """Return the fingerprints of the key that speaks and of the one it names, once its proof is good."""
    if not isinstance(statement, dict) or statement.get("type") != _TYPE or statement.get("actor") != actor:
        raise RemoteMalformed(internal="not a key's word about the next")
    keys = []
    for name in ("previous", "next"):
        listed = statement.get(name)
        text = listed.get("publicKeyMultibase") if isinstance(listed, dict) else None
        if not isinstance(listed, dict) or listed.get("controller") != actor or not isinstance(text, str):
            raise RemoteMalformed(internal="a key's word names a key of somebody else")
        keys.append(load_multikey(text))
    verify_proof(statement, keys[0])
    return fingerprint_hex(keys[0]), fingerprint_hex(keys[1])


def _multikey(key: KeyDocument) -> dict[str, Any]:
    return {"id": key.key_id, "type": "Multikey", "controller": key.owner, "publicKeyMultibase": key.text}

"""Our own actors as documents: people, groups, the node itself, and the cards of authors.

Spec: ActivityPub §4; FEP-1b12; FEP-521a; FEP-2677; wire.md 2.1, 4.9.
"""

from __future__ import annotations

from typing import Any

from node.domain.actors import Actor
from node.domain.groups import Group, GroupPaper
from node.federation.credentials import KEY_MEMBER, MEMBER
from node.federation.integrity import sign_document
from node.federation.message import KeyDocument
from node.federation.succession import SUCCESSIONS
from node.federation.vocabulary.actors import PAST_KEYS_LIMIT, PAST_METHODS
from node.foundation.clock import format_instant
from node.foundation.text import text_to_html
from node.store.core import Core
from node.store.keyring import OwnKeys

CONTEXT: list[Any] = [
    "https://www.w3.org/ns/activitystreams",
    "https://w3id.org/security/v1",
    "https://w3id.org/security/data-integrity/v1",
    "https://w3id.org/security/multikey/v1",
]
_INTERACTION: dict[str, Any] = {"canAnnounce": {"automaticApproval": []}, "canQuote": {"automaticApproval": []}}


def build_person(
    core: Core, actor: Actor, keys: tuple[KeyDocument, ...], statement: dict[str, Any] | None = None
) -> dict[str, Any]:
    """Return a member of ours as peers may see them, with what this node states of them."""
    return {
        "@context": CONTEXT,
        "type": "Person",
        "id": actor.uri,
        "preferredUsername": actor.handle,
        "name": actor.name,
        "summary": text_to_html(actor.summary),
        "url": actor.uri,
        "inbox": f"{actor.uri}/inbox",
        "outbox": f"{actor.uri}/outbox",
        "followers": f"{actor.uri}/followers",
        "manuallyApprovesFollowers": True,
        "discoverable": False,
        "indexable": False,
        "endpoints": {"sharedInbox": f"{core.origin}/inbox"},
        **_key_members(actor.uri, keys),
        **_stated(statement),
    }


def build_group(
    core: Core, group: Group, actor: Actor, keys: tuple[KeyDocument, ...], paper: GroupPaper
) -> dict[str, Any]:
    """Return a group that we host, as peers may see it."""
    return {
        "@context": CONTEXT,
        "type": "Group",
        "id": group.uri,
        "preferredUsername": group.handle,
        "name": group.title,
        "summary": text_to_html(actor.summary),
        "url": group.uri,
        "inbox": f"{group.uri}/inbox",
        "outbox": f"{group.uri}/outbox",
        "followers": f"{group.uri}/followers",
        "featured": f"{group.uri}/featured",
        "attributedTo": f"{group.uri}/moderators",
        "manuallyApprovesFollowers": group.policy != "open",
        "joinPolicy": group.policy,
        "hidden": group.is_hidden,
        "historyVisibility": "all" if group.history == "all" else "sinceJoin",
        "requiredAssurance": group.required_assurance,
        "rules": paper.rules,
        "questions": list(paper.questions),
        "nodes": [{"host": host, "name": name} for host, name in paper.nodes],
        "sizeBand": paper.band,
        "log": f"{group.uri}/log",
        "discoverable": False,
        "indexable": False,
        "postingRestrictedToMods": False,
        "interactionPolicy": _INTERACTION,
        "endpoints": {"sharedInbox": f"{core.origin}/inbox"},
        **_key_members(group.uri, keys),
    }


def build_instance(
    core: Core,
    keys: OwnKeys,
    published: tuple[KeyDocument, ...] = (),
    successions: tuple[dict[str, Any], ...] = (),
) -> dict[str, Any]:
    """Return the node itself, with a proof by its own Ed25519 key: it vouches for the keys beside it.

    Args:
        core: This node.
        keys: What it signs with.
        published: All keys that it publishes; only those where none are given.
        successions: The words of its former keys about the ones that came after them.
    """
    signing = (keys.ed25519_key_id, keys.rsa_key_id)
    listed = sorted(published or keys.documents, key=lambda key: key.key_id not in signing)
    document = describe_instance(core, tuple(listed), successions, core.keyring.attesting_documents)
    created = format_instant(core.clock.now())
    return sign_document(document, keys.ed25519, method=keys.ed25519_key_id, created=created)


def describe_instance(
    core: Core,
    published: tuple[KeyDocument, ...],
    successions: tuple[dict[str, Any], ...],
    attesting: tuple[KeyDocument, ...],
) -> dict[str, Any]:
    """Return what the node says of itself, without its proof: a notice that something has changed, and no more."""
    return {
        "@context": CONTEXT,
        "type": "Application",
        "id": core.instance_uri,
        "preferredUsername": core.host,
        "name": core.config.name,
        "inbox": f"{core.origin}/inbox",
        "outbox": f"{core.instance_uri}/outbox",
        "url": f"{core.origin}/",
        "manuallyApprovesFollowers": True,
        "discoverable": False,
        "indexable": False,
        "endpoints": {"sharedInbox": f"{core.origin}/inbox"},
        **_key_members(core.instance_uri, published),
        # Apart from the keys of requests and activities: neither may pass for the other.
        KEY_MEMBER: [_multikey(key) for key in attesting],
        **({SUCCESSIONS: list(successions)} if successions else {}),
    }


def build_card(
    actor: Actor, kind: str, keys: tuple[KeyDocument, ...], statement: dict[str, Any] | None = None
) -> dict[str, Any]:
    """Return the card by which a group's other members know an author, with what their node states of them.

    Spec: wire.md 4.9.
    """
    return {
        "id": actor.uri,
        "type": kind,
        "name": actor.name,
        "preferredUsername": actor.handle,
        "assertionMethod": [_plain_multikey(key) for key in keys if key.algorithm == "ed25519"],
        **_stated(statement),
    }


def _plain_multikey(key: KeyDocument) -> dict[str, Any]:
    """Return a key as a card names it: what was said stays proved by it, so its end is nothing to a log."""
    return {"id": key.key_id, "type": "Multikey", "controller": key.owner, "publicKeyMultibase": key.text}


def _stated(statement: dict[str, Any] | None) -> dict[str, Any]:
    return {} if statement is None else {MEMBER: statement}


def _key_members(owner: str, keys: tuple[KeyDocument, ...]) -> dict[str, Any]:
    """Return the members of a document that list keys, what it signs with now first; older software reads no other."""
    methods = [key for key in keys if key.algorithm == "ed25519"]
    members: dict[str, Any] = {"assertionMethod": [_multikey(key) for key in methods if key.signs]}
    if past := [_multikey(key) for key in methods if not key.signs][-PAST_KEYS_LIMIT:]:
        members[PAST_METHODS] = past
    pems = [
        {"id": key.key_id, "owner": owner, "publicKeyPem": key.text, **_end(key)}
        for key in keys
        if key.algorithm == "rsa" and key.signs
    ]
    if pems:
        members["publicKey"] = pems[0] if len(pems) == 1 else pems
    return members


def _multikey(key: KeyDocument) -> dict[str, Any]:
    return _plain_multikey(key) | _end(key)


def _end(key: KeyDocument) -> dict[str, Any]:
    """Return until when a key signs, or since when it is not to be trusted and which log entry is its last."""
    if key.state == "revoked":
        revoked = {"revoked": format_instant(key.expires_at)} if key.expires_at else {"revoked": True}
        return revoked | ({} if key.last_seq is None else {"lastEntry": key.last_seq})
    return {} if key.expires_at is None else {"expires": format_instant(key.expires_at)}

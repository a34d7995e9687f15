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
from node.foundation.clock import format_instant
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
        "summary": actor.summary,
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
        "summary": actor.summary,
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


def build_instance(core: Core, keys: OwnKeys) -> dict[str, Any]:
    """Return the node itself, with a proof by its own Ed25519 key: it vouches for the keys beside it."""
    document = {
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
        **_key_members(core.instance_uri, keys.documents),
        # Apart from the keys of requests and activities: neither may pass for the other.
        KEY_MEMBER: [_multikey(core.keyring.attesting.document)],
    }
    created = format_instant(core.clock.now())
    return sign_document(document, keys.ed25519, method=keys.ed25519_key_id, created=created)


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
        "assertionMethod": [_multikey(key) for key in keys if key.algorithm == "ed25519"],
        **_stated(statement),
    }


def _stated(statement: dict[str, Any] | None) -> dict[str, Any]:
    return {} if statement is None else {MEMBER: statement}


def _key_members(owner: str, keys: tuple[KeyDocument, ...]) -> dict[str, Any]:
    members: dict[str, Any] = {"assertionMethod": [_multikey(key) for key in keys if key.algorithm == "ed25519"]}
    for key in keys:
        if key.algorithm == "rsa":
            members["publicKey"] = {"id": key.key_id, "owner": owner, "publicKeyPem": key.text}
    return members


def _multikey(key: KeyDocument) -> dict[str, Any]:
    return {"id": key.key_id, "type": "Multikey", "controller": key.owner, "publicKeyMultibase": key.text}

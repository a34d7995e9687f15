"""Actors: people, groups and the software that speaks for them, as they describe themselves.

`understand` calls `read_actor`. What it returns is a claim of whoever served the document; `origin.check_actor_origins`
says whether the addresses and keys in it can be that actor's.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any, Final

import msgspec

from ...foundation.errors import RemoteMalformed
from ..message import KeyDocument
from .values import (
    CONTENT_LIMIT_CHARACTERS,
    KEYS_LIMIT,
    NAME_LIMIT_CHARACTERS,
    Document,
    is_true,
    list_names,
    read_id,
    read_instant,
    read_link,
    read_links,
    read_objects,
    read_text,
)

# Keys that proved what an actor said before, for whoever reads that later; beside `assertionMethod`, whose keys sign.
PAST_METHODS: Final = "pastAssertionMethod"
PAST_KEYS_LIMIT: Final = 64
ACTOR_TYPES: Final = ("Person", "Group", "Service", "Application", "Organization")

_PEM_LIMIT_CHARACTERS: Final = 16_384
_MULTIKEY_LIMIT_CHARACTERS: Final = 512
# Multibase base58btc of the two bytes that mean Ed25519; other kinds of Multikey are not used by anybody yet.
_ED25519_PREFIX: Final = "z6Mk"


class ActorView(msgspec.Struct, frozen=True, kw_only=True):
    """What an actor's document says.

    handle: `preferredUsername`, the part before the @; None where the actor has none.
    summary: HTML, not yet sanitised.
    keys: RSA keys from `publicKey`, Ed25519 keys from `assertionMethod`, each with the owner it names; after them those of
        before, which sign nothing any more (`KeyDocument.signs`).
    moderators: the collection of a group's moderators (Lemmy writes it into `attributedTo`).
    attributed_to: who the actor belongs to, where these are named one by one (PeerTube, Smithereen).
    manually_approves, discoverable, indexable: false unless the document says true.
    document: without `bto` and `bcc`.
    """

    id: str
    type: str
    handle: str | None
    name: str | None
    summary: str | None
    url: str | None
    inbox: str
    shared_inbox: str | None
    outbox: str | None
    followers: str | None
    featured: str | None
    keys: tuple[KeyDocument, ...]
    attributed_to: tuple[str, ...]
    moderators: str | None
    manually_approves: bool
    discoverable: bool
    indexable: bool
    icon: str | None
    also_known_as: tuple[str, ...]
    moved_to: str | None
    published_at: datetime | None
    updated_at: datetime | None
    document: Document

    def __repr__(self) -> str:
        """Return type and id alone: reprs end up in logs, and what people write must not."""
        return f"<ActorView {self.type} {self.id}>"


def read_actor(document: Document, type_name: str) -> ActorView:
    """Return an actor.

    Raises:
        RemoteMalformed: It has no id or no inbox, or something in it is of the wrong kind or beyond the limits.
    """
    inbox = read_link(document, "inbox")
    if inbox is None:
        raise RemoteMalformed("The actor has no inbox.")
    actor_uri = read_id(document)
    moderators, attributed_to = _read_attribution(document)
    return ActorView(
        id=actor_uri,
        type=type_name,
        handle=read_text(document, "preferredUsername", limit=NAME_LIMIT_CHARACTERS),
        name=read_text(document, "name", limit=NAME_LIMIT_CHARACTERS),
        summary=read_text(document, "summary", limit=CONTENT_LIMIT_CHARACTERS),
        url=read_link(document, "url"),
        inbox=inbox,
        shared_inbox=_read_shared_inbox(document),
        outbox=read_link(document, "outbox"),
        followers=read_link(document, "followers"),
        featured=read_link(document, "featured"),
        keys=read_keys(document),
        attributed_to=attributed_to,
        moderators=moderators,
        manually_approves=is_true(document, "manuallyApprovesFollowers"),
        discoverable=is_true(document, "discoverable"),
        indexable=is_true(document, "indexable"),
        icon=_read_icon(document),
        also_known_as=read_links(document, "alsoKnownAs"),
        moved_to=read_link(document, "movedTo"),
        published_at=read_instant(document, "published"),
        updated_at=read_instant(document, "updated"),
        document=document,
    )


def read_keys(document: Document) -> tuple[KeyDocument, ...]:
    """Return the keys that an actor's document or an author card lists, each with the owner it names.

    The first of a kind is the one that its owner signs with now.
    """
    return (*_read_pem_keys(document), *_read_multikeys(document), *_read_past_keys(document))


def _read_attribution(document: Document) -> tuple[str | None, tuple[str, ...]]:
    """Return the moderators' collection and the persons an actor is attributed to; a single URI is the former."""
    if type(document.get("attributedTo")) is str:
        return read_link(document, "attributedTo"), ()
    return read_link(document, "moderators"), read_links(document, "attributedTo")


def _read_shared_inbox(document: Document) -> str | None:
    endpoints = document.get("endpoints")
    # Discourse writes it beside `inbox`; Kroeg's endpoints are only a URI.
    return read_link(endpoints if type(endpoints) is dict else document, "sharedInbox")


def _read_icon(document: Document) -> str | None:
    icons = document.get("icon")
    icon = icons[0] if type(icons) is list and icons else icons
    return read_link(icon, "url") if type(icon) is dict else None


def _read_pem_keys(document: Document) -> list[KeyDocument]:
    """Return RSA keys; one that does not say whose it is belongs to nobody, and is left out."""
    found: list[KeyDocument] = []
    for key in read_objects(document, "publicKey", limit=KEYS_LIMIT):
        key_id, owner = read_link(key, "id"), read_link(key, "owner")
        pem = read_text(key, "publicKeyPem", limit=_PEM_LIMIT_CHARACTERS)
        if key_id and owner and pem:
            state = "overlap" if found else "current"
            found.append(KeyDocument(key_id, owner, "rsa", pem, state, read_instant(key, "expires")))
    return found


def _read_multikeys(document: Document) -> list[KeyDocument]:
    """Return Ed25519 keys.

    Spec: FEP-521a.
    """
    found: list[KeyDocument] = []
    for key in read_objects(document, "assertionMethod", limit=KEYS_LIMIT):
        text = read_text(key, "publicKeyMultibase", limit=_MULTIKEY_LIMIT_CHARACTERS)
        key_id, controller = read_link(key, "id"), read_link(key, "controller")
        if _is_ed25519(key, text) and text and key_id and controller:
            state = "overlap" if found else "current"
            found.append(KeyDocument(key_id, controller, "ed25519", text, state, read_instant(key, "expires")))
    return found


def _read_past_keys(document: Document) -> list[KeyDocument]:
    """Return Ed25519 keys that prove only what was said before; one that was revoked names the last log entry it proves."""
    found: list[KeyDocument] = []
    for key in read_objects(document, PAST_METHODS, limit=PAST_KEYS_LIMIT):
        text = read_text(key, "publicKeyMultibase", limit=_MULTIKEY_LIMIT_CHARACTERS)
        key_id, controller, last = read_link(key, "id"), read_link(key, "controller"), key.get("lastEntry")
        if _is_ed25519(key, text) and text and key_id and controller:
            state, last_seq = ("revoked", last if type(last) is int else 0) if "revoked" in key else ("past", None)
            found.append(KeyDocument(key_id, controller, "ed25519", text, state, last_seq=last_seq))
    return found


def _is_ed25519(key: dict[str, Any], text: str | None) -> bool:
    return "Multikey" in list_names(key.get("type")) and text is not None and text.startswith(_ED25519_PREFIX)

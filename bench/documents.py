"""The activities that are sent: a private message, a submission to a group, a group's log entries."""

from __future__ import annotations

import json
import secrets
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from node.federation.grouplog.entry import (
    SALT_BYTES,
    LogEntry,
    build_announce,
    chain_zero,
    commit_of,
    format_salt,
    seal_entry,
)
from node.federation.integrity import sign_document

from .peers import Actor, multikey_of, new_token

_CONTEXT = ["https://www.w3.org/ns/activitystreams", "https://w3id.org/security/data-integrity/v1"]
_WORDS = "Who covers the night shift on Friday? I can swap with Thursday, the ward is quiet then."


def build_message(author: Actor, to: str) -> bytes:
    """Return a `Create{Note}` for one person, about 500 bytes."""
    origin = author.peer.origin
    note = {
        "id": f"{origin}/posts/{new_token()}",
        "type": "Note",
        "attributedTo": author.uri,
        "to": [to],
        "content": f"<p>{_WORDS[:60]}</p>",
        "published": _now(),
    }
    return _encode(
        {
            "@context": _CONTEXT[0],
            "type": "Create",
            "id": f"{origin}/activities/{new_token()}",
            "actor": author.uri,
            "to": [to],
            "object": note,
        }
    )


def build_submission(author: Actor, group: str) -> dict[str, Any]:
    """Return a `Create{Page}` for the members of a group, with its author's proof."""
    origin = author.peer.origin
    addresses = [group, f"{group}/followers"]
    page = {
        "id": f"{origin}/posts/{new_token()}",
        "type": "Page",
        "attributedTo": author.uri,
        "to": addresses,
        "cc": [],
        "audience": group,
        "name": "Night shifts in December",
        "content": f"<p>{_WORDS}</p>",
        "mediaType": "text/html",
        "source": {"content": _WORDS, "mediaType": "text/markdown"},
        "published": _now(),
    }
    activity = {
        "@context": _CONTEXT,
        "type": "Create",
        "id": f"{origin}/activities/{new_token()}",
        "actor": author.uri,
        "object": page,
        "to": addresses,
        "cc": [],
        "audience": group,
    }
    return sign_document(activity, author.keys.ed25519, method=f"{author.uri}#ed25519", created=_now())


def build_follow(author: Actor, group: str) -> dict[str, Any]:
    """Return a `Follow` of a group."""
    return {
        "@context": _CONTEXT[0],
        "type": "Follow",
        "id": f"{author.peer.origin}/activities/{new_token()}",
        "actor": author.uri,
        "object": group,
        "to": [group],
    }


def build_accept(group: Actor, follow_uri: str, member_uri: str) -> dict[str, Any]:
    """Return a group's `Accept` of a Follow; the member's copy of the log starts at its very beginning."""
    return {
        "@context": _CONTEXT[0],
        "type": "Accept",
        "id": f"{group.peer.origin}/activities/{new_token()}",
        "actor": group.uri,
        "object": follow_uri,
        "to": [member_uri],
        "result": {"type": "Member", "object": member_uri, "context": group.uri, "role": "member"},
    }


@dataclass(slots=True)
class LogWriter:
    """The log of a group on a synthetic peer: entries in order, chained and sealed as a host does it."""

    group: Actor
    seq: int = 0
    chain: str = ""
    carded: set[str] = field(default_factory=set)

    def write(self, author: Actor) -> bytes:
        """Return the Announce of a new post by somebody whose card, if they need one, is in the log."""
        return self._append("create", build_submission(author, self.group.uri))

    def write_card(self, author: Actor) -> bytes:
        """Return the Announce of an author's card."""
        card = {
            "id": author.uri,
            "type": "Person",
            "name": "Doctor",
            "preferredUsername": author.uri.rpartition("/")[2],
            "assertionMethod": [multikey_of(author)],
        }
        activity = {
            "@context": _CONTEXT[0],
            "type": "Add",
            "id": f"{self.group.peer.origin}/activities/{new_token()}",
            "actor": self.group.uri,
            "object": card,
            "target": f"{self.group.uri}/authors",
            "to": [f"{self.group.uri}/followers"],
        }
        return self._append("author", activity)

    def _append(self, kind: str, activity: dict[str, Any]) -> bytes:
        salt = secrets.token_bytes(SALT_BYTES)
        prev = self.chain or chain_zero(self.group.uri)
        entry = LogEntry(self.group.uri, 1, self.seq + 1, prev, activity["id"], kind, commit_of(salt, activity))
        proof = seal_entry(entry, self.group.keys.ed25519)
        self.seq, self.chain = entry.seq, entry.chain
        return _encode(build_announce(entry, proof=proof, activity=activity, salt=format_salt(salt)))

    @property
    def head(self) -> tuple[str, str]:
        """The header that says how far the log goes now."""
        return "rounds-log", f"{self.group.uri}; epoch=1; seq={self.seq}; chain={self.chain}"


def encode(document: dict[str, Any]) -> bytes:
    """Return a document as it goes over the wire."""
    return _encode(document)


def _encode(document: dict[str, Any]) -> bytes:
    return json.dumps(document, ensure_ascii=False, separators=(",", ":")).encode()


def _now() -> str:
    return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")

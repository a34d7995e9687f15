"""One entry of a group's log: made, written to the wire, read back and checked.

    {"type": "Announce", "id": "G/log/412", "actor": "G", "to": ["G", "G/followers"], "cc": ["G/followers"],
     "object": {…the author's activity, unchanged…}, "logSalt": "<32 bytes, base64url>",
     "logEntry": {"type": "LogEntry", "group": "G", "epoch": 1, "seq": 412, "prev": "<hex>", "activity": "<id>",
                  "kind": "create", "commit": "<hex>", "proof": {…}}}

commit = SHA-256(salt || JCS(object)); chain(n) = SHA-256(JCS(logEntry n without proof)); chain(0) = SHA-256 of the
group's id. The proof covers `logEntry` only and carries no time, so that an erased entry says nothing but that it was.
"""

from __future__ import annotations

import base64
import functools
import hashlib
from dataclasses import dataclass
from typing import Any

from node.foundation.errors import RemoteMalformed

from ..integrity import canonicalize, proof_method, sign_document, verify_proof
from ..signatures.keys import PrivateKey, PublicKey

KINDS = frozenset(
    {"create", "update", "delete", "remove", "lock", "pin", "split", "role", "author", "readers", "settings", "count"}
)
SALT_BYTES = 32
_HEX = frozenset("0123456789abcdef")
_LARGEST_SEQ = 2**53 - 1


@dataclass(frozen=True)
class LogEntry:
    """A place in a group's history.

    group: the group's id. epoch: starts at 1, grows when the host was restored. seq: 1, 2, 3…
    prev: chain of the entry before, hex. activity: the id of what happened. commit: hides and fixes its content.
    """

    group: str
    epoch: int
    seq: int
    prev: str
    activity: str
    kind: str
    commit: str

    def to_wire(self) -> dict[str, Any]:
        """Return the members that are hashed and signed."""
        return {
            "type": "LogEntry",
            "group": self.group,
            "epoch": self.epoch,
            "seq": self.seq,
            "prev": self.prev,
            "activity": self.activity,
            "kind": self.kind,
            "commit": self.commit,
        }

    @functools.cached_property
    def chain(self) -> str:
        """The hash that the next entry names as `prev`."""
        return hashlib.sha256(canonicalize(self.to_wire())).hexdigest()


@dataclass(frozen=True, slots=True)
class ReceivedEntry:
    """An Announce with its log entry, read but not yet believed.

    wire: the `logEntry` as received, with its proof. salt: None when the object was erased.
    media: what the host mirrors: [{"url", "digest", "mediaType", …}].
    """

    entry: LogEntry
    wire: dict[str, Any]
    object: dict[str, Any]
    salt: bytes | None
    media: tuple[dict[str, Any], ...]


def chain_zero(group: str) -> str:
    """Return the chain before the first entry: SHA-256 of the group's id."""
    return hashlib.sha256(group.encode()).hexdigest()


def commit_of(salt: bytes, activity: dict[str, Any]) -> str:
    """Return the commitment to an activity: hex SHA-256 over the salt's bytes and the JCS form."""
    return hashlib.sha256(salt + canonicalize(activity)).hexdigest()


def format_salt(salt: bytes) -> str:
    """Return a salt as base64url without padding."""
    return base64.urlsafe_b64encode(salt).decode().rstrip("=")


def parse_salt(text: object) -> bytes:
    """Return the 32 bytes of a salt.

    Raises:
        RemoteMalformed: It is not base64url of 32 bytes.
    """
    if not isinstance(text, str) or not 43 <= len(text) <= 44:
        raise RemoteMalformed("The log entry's salt is not 32 bytes.")
    try:
        salt = base64.b64decode(text.rstrip("=") + "=", altchars=b"-_", validate=True)
    except ValueError:
        raise RemoteMalformed("The log entry's salt is not base64url.") from None
    if len(salt) != SALT_BYTES:
        raise RemoteMalformed("The log entry's salt is not 32 bytes.")
    return salt


def seal_entry(entry: LogEntry, key: PrivateKey, *, method: str | None = None) -> dict[str, Any]:
    """Return the proof of the group over an entry. Deterministic: Ed25519, no time.

    Args:
        entry: What is proved.
        key: The group's key.
        method: The key's id; that of a group's first key where none is given.
    """
    method = method or f"{entry.group}#ed25519"
    proof: dict[str, Any] = sign_document(entry.to_wire(), key, method=method, created=None)["proof"]
    return proof


def build_announce(
    entry: LogEntry,
    *,
    proof: dict[str, Any],
    activity: dict[str, Any],
    salt: str | None,
    media: list[dict[str, Any]] | None = None,
) -> dict[str, Any]:
    """Return the Announce that carries an entry to the members' nodes."""
    document: dict[str, Any] = {
        "@context": ["https://www.w3.org/ns/activitystreams", "https://w3id.org/security/data-integrity/v1"],
        "type": "Announce",
        "id": f"{entry.group}/log/{entry.seq}",
        "actor": entry.group,
        "to": [entry.group, f"{entry.group}/followers"],
        "cc": [f"{entry.group}/followers"],
        "object": activity,
        "logEntry": {**entry.to_wire(), "proof": proof},
    }
    if salt is not None:
        document["logSalt"] = salt
    if media:
        document["logMedia"] = media
    return document


def build_tombstone(activity_uri: str) -> dict[str, Any]:
    """Return what stands in an entry's place once its content was erased."""
    return {"type": "Tombstone", "id": activity_uri}


def read_announce(document: dict[str, Any]) -> ReceivedEntry:
    """Read an Announce that carries a log entry; nothing is verified yet but its form.

    Raises:
        RemoteMalformed: A member is missing, of the wrong type, or contradicts another.
    """
    wire, activity = document.get("logEntry"), document.get("object")
    if not isinstance(wire, dict) or not isinstance(activity, dict):
        raise RemoteMalformed("The Announce carries no log entry with its activity embedded.")
    entry = _read_entry(wire)
    if document.get("actor") != entry.group:
        raise RemoteMalformed("A log entry is announced by its group only.")
    if document.get("id") != f"{entry.group}/log/{entry.seq}":
        raise RemoteMalformed("The Announce's id is not the log entry's place.")
    if activity.get("id") != entry.activity:
        raise RemoteMalformed("The log entry names another activity than the one embedded.")
    is_erased = activity.get("type") == "Tombstone"
    if is_erased != ("logSalt" not in document):
        raise RemoteMalformed("A log entry has a salt unless its content was erased.")
    media = document.get("logMedia", [])
    if not isinstance(media, list) or len(media) > 16 or not all(isinstance(item, dict) for item in media):
        raise RemoteMalformed("The log entry's media list cannot be read.")
    salt = None if is_erased else parse_salt(document.get("logSalt"))
    return ReceivedEntry(entry, wire, activity, salt, tuple(media))


def entry_method(received: ReceivedEntry) -> str:
    """Return the id of the key that proves an entry, which must be one of its group's keys, of now or before.

    Raises:
        RemoteMalformed: It names a key of somebody else, or none.
    """
    method = proof_method(received.wire) or ""
    owner, _, name = method.partition("#")
    if owner != received.entry.group or not name:
        raise RemoteMalformed("A log entry is proved by its group's own key.")
    return method


def verify_entry(received: ReceivedEntry, group_key: PublicKey) -> None:
    """Check the group's proof over an entry, and that the content is the one committed to.

    Args:
        received: As it came.
        group_key: The key that `entry_method` names, found by the caller.

    Raises:
        RemoteMalformed: The commitment does not fit the content.
        SignatureInvalid: The proof is not the group's.
    """
    entry_method(received)
    verify_proof(received.wire, group_key, need_created=False)
    if received.salt is not None and commit_of(received.salt, received.object) != received.entry.commit:
        raise RemoteMalformed("The log entry's content is not the one committed to.")


def _read_entry(wire: dict[str, Any]) -> LogEntry:
    extra = set(wire) - {"type", "group", "epoch", "seq", "prev", "activity", "kind", "commit", "proof"}
    if extra or wire.get("type") != "LogEntry":
        raise RemoteMalformed("The log entry has members that a log entry does not have.")
    for name in ("group", "activity", "kind"):
        if not isinstance(wire.get(name), str) or not wire[name]:
            raise RemoteMalformed(f"The log entry's {name} is missing.")
    for name in ("prev", "commit"):
        value = wire.get(name)
        if not isinstance(value, str) or len(value) != 64 or not set(value) <= _HEX:
            raise RemoteMalformed(f"The log entry's {name} is not a SHA-256 in hex.")
    for name in ("epoch", "seq"):
        value = wire.get(name)
        if type(value) is not int or not 1 <= value <= _LARGEST_SEQ:
            raise RemoteMalformed(f"The log entry's {name} is not a positive number.")
    if wire["kind"] not in KINDS:
        raise RemoteMalformed("The log entry's kind is not known.")
    return LogEntry(
        wire["group"], wire["epoch"], wire["seq"], wire["prev"], wire["activity"], wire["kind"], wire["commit"]
    )

"""Documents and their proofs: real Ed25519, real commitments, each made and checked once in a run.

A document is never changed once it is made (who corrupts one copies it), so what was found of it holds for the run.
"""

from __future__ import annotations

import functools
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from node.federation.grouplog.entry import (
    LogEntry,
    ReceivedEntry,
    build_announce,
    build_tombstone,
    format_salt,
    read_announce,
    verify_entry,
)
from node.federation.grouplog.handed import Handed
from node.federation.signatures.keys import PrivateKey, generate_ed25519_key
from node.foundation.errors import NodeError

Document = dict[str, Any]


@dataclass(frozen=True)
class Group:
    """A group: where it lives, and whether newcomers see what was said before."""

    uri: str
    host: str
    is_since_join: bool

    @property
    def key(self) -> PrivateKey:
        """The key that seals its log."""
        return make_key(self.uri)


@functools.cache
def make_key(name: str) -> PrivateKey:
    """Return the key of a name, the same for the whole process: no decision hangs on its bytes."""
    return generate_ed25519_key()


@functools.cache
def load_public(name: str) -> Any:
    """Return the public half of a name's key."""
    return make_key(name).public


class Papers:
    """Makes and reads the documents of one run."""

    def __init__(self, counts: Counter[str]) -> None:
        self._counts = counts
        self._announces: dict[int, tuple[ReceivedEntry, Document]] = {}
        self._read: dict[int, tuple[Document, ReceivedEntry | NodeError]] = {}

    def write(self, stored: ReceivedEntry) -> Document:
        """Return the Announce of a stored entry."""
        known = self._announces.get(id(stored))
        if known is None:
            proof = stored.wire["proof"]
            salt = None if stored.salt is None else format_salt(stored.salt)
            document = build_announce(stored.entry, proof=proof, activity=stored.object, salt=salt)
            known = self._announces[id(stored)] = (stored, document)
        return known[1]

    def believe(self, document: Document, group: str) -> ReceivedEntry:
        """Return an entry of a group that its key proves.

        Raises:
            NodeError: It cannot be believed.
        """
        known = self._read.get(id(document))
        if known is None:
            known = self._read[id(document)] = (document, _check(document))
        found = known[1]
        if isinstance(found, NodeError) or found.entry.group != group:
            self._counts["refused: forged or corrupt"] += 1
            raise found if isinstance(found, NodeError) else NodeError(internal="an entry of another group")
        return found


def _check(document: Document) -> ReceivedEntry | NodeError:
    try:
        received = read_announce(document)
        verify_entry(received, load_public(received.entry.group))
    except NodeError as error:
        return error
    return received


def erase(stored: ReceivedEntry) -> ReceivedEntry:
    """Return an entry without its content."""
    return ReceivedEntry(stored.entry, stored.wire, build_tombstone(stored.entry.activity), None, ())


def author_of(stored: ReceivedEntry) -> str:
    """Return whose words an entry has; of what was erased nobody knows it any more but the log."""
    return str(stored.object.get("actor", ""))


def post_of(activity: Mapping[str, Any]) -> str | None:
    """Return the post that an activity makes or changes or takes away."""
    said = activity.get("object")
    if isinstance(said, dict):
        return said.get("id") if said.get("type") == "Note" else None
    return said if isinstance(said, str) else None


def needs_of(activity: Mapping[str, Any]) -> tuple[str, ...]:
    """Return the posts that must be there before an activity."""
    said = activity.get("object")
    if activity.get("type") == "Create" and isinstance(said, dict):
        return (said["inReplyTo"],) if "inReplyTo" in said else ()
    post = post_of(activity)
    return (post,) if post else ()


def read_handed(stored: ReceivedEntry) -> Handed:
    """Return an entry, proved by `Papers.believe`, as the host judges it."""
    author = author_of(stored) or stored.entry.group
    return Handed(stored.entry, True, author, needs_of(stored.object), stored.salt is not None)


def name_kind(activity: Mapping[str, Any]) -> str:
    """Return the kind of entry that an activity becomes."""
    return {"Create": "create", "Update": "update", "Delete": "delete"}[activity["type"]]


def place_of(entry: LogEntry) -> tuple[int, int]:
    """Return an entry's place in time: epoch, then number."""
    return entry.epoch, entry.seq


def node_of(actor: str) -> str:
    """Return the node that somebody is at home on: `https://b.example/people/1` is at `b`."""
    return actor.removeprefix("https://").partition(".")[0]


def decide(verb: str, group: Group, request: str, actor: str) -> Document:
    """Return a group's word to somebody's node: `request` is the id of what they asked for or submitted."""
    return {"type": verb, "id": f"{group.uri}/{verb}/{request}", "actor": group.uri, "object": request, "of": actor,
            "audience": group.uri}  # fmt: skip

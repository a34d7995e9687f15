"""What one node holds, read from its database and its folder by questions of our own, whether the node runs or not.

Nothing of the node's code is used: whoever checks it must not share its mistakes.
"""

from __future__ import annotations

import base64
import hashlib
import json
import sqlite3
import time
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import asyncpg
import rfc8785

_QUESTIONS = {
    "actors": "SELECT actor_id, uri FROM actors",
    "peers": "SELECT peer_id, host, state FROM peers",
    "groups": "SELECT group_id, peer_id, base_seq, base_chain, head_seq, head_chain, applied_seq, epoch FROM groups",
    "entries": """SELECT group_id, seq, kind, activity_uri, prev, chain, commit_hash, epoch, salt, document
      FROM log_entries ORDER BY group_id, seq""",
    "posts": """SELECT post_id, uri, group_id, seq, state, in_reply_to, html, source, document, audience FROM posts
      WHERE audience = 'group'""",
    "admissions": "SELECT group_id, peer_id FROM admissions",
    "orphans": "SELECT group_id, activity_uri, seq FROM orphans",
    "activities": "SELECT uri, state, reason FROM activities WHERE state IN ('waiting', 'dead')",
    "dead_letters": "SELECT activity_uri, reason FROM dead_letters",
    "submissions": "SELECT activity_uri, state, reason FROM submissions WHERE state <> 'in_log'",
    "media": "SELECT token, post_id, group_id, sha256, state FROM media",
    "versions": "SELECT post_id, source FROM post_versions",
    "found": "SELECT rowid AS post_id FROM search_words",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Place:
    """Where a node keeps what it has. host: the authority in its ids. address: of the database, as configured."""

    host: str
    address: str
    data: Path


@dataclass(frozen=True)
class Holding:
    """What a node held at one moment: rows by the name of the question, and its pictures' files with their age in seconds."""

    place: Place
    rows: dict[str, list[SimpleNamespace]]
    files: dict[str, float] = field(default_factory=dict)

    @property
    def host(self) -> str:
        """The authority in the node's ids."""
        return self.place.host

    @cached_property
    def uris(self) -> dict[int, str]:
        """{number of an actor: id}, groups among them."""
        return {row.actor_id: row.uri for row in self.rows["actors"]}

    @cached_property
    def groups(self) -> dict[str, SimpleNamespace]:
        """{id of a group: its row}."""
        return {self.uris[row.group_id]: row for row in self.rows["groups"]}

    def entries(self, group: str) -> list[SimpleNamespace]:
        """Return a group's log in its order."""
        number = self.groups[group].group_id if group in self.groups else None
        return [row for row in self.rows["entries"] if row.group_id == number]

    def posts(self, group: str) -> list[SimpleNamespace]:
        """Return the posts of a group."""
        number = self.groups[group].group_id if group in self.groups else None
        return [row for row in self.rows["posts"] if row.group_id == number]

    def admitted(self, group: str) -> set[str]:
        """Return the nodes that a group hosted here lets hold its content."""
        number, hosts = self.groups[group].group_id, {row.peer_id: row.host for row in self.rows["peers"]}
        return {hosts[row.peer_id] for row in self.rows["admissions"] if row.group_id == number}


async def read_holding(place: Place) -> Holding:
    """Return what a node holds now."""
    is_sqlite = place.address == "sqlite:"
    rows = _read_sqlite(place.data / "rounds.sqlite") if is_sqlite else await _read_postgres(place.address)
    now = time.time()
    files = {path.name: now - path.stat().st_mtime for path in (place.data / "media").rglob("*") if path.is_file()}
    return Holding(place, rows, files)


def object_of(entry: SimpleNamespace) -> str | None:
    """Return the id of what an entry's activity is about; None once it was erased."""
    if entry.salt is None:
        return None
    about = json.loads(entry.document).get("object")
    return about.get("id") if isinstance(about, dict) else about


def chain_of(entry: SimpleNamespace, group: str) -> str:
    """Return what an entry's chain must be, by wire.md 4.10."""
    said = {
        "type": "LogEntry", "group": group, "epoch": entry.epoch, "seq": entry.seq, "prev": entry.prev,
        "activity": entry.activity_uri, "kind": entry.kind, "commit": entry.commit_hash,
    }  # fmt: skip
    return hashlib.sha256(rfc8785.dumps(said)).hexdigest()


def commit_of(entry: SimpleNamespace) -> str:
    """Return what the commitment of an entry that was not erased must be."""
    salt = base64.urlsafe_b64decode(entry.salt + "=" * (-len(entry.salt) % 4))
    return hashlib.sha256(salt + rfc8785.dumps(json.loads(entry.document))).hexdigest()


def _read_sqlite(path: Path) -> dict[str, list[SimpleNamespace]]:
    connection = sqlite3.connect(f"file:{path}?mode=ro", uri=True, timeout=10)
    try:
        connection.row_factory = sqlite3.Row
        connection.execute("BEGIN")  # one snapshot for all questions
        return {
            name: [SimpleNamespace(**dict(row)) for row in connection.execute(question)]
            for name, question in _QUESTIONS.items()
        }
    finally:
        connection.close()


async def _read_postgres(address: str) -> dict[str, list[SimpleNamespace]]:
    connection: Any = await asyncpg.connect(address)
    try:
        async with connection.transaction(isolation="repeatable_read", readonly=True):
            return {
                name: [SimpleNamespace(**dict(row)) for row in await connection.fetch(question)]
                for name, question in _QUESTIONS.items()
            }
    finally:
        await connection.close()

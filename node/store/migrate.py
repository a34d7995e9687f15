"""Bring a database to the newest schema: numbered SQL files, forward only, one transaction each, with checksums.

The files in `migrations/` are one text for SQLite and PostgreSQL. Where one text cannot serve both, as for the index of
search, a file of the same name with the kind of database before its ending (`0006_search.sqlite.sql`,
`0006_search.postgresql.sql`) stands beside it and is the rest of the same migration: applied in the same transaction, after
the common text. A file that has been released never changes: the checksum of what was applied is kept in the database, and
a difference stops the start.

What only the program can do with rows that are there already (`_FILLS`) comes after the files, at every start: it knows how
far it has come, and is one read once it is done.
"""

from __future__ import annotations

import hashlib
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from importlib.resources import files

from node.foundation.errors import Duplicate, SchemaTooNew, StoreError

from .engine import Row, Store, Tx
from .search_index import fill_index
from .search_names import fill_names

_CREATE = """CREATE TABLE IF NOT EXISTS schema_versions (
  version BIGINT PRIMARY KEY, name TEXT NOT NULL, checksum TEXT NOT NULL, applied_at BIGINT NOT NULL)"""
_APPLIED = "SELECT version, name, checksum FROM schema_versions ORDER BY version"
_RECORD = """INSERT INTO schema_versions (version, name, checksum, applied_at)
  VALUES (:version, :name, :checksum, :applied_at)"""
# (the migration that wants it, what does it).
_FILLS: tuple[tuple[int, Callable[[Store], Awaitable[None]]], ...] = ((6, fill_index), (6, fill_names))


@dataclass(frozen=True, slots=True)
class Migration:
    """One numbered step. text: for both databases. own: the rest for each, by kind, where one text cannot serve both."""

    version: int
    name: str
    text: str
    own: Mapping[str, str] = field(default_factory=dict)

    @property
    def statements(self) -> list[str]:
        """The statements for both databases, without comments."""
        return _split(self.text)

    def list_for(self, dialect: str) -> list[str]:
        """Return every statement for a kind of database, without comments."""
        return [*self.statements, *_split(self.own.get(dialect, ""))]

    def checksum_for(self, dialect: str) -> str:
        """Return the SHA-256 of what is applied to a kind of database, hex."""
        return hashlib.sha256((self.text + self.own.get(dialect, "")).encode()).hexdigest()


def list_migrations() -> list[Migration]:
    """Return the migrations of this release, oldest first."""
    found = files("node.store").joinpath("migrations").iterdir()
    texts = {
        entry.name.removesuffix(".sql"): entry.read_text("utf-8") for entry in found if entry.name.endswith(".sql")
    }
    return [
        Migration(
            int(name.split("_")[0]),
            name,
            texts[name],
            {own.rpartition(".")[2]: text for own, text in texts.items() if own.startswith(f"{name}.")},
        )
        for name in sorted(texts)
        if "." not in name
    ]


async def migrate(store: Store, *, now: datetime) -> list[str]:
    """Apply what is missing and return the names of the migrations applied.

    Raises:
        SchemaTooNew: The database knows a migration that this release does not.
        StoreError: A released migration was changed.
    """
    await store.script([_CREATE])
    known = list_migrations()
    applied = {row.version: row for row in await store.read(_list_applied)}
    if applied and max(applied) > known[-1].version:
        raise SchemaTooNew
    done = []
    for migration in known:
        checksum = migration.checksum_for(store.dialect)
        if migration.version in applied:
            if applied[migration.version].checksum != checksum:
                raise StoreError(f"The migration {migration.name} is not the one this database was made with.")
            continue
        record = {
            "version": migration.version,
            "name": migration.name,
            "checksum": checksum,
            "applied_at": now,
        }
        try:
            await store.script(migration.list_for(store.dialect), first=_RECORD, values=record)
        except Duplicate:  # another process of this node applied it since we looked
            continue
        done.append(migration.name)
    for version, fill in _FILLS:
        if version <= known[-1].version:
            await fill(store)
    return done


async def _list_applied(tx: Tx) -> list[Row]:
    return await tx.all(_APPLIED)


def _split(text: str) -> list[str]:
    lines = [line for line in text.splitlines() if not line.lstrip().startswith("--")]
    return [statement.strip() for statement in "\n".join(lines).split(";\n") if statement.strip(" ;\n")]

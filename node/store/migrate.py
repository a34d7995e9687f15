"""Bring a database to the newest schema: numbered SQL files, forward only, one transaction each, with checksums.

The files in `migrations/` are one text for SQLite and PostgreSQL. A file that has been released never changes: its
checksum is kept in the database, and a difference stops the start.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import datetime
from importlib.resources import files

from node.foundation.errors import Duplicate, SchemaTooNew, StoreError

from .engine import Row, Store, Tx

_CREATE = """CREATE TABLE IF NOT EXISTS schema_versions (
  version BIGINT PRIMARY KEY, name TEXT NOT NULL, checksum TEXT NOT NULL, applied_at BIGINT NOT NULL)"""
_APPLIED = "SELECT version, name, checksum FROM schema_versions ORDER BY version"
_RECORD = """INSERT INTO schema_versions (version, name, checksum, applied_at)
  VALUES (:version, :name, :checksum, :applied_at)"""


@dataclass(frozen=True, slots=True)
class Migration:
    """One numbered file."""

    version: int
    name: str
    text: str

    @property
    def checksum(self) -> str:
        """SHA-256 of the text, hex."""
        return hashlib.sha256(self.text.encode()).hexdigest()

    @property
    def statements(self) -> list[str]:
        """The statements of the file, without comments."""
        lines = [line for line in self.text.splitlines() if not line.lstrip().startswith("--")]
        return [statement.strip() for statement in "\n".join(lines).split(";\n") if statement.strip(" ;\n")]


def list_migrations() -> list[Migration]:
    """Return the migrations of this release, oldest first."""
    found = [entry for entry in files("node.store").joinpath("migrations").iterdir() if entry.name.endswith(".sql")]
    return [
        Migration(int(entry.name.split("_")[0]), entry.name.removesuffix(".sql"), entry.read_text("utf-8"))
        for entry in sorted(found, key=lambda entry: entry.name)
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
        if migration.version in applied:
            if applied[migration.version].checksum != migration.checksum:
                raise StoreError(f"The migration {migration.name} is not the one this database was made with.")
            continue
        record = {
            "version": migration.version,
            "name": migration.name,
            "checksum": migration.checksum,
            "applied_at": now,
        }
        try:
            await store.script(migration.statements, first=_RECORD, values=record)
        except Duplicate:  # another process of this node applied it since we looked
            continue
        done.append(migration.name)
    return done


async def _list_applied(tx: Tx) -> list[Row]:
    return await tx.all(_APPLIED)

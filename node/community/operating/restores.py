"""Restoring a node from a backup: into a folder beside the data directory first, checked there, and then renamed.

*How it works.* Everything is written to `DIR.partial`. Only when the backup was read to its end, and what came out of it was
looked through, does the folder take the name of the data directory; until then there is nothing. A restore that was killed
leaves a `DIR.partial`, which the next one takes away. Onto PostgreSQL the rows go in one transaction before the rename.

The journal (`journal.log`) is of the old node and newer than every backup: where it is in the data directory it stays, and
the next start replays it. The row in `recoveries` makes that start a recovery: the node asks others before it goes on.
"""

from __future__ import annotations

import asyncio
import os
import secrets
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from node.foundation.clock import Clock
from node.foundation.config import CONFIG_NAME
from node.foundation.errors import ConfigError, Conflict, StoreError
from node.foundation.ids import RandomIds
from node.foundation.settings_file import set_database
from node.store.audit import write_audit
from node.store.backup import snapshot
from node.store.backup.archive import DATABASE_NAME, Manifest, Unpacked, unpack
from node.store.backup.folders import PARTIAL, replace_file, sync_folder
from node.store.backup.sealing import Unsealer
from node.store.backups import begin_recovery
from node.store.engine import Tx
from node.store.opening import open_store

from .drills import Findings, examine

Note = Callable[[str], object]
JOURNAL_NAME = "journal.log"
_MARK_NAME = "restoring"
_BEFORE = ".before"


@dataclass(frozen=True, slots=True)
class Restored:
    """A node that was restored."""

    unpacked: Unpacked
    found: Findings


class OpenedBackup:
    """A sealed file whose code was found right; nothing is written yet.

    Raises:
        StoreError: The file cannot be read.
        BackupDamaged, WrongRecoveryCode: As `Unsealer` says.
    """

    def __init__(self, file: Path, code: str, *, note: Note) -> None:
        self._note = note
        self._told = self._read_bytes = 0
        try:
            self._file = file.open("rb")
            self._size = max(os.fstat(self._file.fileno()).st_size, 1)
        except OSError as error:
            raise StoreError(f"{file} cannot be read: {error.strerror}.") from None
        try:
            self._unsealer = Unsealer(self, code)
        except BaseException:
            self._file.close()
            raise

    def read(self, size: int) -> bytes:
        """Return sealed bytes, telling how far it is."""
        try:
            data = self._file.read(size)
        except OSError as error:
            raise StoreError(f"The backup cannot be read: {error.strerror}.") from None
        self._read_bytes += len(data)
        tenth = 10 * self._read_bytes // self._size
        if tenth > self._told:
            self._told = tenth
            self._note(f"Unsealing: {10 * tenth} %.")
        return data

    def close(self) -> None:
        """Let go of the file; `unpack` does so by itself."""
        self._file.close()

    def unpack(self, folder: Path) -> Unpacked:
        """Write what is in it into an empty folder; see `archive.unpack`."""
        with self._file:
            return unpack(self._unsealer, folder, note=self._say)

    def _say(self, manifest: Manifest) -> None:
        self._note(f"A backup of {manifest.base_url}, taken at {manifest.taken_at}.")


async def restore(
    file: Path, code: str, data: Path, *, database: str, anyway: bool, clock: Clock, note: Note
) -> Restored:
    """Make a data directory from a backup.

    Args:
        file: The backup.
        code: As `read_recovery_code` returned it.
        data: The directory, its full path; absent, empty, or holding `journal.log` alone.
        database: `sqlite:`, or the address of an empty PostgreSQL database.
        anyway: Restore although what is in the backup does not fit together.
        clock: Our time.
        note: Told in sentences what is being done.

    Raises:
        ConfigError: The directory is not empty, or the configuration in the backup cannot be used.
        NodeError: The backup cannot be used; nothing has changed.
    """
    _put_back(data)
    require_empty(data)
    opened = await asyncio.to_thread(OpenedBackup, file, code, note=note)
    try:
        partial, mark = _make_partial(data)
    except BaseException:
        opened.close()
        raise
    try:
        done = await _fill(partial, opened, anyway=anyway, clock=clock, note=note)
        if database != "sqlite:":
            from .moving import copy_rows  # asyncpg is an extra

            await copy_rows(partial, database, mark=mark, clock=clock, note=note)
            (partial / DATABASE_NAME).unlink()
        text = (partial / CONFIG_NAME).read_text("utf-8")
        replace_file(partial / CONFIG_NAME, set_database(text, database).encode())
        _take_name(partial, data)
    except BaseException:
        _take_away(partial, but_the_mark=database != "sqlite:")
        raise
    if database != "sqlite:":
        from node.store.backup.tables import unmark

        await unmark(database)
    return done


async def _fill(partial: Path, opened: OpenedBackup, *, anyway: bool, clock: Clock, note: Note) -> Restored:
    """Unpack a backup, look through it, and say in its database that it was restored."""
    unpacked = await asyncio.to_thread(opened.unpack, partial)
    found = await examine(partial, unpacked, clock=clock, note=note)
    if found.problems and not anyway:
        raise Conflict(
            " ".join([*found.problems, "Take another backup, or restore this one all the same with --anyway."])
        )
    lost = set(unpacked.broken) | found.absent
    await asyncio.to_thread(snapshot.mark_absent, partial / DATABASE_NAME, lost, now=clock.now())
    await _begin(partial, unpacked.manifest, clock)
    return Restored(unpacked, found)


def require_empty(data: Path) -> None:
    """Return when a data directory can take a node.

    Raises:
        ConfigError: Something is in it that is not the journal.
    """
    if data.exists() and not data.is_dir():
        raise ConfigError(f"{data} is a file.")
    held = sorted(path.name for path in data.iterdir() if path.name != JOURNAL_NAME) if data.exists() else []
    if held:
        raise ConfigError(
            f"{data} is not empty: it holds {', '.join(held[:5])}. Restore into a new directory, or move this one away; "
            f"leave {JOURNAL_NAME} where it is."
        )


def _put_back(data: Path) -> None:
    """Give a directory its name back that a killed restore had taken out of the way."""
    before = data.with_name(data.name + _BEFORE)
    if not data.exists() and before.is_dir() and {path.name for path in before.iterdir()} <= {JOURNAL_NAME}:
        before.rename(data)


def _make_partial(data: Path) -> tuple[Path, str]:
    """Make the folder beside the data directory; return it and the mark by which a database of ours is known again."""
    partial = data.with_name(data.name + PARTIAL)
    mark = f"restore {secrets.token_hex(16)}"
    try:
        if partial.exists():
            held = {path.name for path in partial.iterdir()}
            if held and _MARK_NAME not in held:
                raise ConfigError(f"{partial} is in the way, and not of an earlier restore. Move it away.")
            mark = (partial / _MARK_NAME).read_text("utf-8") if held else mark
            shutil.rmtree(partial)
        partial.mkdir(mode=0o700, parents=True)
        replace_file(partial / _MARK_NAME, mark.encode())
    except OSError as error:
        raise StoreError(f"{partial} cannot be made: {error.strerror}.") from None
    return partial, mark


def _take_away(partial: Path, *, but_the_mark: bool) -> None:
    """Leave no word behind; the mark stays where a database may carry it."""
    if not partial.is_dir():
        return
    for entry in partial.iterdir():
        if entry.is_dir():
            shutil.rmtree(entry, ignore_errors=True)
        elif not (but_the_mark and entry.name == _MARK_NAME):
            entry.unlink(missing_ok=True)
    if not but_the_mark:
        shutil.rmtree(partial, ignore_errors=True)


def _take_name(partial: Path, data: Path) -> None:
    """Let the restored folder become the data directory, with the journal that was there."""
    before = data.with_name(data.name + _BEFORE)
    try:
        if (data / JOURNAL_NAME).exists():
            shutil.copy2(data / JOURNAL_NAME, partial / JOURNAL_NAME)
            _sync_file(partial / JOURNAL_NAME)
            data.rename(before)
        sync_folder(partial)
        partial.rename(data)
        (data / _MARK_NAME).unlink()
        sync_folder(data.parent)
        shutil.rmtree(before, ignore_errors=True)
    except OSError as error:
        raise StoreError(f"{data} cannot take its name: {error.strerror}. It must be no mount point itself.") from None


def _sync_file(path: Path) -> None:
    path.chmod(0o600)
    with path.open("rb") as file:
        os.fsync(file.fileno())


async def _begin(folder: Path, manifest: Manifest, clock: Clock) -> None:
    store = await open_store("sqlite:", data=folder, clock=clock)
    try:
        await store.write(_note, RandomIds(clock).number(), manifest)
    finally:
        await store.close()


async def _note(tx: Tx, recovery_id: int, manifest: Manifest) -> None:
    await begin_recovery(tx, recovery_id=recovery_id, taken_at=manifest.taken)
    await write_audit(tx, actor="operator", action="node.restored", target=manifest.taken_at)

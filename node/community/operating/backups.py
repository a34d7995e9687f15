"""Making a backup: a copy of the database, what lies beside it, sealed on the way out. Members go on writing meanwhile.

*How it works.* The copy is one snapshot, made in the node's own process (or in the command's, when the node does not run)
into a folder of the data directory that is empty again afterwards. Pictures are read from where they are: they are named by
their hash and never change. One that goes away in the meantime, because its post was taken back, is written down as absent,
and the copy of the database is told so before it is packed. Nothing of this waits in the event loop but the copy of a
PostgreSQL database, which goes row by row.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, Concatenate, ParamSpec, TypeVar

from node import __version__
from node.federation.signatures.keys import fingerprint_hex
from node.foundation.clock import format_instant, parse_instant
from node.foundation.config import CONFIG_NAME
from node.foundation.errors import Invalid, StoreError
from node.store.audit import write_audit
from node.store.backup import snapshot
from node.store.backup.archive import DATABASE_NAME, FORMAT, Manifest, Packer
from node.store.backup.folders import work_folder
from node.store.backup.sealing import RecoveryKey, Sealer
from node.store.backups import find_newest_post, forget_backups, insert_backup, insert_drill
from node.store.core import Core
from node.store.engine import Tx
from node.store.files import media_path
from node.store.migrate import list_migrations, migrate
from node.store.opening import open_store

from .drills import verify_drill
from .recovery import load_recovery_key
from .service import count_node

T = TypeVar("T")
P = ParamSpec("P")
Note = Callable[[str], object]
_KEPT_FOR = timedelta(days=400)


@dataclass(frozen=True, slots=True)
class Backup:
    """A backup that was made. absent: hashes of pictures whose files were not there."""

    manifest: Manifest
    size_bytes: int
    absent: list[str]
    with_mirrors: bool

    @property
    def taken_at(self) -> datetime:
        """Of when the copy is."""
        return self.manifest.taken


async def make_backup(
    core: Core, hand_on: Callable[[bytes], object], *, with_mirrors: bool = True, note: Note = lambda sentence: None
) -> Backup:
    """Hand on a whole sealed backup of this node, piece by piece, in a thread.

    Args:
        core: The node.
        hand_on: Takes the bytes in order; an error of it ends the backup.
        with_mirrors: Whether pictures of other nodes' groups are in it, too.
        note: Told in sentences what is being done; from any thread.

    Raises:
        Conflict: There is no recovery code, or another backup is being made.
        StoreError: There is no room, or the database is damaged.
    """
    key = load_recovery_key(core.data)
    with work_folder(core.data, "backup") as folder:
        copy = folder / DATABASE_NAME
        note("Copying the database.")
        taken_at = core.clock.now()
        await _copy_database(core, copy)
        note("Checking the copy.")
        await run_in_thread(lambda is_stopping: snapshot.check_file(copy, is_stopping=is_stopping))
        manifest = await _describe(core, folder, taken_at)
        files = await asyncio.to_thread(snapshot.list_files, copy, with_mirrors=with_mirrors)
        packing = _Packing(core, copy, files, manifest, note)
        if not with_mirrors:
            packing.left_out = await asyncio.to_thread(snapshot.list_all_files, copy) - set(files)
        return await run_in_thread(packing.run, key, hand_on, with_mirrors)


async def note_backup(core: Core, *, taken_at: datetime, size_bytes: int, name: str = "", by: str = "") -> None:
    """Write down that a backup was made and kept.

    Args:
        core: The node.
        taken_at: Of when the copy in it is.
        size_bytes: Of the file.
        name: Of the file, in the folder of the schedule; empty where somebody else has it.
        by: Who asked for it; empty for the schedule.
    """
    await core.store.write(_note, core.ids.number(), taken_at, size_bytes, name, by)


async def note_kept(core: Core, told: dict[str, Any], *, by: str) -> None:
    """Write down what a command says it has kept: {"taken_at", "size_bytes"}.

    Raises:
        Invalid: It says something else.
    """
    taken_at, size_bytes = parse_instant(str(told.get("taken_at"))), told.get("size_bytes")
    if taken_at is None or type(size_bytes) is not int or taken_at > core.clock.now():
        raise Invalid("A backup that was kept has a time and a size.")
    await note_backup(core, taken_at=taken_at, size_bytes=size_bytes, by=by)


async def note_drill(core: Core, statement: dict[str, Any], *, by: str) -> None:
    """Write down what a drill has found.

    Raises:
        Invalid: It is no drill's statement.
        SignatureInvalid: It says that all is well, and this node's key has not signed it.
    """
    taken_at, is_good = parse_instant(str(statement.get("taken_at"))), statement.get("ok")
    if taken_at is None or type(is_good) is not bool:
        raise Invalid("This is no drill's statement.")
    if is_good:
        keys = await core.keyring.own(core.instance_id)
        signature = statement.get("signature")
        method = signature.get("verificationMethod") if isinstance(signature, dict) else None
        former = await core.keyring.proving(str(method))  # a backup of before a rotation has the key of then
        is_ours = former is not None and former.actor_uri == core.instance_uri and former.last_seq is None
        verify_drill(statement, former.key if former is not None and is_ours else keys.ed25519.public)
    await core.store.write(_note_drill, core.ids.number(), taken_at, is_good, by)


async def note_failure(core: Core, problem: str, *, name: str) -> None:
    """Write down that a backup of the schedule could not be made."""
    await core.store.write(_note_failure, core.ids.number(), problem, name)


async def run_in_thread(work: Callable[Concatenate[Callable[[], bool], P], T], *args: P.args, **kwargs: P.kwargs) -> T:
    """Run blocking work in a thread; who cancels waits until it has ended.

    Args:
        work: Its first argument says whether it is to end: it asks now and then.
        args: The rest of its arguments.
        kwargs: The same by name.
    """
    stopping = threading.Event()
    running = asyncio.ensure_future(asyncio.to_thread(work, stopping.is_set, *args, **kwargs))
    try:
        return await asyncio.shield(running)
    except asyncio.CancelledError:
        stopping.set()
        with suppress(Exception):
            await running
        raise


async def _copy_database(core: Core, copy: Path) -> None:
    if core.store.dialect == "sqlite":
        source = core.data / DATABASE_NAME
        await run_in_thread(lambda is_stopping: snapshot.copy_file(source, copy, is_stopping=is_stopping))
        return
    from node.store.backup.tables import copy_to_sqlite, require_same, sum_sqlite  # asyncpg is an extra

    empty = await open_store("sqlite:", data=copy.parent, clock=core.clock)
    try:
        await migrate(empty, now=core.clock.now())
    finally:
        await empty.close()
    copied = await copy_to_sqlite(core.config.database, copy, note=lambda table, rows: None)
    require_same(copied, await asyncio.to_thread(sum_sqlite, copy))


async def _describe(core: Core, folder: Path, taken_at: datetime) -> Manifest:
    """Return what the copy holds, counted in the copy itself."""
    store = await open_store("sqlite:", data=folder, clock=core.clock)
    try:
        (counts, _), newest = await store.read(count_node), await store.read(find_newest_post)
    finally:
        await store.close()
    keys = await core.keyring.own(core.instance_id)
    return Manifest(
        format=FORMAT,
        version=__version__,
        schema=list_migrations()[-1].name,
        base_url=core.origin,
        name=core.config.name,
        taken_at=format_instant(taken_at),
        newest_at=None if newest is None else format_instant(newest),
        counts=counts,
        fingerprint=fingerprint_hex(keys.ed25519.public),
    )


class _Packing:
    """Packs and seals what was gathered; runs in a thread. left_out: hashes of pictures that are not to be in it."""

    def __init__(self, core: Core, copy: Path, files: list[str], manifest: Manifest, note: Note) -> None:
        self._core, self._data, self._copy, self._files, self._manifest, self._note = (
            core,
            core.data,
            copy,
            files,
            manifest,
            note,
        )
        self.left_out: set[str] = set()
        self._size_bytes = 0

    def run(
        self, is_stopping: Callable[[], bool], key: RecoveryKey, hand_on: Callable[[bytes], object], with_mirrors: bool
    ) -> Backup:
        def hand_on_and_count(sealed: bytes) -> None:
            if is_stopping():
                raise StoreError("The backup was broken off.")
            hand_on(sealed)
            self._size_bytes += len(sealed)

        sealer = Sealer(key, hand_on_and_count)
        packer = Packer(sealer, self._manifest, taken_at=self._manifest.taken)
        packer.add(CONFIG_NAME, (self._data / CONFIG_NAME).read_bytes())
        for path in sorted((self._data / "keys").iterdir()):
            if path.is_file() and not path.name.endswith(".partial"):
                packer.add(f"keys/{path.name}", path.read_bytes())
        absent = self._pack_pictures(packer)
        if absent or self.left_out:
            snapshot.mark_absent(self._copy, {*absent, *self.left_out}, now=self._manifest.taken)
        self._note("Sealing the database.")
        packer.add_file(DATABASE_NAME, self._copy)
        packer.close(absent)
        sealer.close()
        return Backup(self._manifest, self._size_bytes, absent, with_mirrors)

    def _pack_pictures(self, packer: Packer) -> list[str]:
        """Pack the files of pictures and return the hashes of those that are not there."""
        absent, told = [], 0
        for number, sha256 in enumerate(self._files):
            try:
                name = f"media/{sha256[:2]}/{sha256}"
                if self._core.bucket is None:
                    packer.add_file(name, media_path(self._core, sha256))
                else:
                    packer.add(name, self._core.bucket.load(sha256))
            except FileNotFoundError:
                absent.append(sha256)
            tenth = 10 * (number + 1) // len(self._files)
            if tenth > told:
                told = tenth
                self._note(f"Sealing pictures: {10 * tenth} %.")
        return absent


async def _note(tx: Tx, backup_id: int, taken_at: datetime, size_bytes: int, name: str, by: str) -> None:
    await insert_backup(
        tx, backup_id=backup_id, name=name, size_bytes=size_bytes, problem="", taken_at=taken_at, finished_at=tx.now
    )
    await forget_backups(tx, before=tx.now - _KEPT_FOR)
    if by:
        await write_audit(tx, actor=by, action="backup.made", target=format_instant(taken_at))


async def _note_drill(tx: Tx, drill_id: int, taken_at: datetime, is_good: bool, by: str) -> None:
    await insert_drill(tx, drill_id=drill_id, is_good=is_good, taken_at=taken_at)
    target, reason = format_instant(taken_at), None if is_good else "not good"
    await write_audit(tx, actor=by, action="backup.drilled", target=target, reason=reason)


async def _note_failure(tx: Tx, backup_id: int, problem: str, name: str) -> None:
    await insert_backup(
        tx, backup_id=backup_id, name=name, size_bytes=0, problem=problem, taken_at=tx.now, finished_at=tx.now
    )

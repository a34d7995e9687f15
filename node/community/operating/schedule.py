"""The schedule of backups: one process of a node makes them into the folder that the configuration names."""

from __future__ import annotations

import asyncio
import contextlib
import re
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from node.foundation.errors import NodeError, StoreError
from node.foundation.logs import get_logger
from node.store.backup.folders import PARTIAL, WholeFile, clear_work
from node.store.backups import claim_backups, find_last_scheduled, release_backups
from node.store.core import Core
from node.store.engine import Tx

from .backups import Backup, make_backup, note_backup, note_failure

LOOK_SECONDS = 60
LEASE = timedelta(minutes=10)
AGAIN_AFTER = timedelta(hours=1)
_NAME = re.compile(r"rounds-\d{8}T\d{6}Z\.backup")


class BackupSchedule:
    """Makes the backups of one node; several processes may run one each."""

    def __init__(self, core: Core) -> None:
        self._core = core
        self._owner = core.ids.token()

    async def run(self) -> None:
        """Look once a minute whether a backup is due, until cancelled."""
        await asyncio.to_thread(clear_work, self._core.data)
        while self._core.config.backup.every:
            try:
                await self.look()
            except NodeError as error:
                get_logger().error("backup_failed", code=error.code, reason=error.internal)
            await asyncio.sleep(LOOK_SECONDS)

    async def look(self) -> Path | None:
        """Make a backup if one is due; return its file.

        Raises:
            NodeError: It could not be made; health says so, too.
        """
        store = self._core.store
        if not await store.read(_is_due, timedelta(hours=self._core.config.backup.every)):
            return None
        if not await store.write(_claim, self._owner):
            return None
        keeping = asyncio.create_task(self._keep_claim())
        try:
            if not await store.read(_is_due, timedelta(hours=self._core.config.backup.every)):
                return None  # another process was quicker
            return await self._make()
        finally:
            keeping.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await keeping
            with contextlib.suppress(NodeError):
                await store.write(_release, self._owner)

    async def _make(self) -> Path:
        path = name_backup(Path(self._core.config.backup.folder), self._core.clock.now())
        try:
            made = await keep_backup(self._core, path)
        except NodeError as error:
            await note_failure(self._core, error.safe, name=path.name)
            raise
        await note_backup(self._core, taken_at=made.taken_at, size_bytes=made.size_bytes, name=path.name)
        get_logger().info("backup_made", size_bytes=made.size_bytes, absent=len(made.absent))
        await asyncio.to_thread(_drop_oldest, path.parent, self._core.config.backup.keep)
        return path

    async def _keep_claim(self) -> None:
        while True:
            await asyncio.sleep(LEASE.total_seconds() / 3)
            with contextlib.suppress(NodeError):
                await self._core.store.write(_claim, self._owner)


def name_backup(folder: Path, now: datetime) -> Path:
    """Return the file of a backup of the schedule."""
    return folder / f"rounds-{now:%Y%m%dT%H%M%SZ}.backup"


def find_backups(folder: Path) -> list[Path]:
    """Return the backups in a folder, the newest first."""
    if not folder.is_dir():
        return []
    return sorted((path for path in folder.iterdir() if _NAME.fullmatch(path.name)), reverse=True)


async def keep_backup(core: Core, path: Path) -> Backup:
    """Make a backup into a file, which is there whole or not at all.

    Raises:
        NodeError: It could not be made.
    """
    try:
        await asyncio.to_thread(path.parent.mkdir, mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        raise StoreError(f"{path.parent} cannot be made: {error.strerror}.") from None
    with WholeFile(path) as file:
        made = await make_backup(core, file.write)
        await asyncio.to_thread(file.keep)
    return made


def _drop_oldest(folder: Path, keep: int) -> None:
    """Delete backups beyond the newest ones, and what was left half written."""
    for path in [*find_backups(folder)[keep:], *folder.glob(f"rounds-*.backup{PARTIAL}")]:
        with contextlib.suppress(OSError):
            path.unlink()


async def _is_due(tx: Tx, every: timedelta) -> bool:
    last: Any = await find_last_scheduled(tx)
    if last is None:
        return True
    if last.problem:
        return bool(tx.now - last.finished_at >= min(every, AGAIN_AFTER))
    return bool(tx.now - last.taken_at >= every)


async def _claim(tx: Tx, owner: str) -> bool:
    return await claim_backups(tx, owner=owner, until=tx.now + LEASE)


async def _release(tx: Tx, owner: str) -> None:
    await release_backups(tx, owner=owner)

"""Backups as tests make and open them: one recovery code for the whole run, a node with everything in it, and its file."""

from __future__ import annotations

import functools
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from node.community.operating.backups import Backup, make_backup
from node.community.operating.recovery import recovery_path
from node.community.operating.restores import restore
from node.foundation.config import CONFIG_NAME
from node.store.backup.folders import WholeFile
from node.store.backup.sealing import RecoveryKey, format_recovery_key, make_recovery_key
from node.store.core import Core
from tests.routes.scene import Scene, a_scene
from tests.support.clock import FrozenClock
from tests.support.databases import Databases
from tests.support.traces import read_rows

CODE = "abcdx-efgh9-jkmnk-pqrsw-tuvw8-xyz2j-3456v-789a7"
OTHER_CODE = "zzzzd-zzzze-zzzzf-zzzzg-zzzzh-zzzzj-zzzzk-zzzzm"
# What a restored node knows of itself alone, and what is made anew.
_OWN = {
    "search_shards",
    "backups",
    "audit",
    "audit_head",
    "recoveries",
    "schema_versions",
    "settings",
    "backup_lease",
    "journal_acts",
}


@functools.cache
def recovery_key(code: str = CODE) -> RecoveryKey:
    """Return what a node keeps of a code; making it takes 0.1 s."""
    return make_recovery_key(code, salt=bytes(range(16)))


def give_recovery_key(data: Path) -> None:
    """Let a node have the code."""
    recovery_path(data).write_text(format_recovery_key(recovery_key()))
    recovery_path(data).chmod(0o600)


@dataclass(slots=True)
class Stocked:
    """A node with everything in it."""

    scene: Scene
    clock: FrozenClock

    @property
    def core(self) -> Core:
        """The node's core."""
        return self.scene.lone.core

    async def backup(self, path: Path, **more: Any) -> Backup:
        """Make a backup into a file."""
        with WholeFile(path) as file:
            made = await make_backup(self.core, file.write, **more)
            file.keep()
        return made

    async def restore(self, path: Path, data: Path, *, database: str = "sqlite:", code: str = CODE) -> Any:
        """Restore a backup into a directory."""
        return await restore(
            path, code, data, database=database, anyway=False, clock=self.clock, note=lambda sentence: None
        )

    async def rows(self) -> dict[str, list[str]]:
        """Return what members and groups have of this node."""
        return await content_of(self.core.config.database, self.core.data)


async def content_of(database: str, data: Path) -> dict[str, list[str]]:
    """Return every row of a node that a backup carries from one database to another."""
    rows = await read_rows(database, data)
    return {name: found for name, found in rows.items() if name not in _OWN and not name.startswith("search_words")}


@asynccontextmanager
async def a_stocked_node(databases: Databases, clock: FrozenClock, **settings: Any) -> AsyncIterator[Stocked]:
    """Open a node with a bit of everything, a configuration on the disk, and a recovery code."""
    async with a_scene(databases, clock, **settings) as scene:
        core = scene.lone.core
        lines = [f'base_url = "{core.config.base_url}"', 'name = "Home"', f'database = "{core.config.database}"', ""]
        (core.data / CONFIG_NAME).write_text("\n".join(lines))
        (core.data / CONFIG_NAME).chmod(0o600)
        give_recovery_key(core.data)
        yield Stocked(scene, clock)

"""`rounds doctor` and `rounds migrate`: look at a node from outside, running or not, and say what to change."""

from __future__ import annotations

import asyncio
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from node.community.house import close_core, open_core
from node.community.operating.checks import check_disk, is_private, look_at_pressure, private_files
from node.community.operating.recovery import KEY_NAME
from node.community.operating.service import measure_disk
from node.foundation.clock import SystemClock
from node.foundation.config import CONFIG_NAME, Config, load_config
from node.foundation.errors import ConfigError, NodeError
from node.store.backups import BackupState, read_backup_state
from node.store.migrate import migrate
from node.store.opening import open_store
from node.store.recovering import list_recovering
from node.store.sqlite import has_checkpoint_race

from .doctor_backups import ask_backup_state, judge_backups
from .lock import DataLock
from .remote import ask
from .saying import say_fix, say_state


@dataclass(frozen=True, slots=True)
class Check:
    """One thing that was looked at. state: good, warn or bad; fix: what to do, or None."""

    name: str
    state: str
    sentence: str
    fix: str | None = None


def examine(data: Path) -> list[Check]:
    """Return what is good and what is not about a data directory."""
    try:
        config = load_config(data)
    except ConfigError as error:
        return [Check("configuration", "bad", " ".join(error.problems), f"Correct {data / CONFIG_NAME}.")]
    checks = [Check("configuration", "good", "The configuration can be used.")]
    files = [
        path for path in private_files(data) if path.exists() or path.name != KEY_NAME
    ]  # `recovery code` tells that
    checks += [*map(_private, files), _disk(data)]
    checks.append(_sqlite(config))
    checks += _running(data, config)
    return checks


def _private(path: Path) -> Check:
    name = f"file {path.name}"
    if not path.exists():
        return Check(name, "bad", f"{path} is missing.", "Restore it from the backup.")
    if not is_private(path):
        return Check(name, "bad", f"{path} can be read by others.", f"chmod 600 {path}")
    return Check(name, "good", f"{path} is readable by its owner alone.")


def _disk(data: Path) -> Check:
    found = check_disk(measure_disk(data))
    return Check("disk", found.state, say_state(found), say_fix(found))


def _sqlite(config: Config) -> Check:
    if not config.database.startswith("sqlite:"):
        return Check("database", "good", "The database is PostgreSQL.")
    if has_checkpoint_race():
        return Check(
            "sqlite version",
            "warn",
            "This SQLite can lose pages when two programs write to one file at the same instant. One node alone is safe.",
            "Let no other program open rounds.sqlite for writing while the node runs; copy it with backups only.",
        )
    return Check("sqlite version", "good", "This SQLite has no known fault that concerns a node.")


def _running(data: Path, config: Config) -> list[Check]:
    answer = ask(data, ["status", "--json"])
    if answer is None:
        checks = [Check("running", "warn", "The node is not running.", f"rounds --data {data} serve")]
        opened, known = _opens(data)
        checks += opened
    else:
        checks = [Check("running", "good", "The node is running and answers commands."), *_alerts(answer.out)]
        known = ask_backup_state(data)
    if known is None:
        return checks
    return checks + [Check(*said) for said in judge_backups(data, config, known, now=SystemClock().now())]


def _alerts(said: str) -> list[Check]:
    """Return what the running node is told by its watch; the disk is looked at here anyway."""
    try:
        alerts = json.loads(said)["alerts"]
    except (ValueError, KeyError):
        return []
    return [
        Check(each["name"], each["state"], each["sentence"], each["fix"]) for each in alerts if not _is_of_disk(each)
    ]


def _is_of_disk(alert: dict[str, Any]) -> bool:
    return str(alert["name"]).startswith("disk_")


def _opens(data: Path) -> tuple[list[Check], BackupState | None]:
    """Open and close a node that is not running: what is found, and what it knows of its backups."""

    async def open_and_close() -> tuple[list[Check], BackupState]:
        core = await open_core(data)
        try:
            core.pressure.recovering = len(await core.store.read(list_recovering))
            found = [Check(each.name, each.state, say_state(each), say_fix(each)) for each in look_at_pressure(core)]
            return found, await core.store.read(read_backup_state)
        finally:
            await close_core(core)

    try:
        with DataLock(data):
            found, known = asyncio.run(open_and_close())
    except NodeError as error:
        return [Check("opens", "bad", error.safe, "See docs/operate/trouble.md.")], None
    return [Check("opens", "good", "The database opens and is at this release's schema."), *found], known


def run_migrations(data: Path) -> list[str]:
    """Bring a stopped node's database to this release's schema; return the names of what was applied."""

    async def run() -> list[str]:
        config = load_config(data)
        store = await open_store(config.database, data=data, clock=SystemClock())
        try:
            return await migrate(store, now=SystemClock().now())
        finally:
            await store.close()

    with DataLock(data):
        return asyncio.run(run())

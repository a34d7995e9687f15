"""What `rounds doctor` says of backups: the checks of the health page, in its English sentences."""

from __future__ import annotations

import json
from datetime import datetime, timedelta
from pathlib import Path

from node.community.operating.checks import Check, check_backups
from node.community.operating.recovery import has_recovery_key
from node.foundation.clock import parse_instant
from node.foundation.config import Config
from node.store.backups import BackupState

from .remote import ask
from .saying import say_fix, say_state


def ask_backup_state(data: Path) -> BackupState | None:
    """Return what the running node knows of its backups; None when it does not say."""
    answer = ask(data, ["backup", "list", "--json"])
    if answer is None or answer.code != 0:
        return None
    said = json.loads(answer.out)
    good = [row for row in said["backups"] if row["problem"] is None]
    drill = said["drills"][0] if said["drills"] else None
    return BackupState(
        newest_at=parse_instant(good[0]["taken_at"]) if good else None,
        problem=(said["backups"][0]["problem"] or "") if said["backups"] else "",
        drilled_at=parse_instant(drill["at"]) if drill else None,
        drill_is_good=bool(drill and drill["ok"]),
    )


def judge_backups(
    data: Path, config: Config, known: BackupState, *, now: datetime
) -> list[tuple[str, str, str, str | None]]:
    """Return (name, state, sentence, what to do) of each thing there is to say."""
    found = check_backups(
        known,
        every=timedelta(hours=config.backup.every),
        now=now,
        has_code=has_recovery_key(data),
        is_test=config.is_test_node,
    )
    return [(_name(check), check.state, say_state(check), say_fix(check)) for check in found]


def _name(check: Check) -> str:
    return {"recovery": "recovery code"}.get(check.name, check.name.partition("_")[0])

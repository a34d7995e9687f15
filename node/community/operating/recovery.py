"""The recovery code of a node: made anew when an operator asks, and what the node keeps of it to seal backups."""

from __future__ import annotations

import asyncio
from pathlib import Path

from node.foundation.errors import Conflict
from node.foundation.recovery_code import make_recovery_code
from node.store.audit import write_audit
from node.store.backup.folders import replace_file
from node.store.backup.sealing import RecoveryKey, format_recovery_key, make_recovery_key, parse_recovery_key
from node.store.core import Core
from node.store.engine import Tx

KEY_NAME = "recovery.pub"
_NONE = "This node has no recovery code, so nobody could open its backups. Make one: rounds key recovery"


def recovery_path(data: Path) -> Path:
    """Return where the public half of a node's recovery key lies."""
    return data / "keys" / KEY_NAME


def has_recovery_key(data: Path) -> bool:
    """Return whether a node can seal backups."""
    return recovery_path(data).exists()


def load_recovery_key(data: Path) -> RecoveryKey:
    """Return what backups are sealed to.

    Raises:
        Conflict: The node has no recovery code yet; the sentence says how to make one.
        StoreError: The file cannot be read.
    """
    try:
        return parse_recovery_key(recovery_path(data).read_text("utf-8"))
    except FileNotFoundError:
        raise Conflict(_NONE) from None


def new_recovery_code(data: Path) -> str:
    """Make a code, keep its public half in the data directory, and return the code, which nobody keeps. Blocks for 0.2 s."""
    code = make_recovery_code()
    replace_file(recovery_path(data), format_recovery_key(make_recovery_key(code)).encode())
    return code


async def change_recovery_code(core: Core, *, by: str) -> str:
    """Make a new code for backups from now on; those made before open with the old one."""
    code = await asyncio.to_thread(new_recovery_code, core.data)
    await core.store.write(_audit, by)
    return code


async def _audit(tx: Tx, by: str) -> None:
    await write_audit(tx, actor=by, action="key.recovery", target=KEY_NAME)

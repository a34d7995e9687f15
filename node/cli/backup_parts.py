"""What `rounds backup` asks of the node it belongs to: a backup's bytes, the notes of what was kept and found, a list."""

from __future__ import annotations

import argparse
import asyncio
import json
from typing import Any

from node.community.operating.backups import Backup, make_backup, note_drill, note_kept
from node.community.operating.recovery import has_recovery_key
from node.foundation.errors import Invalid
from node.store.backups import list_backups, list_drills

from .context import Context, instant


def send_words(parser: argparse.ArgumentParser) -> None:
    """Take the words of `backup send`."""
    parser.add_argument("--without-mirrors", action="store_true")


async def send(context: Context) -> int:
    """Give a backup to the command that asks for one."""
    if context.send is None:
        raise Invalid("Nobody takes the backup. Use: rounds backup FILE")
    loop = asyncio.get_running_loop()
    made = await make_backup(
        context.house.core,
        context.send,
        with_mirrors=not context.args.without_mirrors,
        note=lambda sentence: loop.call_soon_threadsafe(context.warn, f"{sentence}\n"),
    )
    return context.emit(_describe(made))


async def kept(context: Context) -> int:
    """Write down that a backup was kept."""
    await note_kept(context.house.core, _read_document(context.text), by=context.by)
    return context.emit({"noted": True}, "Noted.")


async def drilled(context: Context) -> int:
    """Write down what a drill has found; that it went well is believed only under this node's own signature."""
    await note_drill(context.house.core, _read_document(context.text), by=context.by)
    return context.emit({"noted": True}, "Noted.")


async def list_all(context: Context) -> int:
    """List the newest backups and drills."""
    core = context.house.core
    backups, drills = await core.store.read(list_backups), await core.store.read(list_drills)
    shown = {
        "recovery_code": has_recovery_key(core.data),
        "backups": [
            {
                "name": row.name or None,
                "taken_at": instant(row.taken_at),
                "finished_at": instant(row.finished_at),
                "size_bytes": row.size_bytes,
                "problem": row.problem or None,
            }
            for row in backups
        ],
        "drills": [
            {"at": instant(row.drilled_at), "ok": row.is_good, "taken_at": instant(row.taken_at)} for row in drills
        ],
    }
    lines = [f"{instant(row.taken_at)}  {row.problem or f'{row.size_bytes} bytes'}  {row.name}" for row in backups]
    lines += [f"{instant(row.drilled_at)}  drill: {'good' if row.is_good else 'BAD'}" for row in drills]
    return context.emit(shown, *(lines or ["No backup was ever made here."]))


def _describe(made: Backup) -> dict[str, Any]:
    return {
        "taken_at": made.manifest.taken_at,
        "newest_at": made.manifest.newest_at,
        "size_bytes": made.size_bytes,
        "counts": made.manifest.counts,
        "fingerprint": made.manifest.fingerprint,
        "absent": made.absent,
        "with_mirrors": made.with_mirrors,
    }


def _read_document(text: str) -> dict[str, Any]:
    try:
        document = json.loads(text)
    except ValueError:
        document = None
    if not isinstance(document, dict):
        raise Invalid("This is what another command says to the node: one JSON document.")
    return document

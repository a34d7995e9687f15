"""`rounds backup FILE`, `rounds backup drill`, `rounds backup list`: outside the node, which they ask for their parts.

The file is written by the command, not by the node: the command may write where the node's service may not. The recovery code
is read by the drill alone, in its own process; the node never sees it.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import sys
import time
from pathlib import Path
from typing import Any

from node.community.operating.drills import Findings, examine, sign_drill
from node.community.operating.restores import OpenedBackup
from node.community.operating.schedule import find_backups
from node.foundation.clock import SystemClock
from node.foundation.config import CONFIG_NAME, load_config
from node.foundation.errors import ConfigError, Conflict
from node.foundation.logs import configure_logs
from node.store.backup.archive import Unpacked
from node.store.backup.folders import WholeFile, work_folder

from .calling import ask_recovery_code, call, end_tidily
from .context import DONE, REFUSED
from .progress import Progress


def run_backup(data: Path, parser: argparse.ArgumentParser, rest: list[str]) -> int:
    """Run `rounds backup …` outside the node; return the exit code."""
    end_tidily()
    configure_logs(level="error")
    if rest[:1] == ["list"]:
        return call(data, ["backup", *rest])
    parser.add_argument("--json", action="store_true")
    if rest[:1] == ["drill"]:
        parser.add_argument("verb", choices=["drill"])
        parser.add_argument("file", nargs="?", type=Path, help="the newest of the folder without it, or a new one")
        parser.add_argument("--recovery-file", type=Path, help="holds the recovery code; stdin without it")
        return _drill(data, parser.parse_args(rest))
    parser.add_argument("file", type=Path, metavar="FILE", help="or: drill, list")
    parser.add_argument("--without-mirrors", action="store_true", help="leave out pictures of other nodes' groups")
    args = parser.parse_args(rest)
    return _backup(data, args.file.absolute(), with_mirrors=not args.without_mirrors, as_json=args.json)


def _backup(data: Path, path: Path, *, with_mirrors: bool, as_json: bool) -> int:
    with WholeFile(path) as file:
        code, made = _fetch(data, file, with_mirrors=with_mirrors)
        if code != DONE:
            return code
        file.keep()
    call(data, ["backup", "kept", "--json"], json.dumps(made), write=lambda said: None)
    shown = {"file": str(path), **made}
    if made["absent"]:
        print(f"{len(made['absent'])} pictures were not there and are not in it.", file=sys.stderr)
    counts = ", ".join(f"{count} {name}" for name, count in made["counts"].items())
    print(json.dumps(shown) if as_json else f"{path} holds {counts}, as of {made['taken_at']}.")
    return DONE


def _fetch(data: Path, file: WholeFile, *, with_mirrors: bool) -> tuple[int, dict[str, Any]]:
    """Have the node write a backup into a file; return the exit code and what it says of it."""
    said: list[str] = []
    argv = ["backup", "send", "--json", *([] if with_mirrors else ["--without-mirrors"])]
    code = call(data, argv, write=said.append, take=file.write)
    return code, json.loads("".join(said)) if code == DONE else {}


def _drill(data: Path, args: argparse.Namespace) -> int:
    code = ask_recovery_code(args.recovery_file)
    has_node = (data / CONFIG_NAME).exists()
    began = time.monotonic()
    with Progress() as progress, work_folder(data if has_node else None, "drill") as folder:
        file = args.file or _newest(data, folder, has_node=has_node)
        opened = OpenedBackup(file, code, note=progress.say)
        (folder / "restored").mkdir(mode=0o700)
        unpacked = opened.unpack(folder / "restored")
        found = asyncio.run(examine(folder / "restored", unpacked, clock=SystemClock(), note=progress.say))
    shown = sign_drill(found, unpacked, seconds=time.monotonic() - began, now=SystemClock().now())
    if has_node:
        call(data, ["backup", "drilled", "--json"], json.dumps(shown), write=lambda said: None)
    print(json.dumps(shown) if args.json else _say_drill(found, unpacked, shown))
    return DONE if shown["ok"] else REFUSED


def _newest(data: Path, folder: Path, *, has_node: bool) -> Path:
    """Return the newest backup of the schedule, or one made for this drill."""
    if not has_node:
        raise ConfigError(f"There is no node in {data}. Name the backup: rounds backup drill FILE")
    settings = load_config(data).backup
    if settings.folder and (kept := find_backups(Path(settings.folder))):
        return kept[0]
    path = folder / "made.backup"
    with WholeFile(path) as file:
        code, _ = _fetch(data, file, with_mirrors=True)
        if code != DONE:
            raise Conflict("There is no backup to try.")
        file.keep()
    return path


def _say_drill(found: Findings, unpacked: Unpacked, shown: dict[str, Any]) -> str:
    counts = ", ".join(f"{count} {name}" for name, count in found.counts.items())
    lines = [
        f"A backup of {unpacked.manifest.base_url}, taken at {unpacked.manifest.taken_at}: {counts}.",
        f"The newest post is of {shown['newest_at'] or 'no time'}.",
        f"Fingerprint: {' '.join(shown['fingerprint']['words'])}",
        *shown["problems"],
        f"It can be restored ({shown['seconds']} s)." if shown["ok"] else "It must not be relied on.",
    ]
    return "\n".join(lines)

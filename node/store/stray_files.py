"""Files of pictures that no row names: a process ended between a file and its row, or between a row's end and its file's.

Deleting a picture's file follows the commit that deletes its rows, so a crash in between leaves the file; an upload's file comes
before its row. Whatever no row names for an hour goes. `save_file` makes a file that is wanted again young again.
"""

from __future__ import annotations

import asyncio
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

from node.foundation.logs import get_logger

from .core import Core
from .engine import Tx

if TYPE_CHECKING:
    from .bucket import Bucket

LEFT_SECONDS = 3600.0
_AT_ONCE = 500
_NAMED = "SELECT DISTINCT sha256 FROM media WHERE sha256 IN :hashes"


async def sweep_files(core: Core, *, left_seconds: float = LEFT_SECONDS) -> int:
    """Delete the files that nobody has touched for so long and no row names; return how many there were.

    Raises:
        Unavailable: They are in a bucket that does not answer.
    """
    if core.bucket is not None:
        return await _sweep_bucket(core, core.bucket, left_seconds)
    count = 0
    for folder in await asyncio.to_thread(_list_folders, core.media_folder):
        old = await asyncio.to_thread(_list_old, folder, time.time() - left_seconds)
        for start in range(0, len(old), _AT_ONCE):
            some = old[start : start + _AT_ONCE]
            named = await core.store.read(_list_named, [path.name for path in some])
            strays = [path for path in some if path.name not in named]
            await asyncio.to_thread(_delete, strays)
            count += len(strays)
    if count:
        get_logger().info("files_swept", count=count)
    return count


async def _sweep_bucket(core: Core, bucket: Bucket, left_seconds: float) -> int:
    count, before = 0, datetime.now(UTC) - timedelta(seconds=left_seconds)
    for old in await asyncio.to_thread(lambda: list(bucket.list_old(before))):
        named = await core.store.read(_list_named, old)
        strays = [sha256 for sha256 in old if sha256 not in named]
        await asyncio.to_thread(bucket.delete, strays)
        count += len(strays)
    return count


def _list_folders(media: Path) -> list[Path]:
    return sorted(path for path in media.iterdir() if path.is_dir()) if media.exists() else []


def _list_old(folder: Path, before: float) -> list[Path]:
    return [path for path in folder.iterdir() if path.is_file() and path.stat().st_mtime < before]


def _delete(paths: list[Path]) -> None:
    for path in paths:
        path.unlink(missing_ok=True)


async def _list_named(tx: Tx, hashes: list[str]) -> set[str]:
    return {row.sha256 for row in await tx.all(_NAMED, hashes=hashes)}

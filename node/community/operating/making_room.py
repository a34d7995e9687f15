"""Room made by letting pictures of other nodes go: those that nobody has looked at for the longest go first."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from datetime import datetime, timedelta

from node.foundation.logs import get_logger
from node.store.core import Core
from node.store.files import delete_files
from node.store.picture_cache import (
    CachedPicture,
    let_pictures_go,
    list_longest_unused,
    measure_cache,
    note_used,
)

_ROUNDS = 500


def choose_to_let_go(
    pictures: Sequence[CachedPicture], *, used_bytes: int, quota_bytes: int, unused_since: datetime
) -> list[CachedPicture]:
    """Return those of some pictures that have to go: the longest unused until the quota holds, and all unused for so long.

    Args:
        pictures: The longest unused first.
        used_bytes: What all pictures of other nodes take.
        quota_bytes: What they may take.
        unused_since: Who was not looked at since then goes in any case.
    """
    chosen = []
    for picture in pictures:
        if used_bytes <= quota_bytes and picture.last_at >= unused_since:
            break
        chosen.append(picture)
        used_bytes -= picture.size_bytes
    return chosen


async def trim_pictures(core: Core) -> int:
    """Note what was looked at, then let go what has to go; return how many files went."""
    setting, gone = core.config.disk, 0
    if tokens := core.tally.take_used():
        await core.store.write(note_used, tokens=tokens)
    unused_since = core.clock.now() - timedelta(days=setting.media_days)
    for _ in range(_ROUNDS):
        used_bytes = await core.store.read(measure_cache)
        pictures = await core.store.read(list_longest_unused)
        chosen = choose_to_let_go(
            pictures, used_bytes=used_bytes, quota_bytes=setting.media_bytes, unused_since=unused_since
        )
        if not chosen:
            break
        hashes = await core.store.write(let_pictures_go, tokens=[picture.token for picture in chosen])
        await asyncio.to_thread(delete_files, core, hashes)
        gone += len(hashes)
    if gone:
        get_logger().info("pictures_let_go", files=gone)
    return gone

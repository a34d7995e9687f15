"""Fetch pictures: a host those of a submission, before it gives the submission a number; a member's node those of the log.

Only an active peer is asked, with our instance actor's signature; the bytes must be a picture and have the hash that the
author signed. What cannot be had now is tried again, for two days.
"""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import Any

from node.domain.peers import Peer
from node.federation.integrity import sha256_hex
from node.foundation.errors import NodeError, RemoteMalformed
from node.foundation.logs import get_logger
from node.store.core import Core
from node.store.engine import Tx
from node.store.files import save_file, sniff_picture
from node.store.media import fetch_later, list_wanted, mark_ready

from .dereference import parse_origin_of

PICTURES_BELL = "pictures"
LOOK_SECONDS = 5.0
TRIES = 60
_LONGEST_WAIT = timedelta(hours=1)


class PictureFetcher:
    """Fetches pictures for one process."""

    def __init__(self, core: Core) -> None:
        self._core = core
        self._stopping = False

    async def run(self) -> None:
        """Fetch what is wanted until `stop` is called."""
        while not self._stopping:
            try:
                for row in await self._core.store.read(_list_wanted):
                    if self._core.pressure.may_cache and not self._stopping:
                        await self._fetch_wanted(row)
            except NodeError as error:
                get_logger().error("pictures_unread", code=error.code, reason=error.internal)
            await self._core.bell.wait(PICTURES_BELL, at_most_seconds=LOOK_SECONDS)

    def stop(self) -> None:
        """End after the present picture."""
        self._stopping = True
        self._core.bell.ring(PICTURES_BELL)

    async def fetch(self, url: str, peer: Peer, sha256: str) -> tuple[str, int]:
        """Fetch a picture, check that it is what was signed, keep the file; return (media type, size in bytes).

        Raises:
            RemoteMalformed: It is not a picture, or not that one.
            Unreachable, Refusing: It was not given.
        """
        core = self._core
        if parse_origin_of(core, url) != peer.origin:
            raise RemoteMalformed(internal=f"{url} is not of {peer.host}")
        keys = await core.keyring.own(core.instance_id)
        signer = core.sign_for(keys, peer.origin)
        _, data = await core.client.get_bytes(url, signer=signer, limit_bytes=core.config.limits.upload_bytes)
        media_type = sniff_picture(data)
        if media_type is None:
            raise RemoteMalformed(internal=f"{url} is not a picture")
        if sha256_hex(data) != sha256:
            raise RemoteMalformed(internal=f"{url} is not the picture that was signed")
        await asyncio.to_thread(save_file, core, data)
        return media_type, len(data)

    async def _fetch_wanted(self, row: Any) -> None:
        peer = self._core.peers.active(parse_origin_of(self._core, row.source_uri or ""))
        try:
            if peer is None:
                raise RemoteMalformed(internal=f"{row.source_uri} is not of an active peer")
            media_type, size_bytes = await self.fetch(row.source_uri, peer, row.sha256)
        except NodeError as error:
            get_logger().info("picture_unavailable", reason=error.internal)
            await self._core.store.write(_later, row)
            return
        await self._core.store.write(_ready, row, media_type, size_bytes)


async def _list_wanted(tx: Tx) -> list[Any]:
    return await list_wanted(tx)


async def _later(tx: Tx, row: Any) -> None:
    wait = min(timedelta(seconds=5) * 2 ** min(row.tries, 12), _LONGEST_WAIT)
    await fetch_later(tx, token=row.token, due_at=tx.now + wait, gave_up=row.tries + 1 >= TRIES)


async def _ready(tx: Tx, row: Any, media_type: str, size_bytes: int) -> None:
    await mark_ready(tx, token=row.token, media_type=media_type, size_bytes=size_bytes, width=0, height=0)

"""Notifications do not last: what a member was told half a year ago is in the groups, if it is anywhere."""

from __future__ import annotations

import asyncio
from datetime import datetime, timedelta

from node.foundation.errors import NodeError
from node.foundation.logs import get_logger
from node.store.core import Core
from node.store.engine import Tx
from node.store.notifications import sweep_notifications

KEPT = timedelta(days=180)
FIRST_SECONDS, EVERY_SECONDS = 600, 86_400


class NotificationSweeper:
    """Deletes old notifications, in one process for all."""

    def __init__(self, core: Core) -> None:
        self._core = core

    async def run(self) -> None:
        """Sweep a while after the start and then once a day, until cancelled."""
        await asyncio.sleep(FIRST_SECONDS)
        while True:
            try:
                await self.sweep()
            except NodeError as error:
                get_logger().warning("notifications_unswept", code=error.code, reason=error.internal)
            await asyncio.sleep(EVERY_SECONDS)

    async def sweep(self) -> int:
        """Delete what is too old; return how much."""
        return await self._core.write(_sweep, self._core.clock.now() - KEPT)


async def _sweep(tx: Tx, before_at: datetime) -> int:
    return await sweep_notifications(tx, before_at=before_at)

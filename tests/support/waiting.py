"""Wait for something that another part of the test brings about: look again and again, up to a deadline."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable

LOOK_SECONDS = 0.005
AT_MOST_SECONDS = 30.0


async def until(condition: Callable[[], bool], *, seconds: float = AT_MOST_SECONDS) -> None:
    """Wait until a condition holds."""
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "what was waited for did not come"
        await asyncio.sleep(LOOK_SECONDS)


async def until_true(condition: Callable[[], Awaitable[object]], *, seconds: float = AT_MOST_SECONDS) -> None:
    """Wait until a question to a node or its database is answered with yes."""
    deadline = time.monotonic() + seconds
    while not await condition():
        assert time.monotonic() < deadline, "what was waited for did not come"
        await asyncio.sleep(LOOK_SECONDS)

"""`rounds status`: how the node is, in one look."""

from __future__ import annotations

import asyncio

from node import __version__
from node.community.operating.checks import look_at_pressure
from node.community.operating.service import count_node, measure_disk
from node.domain.pressure import Room
from node.store.recovering import list_recovering

from .context import Context
from .saying import say_fix, say_state


async def status(context: Context) -> int:
    """Print the state, what is stored and what waits."""
    house = context.house
    core = house.core
    stored, waiting = await core.store.read(count_node)
    at_rest = not any(waiting.values()) and house.deliverer.in_flight == 0 and not house.processor.is_busy
    await house.watcher.look()
    state = "read_only" if core.pressure.room is Room.FULL else "ready"
    state = "recovering" if await core.store.read(list_recovering) else state
    alerts = look_at_pressure(core, await asyncio.to_thread(measure_disk, core.data))
    shown = {
        "state": state,
        "version": __version__,
        "base_url": core.origin,
        "database": await core.store.describe(),
        "stored": stored,
        "waiting": waiting,
        "at_rest": at_rest,
        "peers": {"active": core.peers.count("active"), "paused": core.peers.count("paused")},
        "alerts": [
            {"name": each.name, "state": each.state, "sentence": say_state(each), "fix": say_fix(each)}
            for each in alerts
        ],
        "counts": {
            "bodies": core.store.counts.bodies,
            "commits": core.store.counts.commits,
            "reads": core.store.counts.reads,
            "statements": core.store.counts.statements,
        },
    }
    lines = [
        f"{core.origin} is {state}, version {__version__}.",
        f"Stored: {', '.join(f'{count} {name}' for name, count in stored.items())}.",
        f"Waiting: {', '.join(f'{count} {name}' for name, count in waiting.items())}.",
        *(f"{say_state(each)} {say_fix(each)}" for each in alerts),
    ]
    return context.emit(shown, *lines)

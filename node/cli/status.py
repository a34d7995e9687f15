"""`rounds status`: how the node is, in one look."""

from __future__ import annotations

from typing import Any

from node import __version__
from node.community.members.service import count_members
from node.store.activities import count_activities, count_waiting
from node.store.engine import Tx
from node.store.logs import count_pulls, count_unapplied
from node.store.media import count_media, count_wanted
from node.store.objects import count_posts
from node.store.rosters import list_groups
from node.store.streams import count_lanes_behind
from node.store.submissions import count_submissions

from .context import Context


async def status(context: Context) -> int:
    """Print the state, what is stored and what waits."""
    house = context.house
    core = house.core
    stored, waiting = await core.store.read(_counts)
    at_rest = not any(waiting.values()) and house.deliverer.in_flight == 0 and not house.processor.is_busy
    shown = {
        "state": "ready",
        "version": __version__,
        "base_url": core.origin,
        "database": await core.store.describe(),
        "stored": stored,
        "waiting": waiting,
        "at_rest": at_rest,
        "peers": {"active": core.peers.count("active"), "paused": core.peers.count("paused")},
        "counts": {
            "bodies": core.store.counts.bodies,
            "commits": core.store.counts.commits,
            "reads": core.store.counts.reads,
            "statements": core.store.counts.statements,
        },
    }
    lines = [
        f"{core.origin} is ready, version {__version__}.",
        f"Stored: {', '.join(f'{count} {name}' for name, count in stored.items())}.",
        f"Waiting: {', '.join(f'{count} {name}' for name, count in waiting.items())}.",
    ]
    return context.emit(shown, *lines)


async def _counts(tx: Tx) -> tuple[dict[str, Any], dict[str, Any]]:
    stored = {
        "members": await count_members(tx),
        "groups": len(await list_groups(tx)),
        "posts": await count_posts(tx),
        "activities": await count_activities(tx),
        "media": await count_media(tx),
    }
    waiting = {
        "inbox": await count_waiting(tx),
        "jobs": await count_unapplied(tx) + await count_wanted(tx) + await count_pulls(tx),
        "lanes_due": await count_lanes_behind(tx),
        "submissions": await count_submissions(tx),
    }
    return stored, waiting

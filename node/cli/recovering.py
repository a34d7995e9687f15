"""`rounds recovering …`: the groups that ask other nodes for what a restore has lost, and an end to the waiting."""

from __future__ import annotations

import argparse

from node.community.returning import list_returning, stop_waiting

from .context import Context, instant
from .people import find_group


def end_words(parser: argparse.ArgumentParser) -> None:
    """Take a group."""
    parser.add_argument("group", metavar="GROUP")


async def list_all(context: Context) -> int:
    """List the groups that are on their way back, and the nodes that were not heard."""
    groups = await list_returning(context.house.core)
    shown = [{"group": each.handle, "since": instant(each.since_at), "unheard": each.unheard} for each in groups]
    lines = [
        f"{each.handle}  since {instant(each.since_at)}  waits for {', '.join(each.unheard) or 'nobody'}"
        for each in groups
    ]
    return context.emit({"groups": shown}, *(lines or ["No group waits for what a restore has lost."]))


async def end(context: Context) -> int:
    """Let a group's log go on without the nodes that were not heard; what they bring later is said anew at its end."""
    group = await find_group(context, context.args.group)
    await stop_waiting(context.house.core, group=group, by=context.by)
    return context.emit(
        {"group": group.uri}, f"{group.handle} goes on; what other nodes still hold comes at the end of its log."
    )

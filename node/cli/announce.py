"""`rounds announce …`, `rounds maintenance …`, `rounds clock accept`: what operators say to everybody, and to the node."""

from __future__ import annotations

import argparse
from datetime import datetime

from node.community.operating import announcing
from node.domain.pressure import Announcement
from node.foundation.clock import parse_instant
from node.foundation.errors import Invalid

from .context import Context, instant


def announce_words(parser: argparse.ArgumentParser) -> None:
    """Take what is announced, and when."""
    parser.add_argument("text", metavar="TEXT")
    parser.add_argument("--from", dest="from_at", metavar="TIME", help="such as 2026-11-21T17:40:00Z; now without it")
    parser.add_argument("--until", dest="until_at", metavar="TIME", help="when it ends by itself")
    parser.add_argument("--maintenance", action="store_true", help="the node is away in that time")


def on_words(parser: argparse.ArgumentParser) -> None:
    """Take until when."""
    parser.add_argument("--until", dest="until_at", metavar="TIME", help="such as 2026-11-21T17:40:00Z")
    parser.add_argument("--text", default="", help="what members are told beside it")


def end_words(parser: argparse.ArgumentParser) -> None:
    """Take which one."""
    parser.add_argument("announcement", type=int, metavar="NUMBER")


async def announce(context: Context) -> int:
    """Announce something to everybody on this node."""
    args = context.args
    made = await announcing.announce(
        context.house.core,
        args.text,
        by=context.by,
        from_at=_read_time(args.from_at),
        until_at=_read_time(args.until_at),
        is_maintenance=args.maintenance,
    )
    return context.emit(_describe(made), f"Announced as {made.announcement_id}.")


async def list_all(context: Context) -> int:
    """List what is announced, and what will be."""
    found = await announcing.list_open(context.house.core)
    lines = [f"{each.announcement_id} from {each.from_at} until {each.until_at or '…'}: {each.text}" for each in found]
    return context.emit({"announcements": list(map(_describe, found))}, *(lines or ["Nothing is announced."]))


async def end(context: Context) -> int:
    """End an announcement now."""
    await announcing.end(context.house.core, context.args.announcement, by=context.by)
    return context.emit({"ended": context.args.announcement}, "It is over.")


async def begin_maintenance(context: Context) -> int:
    """Let the node be away from now on: pages and other nodes are answered 503."""
    until_at = _read_time(context.args.until_at)
    made = await announcing.announce(
        context.house.core, context.args.text, by=context.by, until_at=until_at, is_maintenance=True
    )
    return context.emit(_describe(made), "The node is away. It comes back with: rounds maintenance off")


async def end_maintenance(context: Context) -> int:
    """Let the node be there again."""
    was_away = await announcing.end_maintenance(context.house.core, by=context.by)
    return context.emit({"was_away": was_away}, "The node is there." if was_away else "The node was not away.")


async def accept_clock(context: Context) -> int:
    """Say that the machine's clock is right, after it was set."""
    core = context.house.core
    jumped = core.pressure.jumped_seconds
    await announcing.trust_clock(core, by=context.by)
    sentence = "Nothing was wrong with the clock." if jumped is None else "The node signs again within a second."
    return context.emit({"accepted": True, "jumped_seconds": jumped}, sentence)


def _read_time(text: str | None) -> datetime | None:
    if text is None:
        return None
    if (found := parse_instant(text)) is None:
        raise Invalid(f"{text} is not a time such as 2026-11-21T17:40:00Z.")
    return found


def _describe(each: Announcement) -> dict[str, object]:
    return {
        "number": each.announcement_id,
        "text": each.text,
        "from_at": instant(each.from_at),
        "until_at": instant(each.until_at),
        "maintenance": each.is_maintenance,
    }

"""What operators tell everybody on their node: an announcement, or a maintenance during which the node is away.

Shown on every page of the node to whoever is signed in, until it ends or they put it away. Other nodes are told nothing
but to come back later while a maintenance lasts.
"""

from __future__ import annotations

from datetime import datetime

from node.domain.actors import Member
from node.domain.pressure import Announcement
from node.foundation.errors import Invalid, NotFound
from node.foundation.text import clean_line
from node.store import board
from node.store.audit import write_audit
from node.store.board import accept_clock, end_announcement, insert_announcement, list_announcements
from node.store.core import Core
from node.store.engine import Tx

TEXT_LIMIT_CHARACTERS = 500
OPEN_LIMIT = 20


async def announce(
    core: Core,
    text: str,
    *,
    by: str,
    from_at: datetime | None = None,
    until_at: datetime | None = None,
    is_maintenance: bool = False,
) -> Announcement:
    """Tell everybody something, from a time on, until a time or until somebody ends it.

    Raises:
        Invalid: Nothing is said, or the times do not fit.
    """
    now = core.clock.now()
    text = clean_line(text, limit=TEXT_LIMIT_CHARACTERS)
    if not text and not is_maintenance:
        raise Invalid("Say what there is to announce.")
    if until_at is not None and until_at <= max(from_at or now, now):
        raise Invalid("It must end after it begins, and after now.")
    made = Announcement(core.ids.number(), text, from_at or now, until_at, is_maintenance)
    core.pressure.announcements = tuple(await core.store.write(_insert, made, by))
    return made


async def end(core: Core, announcement_id: int, *, by: str) -> None:
    """End an announcement.

    Raises:
        NotFound: It has ended, or never was.
    """
    core.pressure.announcements = tuple(await core.store.write(_end, announcement_id, by))


async def end_maintenance(core: Core, *, by: str) -> bool:
    """End the maintenance for which the node is away now; False where it is not away."""
    left = False
    for each in await list_open(core):
        if each.is_maintenance and each.from_at <= core.clock.now():
            await end(core, each.announcement_id, by=by)
            left = True
    return left


async def list_open(core: Core) -> list[Announcement]:
    """Return what is announced, and what will be."""
    return await core.store.read(list_announcements)


async def list_shown(core: Core) -> list[Announcement]:
    """Return what is announced at this moment."""
    return [each for each in await list_open(core) if each.is_shown(core.clock.now())]


async def put_away(core: Core, *, member: Member, announcement_id: int) -> None:
    """Note that a member has read an announcement.

    Raises:
        NotFound: There is none of this number now.
    """
    if all(each.announcement_id != announcement_id for each in await list_shown(core)):
        raise NotFound("There is no such announcement.")
    await core.store.write(_put_away, member.actor_id, announcement_id)


async def list_put_away(core: Core, *, member: Member) -> set[int]:
    """Return the numbers of the announcements that a member has put away in their apps."""
    return await core.store.read(_list_put_away, member.actor_id)


async def trust_clock(core: Core, *, by: str) -> None:
    """Say that the machine's clock is right, after it was set: signing goes on."""
    await core.store.write(_trust, core.host, by)


async def _insert(tx: Tx, made: Announcement, by: str) -> list[Announcement]:
    if len(await list_announcements(tx)) >= OPEN_LIMIT:
        raise Invalid("So much is announced already. End something first.")
    await insert_announcement(tx, announcement=made, created_by=by)
    action = "maintenance.begin" if made.is_maintenance else "announcement.make"
    await write_audit(tx, actor=by, action=action, target=str(made.announcement_id))
    return await list_announcements(tx)


async def _end(tx: Tx, announcement_id: int, by: str) -> list[Announcement]:
    if not await end_announcement(tx, announcement_id=announcement_id):
        raise NotFound("There is no such announcement.")
    await write_audit(tx, actor=by, action="announcement.end", target=str(announcement_id))
    return await list_announcements(tx)


async def _put_away(tx: Tx, actor_id: int, announcement_id: int) -> None:
    await board.put_away_announcement(tx, actor_id=actor_id, announcement_id=announcement_id)


async def _list_put_away(tx: Tx, actor_id: int) -> set[int]:
    return await board.list_put_away(tx, actor_id=actor_id)


async def _trust(tx: Tx, host: str, by: str) -> None:
    await accept_clock(tx, at=tx.now)
    await write_audit(tx, actor=by, action="clock.accept", target=host)

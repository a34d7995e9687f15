"""What members do about people whom they want less of: mute, block, and the ends of both.

A mute leaves somebody out of the lists of whoever muted them, and, if that is wanted, out of their notices. A block leaves
each out of the lists of the other, private messages among them. A thread is read whole by everybody, or it would be
another thread. Nobody is told: there is no question to which the answer says that somebody muted or blocked the one who asks.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from node.domain.actors import Member
from node.domain.following import LEVELS, USUAL_LEVEL
from node.foundation.errors import Invalid, NotFound
from node.store import distance, following
from node.store.core import Core
from node.store.distance import Distance, Kept
from node.store.engine import Tx
from node.store.profiles import Profile, get_profile
from node.store.rosters import get_membership

QUIET_LEVEL = LEVELS[-1]
_LONGEST = timedelta(days=3650)


async def mute(
    core: Core, *, viewer: Member, actor_id: int, for_notices: bool = True, life: timedelta | None = None
) -> None:
    """Mute a person; a group that the member is in is put at its quiet level instead.

    Args:
        core: This node.
        viewer: Who mutes.
        actor_id: A person, or a group.
        for_notices: Whether what they write makes no notices either.
        life: How long; None until it is ended.

    Raises:
        NotFound: Absent, or not for this member.
        Invalid: Oneself, or a group that the member is not in.
    """
    profile = await _require(core, viewer, actor_id)
    if profile.is_group:
        await core.store.write(_set_level, viewer.actor_id, actor_id, QUIET_LEVEL)
        return
    until_at = core.clock.now() + min(life, _LONGEST) if life else None
    await core.store.write(_mute, core, viewer.actor_id, actor_id, for_notices, until_at)


async def unmute(core: Core, *, viewer: Member, actor_id: int) -> None:
    """End a mute; a quiet group is put at its usual level.

    Raises:
        NotFound: Absent, or not for this member.
    """
    await _require_known(core, viewer, actor_id)
    await core.store.write(_unmute, viewer.actor_id, actor_id)


async def block(core: Core, *, viewer: Member, actor_id: int) -> None:
    """Block a person: neither stands in the lists of the other.

    Raises:
        NotFound: Absent, or not for this member.
        Invalid: Oneself, or a group.
    """
    profile = await _require(core, viewer, actor_id)
    if profile.is_group:
        raise Invalid("A group is not blocked. Leave it, or let it be quiet.")
    await core.store.write(_block, core, viewer.actor_id, actor_id)


async def unblock(core: Core, *, viewer: Member, actor_id: int) -> None:
    """End a block.

    Raises:
        NotFound: Absent, or not for this member.
    """
    await _require_known(core, viewer, actor_id)
    await core.store.write(_unblock, viewer.actor_id, actor_id)


async def find_distances(core: Core, *, viewer: Member, actor_ids: list[int]) -> dict[int, Distance]:
    """Return how a member keeps each of some accounts at a distance, quiet groups as muted; the near ones are left out."""
    return await core.store.read(_distances, viewer.actor_id, actor_ids)


async def list_muted(
    core: Core, *, viewer: Member, before_id: int = 2**62, after_id: int = 0, oldest_first: bool = False
) -> list[Kept]:
    """Return at most 40 whom a member muted, the newest first unless told otherwise; the bounds are numbers of rows."""
    span = {"before_id": before_id, "after_id": after_id}
    return await core.store.read(_mutes, viewer.actor_id, span, oldest_first)


async def list_blocked(
    core: Core, *, viewer: Member, before_id: int = 2**62, after_id: int = 0, oldest_first: bool = False
) -> list[Kept]:
    """Return at most 40 whom a member blocked, as `list_muted` does."""
    span = {"before_id": before_id, "after_id": after_id}
    return await core.store.read(_blocks, viewer.actor_id, span, oldest_first)


async def end_mutes(core: Core) -> None:
    """End the mutes whose time is over; asked for once a minute."""
    await core.store.write(distance.end_mutes)


async def _require(core: Core, viewer: Member, actor_id: int) -> Profile:
    if actor_id == viewer.actor_id:
        raise Invalid("This is you. Others can be muted or blocked.")
    return await _see(core, viewer, actor_id)


async def _require_known(core: Core, viewer: Member, actor_id: int) -> None:
    """Raise unless a member sees somebody, or keeps them at a distance: that can be ended whatever else has."""
    if actor_id not in await find_distances(core, viewer=viewer, actor_ids=[actor_id]):
        await _see(core, viewer, actor_id)


async def _see(core: Core, viewer: Member, actor_id: int) -> Profile:
    profile = await core.store.read(_profile, viewer.actor_id, actor_id)
    if profile is None:
        raise NotFound("There is no such account.")
    return profile


async def _profile(tx: Tx, viewer_id: int, actor_id: int) -> Profile | None:
    return await get_profile(tx, viewer_id=viewer_id, actor_id=actor_id)


async def _mutes(tx: Tx, actor_id: int, span: dict[str, int], oldest_first: bool) -> list[Kept]:
    return await distance.list_mutes(
        tx, actor_id=actor_id, before_id=span["before_id"], after_id=span["after_id"], oldest_first=oldest_first
    )


async def _blocks(tx: Tx, actor_id: int, span: dict[str, int], oldest_first: bool) -> list[Kept]:
    return await distance.list_blocks(
        tx, actor_id=actor_id, before_id=span["before_id"], after_id=span["after_id"], oldest_first=oldest_first
    )


async def _mute(
    tx: Tx, core: Core, actor_id: int, target_id: int, for_notices: bool, until_at: datetime | None
) -> None:
    await distance.put_mute(
        tx,
        mute_id=core.ids.number(),
        actor_id=actor_id,
        target_id=target_id,
        is_for_notices=for_notices,
        until_at=until_at,
    )


async def _unmute(tx: Tx, actor_id: int, target_id: int) -> None:
    await distance.drop_mute(tx, actor_id=actor_id, target_id=target_id)
    if await following.get_level(tx, actor_id=actor_id, group_id=target_id) == QUIET_LEVEL:
        await following.set_level(tx, actor_id=actor_id, group_id=target_id, level=USUAL_LEVEL)


async def _set_level(tx: Tx, actor_id: int, group_id: int, level: str) -> None:
    place = await get_membership(tx, group_id=group_id, actor_id=actor_id)
    if place is None or not place.is_member:
        raise Invalid("A group is made quiet by its members alone.")
    await following.set_level(tx, actor_id=actor_id, group_id=group_id, level=level)


async def _block(tx: Tx, core: Core, actor_id: int, target_id: int) -> None:
    await distance.put_block(tx, block_id=core.ids.number(), actor_id=actor_id, target_id=target_id)


async def _unblock(tx: Tx, actor_id: int, target_id: int) -> None:
    await distance.drop_block(tx, actor_id=actor_id, target_id=target_id)


async def _distances(tx: Tx, actor_id: int, target_ids: list[int]) -> dict[int, Distance]:
    found = await distance.find_distances(tx, actor_id=actor_id, target_ids=target_ids)
    levels = await following.list_levels(tx, actor_id=actor_id)
    quiet = {number for number in target_ids if number in levels and levels[number].level == QUIET_LEVEL}
    return found | {number: Distance(is_muted=True, is_hushed=False) for number in quiet}

"""What a member wants to hear of: a level for each group, and threads they follow or have muted (`domain.following`)."""

from __future__ import annotations

from dataclasses import dataclass

from node.community.posts.service import label_author
from node.domain.actors import Member
from node.domain.following import FOLLOWED, LEVELS, MUTED, UNFOLLOWED, USUAL_LEVEL
from node.domain.groups import Group
from node.domain.posts import Post
from node.foundation.errors import Invalid, NotFound
from node.store import following, objects, places
from node.store.core import Core
from node.store.engine import Tx
from node.store.rosters import get_membership


@dataclass(frozen=True, slots=True)
class Choices:
    """What a member chose: (group, level) of each group they are in, and the first posts of threads they muted."""

    groups: list[tuple[Group, str]]
    muted: list[tuple[Group, Post]]


async def list_choices(core: Core, *, viewer: Member) -> Choices:
    """Return what a member chose to hear of."""
    return await core.store.read(_list, core, viewer.actor_id)


async def list_quiet(core: Core, *, viewer: Member) -> set[int]:
    """Return the numbers of the groups of which a member wants to hear by name alone."""
    return await core.store.read(_quiet, viewer.actor_id)


async def set_levels(core: Core, *, viewer: Member, levels: dict[int, str]) -> None:
    """Remember how much a member wants to hear of some groups: {group_id: level}.

    Raises:
        Invalid: There is no such level.
        NotFound: They are not in one of the groups; nothing is changed then.
    """
    if not set(levels.values()) <= set(LEVELS):
        raise Invalid("A group is at one of three levels: everything, the usual, or only your name.")
    await core.store.write(_set_levels, viewer.actor_id, levels)


async def set_following(core: Core, *, viewer: Member, group_id: int | None, root_id: int, wanted: str) -> None:
    """Follow a thread that the member has read, mute it, or neither; private messages have no group.

    Raises:
        Invalid: It is none of the three.
        NotFound: They are not in the group.
    """
    if wanted not in (FOLLOWED, MUTED, UNFOLLOWED):
        raise Invalid("A thread is followed, muted, or neither.")
    await core.store.write(_set_following, viewer.actor_id, group_id, root_id, wanted)


async def _list(tx: Tx, core: Core, viewer_id: int) -> Choices:
    levels = await following.list_levels(tx, actor_id=viewer_id)
    joined = {
        each.group.group_id: each.group
        for each in await places.list_places(tx, viewer_id=viewer_id)
        if each.place.is_member
    }
    roots = await following.list_muted(tx, actor_id=viewer_id)
    posts = await objects.list_posts_by_id(tx, viewer_id=viewer_id, post_ids=roots) if roots else []
    by_title = sorted(joined.values(), key=lambda group: (group.title.lower(), group.group_id))
    return Choices(
        [(group, levels[group.group_id].level if group.group_id in levels else USUAL_LEVEL) for group in by_title],
        [(joined[post.group_id or 0], label_author(core, post)) for post in posts if post.group_id in joined],
    )


async def _quiet(tx: Tx, viewer_id: int) -> set[int]:
    levels = await following.list_levels(tx, actor_id=viewer_id)
    return {group_id for group_id, chosen in levels.items() if chosen.level == "quiet"}


async def _set_levels(tx: Tx, actor_id: int, levels: dict[int, str]) -> None:
    for group_id, level in levels.items():
        await _require_place(tx, actor_id, group_id)
        await following.set_level(tx, actor_id=actor_id, group_id=group_id, level=level)


async def _set_following(tx: Tx, actor_id: int, group_id: int | None, root_id: int, wanted: str) -> None:
    if group_id is None:
        await following.set_muted_messages(tx, actor_id=actor_id, root_id=root_id, is_muted=wanted == MUTED)
        return
    await _require_place(tx, actor_id, group_id)
    await following.set_following(tx, actor_id=actor_id, group_id=group_id, root_id=root_id, wanted=wanted)


async def _require_place(tx: Tx, actor_id: int, group_id: int) -> None:
    place = await get_membership(tx, group_id=group_id, actor_id=actor_id)
    if place is None or not place.is_member:
        raise NotFound("There is no such group.")

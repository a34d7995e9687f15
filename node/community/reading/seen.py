"""What every page model of reading begins with: a group the viewer is in, and posts they may read."""

from __future__ import annotations

from node.community.posts.service import label_author
from node.domain.groups import Group, Membership
from node.domain.posts import Post
from node.foundation.errors import NotFound
from node.store import objects
from node.store.core import Core
from node.store.engine import Tx
from node.store.profiles import get_profile_by_address
from node.store.rosters import get_group, get_membership


async def require_joined(tx: Tx, viewer_id: int, group_id: int) -> tuple[Group, Membership]:
    """Return a group with a member's place in it.

    Raises:
        NotFound: They are not in it; absent groups answer alike.
    """
    group = await get_group(tx, group_id=group_id)
    place = await get_membership(tx, group_id=group_id, actor_id=viewer_id)
    if group is None or place is None or not place.is_member:
        raise NotFound("There is no such group.")
    return group, place


async def find_joined(tx: Tx, viewer_id: int, handle: str, host: str) -> tuple[Group, Membership]:
    """Return the same by the group's address.

    Raises:
        NotFound: They are not in it; absent groups answer alike.
    """
    profile = await get_profile_by_address(tx, viewer_id=viewer_id, handle=handle, host=host, kind="group")
    if profile is None:
        raise NotFound("There is no such group.")
    return await require_joined(tx, viewer_id, profile.actor_id)


async def list_labelled(tx: Tx, core: Core, viewer_id: int, ids: list[int]) -> dict[int, Post]:
    """Return those of some posts that a viewer may read, by number, with their authors as they are called here."""
    if not ids:
        return {}
    found = await objects.list_posts_by_id(tx, viewer_id=viewer_id, post_ids=ids)
    return {post.post_id: label_author(core, post) for post in found}

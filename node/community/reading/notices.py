"""The page model of notices: who named a member, who answered them, and what is new where they asked to hear of it.

Finite: the newest thirty. A thread that is followed makes one notice, by its newest post, however much is new in it.
"""

from __future__ import annotations

from dataclasses import dataclass

from node.community.posts.service import label_author
from node.domain.actors import Member
from node.domain.groups import Group
from node.domain.posts import Post
from node.store import notices, progress
from node.store.core import Core
from node.store.engine import Tx
from node.store.following import list_levels
from node.store.profiles import list_joined
from node.store.rosters import get_group

SHOWN = 30


@dataclass(frozen=True, slots=True)
class Notice:
    """Something that concerns a member. kind: named, answer, followed or new. is_new: they have not read that far."""

    kind: str
    post: Post
    group: Group
    is_new: bool


async def list_notices(core: Core, *, viewer: Member) -> list[Notice]:
    """Return what concerns a member, the newest first."""
    return await core.store.read(_list, core, viewer.actor_id, viewer.uri)


async def _list(tx: Tx, core: Core, viewer_id: int, viewer_uri: str) -> list[Notice]:
    found = {post.post_id: ("new", post) for post in await _list_everything(tx, viewer_id)}
    found |= {post.post_id: ("followed", post) for post in await notices.list_followed(tx, viewer_id=viewer_id)}
    found |= {post.post_id: ("answer", post) for post in await notices.list_answers(tx, viewer_id=viewer_id)}
    for post in await notices.list_named(tx, viewer_id=viewer_id, viewer_uri=viewer_uri):
        found[post.post_id] = ("named", post)
    newest = [found[number] for number in sorted(found, reverse=True)[:SHOWN]]
    roots = list({post.root_id for _, post in newest})
    positions = await progress.list_positions(tx, actor_id=viewer_id, root_ids=roots)
    marks = await progress.list_marks(tx, actor_id=viewer_id)
    groups = {number: await get_group(tx, group_id=number) for number in {post.group_id or 0 for _, post in newest}}
    made = []
    for kind, post in newest:
        group = groups[post.group_id or 0]
        if group is not None:
            read_up_to = max(positions.get(post.root_id, 0), marks.get(group.group_id, 0))
            made.append(Notice(kind, label_author(core, post), group, post.post_id > read_up_to))
    return made


async def _list_everything(tx: Tx, viewer_id: int) -> list[Post]:
    """Return the newest posts of threads in groups of which a member wants to hear everything."""
    levels = await list_levels(tx, actor_id=viewer_id)
    wanted = {group_id: chosen.since_id for group_id, chosen in levels.items() if chosen.level == "all"}
    found: list[Post] = []
    if not wanted:
        return found
    for each in await list_joined(tx, viewer_id=viewer_id):  # the group with the newest post first
        if len(found) == SHOWN and each.newest_post_id < found[-1].post_id:
            break
        if each.group_id in wanted:
            where = {"viewer_id": viewer_id, "group_id": each.group_id, "since_id": wanted[each.group_id]}
            more = await notices.list_in_group(tx, **where)
            found = sorted([*found, *more], key=lambda post: post.post_id, reverse=True)[:SHOWN]
    return found

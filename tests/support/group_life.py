"""What happens in a group of a lone house: it is made, people come in and go, somebody says something."""

from __future__ import annotations

from node.community.groups import service as groups
from node.community.groups import staff
from node.community.groups.service import NewGroup
from node.community.posts.service import create_post
from node.domain.actors import Actor, Member
from node.domain.groups import Group
from node.domain.peers import Peer
from node.domain.posts import Draft
from node.store.engine import Tx
from node.store.rosters import put_request
from tests.support.lone_house import LoneHouse


async def make_group(
    lone: LoneHouse,
    handle: str,
    owner: Member,
    *,
    policy: str = "request",
    is_hidden: bool = False,
    history: str = "all",
) -> Group:
    """Make a group hosted on the node, with its staff room."""
    new = NewGroup(handle, handle.capitalize(), policy, is_hidden=is_hidden, history=history)
    return await groups.create_group(lone.core, lone.house.tables, new, owner=owner, by="a test")


async def let_in(lone: LoneHouse, group: Group, who: Actor | Member, peer: Peer | None = None) -> None:
    """Let somebody into a group: they asked, their node is admitted, the operator says yes."""
    await lone.core.store.write(_ask_to_join, group, who)
    if peer is not None:
        await staff.admit_node(
            lone.core,
            lone.house.tables,
            staff=None,
            group_id=group.group_id,
            peer=peer,
            because_of=who.uri,
            by="operator",
        )
    await staff.decide_request(
        lone.core, lone.house.tables, staff=None, group_id=group.group_id, actor_id=who.actor_id, approve=True,
        note="", by="operator",
    )  # fmt: skip


async def put_out(lone: LoneHouse, group: Group, who: Actor | Member, *, ban: bool = False) -> None:
    """Remove somebody from a group."""
    await staff.remove_from_group(
        lone.core, lone.house.tables, staff=None, group_id=group.group_id, actor_id=who.actor_id, ban=ban, reason="",
        by="operator",
    )  # fmt: skip


async def say(lone: LoneHouse, group: Group, author: Member, text: str, *, title: str = "") -> int:
    """Post something in a group and return the post's number."""
    posted = await create_post(
        lone.core, lone.house.tables, author=author, group_id=group.group_id, draft=Draft(text, title=title)
    )
    return posted.post_id


async def _ask_to_join(tx: Tx, group: Group, who: Actor | Member) -> None:
    follow = f"{who.uri}/follow-{group.handle}"
    await put_request(tx, group_id=group.group_id, actor_id=who.actor_id, state="requested", request_uri=follow)

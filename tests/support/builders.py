"""People, groups and posts for tests. Each builder is a body: `ana = await store.write(a_member, handle="ana")`.

A test names only what matters to it. Numbers count up from 1 per kind of thing, so they can be foretold.
"""

from __future__ import annotations

from typing import Any

from node.domain.actors import Actor, Member
from node.domain.groups import Group
from node.domain.peers import Peer, PeerPolicy
from node.store.actors import insert_actor
from node.store.engine import Tx
from node.store.objects import insert_people, insert_post
from node.store.peers import insert_peer
from node.store.rosters import get_group, insert_group, let_in, put_request

HOST = "home.example"
ORIGIN = f"https://{HOST}"
GENESIS = "0" * 64
_NEXT_ACTOR = "SELECT COALESCE(MAX(actor_id), 0) + 1 AS n FROM actors"
_NEXT_POST = "SELECT COALESCE(MAX(post_id), 0) + 1 AS n FROM posts"
_NEXT_PEER = "SELECT COALESCE(MAX(peer_id), 0) + 1 AS n FROM peers"
_INSERT_MEMBER = """INSERT INTO members (actor_id, handle, password_hash, role, class, assurance, state, is_searchable,
   notice, created_at, last_seen_at, version)
  VALUES (:actor_id, :handle, NULL, :role, 'physician', 'A3', :state, :is_searchable, NULL, :created_at, NULL, 1)"""
_SET_MEMBERSHIP = """UPDATE memberships SET state = :state, visible_after = :visible_after
  WHERE group_id = :group_id AND actor_id = :actor_id"""


async def an_actor(
    tx: Tx, handle: str = "ana", *, kind: str = "person", host: str = HOST, known_through: str | None = None
) -> Actor:
    """Make a person, group or node, ours or another's, without a membership here."""
    folder = "groups" if kind == "group" else "people"
    actor = Actor(
        actor_id=await tx.value(_NEXT_ACTOR),
        uri=f"https://{host}/{folder}/{handle}",
        kind=kind,
        handle=handle,
        host=host,
        is_local=host == HOST,
        known_through=known_through,
        name=handle.capitalize(),
        summary="",
        inbox_uri=f"https://{host}/inbox",
    )
    await insert_actor(tx, actor=actor)
    return actor


async def a_member(
    tx: Tx, handle: str = "ana", *, state: str = "active", role: str = "member", is_searchable: bool = False
) -> Member:
    """Make somebody with an account here."""
    actor = await an_actor(tx, handle)
    await tx.run(
        _INSERT_MEMBER,
        actor_id=actor.actor_id,
        handle=handle,
        role=role,
        state=state,
        is_searchable=is_searchable,
        created_at=tx.now,
    )
    return Member(actor.actor_id, actor.uri, handle, actor.name, role, "physician", "A3", state, is_searchable)


async def a_peer(tx: Tx, host: str = "peer.example", *, state: str = "active") -> Peer:
    """Make another node on our list."""
    peer = Peer(
        peer_id=await tx.value(_NEXT_PEER),
        host=host,
        origin=f"https://{host}",
        name=host,
        state=state,
        fingerprint=None,
        is_pinned=False,
        instance_uri=None,
        software_name=None,
        software_version=None,
        policy=PeerPolicy(),
        agreement_version=None,
        last_received_at=None,
        last_delivered_at=None,
        error_code=None,
        error_sentence=None,
        error_since_at=None,
    )
    await insert_peer(tx, peer=peer)
    return peer


async def a_group(
    tx: Tx,
    handle: str = "ward",
    *,
    host: str = HOST,
    peer_id: int | None = None,
    policy: str = "request",
    is_hidden: bool = False,
    history: str = "all",
) -> Group:
    """Make a group with an empty log, hosted here unless another host is named."""
    actor = await an_actor(tx, handle, kind="group", host=host)
    group = Group(
        group_id=actor.actor_id,
        uri=actor.uri,
        handle=handle,
        host=host,
        is_local=actor.is_local,
        peer_id=peer_id,
        staff_of=None,
        title=actor.name,
        policy=policy,
        is_hidden=is_hidden,
        history=history,
        new_node_approvals=1,
        epoch=1,
        base_seq=0,
        base_chain=GENESIS,
        head_seq=0,
        head_chain=GENESIS,
        applied_seq=0,
    )
    await insert_group(tx, group=group)
    made = await get_group(tx, group_id=group.group_id)
    assert made is not None
    return made


async def a_membership(
    tx: Tx,
    *,
    group: Group,
    member: Actor | Member,
    state: str = "member",
    role: str = "member",
    visible_after: int = 0,
) -> None:
    """Give somebody a place in a group, in any state."""
    place = {"group_id": group.group_id, "actor_id": member.actor_id}
    await put_request(tx, group_id=group.group_id, actor_id=member.actor_id, state="requested", role=role)
    await let_in(tx, **place, role=role, joined_seq=visible_after, visible_after=visible_after, decided_by="a test")
    await tx.run(_SET_MEMBERSHIP, **place, state=state, visible_after=visible_after)


async def a_post(
    tx: Tx,
    /,
    text: str = "Hello",
    *,
    author: Actor | Member,
    group: Group | None = None,
    seq: int | None = None,
    parent_id: int | None = None,
    **more: Any,
) -> int:
    """Make a post and return its number: in a group's order when `seq` is given, else waiting for the group's host.

    Args:
        tx: The transaction.
        text: What it says.
        author: Who wrote it.
        group: Where.
        seq: Its number in the group's log.
        parent_id: What it answers.
        more: Any other column of `posts`.
    """
    post_id = await tx.value(_NEXT_POST)
    values = {
        "post_id": post_id,
        "uri": f"{ORIGIN}/posts/{post_id}",
        "audience": "group",
        "group_id": group.group_id if group else None,
        "author_id": author.actor_id,
        "parent_id": parent_id,
        "root_id": parent_id or post_id,
        "in_reply_to": None,
        "seq": seq,
        "state": "waiting_for_host" if seq is None else "live",
        "title": "",
        "warning": "",
        "source": text,
        "html": f"<p>{text}</p>",
        "document": "{}",
        "activity_uri": f"{ORIGIN}/activities/{post_id}",
        "published_at": tx.now,
    }
    assert await insert_post(tx, values=values | more)
    return int(post_id)


async def a_message(tx: Tx, text: str = "Hello", *, author: Actor | Member, people: list[Actor | Member]) -> int:
    """Make a private message and return its number; its author is among its people."""
    post_id = await a_post(tx, text, author=author, audience="people", state="live")
    await insert_people(tx, post_id=post_id, actor_ids=[person.actor_id for person in (author, *people)])
    return post_id

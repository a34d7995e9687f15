"""A database of before the notifications: what concerned members then stands in rows afterwards, and so do conversations."""

from __future__ import annotations

from typing import Any

import pytest

from node.store.conversations import list_conversations
from node.store.engine import Store, Tx
from node.store.migrate import list_migrations, migrate
from node.store.notifications import list_notifications
from tests.support.clock import NOON, FrozenClock
from tests.support.databases import Databases

ANA, BEN, FAY, WARD = 1, 2, 3, 9
_ACTOR = """INSERT INTO actors (actor_id, uri, kind, handle, host, is_local, name, summary, document, created_at, version)
  VALUES (:actor_id, :uri, :kind, :uri, 'a', :is_local, :uri, '', '', 0, 1)"""
_MEMBER = """INSERT INTO members (actor_id, handle, role, class, assurance, state, is_searchable, created_at, version)
  VALUES (:actor_id, :handle, 'member', 'physician', 'A3', 'active', 0, 0, 1)"""
_GROUP = """INSERT INTO groups (group_id, title, policy, is_hidden, history, new_node_approvals, epoch, base_seq, base_chain,
   head_seq, head_chain, applied_seq, apply_tries, apply_due_at, newest_post_id, created_at, version, required_assurance)
  VALUES (9, 'Ward', 'open', 0, 'all', 1, 1, 0, '', 9, '', 9, 0, 0, 0, 0, 1, 'A0')"""
_PLACE = """INSERT INTO memberships (group_id, actor_id, role, state, reason, joined_seq, visible_after, requested_at)
  VALUES (9, :actor_id, 'member', 'member', '', 0, 0, 0)"""
_POST = """INSERT INTO posts (post_id, uri, audience, group_id, author_id, parent_id, root_id, seq, state, title, warning,
   source, html, document, activity_uri, is_pinned, is_locked, published_at, version)
  VALUES (:post_id, :uri, :audience, :group_id, :author_id, :parent_id, :root_id, :seq, 'live', '', '', '', '', '', :uri, 0,
   0, 0, 1)"""
_MENTION = "INSERT INTO mentions (post_id, actor_uri, name) VALUES (:post_id, :uri, '@ana')"
_PERSON = "INSERT INTO post_people (post_id, actor_id) VALUES (:post_id, :actor_id)"
_THREAD = "INSERT INTO threads (root_id, group_id, newest_id, posts) VALUES (:root_id, 9, :newest_id, 2)"
_FOLLOW = """INSERT INTO followed_threads (actor_id, root_id, group_id, is_muted, since_id)
  VALUES (:actor_id, :root_id, 9, 0, :root_id)"""


async def _fill(tx: Tx) -> None:
    for actor_id, uri, kind in (
        (ANA, "ana", "person"),
        (BEN, "ben", "person"),
        (FAY, "fay", "person"),
        (WARD, "ward", "group"),
    ):
        await tx.run(_ACTOR, actor_id=actor_id, uri=uri, kind=kind, is_local=actor_id != FAY)
    await tx.run(_GROUP)
    for actor_id, handle in ((ANA, "ana"), (BEN, "ben")):
        await tx.run(_MEMBER, actor_id=actor_id, handle=handle)
        await tx.run(_PLACE, actor_id=actor_id)
    await _post(tx, 100, author_id=ANA)
    await _post(tx, 101, author_id=BEN, parent_id=100)
    await _post(tx, 102, author_id=BEN)
    await tx.run(_MENTION, post_id=102, uri="ana")
    await _post(tx, 103, author_id=FAY, parent_id=101)
    await tx.run(_THREAD, root_id=100, newest_id=103)
    await tx.run(_FOLLOW, actor_id=ANA, root_id=100)
    await _message(tx, 200, author_id=ANA, people=(ANA, BEN))
    await _message(tx, 201, author_id=BEN, people=(ANA, BEN), parent_id=200)
    await _message(tx, 202, author_id=FAY, people=(ANA, BEN, FAY))


async def _post(tx: Tx, post_id: int, *, author_id: int, parent_id: int | None = None) -> None:
    values = {"post_id": post_id, "uri": str(post_id), "author_id": author_id, "parent_id": parent_id}
    root_id = post_id if parent_id is None else 100
    await tx.run(_POST, **values, audience="group", group_id=WARD, root_id=root_id, seq=post_id - 99)


async def _message(
    tx: Tx, post_id: int, *, author_id: int, people: tuple[int, ...], parent_id: int | None = None
) -> None:
    values = {"post_id": post_id, "uri": str(post_id), "author_id": author_id, "parent_id": parent_id}
    await tx.run(_POST, **values, audience="people", group_id=None, root_id=parent_id or post_id, seq=None)
    for actor_id in people:
        await tx.run(_PERSON, post_id=post_id, actor_id=actor_id)


async def _told(tx: Tx, viewer_id: int) -> list[tuple[str, Any, int]]:
    kinds = ["named", "answer", "followed", "new", "message"]
    rows = await list_notifications(tx, viewer_id=viewer_id, kinds=kinds)
    return [(row.kind, row.post_id, row.from_id) for row in rows]


async def _talks(tx: Tx, viewer_id: int) -> list[tuple[tuple[int, ...], int, bool]]:
    found = await list_conversations(tx, viewer_id=viewer_id)
    return [(each.people, each.newest_id, each.is_unread) for each in found]


async def test_what_concerned_members_before_is_told_to_them_afterwards(
    databases: Databases, monkeypatch: pytest.MonkeyPatch, tmp_path: Any
) -> None:
    store: Store = await databases.open(await databases.new_empty_address(), tmp_path, FrozenClock())
    with monkeypatch.context() as earlier:
        earlier.setattr("node.store.migrate.list_migrations", lambda: [m for m in list_migrations() if m.version < 22])
        await migrate(store, now=NOON)
    await store.write(_fill)

    await migrate(store, now=NOON)

    assert await store.read(_told, ANA) == [
        ("message", 202, FAY), ("message", 201, BEN), ("followed", 103, FAY), ("named", 102, BEN), ("answer", 101, BEN),
    ]  # fmt: skip
    assert await store.read(_told, BEN) == [("message", 202, FAY), ("message", 200, ANA), ("answer", 103, FAY)]
    assert await store.read(_talks, ANA) == [((ANA, BEN, FAY), 202, False), ((ANA, BEN), 201, False)]

"""Private messages as conversations: for each member of ours a row for each thread of messages and the people in it.

Whoever answers to fewer people, or to more, begins another conversation: in one of them everybody reads everything. A row is
the member's own; who deletes it gets it back with the next message.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from .engine import Tx
from .visibility import READABLE_MESSAGE

_NOTE = """INSERT INTO conversations (actor_id, conversation_id, root_id, people, newest_id, is_unread)
  SELECT m.actor_id, CAST(:conversation_id AS BIGINT), CAST(:root_id AS BIGINT), CAST(:people AS TEXT),
   CAST(:post_id AS BIGINT), CASE WHEN m.actor_id = :author_id THEN 0 ELSE 1 END
  FROM members m WHERE m.actor_id IN :actor_ids
  ON CONFLICT (actor_id, root_id, people) DO UPDATE SET is_unread = excluded.is_unread, newest_id =
   CASE WHEN excluded.newest_id > conversations.newest_id THEN excluded.newest_id ELSE conversations.newest_id END"""
# One with nobody in it but people whom the viewer blocked, or who blocked them, stands in no list. By itself it is there for
# who was blocked: it answers whoever has just written in it as ever, or it would tell them.
_OTHERS = "FROM post_people o WHERE o.post_id = p.post_id AND o.actor_id <> :viewer_id"
_BLOCKED_BY_VIEWER = "SELECT b.target_id FROM blocks b WHERE b.actor_id = :viewer_id"
_NOT_ALONE_WITH_BLOCKED = f"""(EXISTS (SELECT 1 {_OTHERS} AND o.actor_id NOT IN ({_BLOCKED_BY_VIEWER}
     UNION ALL SELECT b.actor_id FROM blocks b WHERE b.target_id = :viewer_id)) OR NOT EXISTS (SELECT 1 {_OTHERS}))"""
_NOT_KEPT_AWAY = (
    f"(EXISTS (SELECT 1 {_OTHERS} AND o.actor_id NOT IN ({_BLOCKED_BY_VIEWER})) OR NOT EXISTS (SELECT 1 {_OTHERS}))"
)
_ROW = "c.conversation_id, c.root_id, c.people, c.newest_id, c.is_unread"
_READABLE = f"""FROM conversations c JOIN posts p ON p.post_id = c.newest_id
  WHERE c.actor_id = :viewer_id AND p.state = 'live' AND {READABLE_MESSAGE}"""
_FROM = f"{_READABLE} AND {_NOT_ALONE_WITH_BLOCKED}"
_BY_ITSELF = f"SELECT {_ROW} {_READABLE} AND {_NOT_KEPT_AWAY}"
_SPAN = "c.newest_id < :before_id AND c.newest_id > :after_id"
_LIST = f"SELECT {_ROW} {_FROM} AND {_SPAN} ORDER BY c.newest_id DESC LIMIT 40"
_OLDEST = f"SELECT {_ROW} {_FROM} AND {_SPAN} ORDER BY c.newest_id LIMIT 40"
_ONE = f"{_BY_ITSELF} AND c.conversation_id = :conversation_id"
_OF_MESSAGE = f"{_BY_ITSELF} AND c.root_id = :root_id AND c.people = :people"
_MESSAGES = f"""SELECT p.post_id FROM posts p WHERE p.root_id = :root_id AND p.state = 'live' AND {READABLE_MESSAGE}
   AND (SELECT COUNT(*) FROM post_people x WHERE x.post_id = p.post_id) = :people_count
   AND NOT EXISTS (SELECT 1 FROM post_people x WHERE x.post_id = p.post_id AND NOT (x.actor_id IN :people))
  ORDER BY p.post_id DESC LIMIT 200"""
_READ = """UPDATE conversations SET is_unread = :is_unread
  WHERE actor_id = :viewer_id AND conversation_id = :conversation_id"""
_DELETE = "DELETE FROM conversations WHERE actor_id = :viewer_id AND conversation_id = :conversation_id"
_COUNT_UNREAD = f"SELECT COUNT(*) AS n {_FROM} AND c.is_unread = 1"
_FALL_BACK = """UPDATE conversations SET newest_id = COALESCE((SELECT MAX(p.post_id) FROM posts p
   WHERE p.root_id = conversations.root_id AND p.audience = 'people' AND p.state = 'live'
    AND (SELECT COUNT(*) FROM post_people x WHERE x.post_id = p.post_id)
     = (SELECT COUNT(*) FROM post_people y WHERE y.post_id = :post_id)
    AND NOT EXISTS (SELECT 1 FROM post_people x WHERE x.post_id = p.post_id
     AND x.actor_id NOT IN (SELECT y.actor_id FROM post_people y WHERE y.post_id = :post_id))), 0)
  WHERE newest_id = :post_id AND root_id = :root_id"""
_DROP_EMPTY = "DELETE FROM conversations WHERE newest_id = 0 AND root_id = :root_id"


@dataclass(frozen=True, slots=True)
class Conversation:
    """A conversation of a member's. people: everybody in it, the member too. newest_id: its newest message."""

    conversation_id: int
    root_id: int
    people: tuple[int, ...]
    newest_id: int
    is_unread: bool


async def note_message(
    tx: Tx, *, conversation_id: int, post_id: int, root_id: int, author_id: int, actor_ids: list[int]
) -> None:
    """Put a new message on top of the conversation of each member of ours in it; it is unread but for its author.

    Args:
        tx: The transaction that keeps the message.
        conversation_id: A new number, used for whoever has no such conversation yet.
        post_id: The message.
        root_id: The first message of its thread.
        author_id: Who wrote it.
        actor_ids: Everybody who reads it, the author too.
    """
    what = {"conversation_id": conversation_id, "post_id": post_id, "root_id": root_id, "author_id": author_id}
    await tx.run(_NOTE, **what, actor_ids=actor_ids, people=_join(actor_ids))


async def take_from_top(tx: Tx, *, post_id: int, root_id: int) -> None:
    """A message was taken back: conversations that it stood on top of fall back to the one before, or go."""
    await tx.run(_FALL_BACK, post_id=post_id, root_id=root_id)
    await tx.run(_DROP_EMPTY, root_id=root_id)


async def list_conversations(
    tx: Tx, *, viewer_id: int, before_id: int = 2**62, after_id: int = 0, oldest_first: bool = False
) -> list[Conversation]:
    """Return at most 40 of a member's conversations by their newest messages, the newest first unless told otherwise."""
    span = {"viewer_id": viewer_id, "before_id": before_id, "after_id": after_id}
    return [_read(row) for row in await tx.all(_OLDEST if oldest_first else _LIST, **span)]


async def get_conversation(tx: Tx, *, viewer_id: int, conversation_id: int) -> Conversation | None:
    """Return one of a member's conversations."""
    row = await tx.one(_ONE, viewer_id=viewer_id, conversation_id=conversation_id)
    return _read(row) if row else None


async def find_conversation(tx: Tx, *, viewer_id: int, root_id: int, actor_ids: list[int]) -> Conversation | None:
    """Return the conversation of a member's in which a message of a thread to some people stands."""
    row = await tx.one(_OF_MESSAGE, viewer_id=viewer_id, root_id=root_id, people=_join(actor_ids))
    return _read(row) if row else None


async def list_newest_messages(tx: Tx, *, viewer_id: int, conversation: Conversation) -> list[int]:
    """Return the numbers of the newest messages of a conversation, at most 200, the newest first."""
    people = list(conversation.people)
    where = {"root_id": conversation.root_id, "people": people, "people_count": len(people)}
    return [row.post_id for row in await tx.all(_MESSAGES, viewer_id=viewer_id, **where)]


async def mark_conversation(tx: Tx, *, viewer_id: int, conversation_id: int, is_unread: bool) -> None:
    """Remember whether a member has read a conversation."""
    await tx.run(_READ, viewer_id=viewer_id, conversation_id=conversation_id, is_unread=is_unread)


async def delete_conversation(tx: Tx, *, viewer_id: int, conversation_id: int) -> bool:
    """Put a conversation away; return False when it is not there."""
    return await tx.run(_DELETE, viewer_id=viewer_id, conversation_id=conversation_id) == 1


async def count_unread_conversations(tx: Tx, *, viewer_id: int) -> int:
    """Return how many of a member's conversations have something unread."""
    return int(await tx.value(_COUNT_UNREAD, viewer_id=viewer_id))


def _join(actor_ids: list[int]) -> str:
    """Return people as they stand in a row. Stored: the order and the blanks may never change."""
    return " ".join(str(actor_id) for actor_id in sorted(set(actor_ids)))


def _read(row: Any) -> Conversation:
    people = tuple(map(int, row.people.split()))
    return Conversation(row.conversation_id, row.root_id, people, row.newest_id, bool(row.is_unread))

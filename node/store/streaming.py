"""What apps that listen are told of: numbers, asked for all of them at once. What stands behind a number is read for each.

A round asks which tokens still live, how far each group has come, and what is fresh among the notifications and
conversations of those who listen: four statements, with one app as with a thousand. For a group that has come further it
asks what is new in it, and to whom of them.
"""

from __future__ import annotations

from dataclasses import dataclass

from .distance import NOT_DISTANT_BY_MEMBERS
from .engine import Tx
from .visibility import READABLE_BY_MEMBERS

_ALIVE_TOKENS = """SELECT t.token_hash FROM api_tokens t JOIN members m ON m.actor_id = t.actor_id
  WHERE t.token_hash IN :token_hashes AND t.revoked_at IS NULL AND m.state = 'active'"""
_FRESH_NOTIFICATIONS = """SELECT n.actor_id, n.notification_id FROM notifications n
  WHERE n.actor_id IN :viewer_ids AND n.notification_id > :after_id ORDER BY n.notification_id DESC LIMIT 5000"""
_FRESH_CONVERSATIONS = """SELECT c.actor_id, c.conversation_id, c.newest_id FROM conversations c
  WHERE c.actor_id IN :viewer_ids AND c.newest_id > :after_id ORDER BY c.newest_id DESC LIMIT 5000"""
_FOR_EACH = (
    f"vm.group_id = p.group_id AND vm.actor_id IN :viewer_ids AND {READABLE_BY_MEMBERS} AND {NOT_DISTANT_BY_MEMBERS}"
)
_IS_QUIET = """EXISTS (SELECT 1 FROM group_levels l
   WHERE l.actor_id = vm.actor_id AND l.group_id = vm.group_id AND l.level = 'quiet')"""
_TOPICS = f"""SELECT vm.actor_id, p.post_id, CASE WHEN {_IS_QUIET} THEN 1 ELSE 0 END AS is_quiet
  FROM posts p CROSS JOIN memberships vm WHERE p.group_id = :group_id AND p.seq > :after_seq AND p.seq <= :up_to_seq
   AND p.parent_id IS NULL AND p.in_reply_to IS NULL AND p.state = 'live' AND {_FOR_EACH} ORDER BY p.seq"""
# Topics and answers alike: who listens to a tag hears wherever it is written.
_WRITTEN = f"""SELECT vm.actor_id, p.post_id
  FROM posts p CROSS JOIN memberships vm WHERE p.group_id = :group_id AND p.seq > :after_seq AND p.seq <= :up_to_seq
   AND p.state = 'live' AND {_FOR_EACH} ORDER BY p.seq"""
# From the entries to the posts: joined freely, SQLite would walk the group.
_CHANGED = f"""SELECT vm.actor_id, p.post_id FROM log_entries e CROSS JOIN posts p CROSS JOIN memberships vm
  WHERE e.group_id = :group_id AND e.seq > :after_seq AND e.seq <= :up_to_seq AND e.kind = 'update'
   AND p.activity_uri = e.activity_uri AND p.edited_at IS NOT NULL AND p.state = 'live' AND p.group_id = e.group_id
   AND {_FOR_EACH} ORDER BY p.post_id"""
_GONE = f"""SELECT vm.actor_id, p.post_id, CASE WHEN p.parent_id IS NULL THEN 1 ELSE 0 END AS is_topic
  FROM taken_back k CROSS JOIN posts p CROSS JOIN memberships vm
  WHERE k.group_id = :group_id AND k.seq > :after_seq AND k.seq <= :up_to_seq AND p.uri = k.post_uri
   AND p.group_id = k.group_id AND p.state IN ('withdrawn', 'removed') AND {_FOR_EACH} ORDER BY p.post_id"""
_PARENTS = f"""SELECT vm.actor_id, p.post_id, p.author_id FROM posts p JOIN memberships vm ON vm.group_id = p.group_id
  WHERE p.post_id IN :post_ids AND vm.actor_id IN :viewer_ids AND p.state = 'live' AND {READABLE_BY_MEMBERS}"""
_KINDS = """SELECT DISTINCT kind FROM log_entries
  WHERE group_id = :group_id AND seq > :after_seq AND seq <= :up_to_seq"""
_WITH_FILTERS = "SELECT DISTINCT actor_id FROM filters WHERE actor_id IN :viewer_ids"

# Of a group that jumps ahead, as after an outage of its host, no more than its newest entries are looked at.
_AT_MOST = 50


@dataclass(frozen=True, slots=True)
class Window:
    """A part of a group's log: after one number, up to another."""

    group_id: int
    after_seq: int
    up_to_seq: int

    @property
    def values(self) -> dict[str, int]:
        """What statements call these numbers; of a long part its newest."""
        after_seq = max(self.after_seq, self.up_to_seq - _AT_MOST)
        return {"group_id": self.group_id, "after_seq": after_seq, "up_to_seq": self.up_to_seq}


async def list_living_tokens(tx: Tx, *, token_hashes: list[str]) -> set[str]:
    """Return those of some tokens that have not ended, of members who are active."""
    return {row.token_hash for row in await tx.all(_ALIVE_TOKENS, token_hashes=token_hashes)}


async def list_fresh_notifications(tx: Tx, *, viewer_ids: list[int], after_id: int) -> list[tuple[int, int]]:
    """Return (viewer, notification) of what some viewers were told after a number."""
    rows = await tx.all(_FRESH_NOTIFICATIONS, viewer_ids=viewer_ids, after_id=after_id)
    return [(row.actor_id, row.notification_id) for row in rows]


async def list_fresh_conversations(tx: Tx, *, viewer_ids: list[int], after_id: int) -> list[tuple[int, int, int]]:
    """Return (viewer, conversation, its newest message) of those with a message after a number."""
    rows = await tx.all(_FRESH_CONVERSATIONS, viewer_ids=viewer_ids, after_id=after_id)
    return [(row.actor_id, row.conversation_id, row.newest_id) for row in rows]


async def list_topics_for(tx: Tx, window: Window, *, viewer_ids: list[int]) -> list[tuple[int, int, bool]]:
    """Return (viewer, topic, whether the group is quiet to them) of what is new in a part of a group's log."""
    rows = await tx.all(_TOPICS, **window.values, viewer_ids=viewer_ids)
    return [(row.actor_id, row.post_id, bool(row.is_quiet)) for row in rows]


async def list_written_for(tx: Tx, window: Window, *, viewer_ids: list[int]) -> list[tuple[int, int]]:
    """Return (viewer, post) of what is new in a part of a group's log, answers too."""
    rows = await tx.all(_WRITTEN, **window.values, viewer_ids=viewer_ids)
    return [(row.actor_id, row.post_id) for row in rows]


async def list_changed_for(tx: Tx, window: Window, *, viewer_ids: list[int]) -> list[tuple[int, int]]:
    """Return (viewer, post) of what was changed in a part of a log, to each who may read it."""
    rows = await tx.all(_CHANGED, **window.values, viewer_ids=viewer_ids)
    return [(row.actor_id, row.post_id) for row in rows]


async def list_gone_for(tx: Tx, window: Window, *, viewer_ids: list[int]) -> list[tuple[int, int, bool]]:
    """Return (viewer, post, whether it began a thread) of what was taken away, to each who could read it before."""
    rows = await tx.all(_GONE, **window.values, viewer_ids=viewer_ids)
    return [(row.actor_id, row.post_id, bool(row.is_topic)) for row in rows]


async def list_parents_for(tx: Tx, *, post_ids: list[int], viewer_ids: list[int]) -> dict[int, dict[int, int]]:
    """Return {viewer: {post: its author}} of those of some posts that each of them may read."""
    found: dict[int, dict[int, int]] = {}
    if post_ids:
        for row in await tx.all(_PARENTS, post_ids=post_ids, viewer_ids=viewer_ids):
            found.setdefault(row.actor_id, {})[row.post_id] = row.author_id
    return found


async def list_entry_kinds(tx: Tx, window: Window) -> set[str]:
    """Return which kinds of entries stand in a part of a log."""
    return {row.kind for row in await tx.all(_KINDS, **window.values)}


async def list_who_filters(tx: Tx, *, viewer_ids: list[int]) -> set[int]:
    """Return those of some viewers who have filters."""
    return {row.actor_id for row in await tx.all(_WITH_FILTERS, viewer_ids=viewer_ids)}

"""Posts in the store. What members may read comes through the fragments of `visibility`; the rest serves the corridor.

The functions without a viewer are for the corridor, which asks `domain.access` with what they return: they never feed
a page.
"""

from __future__ import annotations

from datetime import datetime
from types import SimpleNamespace
from typing import Any

from node.domain.posts import Post, page_token

from .distance import NOT_BLOCKED, NOT_DISTANT
from .engine import Tx
from .marks import drop_marks
from .polls import drop_poll, purge_polls
from .search_index import drop_group, index_new_post, index_post
from .visibility import (
    READABLE_IN_GROUP,
    READABLE_MESSAGE,
    READABLE_POST,
    START_IN_GROUP,
    WAITING_IN_GROUP,
)

_POST = """p.post_id, p.uri, p.audience, p.group_id, p.author_id, a.uri AS author_uri, a.name AS author_name,
  a.handle AS author_handle, a.host AS author_host, a.known_through, p.parent_id, p.root_id, p.in_reply_to, p.seq,
  p.state, p.title, p.warning, p.source, p.html, p.reason, p.is_pinned, p.is_locked, p.published_at, p.edited_at"""
_FROM = "FROM posts p JOIN actors a ON a.actor_id = p.author_id"
_BY_ID = f"SELECT {_POST} {_FROM} WHERE p.post_id = :post_id AND {READABLE_POST}"
_BY_EARLIER_ID = f"SELECT {_POST} {_FROM} WHERE p.earlier_id = :post_id AND {READABLE_POST}"
_BY_URI = f"SELECT {_POST} {_FROM} WHERE p.uri = :uri AND {READABLE_POST}"
_LOG_OF_GROUP = f"""SELECT {_POST} {_FROM} WHERE {READABLE_IN_GROUP} AND p.seq > :after_seq ORDER BY p.seq LIMIT 200"""
_WAITING_OF_GROUP = f"SELECT {_POST} {_FROM} WHERE {WAITING_IN_GROUP} ORDER BY p.post_id LIMIT 200"
_THREAD = f"SELECT {_POST} {_FROM} WHERE p.root_id = :root_id AND {READABLE_POST} ORDER BY p.post_id LIMIT 2000"
_MESSAGES = f"""SELECT {_POST} {_FROM} JOIN post_people pp ON pp.post_id = p.post_id
  WHERE pp.actor_id = :viewer_id AND pp.post_id < :before_id AND {READABLE_MESSAGE} AND {NOT_BLOCKED}
  ORDER BY pp.post_id DESC LIMIT 40"""
_BY_IDS = f"SELECT {_POST} {_FROM} WHERE p.post_id IN :post_ids AND {READABLE_POST} ORDER BY p.post_id DESC"
# Numbers alone: a list over several groups reads many rows to show few.
_TOPIC_IDS = f"""SELECT p.post_id FROM posts p WHERE {READABLE_IN_GROUP} AND p.parent_id IS NULL AND p.in_reply_to IS NULL
  AND p.state = 'live' AND p.post_id < :before_id AND p.post_id > {START_IN_GROUP} AND {NOT_DISTANT}
  ORDER BY p.post_id DESC LIMIT 40"""
_OLDEST_TOPIC_IDS = f"""SELECT p.post_id FROM posts p WHERE {READABLE_IN_GROUP} AND p.parent_id IS NULL
  AND p.in_reply_to IS NULL AND p.state = 'live' AND p.post_id < :before_id AND p.post_id > {START_IN_GROUP} AND {NOT_DISTANT}
  ORDER BY p.post_id LIMIT 40"""
_LIVE_AUTHORS = f"""SELECT p.post_id, p.author_id FROM posts p
  WHERE p.post_id IN :post_ids AND p.state = 'live' AND {READABLE_POST}"""
_PLAIN = """SELECT post_id, uri, audience, group_id, author_id, parent_id, root_id, seq, state, document, activity_uri,
   is_locked, title, warning, source, html, published_at, edited_at, version FROM posts WHERE uri = :uri"""
_PLAIN_BY_ID = """SELECT post_id, uri, audience, group_id, author_id, parent_id, root_id, seq, state, document, activity_uri,
   is_locked, title, warning, source, html, published_at, edited_at, version FROM posts WHERE post_id = :post_id"""
_INSERT = """INSERT INTO posts (post_id, uri, audience, group_id, author_id, parent_id, root_id, in_reply_to, seq, state,
   title, warning, source, html, document, activity_uri, reason, is_pinned, is_locked, published_at, edited_at, version, token)
  VALUES (:post_id, :uri, :audience, :group_id, :author_id, :parent_id, :root_id, :in_reply_to, :seq, :state,
   :title, :warning, :source, :html, :document, :activity_uri, NULL, 0,
   COALESCE((SELECT r.is_locked FROM posts r WHERE r.post_id = :root_id), 0), :published_at, NULL, 1, :token)
  ON CONFLICT (uri) DO NOTHING"""
_CONFIRM = """UPDATE posts SET seq = :seq, version = version + 1,
   state = CASE WHEN state IN ('waiting_for_host', 'draft') THEN 'live' ELSE state END
  WHERE post_id = :post_id AND seq IS NULL"""
_UPDATE_TEXT = """UPDATE posts SET title = :title, warning = :warning, source = :source, html = :html,
   document = :document, activity_uri = :activity_uri, edited_at = :edited_at, version = version + 1 WHERE post_id = :post_id"""
_EMPTY = """UPDATE posts SET state = :state, reason = :reason, title = '', warning = '', source = '', html = '',
   document = '', version = version + 1 WHERE post_id = :post_id"""
_SET_STATE = "UPDATE posts SET state = :state, reason = :reason, version = version + 1 WHERE post_id = :post_id"
_SET_LOCK = "UPDATE posts SET is_locked = :is_locked, version = version + 1 WHERE root_id = :root_id"
_SET_PIN = "UPDATE posts SET is_pinned = :is_pinned, version = version + 1 WHERE post_id = :post_id"
_NEWEST_OF_GROUP = """UPDATE groups SET newest_post_id = :post_id
  WHERE group_id = :group_id AND newest_post_id < :post_id"""
_BUMP_THREAD = """INSERT INTO threads (root_id, group_id, newest_id, posts)
  SELECT p.root_id, p.group_id, p.post_id, 1 FROM posts p WHERE p.post_id = :post_id
  ON CONFLICT (root_id) DO UPDATE SET posts = threads.posts + 1, newest_id =
   CASE WHEN excluded.newest_id > threads.newest_id THEN excluded.newest_id ELSE threads.newest_id END"""
_PURGE_THREADS = "DELETE FROM threads WHERE group_id = :group_id"
_VERSIONS = (
    """SELECT v.number, v.title, v.warning, v.source, v.html, v.written_at, v.activity_uri
  FROM post_versions v JOIN posts p ON p.post_id = v.post_id
  WHERE v.post_id = :post_id AND """
    + READABLE_POST
    + " ORDER BY v.number LIMIT 200"
)
_KEEP_VERSION = """INSERT INTO post_versions (post_id, number, activity_uri, title, warning, source, html, written_at)
  VALUES (:post_id, :number, :activity_uri, :title, :warning, :source, :html, :written_at)"""
_VERSION_ACTIVITIES = "SELECT activity_uri FROM post_versions WHERE post_id = :post_id ORDER BY number"
_DROP_VERSION = "DELETE FROM post_versions WHERE post_id = :post_id AND activity_uri = :activity_uri"
_LOSE_PLACES = """UPDATE posts SET seq = NULL, version = version + 1,
   state = CASE WHEN state = 'live' THEN 'waiting_for_host' ELSE state END
  WHERE group_id = :group_id AND seq > :seq"""
_UNPLACED = "SELECT post_id FROM posts WHERE group_id = :group_id AND seq > :seq"
_RECOUNT_THREADS = """UPDATE threads SET
   newest_id = COALESCE((SELECT MAX(p.post_id) FROM posts p WHERE p.root_id = threads.root_id AND p.seq IS NOT NULL), 0),
   posts = (SELECT COUNT(*) FROM posts p WHERE p.root_id = threads.root_id AND p.seq IS NOT NULL)
  WHERE threads.group_id = :group_id AND threads.newest_id >= :from_id"""
_DROP_EMPTY_THREADS = "DELETE FROM threads WHERE group_id = :group_id AND posts = 0"
_DROP_VERSIONS = "DELETE FROM post_versions WHERE post_id = :post_id"
_INSERT_PERSON = """INSERT INTO post_people (post_id, actor_id) VALUES (:post_id, :actor_id)
  ON CONFLICT (post_id, actor_id) DO NOTHING"""
_PEOPLE = (
    """SELECT a.actor_id, a.uri, a.name, a.handle, a.host FROM post_people pp
  JOIN actors a ON a.actor_id = pp.actor_id JOIN posts p ON p.post_id = pp.post_id
  WHERE pp.post_id = :post_id AND """
    + READABLE_MESSAGE
    + " ORDER BY a.uri"
)
_PEOPLE_OF_MANY = f"""SELECT pp.post_id, pp.actor_id FROM posts p JOIN post_people pp ON pp.post_id = p.post_id
  WHERE p.post_id IN :post_ids AND {READABLE_MESSAGE} ORDER BY pp.post_id, pp.actor_id"""
_INSERT_MENTION = """INSERT INTO mentions (post_id, actor_uri, name) VALUES (:post_id, :actor_uri, :name)
  ON CONFLICT (post_id, actor_uri) DO NOTHING"""
_MENTIONED = """SELECT n.post_id, a.actor_id FROM mentions n JOIN actors a ON a.uri = n.actor_uri
  WHERE n.post_id IN :post_ids ORDER BY n.post_id, n.name"""
_REPLIES = """SELECT p.parent_id, COUNT(*) AS n FROM posts p
  WHERE p.parent_id IN :post_ids AND p.seq IS NOT NULL GROUP BY p.parent_id"""
_PINNED = """SELECT uri FROM posts WHERE group_id = :group_id AND is_pinned = 1 AND state = 'live' AND seq > :after_seq
  ORDER BY post_id DESC LIMIT 50"""
_PURGE_VERSIONS = "DELETE FROM post_versions WHERE post_id IN (SELECT post_id FROM posts WHERE group_id = :group_id)"
_PURGE_MENTIONS = "DELETE FROM mentions WHERE post_id IN (SELECT post_id FROM posts WHERE group_id = :group_id)"
_PURGE_POSTS = "DELETE FROM posts WHERE group_id = :group_id"
_COUNT = "SELECT COUNT(*) AS n FROM posts WHERE audience = 'group'"


async def get_post(tx: Tx, *, viewer_id: int, post_id: int) -> Post | None:
    """Return a post that the viewer may read, by its number or the one it had while it waited."""
    row = await tx.one(_BY_ID, post_id=post_id, viewer_id=viewer_id)
    row = row or await tx.one(_BY_EARLIER_ID, post_id=post_id, viewer_id=viewer_id)
    return Post(*row) if row else None


async def get_post_by_uri(tx: Tx, *, viewer_id: int, uri: str) -> Post | None:
    """Return a post that the viewer may read."""
    row = await tx.one(_BY_URI, uri=uri, viewer_id=viewer_id)
    return Post(*row) if row else None


async def list_group_posts(tx: Tx, *, viewer_id: int, group_id: int, after_seq: int = 0) -> list[Post]:
    """Return at most 200 posts of a group in the order of its log."""
    rows = await tx.all(_LOG_OF_GROUP, viewer_id=viewer_id, group_id=group_id, after_seq=after_seq)
    return [Post(*row) for row in rows]


async def list_waiting_posts(tx: Tx, *, viewer_id: int, group_id: int) -> list[Post]:
    """Return the viewer's own posts that the group's host has not put in order yet."""
    return [Post(*row) for row in await tx.all(_WAITING_OF_GROUP, viewer_id=viewer_id, group_id=group_id)]


async def list_posts_by_id(tx: Tx, *, viewer_id: int, post_ids: list[int]) -> list[Post]:
    """Return those of some posts that the viewer may read, newest first."""
    return [Post(*row) for row in await tx.all(_BY_IDS, viewer_id=viewer_id, post_ids=post_ids)]


async def list_topic_ids(
    tx: Tx, *, viewer_id: int, group_id: int, before_id: int, after_id: int, oldest_first: bool = False
) -> list[int]:
    """Return the numbers of at most 40 live topics of one group, newest first unless told otherwise."""
    rows = await tx.all(
        _OLDEST_TOPIC_IDS if oldest_first else _TOPIC_IDS,
        viewer_id=viewer_id,
        group_id=group_id,
        before_id=before_id,
        after_id=after_id,
    )
    return [row.post_id for row in rows]


async def list_live_authors(tx: Tx, *, viewer_id: int, post_ids: list[int]) -> dict[int, int]:
    """Return who wrote those of some posts that are live and that the viewer may read: {post_id: author_id}."""
    rows = await tx.all(_LIVE_AUTHORS, viewer_id=viewer_id, post_ids=post_ids)
    return {row.post_id: row.author_id for row in rows}


async def list_thread(tx: Tx, *, viewer_id: int, root_id: int) -> list[Post]:
    """Return a whole thread as far as the viewer may read it, at most 2000 posts, oldest first."""
    return [Post(*row) for row in await tx.all(_THREAD, viewer_id=viewer_id, root_id=root_id)]


async def list_messages(tx: Tx, *, viewer_id: int, before_id: int = 2**62) -> list[Post]:
    """Return at most 40 private messages to or from the viewer, newest first."""
    return [Post(*row) for row in await tx.all(_MESSAGES, viewer_id=viewer_id, before_id=before_id)]


async def list_message_people(tx: Tx, *, viewer_id: int, post_id: int) -> list[Any]:
    """Return (actor_id, uri, name, handle, host) of the people of a private message that the viewer may read."""
    return await tx.all(_PEOPLE, viewer_id=viewer_id, post_id=post_id)


async def list_people_of(tx: Tx, *, viewer_id: int, post_ids: list[int]) -> list[Any]:
    """Return (post_id, actor_id) of the people of private messages that the viewer may read."""
    return await tx.all(_PEOPLE_OF_MANY, viewer_id=viewer_id, post_ids=post_ids)


async def list_versions(tx: Tx, *, viewer_id: int, post_id: int) -> list[Any]:
    """Return the earlier texts of a post that the viewer may read, oldest first."""
    return await tx.all(_VERSIONS, viewer_id=viewer_id, post_id=post_id)


async def list_mentioned(tx: Tx, *, post_ids: list[int]) -> list[Any]:
    """Return (post_id, actor_id) of those named whom we know, in posts that the caller has read through a viewer."""
    return await tx.all(_MENTIONED, post_ids=post_ids)


async def count_replies(tx: Tx, *, post_ids: list[int]) -> dict[int, int]:
    """Return how many replies each of these posts has; posts without any are left out."""
    return {row.parent_id: int(row.n) for row in await tx.all(_REPLIES, post_ids=post_ids)}


async def find_post(tx: Tx, *, uri: str) -> Any | None:
    """Return a post's row for the corridor, whoever may read it."""
    return await tx.one(_PLAIN, uri=uri)


async def find_post_by_id(tx: Tx, *, post_id: int) -> Any | None:
    """Return a post's row for the corridor, whoever may read it."""
    return await tx.one(_PLAIN_BY_ID, post_id=post_id)


async def insert_post(tx: Tx, *, values: dict[str, Any]) -> bool:
    """Insert a post; `values` names every other column of `_INSERT`. Return False when its id was taken."""
    inserted = await tx.run(_INSERT, **values, token=page_token(values["uri"])) == 1
    if inserted and values["seq"] is not None:
        await _take_place(tx, group_id=values["group_id"], post_id=values["post_id"])
        await index_new_post(tx, post=SimpleNamespace(**values))
    return inserted


async def confirm_post(tx: Tx, *, post_id: int, group_id: int, seq: int) -> None:
    """Give a waiting post its place in the group's order."""
    await tx.run(_CONFIRM, post_id=post_id, seq=seq)
    await _take_place(tx, group_id=group_id, post_id=post_id)
    await index_post(tx, post_id=post_id)


async def _take_place(tx: Tx, *, group_id: int, post_id: int) -> None:
    """A post has its number: its group and its thread have something new."""
    await tx.run(_NEWEST_OF_GROUP, group_id=group_id, post_id=post_id)
    await tx.run(_BUMP_THREAD, post_id=post_id)


async def update_post_text(
    tx: Tx,
    *,
    post_id: int,
    title: str,
    warning: str,
    source: str,
    html: str,
    document: str,
    activity_uri: str,
    edited_at: datetime | None,
) -> None:
    """Replace a post's text; keep the earlier one with `keep_version` first."""
    await tx.run(
        _UPDATE_TEXT,
        post_id=post_id,
        title=title,
        warning=warning,
        source=source,
        html=html,
        document=document,
        activity_uri=activity_uri,
        edited_at=edited_at,
    )
    await index_post(tx, post_id=post_id)


async def keep_version(tx: Tx, *, post: Any) -> None:
    """Keep the present text of a post, as `find_post` returned it, as an earlier version."""
    await tx.run(
        _KEEP_VERSION,
        post_id=post.post_id,
        number=post.version,
        activity_uri=post.activity_uri,
        title=post.title,
        warning=post.warning,
        source=post.source,
        html=post.html,
        written_at=post.edited_at or post.published_at,
    )


async def list_version_activities(tx: Tx, *, post_id: int) -> list[str]:
    """Return the ids of the activities that carried the earlier texts."""
    return [row.activity_uri for row in await tx.all(_VERSION_ACTIVITIES, post_id=post_id)]


async def drop_versions(tx: Tx, *, post_id: int) -> None:
    """Forget the earlier texts of a post."""
    await tx.run(_DROP_VERSIONS, post_id=post_id)


async def empty_post(tx: Tx, *, post_id: int, state: str, reason: str | None) -> None:
    """Take a post's words away and leave its place: `withdrawn` or `removed`."""
    await tx.run(_EMPTY, post_id=post_id, state=state, reason=reason)
    await index_post(tx, post_id=post_id)
    await drop_poll(tx, post_id=post_id)
    await tx.run(_DROP_VERSIONS, post_id=post_id)
    await drop_marks(tx, post_id=post_id)


async def drop_version(tx: Tx, *, post_id: int, activity_uri: str) -> None:
    """Forget one earlier text of a post."""
    await tx.run(_DROP_VERSION, post_id=post_id, activity_uri=activity_uri)


async def lose_places(tx: Tx, *, group_id: int, seq: int) -> None:
    """Take the places behind a number from the posts of a group; they get others when the host's log shows them again.

    Until then their authors alone see them, as waiting.
    """
    ids = [row.post_id for row in await tx.all(_UNPLACED, group_id=group_id, seq=seq)]
    if not ids:
        return
    await tx.run(_LOSE_PLACES, group_id=group_id, seq=seq)
    for post_id in ids:
        await index_post(tx, post_id=post_id)
    await tx.run(_RECOUNT_THREADS, group_id=group_id, from_id=min(ids))
    await tx.run(_DROP_EMPTY_THREADS, group_id=group_id)


async def update_post_state(tx: Tx, *, post_id: int, state: str, reason: str | None = None) -> None:
    """Set a post's state and keep its words: back to `draft` when the host refused it."""
    await tx.run(_SET_STATE, post_id=post_id, state=state, reason=reason)
    await index_post(tx, post_id=post_id)


async def set_locked(tx: Tx, *, root_id: int, is_locked: bool) -> None:
    """Lock or open a thread."""
    await tx.run(_SET_LOCK, root_id=root_id, is_locked=is_locked)


async def set_pinned(tx: Tx, *, post_id: int, is_pinned: bool) -> None:
    """Pin or unpin a post."""
    await tx.run(_SET_PIN, post_id=post_id, is_pinned=is_pinned)


async def insert_people(tx: Tx, *, post_id: int, actor_ids: list[int]) -> None:
    """Name the people of a private message."""
    for actor_id in actor_ids:
        await tx.run(_INSERT_PERSON, post_id=post_id, actor_id=actor_id)


async def insert_mention(tx: Tx, *, post_id: int, actor_uri: str, name: str) -> None:
    """Remember that a post names somebody."""
    await tx.run(_INSERT_MENTION, post_id=post_id, actor_uri=actor_uri, name=name)


async def list_pinned_uris(tx: Tx, *, group_id: int, after_seq: int) -> list[str]:
    """Return the ids of pinned posts above `after_seq`, for a peer that may read the group."""
    return [row.uri for row in await tx.all(_PINNED, group_id=group_id, after_seq=after_seq)]


async def purge_group_posts(tx: Tx, *, group_id: int) -> None:
    """Delete every post of a group, with versions and mentions."""
    await tx.run(_PURGE_VERSIONS, group_id=group_id)
    await tx.run(_PURGE_MENTIONS, group_id=group_id)
    await purge_polls(tx, group_id=group_id)
    await drop_group(tx, group_id=group_id)
    await tx.run(_PURGE_POSTS, group_id=group_id)
    await tx.run(_PURGE_THREADS, group_id=group_id)


async def count_posts(tx: Tx) -> int:
    """Return how many posts of groups this node holds."""
    return int(await tx.value(_COUNT))

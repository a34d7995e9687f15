"""Bookmarks, and private thanks: what a member marked, and what others thanked them for.

A list is walked by the marks' own numbers, and each post is looked up for the viewer, so that what cannot be read any more
is left out. Nothing here is counted for anybody. What was taken back or removed loses its marks with its words.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from .distance import NOT_BLOCKED, THANKS_NOT_HUSHED
from .engine import Tx
from .visibility import READABLE_POST

_READ = f"""(SELECT p.post_id FROM posts p WHERE p.post_id = k.post_id AND p.state IN ('live', 'waiting_for_host')
  AND {READABLE_POST} AND {NOT_BLOCKED}) IS NOT NULL"""
_BOOKMARK = """INSERT INTO bookmarks (bookmark_id, actor_id, post_id) VALUES (:bookmark_id, :actor_id, :post_id)
  ON CONFLICT (actor_id, post_id) DO NOTHING"""
_UNBOOKMARK = "DELETE FROM bookmarks WHERE actor_id = :actor_id AND post_id = :post_id"
_BOOKMARKS = f"""SELECT k.bookmark_id AS mark_id, k.post_id FROM bookmarks k
  WHERE k.actor_id = :viewer_id AND k.bookmark_id < :before_id AND k.bookmark_id > :after_id AND {_READ}
  ORDER BY k.bookmark_id DESC LIMIT 40"""
_OLDEST_BOOKMARKS = f"""SELECT k.bookmark_id AS mark_id, k.post_id FROM bookmarks k
  WHERE k.actor_id = :viewer_id AND k.bookmark_id < :before_id AND k.bookmark_id > :after_id AND {_READ}
  ORDER BY k.bookmark_id LIMIT 40"""
_THANK = """INSERT INTO thanks (thanks_id, actor_id, author_id, post_id, activity_uri, given_at)
  VALUES (:thanks_id, :actor_id, :author_id, :post_id, :activity_uri, :given_at) ON CONFLICT (actor_id, post_id) DO NOTHING"""
_SAY_AGAIN = "UPDATE thanks SET activity_uri = :activity_uri WHERE actor_id = :actor_id AND post_id = :post_id"
_UNTHANK = "DELETE FROM thanks WHERE actor_id = :actor_id AND post_id = :post_id"
_OWN_THANKS = """SELECT thanks_id, actor_id, author_id, post_id, activity_uri, given_at FROM thanks
  WHERE actor_id = :actor_id AND post_id = :post_id"""
_BY_ACTIVITY = "SELECT post_id FROM thanks WHERE actor_id = :actor_id AND activity_uri = :activity_uri"
_IS_NAMED = "SELECT 1 AS yes FROM post_people WHERE post_id = :post_id AND actor_id = :actor_id"
_GIVEN = f"""SELECT k.thanks_id AS mark_id, k.post_id FROM thanks k
  WHERE k.actor_id = :viewer_id AND k.thanks_id < :before_id AND k.thanks_id > :after_id AND {_READ}
  ORDER BY k.thanks_id DESC LIMIT 40"""
_OLDEST_GIVEN = f"""SELECT k.thanks_id AS mark_id, k.post_id FROM thanks k
  WHERE k.actor_id = :viewer_id AND k.thanks_id < :before_id AND k.thanks_id > :after_id AND {_READ}
  ORDER BY k.thanks_id LIMIT 40"""
_RECEIVED = f"""SELECT k.thanks_id, k.actor_id, k.author_id, k.post_id, k.activity_uri, k.given_at FROM thanks k
  WHERE k.author_id = :viewer_id AND k.thanks_id < :before_id AND k.thanks_id > :after_id AND {THANKS_NOT_HUSHED}
   AND (SELECT p.post_id FROM posts p WHERE p.post_id = k.post_id AND p.state = 'live' AND {READABLE_POST}) IS NOT NULL
  ORDER BY k.thanks_id DESC LIMIT 40"""
_THANKED_FOR = f"""SELECT k.post_id, k.actor_id FROM thanks k JOIN posts p ON p.post_id = k.post_id
  WHERE k.post_id IN :post_ids AND k.author_id = :viewer_id AND {THANKS_NOT_HUSHED} AND {READABLE_POST}
  ORDER BY k.post_id, k.thanks_id"""
_FLAGS = """SELECT 'bookmark' AS flag, k.post_id FROM bookmarks k WHERE k.actor_id = :viewer_id AND k.post_id IN :post_ids
  UNION ALL SELECT 'thanks', k.post_id FROM thanks k WHERE k.actor_id = :viewer_id AND k.post_id IN :post_ids
  UNION ALL SELECT 'mute', f.root_id FROM followed_threads f
   WHERE f.actor_id = :viewer_id AND f.root_id IN :root_ids AND f.is_muted = 1"""
_DROP_BOOKMARKS = "DELETE FROM bookmarks WHERE post_id = :post_id"
_DROP_THANKS = "DELETE FROM thanks WHERE post_id = :post_id"
_PURGE_BOOKMARKS = "DELETE FROM bookmarks WHERE post_id IN (SELECT post_id FROM posts WHERE group_id = :group_id)"
_PURGE_THANKS = "DELETE FROM thanks WHERE post_id IN (SELECT post_id FROM posts WHERE group_id = :group_id)"

PAGE_MARKS = 40  # as in the statements
_NEWER_THAN_ALL = 2**62


@dataclass(frozen=True, slots=True)
class Mark:
    """A post in a list of marks. mark_id: the place in that list."""

    mark_id: int
    post_id: int


@dataclass(frozen=True, slots=True)
class Thanks:
    """That somebody thanked an author for a post. activity_uri: of the Like that says so."""

    thanks_id: int
    actor_id: int
    author_id: int
    post_id: int
    activity_uri: str
    given_at: datetime


@dataclass(frozen=True, slots=True)
class Flags:
    """What a member marked: posts by number, and the first posts of threads that they muted."""

    bookmarked: frozenset[int] = frozenset()
    thanked: frozenset[int] = frozenset()
    muted_roots: frozenset[int] = frozenset()


NO_FLAGS = Flags()


async def insert_bookmark(tx: Tx, *, bookmark_id: int, actor_id: int, post_id: int) -> None:
    """Bookmark a post; once."""
    await tx.run(_BOOKMARK, bookmark_id=bookmark_id, actor_id=actor_id, post_id=post_id)


async def delete_bookmark(tx: Tx, *, actor_id: int, post_id: int) -> None:
    """Take a bookmark away."""
    await tx.run(_UNBOOKMARK, actor_id=actor_id, post_id=post_id)


async def list_bookmarks(
    tx: Tx, *, viewer_id: int, before_id: int = _NEWER_THAN_ALL, after_id: int = 0, oldest_first: bool = False
) -> list[Mark]:
    """Return at most 40 bookmarks of a member, of posts that they may read now, the newest first unless told otherwise."""
    sql = _OLDEST_BOOKMARKS if oldest_first else _BOOKMARKS
    return [Mark(*row) for row in await tx.all(sql, viewer_id=viewer_id, before_id=before_id, after_id=after_id)]


async def insert_thanks(
    tx: Tx, *, thanks_id: int, actor_id: int, author_id: int, post_id: int, activity_uri: str
) -> bool:
    """Keep that somebody thanks; once for a post. Return False when they did so before."""
    values = {"actor_id": actor_id, "post_id": post_id, "activity_uri": activity_uri}
    made = await tx.run(_THANK, **values, thanks_id=thanks_id, author_id=author_id, given_at=tx.now)
    return made == 1


async def say_thanks_again(tx: Tx, *, actor_id: int, post_id: int, activity_uri: str) -> None:
    """Keep under which id somebody says now what they said before: their node was restored."""
    await tx.run(_SAY_AGAIN, actor_id=actor_id, post_id=post_id, activity_uri=activity_uri)


async def get_thanks(tx: Tx, *, actor_id: int, post_id: int) -> Thanks | None:
    """Return somebody's thanks for a post."""
    row = await tx.one(_OWN_THANKS, actor_id=actor_id, post_id=post_id)
    return Thanks(*row) if row else None


async def find_thanks_by_activity(tx: Tx, *, actor_id: int, activity_uri: str) -> int | None:
    """Return for which post somebody thanked by a Like, or None."""
    found = await tx.value(_BY_ACTIVITY, actor_id=actor_id, activity_uri=activity_uri)
    return None if found is None else int(found)


async def is_named(tx: Tx, *, post_id: int, actor_id: int) -> bool:
    """Say whether somebody is among the people of a private message."""
    return await tx.value(_IS_NAMED, post_id=post_id, actor_id=actor_id) is not None


async def delete_thanks(tx: Tx, *, actor_id: int, post_id: int) -> bool:
    """Take thanks back; return whether there were any."""
    return await tx.run(_UNTHANK, actor_id=actor_id, post_id=post_id) > 0


async def list_given(
    tx: Tx, *, viewer_id: int, before_id: int = _NEWER_THAN_ALL, after_id: int = 0, oldest_first: bool = False
) -> list[Mark]:
    """Return at most 40 thanks that a member gave, for posts that they may read now, the newest first unless told otherwise."""
    sql = _OLDEST_GIVEN if oldest_first else _GIVEN
    return [Mark(*row) for row in await tx.all(sql, viewer_id=viewer_id, before_id=before_id, after_id=after_id)]


async def list_received(tx: Tx, *, viewer_id: int, before_id: int = _NEWER_THAN_ALL, after_id: int = 0) -> list[Thanks]:
    """Return at most 40 thanks that others gave a member for posts that are still there, the newest first."""
    rows = await tx.all(_RECEIVED, viewer_id=viewer_id, before_id=before_id, after_id=after_id)
    return [Thanks(*row) for row in rows]


async def list_thankers(tx: Tx, *, viewer_id: int, post_ids: list[int]) -> dict[int, list[int]]:
    """Return who thanked for those of some posts that the viewer wrote: {post_id: people}; nobody else is told of any."""
    found: dict[int, list[int]] = {}
    if post_ids:
        for row in await tx.all(_THANKED_FOR, viewer_id=viewer_id, post_ids=post_ids):
            found.setdefault(row.post_id, []).append(row.actor_id)
    return found


async def find_flags(tx: Tx, *, viewer_id: int, post_ids: list[int], root_ids: list[int]) -> Flags:
    """Return what a viewer marked among some posts and threads."""
    if not post_ids:
        return NO_FLAGS
    rows = await tx.all(_FLAGS, viewer_id=viewer_id, post_ids=post_ids, root_ids=root_ids)
    found: dict[str, set[int]] = {"bookmark": set(), "thanks": set(), "mute": set()}
    for row in rows:
        found[row.flag].add(row.post_id)
    return Flags(frozenset(found["bookmark"]), frozenset(found["thanks"]), frozenset(found["mute"]))


async def drop_marks(tx: Tx, *, post_id: int) -> None:
    """Forget who marked a post: its words are gone."""
    await tx.run(_DROP_BOOKMARKS, post_id=post_id)
    await tx.run(_DROP_THANKS, post_id=post_id)


async def purge_marks(tx: Tx, *, group_id: int) -> None:
    """Forget who marked the posts of a group; call it before those go."""
    await tx.run(_PURGE_BOOKMARKS, group_id=group_id)
    await tx.run(_PURGE_THANKS, group_id=group_id)

"""Filters of members, in the store. A filter is one aggregate: it is read and written with its keywords and posts."""

from __future__ import annotations

from node.domain.filtering import Filter, FilteredPost, Keyword

from .engine import Tx

_LIST = """SELECT filter_id, title, contexts_json, action, expires_at FROM filters
  WHERE actor_id = :actor_id ORDER BY filter_id LIMIT 50"""
_KEYWORDS = """SELECT k.filter_id, k.keyword_id, k.keyword, k.is_whole_word FROM filter_keywords k
  JOIN filters f ON f.filter_id = k.filter_id WHERE f.actor_id = :actor_id ORDER BY k.keyword_id"""
_POSTS = """SELECT s.filter_id, s.mark_id, s.post_uri FROM filter_posts s
  JOIN filters f ON f.filter_id = s.filter_id WHERE f.actor_id = :actor_id ORDER BY s.mark_id"""
_TAKE = """UPDATE filters SET version = version + 1
  WHERE filter_id = :filter_id AND actor_id = :actor_id RETURNING version"""
_PUT = """INSERT INTO filters (filter_id, actor_id, title, contexts_json, action, expires_at, version)
  VALUES (:filter_id, :actor_id, :title, :contexts_json, :action, :expires_at, 1)
  ON CONFLICT (filter_id) DO UPDATE SET title = excluded.title, contexts_json = excluded.contexts_json,
   action = excluded.action, expires_at = excluded.expires_at"""
_PUT_KEYWORD = """INSERT INTO filter_keywords (keyword_id, filter_id, keyword, is_whole_word)
  VALUES (:keyword_id, :filter_id, :keyword, :is_whole_word)"""
_PUT_POST = "INSERT INTO filter_posts (mark_id, filter_id, post_uri) VALUES (:mark_id, :filter_id, :post_uri)"
_DROP_KEYWORDS = "DELETE FROM filter_keywords WHERE filter_id = :filter_id"
_DROP_POSTS = "DELETE FROM filter_posts WHERE filter_id = :filter_id"
_DROP = "DELETE FROM filters WHERE filter_id = :filter_id"


async def list_filters(tx: Tx, *, actor_id: int) -> list[Filter]:
    """Return a member's filters, the oldest first. Cost: one statement for who has none, else three."""
    rows = await tx.all(_LIST, actor_id=actor_id)
    if not rows:
        return []
    keywords: dict[int, list[Keyword]] = {}
    for row in await tx.all(_KEYWORDS, actor_id=actor_id):
        keywords.setdefault(row.filter_id, []).append(Keyword(row.keyword_id, row.keyword, row.is_whole_word))
    posts: dict[int, list[FilteredPost]] = {}
    for row in await tx.all(_POSTS, actor_id=actor_id):
        posts.setdefault(row.filter_id, []).append(FilteredPost(row.mark_id, row.post_uri))
    return [
        Filter(
            row.filter_id,
            row.title,
            tuple(row.contexts_json),
            row.action,
            row.expires_at,
            tuple(keywords.get(row.filter_id, ())),
            tuple(posts.get(row.filter_id, ())),
        )
        for row in rows
    ]


async def list_live_filters(tx: Tx, *, actor_id: int) -> tuple[Filter, ...]:
    """Return those of a member's filters that have not ended."""
    return tuple(each for each in await list_filters(tx, actor_id=actor_id) if each.is_live(tx.now))


async def take_filter(tx: Tx, *, actor_id: int, filter_id: int) -> bool:
    """Hold a filter of a member's until the end of the transaction; False when they have none of this number."""
    return await tx.value(_TAKE, filter_id=filter_id, actor_id=actor_id) is not None


async def put_filter(tx: Tx, *, actor_id: int, filter: Filter) -> None:
    """Write a filter as it is now; what it had before is replaced."""
    await tx.run(
        _PUT,
        filter_id=filter.filter_id,
        actor_id=actor_id,
        title=filter.title,
        contexts_json=list(filter.contexts),
        action=filter.action,
        expires_at=filter.expires_at,
    )
    await _drop_parts(tx, filter.filter_id)
    for word in filter.keywords:
        await tx.run(
            _PUT_KEYWORD,
            keyword_id=word.keyword_id,
            filter_id=filter.filter_id,
            keyword=word.text,
            is_whole_word=word.is_whole_word,
        )
    for post in filter.posts:
        await tx.run(_PUT_POST, mark_id=post.mark_id, filter_id=filter.filter_id, post_uri=post.post_uri)


async def delete_filter(tx: Tx, *, filter_id: int) -> None:
    """Delete a filter that the caller has taken."""
    await _drop_parts(tx, filter_id)
    await tx.run(_DROP, filter_id=filter_id)


async def _drop_parts(tx: Tx, filter_id: int) -> None:
    await tx.run(_DROP_KEYWORDS, filter_id=filter_id)
    await tx.run(_DROP_POSTS, filter_id=filter_id)

"""The index of search: which words stand in which posts, kept in the transaction that changes a post.

*How it works.* A post can be found while it is live and has its place in a group's log. It has one row in `search_words`: its
words as `folding` gives them, each once, each behind a key of five characters. The key stands for the post's *shard*, 1,024
numbers of one group's log. So the words of one group are not those of another, not even as terms of the index: nobody's
search touches what stands in groups they are not in, not even to count it, and a member who came late begins at the shard
they came in. Keys may coincide; what is found is read through `visibility` in any case.

Some words are nobody's: `·a…` says who wrote a post, `·s` that it leads to a page elsewhere. The dot is in no text's words.

`index_post` is called where `objects` writes a post, and does no more than rows show: it can be called again at any time.
Making words of a text costs 0.02 ms a kilobyte, a fifth of what its row in the index costs, so that it is done in the
transaction, where the text is the one that is kept.

*Erased means gone.* FTS5 keeps the words of a deleted row in its older segments until they are merged. Whoever deletes leaves a
mark in `settings`; `Store.tidy` then merges all segments, in small steps between which others write, and truncates the log.

What stands in the index is never read by people, and can be made anew from the posts: delete `search_words` and
`search_shards`, set `search_filled_up_to` to 0, start.
"""

from __future__ import annotations

import hashlib
from typing import Any

from node.foundation.folding import fold_words
from node.foundation.text import strip_marks

from .engine import Store, Tx

SHARD_POSTS = 1024
WORDS_LIMIT = 10_000
SOURCES_WORD = "·s"
_KEY_CHARACTERS = 5
_DIGITS = "0123456789abcdefghijklmnopqrstuvwxyz"
_TEXT = """SELECT post_id, audience, group_id, author_id, seq, state, title, warning, html, published_at FROM posts
  WHERE post_id = :post_id"""
_TO_FILL = """SELECT post_id, audience, group_id, author_id, seq, state, title, warning, html, published_at FROM posts
  WHERE post_id > :after_id ORDER BY post_id LIMIT 200"""
_PUT = "INSERT INTO search_words (rowid, words) VALUES (:post_id, :words)"
_DROP = "DELETE FROM search_words WHERE rowid = :post_id"
_DROP_GROUP = "DELETE FROM search_words WHERE rowid IN (SELECT post_id FROM posts WHERE group_id = :group_id)"
_DROP_SHARDS = "DELETE FROM search_shards WHERE group_id = :group_id"
_NOTE_ERASED = """INSERT INTO settings (name, value) VALUES ('search_erased', 'yes')
  ON CONFLICT (name) DO UPDATE SET value = excluded.value WHERE settings.value <> excluded.value"""
_WIDEN = """INSERT INTO search_shards (group_id, shard, oldest_id, newest_id, earliest_at, latest_at)
  VALUES (:group_id, :shard, :post_id, :post_id, :published_at, :published_at)
  ON CONFLICT (group_id, shard) DO UPDATE SET
   oldest_id = CASE WHEN excluded.oldest_id < search_shards.oldest_id THEN excluded.oldest_id
    ELSE search_shards.oldest_id END,
   newest_id = CASE WHEN excluded.newest_id > search_shards.newest_id THEN excluded.newest_id
    ELSE search_shards.newest_id END,
   earliest_at = CASE WHEN excluded.earliest_at < search_shards.earliest_at THEN excluded.earliest_at
    ELSE search_shards.earliest_at END,
   latest_at = CASE WHEN excluded.latest_at > search_shards.latest_at THEN excluded.latest_at
    ELSE search_shards.latest_at END"""
_FILLED = "UPDATE settings SET value = value WHERE name = 'search_filled_up_to' RETURNING value"
_NOTE_FILLED = "UPDATE settings SET value = :value WHERE name = 'search_filled_up_to'"
_FILL_DONE = "DELETE FROM settings WHERE name = 'search_filled_up_to'"
_IS_FILLING = "SELECT value FROM settings WHERE name = 'search_filled_up_to'"


def shard_of(seq: int) -> int:
    """Return the shard of a number in a group's log."""
    return seq // SHARD_POSTS


def key_of(group_id: int, shard: int) -> str:
    """Return the five characters that stand before every word of a shard."""
    number = int.from_bytes(hashlib.sha256(f"{group_id} {shard}".encode()).digest()[:8])
    return _in_digits(number)[:_KEY_CHARACTERS]


def author_word(author_id: int) -> str:
    """Return the word that says who wrote a post."""
    return f"·a{_in_digits(author_id)}"


async def index_post(tx: Tx, *, post_id: int) -> None:
    """Bring the index up to what a post says now: its words, or nothing when it is not to be found any more."""
    await drop_post(tx, post_id=post_id)
    post = await tx.one(_TEXT, post_id=post_id)
    if post is not None:
        await index_new_post(tx, post=post)


async def index_new_post(tx: Tx, *, post: Any) -> None:
    """Put a post that has no words in the index yet into it, if it can be found.

    Args:
        tx: The transaction.
        post: Its row, with post_id, audience, group_id, author_id, seq, state, title, warning, html and published_at.
    """
    if post.audience != "group" or post.state != "live" or post.seq is None or post.group_id is None:
        return
    shard = shard_of(post.seq)
    await tx.run(_PUT, post_id=post.post_id, words=_words_of(post, key_of(post.group_id, shard)))
    await tx.run(
        _WIDEN, group_id=post.group_id, shard=shard, post_id=post.post_id, published_at=post.published_at
    )  # fmt: skip


async def drop_post(tx: Tx, *, post_id: int) -> None:
    """Take a post out of the index."""
    if await tx.run(_DROP, post_id=post_id):
        await tx.run(_NOTE_ERASED)


async def drop_group(tx: Tx, *, group_id: int) -> None:
    """Take every post of a group out of the index; before the posts themselves go."""
    if await tx.run(_DROP_GROUP, group_id=group_id):
        await tx.run(_NOTE_ERASED)
    await tx.run(_DROP_SHARDS, group_id=group_id)


async def fill_index(store: Store) -> None:
    """Put the posts that were here before there was an index into it, two hundred at a time; goes on where it stopped."""
    if await store.read(_is_filling):
        while await store.write(_fill):
            pass


async def _is_filling(tx: Tx) -> bool:
    return await tx.value(_IS_FILLING) is not None


async def _fill(tx: Tx) -> bool:
    """Index the next posts; return whether there may be more. Of several processes one at a time does."""
    filled = await tx.value(_FILLED)
    if filled is None:
        return False
    posts = await tx.all(_TO_FILL, after_id=int(filled))
    for post in posts:
        await tx.run(_DROP, post_id=post.post_id)  # written since the migration, and indexed as it was
        await index_new_post(tx, post=post)
    if not posts:
        await tx.run(_FILL_DONE)
        return False
    await tx.run(_NOTE_FILLED, value=str(posts[-1].post_id))
    return True


def _words_of(post: Any, key: str) -> str:
    """Return what stands in the index for a post."""
    said = fold_words(f"{post.title}\n{post.warning}\n{strip_marks(post.html)}")[:WORDS_LIMIT]
    words = dict.fromkeys(said)
    words[author_word(post.author_id)] = None
    if 'href="http' in post.html:
        words[SOURCES_WORD] = None
    return " ".join(f"{key}{word}" for word in words)


def _in_digits(number: int) -> str:
    """Return a number in base 36, its last digit first: five of them tell neighbours apart."""
    digits = []
    while number:
        number, digit = divmod(number, 36)
        digits.append(_DIGITS[digit])
    return "".join(digits) or "0"

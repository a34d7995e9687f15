"""New numbers for posts that waited: our numbers follow the order of the group's log, whoever wrote where.

A member's post gets its number when it is written, and its place when the group's host has put it in order. Whatever took
its place in between has a larger number; left so, a thread would stand in another order here than at the host, and those
who have read further would never hear of the post.
"""

from __future__ import annotations

from .engine import Tx

_IS_OVERTAKEN = "SELECT 1 AS yes FROM groups WHERE newest_post_id > :post_id LIMIT 1"
_POST = "UPDATE posts SET post_id = :number, earlier_id = :post_id WHERE post_id = :post_id"
_ANSWERS = "UPDATE posts SET parent_id = :number WHERE parent_id = :post_id"
_THREAD = "UPDATE posts SET root_id = :number WHERE root_id = :post_id"
_VERSIONS = "UPDATE post_versions SET post_id = :number WHERE post_id = :post_id"
_MENTIONS = "UPDATE mentions SET post_id = :number WHERE post_id = :post_id"
_MEDIA = "UPDATE media SET post_id = :number WHERE post_id = :post_id"
_SUBMISSIONS = "UPDATE submissions SET post_id = :number WHERE post_id = :post_id"
_DRAFTS = "UPDATE drafts SET parent_id = :number WHERE parent_id = :post_id"
_POSITIONS = "UPDATE read_positions SET root_id = :number WHERE root_id = :post_id"
_BOOKMARKS = "UPDATE bookmarks SET post_id = :number WHERE post_id = :post_id"
_THANKS = "UPDATE thanks SET post_id = :number WHERE post_id = :post_id"
_POLL = "UPDATE polls SET post_id = :number WHERE post_id = :post_id"
_POLL_ANSWERS = "UPDATE poll_answers SET post_id = :number WHERE post_id = :post_id"
_POLL_VOTES = "UPDATE poll_votes SET post_id = :number WHERE post_id = :post_id"
_TOLD = "UPDATE notifications SET post_id = :number WHERE post_id = :post_id"
_TOLD_THREAD = "UPDATE notifications SET root_id = :number WHERE root_id = :post_id"
_FOLLOWED = "UPDATE followed_threads SET root_id = :number WHERE root_id = :post_id"


async def renumber_post(tx: Tx, *, post_id: int, number: int) -> int:
    """Give a post that waited a new number if others took their places meanwhile; return the number it has now.

    Args:
        tx: The transaction in which it gets its place.
        post_id: Its number so far; it stays known by it to those who ask for one post.
        number: Larger than any used before.
    """
    if await tx.value(_IS_OVERTAKEN, post_id=post_id) is None:
        return post_id
    change = {"post_id": post_id, "number": number}
    await tx.run(_POST, **change)
    await tx.run(_ANSWERS, **change)
    await tx.run(_THREAD, **change)
    await tx.run(_VERSIONS, **change)
    await tx.run(_MENTIONS, **change)
    await tx.run(_MEDIA, **change)
    await tx.run(_SUBMISSIONS, **change)
    await tx.run(_DRAFTS, **change)
    await tx.run(_POSITIONS, **change)
    await tx.run(_FOLLOWED, **change)
    await tx.run(_TOLD, **change)
    await tx.run(_TOLD_THREAD, **change)
    await tx.run(_BOOKMARKS, **change)
    await tx.run(_THANKS, **change)
    await tx.run(_POLL, **change)
    await tx.run(_POLL_ANSWERS, **change)
    await tx.run(_POLL_VOTES, **change)
    return number

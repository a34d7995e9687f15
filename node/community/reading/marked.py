"""What stands on the posts of a thread for its reader alone: what they marked, who thanked them, whom they keep away.

A post by somebody whom the reader keeps at a distance stands in its place, folded: a thread is read whole, and what a
colleague answered would be answered to nothing else.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from node.domain.posts import Post
from node.store.distance import find_distances
from node.store.engine import Tx
from node.store.marks import Flags, find_flags, list_thankers
from node.store.profiles import list_profiles


@dataclass(frozen=True, slots=True)
class Marked:
    """What a reader sees on posts besides the words.

    flags: what they marked. thanked_by: {post of theirs: names of those who thanked}. folded: authors kept at a distance.
    """

    flags: Flags
    thanked_by: dict[int, tuple[str, ...]]
    folded: frozenset[int]


async def read_marked(tx: Tx, *, viewer_id: int, posts: Sequence[Post]) -> Marked:
    """Return what stands on some posts for their reader. Cost: at most five statements."""
    ids = [post.post_id for post in posts]
    own = [post.post_id for post in posts if post.author_id == viewer_id]
    thankers = await list_thankers(tx, viewer_id=viewer_id, post_ids=own)
    people = {number for numbers in thankers.values() for number in numbers}
    names = await list_profiles(tx, actor_ids=list(people)) if people else {}
    authors = list({post.author_id for post in posts} - {viewer_id})
    return Marked(
        flags=await find_flags(tx, viewer_id=viewer_id, post_ids=ids, root_ids=[]),
        thanked_by={
            post_id: tuple(names[number].name for number in numbers if number in names)
            for post_id, numbers in thankers.items()
        },
        folded=frozenset(await find_distances(tx, actor_id=viewer_id, target_ids=authors)),
    )

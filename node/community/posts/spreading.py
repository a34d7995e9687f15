"""Posts read once for many: what is shown beside a new post is the same for all who may read it, but for a few things.

*What is one reader's own* is never taken from another's reading. The posts are gathered as by nobody, so that nothing of
anybody stands in the reading; whose answer a post is, and which filters catch it, is asked for all readers at once and put
in for each. Permission was asked before: each pair of a viewer and a post comes from a statement that permits it.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field, replace

from node.domain.filtering import Filter
from node.domain.posts import Post
from node.store import objects
from node.store.core import Core
from node.store.engine import Tx
from node.store.filters import list_live_filters
from node.store.streaming import list_parents_for, list_who_filters

from .reading import Reading, gather

_NOBODY = 0


@dataclass(frozen=True, slots=True)
class Spread:
    """Some posts as several may read them. posts: by number. parents, filters: by viewer."""

    reading: Reading
    posts: dict[int, Post]
    parents: dict[int, dict[int, int]] = field(default_factory=dict)
    filters: dict[int, tuple[Filter, ...]] = field(default_factory=dict)

    def read_as(self, viewer_id: int) -> Reading:
        """Return the posts as one of them reads them."""
        parents, filters = self.parents.get(viewer_id, {}), self.filters.get(viewer_id, ())
        return replace(self.reading, viewer_id=viewer_id, parents=parents, filters=filters)


async def spread(tx: Tx, core: Core, permitted: Iterable[tuple[int, int]], *, people: Iterable[int] = ()) -> Spread:
    """Return posts for whoever may read them.

    Args:
        tx: The transaction.
        core: This node.
        permitted: (viewer, post) each, as a statement has permitted it.
        people: Further people whose profiles are wanted.
    """
    pairs = list(permitted)
    first: dict[int, list[int]] = {}
    for post_id, viewer_id in {post_id: viewer_id for viewer_id, post_id in pairs}.items():
        first.setdefault(viewer_id, []).append(post_id)
    posts: dict[int, Post] = {}
    for viewer_id, post_ids in first.items():
        found = await objects.list_posts_by_id(tx, viewer_id=viewer_id, post_ids=post_ids)
        posts |= {post.post_id: post for post in found if post.state == "live"}
    reading = await gather(tx, core, _NOBODY, list(posts.values()), people=people)
    viewer_ids = list({viewer_id for viewer_id, _ in pairs})
    parent_ids = list({post.parent_id for post in posts.values() if post.parent_id is not None})
    filtering = await list_who_filters(tx, viewer_ids=viewer_ids)
    return Spread(
        reading,
        posts,
        await list_parents_for(tx, post_ids=parent_ids, viewer_ids=viewer_ids),
        {viewer_id: await list_live_filters(tx, actor_id=viewer_id) for viewer_id in sorted(filtering)},
    )

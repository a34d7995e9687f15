"""What a member has begun to write: kept on the node with every preview and every refused try, gone when it was sent."""

from __future__ import annotations

from node.domain.access import may_write
from node.domain.actors import Member
from node.domain.posts import Draft, Post
from node.foundation.errors import Forbidden, Invalid
from node.foundation.text import CONTENT_LIMIT_CHARACTERS, TITLE_LIMIT_CHARACTERS
from node.store import drafts
from node.store.core import Core
from node.store.drafts import SavedDraft
from node.store.engine import Tx
from node.store.objects import list_posts_by_id
from node.store.rosters import get_membership
from node.store.threads import list_newest_ids


async def keep_draft(core: Core, *, author: Member, group_id: int, draft: Draft, parent_id: int = 0) -> None:
    """Keep what a member has written so far; an empty text forgets it.

    Raises:
        Invalid: It is longer than a post may be. It is kept all the same, up to twice the length.
        Forbidden: They may not write in this group (any more).
    """
    if _fits(draft, times=2):
        await core.store.write(_keep, author, group_id, parent_id, draft)
    if len(draft.text) > CONTENT_LIMIT_CHARACTERS:
        raise Invalid(f"A post has at most {CONTENT_LIMIT_CHARACTERS} characters.")
    if not _fits(draft, times=1):
        raise Invalid(f"A title and a content note have at most {TITLE_LIMIT_CHARACTERS} characters.")


async def find_draft(core: Core, *, author: Member, group_id: int, parent_id: int = 0) -> SavedDraft | None:
    """Return what a member has begun to write there."""
    return await core.store.read(_find, author.actor_id, group_id, parent_id)


async def list_begun(core: Core, *, author: Member) -> list[tuple[SavedDraft, Post | None]]:
    """Return a member's drafts, the newest first, each with a post of the thread that it answers in; None for a topic.

    It is the thread's first post, or its newest one for somebody who came later.
    """
    return await core.store.read(_list, author.actor_id)


async def forget_draft(core: Core, *, author: Member, group_id: int, parent_id: int = 0) -> None:
    """Forget a draft: it was sent, or given up."""
    await core.store.write(_forget, author.actor_id, group_id, parent_id)


def _fits(draft: Draft, *, times: int) -> bool:
    """Return whether a draft is at most so many times as long as a post may be."""
    longest = max(map(len, (draft.title, draft.warning, *(draft.poll.answers if draft.poll else ()))))
    return len(draft.text) <= CONTENT_LIMIT_CHARACTERS * times and longest <= TITLE_LIMIT_CHARACTERS * times


async def _keep(tx: Tx, author: Member, group_id: int, parent_id: int, draft: Draft) -> None:
    place = await get_membership(tx, group_id=group_id, actor_id=author.actor_id)
    decision = may_write(author.viewer, place)
    if not decision:
        raise Forbidden(decision.reason)
    where = {"actor_id": author.actor_id, "group_id": group_id, "parent_id": parent_id}
    if draft.text.strip() or draft.title.strip() or draft.poll is not None:
        await drafts.save_draft(tx, **where, title=draft.title, warning=draft.warning, text=draft.text, poll=draft.poll)
    else:
        await drafts.drop_draft(tx, **where)


async def _find(tx: Tx, actor_id: int, group_id: int, parent_id: int) -> SavedDraft | None:
    return await drafts.get_draft(tx, actor_id=actor_id, group_id=group_id, parent_id=parent_id)


async def _list(tx: Tx, actor_id: int) -> list[tuple[SavedDraft, Post | None]]:
    kept = await drafts.list_drafts(tx, actor_id=actor_id)
    newest = await list_newest_ids(tx, root_ids=[draft.parent_id for draft in kept if draft.parent_id])
    ids = list({*newest, *newest.values()})
    found = await list_posts_by_id(tx, viewer_id=actor_id, post_ids=ids) if ids else []
    posts = {post.post_id: post for post in found}
    return [(each, posts.get(each.parent_id) or posts.get(newest.get(each.parent_id, 0))) for each in kept]


async def _forget(tx: Tx, actor_id: int, group_id: int, parent_id: int) -> None:
    await drafts.drop_draft(tx, actor_id=actor_id, group_id=group_id, parent_id=parent_id)

"""What a member has begun to write: kept on the node with every preview and every refused try, gone when it was sent."""

from __future__ import annotations

from node.domain.access import may_write
from node.domain.actors import Member
from node.domain.posts import Draft
from node.foundation.errors import Forbidden
from node.store import drafts
from node.store.core import Core
from node.store.drafts import SavedDraft
from node.store.engine import Tx
from node.store.rosters import get_membership


async def keep_draft(core: Core, *, author: Member, group_id: int, draft: Draft, parent_id: int = 0) -> None:
    """Keep what a member has written so far; an empty text forgets it.

    Raises:
        Forbidden: They may not write in this group (any more).
    """
    await core.store.write(_keep, author, group_id, parent_id, draft)


async def find_draft(core: Core, *, author: Member, group_id: int, parent_id: int = 0) -> SavedDraft | None:
    """Return what a member has begun to write there."""
    return await core.store.read(_find, author.actor_id, group_id, parent_id)


async def list_begun(core: Core, *, author: Member) -> list[SavedDraft]:
    """Return a member's drafts, the newest first."""
    return await core.store.read(_list, author.actor_id)


async def forget_draft(core: Core, *, author: Member, group_id: int, parent_id: int = 0) -> None:
    """Forget a draft: it was sent, or given up."""
    await core.store.write(_forget, author.actor_id, group_id, parent_id)


async def _keep(tx: Tx, author: Member, group_id: int, parent_id: int, draft: Draft) -> None:
    place = await get_membership(tx, group_id=group_id, actor_id=author.actor_id)
    decision = may_write(author.viewer, place)
    if not decision:
        raise Forbidden(decision.reason)
    where = {"actor_id": author.actor_id, "group_id": group_id, "parent_id": parent_id}
    if draft.text.strip() or draft.title.strip():
        await drafts.save_draft(tx, **where, title=draft.title, warning=draft.warning, text=draft.text)
    else:
        await drafts.drop_draft(tx, **where)


async def _find(tx: Tx, actor_id: int, group_id: int, parent_id: int) -> SavedDraft | None:
    return await drafts.get_draft(tx, actor_id=actor_id, group_id=group_id, parent_id=parent_id)


async def _list(tx: Tx, actor_id: int) -> list[SavedDraft]:
    return await drafts.list_drafts(tx, actor_id=actor_id)


async def _forget(tx: Tx, actor_id: int, group_id: int, parent_id: int) -> None:
    await drafts.drop_draft(tx, actor_id=actor_id, group_id=group_id, parent_id=parent_id)

"""What members have begun to write: one draft for each group's new topic, one for each post they are answering."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from .engine import Tx

_GET = """SELECT group_id, parent_id, title, warning, text, saved_at FROM drafts
  WHERE actor_id = :actor_id AND group_id = :group_id AND parent_id = :parent_id"""
_LIST = """SELECT group_id, parent_id, title, warning, text, saved_at FROM drafts
  WHERE actor_id = :actor_id ORDER BY saved_at DESC LIMIT 100"""
_SAVE = """INSERT INTO drafts (actor_id, group_id, parent_id, title, warning, text, saved_at)
  VALUES (:actor_id, :group_id, :parent_id, :title, :warning, :text, :saved_at)
  ON CONFLICT (actor_id, group_id, parent_id) DO UPDATE SET title = excluded.title, warning = excluded.warning,
   text = excluded.text, saved_at = excluded.saved_at"""
_DROP = "DELETE FROM drafts WHERE actor_id = :actor_id AND group_id = :group_id AND parent_id = :parent_id"
_PURGE = "DELETE FROM drafts WHERE group_id = :group_id"
_FORGET = "DELETE FROM drafts WHERE actor_id = :actor_id"


@dataclass(frozen=True, slots=True)
class SavedDraft:
    """Something begun. parent_id: the post it answers; 0 for a new topic."""

    group_id: int
    parent_id: int
    title: str
    warning: str
    text: str
    saved_at: datetime


async def get_draft(tx: Tx, *, actor_id: int, group_id: int, parent_id: int = 0) -> SavedDraft | None:
    """Return what a member has begun to write there."""
    row = await tx.one(_GET, actor_id=actor_id, group_id=group_id, parent_id=parent_id)
    return SavedDraft(*row) if row else None


async def list_drafts(tx: Tx, *, actor_id: int) -> list[SavedDraft]:
    """Return a member's drafts, at most 100, the newest first."""
    return [SavedDraft(*row) for row in await tx.all(_LIST, actor_id=actor_id)]


async def save_draft(
    tx: Tx, *, actor_id: int, group_id: int, parent_id: int, title: str, warning: str, text: str
) -> None:
    """Keep what a member has written so far."""
    await tx.run(
        _SAVE,
        actor_id=actor_id,
        group_id=group_id,
        parent_id=parent_id,
        title=title,
        warning=warning,
        text=text,
        saved_at=tx.now,
    )


async def drop_draft(tx: Tx, *, actor_id: int, group_id: int, parent_id: int) -> None:
    """Forget a draft: it was sent, or given up."""
    await tx.run(_DROP, actor_id=actor_id, group_id=group_id, parent_id=parent_id)


async def purge_drafts(tx: Tx, *, group_id: int) -> None:
    """Forget every draft for a group."""
    await tx.run(_PURGE, group_id=group_id)


async def forget_drafts(tx: Tx, *, actor_id: int) -> None:
    """Forget every draft of a member."""
    await tx.run(_FORGET, actor_id=actor_id)

"""What members have begun to write: one draft for each group's new topic, one for each post they are answering."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

from node.domain.polls import NewPoll

from .engine import Tx

_GET = """SELECT group_id, parent_id, title, warning, text, saved_at, poll_json FROM drafts
  WHERE actor_id = :actor_id AND group_id = :group_id AND parent_id = :parent_id"""
_LIST = """SELECT group_id, parent_id, title, warning, text, saved_at, poll_json FROM drafts
  WHERE actor_id = :actor_id ORDER BY saved_at DESC LIMIT 100"""
_SAVE = """INSERT INTO drafts (actor_id, group_id, parent_id, title, warning, text, saved_at, poll_json)
  VALUES (:actor_id, :group_id, :parent_id, :title, :warning, :text, :saved_at, :poll_json)
  ON CONFLICT (actor_id, group_id, parent_id) DO UPDATE SET title = excluded.title, warning = excluded.warning,
   text = excluded.text, saved_at = excluded.saved_at, poll_json = excluded.poll_json"""
_DROP = "DELETE FROM drafts WHERE actor_id = :actor_id AND group_id = :group_id AND parent_id = :parent_id"
_PURGE = "DELETE FROM drafts WHERE group_id = :group_id"


@dataclass(frozen=True, slots=True)
class SavedDraft:
    """Something begun. parent_id: the post it answers; 0 for a new topic. poll: what it asks, as it was typed."""

    group_id: int
    parent_id: int
    title: str
    warning: str
    text: str
    saved_at: datetime
    poll: NewPoll | None = None


async def get_draft(tx: Tx, *, actor_id: int, group_id: int, parent_id: int = 0) -> SavedDraft | None:
    """Return what a member has begun to write there."""
    row = await tx.one(_GET, actor_id=actor_id, group_id=group_id, parent_id=parent_id)
    return _read(row) if row else None


async def list_drafts(tx: Tx, *, actor_id: int) -> list[SavedDraft]:
    """Return a member's drafts, at most 100, the newest first."""
    return [_read(row) for row in await tx.all(_LIST, actor_id=actor_id)]


async def save_draft(
    tx: Tx,
    *,
    actor_id: int,
    group_id: int,
    parent_id: int,
    title: str,
    warning: str,
    text: str,
    poll: NewPoll | None = None,
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
        poll_json=None if poll is None else asdict(poll),
    )


async def drop_draft(tx: Tx, *, actor_id: int, group_id: int, parent_id: int) -> None:
    """Forget a draft: it was sent, or given up."""
    await tx.run(_DROP, actor_id=actor_id, group_id=group_id, parent_id=parent_id)


async def purge_drafts(tx: Tx, *, group_id: int) -> None:
    """Forget every draft for a group."""
    await tx.run(_PURGE, group_id=group_id)


def _read(row: Any) -> SavedDraft:
    asked = row.poll_json
    poll = None if asked is None else NewPoll(**{**asked, "answers": tuple(asked["answers"])})
    return SavedDraft(row.group_id, row.parent_id, row.title, row.warning, row.text, row.saved_at, poll)

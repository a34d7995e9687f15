"""What would be left behind when a group goes: submissions on their way, and people known only through its host."""

from __future__ import annotations

from .engine import Tx
from .search_names import drop_gone_names

_CANCEL_STREAMS = """DELETE FROM stream_entries WHERE activity_uri IN
  (SELECT activity_uri FROM submissions WHERE group_id = :group_id AND kind <> 'delete')"""
_CANCEL_DEAD = """DELETE FROM dead_letters WHERE activity_uri IN
  (SELECT activity_uri FROM submissions WHERE group_id = :group_id)"""
_FORGET_SUBMISSIONS = "DELETE FROM submissions WHERE group_id = :group_id"
_FORGET_STRAYS = """DELETE FROM actors WHERE known_through = :host AND is_local = 0
  AND NOT EXISTS (SELECT 1 FROM posts p WHERE p.author_id = actors.actor_id)
  AND NOT EXISTS (SELECT 1 FROM memberships m WHERE m.actor_id = actors.actor_id)
  AND NOT EXISTS (SELECT 1 FROM actor_keys k WHERE k.actor_id = actors.actor_id)
  AND actor_id NOT IN (SELECT m.target_id FROM mutes m UNION ALL SELECT b.target_id FROM blocks b
   UNION ALL SELECT n.about_id FROM account_notes n)"""


async def forget_submissions(tx: Tx, *, group_id: int) -> None:
    """Delete what our members sent to a group and what of it still waits to be sent.

    What they took back stays in its stream: it carries no words, and goes out before the word that they have left.
    """
    await tx.run(_CANCEL_STREAMS, group_id=group_id)
    await tx.run(_CANCEL_DEAD, group_id=group_id)
    await tx.run(_FORGET_SUBMISSIONS, group_id=group_id)


async def forget_strays(tx: Tx, *, host: str) -> None:
    """Delete people whom we knew through a host's cards alone, and of whom nothing else is here.

    Whom a member of ours muted or blocked, or noted something about, stays known: that is the member's own, and holds when
    they come again.
    """
    if await tx.run(_FORGET_STRAYS, host=host):
        await drop_gone_names(tx)

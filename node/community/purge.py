"""Purge: a node whose last member left a group keeps nothing of it. Inside the transaction that ends the membership."""

from __future__ import annotations

from node.federation.grouplog.entry import chain_zero
from node.inbox.passed_over import ENTRY
from node.store.activities import forget_letters
from node.store.attestations import forget_relayed
from node.store.core import TIDY_BELL, Core
from node.store.drafts import purge_drafts
from node.store.engine import Tx
from node.store.files import delete_files
from node.store.following import purge_following
from node.store.logs import pull_at, purge_log
from node.store.marks import purge_marks
from node.store.media import forget_media_of_group
from node.store.notifications import purge_notifications
from node.store.objects import purge_group_posts
from node.store.progress import purge_progress
from node.store.readers import replace_readers
from node.store.recovering import drop_orphans
from node.store.rosters import get_group, set_base
from node.store.strays import forget_strays, forget_submissions
from node.store.takings import purge_taken_back


async def purge_group(tx: Tx, core: Core, *, group_id: int) -> None:
    """Delete all that is kept of a group: log, posts, pictures, cards, readers, drafts, positions, marks, waiting submissions.

    Files follow after the commit.
    """
    group = await get_group(tx, group_id=group_id)
    if group is None:
        return
    hashes = await forget_media_of_group(tx, group_id=group_id)
    await forget_submissions(tx, group_id=group_id)
    await purge_progress(tx, group_id=group_id)
    await purge_following(tx, group_id=group_id)
    await purge_drafts(tx, group_id=group_id)
    await purge_marks(tx, group_id=group_id)
    await purge_notifications(tx, group_id=group_id)
    await purge_group_posts(tx, group_id=group_id)
    await purge_log(tx, group_id=group_id)
    await forget_letters(tx, actor_uri=group.uri, type=ENTRY)
    await purge_taken_back(tx, group_id=group_id)
    await drop_orphans(tx, group_id=group_id)
    await forget_relayed(tx)
    await replace_readers(tx, group_id=group_id, readers=[])
    await set_base(tx, group_id=group_id, epoch=1, seq=0, chain=chain_zero(group.uri))
    await pull_at(tx, group_id=group_id, due_at=None)
    await forget_strays(tx, host=group.host)

    def forget_files() -> None:
        delete_files(core, hashes)
        core.bell.ring(TIDY_BELL)

    tx.after_commit(forget_files)

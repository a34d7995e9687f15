"""Keeping polls: a host tells how they stand and ends them in time; others send again what a host may have lost.

*How it works.* A poll is looked at when a vote came in and when its last count is due (`domain.polls.judge_tally`). A host
that was restored begins a new epoch of its log; it tells a count of every open poll in it at once. From that entry every
member's node learns of the epoch and sends the votes again that were counted in an earlier one. The host knows most of
them already. Only then comes the last count.
"""

from __future__ import annotations

from collections.abc import Awaitable
from datetime import datetime

from node.community.hosting import own_arrival, record
from node.domain.polls import LATE_GRACE, Step, judge_tally
from node.foundation.errors import NodeError
from node.foundation.logs import get_logger
from node.inbox.dispatch import Tables
from node.outbox.publish import prove
from node.store import votes
from node.store.actors import get_actor
from node.store.core import Core
from node.store.engine import Tx
from node.store.objects import find_post_by_id
from node.store.polls import find_poll
from node.store.rosters import get_group, take_group
from node.store.votes import UnsureVote

from .activities import build_count
from .handlers import POLLS_BELL
from .sending import Cast, send_vote

_LOOK_SECONDS = 5.0


class PollKeeper:
    """Keeps polls for one process."""

    def __init__(self, core: Core, tables: Tables) -> None:
        self._core = core
        self._tables = tables
        self._began_at = core.clock.now()
        self._stopping = False

    async def run(self) -> None:
        """Look now and then until `stop` is called."""
        while not self._stopping:
            if self._core.pressure.may_work:
                await self.round()
            await self._core.bell.wait(POLLS_BELL, at_most_seconds=_LOOK_SECONDS)

    def stop(self) -> None:
        """End after the present round."""
        self._stopping = True
        self._core.bell.ring(POLLS_BELL)

    async def round(self) -> None:
        """Do what is due now."""
        core = self._core
        try:
            due = await core.store.read(votes.list_polls_due)
            unsure = await core.store.read(votes.list_unsure_votes)
        except NodeError as error:
            get_logger().error("polls_unread", code=error.code, reason=error.internal)
            return
        for post_id in due:
            await self._try(core.write(_look_at, core, self._tables, post_id, self._began_at))
        for vote in unsure:
            await self._try(core.write(_send_again, core, vote))

    async def _try(self, work: Awaitable[None]) -> None:
        try:
            await work
        except Exception:  # whatever a poll holds: the others go on, and this one is tried again
            get_logger().exception("poll_failed")


async def _look_at(tx: Tx, core: Core, tables: Tables, post_id: int, began_at: datetime) -> None:
    """Decide about a poll with its group held, and tell the log what there is to tell."""
    seen = await votes.get_held_poll(tx, post_id=post_id)
    group = None if seen is None else await take_group(tx, group_id=seen.group_id)
    held = await votes.get_held_poll(tx, post_id=post_id)
    post = await find_post_by_id(tx, post_id=post_id)
    if held is None or group is None or post is None:
        return
    step, next_at = judge_tally(held.tally, now=tx.now, began_at=began_at)
    if step is Step.WAIT:
        await votes.look_at(tx, post_id=post_id, due_at=next_at)
        return
    poll = await find_poll(tx, post_id=post_id)
    assert poll is not None  # it is held
    is_last = step is Step.CLOSE or poll.closed_at is not None
    # What was counted before a restore is told until votes came in again; what was counted last is told as it was.
    if not held.tally.is_of_earlier_epoch and poll.closed_at is None:
        await votes.count_votes(tx, post_id=post_id)
        poll = await find_poll(tx, post_id=post_id) or poll
    final_at = held.tally.final_at
    if held.tally.is_of_earlier_epoch:
        final_at = max(final_at, tx.now + LATE_GRACE)
    due_at = None if is_last else final_at
    await votes.note_told(tx, post_id=post_id, epoch=held.epoch, final_at=final_at, due_at=due_at)
    said = build_count(core, group, poll_uri=post.uri, poll=poll, is_last=is_last)
    activity = prove(core, core.keyring.at_hand(group.group_id), said)
    await record(tx, core, tables, group=group, kind="count", arrival=own_arrival(activity))


async def _send_again(tx: Tx, core: Core, vote: UnsureVote) -> None:
    """Send a vote of a member of ours once more, under its own id in a new activity: the host takes each of those once."""
    post = await find_post_by_id(tx, post_id=vote.post_id)
    voter = await get_actor(tx, actor_id=vote.actor_id)
    group = None if post is None or post.group_id is None else await get_group(tx, group_id=post.group_id)
    if post is None or voter is None or group is None:
        return
    cast = Cast(voter.actor_id, voter.uri, post.post_id, post.uri, vote.name, vote.vote_uri, vote.voted_at)
    activity_uri, _ = await send_vote(tx, core, group=group, cast=cast)
    await votes.mark_sent_again(tx, vote=vote, activity_uri=activity_uri, epoch=group.epoch)

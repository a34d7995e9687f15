"""Votes in the store, and when the host of a poll counts them.

A vote is between its member, their node and the group's host: nothing here is ever read for anybody else.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from node.domain.polls import Tally

from .engine import Tx

_INSERT = """INSERT INTO poll_votes (post_id, actor_id, place, state, reason, vote_uri, activity_uri, epoch, voted_at)
  VALUES (:post_id, :actor_id, :place, :state, NULL, :vote_uri, :activity_uri, :epoch, :voted_at)
  ON CONFLICT (post_id, actor_id, place) DO NOTHING"""
_PLACES = """SELECT place FROM poll_votes WHERE post_id = :post_id AND actor_id = :actor_id AND state <> 'refused'
  ORDER BY place"""
_DROP_REFUSED = "DELETE FROM poll_votes WHERE post_id = :post_id AND actor_id = :actor_id AND state = 'refused'"
# Whatever the host says, it was not in an earlier epoch than the vote was sent in.
_ANSWER = """UPDATE poll_votes SET state = :state, reason = :reason,
   epoch = CASE WHEN epoch > :epoch THEN epoch ELSE CAST(:epoch AS BIGINT) END WHERE activity_uri = :activity_uri"""
_AGAIN = """UPDATE poll_votes SET state = 'waiting', activity_uri = :activity_uri, epoch = :epoch
  WHERE post_id = :post_id AND actor_id = :actor_id AND place = :place"""
# Votes of our members that a host counted in an epoch before its log's present one: a restore may have lost them.
_UNSURE = """SELECT v.post_id, v.actor_id, v.place, v.vote_uri, a.name, v.voted_at FROM groups g
  JOIN polls p ON p.group_id = g.group_id JOIN poll_votes v ON v.post_id = p.post_id
  JOIN poll_answers a ON a.post_id = v.post_id AND a.place = v.place
  WHERE g.epoch > 1 AND g.peer_id IS NOT NULL AND p.closed_at IS NULL AND v.state = 'counted' AND v.epoch < g.epoch
  ORDER BY v.voted_at LIMIT 100"""
_ADD = "UPDATE poll_answers SET votes = votes + 1 WHERE post_id = :post_id AND place = :place"
_ADD_VOTER = "UPDATE polls SET voters = voters + 1 WHERE post_id = :post_id"
_COUNT_ANSWERS = """UPDATE poll_answers SET votes = (SELECT COUNT(*) FROM poll_votes v
   WHERE v.post_id = poll_answers.post_id AND v.place = poll_answers.place AND v.state = 'counted')
  WHERE post_id = :post_id"""
_COUNT_VOTERS = """UPDATE polls SET voters = (SELECT COUNT(DISTINCT v.actor_id) FROM poll_votes v
   WHERE v.post_id = polls.post_id AND v.state = 'counted') WHERE post_id = :post_id"""
_STALE = "UPDATE polls SET is_stale = 1, due_at = :now_at WHERE post_id = :post_id AND due_at IS NOT NULL"
_TELL_ANEW = "UPDATE polls SET is_stale = 1, due_at = :now_at WHERE post_id = :post_id"
_DUE = """SELECT p.post_id FROM polls p JOIN groups g ON g.group_id = p.group_id
  WHERE p.due_at <= :now_at AND g.recovering_at IS NULL ORDER BY p.due_at LIMIT 50"""
_OF_EARLIER_EPOCH = """SELECT p.post_id FROM polls p JOIN groups g ON g.group_id = p.group_id
  WHERE p.due_at IS NOT NULL AND p.count_epoch < g.epoch AND g.recovering_at IS NULL LIMIT 50"""
_TALLY = """SELECT p.group_id, p.ends_at, p.final_at, p.counts, p.counted_at, p.is_stale, p.count_epoch, g.epoch
  FROM polls p JOIN groups g ON g.group_id = p.group_id WHERE p.post_id = :post_id AND p.due_at IS NOT NULL"""
_TOLD = """UPDATE polls SET counts = counts + 1, counted_at = :now_at, count_epoch = :epoch, is_stale = 0,
   final_at = :final_at, due_at = :due_at WHERE post_id = :post_id"""
_LOOK_AT = "UPDATE polls SET due_at = :due_at WHERE post_id = :post_id AND due_at IS NOT NULL"
_FORGET_OTHERS = """DELETE FROM poll_votes WHERE post_id = :post_id
  AND NOT EXISTS (SELECT 1 FROM members m WHERE m.actor_id = poll_votes.actor_id)"""


@dataclass(frozen=True, slots=True)
class UnsureVote:
    """A member's vote that its host may have lost. name: the answer they chose."""

    post_id: int
    actor_id: int
    place: int
    vote_uri: str
    name: str
    voted_at: datetime


@dataclass(frozen=True, slots=True)
class HeldPoll:
    """A poll that this node counts: in which group, the epoch of its log, and how it stands."""

    group_id: int
    epoch: int
    tally: Tally


async def insert_vote(
    tx: Tx, *, post_id: int, actor_id: int, place: int, state: str, vote_uri: str, activity_uri: str, epoch: int
) -> bool:
    """Keep a vote: one that is counted here, or one on its way to the host; return False when it was here already."""
    made = await tx.run(
        _INSERT,
        post_id=post_id,
        actor_id=actor_id,
        place=place,
        state=state,
        vote_uri=vote_uri,
        activity_uri=activity_uri,
        epoch=epoch,
        voted_at=tx.now,
    )
    return made == 1


async def list_places_voted(tx: Tx, *, post_id: int, actor_id: int) -> list[int]:
    """Return the places of the answers that somebody has voted for; not those that were refused."""
    return [int(row.place) for row in await tx.all(_PLACES, post_id=post_id, actor_id=actor_id)]


async def drop_refused_votes(tx: Tx, *, post_id: int, actor_id: int) -> None:
    """Forget the votes of a member that were refused, so that they may vote again."""
    await tx.run(_DROP_REFUSED, post_id=post_id, actor_id=actor_id)


async def note_answer(tx: Tx, *, activity_uri: str, state: str, reason: str | None, epoch: int) -> None:
    """Keep what the host said to a vote of a member of ours."""
    await tx.run(_ANSWER, activity_uri=activity_uri, state=state, reason=reason, epoch=epoch)


async def list_unsure_votes(tx: Tx) -> list[UnsureVote]:
    """Return at most 100 votes of our members that a restored host may have lost, the earliest first."""
    return [UnsureVote(*row) for row in await tx.all(_UNSURE)]


async def mark_sent_again(tx: Tx, *, vote: UnsureVote, activity_uri: str, epoch: int) -> None:
    """Say that a vote is on its way once more. epoch: of the group's log, as far as we know."""
    where = {"post_id": vote.post_id, "actor_id": vote.actor_id, "place": vote.place}
    await tx.run(_AGAIN, **where, activity_uri=activity_uri, epoch=epoch)


async def add_vote(tx: Tx, *, post_id: int, place: int, is_voter_new: bool) -> None:
    """Count one more vote of a poll, as its host; is_voter_new: and one more voter."""
    await tx.run(_ADD, post_id=post_id, place=place)
    if is_voter_new:
        await tx.run(_ADD_VOTER, post_id=post_id)


async def count_votes(tx: Tx, *, post_id: int) -> None:
    """Count the votes of a poll anew, as its host. Cost: grows with the votes."""
    await tx.run(_COUNT_ANSWERS, post_id=post_id)
    await tx.run(_COUNT_VOTERS, post_id=post_id)


async def mark_stale(tx: Tx, *, post_id: int) -> None:
    """Say that votes came in which the log does not tell of."""
    await tx.run(_STALE, post_id=post_id, now_at=tx.now)


async def tell_anew(tx: Tx, *, post_id: int) -> None:
    """Let the host of a poll, if it is one, tell once more how it stands, also after its end."""
    await tx.run(_TELL_ANEW, post_id=post_id, now_at=tx.now)


async def list_polls_due(tx: Tx) -> list[int]:
    """Return at most 100 polls that their host looks at now; those of groups that recover wait."""
    due = await tx.all(_DUE, now_at=tx.now)
    return list(dict.fromkeys(row.post_id for row in (*await tx.all(_OF_EARLIER_EPOCH), *due)))


async def get_held_poll(tx: Tx, *, post_id: int) -> HeldPoll | None:
    """Return how a poll stands that this node counts; None for others, and for closed ones that are told already."""
    row = await tx.one(_TALLY, post_id=post_id)
    if row is None:
        return None
    tally = Tally(row.ends_at, row.final_at, int(row.counts), row.counted_at, row.is_stale, row.count_epoch < row.epoch)
    return HeldPoll(row.group_id, int(row.epoch), tally)


async def note_told(tx: Tx, *, post_id: int, epoch: int, final_at: datetime, due_at: datetime | None) -> None:
    """Say that a count stands in the log. due_at: when its host looks again; None after the last count."""
    await tx.run(_TOLD, post_id=post_id, epoch=epoch, final_at=final_at, due_at=due_at, now_at=tx.now)


async def look_at(tx: Tx, *, post_id: int, due_at: datetime) -> None:
    """Let a poll's host look again at `due_at`."""
    await tx.run(_LOOK_AT, post_id=post_id, due_at=due_at)


async def forget_votes_of_others(tx: Tx, *, post_id: int) -> None:
    """Forget who of other nodes chose what, once nobody needs it any more. Our own members see what they chose."""
    await tx.run(_FORGET_OTHERS, post_id=post_id)

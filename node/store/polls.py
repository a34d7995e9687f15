"""Polls in the store: what was asked, how it stands, and the votes that this node knows."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from node.domain.polls import Answer, Poll, Question

from .engine import Tx

_INSERT = """INSERT INTO polls (post_id, group_id, is_multiple, is_hidden, ends_at, closed_at, closed_seq, voters, final_at,
   counts, counted_at, count_epoch, is_stale, due_at)
  VALUES (:post_id, :group_id, :is_multiple, :is_hidden, :ends_at, NULL, NULL, 0, :final_at, 0, :counted_at,
   COALESCE((SELECT e.epoch FROM log_entries e WHERE e.group_id = :group_id AND e.seq = :seq), 1), 0, :due_at)
  ON CONFLICT (post_id) DO NOTHING"""
_INSERT_ANSWER = "INSERT INTO poll_answers (post_id, place, name, votes) VALUES (:post_id, :place, :name, 0)"
_POLLS = """SELECT post_id, ends_at, closed_at, is_multiple, is_hidden, voters FROM polls WHERE post_id IN :post_ids
  ORDER BY post_id"""
_ANSWERS = "SELECT post_id, name, votes FROM poll_answers WHERE post_id IN :post_ids ORDER BY post_id, place"
_OWN = """SELECT post_id, place, state, reason FROM poll_votes WHERE post_id IN :post_ids AND actor_id = :viewer_id
  ORDER BY post_id, place"""
_SET_ANSWER = "UPDATE poll_answers SET votes = :votes WHERE post_id = :post_id AND place = :place"
_SET_VOTERS = "UPDATE polls SET voters = :voters WHERE post_id = :post_id"
_CLOSE = "UPDATE polls SET closed_at = :now_at, closed_seq = :seq, due_at = NULL WHERE post_id = :post_id"
_REOPEN = "UPDATE polls SET closed_at = NULL, closed_seq = NULL WHERE group_id = :group_id AND closed_seq > :seq"
_DROP = "DELETE FROM polls WHERE post_id = :post_id"
_DROP_ANSWERS = "DELETE FROM poll_answers WHERE post_id = :post_id"
_DROP_VOTES = "DELETE FROM poll_votes WHERE post_id = :post_id"
_PURGE_ANSWERS = "DELETE FROM poll_answers WHERE post_id IN (SELECT post_id FROM polls WHERE group_id = :group_id)"
_PURGE_VOTES = "DELETE FROM poll_votes WHERE post_id IN (SELECT post_id FROM polls WHERE group_id = :group_id)"
_PURGE = "DELETE FROM polls WHERE group_id = :group_id"
_CONCERNED = """SELECT c.actor_id FROM (SELECT p.author_id AS actor_id FROM posts p WHERE p.post_id = :post_id
    UNION SELECT v.actor_id FROM poll_votes v WHERE v.post_id = :post_id AND v.state <> 'refused') c
   JOIN members m ON m.actor_id = c.actor_id
   JOIN memberships vm ON vm.group_id = :group_id AND vm.actor_id = c.actor_id
  WHERE m.state = 'active' AND COALESCE(vm.joined_seq, 0) < :seq ORDER BY c.actor_id"""


@dataclass(frozen=True, slots=True)
class Counted:
    """What the host tells: votes by place, and how many voters. votes: None where the result is hidden until the end."""

    votes: tuple[int, ...] | None
    voters: int


async def insert_poll(
    tx: Tx, *, post_id: int, group_id: int, seq: int | None, question: Question, final_at: datetime, is_host: bool
) -> None:
    """Keep what was asked in a post.

    Args:
        tx: The transaction.
        post_id: The post.
        group_id: Its group.
        seq: Its entry; None while it waits for the host.
        question: What is asked.
        final_at: Not before this the last count is made.
        is_host: Whether the group is hosted here, so that this node counts.
    """
    inserted = await tx.run(
        _INSERT,
        post_id=post_id,
        group_id=group_id,
        is_multiple=question.is_multiple,
        is_hidden=question.is_hidden,
        ends_at=question.ends_at,
        final_at=final_at,
        counted_at=tx.now,
        seq=seq,
        due_at=final_at if is_host else None,
    )
    for place, name in enumerate(question.answers) if inserted else ():
        await tx.run(_INSERT_ANSWER, post_id=post_id, place=place, name=name)


async def list_polls(tx: Tx, *, viewer_id: int, post_ids: Iterable[int]) -> dict[int, Poll]:
    """Return the polls among posts that the caller has read through a viewer, with that viewer's own votes.

    Cost: one statement where none of them is a poll, three otherwise.
    """
    rows = await tx.all(_POLLS, post_ids=list(post_ids))
    if not rows:
        return {}
    ids = [row.post_id for row in rows]
    answers: dict[int, list[Answer]] = {}
    for row in await tx.all(_ANSWERS, post_ids=ids):
        answers.setdefault(row.post_id, []).append(Answer(row.name, int(row.votes)))
    own: dict[int, dict[int, str]] = {}
    refusals: dict[int, str] = {}
    for row in await tx.all(_OWN, post_ids=ids, viewer_id=viewer_id):
        own.setdefault(row.post_id, {})[row.place] = row.state
        if row.state == "refused":
            refusals[row.post_id] = row.reason or ""
    return {
        row.post_id: Poll(
            post_id=row.post_id,
            ends_at=row.ends_at,
            closed_at=row.closed_at,
            is_over=row.closed_at is not None or row.ends_at <= tx.now,
            is_multiple=row.is_multiple,
            is_hidden=row.is_hidden,
            voters=int(row.voters),
            answers=tuple(answers.get(row.post_id, ())),
            own=tuple(place for place, state in own.get(row.post_id, {}).items() if state in ("waiting", "counted")),
            own_state=_sum_up(own.get(row.post_id, {}).values()),
            refusal=refusals.get(row.post_id, ""),
        )
        for row in rows
    }


async def find_poll(tx: Tx, *, post_id: int) -> Poll | None:
    """Return a poll for the corridor, whoever may read it; without anybody's vote."""
    return (await list_polls(tx, viewer_id=0, post_ids=[post_id])).get(post_id)


async def set_counts(tx: Tx, *, post_id: int, counted: Counted) -> None:
    """Take over what the host has told."""
    for place, votes in enumerate(counted.votes or ()):
        await tx.run(_SET_ANSWER, post_id=post_id, place=place, votes=votes)
    await tx.run(_SET_VOTERS, post_id=post_id, voters=counted.voters)


async def close_poll(tx: Tx, *, post_id: int, seq: int) -> None:
    """Say that a poll was counted for the last time."""
    await tx.run(_CLOSE, post_id=post_id, seq=seq, now_at=tx.now)


async def reopen_polls(tx: Tx, *, group_id: int, seq: int) -> None:
    """Let the polls of a copy be open again whose last count stood in entries that were taken back."""
    await tx.run(_REOPEN, group_id=group_id, seq=seq)


async def list_concerned(tx: Tx, *, post_id: int, group_id: int, seq: int) -> list[int]:
    """Return the active members of this node who asked or voted in a poll, so that they are told of its end.

    Who comes back to a group is not told again of what ended before.

    Args:
        tx: The transaction that ends it.
        post_id: The poll.
        group_id: Its group.
        seq: The entry that ends it.
    """
    return [row.actor_id for row in await tx.all(_CONCERNED, post_id=post_id, group_id=group_id, seq=seq)]


async def drop_poll(tx: Tx, *, post_id: int) -> None:
    """Delete what was asked in a post that was taken away, with all votes; does nothing for other posts."""
    if await tx.run(_DROP, post_id=post_id):
        await tx.run(_DROP_ANSWERS, post_id=post_id)
        await tx.run(_DROP_VOTES, post_id=post_id)


async def purge_polls(tx: Tx, *, group_id: int) -> None:
    """Delete every poll of a group."""
    await tx.run(_PURGE_ANSWERS, group_id=group_id)
    await tx.run(_PURGE_VOTES, group_id=group_id)
    await tx.run(_PURGE, group_id=group_id)


def _sum_up(states: Iterable[str]) -> str:
    """Return what became of a ballot whose votes are answered one by one."""
    found = set(states)
    return next((state for state in ("waiting", "counted", "unknown", "refused") if state in found), "")

"""What arrived and waits for its handler. Dedupe lasts as long as the row: an id is taken once, for ever."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from .engine import Tx

_INSERT = """INSERT INTO activities (activity_id, uri, peer_id, actor_uri, type, digest, document, state, tries, due_at,
   reason, received_at)
  VALUES (:activity_id, :uri, :peer_id, :actor_uri, :type, :digest, :document, :state, 0, :now_at, NULL, :now_at)
  ON CONFLICT (uri) DO NOTHING"""
_DIGEST = "SELECT digest FROM activities WHERE uri = :uri"
_WAITING = """SELECT activity_id, uri, peer_id, actor_uri, type, document, tries FROM activities
  WHERE state = 'waiting' AND due_at <= :now_at AND NOT (peer_id IN :frozen_ids) ORDER BY activity_id LIMIT 200"""
_FINISH = """UPDATE activities SET state = :state, reason = :reason, document = '' WHERE activity_id = :activity_id
  AND state = 'waiting'"""
_LATER = (
    """UPDATE activities SET tries = tries + 1, due_at = :due_at, reason = :reason WHERE activity_id = :activity_id"""
)
_DEAD = "UPDATE activities SET state = 'dead', reason = :reason WHERE activity_id = :activity_id"
_RETRY_DEAD = """UPDATE activities SET state = 'waiting', tries = 0, due_at = :now_at
  WHERE state = 'dead' AND activity_id = :activity_id"""
_LIST_DEAD = """SELECT activity_id, peer_id, uri, type, reason, received_at, tries FROM activities
  WHERE state = 'dead' ORDER BY activity_id LIMIT 200"""
_BACKLOG = """SELECT peer_id, COUNT(*) AS n, MIN(due_at) AS oldest_at FROM activities
  WHERE state = 'waiting' AND due_at <= :now_at AND NOT (peer_id IN :frozen_ids) GROUP BY peer_id"""
_COUNT_WAITING = "SELECT COUNT(*) AS n FROM activities WHERE state = 'waiting'"
_COUNT_DEAD = "SELECT COUNT(*) AS n FROM activities WHERE state = 'dead'"
_COUNT = "SELECT COUNT(*) AS n FROM activities"
_DROP_OF_PEER = """UPDATE activities SET state = 'dropped', reason = :reason, document = ''
  WHERE peer_id = :peer_id AND state = 'waiting'"""
_CALL_BACK = """UPDATE activities SET state = 'dropped', reason = :reason, document = ''
  WHERE uri = :uri AND actor_uri = :actor_uri AND type = :type AND state = 'waiting'"""
_FORGET_LETTERS = "DELETE FROM activities WHERE state = 'dead' AND actor_uri = :actor_uri AND type = :type"


@dataclass(frozen=True, slots=True)
class WaitingActivity:
    """An activity that was answered with 202 and not yet acted on."""

    activity_id: int
    uri: str
    peer_id: int
    actor_uri: str
    type: str
    document: str
    tries: int


async def insert_activity(
    tx: Tx,
    *,
    activity_id: int,
    uri: str,
    peer_id: int,
    actor_uri: str,
    type: str,
    digest: str,
    document: str,
    state: str = "waiting",
) -> bool:
    """Keep an activity unless its id was taken; return whether it was kept."""
    done = await tx.run(
        _INSERT,
        activity_id=activity_id,
        uri=uri,
        peer_id=peer_id,
        actor_uri=actor_uri,
        type=type,
        digest=digest,
        document=document,
        state=state,
        now_at=tx.now,
    )
    return done == 1


async def get_digest(tx: Tx, *, uri: str) -> str | None:
    """Return the digest of the body under which an id was taken."""
    return await tx.value(_DIGEST, uri=uri)  # type: ignore[no-any-return]


async def list_waiting(tx: Tx, *, frozen_ids: list[int]) -> list[WaitingActivity]:
    """Return at most 200 activities that are due, in the order of their arrival, without those of frozen peers."""
    rows = await tx.all(_WAITING, now_at=tx.now, frozen_ids=frozen_ids)
    return [WaitingActivity(*row) for row in rows]


async def finish_activity(tx: Tx, *, activity_id: int, state: str, reason: str | None = None) -> bool:
    """Mark an activity `done` or `dropped` and forget its text; False when somebody else had finished it."""
    return await tx.run(_FINISH, activity_id=activity_id, state=state, reason=reason) == 1


async def call_back_activity(tx: Tx, *, uri: str, actor_uri: str, type: str, reason: str) -> bool:
    """Drop an activity that still waits, as whoever sent it wants; False when none of theirs waits under this id."""
    return await tx.run(_CALL_BACK, uri=uri, actor_uri=actor_uri, type=type, reason=reason) == 1


async def postpone_activity(tx: Tx, *, activity_id: int, due_at: datetime, reason: str) -> None:
    """Try an activity again at `due_at`."""
    await tx.run(_LATER, activity_id=activity_id, due_at=due_at, reason=reason)


async def bury_activity(tx: Tx, *, activity_id: int, reason: str) -> None:
    """Make a dead letter of an activity: kept whole, for the operator."""
    await tx.run(_DEAD, activity_id=activity_id, reason=reason)


async def retry_dead_activity(tx: Tx, *, activity_id: int) -> bool:
    """Give a dead letter another life; False when there is none with this number."""
    return await tx.run(_RETRY_DEAD, activity_id=activity_id, now_at=tx.now) == 1


async def forget_letters(tx: Tx, *, actor_uri: str, type: str) -> None:
    """Delete an actor's dead letters of one type."""
    await tx.run(_FORGET_LETTERS, actor_uri=actor_uri, type=type)


async def list_dead_activities(tx: Tx) -> list[Any]:
    """Return at most 200 dead letters, oldest first."""
    return await tx.all(_LIST_DEAD)


async def list_backlog(tx: Tx, *, frozen_ids: list[int]) -> list[tuple[int, int, datetime]]:
    """Return (peer, how many of its activities are due, since when the longest) without those of frozen peers."""
    return [(row.peer_id, row.n, row.oldest_at) for row in await tx.all(_BACKLOG, now_at=tx.now, frozen_ids=frozen_ids)]


async def count_waiting(tx: Tx) -> int:
    """Return how many activities wait for their handler."""
    return int(await tx.value(_COUNT_WAITING))


async def count_dead_activities(tx: Tx) -> int:
    """Return how many activities could not be handled."""
    return int(await tx.value(_COUNT_DEAD))


async def count_activities(tx: Tx) -> int:
    """Return how many activities were ever taken."""
    return int(await tx.value(_COUNT))


async def drop_waiting_of(tx: Tx, *, peer_id: int, reason: str) -> None:
    """Drop what a peer sent and nobody has acted on yet."""
    await tx.run(_DROP_OF_PEER, peer_id=peer_id, reason=reason)

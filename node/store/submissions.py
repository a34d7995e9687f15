"""Our members' activities in groups hosted elsewhere: kept until they come back in the host's order, or with a no."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from .engine import Tx

_COLUMNS = "activity_uri, group_id, actor_id, post_id, kind, document, state, reason, submitted_at, resend_at"
_INSERT = """INSERT INTO submissions (activity_uri, group_id, actor_id, post_id, kind, document, state, reason, submitted_at,
   answered_at, resend_at)
  VALUES (:activity_uri, :group_id, :actor_id, :post_id, :kind, :document, 'waiting', NULL, :submitted_at, NULL, :resend_at)"""
_GET = f"SELECT {_COLUMNS} FROM submissions WHERE activity_uri = :activity_uri"
_CONFIRM = """UPDATE submissions SET state = 'in_log', document = '', answered_at = :now_at
  WHERE activity_uri = :activity_uri"""
_REOPEN = """UPDATE submissions SET state = 'waiting', document = :document, resend_at = :now_at
  WHERE activity_uri = :activity_uri AND state = 'in_log'"""
_REFUSE = """UPDATE submissions SET state = :state, document = '', reason = :reason, answered_at = :now_at
  WHERE activity_uri = :activity_uri AND state IN ('waiting', 'held')"""
_HOLD = """UPDATE submissions SET state = 'held', resend_at = :resend_at, answered_at = :now_at
  WHERE activity_uri = :activity_uri AND state = 'waiting'"""
_DUE = f"""SELECT {_COLUMNS} FROM submissions WHERE state IN ('waiting', 'held') AND resend_at <= :now_at
  ORDER BY resend_at LIMIT 50"""
_RESENT = "UPDATE submissions SET resend_at = :resend_at WHERE activity_uri = :activity_uri"
_REPLACE = "UPDATE submissions SET document = :document WHERE activity_uri = :activity_uri"
_OF_POST = f"""SELECT {_COLUMNS} FROM submissions WHERE post_id = :post_id AND state IN ('waiting', 'held')
  ORDER BY submitted_at"""
_COUNT = "SELECT COUNT(*) AS n FROM submissions WHERE state = 'waiting'"
_IN_STREAM = "SELECT 1 AS yes FROM stream_entries WHERE activity_uri = :activity_uri LIMIT 1"


@dataclass(frozen=True, slots=True)
class Submission:
    """One activity on its way. state: waiting, held (by a moderator), in_log, rejected, withdrawn."""

    activity_uri: str
    group_id: int
    actor_id: int
    post_id: int | None
    kind: str
    document: str
    state: str
    reason: str | None
    submitted_at: datetime
    resend_at: datetime


async def insert_submission(
    tx: Tx, *, activity_uri: str, group_id: int, actor_id: int, post_id: int | None, kind: str, document: str,
    resend_at: datetime,
) -> None:  # fmt: skip
    """Remember what was sent to a group's host."""
    await tx.run(
        _INSERT,
        activity_uri=activity_uri,
        group_id=group_id,
        actor_id=actor_id,
        post_id=post_id,
        kind=kind,
        document=document,
        submitted_at=tx.now,
        resend_at=resend_at,
    )


async def get_submission(tx: Tx, *, activity_uri: str) -> Submission | None:
    """Return a submission by the id of its activity."""
    row = await tx.one(_GET, activity_uri=activity_uri)
    return Submission(*row) if row else None


async def confirm_submission(tx: Tx, *, activity_uri: str) -> None:
    """It came back in the host's order; its text is kept there now. Does nothing for what was not submitted here."""
    await tx.run(_CONFIRM, activity_uri=activity_uri, now_at=tx.now)


async def reopen_submission(tx: Tx, *, activity_uri: str, document: str) -> None:
    """It stands in the host's log no more, which was restored: it is sent again. Does nothing for what others said."""
    await tx.run(_REOPEN, activity_uri=activity_uri, document=document, now_at=tx.now)


async def refuse_submission(tx: Tx, *, activity_uri: str, state: str, reason: str) -> bool:
    """It will not come back: `rejected` by the host, or `withdrawn` here; False when that is known."""
    return await tx.run(_REFUSE, activity_uri=activity_uri, state=state, reason=reason, now_at=tx.now) == 1


async def hold_submission(tx: Tx, *, activity_uri: str, resend_at: datetime) -> None:
    """It waits for a moderator at the host; ask again at `resend_at`."""
    await tx.run(_HOLD, activity_uri=activity_uri, resend_at=resend_at, now_at=tx.now)


async def list_submissions_due(tx: Tx) -> list[Submission]:
    """Return at most 50 submissions that have not come back in time."""
    return [Submission(*row) for row in await tx.all(_DUE, now_at=tx.now)]


async def list_waiting_of_post(tx: Tx, *, post_id: int) -> list[Submission]:
    """Return what was submitted about a post and is not answered, oldest first."""
    return [Submission(*row) for row in await tx.all(_OF_POST, post_id=post_id)]


async def mark_resent(tx: Tx, *, activity_uri: str, resend_at: datetime) -> None:
    """Ask again at `resend_at`."""
    await tx.run(_RESENT, activity_uri=activity_uri, resend_at=resend_at)


async def is_in_stream(tx: Tx, *, activity_uri: str) -> bool:
    """Return whether an activity still waits to be delivered."""
    return await tx.value(_IN_STREAM, activity_uri=activity_uri) is not None


async def count_submissions(tx: Tx) -> int:
    """Return how many submissions wait for their host."""
    return int(await tx.value(_COUNT))


async def replace_document(tx: Tx, *, activity_uri: str, document: str) -> None:
    """Put other words into a submission that has not been delivered."""
    await tx.run(_REPLACE, activity_uri=activity_uri, document=document)

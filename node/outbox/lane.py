"""The lane: how one stream reaches one peer. A pure state machine; `deliver` is its hands.

*How it works.* A stream is an ordered list of entries; a lane is (peer, stream, cursor). One request is in flight per
lane. What the peer answers moves the cursor, or the time of the next try, or both; nothing is ever dropped by age.

    answer                          what it means            what the lane does
    2xx                             stored                   cursor + 1, or to what the peer says it holds
    400 413 415 422                 this entry               3 tries, then a dead letter, and on;
                                                             a group's log never skips: it holds and tells
    401 403                         key, clock, allow-list   hold everything, try again on schedule
    404 410, 3xx                    moved, gone, misplaced   pause; the operator is told; try again hourly
    409 with a position             gap or rollback          cursor to what the peer holds
    408 425 429 5xx, no answer      the peer is down         back off; Retry-After up to an hour

Back-off: 5 s, doubled, ± 50 %, at most an hour; contact from the peer clears it.

A peer that lacks much takes it by itself, page by page (`inbox/pull`): as long as it says that it holds more than it was
brought, it is brought one entry a second, which tells it where the log ends, and it sets the pace.

Spec: reliability.md 4.5; wire.md 4.11.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import Enum

FIRST_DELAY_SECONDS = 5.0
LONGEST_DELAY_SECONDS = 3600.0
ITEM_TRIES = 3
# A peer that lacks more than this, and takes it by itself, is brought something this often.
FAR_BEHIND = 64
KNOCK_SECONDS = 1.0
# Contact brings the next try of a lane forward this often: a peer that speaks all the time and refuses is not asked each time.
CONTACT_SECONDS = 60.0
TOO_MANY = 429
_ITEM_DELAY_SECONDS = (60.0, 300.0)
_ITEM = frozenset({400, 413, 415, 422})
_HOLD = frozenset({401, 403})
_GONE = frozenset({404, 410})

SENTENCES = {
    "unreachable": "The peer could not be reached.",
    "unavailable": "The peer is there but says that it cannot take anything now.",
    "refused": "The peer does not accept our signature: compare keys, clocks and both allow-lists.",
    "gone": "The address we deliver to is not there any more.",
    "redirect": "The peer sends us to another address; its base URL may have changed.",
    "item": "The peer cannot take this entry.",
    "position": "The peer's copy of the group's log does not fit ours.",
}


class Outcome(Enum):
    """What becomes of the entry that was tried."""

    ADVANCE = "advance"
    REWIND = "rewind"
    KEEP = "keep"
    DEAD = "dead"


@dataclass(frozen=True, slots=True)
class Lane:
    """How far one stream has got to one peer.

    cursor: the position of the last entry the peer has. state: idle, due, backoff or paused.
    fails: tries in a row that did not reach the peer. item_tries: tries in a row that the peer refused for the entry.
    error_since_at: since when nothing was taken, whatever was wrong each time: a dead peer behind a proxy is silent at one
    try and unavailable at the next.
    """

    cursor: int
    state: str
    fails: int
    item_tries: int
    due_at: datetime
    error_code: str | None = None
    error_status: int | None = None
    error_sentence: str | None = None
    error_since_at: datetime | None = None
    last_success_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Reply:
    """What came back from one try.

    status: the HTTP status; 0 when there was no answer at all.
    held_seq: the position the peer says it holds, when it says so.
    retry_after_seconds: what the peer asks for, when it asks.
    """

    status: int
    held_seq: int | None = None
    retry_after_seconds: float | None = None


def advance(
    lane: Lane, reply: Reply, *, position: int, head: int, may_skip: bool, now: datetime, chance: float
) -> tuple[Lane, Outcome]:
    """Return the lane after a try, and what becomes of the entry.

    Args:
        lane: Before the try.
        reply: What came back.
        position: The entry that was tried.
        head: The newest entry of the stream; a peer cannot hold more.
        may_skip: Whether the stream can go on without an entry; a group's log cannot.
        now: The instant of the answer.
        chance: A random number from 0 to 1, for the spread of back-off.
    """
    status = reply.status
    if 200 <= status < 300:
        held = position if reply.held_seq is None else min(max(reply.held_seq, position), head)
        after = _cleared(lane, held, now)
        if held > position and head - held > FAR_BEHIND:
            after = replace(after, state="due", due_at=now + timedelta(seconds=KNOCK_SECONDS))
        return after, Outcome.ADVANCE
    if status == 409 and reply.held_seq is not None:
        return _after_conflict(lane, reply.held_seq, position=position, head=head, now=now, chance=chance)
    if status in _ITEM and not may_skip:
        return _held(lane, "backoff", "item", status, now, chance), Outcome.KEEP
    if status in _ITEM:
        return _after_refused_item(lane, position, status=status, now=now)
    if status in _HOLD:
        return _held(lane, "backoff", "refused", status, now, chance), Outcome.KEEP
    if status in _GONE:
        return _held(lane, "paused", "gone", status, now, chance), Outcome.KEEP
    if 300 <= status < 400:
        return _held(lane, "paused", "redirect", status, now, chance), Outcome.KEEP
    code = "unavailable" if status else "unreachable"
    after = _held(lane, "backoff", code, status or None, now, chance)
    if reply.retry_after_seconds is not None:
        wait = min(max(reply.retry_after_seconds, 1.0), LONGEST_DELAY_SECONDS)
        after = replace(after, due_at=now + timedelta(seconds=wait))
    return after, Outcome.KEEP


def contact(lane: Lane, *, now: datetime, delay_seconds: float) -> Lane:
    """Return the lane after a valid signed request from the peer: what waited for it to come back is due soon.

    A peer that asked for time was there all along; it gets the time.
    """
    if lane.state not in ("backoff", "paused") or lane.error_status == TOO_MANY:
        return lane
    return replace(lane, state="due", due_at=min(lane.due_at, now + timedelta(seconds=delay_seconds)))


def backoff_seconds(fails: int, chance: float) -> float:
    """Return how long to wait after `fails` failures in a row: 5 s doubled, ± 50 %, at most an hour."""
    grown = min(FIRST_DELAY_SECONDS * 2.0 ** min(fails - 1, 20), LONGEST_DELAY_SECONDS)
    return min(grown * (0.5 + chance), LONGEST_DELAY_SECONDS)


def _cleared(lane: Lane, cursor: int, now: datetime) -> Lane:
    return Lane(cursor=cursor, state="idle", fails=0, item_tries=0, due_at=now, last_success_at=now)


def _held(lane: Lane, state: str, code: str, status: int | None, now: datetime, chance: float) -> Lane:
    fails = lane.fails + 1
    return replace(
        lane,
        state=state,
        fails=fails,
        due_at=now + timedelta(seconds=backoff_seconds(fails, chance)),
        error_code=code,
        error_status=status,
        error_sentence=SENTENCES[code],
        error_since_at=lane.error_since_at or now,
    )


def _after_conflict(
    lane: Lane, held: int, *, position: int, head: int, now: datetime, chance: float
) -> tuple[Lane, Outcome]:
    """A peer that holds less, or more, than we thought is followed; one that stands where we stand has another chain."""
    if held != position - 1 and held <= head:
        rewound = replace(lane, cursor=held, state="due", due_at=now, item_tries=0, fails=lane.fails)
        return rewound, Outcome.REWIND
    return _held(lane, "backoff", "position", 409, now, chance), Outcome.KEEP


def _after_refused_item(lane: Lane, position: int, *, status: int, now: datetime) -> tuple[Lane, Outcome]:
    tries = lane.item_tries + 1
    if tries >= ITEM_TRIES:
        return replace(_cleared(lane, position, now), last_success_at=lane.last_success_at), Outcome.DEAD
    waiting = replace(
        lane,
        state="backoff",
        item_tries=tries,
        due_at=now + timedelta(seconds=_ITEM_DELAY_SECONDS[tries - 1]),
        error_code="item",
        error_status=status,
        error_sentence=SENTENCES["item"],
        error_since_at=lane.error_since_at or now,
    )
    return waiting, Outcome.KEEP

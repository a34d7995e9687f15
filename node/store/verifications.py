"""Verifications in the store: how sure we are of each member of ours."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from node.domain.verification import Verification

from . import journal
from .engine import Tx

_COLUMNS = """v.actor_id, v.level, v.state, v.methods, v.jurisdiction, v.register, v.number_end, v.since_at, v.checked_at,
  v.lapses_at, v.changed_at, v.decided_by"""
_GET = f"SELECT {_COLUMNS} FROM verifications v WHERE v.actor_id = :actor_id"
_TAKE = "UPDATE verifications SET changed_at = changed_at WHERE actor_id = :actor_id RETURNING actor_id"
_LIST = f"""SELECT {_COLUMNS}, m.class AS stage FROM verifications v JOIN members m ON m.actor_id = v.actor_id
  WHERE v.actor_id IN :actor_ids"""
_MARK = "SELECT register, number_mark FROM verifications WHERE actor_id = :actor_id"
_PUT = """INSERT INTO verifications (actor_id, level, state, methods, jurisdiction, register, number_end, number_mark,
   since_at, checked_at, lapses_at, changed_at, decided_by)
  VALUES (:actor_id, :level, :state, :methods, :jurisdiction, :register, :number_end,
   COALESCE(CAST(:number_mark AS TEXT), ''), :since_at, :checked_at, :lapses_at, :changed_at, :decided_by)
  ON CONFLICT (actor_id) DO UPDATE SET level = excluded.level, state = excluded.state, methods = excluded.methods,
   jurisdiction = excluded.jurisdiction, register = excluded.register, number_end = excluded.number_end,
   number_mark = COALESCE(CAST(:number_mark AS TEXT), verifications.number_mark),
   since_at = excluded.since_at, checked_at = excluded.checked_at, lapses_at = excluded.lapses_at,
   changed_at = excluded.changed_at, decided_by = excluded.decided_by"""
_SET_STATE = """UPDATE verifications SET state = :state, changed_at = :changed_at, decided_by = :decided_by
  WHERE actor_id = :actor_id"""
_URI = "SELECT uri FROM actors WHERE actor_id = :actor_id"
_SET_LEVEL = "UPDATE members SET assurance = :level WHERE actor_id = :actor_id"
_SET_CLASS = "UPDATE members SET class = :member_class WHERE actor_id = :actor_id"
_LAPSED = f"""SELECT {_COLUMNS} FROM verifications v WHERE v.state = 'current' AND v.lapses_at <= :now_at
  ORDER BY v.lapses_at LIMIT 200"""
_WITHOUT_WORD = f"""SELECT {_COLUMNS} FROM verifications v LEFT JOIN attestations t
   ON t.actor_id = v.actor_id AND t.through_host = ''
  WHERE t.actor_id IS NULL ORDER BY v.actor_id LIMIT 200"""
_TO_RENEW = f"""SELECT {_COLUMNS} FROM verifications v JOIN attestations t
   ON t.actor_id = v.actor_id AND t.through_host = ''
  WHERE (t.starts_at + t.ends_at) / 2 <= :now_at AND (v.state <> 'current' OR v.lapses_at > t.ends_at)
  ORDER BY t.ends_at LIMIT 200"""
_ATTESTED = """SELECT v.actor_id FROM verifications v JOIN attestations t
   ON t.actor_id = v.actor_id AND t.through_host = '' WHERE v.actor_id > :after ORDER BY v.actor_id LIMIT 500"""
_CALENDAR = """SELECT m.handle, a.name, v.level, v.state, v.lapses_at, v.changed_at
  FROM verifications v JOIN members m ON m.actor_id = v.actor_id JOIN actors a ON a.actor_id = v.actor_id
  WHERE m.state IN ('active', 'invited') AND (v.state = 'suspended' OR (v.state IN ('current', 'ended')
   AND v.lapses_at <= :until_at)) ORDER BY v.lapses_at LIMIT 200"""
_BY_MARK = """SELECT m.handle FROM verifications v JOIN members m ON m.actor_id = v.actor_id
  WHERE v.number_mark = :number_mark AND v.actor_id <> :actor_id ORDER BY m.handle LIMIT 20"""


async def get_verification(tx: Tx, *, actor_id: int) -> Verification | None:
    """Return what is recorded of a member, whatever its state."""
    row = await tx.one(_GET, actor_id=actor_id)
    return _verification(row) if row else None


async def get_number_mark(tx: Tx, *, actor_id: int) -> Any | None:
    """Return (register, number_mark) of a member."""
    return await tx.one(_MARK, actor_id=actor_id)


async def take_verification(tx: Tx, *, actor_id: int) -> Verification | None:
    """Lock what is recorded of a member for this transaction, and return it."""
    if await tx.value(_TAKE, actor_id=actor_id) is None:
        return None
    return await get_verification(tx, actor_id=actor_id)


async def list_verifications(tx: Tx, *, actor_ids: list[int]) -> dict[int, tuple[Verification, str]]:
    """Return (verification, stage) of those of some actors who are members of ours and have one, by number."""
    return {row.actor_id: (_verification(row[:12]), row.stage) for row in await tx.all(_LIST, actor_ids=actor_ids)}


async def put_verification(
    tx: Tx, *, verification: Verification, number_mark: str | None, member_class: str | None
) -> None:
    """Record a member's verification in place of an earlier one; their level and, where given, their class follow.

    A keyed hash of None leaves the one that is kept.
    """
    await tx.run(
        _PUT,
        actor_id=verification.actor_id,
        level=verification.level,
        state=verification.state,
        methods=" ".join(verification.methods),
        jurisdiction=verification.jurisdiction,
        register=verification.register,
        number_end=verification.number_end,
        number_mark=number_mark,
        since_at=verification.since_at,
        checked_at=verification.checked_at,
        lapses_at=verification.lapses_at,
        changed_at=verification.changed_at,
        decided_by=verification.decided_by,
    )
    await _set_level(tx, verification, verification.state)
    if member_class is not None:
        await tx.run(_SET_CLASS, actor_id=verification.actor_id, member_class=member_class)


async def update_verification_state(tx: Tx, *, verification: Verification, state: str, by: str) -> None:
    """End, suspend, revoke or resume a verification; the member's level follows."""
    await tx.run(_SET_STATE, actor_id=verification.actor_id, state=state, changed_at=tx.now, decided_by=by)
    await _set_level(tx, verification, state)


async def _set_level(tx: Tx, verification: Verification, state: str) -> None:
    """Let a member's level follow, and note it where no restore undoes it."""
    level = verification.level if state == "current" else "A0"
    await tx.run(_SET_LEVEL, actor_id=verification.actor_id, level=level)
    uri = await tx.value(_URI, actor_id=verification.actor_id)
    await journal.note(tx, "verification", actor=uri, level=level, state=state)


async def list_lapsed(tx: Tx) -> list[Verification]:
    """Return at most 200 verifications that have lapsed and nobody noted it."""
    return [_verification(row) for row in await tx.all(_LAPSED, now_at=tx.now)]


async def list_without_word(tx: Tx) -> list[Verification]:
    """Return at most 200 verifications about which this node has made no statement."""
    return [_verification(row) for row in await tx.all(_WITHOUT_WORD)]


async def list_to_renew(tx: Tx) -> list[Verification]:
    """Return at most 200 verifications whose statement has lived half its life and can live longer."""
    return [_verification(row) for row in await tx.all(_TO_RENEW, now_at=tx.now)]


async def list_attested_members(tx: Tx, *, after: int = 0) -> list[int]:
    """Return the numbers of up to 500 members of whom this node states something."""
    return [row.actor_id for row in await tx.all(_ATTESTED, after=after)]


async def list_calendar(tx: Tx, *, until_at: datetime) -> list[Any]:
    """Return (handle, name, level, state, lapses_at, changed_at) of what is to be looked at again, the earliest first."""
    return await tx.all(_CALENDAR, until_at=until_at)


async def list_with_number(tx: Tx, *, number_mark: str, actor_id: int) -> list[str]:
    """Return the handles of other members who were verified by the same number."""
    return [row.handle for row in await tx.all(_BY_MARK, number_mark=number_mark, actor_id=actor_id)]


def _verification(row: Any) -> Verification:
    values = list(row)
    values[3] = tuple(values[3].split())
    return Verification(*values)

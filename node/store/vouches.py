"""Vouches in the store: the codes that applicants show, and what colleagues said. Of a code two hashes are kept."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from node.domain.vouching import WITHIN, Vouch

from .engine import Tx

_LEVEL_NOW = (
    """CASE WHEN m.state = 'active' AND v.state = 'current' AND v.lapses_at > :now_at THEN v.level ELSE 'A0' END"""
)
_PUT_CODE = """INSERT INTO vouch_codes (application_id, token_hash, words_hash, expires_at)
  VALUES (:application_id, :token_hash, :words_hash, :expires_at)
  ON CONFLICT (application_id) DO UPDATE SET token_hash = excluded.token_hash, words_hash = excluded.words_hash,
   expires_at = excluded.expires_at"""
_FIND_CODE = """SELECT p.application_id, p.actor_id, a.name, a.uri, m.handle, p.member_class, p.specialty, c.expires_at
  FROM vouch_codes c JOIN applications p ON p.application_id = c.application_id
  JOIN members m ON m.actor_id = p.actor_id JOIN actors a ON a.actor_id = p.actor_id
  WHERE (c.token_hash = :code_hash OR c.words_hash = :code_hash) AND c.expires_at > :now_at
   AND p.state IN ('waiting', 'asked') AND m.state = 'active'"""
_SPEND_CODE = """DELETE FROM vouch_codes
  WHERE (token_hash = :code_hash OR words_hash = :code_hash) AND expires_at > :now_at RETURNING application_id"""
_DROP_CODES = "DELETE FROM vouch_codes WHERE expires_at <= :now_at"
_INSERT = """INSERT INTO vouches (vouch_id, application_id, voucher_id, level, given_at, withdrawn_at)
  VALUES (:vouch_id, :application_id, :voucher_id, :level, :given_at, NULL)"""
_COUNT_LATELY = "SELECT COUNT(*) AS n FROM vouches WHERE voucher_id = :voucher_id AND given_at > :since_at"
_HAS_VOUCHED = """SELECT 1 AS yes FROM vouches
  WHERE application_id = :application_id AND voucher_id = :voucher_id AND withdrawn_at IS NULL"""
_OF_APPLICATION = f"""SELECT o.vouch_id, o.voucher_id, a.name, m.handle, o.level, {_LEVEL_NOW} AS level_now, o.given_at,
   (SELECT COUNT(*) FROM vouches l WHERE l.voucher_id = o.voucher_id AND l.given_at > :since_at) AS given_lately,
   CASE WHEN EXISTS (SELECT 1 FROM invitations i JOIN applications p ON p.actor_id = i.used_by
    WHERE p.application_id = o.application_id AND i.inviter_id = o.voucher_id) THEN 1 ELSE 0 END AS is_inviter
  FROM vouches o JOIN members m ON m.actor_id = o.voucher_id JOIN actors a ON a.actor_id = o.voucher_id
  LEFT JOIN verifications v ON v.actor_id = o.voucher_id
  WHERE o.application_id = :application_id AND o.withdrawn_at IS NULL ORDER BY o.given_at, o.vouch_id LIMIT 20"""
_GIVEN = """SELECT o.vouch_id, a.name, m.handle, p.state, o.given_at, o.withdrawn_at
  FROM vouches o JOIN applications p ON p.application_id = o.application_id
  JOIN members m ON m.actor_id = p.actor_id JOIN actors a ON a.actor_id = p.actor_id
  WHERE o.voucher_id = :voucher_id ORDER BY o.vouch_id DESC LIMIT 20"""
_MINE = """SELECT o.application_id, m.handle FROM vouches o JOIN applications p ON p.application_id = o.application_id
  JOIN members m ON m.actor_id = p.actor_id
  WHERE o.vouch_id = :vouch_id AND o.voucher_id = :voucher_id AND o.withdrawn_at IS NULL"""
_WITHDRAW = "UPDATE vouches SET withdrawn_at = :now_at WHERE vouch_id = :vouch_id"
_TAKE = """UPDATE applications SET state = state WHERE application_id = :application_id AND state IN ('waiting', 'asked')
  RETURNING actor_id"""


@dataclass(frozen=True, slots=True)
class Shown:
    """The person behind a code that can still be used."""

    application_id: int
    actor_id: int
    name: str
    uri: str
    handle: str
    member_class: str
    specialty: str
    expires_at: datetime


@dataclass(frozen=True, slots=True)
class Given:
    """A vouch, as whoever gave it sees it. state: of the application."""

    vouch_id: int
    name: str
    handle: str
    state: str
    given_at: datetime
    withdrawn_at: datetime | None

    @property
    def may_withdraw(self) -> bool:
        """Whether nothing was decided yet."""
        return self.withdrawn_at is None and self.state in ("waiting", "asked")


async def put_code(tx: Tx, *, application_id: int, token_hash: str, words_hash: str, expires_at: datetime) -> None:
    """Keep the hashes of an applicant's code in place of the last one; codes that are over go.

    Raises:
        Duplicate: These words stand for somebody else's code at this moment.
    """
    await tx.run(_DROP_CODES, now_at=tx.now)
    await tx.run(
        _PUT_CODE, application_id=application_id, token_hash=token_hash, words_hash=words_hash, expires_at=expires_at
    )


async def find_code(tx: Tx, *, code_hash: str) -> Shown | None:
    """Return who shows a code that can still be used; it is not spent."""
    row = await tx.one(_FIND_CODE, code_hash=code_hash, now_at=tx.now)
    return Shown(*row) if row else None


async def spend_code(tx: Tx, *, code_hash: str) -> bool:
    """Spend a code; False when somebody was quicker, or its time is over."""
    return await tx.one(_SPEND_CODE, code_hash=code_hash, now_at=tx.now) is not None


async def insert_vouch(tx: Tx, *, vouch_id: int, application_id: int, voucher_id: int, level: str) -> None:
    """Keep a vouch.

    Raises:
        Duplicate: One of the same person stands already.
    """
    await tx.run(
        _INSERT, vouch_id=vouch_id, application_id=application_id, voucher_id=voucher_id, level=level, given_at=tx.now
    )


async def count_given_lately(tx: Tx, *, voucher_id: int) -> int:
    """Return how many vouches somebody gave within thirty days, those taken back included."""
    return int(await tx.value(_COUNT_LATELY, voucher_id=voucher_id, since_at=tx.now - WITHIN))


async def has_vouched(tx: Tx, *, application_id: int, voucher_id: int) -> bool:
    """Return whether somebody's vouch for an application stands."""
    return await tx.value(_HAS_VOUCHED, application_id=application_id, voucher_id=voucher_id) is not None


async def list_vouches(tx: Tx, *, application_id: int) -> list[Vouch]:
    """Return the vouches for an application that stand, the oldest first."""
    rows = await tx.all(_OF_APPLICATION, application_id=application_id, now_at=tx.now, since_at=tx.now - WITHIN)
    return [Vouch(*row) for row in rows]


async def list_given(tx: Tx, *, voucher_id: int) -> list[Given]:
    """Return the last 20 vouches that somebody gave, the newest first."""
    return [Given(*row) for row in await tx.all(_GIVEN, voucher_id=voucher_id)]


async def take_open_application(tx: Tx, *, application_id: int) -> bool:
    """Lock an application for this transaction; False when it is decided: what is vouched then comes too late."""
    return await tx.one(_TAKE, application_id=application_id) is not None


async def get_own_vouch(tx: Tx, *, vouch_id: int, voucher_id: int) -> Any | None:
    """Return (application_id, handle of the applicant) of a vouch of somebody's that stands."""
    return await tx.one(_MINE, vouch_id=vouch_id, voucher_id=voucher_id)


async def withdraw_vouch(tx: Tx, *, vouch_id: int) -> None:
    """Take a vouch back; the caller has read that it stands, and locked its application."""
    await tx.run(_WITHDRAW, vouch_id=vouch_id, now_at=tx.now)

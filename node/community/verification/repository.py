"""Statements of the verification desk: applications. The number in them is sealed, and forgotten after the decision."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from node.store.engine import Tx

OPEN = ("waiting", "asked")

_COLUMNS = """p.application_id, p.actor_id, m.handle, a.name, p.state, p.member_class, p.jurisdiction, p.register,
  p.number_end, p.number_mark, p.possession, p.sealed_evidence, p.sealed_note, p.answer, p.is_appeal, p.decided_by,
  p.applied_at, p.decided_at, p.specialty, p.is_shown"""
_FROM = """FROM applications p JOIN members m ON m.actor_id = p.actor_id JOIN actors a ON a.actor_id = p.actor_id"""
_BY_ID = f"SELECT {_COLUMNS} {_FROM} WHERE p.application_id = :application_id"
_NEWEST = f"SELECT {_COLUMNS} {_FROM} WHERE p.actor_id = :actor_id ORDER BY p.application_id DESC LIMIT 1"
_OPEN = f"""SELECT {_COLUMNS} {_FROM} WHERE p.state IN ('waiting', 'asked') AND p.actor_id <> :viewer_id
  ORDER BY p.applied_at, p.application_id LIMIT 200"""
_COUNT_WAITING = "SELECT COUNT(*) AS n FROM applications WHERE state = 'waiting' AND actor_id <> :viewer_id"
_WITH_MARK = """SELECT DISTINCT m.handle FROM applications p JOIN members m ON m.actor_id = p.actor_id
  WHERE p.number_mark = :number_mark AND p.actor_id <> :actor_id ORDER BY m.handle LIMIT 20"""
_INSERT = """INSERT INTO applications (application_id, actor_id, state, member_class, jurisdiction, register, number_end,
   number_mark, possession, sealed_evidence, sealed_note, answer, is_appeal, decided_by, applied_at, decided_at, forget_at,
   specialty, is_shown)
  VALUES (:application_id, :actor_id, 'waiting', :member_class, :jurisdiction, :register, :number_end, :number_mark,
   :possession, :sealed_evidence, NULL, '', :is_appeal, :decided_by, :applied_at, NULL, NULL, :specialty, :is_shown)"""
_SAY_MORE = """UPDATE applications SET state = 'waiting', member_class = :member_class, jurisdiction = :jurisdiction,
   register = :register, number_end = :number_end, number_mark = :number_mark, possession = :possession,
   sealed_evidence = :sealed_evidence, forget_at = NULL, specialty = :specialty, is_shown = :is_shown
  WHERE application_id = :application_id AND state = 'asked'"""
_DECIDE = """UPDATE applications SET state = :state, answer = :answer, sealed_note = :sealed_note, decided_by = :decided_by,
   decided_at = :decided_at, forget_at = :forget_at
  WHERE application_id = :application_id AND state IN ('waiting', 'asked') AND sealed_evidence = :sealed_evidence"""
_FORGET = """UPDATE applications SET sealed_evidence = NULL, sealed_note = NULL, number_mark = '', forget_at = NULL,
   specialty = ''
  WHERE forget_at <= :now_at"""
_COUNT_DESK = """SELECT COUNT(*) AS n FROM members
  WHERE role IN ('verifier', 'operator') AND state = 'active' AND handle <> :handle AND actor_id <> :applicant_id"""


@dataclass(frozen=True, slots=True)
class Application:
    """Somebody's request to be verified.

    possession: how they can show that the number is theirs, names with spaces between.
    sealed_evidence: number and words, locked; None once forgotten. answer: what they are told.
    decided_by: who decided; of an appeal, who declined before.
    specialty: a name of `domain.specialties.KNOWN`, or their own words. is_shown: whether their profile shall show it.
    """

    application_id: int
    actor_id: int
    handle: str
    name: str
    state: str
    member_class: str
    jurisdiction: str
    register: str
    number_end: str
    number_mark: str
    possession: str
    sealed_evidence: str | None
    sealed_note: str | None
    answer: str
    is_appeal: bool
    decided_by: str | None
    applied_at: datetime
    decided_at: datetime | None
    specialty: str = ""
    is_shown: bool = False

    @property
    def is_open(self) -> bool:
        """Whether it is not decided."""
        return self.state in OPEN


async def get_application(tx: Tx, *, application_id: int) -> Application | None:
    """Return an application by our number."""
    row = await tx.one(_BY_ID, application_id=application_id)
    return Application(*row) if row else None


async def get_newest(tx: Tx, *, actor_id: int) -> Application | None:
    """Return a member's newest application."""
    row = await tx.one(_NEWEST, actor_id=actor_id)
    return Application(*row) if row else None


async def list_open(tx: Tx, *, viewer_id: int) -> list[Application]:
    """Return at most 200 applications of others that are not decided, the oldest first."""
    return [Application(*row) for row in await tx.all(_OPEN, viewer_id=viewer_id)]


async def count_waiting(tx: Tx, *, viewer_id: int) -> int:
    """Return how many applications of others wait for the desk."""
    return int(await tx.value(_COUNT_WAITING, viewer_id=viewer_id))


async def list_with_mark(tx: Tx, *, number_mark: str, actor_id: int) -> list[str]:
    """Return the handles of others who gave the same number."""
    return [row.handle for row in await tx.all(_WITH_MARK, number_mark=number_mark, actor_id=actor_id)]


async def insert_application(tx: Tx, *, application: Application) -> None:
    """Keep a new application.

    Raises:
        Duplicate: The member has one that is not decided.
    """
    await tx.run(
        _INSERT,
        application_id=application.application_id,
        actor_id=application.actor_id,
        member_class=application.member_class,
        jurisdiction=application.jurisdiction,
        register=application.register,
        number_end=application.number_end,
        number_mark=application.number_mark,
        possession=application.possession,
        sealed_evidence=application.sealed_evidence,
        is_appeal=application.is_appeal,
        decided_by=application.decided_by,
        applied_at=tx.now,
        specialty=application.specialty,
        is_shown=application.is_shown,
    )


async def say_more(tx: Tx, *, application: Application) -> bool:
    """Put what an applicant who was asked for more says now in place of what they said; False when nobody asked."""
    done = await tx.run(
        _SAY_MORE,
        application_id=application.application_id,
        member_class=application.member_class,
        jurisdiction=application.jurisdiction,
        register=application.register,
        number_end=application.number_end,
        number_mark=application.number_mark,
        possession=application.possession,
        sealed_evidence=application.sealed_evidence,
        specialty=application.specialty,
        is_shown=application.is_shown,
    )
    return done == 1


async def decide_application(
    tx: Tx,
    *,
    application_id: int,
    state: str,
    answer: str,
    sealed_note: str | None,
    by: str,
    forget_at: datetime,
    sealed_evidence: str | None,
) -> bool:
    """Set what became of an application; False when it was decided already, or says something else by now."""
    done = await tx.run(
        _DECIDE,
        application_id=application_id,
        state=state,
        answer=answer,
        sealed_note=sealed_note,
        decided_by=by,
        decided_at=tx.now,
        forget_at=forget_at,
        sealed_evidence=sealed_evidence,
    )
    return done == 1


async def forget_evidence(tx: Tx) -> int:
    """Forget numbers, words and notes whose time is over; return of how many applications."""
    return await tx.run(_FORGET, now_at=tx.now)


async def count_other_verifiers(tx: Tx, *, handle: str, applicant_id: int) -> int:
    """Return how many others may decide about somebody's application."""
    return int(await tx.value(_COUNT_DESK, handle=handle, applicant_id=applicant_id))

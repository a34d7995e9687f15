"""The verification desk: what waits, one application, the decision, and what has to be looked at again.

Nobody decides about themselves; whoever declined does not decide the appeal, while there is somebody else.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any

from node.community.members.service import require_member
from node.domain.access import may_verify
from node.domain.actors import Member
from node.domain.inviting import Invitation
from node.domain.registers import Register
from node.domain.verification import METHODS, Verification, may_reach
from node.domain.vouching import METHOD, Vouch
from node.foundation.errors import Conflict, Invalid, NotFound
from node.foundation.text import clean_line, clean_text
from node.store.audit import write_audit
from node.store.core import Core
from node.store.engine import Tx
from node.store.invitations import get_invitation_of
from node.store.specialties import put_specialty
from node.store.verifications import get_verification, list_calendar, list_with_number
from node.store.vouches import list_vouches

from . import repository
from .recording import record
from .repository import Application
from .service import open_evidence, registers_of, sealed_for

DECISIONS = ("verify", "ask", "decline")
SOON = timedelta(days=30)
_REASON_LIMIT, _ANSWER_LIMIT, _NOTE_LIMIT = 500, 1000, 2000


@dataclass(frozen=True, slots=True)
class Desk:
    """What waits, the oldest first; and who has to be looked at again within 30 days, or lapsed."""

    applications: list[Application]
    calendar: list[Any]


@dataclass(frozen=True, slots=True)
class ApplicationPage:
    """One application. number, words: unlocked for this page. register: None without a number.

    conflicts: the handles of others who gave the same number, or were verified by it.
    verification: what is recorded of the applicant already. not_mine: why somebody else decides: "declined" by the
    viewer before, "vouched" for by them; empty where the viewer may. note: the verifiers' own words so far, unlocked for
    this page. vouches: those that stand. invitation: that of the member who brought the applicant in.
    """

    application: Application
    number: str
    words: tuple[str, ...]
    register: Register | None
    conflicts: list[str]
    verification: Verification | None
    not_mine: str
    note: str = ""
    vouches: tuple[Vouch, ...] = ()
    invitation: Invitation | None = None

    @property
    def counted(self) -> int:
        """How many vouches count: of who is not verified any more, none does."""
        return sum(vouch.counts for vouch in self.vouches)

    @property
    def seen(self) -> str:
        """What a form about it carries: changes with everything that the applicant, or who vouches for them, says."""
        said = [self.application.sealed_evidence or "", *(str(vouch.vouch_id) for vouch in self.vouches)]
        return hashlib.sha256(" ".join(said).encode()).hexdigest()[:32]


@dataclass(frozen=True, slots=True)
class Choice:
    """What a verifier chose on the page of an application. seen: `ApplicationPage.seen` of what they had before them."""

    decision: str
    level: str = ""
    methods: tuple[str, ...] = ()
    member_class: str = ""
    reason: str = ""
    answer: str = ""
    note: str = ""
    seen: str = ""


async def read_desk(core: Core, viewer: Member) -> Desk:
    """Return what waits for the desk, without the viewer's own."""
    return await core.store.read(_read_desk, viewer.actor_id)


async def count_waiting(core: Core, viewer: Member) -> int:
    """Return how many applications wait for the desk, without the viewer's own."""
    return await core.store.read(_count_waiting, viewer.actor_id)


async def read_application(core: Core, viewer: Member, application_id: int) -> ApplicationPage:
    """Return one application that is not the viewer's own.

    Raises:
        NotFound: There is none, or not for this viewer.
    """
    bare = await core.store.read(_read_application, viewer, application_id)
    application = bare.application
    evidence = open_evidence(core, application)
    register = registers_of(core.config).get(application.register)
    note = ""
    if application.sealed_note is not None:
        note = core.keyring.unlock(application.sealed_note, context=sealed_for(application_id))
    return replace(bare, number=evidence.number, words=evidence.words, register=register, note=note)


async def decide(core: Core, viewer: Member, application_id: int, choice: Choice) -> None:
    """Decide about an application: verify, ask for more, or decline.

    Raises:
        NotFound: There is none, or not for this viewer.
        Invalid: Something is missing, the methods do not justify the level, or a reason holds the number.
        Conflict: It was decided already, or an appeal is for somebody else to decide.
    """
    page = await read_application(core, viewer, application_id)
    if not page.application.is_open:
        raise Conflict("This application was decided already.")
    if page.not_mine == "declined":
        raise Conflict("You declined this before. An appeal is decided by somebody else.")
    if page.not_mine:
        raise Conflict("You vouched for this colleague. Somebody else decides.")
    if choice.seen != page.seen:
        raise Conflict("Something else was said since you opened this page. Here is what is said now.")
    choice = check_choice(choice, page)
    note = core.keyring.lock(choice.note, context=sealed_for(application_id)) if choice.note else None
    by = f"{viewer.handle}@{core.host}"
    await core.write(_decide, core, page, choice, note, by)


def check_choice(choice: Choice, page: ApplicationPage) -> Choice:
    """Return a verifier's choice ready to be kept.

    Raises:
        Invalid: With a sentence that says what is missing or wrong.
    """
    if choice.decision not in DECISIONS:
        raise Invalid("Please choose: verify, ask for more, or decline.")
    reason = clean_line(choice.reason, limit=_REASON_LIMIT)
    answer = clean_text(choice.answer, limit=_ANSWER_LIMIT).strip()
    if not reason:
        raise Invalid("Please give a reason for the record. It is not shown to the applicant.")
    if choice.decision != "verify" and not answer:
        raise Invalid("Please write what the applicant is told.")
    if page.number and any(page.number in "".join(filter(str.isalnum, text.upper())) for text in (reason, answer)):
        raise Invalid(
            "Leave the number out of what you write: the record keeps the register and its last two characters."
        )
    methods = tuple(method for method in METHODS if method in choice.methods)
    if choice.decision == "verify":
        decision = may_reach(choice.level, methods)
        if not decision:
            raise Invalid(decision.reason)
        if "register" in methods and page.register is None:
            raise Invalid("There is no number that could have been found in a register.")
    note = clean_text(choice.note, limit=_NOTE_LIMIT).strip()
    member_class = choice.member_class or page.application.member_class
    return Choice(choice.decision, choice.level, methods, member_class, reason, answer, note)


async def read_person(core: Core, viewer: Member, handle: str) -> tuple[Member, Verification]:
    """Return a member, not the viewer, and what is recorded of them.

    Raises:
        NotFound: Nobody, nothing, or the viewer.
    """
    member = await require_member(core, handle)
    verification = await core.store.read(_get_verification, member.actor_id)
    if verification is None or not may_verify(viewer.viewer, member.actor_id):
        raise NotFound("There is nothing recorded here.")
    return member, verification


async def _read_desk(tx: Tx, viewer_id: int) -> Desk:
    applications = await repository.list_open(tx, viewer_id=viewer_id)
    return Desk(applications, await list_calendar(tx, until_at=tx.now + SOON))


async def _count_waiting(tx: Tx, viewer_id: int) -> int:
    return await repository.count_waiting(tx, viewer_id=viewer_id)


async def _read_application(tx: Tx, viewer: Member, application_id: int) -> ApplicationPage:
    """Return an application with what lies around it; what is sealed is opened outside of the transaction."""
    application = await repository.get_application(tx, application_id=application_id)
    if application is None or not may_verify(viewer.viewer, application.actor_id):
        raise NotFound("There is no such application.")
    conflicts: list[str] = []
    if application.number_mark:
        mark, actor_id = application.number_mark, application.actor_id
        conflicts = await repository.list_with_mark(tx, number_mark=mark, actor_id=actor_id)
        conflicts += await list_with_number(tx, number_mark=mark, actor_id=actor_id)
    vouches = await list_vouches(tx, application_id=application_id)
    verification = await get_verification(tx, actor_id=application.actor_id)
    not_mine = ""
    if application.is_open:
        has_declined = application.is_appeal and (application.decided_by or "").partition("@")[0] == viewer.handle
        has_vouched = any(vouch.voucher_id == viewer.actor_id for vouch in vouches)
        others = await repository.count_other_verifiers(tx, handle=viewer.handle, applicant_id=application.actor_id)
        if others:
            not_mine = "declined" if has_declined else "vouched" if has_vouched else ""
    return ApplicationPage(
        application=application,
        number="",
        words=(),
        register=None,
        conflicts=sorted(set(conflicts)),
        verification=verification,
        not_mine=not_mine,
        vouches=tuple(vouches),
        invitation=await get_invitation_of(tx, actor_id=application.actor_id),
    )


async def _get_verification(tx: Tx, actor_id: int) -> Verification | None:
    return await get_verification(tx, actor_id=actor_id)


_OUTCOMES = {"verify": "verified", "ask": "asked", "decline": "declined"}


async def _decide(tx: Tx, core: Core, page: ApplicationPage, choice: Choice, note: str | None, by: str) -> None:
    application, outcome = page.application, _OUTCOMES[choice.decision]
    forget_at = tx.now + timedelta(days=core.config.retention.evidence_days)
    done = await repository.decide_application(
        tx,
        application_id=application.application_id,
        state=outcome,
        answer=choice.answer,
        sealed_note=note or application.sealed_note,
        # Of an appeal it stays on record who declined before, until somebody else decides.
        by=(application.decided_by or by) if application.is_appeal and outcome == "asked" else by,
        forget_at=forget_at,
        sealed_evidence=application.sealed_evidence,
    )
    if not done:
        raise Conflict("This application was decided or changed meanwhile. Open the page again.")
    vouches = await list_vouches(tx, application_id=application.application_id)
    if [vouch.vouch_id for vouch in vouches] != [vouch.vouch_id for vouch in page.vouches]:
        raise Conflict("Something else was said since you opened this page. Here is what is said now.")
    said = f"{choice.level} {' '.join(choice.methods)}" if choice.decision == "verify" else ""
    if said and METHOD in choice.methods and vouches:  # so that it can be found who stands for somebody
        said += f" (vouched for by {', '.join(vouch.handle for vouch in vouches)})"
    said += ": " if said else ""
    await write_audit(
        tx, actor=by, action=f"verification.{outcome}", target=application.handle, reason=f"{said}{choice.reason}"
    )
    if choice.decision == "verify":
        is_found = "register" in choice.methods
        await record(
            tx,
            core,
            actor_id=application.actor_id,
            actor_uri=f"{core.origin}/people/{application.handle}",
            level=choice.level,
            methods=choice.methods,
            by=by,
            jurisdiction=application.jurisdiction,
            register=application.register if is_found else "",
            number_end=application.number_end if is_found else "",
            number_mark=application.number_mark if is_found else "",
            member_class=choice.member_class,
        )
        specialty, is_shown = application.specialty, application.is_shown
        await put_specialty(tx, actor_id=application.actor_id, specialty=specialty, is_shown=is_shown)

"""Members ask to be verified, and read where they stand.

The number and the words of an application are sealed before they are written; a keyed hash finds the same number given
twice. No error, log, audit row or document carries them (T28).
"""

from __future__ import annotations

from dataclasses import dataclass

import msgspec

from node.domain.actors import CLASSES, Member
from node.domain.registers import Register, check_number, is_jurisdiction, list_registers, normalize_number
from node.domain.specialties import SPECIALTY_LIMIT
from node.domain.verification import Verification
from node.domain.vouching import NEEDED, Vouch
from node.foundation.config import Config
from node.foundation.errors import Conflict, Duplicate, Invalid
from node.foundation.text import clean_line, clean_text
from node.store.audit import write_audit
from node.store.core import Core
from node.store.engine import Tx
from node.store.specialties import get_specialty, show_specialty
from node.store.verifications import get_verification
from node.store.vouches import list_vouches

from . import repository
from .repository import Application

# What an applicant can offer to show that the number is theirs.
OFFERS = ("vouch2", "video", "letter", "institution", "employer")
# Who may have no number of their own yet, or never.
WITHOUT_NUMBER = ("resident", "student", "guest")
WORDS_LIMIT = 2000


@dataclass(frozen=True, slots=True)
class NewApplication:
    """What somebody writes into the form. register: a name, or empty for "no number".

    specialty: a name that pages translate, or their own words; empty where they say nothing.
    is_shown: whether their profile shall say it once they are verified.
    """

    member_class: str = "physician"
    jurisdiction: str = ""
    register: str = ""
    number: str = ""
    possession: tuple[str, ...] = ()
    words: str = ""
    specialty: str = ""
    is_shown: bool = False


class Evidence(msgspec.Struct, frozen=True):
    """What is sealed: the number, and the applicant's words, the newest last."""

    number: str
    words: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class OwnVerification:
    """Where a member stands. application: their newest; verification: what is recorded; is_current: whether it holds.

    specialty, is_shown: what is recorded that they practise, and whether their profile says so.
    vouches: what colleagues said for the newest application.
    """

    application: Application | None
    verification: Verification | None
    is_current: bool
    specialty: str = ""
    is_shown: bool = False
    vouches: tuple[Vouch, ...] = ()

    @property
    def is_lapsed(self) -> bool:
        """Whether it ended because nobody looked again in time."""
        found = self.verification
        return found is not None and not self.is_current and found.state in ("current", "ended")

    @property
    def has_vouches(self) -> bool:
        """Whether as many colleagues vouched as are needed."""
        return sum(vouch.counts for vouch in self.vouches) >= NEEDED

    @property
    def may_apply(self) -> bool:
        """Whether the form is theirs to fill in now."""
        return self.application is None or self.application.state != "waiting"

    @property
    def may_appeal(self) -> bool:
        """Whether they were declined, and may ask once that somebody else looks."""
        return self.application is not None and self.application.state == "declined" and not self.application.is_appeal


def registers_of(config: Config) -> dict[str, Register]:
    """Return every register that this node knows, by name."""
    return list_registers(configured_registers(config))


def configured_registers(config: Config) -> dict[str, tuple[str, str, str]]:
    """Return the operator's own registers as (pattern, look_up, jurisdiction)."""
    return {name: (each.pattern, each.look_up, each.jurisdiction) for name, each in config.registers.items()}


async def read_own(core: Core, member: Member) -> OwnVerification:
    """Return where a member stands."""
    return await core.store.read(_read_own, member.actor_id)


async def apply(core: Core, member: Member, new: NewApplication) -> None:
    """Ask to be verified, or answer what the desk asked.

    After a refusal this is an appeal: once, and somebody else decides.

    Raises:
        Invalid: A value cannot be used; the sentence says which and how it is written.
        Conflict: An application waits already, or the appeal was decided.
    """
    checked = check_application(core.config, new)
    own = await read_own(core, member)
    earlier = own.application
    if earlier is not None and earlier.state == "waiting":
        raise Conflict("Your application is with the desk already.")
    if earlier is not None and earlier.state == "declined" and not own.may_appeal:
        raise Conflict("Your appeal was decided. Talk to your node's operator.")
    is_answer = earlier is not None and earlier.state == "asked"
    number_id = earlier.application_id if earlier is not None and is_answer else core.ids.number()
    said = open_evidence(core, earlier).words if earlier is not None and is_answer else ()
    evidence = Evidence(checked.number, (*said, checked.words) if checked.words else said)
    sealed = core.keyring.lock(msgspec.json.encode(evidence).decode(), context=sealed_for(number_id))
    is_appeal = (earlier is not None and is_answer and earlier.is_appeal) or own.may_appeal
    application = Application(
        application_id=number_id,
        actor_id=member.actor_id,
        handle=member.handle,
        name=member.name,
        state="waiting",
        member_class=checked.member_class,
        jurisdiction=checked.jurisdiction,
        register=checked.register,
        number_end=checked.number[-2:],
        number_mark=core.keyring.mark(f"{checked.register}:{checked.number}") if checked.number else "",
        possession=" ".join(checked.possession),
        sealed_evidence=sealed,
        sealed_note=None,
        answer="",
        is_appeal=is_appeal,
        decided_by=earlier.decided_by if earlier is not None and is_appeal else None,
        applied_at=core.clock.now(),
        decided_at=None,
        specialty=checked.specialty,
        is_shown=checked.is_shown,
    )
    try:
        await core.store.write(_apply, application, is_answer)
    except Duplicate:
        raise Conflict("Your application is with the desk already.") from None


async def choose_shown(core: Core, member: Member, *, is_shown: bool) -> None:
    """Let a member's profile say what they practise, or not.

    Raises:
        Conflict: Nothing is recorded of them that could be shown.
    """
    if not await core.store.write(_show_specialty, member.actor_id, is_shown):
        raise Conflict("No specialty is recorded of you. Name one when you apply.")


def check_application(config: Config, new: NewApplication) -> NewApplication:
    """Return what somebody wrote, ready to be kept.

    Raises:
        Invalid: A value cannot be used.
    """
    if new.member_class not in CLASSES:
        raise Invalid("Please choose what you are.")
    jurisdiction = new.jurisdiction.strip().upper()
    if not is_jurisdiction(jurisdiction):
        raise Invalid("Please write the country, or its part, as in US, US-VT or DE-BY.")
    possession = tuple(offer for offer in OFFERS if offer in new.possession)
    if not possession:
        raise Invalid("Please choose at least one way to show that this is you: a number alone is not enough.")
    words = clean_text(new.words, limit=WORDS_LIMIT).strip()
    specialty = clean_line(new.specialty, limit=SPECIALTY_LIMIT)
    is_shown = new.is_shown and bool(specialty)
    register = registers_of(config).get(new.register)
    if register is None or not register.proves:
        if new.register or normalize_number(new.number):
            raise Invalid("Please choose the register of your number.")
        if new.member_class not in WITHOUT_NUMBER:
            raise Invalid("Please choose your register and write your number.")
        return NewApplication(new.member_class, jurisdiction, "", "", possession, words, specialty, is_shown)
    number = check_number(register, new.number)
    if number is None:
        raise Invalid(f"This cannot be a number of {register.title}: it has {register.form}. Is a digit wrong?")
    if "".join(filter(str.isalnum, number)) in "".join(filter(str.isalnum, specialty.upper())):
        raise Invalid("Leave the number out of your specialty: others may read that.")
    return NewApplication(new.member_class, jurisdiction, register.name, number, possession, words, specialty, is_shown)


def open_evidence(core: Core, application: Application) -> Evidence:
    """Return number and words of an application; empty once they are forgotten."""
    if application.sealed_evidence is None:
        return Evidence("")
    text = core.keyring.unlock(application.sealed_evidence, context=sealed_for(application.application_id))
    return msgspec.json.decode(text, type=Evidence)


def sealed_for(application_id: int) -> str:
    """Return what a seal is for, so that one application's cannot be put into another."""
    return f"application:{application_id}"


async def _read_own(tx: Tx, actor_id: int) -> OwnVerification:
    verification = await get_verification(tx, actor_id=actor_id)
    newest = await repository.get_newest(tx, actor_id=actor_id)
    vouches = await list_vouches(tx, application_id=newest.application_id) if newest is not None else []
    kept = await get_specialty(tx, actor_id=actor_id)
    specialty, is_shown = (kept.specialty, kept.is_shown) if kept is not None else ("", False)
    is_current = verification is not None and verification.is_current(tx.now)
    return OwnVerification(newest, verification, is_current, specialty, is_shown, tuple(vouches))


async def _show_specialty(tx: Tx, actor_id: int, is_shown: bool) -> bool:
    return await show_specialty(tx, actor_id=actor_id, is_shown=is_shown)


async def _apply(tx: Tx, application: Application, is_answer: bool) -> None:
    if not is_answer:
        await repository.insert_application(tx, application=application)
    elif not await repository.say_more(tx, application=application):
        raise Conflict("This was decided meanwhile. Open the page again.")
    action = "verification.appealed" if application.is_appeal else "verification.applied"
    await write_audit(tx, actor=application.handle, action=action, target=application.handle)

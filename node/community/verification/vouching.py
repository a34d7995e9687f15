"""Two colleagues at a meeting: the applicant shows a code, each of them opens it while signed in and says "I know them".

What is kept of a code are hashes, of the link and of the four words. It is spent by the vouch, not by being opened. Who
vouched for whom is told to the desk and to the applicant, and stands in the audit log; nowhere else.

Spec: product.md §7, J-01.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime, timedelta

from node.community.members.service import hash_secret
from node.domain.access import Decision
from node.domain.actors import Member
from node.domain.vouching import CODE_LIFE, WORD_COUNT, may_vouch, may_vouch_for, read_words, words_of
from node.foundation.clock import Clock
from node.foundation.errors import Conflict, Duplicate, Forbidden, Invalid, NotFound, TooMany
from node.foundation.ids import TOKEN_LENGTH
from node.store.audit import write_audit
from node.store.core import Core
from node.store.engine import Tx
from node.store.verifications import get_verification
from node.store.vouches import (
    Given,
    Shown,
    count_given_lately,
    find_code,
    get_own_vouch,
    has_vouched,
    insert_vouch,
    list_given,
    put_code,
    spend_code,
    take_open_application,
    withdraw_vouch,
)

from . import repository

# Four words say 44 bits. Who types codes that nobody shows them is stopped long before one fits.
TRIES, TRIES_WITHIN = 20, timedelta(minutes=15)
_REMEMBERED = 10_000
_TOKEN = re.compile(rf"[a-z2-7]{{{TOKEN_LENGTH}}}")
_GONE = "This code cannot be used: it was used already, or is older than a quarter of an hour. Ask for a new one."


@dataclass(frozen=True, slots=True)
class Code:
    """What an applicant shows, once: a link for a camera, and four words for the eye. expires_at: until when."""

    address: str
    words: tuple[str, ...]
    expires_at: datetime


@dataclass(frozen=True, slots=True)
class Confirming:
    """What somebody sees who opened a code. code: what names it in the form. decision: whether they may vouch, or why not."""

    shown: Shown
    code: str
    words: tuple[str, ...]
    decision: Decision


class Guesses:
    """Codes that did not fit, counted in memory per member; bounded, the oldest forgotten first."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._times: dict[int, list[datetime]] = {}

    def check(self, member: Member) -> None:
        """Raise unless another try is due.

        Raises:
            TooMany: There were twenty that did not fit within a quarter of an hour.
        """
        since = self._clock.now() - TRIES_WITHIN
        if sum(at > since for at in self._times.get(member.actor_id, ())) >= TRIES:
            raise TooMany("Too many codes that do not fit. Wait a quarter of an hour.")

    def note(self, member: Member) -> None:
        """Count a code that did not fit."""
        times = self._times.pop(member.actor_id, [])
        self._times[member.actor_id] = [*times, self._clock.now()][-TRIES:]
        while len(self._times) > _REMEMBERED:
            self._times.pop(next(iter(self._times)))


async def show_code(core: Core, member: Member) -> Code:
    """Return a new code of an applicant; the one before ends.

    Raises:
        Conflict: They have no application that waits.
    """
    token = core.ids.token()
    words = words_of(token)
    try:
        expires_at = await core.store.write(_put_code, member.actor_id, token, " ".join(words))
    except Duplicate:  # somebody else shows the same four words: it happens once in 2^44
        raise Conflict("Please try that once more.") from None
    return Code(f"{core.origin}/vouch/{token}", words, expires_at)


async def judge_voucher(core: Core, member: Member) -> Decision:
    """Decide whether a member may vouch for colleagues at all."""
    return await core.store.read(_judge, core, member)


async def list_own_vouches(core: Core, member: Member) -> list[Given]:
    """Return the last vouches that a member gave."""
    return await core.store.read(_list_given, member.actor_id)


async def open_code(core: Core, guesses: Guesses, member: Member, typed: str) -> Confirming:
    """Return who shows a code, to somebody who may vouch; nothing is spent.

    Args:
        core: This node.
        guesses: What did not fit before.
        member: Who opened it.
        typed: The last part of the link, or the four words.

    Raises:
        Forbidden: The member may not vouch for anybody.
        NotFound: The code was used, is too old, or never was.
        TooMany: Too many did not fit.
    """
    await _require_voucher(core, member)
    guesses.check(member)
    code = _normalize(typed)
    found = await core.store.read(_open, member, hash_secret(code))
    if found is None:
        guesses.note(member)
        raise NotFound(_GONE)
    shown, decision = found
    words = tuple(code.split()) if " " in code else words_of(code)
    return Confirming(shown, code, words, decision)


async def vouch(core: Core, guesses: Guesses, member: Member, typed: str, *, is_known: bool) -> None:
    """Vouch for whoever shows a code; the code is spent.

    Raises:
        Invalid: They did not say that they know and met the person.
        Forbidden, Conflict: They may not, or not now.
        NotFound: The code was used, is too old, or never was.
        TooMany: Too many did not fit.
    """
    page = await open_code(core, guesses, member, typed)
    if not page.decision:
        raise Conflict(page.decision.reason)
    if not is_known:
        raise Invalid("Please confirm that you know this person as a physician, and met them today.")
    try:
        await core.store.write(_vouch, core, member, core.ids.number(), hash_secret(page.code))
    except Duplicate:
        raise Conflict("You have vouched for this colleague already. The second vouch is somebody else's.") from None


async def take_back(core: Core, member: Member, vouch_id: int) -> None:
    """Take a vouch back, until the desk has decided.

    Raises:
        Conflict: It is not theirs, was taken back, or was decided about.
    """
    await core.store.write(_take_back, member, vouch_id)


async def _require_voucher(core: Core, member: Member) -> None:
    decision = await judge_voucher(core, member)
    if not decision:
        raise Forbidden(decision.reason)


def _normalize(typed: str) -> str:
    """Return a code as it was hashed: the last part of a link, or words with single spaces."""
    last = typed.strip().rpartition("/")[2].lower()
    if _TOKEN.fullmatch(last):
        return last
    words = read_words(typed)
    return " ".join(words) if len(words) == WORD_COUNT else ""


async def _put_code(tx: Tx, actor_id: int, token: str, words: str) -> datetime:
    application = await repository.get_newest(tx, actor_id=actor_id)
    if application is None or not application.is_open:
        raise Conflict("There is no application of yours that colleagues could vouch for. Apply first.")
    expires_at = tx.now + CODE_LIFE
    await put_code(
        tx,
        application_id=application.application_id,
        token_hash=hash_secret(token),
        words_hash=hash_secret(words),
        expires_at=expires_at,
    )
    return expires_at


async def _level_of(tx: Tx, actor_id: int) -> str:
    verification = await get_verification(tx, actor_id=actor_id)
    return verification.level_at(tx.now) if verification is not None else "A0"


async def _judge(tx: Tx, core: Core, member: Member) -> Decision:
    level = await _level_of(tx, member.actor_id)
    needed = core.config.verification.vouch_level
    return may_vouch(member.viewer, member_class=member.member_class, level=level, needed=needed)


async def _open(tx: Tx, member: Member, code_hash: str) -> tuple[Shown, Decision] | None:
    shown = await find_code(tx, code_hash=code_hash)
    if shown is None:
        return None
    decision = may_vouch_for(
        member.viewer,
        shown.actor_id,
        has_vouched=await has_vouched(tx, application_id=shown.application_id, voucher_id=member.actor_id),
        given_lately=await count_given_lately(tx, voucher_id=member.actor_id),
    )
    return shown, decision


async def _list_given(tx: Tx, actor_id: int) -> list[Given]:
    return await list_given(tx, voucher_id=actor_id)


async def _vouch(tx: Tx, core: Core, member: Member, vouch_id: int, code_hash: str) -> None:
    found = await _open(tx, member, code_hash)
    if found is None:
        raise NotFound(_GONE)
    # The audit chain's row is held from here on, so nobody gives two vouches at once and passes the limit: look again.
    await write_audit(tx, actor=member.handle, action="verification.vouched", target=found[0].handle)
    judged, found = await _judge(tx, core, member), await _open(tx, member, code_hash)
    if not judged:
        raise Forbidden(judged.reason)
    if found is None or not await take_open_application(tx, application_id=found[0].application_id):
        raise NotFound(_GONE)
    shown, decision = found
    if not decision:
        raise Conflict(decision.reason)
    if not await spend_code(tx, code_hash=code_hash):
        raise NotFound(_GONE)
    level = await _level_of(tx, member.actor_id)
    await insert_vouch(
        tx, vouch_id=vouch_id, application_id=shown.application_id, voucher_id=member.actor_id, level=level
    )


async def _take_back(tx: Tx, member: Member, vouch_id: int) -> None:
    own = await get_own_vouch(tx, vouch_id=vouch_id, voucher_id=member.actor_id)
    if own is None or not await take_open_application(tx, application_id=own.application_id):
        raise Conflict("This vouch cannot be taken back: it was already, or the desk has decided.")
    await withdraw_vouch(tx, vouch_id=vouch_id)
    await write_audit(tx, actor=member.handle, action="verification.vouch_withdrawn", target=own.handle)

"""Record how sure we are of a member, and end it: the one place where a verification changes.

Desk, members desk, command line and the passing of time all come here. What changes is audited without any number,
stated to peers, and written anew on the person's card in every group hosted here.
"""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Any

from node.community.hosting import renew_cards
from node.community.members.service import require_member
from node.domain.actors import ASSURANCE_LEVELS, CLASSES, Member
from node.domain.verification import OPERATOR, draw_verification, may_become, may_reach
from node.foundation.errors import Conflict, Invalid, NotFound
from node.outbox.attesting import attest
from node.store.audit import write_audit
from node.store.core import Core
from node.store.engine import Tx
from node.store.verifications import get_number_mark, put_verification, take_verification, update_verification_state

_ACTIONS = {"ended": "ended", "suspended": "suspended", "revoked": "revoked", "current": "resumed"}


async def verify_member(
    core: Core, handle: str, level: str, *, methods: tuple[str, ...], by: str, reason: str
) -> Member:
    """Record a member's level by an operator's word, or by methods that justify it; A0 ends what there is.

    Args:
        core: This node.
        handle: The member.
        level: A0 to A4.
        methods: Of `EVERY_METHOD`; none stands for the operator's own word.
        by: For the audit log.
        reason: Likewise.

    Raises:
        Invalid: The level is unknown, or the methods do not justify it.
        NotFound: There is no such member.
    """
    if level not in ASSURANCE_LEVELS:
        raise Invalid(f"The assurance is one of {', '.join(ASSURANCE_LEVELS)}.")
    used = methods or (OPERATOR,)
    decision = may_reach(level, used)
    if level != "A0" and not decision:
        raise Invalid(decision.reason)
    member = await require_member(core, handle)
    await _refuse_number(core, member, reason)
    said = f"{level} {' '.join(methods)}: {reason}" if methods else f"{level} {reason}"
    await core.write(_verify_member, core, member, level, used, by, said.strip())
    return await require_member(core, handle)


async def change_state(core: Core, handle: str, state: str, *, by: str, reason: str) -> None:
    """End, suspend, revoke or resume a member's verification, with a reason for the audit log.

    Raises:
        Invalid: No reason is given, or the state is unknown.
        Conflict: It cannot become that from where it is.
        NotFound: There is no such member, or nothing recorded of them.
    """
    if state not in _ACTIONS:
        raise Invalid("Choose what becomes of it.")
    if not reason.strip():
        raise Invalid("Please give a reason. Nothing was changed.")
    member = await require_member(core, handle)
    await _refuse_number(core, member, reason)
    await core.write(_change_state, core, member, state, by, reason)


async def _refuse_number(core: Core, member: Member, text: str) -> None:
    """Raise when a text for the record holds the number by which somebody was verified.

    Raises:
        Invalid: It does.
    """
    kept = await core.store.read(_number_mark, member.actor_id)
    if kept is None or not kept.number_mark:
        return
    words = re.findall(r"[0-9A-Z]+", text.upper())
    tries = {"".join(words[first : first + length]) for first in range(len(words)) for length in range(1, 5)}
    if any(core.keyring.mark(f"{kept.register}:{number}") == kept.number_mark for number in tries):
        raise Invalid("Leave the number out: the record keeps the register and its last two characters.")


async def _number_mark(tx: Tx, actor_id: int) -> Any:
    return await get_number_mark(tx, actor_id=actor_id)


async def record(
    tx: Tx,
    core: Core,
    *,
    actor_id: int,
    actor_uri: str,
    level: str,
    methods: tuple[str, ...],
    by: str,
    jurisdiction: str = "",
    register: str = "",
    number_end: str = "",
    number_mark: str | None = None,
    member_class: str | None = None,
) -> None:
    """Record a verification of this moment, state it, and renew the member's cards. The caller audits.

    Args:
        tx: The transaction.
        core: This node.
        actor_id: Whose, by our number.
        actor_uri: The same, by id.
        level: A1 to A4, justified by the methods.
        methods: Of `EVERY_METHOD`.
        by: Who says so.
        jurisdiction: Where they may practise.
        register: Where they were found; empty for nowhere.
        number_end: The last two characters of the number.
        number_mark: The keyed hash of the number; None leaves the one that is kept.
        member_class: What they are; None leaves it.
    """
    if member_class is not None and member_class not in CLASSES:
        raise Invalid(f"The class is one of {', '.join(CLASSES)}.")
    before = await take_verification(tx, actor_id=actor_id)
    drawn = draw_verification(actor_id, level, methods, by=by, now=tx.now, config=core.config)
    goes_on = before is not None and before.is_current(tx.now)
    verification = replace(
        drawn,
        jurisdiction=jurisdiction,
        register=register,
        number_end=number_end,
        since_at=before.since_at if before is not None and goes_on else tx.now,
    )
    await put_verification(tx, verification=verification, number_mark=number_mark, member_class=member_class)
    await tell(tx, core, actor_id=actor_id, member_uri=actor_uri)


async def tell(tx: Tx, core: Core, *, actor_id: int, member_uri: str) -> None:
    """State what is recorded now, to peers and on the member's cards."""
    await attest(tx, core, actor_id=actor_id)
    await renew_cards(tx, core, actor_uri=member_uri)


async def _verify_member(
    tx: Tx, core: Core, member: Member, level: str, methods: tuple[str, ...], by: str, said: str
) -> None:
    before = await take_verification(tx, actor_id=member.actor_id)
    await write_audit(tx, actor=by, action="member.verify", target=member.handle, reason=said)
    if level != "A0":
        kept = before if before is not None and "register" in methods else None
        await record(
            tx,
            core,
            actor_id=member.actor_id,
            actor_uri=member.uri,
            level=level,
            methods=methods,
            by=by,
            jurisdiction=kept.jurisdiction if kept else "",
            register=kept.register if kept else "",
            number_end=kept.number_end if kept else "",
        )
    elif before is not None and may_become(before.state, "ended"):
        await update_verification_state(tx, verification=before, state="ended", by=by)
        await tell(tx, core, actor_id=member.actor_id, member_uri=member.uri)


async def _change_state(tx: Tx, core: Core, member: Member, state: str, by: str, reason: str) -> None:
    verification = await take_verification(tx, actor_id=member.actor_id)
    if verification is None:
        raise NotFound(f"Nothing is recorded of {member.handle}.")
    now_is = "ended" if verification.state == "current" and not verification.is_current(tx.now) else verification.state
    is_resumed = state == "current"
    if is_resumed and now_is != "suspended":
        raise Conflict("Only what is suspended goes on; what ended or was revoked is verified anew.")
    if not may_become(now_is, state) or now_is == state:
        raise Conflict(f"It is {now_is}, and cannot become {_ACTIONS[state]}.")
    if is_resumed and tx.now >= verification.lapses_at:
        raise Conflict("It lapsed meanwhile, and has to be verified anew.")
    await update_verification_state(tx, verification=verification, state=state, by=by)
    await write_audit(tx, actor=by, action=f"verification.{_ACTIONS[state]}", target=member.handle, reason=reason)
    await tell(tx, core, actor_id=member.actor_id, member_uri=member.uri)

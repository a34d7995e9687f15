"""The verification desk: what waits, one application on one page, and what is recorded of a member.

For verifiers and operators; to everybody else it is absent, and so is their own application to them. Plain forms: the
keyboard alone is enough.
"""

from __future__ import annotations

from typing import Any

from quart import Blueprint, Response
from quart.typing import ResponseReturnValue

from node.community.house import House
from node.community.verification import desk
from node.community.verification.desk import DECISIONS, Choice
from node.community.verification.recording import change_state, verify_member
from node.domain.actors import ASSURANCE_LEVELS, CLASSES
from node.domain.verification import METHODS
from node.domain.vouching import METHOD, MOST, NEEDED, WITHIN
from node.foundation.errors import Invalid, NodeError, NotFound
from node.foundation.text import clean_line

from .members_desk import read_methods
from .peers import signed_as
from .shell import Shell
from .visitor import Visitor, for_verifiers, read_form, read_number, see

LEVELS = ASSURANCE_LEVELS[1:]
# What a form calls it, and the state it leads to.
CHANGES = {"end": "ended", "suspend": "suspended", "revoke": "revoked", "resume": "current"}
_REASON_LIMIT = 500


def build_verifying(house: House, shell: Shell) -> Blueprint:
    """Return the routes of the verification desk."""
    pages = Blueprint("verifying", __name__)
    _add_desk(pages, house, shell)
    _add_people(pages, house, shell)
    return pages


def _add_desk(pages: Blueprint, house: House, shell: Shell) -> None:
    core = house.core

    async def show(visitor: Visitor, number: str, *, status: int = 200, problem: str = "", **more: Any) -> Response:
        page = await desk.read_application(core, visitor.member, _require_number(number))
        level = "A3" if page.register else "A1"
        ticked = (METHOD,) if page.counted >= NEEDED else ()
        choice = more.get("choice") or Choice("", level, ticked, page.application.member_class, note=page.note)
        text = shell.render(
            "verification/application.html",
            visitor,
            place="verification",
            page=page,
            problem=problem,
            choice=choice,
            methods=METHODS,
            levels=LEVELS,
            classes=CLASSES,
            decisions=DECISIONS,
            needed=NEEDED,
            limit=(MOST, WITHIN.days),
        )
        return Response(text, status)

    @pages.get("/node/verification")
    @for_verifiers(core)
    async def whole_desk(visitor: Visitor) -> ResponseReturnValue:
        found = await desk.read_desk(core, visitor.member)
        return shell.render("verification/desk.html", visitor, place="verification", desk=found)

    @pages.get("/node/verification/<number>")
    @for_verifiers(core)
    async def application(visitor: Visitor, number: str) -> ResponseReturnValue:
        if number == "next":
            waiting = (await desk.read_desk(core, visitor.member)).applications
            return see(f"/node/verification/{waiting[0].application_id}" if waiting else "/node/verification")
        return await show(visitor, number)

    @pages.post("/node/verification/<number>")
    @for_verifiers(core)
    async def decide(visitor: Visitor, number: str) -> ResponseReturnValue:
        form = await read_form()
        choice = Choice(
            decision=form.get("decision", ""),
            level=form.get("assurance", ""),
            methods=read_methods(form),
            member_class=form.get("class", ""),
            reason=form.get("reason", ""),
            answer=form.get("answer", ""),
            note=form.get("note", ""),
            seen=form.get("seen", ""),
        )
        try:
            await desk.decide(core, visitor.member, _require_number(number), choice)
        except NotFound:
            raise
        except NodeError as error:
            return await show(visitor, number, status=422, problem=error.safe, choice=choice)
        return see("/node/verification")


def _add_people(pages: Blueprint, house: House, shell: Shell) -> None:
    core = house.core

    async def show(visitor: Visitor, handle: str, *, status: int = 200, **more: Any) -> Response:
        member, verification = await desk.read_person(core, visitor.member, handle)
        values = {
            "problem": "",
            "why": "",
            "change": "",
            "reason": "",
            "chosen": (),
            "level": verification.level,
        } | more
        text = shell.render(
            "verification/person.html",
            visitor,
            place="verification",
            member=member,
            recorded=verification,
            is_current=verification.is_current(core.clock.now()),
            changes=CHANGES,
            methods=METHODS,
            levels=LEVELS,
            **values,
        )
        return Response(text, status)

    @pages.get("/node/verification/people/<handle>")
    @for_verifiers(core)
    async def person(visitor: Visitor, handle: str) -> ResponseReturnValue:
        return await show(visitor, handle)

    @pages.post("/node/verification/people/<handle>/state")
    @for_verifiers(core)
    async def change(visitor: Visitor, handle: str) -> ResponseReturnValue:
        await desk.read_person(core, visitor.member, handle)
        form = await read_form()
        wanted, why = form.get("change", ""), clean_line(form.get("reason", ""), limit=_REASON_LIMIT)
        try:
            await change_state(core, handle, CHANGES.get(wanted, ""), by=signed_as(house, visitor), reason=why)
        except NodeError as error:
            return await show(visitor, handle, status=422, problem=error.safe, why=why, change=wanted)
        return see(f"/node/verification/people/{handle}")

    @pages.post("/node/verification/people/<handle>/check")
    @for_verifiers(core)
    async def check(visitor: Visitor, handle: str) -> ResponseReturnValue:
        await desk.read_person(core, visitor.member, handle)
        form = await read_form()
        level, chosen = form.get("assurance", ""), tuple(name for name in read_methods(form) if name in METHODS)
        reason = clean_line(form.get("reason", ""), limit=_REASON_LIMIT)
        try:
            if not chosen or not reason or level not in LEVELS:
                raise Invalid(str(visitor.words("member_desk.method_missing")))
            await verify_member(core, handle, level, methods=chosen, by=signed_as(house, visitor), reason=reason)
        except NodeError as error:
            typed = {"reason": reason, "chosen": chosen, "level": level}
            return await show(visitor, handle, status=422, problem=error.safe, **typed)
        return see(f"/node/verification/people/{handle}")


def _require_number(text: str) -> int:
    """Return the number of an application.

    Raises:
        NotFound: It is none.
    """
    number = read_number(text)
    if number is None:
        raise NotFound
    return number

"""Where a member stands, and the form by which they ask to be verified. For the member alone."""

from __future__ import annotations

from quart import Blueprint, Response, request
from quart.typing import ResponseReturnValue

from node.community.house import House
from node.community.verification import service
from node.community.verification.desk import SOON
from node.community.verification.service import OFFERS, NewApplication, OwnVerification, registers_of
from node.domain.actors import CLASSES
from node.domain.specialties import OTHER, SPECIALTY_LIMIT, list_specialties
from node.domain.vouching import NEEDED
from node.foundation.errors import NodeError

from .shell import Shell
from .visitor import Visitor, for_members, read_form, see


def build_applying(house: House, shell: Shell) -> Blueprint:
    """Return the routes of a member's own verification."""
    pages = Blueprint("applying", __name__)
    core = house.core

    @pages.get("/me/verification")
    @for_members(core)
    async def verification(visitor: Visitor) -> ResponseReturnValue:
        return await _show(house, shell, visitor)

    @pages.post("/me/verification")
    @for_members(core)
    async def apply(visitor: Visitor) -> ResponseReturnValue:
        form = await read_form()
        typed = NewApplication(
            member_class=form.get("class", "")[:30],
            jurisdiction=form.get("jurisdiction", "")[:10],
            register=form.get("register", "")[:30],
            number=form.get("number", "")[:100],
            possession=tuple(offer for offer in OFFERS if form.get(f"offer-{offer}")),
            words=form.get("words", ""),
            specialty=_read_specialty(form),
            is_shown=bool(form.get("specialty_shown")),
        )
        try:
            await service.apply(core, visitor.member, typed)
        except NodeError as error:
            return await _show(house, shell, visitor, status=422, problem=error.safe, typed=typed)
        return see("/me/verification?sent=1")

    @pages.post("/me/specialty")
    @for_members(core)
    async def choose_shown(visitor: Visitor) -> ResponseReturnValue:
        """Say on the profile what one practises, or no longer."""
        try:
            await service.choose_shown(core, visitor.member, is_shown=bool((await read_form()).get("specialty_shown")))
        except NodeError as error:
            return await _show(house, shell, visitor, status=422, problem=error.safe)
        return see("/me/verification")

    return pages


async def _show(
    house: House,
    shell: Shell,
    visitor: Visitor,
    *,
    status: int = 200,
    problem: str = "",
    typed: NewApplication | None = None,
) -> Response:
    core = house.core
    own = await service.read_own(core, visitor.member)
    if typed is None:
        typed = _begin(visitor, own)
    chosen = list_specialties(core.config.verification.specialties)
    page = shell.render(
        "people/verification.html",
        visitor,
        place="me",
        own=own,
        problem=problem,
        is_soon=own.verification is not None and own.verification.lapses_at <= core.clock.now() + SOON,
        is_sent="sent" in request.args,
        typed=typed,
        classes=CLASSES,
        offers=OFFERS,
        registers=[each for each in registers_of(core.config).values() if each.proves],
        expected_days=core.config.verification.expected_days,
        evidence_days=core.config.retention.evidence_days,
        specialties=chosen,
        is_other=bool(typed.specialty) and typed.specialty not in chosen,
        specialty_limit=SPECIALTY_LIMIT,
        needed=NEEDED,
    )
    return Response(page, status)


def _begin(visitor: Visitor, own: OwnVerification) -> NewApplication:
    """Return what the form holds before anything is typed: what was said last time, but for the number."""
    earlier = own.application
    if earlier is None:
        member_class = visitor.member.member_class
        # Whoever a member invited is a guest until somebody has looked.
        is_new = member_class == "guest" and own.verification is None
        return NewApplication("physician" if is_new else member_class)
    return NewApplication(
        earlier.member_class,
        earlier.jurisdiction,
        earlier.register,
        "",
        tuple(earlier.possession.split()),
        specialty=earlier.specialty or own.specialty,
        is_shown=earlier.is_shown,
    )


def _read_specialty(form: dict[str, str]) -> str:
    """Return what was chosen from the list, or typed beside it."""
    chosen, own_words = form.get("specialty", "")[:SPECIALTY_LIMIT], form.get("specialty_other", "")
    return own_words if chosen == OTHER else chosen

"""Where a member stands, and the form by which they ask to be verified. For the member alone."""

from __future__ import annotations

from quart import Blueprint, Response, request
from quart.typing import ResponseReturnValue

from node.community.house import House
from node.community.verification import service
from node.community.verification.desk import SOON
from node.community.verification.service import OFFERS, NewApplication, registers_of
from node.domain.actors import CLASSES
from node.foundation.errors import NodeError

from .shell import Shell
from .visitor import Visitor, for_members, read_form, see


def build_applying(house: House, shell: Shell) -> Blueprint:
    """Return the routes of a member's own verification."""
    pages = Blueprint("applying", __name__)
    core = house.core

    async def show(
        visitor: Visitor, *, status: int = 200, problem: str = "", typed: NewApplication | None = None
    ) -> Response:
        own = await service.read_own(core, visitor.member)
        if typed is None:
            earlier = own.application
            typed = NewApplication(
                earlier.member_class if earlier else visitor.member.member_class,
                earlier.jurisdiction if earlier else "",
                earlier.register if earlier else "",
                "",
                tuple(earlier.possession.split()) if earlier else (),
            )
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
        )
        return Response(page, status)

    @pages.get("/me/verification")
    @for_members(core)
    async def verification(visitor: Visitor) -> ResponseReturnValue:
        return await show(visitor)

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
        )
        try:
            await service.apply(core, visitor.member, typed)
        except NodeError as error:
            return await show(visitor, status=422, problem=error.safe, typed=typed)
        return see("/me/verification?sent=1")

    return pages

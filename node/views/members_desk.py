"""The members desk: who has an account here, how sure we are of them, and links that work once. For operators only."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

from quart import Blueprint, Response
from quart.typing import ResponseReturnValue

from node.community.house import House
from node.community.members import service
from node.community.members.service import NewMember
from node.community.verification.recording import verify_member
from node.domain.actors import ASSURANCE_LEVELS, CLASSES, NODE_ROLES, Member
from node.domain.verification import EVERY_METHOD
from node.foundation.errors import Conflict, Invalid, NodeError
from node.foundation.text import clean_line
from node.store.engine import Tx

from .peers import signed_as
from .shell import Shell
from .visitor import Visitor, for_operators, read_form, see

_REASON_LIMIT = 500


def build_members_desk(house: House, shell: Shell) -> Blueprint:
    """Return the routes of the members desk."""
    pages = Blueprint("members_desk", __name__)
    _add_list(pages, house, shell)
    _add_member(pages, house, shell)
    _add_suspensions(pages, house, shell)
    return pages


def _add_list(pages: Blueprint, house: House, shell: Shell) -> None:
    core = house.core

    async def show(visitor: Visitor, *, status: int = 200, problem: str = "", new: NewMember | None = None) -> Response:
        text = shell.render(
            "operating/members.html",
            visitor,
            place="node",
            rows=await core.store.read(service.list_members),
            problem=problem,
            new=new or NewMember("", ""),
            classes=CLASSES,
            levels=ASSURANCE_LEVELS,
            roles=NODE_ROLES,
        )
        return Response(text, status)

    @pages.get("/node/members")
    @for_operators(core)
    async def members(visitor: Visitor) -> ResponseReturnValue:
        return await show(visitor)

    @pages.post("/node/members")
    @for_operators(core)
    async def add(visitor: Visitor) -> ResponseReturnValue:
        form = await read_form()
        new = NewMember(
            handle=form.get("handle", "").strip().lower()[:100],
            name=form.get("name", "")[:200],
            member_class=form.get("class", ""),
            assurance=form.get("assurance", ""),
            role=form.get("role", ""),
        )
        try:
            member, link = await service.add_member(core, new, by=signed_as(house, visitor))
            if link is None:
                raise Conflict(str(visitor.words("member_desk.is_here", handle=new.handle)))
        except NodeError as error:
            return await show(visitor, status=422, problem=error.safe, new=new)
        # The answer itself shows the link: it must stand in no address, and nowhere where it could be shown again.
        return Response(
            shell.render("operating/link.html", visitor, place="node", member=member, link=link, kind="invitation")
        )


def _add_member(pages: Blueprint, house: House, shell: Shell) -> None:
    core = house.core

    @pages.get("/node/members/<handle>")
    @for_operators(core)
    async def member(visitor: Visitor, handle: str) -> ResponseReturnValue:
        return await _show_member(house, shell, visitor, handle)

    @pages.post("/node/members/<handle>/reset")
    @for_operators(core)
    async def reset(visitor: Visitor, handle: str) -> ResponseReturnValue:
        found = await service.require_member(core, handle)
        try:
            link = await service.make_reset_link(core, handle, by=signed_as(house, visitor))
        except NodeError as error:
            return await _show_member(house, shell, visitor, handle, status=422, problem=error.safe)
        return Response(
            shell.render("operating/link.html", visitor, place="node", member=found, link=link, kind="reset")
        )

    @pages.post("/node/members/<handle>/assurance")
    @for_operators(core)
    async def verify(visitor: Visitor, handle: str) -> ResponseReturnValue:
        await service.require_member(core, handle)
        form = await read_form()
        methods, reason = read_methods(form), clean_line(form.get("reason", ""), limit=_REASON_LIMIT)
        level = form.get("assurance", "")
        try:
            if not methods or not reason:
                raise Invalid(str(visitor.words("member_desk.method_missing")))
            await verify_member(core, handle, level, methods=methods, by=signed_as(house, visitor), reason=reason)
        except NodeError as error:
            typed = {"reason": reason, "chosen": methods, "level": level}
            return await _show_member(house, shell, visitor, handle, status=422, problem=error.safe, **typed)
        return see(f"/node/members/{handle}")


def read_methods(form: dict[str, str]) -> tuple[str, ...]:
    """Return the methods that were ticked in a form."""
    return tuple(method for method in EVERY_METHOD if form.get(f"method-{method}"))


def _add_suspensions(pages: Blueprint, house: House, shell: Shell) -> None:
    core = house.core

    async def change_state(visitor: Visitor, handle: str, act: Callable[..., Awaitable[Member]]) -> Response:
        await service.require_member(core, handle)
        reason = clean_line((await read_form()).get("reason", ""), limit=_REASON_LIMIT)
        try:
            if not reason:
                raise Invalid(str(visitor.words("member_desk.reason_missing")))
            await act(core, handle, by=signed_as(house, visitor), reason=reason)
        except NodeError as error:
            return await _show_member(house, shell, visitor, handle, status=422, problem=error.safe, why=reason)
        return see(f"/node/members/{handle}")

    @pages.post("/node/members/<handle>/suspend")
    @for_operators(core)
    async def suspend(visitor: Visitor, handle: str) -> ResponseReturnValue:
        return await change_state(visitor, handle, service.suspend_member)

    @pages.post("/node/members/<handle>/restore")
    @for_operators(core)
    async def restore(visitor: Visitor, handle: str) -> ResponseReturnValue:
        return await change_state(visitor, handle, service.restore_member)


async def _show_member(
    house: House, shell: Shell, visitor: Visitor, handle: str, *, status: int = 200, **more: Any
) -> Response:
    member = await service.require_member(house.core, handle)
    created_at, last_seen_at = await house.core.store.read(_times, member.actor_id)
    values = {"problem": "", "reason": "", "chosen": (), "level": member.assurance, "why": ""} | more
    text = shell.render(
        "operating/member.html",
        visitor,
        place="node",
        member=member,
        created_at=created_at,
        last_seen_at=last_seen_at,
        levels=ASSURANCE_LEVELS,
        methods=EVERY_METHOD,
        **values,
    )
    return Response(text, status)


async def _times(tx: Tx, actor_id: int) -> Any:
    return await service.get_times(tx, actor_id=actor_id)

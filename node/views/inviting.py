"""Members who invite a colleague: their links, what became of each, and the page on which somebody invited comes in."""

from __future__ import annotations

from quart import Blueprint, Response, request
from quart.typing import ResponseReturnValue

from node.community.house import House
from node.community.members import invitations, sessions
from node.community.members.service import PASSWORD_SHORTEST, NewMember
from node.domain.inviting import INVITATION_LIFE, NOTE_LIMIT
from node.foundation.errors import NodeError, NotFound
from node.store.core import Core

from .shell import Shell
from .visitor import Visitor, for_members, for_operators, keep_cookie, read_form, read_number, see


def build_inviting(house: House, shell: Shell) -> Blueprint:
    """Return the routes of members' invitations, and the operators' list of them."""
    pages = Blueprint("inviting", __name__)
    core = house.core

    @pages.get("/me/invitations")
    @for_members(core)
    async def own(visitor: Visitor) -> ResponseReturnValue:
        return await _show_own(core, shell, visitor)

    @pages.post("/me/invitations")
    @for_members(core)
    async def invite(visitor: Visitor) -> ResponseReturnValue:
        note = (await read_form()).get("note", "")[:NOTE_LIMIT]
        try:
            link = await invitations.invite(core, visitor.member, note=note)
        except NodeError as error:
            return await _show_own(core, shell, visitor, status=422, problem=error.safe, note=note)
        # The answer itself shows the link: it must stand in no address, and nowhere where it could be shown again.
        page = shell.render("inviting/link.html", visitor, place="me", link=link, days=INVITATION_LIFE.days)
        return Response(page)

    @pages.post("/me/invitations/withdraw")
    @for_members(core)
    async def withdraw(visitor: Visitor) -> ResponseReturnValue:
        try:
            await invitations.withdraw(core, visitor.member, await _read_invitation())
        except NodeError as error:
            return await _show_own(core, shell, visitor, status=422, problem=error.safe)
        return see("/me/invitations")

    @pages.get("/node/invitations")
    @for_operators(core)
    async def everybodys(visitor: Visitor) -> ResponseReturnValue:
        return await _show_all(core, shell, visitor)

    @pages.post("/node/invitations")
    @for_operators(core)
    async def withdraw_anybodys(visitor: Visitor) -> ResponseReturnValue:
        try:
            await invitations.withdraw(core, visitor.member, await _read_invitation())
        except NodeError as error:
            return await _show_all(core, shell, visitor, status=422, problem=error.safe)
        return see("/node/invitations")

    return pages


async def show_invited(
    core: Core,
    shell: Shell,
    visitor: Visitor,
    token: str,
    *,
    status: int = 200,
    problem: str = "",
    new: NewMember | None = None,
) -> Response | None:
    """Return the page of somebody whom a member invited; None where the link is not a member's, or cannot be used."""
    inviter = await invitations.find_inviter(core, token)
    if inviter is None:
        return None
    page = shell.render(
        "inviting/enter.html",
        Visitor(None, "", visitor.words),
        inviter=inviter,
        problem=problem,
        new=new or NewMember("", ""),
        shortest=PASSWORD_SHORTEST,
    )
    return Response(page, status, headers={"Referrer-Policy": "no-referrer"})  # the address is the secret


async def enter_invited(core: Core, shell: Shell, visitor: Visitor, token: str) -> Response | None:
    """Take the form of somebody whom a member invited; None where the link is not a member's, or cannot be used.

    Where the form comes from cannot be asked, for the page sends no referrer; the address suffices.
    """
    form = await read_form()
    new = NewMember(
        handle=form.get("handle", "").strip().lower()[:100],
        name=form.get("name", "")[:200],
        password=form.get("password", "")[:2000],
    )
    if await invitations.find_inviter(core, token) is None:
        return None
    if new.password != form.get("again", new.password):
        problem = str(visitor.words("invitation.differ"))
        return await show_invited(core, shell, visitor, token, status=422, problem=problem, new=new)
    try:
        member = await invitations.enter(core, token, new)
    except NotFound:
        return None
    except NodeError as error:
        said = error.safe
        return await show_invited(core, shell, visitor, token, status=422, problem=said, new=new)
    cookie = await sessions.open_session(core, member, agent=request.headers.get("User-Agent", ""))
    return keep_cookie(core, see("/me/verification"), cookie)


async def _show_own(
    core: Core, shell: Shell, visitor: Visitor, *, status: int = 200, problem: str = "", note: str = ""
) -> Response:
    page = shell.render(
        "inviting/own.html",
        visitor,
        place="me",
        own=await invitations.read_own_invitations(core, visitor.member),
        problem=problem,
        note=note,
        most=core.config.members.open_invitations,
        is_left_to_operators=core.config.members.invitations != "verified",
        days=INVITATION_LIFE.days,
        note_limit=NOTE_LIMIT,
        now=core.clock.now(),
    )
    return Response(page, status)


async def _show_all(core: Core, shell: Shell, visitor: Visitor, *, status: int = 200, problem: str = "") -> Response:
    page = shell.render(
        "inviting/all.html",
        visitor,
        place="node",
        invitations=await invitations.list_all_invitations(core),
        problem=problem,
        setting=core.config.members.invitations,
        now=core.clock.now(),
    )
    return Response(page, status)


async def _read_invitation() -> int:
    """Return the number of the invitation that a form names; 0, which none has, for anything else."""
    return read_number((await read_form()).get("invitation", "")) or 0

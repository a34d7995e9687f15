"""Signing in and out, invitations, and a member's own settings."""

from __future__ import annotations

from quart import Blueprint, Response, request
from quart.typing import ResponseReturnValue

from node.community.house import House
from node.community.members import sessions
from node.community.members.service import list_operator_names, set_password_by_link
from node.community.members.sessions import DATE_STYLES, LANGUAGES, Preferences
from node.community.members.tries import Tries
from node.foundation.errors import Invalid, NodeError, NotFound, TooMany
from node.store.core import Core

from .inviting import enter_invited, show_invited
from .shell import Shell
from .visitor import (
    Visitor,
    check_form,
    drop_cookie,
    find_visitor,
    for_members,
    keep_cookie,
    read_form,
    read_number,
    see,
)
from .ways_back import WAY_BACK, read_way_back, sign_in_path


def build_signing(house: House, shell: Shell) -> Blueprint:
    """Return the routes of sessions and settings."""
    pages = Blueprint("signing", __name__)
    tries = Tries(house.core.clock)
    _add_sign_in(pages, house, shell, tries)
    _add_invitations(pages, house, shell)
    _add_settings(pages, house, shell)
    _add_password(pages, house, shell, tries)
    return pages


def _add_sign_in(pages: Blueprint, house: House, shell: Shell, tries: Tries) -> None:
    core = house.core

    async def show(
        visitor: Visitor, way_back: str, *, status: int = 200, problem: str = "", handle: str = ""
    ) -> Response:
        page = shell.render(
            "signing/sign_in.html",
            visitor,
            place="sign-in",
            problem=problem,
            handle=handle,
            operators=await core.store.read(list_operator_names),
            way_back=way_back,
        )
        return Response(page, status)

    @pages.get("/sign-in")
    async def sign_in_page() -> ResponseReturnValue:
        visitor, way_back = await find_visitor(core), read_way_back(request.args.get(WAY_BACK, ""))
        return see(way_back or "/") if visitor.session else await show(visitor, way_back)

    @pages.post("/sign-in")
    async def sign_in() -> ResponseReturnValue:
        visitor, form = await find_visitor(core), await read_form()
        handle, way_back = form.get("handle", "").strip().lower()[:100], read_way_back(form.get(WAY_BACK, ""))
        try:
            check_form(core, visitor, form)
            entered = await sessions.sign_in(
                core,
                tries,
                handle=handle,
                password=form.get("password", ""),
                address=request.remote_addr or "",
                agent=request.headers.get("User-Agent", ""),
            )
        except NodeError as error:
            return await show(visitor, way_back, status=error.status, problem=error.safe, handle=handle)
        if entered is None:
            problem = visitor.words("sign_in.wrong")
            return await show(visitor, way_back, status=422, problem=problem, handle=handle)
        return keep_cookie(core, see(way_back or "/"), entered[0])

    @pages.post("/sign-out")
    @for_members(core)
    async def sign_out(visitor: Visitor) -> ResponseReturnValue:
        assert visitor.session is not None
        form = await read_form()
        if form.get("everywhere"):
            await sessions.sign_out_elsewhere(core, visitor.session)
        await sessions.sign_out(core, visitor.session)
        return drop_cookie(core, see(sign_in_path(read_way_back(form.get(WAY_BACK, "")))))


def _add_invitations(pages: Blueprint, house: House, shell: Shell) -> None:
    core = house.core

    async def show(visitor: Visitor, token: str, *, status: int = 200, problem: str = "") -> Response:
        found = await sessions.find_link(core, token)
        visitor = Visitor(None, "", visitor.words)
        page = shell.render("signing/invitation.html", visitor, found=found, problem=problem)
        status = 404 if found is None and status == 200 else status
        return Response(page, status, headers={"Referrer-Policy": "no-referrer"})  # the address is the secret

    @pages.get("/invitations/<token>")
    async def invitation_page(token: str) -> ResponseReturnValue:
        visitor = await find_visitor(core)
        return await show_invited(core, shell, visitor, token) or await show(visitor, token)

    @pages.post("/invitations/<token>")
    async def accept(token: str) -> ResponseReturnValue:
        visitor, form = await find_visitor(core), await read_form()
        if (entered := await enter_invited(core, shell, visitor, token)) is not None:
            return entered
        try:
            found = await sessions.find_link(core, token)
            if found is None:
                raise NotFound(str(visitor.words("invitation.spent_text")))
            password = form.get("password", "")
            if password != form.get("again", password):
                raise Invalid(str(visitor.words("invitation.differ")))
            member = await set_password_by_link(core, token, password)
        except NodeError as error:
            return await show(visitor, token, status=error.status, problem=error.safe)
        cookie = await sessions.open_session(core, member, agent=request.headers.get("User-Agent", ""))
        is_newcomer = found[0] == "invitation" and member.assurance == "A0"  # who is new here is asked who they are
        return keep_cookie(core, see("/me/verification" if is_newcomer else "/"), cookie)


async def _show_settings(
    core: Core, shell: Shell, visitor: Visitor, *, status: int = 200, problem: str = "", is_saved: bool = False
) -> Response:
    assert visitor.session is not None
    places = await sessions.list_places(core, visitor.member)
    page = shell.render(
        "signing/settings.html",
        visitor,
        place="me",
        problem=problem,
        is_saved=is_saved,
        places=places,
        languages=LANGUAGES,
        styles=DATE_STYLES,
        zones=sessions.list_time_zones(),
    )
    return Response(page, status)


def _add_settings(pages: Blueprint, house: House, shell: Shell) -> None:
    core = house.core

    @pages.get("/me/settings")
    @for_members(core)
    async def settings(visitor: Visitor) -> ResponseReturnValue:
        return await _show_settings(core, shell, visitor, is_saved="saved" in request.args)

    @pages.post("/me/settings")
    @for_members(core)
    async def change(visitor: Visitor) -> ResponseReturnValue:
        form = await read_form()
        wanted = Preferences(form.get("language", ""), form.get("time_zone", ""), form.get("date_style", ""))
        try:
            await sessions.change_preferences(core, visitor.member, wanted)
        except Invalid as error:
            return await _show_settings(core, shell, visitor, status=422, problem=error.safe)
        return see("/me/settings?saved=1")

    @pages.post("/me/access")
    @for_members(core)
    async def end_access(visitor: Visitor) -> ResponseReturnValue:
        assert visitor.session is not None
        form = await read_form()
        if (session_id := read_number(form.get("session", ""))) is not None:
            await sessions.end_one(core, visitor.session, session_id)
        elif form.get("others"):
            await sessions.sign_out_elsewhere(core, visitor.session)
        else:
            raise NotFound
        return see("/me/settings")

    @pages.post("/me/notice")
    @for_members(core)
    async def seen(visitor: Visitor) -> ResponseReturnValue:
        await sessions.clear_notice(core, visitor.member)
        return see("/")


def _add_password(pages: Blueprint, house: House, shell: Shell, tries: Tries) -> None:
    core = house.core

    @pages.post("/me/password")
    @for_members(core)
    async def password(visitor: Visitor) -> ResponseReturnValue:
        assert visitor.session is not None
        form = await read_form()
        wanted = form.get("password", "")
        try:
            if wanted != form.get("again", wanted):
                raise Invalid(str(visitor.words("invitation.differ")))
            present = form.get("present", "")
            await sessions.change_password(core, tries, visitor.session, present=present, wanted=wanted)
        except (Invalid, TooMany) as error:
            return await _show_settings(core, shell, visitor, status=error.status, problem=error.safe)
        return see("/me/settings?saved=1")

"""Vouching at a meeting: the code that an applicant shows, and the page on which a colleague says "I know this person".

Who may not vouch is told so at `/vouch`, whatever code they opened; of a code that cannot be used nobody learns more.
"""

from __future__ import annotations

from quart import Blueprint, Response
from quart.typing import ResponseReturnValue

from node.community.house import House
from node.community.verification import vouching
from node.community.verification.vouching import Confirming, Guesses
from node.domain.vouching import NEEDED
from node.foundation.errors import Conflict, Forbidden, Invalid, NodeError, NotFound

from .qr import draw_link
from .shell import Shell
from .visitor import Visitor, for_members, read_form, read_number, see


def build_vouching(house: House, shell: Shell) -> Blueprint:
    """Return the routes of vouching."""
    pages = Blueprint("vouching", __name__)
    guesses = Guesses(house.core.clock)
    _add_code(pages, house, shell)
    _add_given(pages, house, shell, guesses)
    _add_vouch(pages, house, shell, guesses)
    return pages


def _add_code(pages: Blueprint, house: House, shell: Shell) -> None:
    core = house.core

    @pages.post("/me/verification/code")
    @for_members(core)
    async def show_code(visitor: Visitor) -> ResponseReturnValue:
        """Show a new code; the answer itself does, for it can be shown once."""
        try:
            code = await vouching.show_code(core, visitor.member)
        except Conflict:
            return see("/me/verification")  # decided meanwhile: that page says how
        picture = draw_link(code.address, str(visitor.words("vouch.qr_label")))
        page = shell.render("verification/code.html", visitor, place="me", code=code, picture=picture, needed=NEEDED)
        return Response(page)


async def _show_given(
    house: House, shell: Shell, visitor: Visitor, *, status: int = 200, problem: str = "", words: str = ""
) -> Response:
    core = house.core
    page = shell.render(
        "verification/vouch.html",
        visitor,
        place="me",
        decision=await vouching.judge_voucher(core, visitor.member),
        given=await vouching.list_own_vouches(core, visitor.member),
        level=core.config.verification.vouch_level,
        problem=problem,
        words=words,
    )
    return Response(page, status)


def _add_given(pages: Blueprint, house: House, shell: Shell, guesses: Guesses) -> None:
    core = house.core

    @pages.get("/vouch")
    @for_members(core)
    async def given(visitor: Visitor) -> ResponseReturnValue:
        return await _show_given(house, shell, visitor)

    @pages.post("/vouch")
    @for_members(core)
    async def type_words(visitor: Visitor) -> ResponseReturnValue:
        """Find who shows four words, for whoever has no camera at hand."""
        words = (await read_form()).get("words", "")[:200]
        try:
            page = await vouching.open_code(core, guesses, visitor.member, words)
        except NodeError as error:
            said = error.safe
            return await _show_given(house, shell, visitor, status=422, problem=said, words=words)
        return _show_person(shell, visitor, page)

    @pages.post("/vouch/withdraw")
    @for_members(core)
    async def withdraw(visitor: Visitor) -> ResponseReturnValue:
        number = read_number((await read_form()).get("vouch", "")) or 0
        try:
            await vouching.take_back(core, visitor.member, number)
        except NodeError as error:
            return await _show_given(house, shell, visitor, status=422, problem=error.safe)
        return see("/vouch")


def _add_vouch(pages: Blueprint, house: House, shell: Shell, guesses: Guesses) -> None:
    core = house.core

    @pages.get("/vouch/<token>")
    @for_members(core)
    async def person(visitor: Visitor, token: str) -> ResponseReturnValue:
        try:
            page = await vouching.open_code(core, guesses, visitor.member, token)
        except Forbidden:
            return see("/vouch")  # who may not vouch learns nothing of any code
        except NodeError as error:
            said = error.safe
            return await _show_given(house, shell, visitor, status=error.status, problem=said)
        return _show_person(shell, visitor, page)

    @pages.post("/vouch/confirm")
    @for_members(core)
    async def confirm(visitor: Visitor) -> ResponseReturnValue:
        form = await read_form()
        code = form.get("code", "")[:200]
        try:
            await vouching.vouch(core, guesses, visitor.member, code, is_known=bool(form.get("known")))
        except Invalid as error:
            page = await vouching.open_code(core, guesses, visitor.member, code)
            return _show_person(shell, visitor, page, problem=error.safe)
        except (Forbidden, NotFound, Conflict) as error:
            return await _show_given(house, shell, visitor, status=422, problem=error.safe)
        except NodeError as error:
            said = error.safe
            return await _show_given(house, shell, visitor, status=error.status, problem=said)
        return see("/vouch")


def _show_person(shell: Shell, visitor: Visitor, page: Confirming, *, problem: str = "") -> Response:
    text = shell.render("verification/confirm.html", visitor, place="me", page=page, problem=problem)
    return Response(text, 422 if problem else 200)

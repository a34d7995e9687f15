"""The page behind the set-up link, where the first operator of a node says who they are."""

from __future__ import annotations

from quart import Blueprint, Response, request
from quart.typing import ResponseReturnValue

from node.community.house import House
from node.community.members import sessions, setup
from node.community.members.service import PASSWORD_SHORTEST, NewMember
from node.community.members.sessions import LANGUAGES, Preferences
from node.community.peering.pages import own_fingerprint
from node.foundation.errors import NodeError, NotFound
from node.foundation.fingerprints import fingerprint_words

from .shell import Shell
from .visitor import Visitor, find_visitor, keep_cookie, read_form, see


def build_setting_up(house: House, shell: Shell) -> Blueprint:
    """Return the routes of the set-up link."""
    pages = Blueprint("setting_up", __name__)
    core = house.core

    async def show(
        visitor: Visitor,
        token: str,
        *,
        status: int = 200,
        problem: str = "",
        new: NewMember | None = None,
        wanted: Preferences | None = None,
    ) -> Response:
        is_open = await setup.is_open(core, token)
        page = shell.render(
            "signing/set_up.html",
            Visitor(None, "", visitor.words),
            is_open=is_open,
            problem=problem,
            new=new or NewMember("", ""),
            wanted=wanted or visitor.words.preferences,
            own=fingerprint_words(await own_fingerprint(core)),
            shortest=PASSWORD_SHORTEST,
            languages=LANGUAGES,
            zones=sessions.list_time_zones(),
        )
        status = 404 if not is_open and status == 200 else status
        return Response(page, status, headers={"Referrer-Policy": "no-referrer"})  # the address is the secret

    @pages.get("/set-up/<token>")
    async def set_up_page(token: str) -> ResponseReturnValue:
        return await show(await find_visitor(core), token)

    @pages.post("/set-up/<token>")
    async def set_up(token: str) -> ResponseReturnValue:
        """Take the form; where it comes from cannot be asked, for the page sends no referrer, and the address suffices."""
        visitor, form = await find_visitor(core), await read_form()
        if not await setup.is_open(core, token):
            return await show(visitor, token)
        new = NewMember(
            handle=form.get("handle", "").strip().lower()[:100],
            name=form.get("name", "")[:200],
            member_class="guest",
            role="operator",
            password=form.get("password", "")[:2000],
        )
        wanted = Preferences(form.get("language", ""), form.get("time_zone", ""))
        try:
            member = await setup.set_up(core, token, new, wanted)
        except NotFound:
            return await show(visitor, token)
        except NodeError as error:
            return await show(visitor, token, status=422, problem=error.safe, new=new, wanted=wanted)
        cookie = await sessions.open_session(core, member, agent=request.headers.get("User-Agent", ""))
        return keep_cookie(core, see("/node/first-day"), cookie)

    return pages

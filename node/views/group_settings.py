"""A group's settings, for its staff: its owner changes them, the others read them; elsewhere the page says where that is.

To everybody who is not of the group's staff the page is absent.
"""

from __future__ import annotations

from quart import Blueprint, Response, request
from quart.typing import ResponseReturnValue

from node.community.groups.settings import TEXT_LIMIT, GroupChange, SettingsPage, change_settings, read_settings_page
from node.community.house import House
from node.domain.actors import ASSURANCE_LEVELS
from node.domain.groups import HISTORIES, POLICIES
from node.store.profiles import Profile

from .reading import path_of, seen_group
from .refusals import SHOWN_AGAIN
from .shell import Shell
from .visitor import Visitor, for_members, read_form, see


def build_group_settings(house: House, shell: Shell) -> Blueprint:
    """Return the routes of a group's settings."""
    pages = Blueprint("group_settings", __name__)
    core = house.core

    async def show(
        visitor: Visitor, profile: Profile, *, problem: str = "", typed: GroupChange | None = None
    ) -> Response:
        page = await read_settings_page(core, viewer=visitor.member, group_id=profile.actor_id)
        text = shell.render(
            "belonging/settings.html",
            visitor,
            place="groups",
            page=page,
            path=path_of(house)(page.group),
            typed=typed or _as_it_is(page),
            problem=problem,
            is_saved="saved" in request.args,
            policies=POLICIES,
            histories=HISTORIES,
            levels=ASSURANCE_LEVELS,
            text_limit=TEXT_LIMIT,
        )
        return Response(text, 422 if problem else 200)

    @pages.get("/groups/<address>/settings")
    @for_members(core)
    async def settings(visitor: Visitor, address: str) -> ResponseReturnValue:
        return await show(visitor, await seen_group(core, visitor, address))

    @pages.post("/groups/<address>/settings")
    @for_members(core)
    async def change(visitor: Visitor, address: str) -> ResponseReturnValue:
        profile, form = await seen_group(core, visitor, address), await read_form()
        await read_settings_page(core, viewer=visitor.member, group_id=profile.actor_id)
        wanted = GroupChange(
            title=form.get("title", ""),
            purpose=form.get("purpose", ""),
            rules=form.get("rules", ""),
            questions=form.get("questions", ""),
            policy=form.get("policy", ""),
            is_hidden=bool(form.get("hidden")),
            history=form.get("history", ""),
            required_assurance=form.get("assurance", ""),
        )
        try:
            await change_settings(
                core,
                house.tables,
                owner=visitor.member,
                group_id=profile.actor_id,
                change=wanted,
                by=visitor.member.handle,
            )
        except SHOWN_AGAIN as error:
            return await show(visitor, profile, problem=error.safe, typed=wanted)
        return see(f"/groups/{address}/settings?saved=1")

    return pages


def _as_it_is(page: SettingsPage) -> GroupChange:
    """Return what the form holds before anything is typed."""
    group = page.group
    return GroupChange(
        title=group.title,
        purpose=page.purpose,
        rules=page.paper.rules,
        questions="\n".join(page.paper.questions),
        policy=group.policy,
        is_hidden=group.is_hidden,
        history=group.history,
        required_assurance=group.required_assurance,
    )

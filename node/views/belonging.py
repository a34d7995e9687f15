"""Pages of belonging: find a group, start one, ask to join, leave, and tell a group's staff about a post.

Who may not know of a group, or is not in it where that is needed, gets what is got for one that is absent.
"""

from __future__ import annotations

from typing import Any

from quart import Blueprint, Response, request
from quart.typing import ResponseReturnValue

from node.community.groups import lookup, pages, reports, service
from node.community.groups.service import NewGroup
from node.community.hosting import read_level
from node.community.house import House
from node.community.members.profiles import find_profile
from node.domain.actors import ASSURANCE_LEVELS, Member
from node.domain.groups import HISTORIES, POLICIES, Group
from node.domain.posts import Post
from node.foundation.errors import Conflict, Invalid, NodeError, NotFound
from node.store.core import Core
from node.store.profiles import Profile

from .reading import open_thread, path_of, seen_group
from .refusals import SHOWN_AGAIN
from .shell import Shell, post_page
from .visitor import Visitor, for_members, read_form, see

_ADDRESS_LIMIT_CHARACTERS = 300


def build_belonging(house: House, shell: Shell) -> Blueprint:
    """Return the routes of belonging to groups."""
    blueprint = Blueprint("belonging", __name__)
    _add_finding(blueprint, house, shell)
    _add_starting(blueprint, house, shell)
    _add_joining(blueprint, house, shell)
    _add_leaving(blueprint, house, shell)
    _add_reporting(blueprint, house, shell)
    return blueprint


def _add_finding(blueprint: Blueprint, house: House, shell: Shell) -> None:
    core, find_path = house.core, path_of(house)

    async def show(visitor: Visitor, *, address: str = "", problem: str = "") -> Response:
        page = shell.render("belonging/find.html", visitor, place="groups", address=address, problem=problem)
        return Response(page, 422 if problem else 200)

    @blueprint.get("/groups/find")
    @for_members(core)
    async def find_page(visitor: Visitor) -> ResponseReturnValue:
        return await show(visitor)

    @blueprint.post("/groups/find")
    @for_members(core)
    async def find(visitor: Visitor) -> ResponseReturnValue:
        address = (await read_form()).get("address", "").strip()[:_ADDRESS_LIMIT_CHARACTERS]
        group = await _find_seen(house, visitor.member, address)
        if group is None:
            return await show(visitor, address=address, problem=visitor.words("find.nothing"))
        return see(f"{find_path(group)}/join")


async def _find_seen(house: House, viewer: Member, address: str) -> Group | None:
    """Return a group by address; one that is hidden from the viewer is as absent as one that is not there."""
    core = house.core
    try:
        group = await lookup.find_group_anywhere(core, house.dereferencer, address)
    except NodeError:
        return None
    seen = await find_profile(core, viewer=viewer, handle=group.handle, host=group.host, kind="group")
    return group if seen is not None and seen.actor_id == group.group_id else None


def _add_starting(blueprint: Blueprint, house: House, shell: Shell) -> None:
    core = house.core

    async def show(visitor: Visitor, new: NewGroup, *, problem: str = "") -> Response:
        values = {"new": new, "policies": POLICIES, "histories": HISTORIES, "levels": ASSURANCE_LEVELS}
        page = shell.render("belonging/new.html", visitor, place="groups", problem=problem, **values)
        return Response(page, 422 if problem else 200)

    @blueprint.get("/groups/new")
    @for_members(core)
    async def new_page(visitor: Visitor) -> ResponseReturnValue:
        return await show(visitor, NewGroup("", ""))

    @blueprint.post("/groups/new")
    @for_members(core)
    async def start(visitor: Visitor) -> ResponseReturnValue:
        form = await read_form()
        new = NewGroup(
            handle=form.get("handle", "").strip().lower(),
            title=form.get("title", ""),
            policy=form.get("policy", ""),
            is_hidden=bool(form.get("hidden")),
            history=form.get("history", ""),
            purpose=form.get("purpose", ""),
            rules=form.get("rules", ""),
            questions=form.get("questions", ""),
            new_node_approvals=2 if form.get("two_people") else 1,
            required_assurance=form.get("assurance", "A0"),
        )
        try:
            await service.create_group(core, house.tables, new, owner=visitor.member, by=visitor.member.handle)
        except (Invalid, Conflict) as error:
            return await show(visitor, new, problem=error.safe)
        return see(f"/groups/{new.handle}")


def _add_joining(blueprint: Blueprint, house: House, shell: Shell) -> None:
    core, find_path = house.core, path_of(house)

    async def show(visitor: Visitor, profile: Profile, *, reason: str = "", problem: str = "") -> ResponseReturnValue:
        page = await pages.read_join_page(core, viewer=visitor.member, group_id=profile.actor_id)
        path = find_path(page.group)
        if page.way == "member":
            return see(path)
        level = await read_level(core, group=page.group, member=visitor.member, is_member=False)
        values = {"page": page, "path": path, "reason": reason, "problem": problem, "reaches": bool(level)}
        text = shell.render("belonging/join.html", visitor, place="groups", **values)
        return Response(text, 422 if problem else 200)

    @blueprint.get("/groups/<address>/join")
    @for_members(core)
    async def join_page(visitor: Visitor, address: str) -> ResponseReturnValue:
        return await show(visitor, await seen_group(core, visitor, address))

    @blueprint.post("/groups/<address>/join")
    @for_members(core)
    async def join(visitor: Visitor, address: str) -> ResponseReturnValue:
        profile = await seen_group(core, visitor, address)
        reason = (await read_form()).get("reason", "").replace("\r\n", "\n")
        if profile.policy == "request" and not reason.strip() and not await _is_invited(core, visitor, profile):
            return await show(visitor, profile, problem=visitor.words("join.say_why"))
        try:
            place = await service.join_group(
                core, house.tables, member=visitor.member, group_uri=profile.uri, reason=reason
            )
        except SHOWN_AGAIN as error:
            return await show(visitor, profile, reason=reason, problem=error.safe)
        return see(f"/groups/{address}" if place.is_member else f"/groups/{address}/join")


async def _is_invited(core: Core, visitor: Visitor, profile: Profile) -> bool:
    page = await pages.read_join_page(core, viewer=visitor.member, group_id=profile.actor_id)
    return page.way == "invited"


def _add_leaving(blueprint: Blueprint, house: House, shell: Shell) -> None:
    core, find_path = house.core, path_of(house)

    async def show(visitor: Visitor, profile: Profile, *, choice: str = "", problem: str = "") -> Response:
        page = await pages.read_leave_page(core, viewer=visitor.member, group_id=profile.actor_id)
        values = {"page": page, "path": find_path(page.group), "choice": choice, "problem": problem}
        text = shell.render("belonging/leave.html", visitor, place="groups", **values)
        return Response(text, 422 if problem else 200)

    @blueprint.get("/groups/<address>/leave")
    @for_members(core)
    async def leave_page(visitor: Visitor, address: str) -> ResponseReturnValue:
        return await show(visitor, await seen_group(core, visitor, address))

    @blueprint.post("/groups/<address>/leave")
    @for_members(core)
    async def leave(visitor: Visitor, address: str) -> ResponseReturnValue:
        profile = await seen_group(core, visitor, address)
        page = await pages.read_join_page(core, viewer=visitor.member, group_id=profile.actor_id)
        if page.way not in ("member", "asked", "invited"):
            raise NotFound
        choice = (await read_form()).get("posts", "" if page.way == "member" else "keep")
        if choice not in ("keep", "withdraw"):
            return await show(visitor, profile, problem=visitor.words("leave.choose"))
        try:
            await pages.leave_with_choice(
                core,
                house.tables,
                member=visitor.member,
                group_id=profile.actor_id,
                withdraw=choice == "withdraw",
            )
        except SHOWN_AGAIN as error:
            return await show(visitor, profile, choice=choice, problem=error.safe)
        return see("/groups")


def _add_reporting(blueprint: Blueprint, house: House, shell: Shell) -> None:
    core = house.core

    async def show(visitor: Visitor, path: str, post: Post, title: str, **more: Any) -> Response:
        values = {"rule": "", "note": "", "problem": "", "is_sent": False, "rules": reports.RULES} | more
        here = post_page(post, path)
        text = shell.render(
            "belonging/report.html", visitor, place="groups", path=path, post=post, here=here, title=title, **values
        )
        return Response(text, 422 if values["problem"] else 200)

    @blueprint.get("/groups/<address>/threads/<token>/report")
    @for_members(core)
    async def report_page(visitor: Visitor, address: str, token: str) -> ResponseReturnValue:
        page, path, post = await open_thread(house, visitor, address, token)
        if post.state != "live":
            raise NotFound
        return await show(visitor, path, post, page.group.title, is_sent="sent" in request.args)

    @blueprint.post("/groups/<address>/threads/<token>/report")
    @for_members(core)
    async def report(visitor: Visitor, address: str, token: str) -> ResponseReturnValue:
        page, path, post = await open_thread(house, visitor, address, token)
        if post.state != "live":
            raise NotFound
        form = await read_form()
        rule, note = form.get("rule", ""), form.get("note", "").replace("\r\n", "\n")
        try:
            await reports.report_post(
                core,
                house.tables,
                reporter=visitor.member,
                group_id=page.group.group_id,
                post_uri=post.uri,
                rule=rule,
                note=note,
            )
        except SHOWN_AGAIN as error:
            return await show(visitor, path, post, page.group.title, rule=rule, note=note, problem=error.safe)
        return see(f"{post_page(post, path)}/report?sent=1")

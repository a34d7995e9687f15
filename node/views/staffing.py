"""Pages of a group's people: the members, and what its staff does about them: requests, new nodes, invitations, roles.

Requests and reports are for staff; to everybody else the page is absent. A node that does not hold the group yet is let
in by a form of its own, which says who will technically hold what: that is another decision than the one about a person.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

from quart import Blueprint, Response, request
from quart.typing import ResponseReturnValue

from node.community.groups import pages, staff
from node.community.groups.admission import NOT_ADMITTED
from node.community.groups.bans import lift_ban
from node.community.groups.elsewhere import ask_to_admit_node, find_invited
from node.community.groups.pages import RequestsPage
from node.community.house import House
from node.domain.groups import ROLES
from node.domain.peers import Peer
from node.foundation.errors import Conflict, Forbidden, Invalid, NotFound
from node.store.profiles import Profile

from .reading import path_of, seen_group
from .refusals import SHOWN_AGAIN
from .shell import Shell
from .visitor import Visitor, for_members, read_form, read_number, see


def build_staffing(house: House, shell: Shell) -> Blueprint:
    """Return the routes of a group's people."""
    blueprint = Blueprint("staffing", __name__)
    _add_requests(blueprint, house, shell)
    _add_admission(blueprint, house, shell)
    _add_members(blueprint, house, shell)
    _add_changes(blueprint, house, shell)
    _add_bans(blueprint, house, shell)
    _add_inviting(blueprint, house, shell)
    return blueprint


async def _show_requests(
    house: House,
    shell: Shell,
    visitor: Visitor,
    profile: Profile,
    *,
    problem: str = "",
    person: str = "",
    note: str = "",
) -> Response:
    page = await pages.read_requests_page(house.core, viewer=visitor.member, group_id=profile.actor_id)
    text = shell.render(
        "belonging/requests.html",
        visitor,
        place="groups",
        page=page,
        path=path_of(house)(page.group),
        problem=problem,
        tried=person,
        note=note,
        told_host=request.args.get("told", ""),
    )
    return Response(text, 422 if problem else 200)


def _add_requests(blueprint: Blueprint, house: House, shell: Shell) -> None:
    core = house.core

    @blueprint.get("/groups/<address>/requests")
    @for_members(core)
    async def requests_page(visitor: Visitor, address: str) -> ResponseReturnValue:
        return await _show_requests(house, shell, visitor, await seen_group(core, visitor, address))

    @blueprint.post("/groups/<address>/requests")
    @for_members(core)
    async def decide(visitor: Visitor, address: str) -> ResponseReturnValue:
        profile, form = await seen_group(core, visitor, address), await read_form()
        page = await pages.read_requests_page(core, viewer=visitor.member, group_id=profile.actor_id)
        decision, note = form.get("decision", ""), form.get("note", "").replace("\r\n", "\n")
        asking = _asking(page, form.get("person", ""))
        try:
            if asking is None:
                raise Conflict(str(visitor.words("requests.not_open")))
            if decision not in ("approve", "reject"):
                raise Invalid(str(visitor.words("requests.yes_or_no")))
            await staff.decide_request(
                core,
                house.tables,
                staff=visitor.member,
                group_id=profile.actor_id,
                actor_id=asking.person.actor_id,
                approve=decision == "approve",
                note=note,
                by=visitor.member.handle,
            )
        except SHOWN_AGAIN as error:
            return await _show_requests(
                house, shell, visitor, profile, problem=error.safe, person=form.get("person", ""), note=note
            )
        return see(f"/groups/{address}/requests" + ("" if page.group.is_local else "?told=decision"))


def _add_admission(blueprint: Blueprint, house: House, shell: Shell) -> None:
    core = house.core

    @blueprint.post("/groups/<address>/admit")
    @for_members(core)
    async def admit(visitor: Visitor, address: str) -> ResponseReturnValue:
        """Let the node of somebody who asks hold the group."""
        profile, form = await seen_group(core, visitor, address), await read_form()
        page = await pages.read_requests_page(core, viewer=visitor.member, group_id=profile.actor_id)
        asking = _asking(page, form.get("person", ""))
        try:
            if asking is None:
                raise Conflict(str(visitor.words("requests.not_open")))
            if not form.get("confirm"):
                raise Invalid(str(visitor.words("requests.confirm_first")))
            person = asking.person
            await _admit(house, visitor, page, asking.peer, person.uri)
        except SHOWN_AGAIN as error:
            return await _show_requests(
                house, shell, visitor, profile, problem=error.safe, person=form.get("person", "")
            )
        return see(f"/groups/{address}/requests" + ("" if page.group.is_local else f"?told={person.host}"))


def _asking(page: RequestsPage, person_uri: str) -> Any:
    """Return the waiting request of a person, if there is one."""
    return next((each for each in page.waiting if each.person.uri == person_uri), None)


async def _admit(house: House, visitor: Visitor, page: RequestsPage, peer: Peer | None, person_uri: str) -> None:
    """Let a node hold a group: here at once; elsewhere its host is told."""
    group_id = page.group.group_id
    if not page.group.is_local:
        origin = "/".join(person_uri.split("/")[:3])
        await ask_to_admit_node(house.core, staff=visitor.member, group_id=group_id, instance_uri=f"{origin}/actor")
        return
    if peer is None:
        raise Conflict(str(visitor.words("requests.not_trusted")))
    by = visitor.member.handle
    await staff.admit_node(
        house.core, house.tables, staff=visitor.member, group_id=group_id, peer=peer, because_of=person_uri, by=by
    )


async def _show_members(
    house: House, shell: Shell, visitor: Visitor, profile: Profile, *, chosen: str = "", problem: str = "", **more: Any
) -> Response:
    page = await pages.read_members_page(
        house.core,
        viewer=visitor.member,
        group_id=profile.actor_id,
        after_id=read_number(request.args.get("after", "")) or 0,
        chosen=chosen,
    )
    values = {"page": page, "path": path_of(house)(page.group), "problem": problem, "roles": ROLES}
    begun = {"invited_text": "", "new_node": None, "reason": "", "ban": False} | more
    text = shell.render("belonging/members.html", visitor, place="groups", **values, **begun)
    return Response(text, 422 if problem else 200)


def _add_members(blueprint: Blueprint, house: House, shell: Shell) -> None:
    core = house.core

    @blueprint.get("/groups/<address>/members")
    @for_members(core)
    async def members_page(visitor: Visitor, address: str) -> ResponseReturnValue:
        profile = await seen_group(core, visitor, address)
        return await _show_members(house, shell, visitor, profile, chosen=request.args.get("person", ""))


def _add_changes(blueprint: Blueprint, house: House, shell: Shell) -> None:
    core = house.core

    async def change(
        visitor: Visitor, address: str, act: Callable[[Profile, dict[str, str], int], Awaitable[None]]
    ) -> Any:
        """Do something about a member by a form that names them."""
        profile, form = await seen_group(core, visitor, address), await read_form()
        person = form.get("person", "")
        page = await pages.read_members_page(core, viewer=visitor.member, group_id=profile.actor_id, chosen=person)
        if page.chosen is None:
            raise NotFound
        try:
            if not page.may_put_out:
                raise Forbidden(str(visitor.words("members.owners_only")))
            await act(profile, form, page.chosen.actor_id)
        except SHOWN_AGAIN as error:
            reason, ban = form.get("reason", ""), bool(form.get("ban"))
            return await _show_members(
                house, shell, visitor, profile, chosen=person, problem=error.safe, reason=reason, ban=ban
            )
        return see(f"/groups/{address}/members")

    @blueprint.post("/groups/<address>/members/role")
    @for_members(core)
    async def give_role(visitor: Visitor, address: str) -> ResponseReturnValue:
        async def act(profile: Profile, form: dict[str, str], actor_id: int) -> None:
            await staff.set_role(
                core,
                house.tables,
                owner=visitor.member,
                group_id=profile.actor_id,
                actor_id=actor_id,
                role=form.get("role", ""),
                by=visitor.member.handle,
            )

        answer: ResponseReturnValue = await change(visitor, address, act)
        return answer

    @blueprint.post("/groups/<address>/members/remove")
    @for_members(core)
    async def remove(visitor: Visitor, address: str) -> ResponseReturnValue:
        async def act(profile: Profile, form: dict[str, str], actor_id: int) -> None:
            if not form.get("reason", "").strip():
                raise Invalid(str(visitor.words("members.say_why")))
            await staff.remove_from_group(
                core,
                house.tables,
                staff=visitor.member,
                group_id=profile.actor_id,
                actor_id=actor_id,
                ban=bool(form.get("ban")),
                reason=form["reason"].replace("\r\n", "\n"),
                by=visitor.member.handle,
            )

        answer: ResponseReturnValue = await change(visitor, address, act)
        return answer


def _add_bans(blueprint: Blueprint, house: House, shell: Shell) -> None:
    core = house.core

    @blueprint.post("/groups/<address>/members/lift")
    @for_members(core)
    async def lift(visitor: Visitor, address: str) -> ResponseReturnValue:
        profile, form = await seen_group(core, visitor, address), await read_form()
        group_id = profile.actor_id
        page = await pages.read_members_page(core, viewer=visitor.member, group_id=group_id)
        if not page.may_invite:
            raise NotFound
        person = await pages.find_banned(core, group_id=group_id, address=form.get("person", "")[:300])
        try:
            if person is None:
                raise Conflict(str(visitor.words("members.not_banned")))
            await lift_ban(
                core, staff=visitor.member, group_id=group_id, actor_id=person.actor_id, by=visitor.member.handle
            )
        except SHOWN_AGAIN as error:
            return await _show_members(house, shell, visitor, profile, problem=error.safe)
        return see(f"/groups/{address}/members")


def _add_inviting(blueprint: Blueprint, house: House, shell: Shell) -> None:
    core = house.core

    @blueprint.post("/groups/<address>/members/invite")
    @for_members(core)
    async def invite(visitor: Visitor, address: str) -> ResponseReturnValue:
        """Invite somebody; with `confirm` their node is let hold the group first, which the page asks for on its own."""
        profile, form = await seen_group(core, visitor, address), await read_form()
        page = await pages.read_members_page(core, viewer=visitor.member, group_id=profile.actor_id)
        if not page.may_invite:
            raise NotFound
        text, by, group_id = form.get("person", "").strip()[:300], visitor.member.handle, profile.actor_id
        peer = None
        try:
            invited = await find_invited(core, viewer=visitor.member, text=text)
            peer = core.peers.by_host(invited.host)
            if form.get("confirm") and peer is not None:
                await staff.admit_node(
                    core,
                    house.tables,
                    staff=visitor.member,
                    group_id=group_id,
                    peer=peer,
                    because_of=invited.uri,
                    by=by,
                )
            await staff.invite_to_group(
                core, house.tables, staff=visitor.member, group_id=group_id, invited=invited, by=by
            )
        except SHOWN_AGAIN as error:
            new_node = peer if error.safe == NOT_ADMITTED else None
            return await _show_members(
                house, shell, visitor, profile, problem=error.safe, invited_text=text, new_node=new_node
            )
        return see(f"/groups/{address}/members")

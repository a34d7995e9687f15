"""`/api/v1/accounts/:id/…` and its neighbours: who is in a group, what two people share, notes, search by name.

Nobody follows people here. The followers of a group are its members, told to members alone; whom somebody follows are
the groups that the reader shares with them.

Spec: Mastodon API, methods/accounts.
"""

from __future__ import annotations

from quart import Blueprint, Response, request

from node.community.groups import roster
from node.community.groups.lookup import list_joined_groups, list_places
from node.community.house import House
from node.community.members.notes import set_note
from node.community.members.profiles import read_profiles
from node.community.posts.reading import Span
from node.community.reading.following import list_quiet
from node.community.reading.search import find_accounts
from node.domain.actors import Member

from .accounts import relate, require_account
from .auth import Caller, needs
from .entities import Entity, Setting
from .entities.accounts import build_account
from .entities.ids import parse_number
from .entities.lists import build_list
from .pagination import cut_out, read_limit, read_plain_span, send_page
from .parameters import is_true, read_parameters, read_query

_ACCOUNT = "/api/v1/accounts/<account_id>"


def add_people(routes: Blueprint, house: House, setting: Setting) -> None:
    """Add the routes of what stands around an account."""
    core = house.core

    @routes.get("/api/v1/accounts/search")
    @needs(core, "read:accounts")
    async def search(caller: Caller) -> list[Entity]:
        query = read_query(request)
        limit = read_limit(query, usual=40)
        found = await find_accounts(core, viewer=caller.member, text=query.text("q") or "")
        if is_true(query.text("following")):
            joined = await list_places(core, viewer=caller.member, actor_ids=found)
            found = [number for number in found if number in joined and joined[number].is_member]
        return [build_account(each, setting) for each in await read_profiles(core, actor_ids=found[:limit])]

    @routes.get("/api/v1/accounts/familiar_followers")
    @needs(core, "read:follows")
    async def familiar_followers(caller: Caller) -> list[Entity]:
        """Nobody: in a group, everybody knows who is in it anyway."""
        numbers = dict.fromkeys(parse_number(text) for text in read_query(request).texts("id"))
        return [{"id": str(number), "accounts": []} for number in numbers if number is not None]

    @routes.get(f"{_ACCOUNT}/lists")
    @needs(core, "read:lists")
    async def lists(caller: Caller, account_id: str) -> list[Entity]:
        profile = await require_account(house, caller.member, account_id)
        joined = await list_joined_groups(core, viewer=caller.member)
        quiet = await list_quiet(core, viewer=caller.member)
        return [
            build_list(group, is_quiet=group.group_id in quiet)
            for group in joined
            if group.group_id == profile.actor_id
        ]

    @routes.post(f"{_ACCOUNT}/note")
    @needs(core, "write:accounts")
    async def note(caller: Caller, account_id: str) -> Entity:
        profile = await require_account(house, caller.member, account_id)
        said = (await read_parameters(request)).text("comment") or ""
        await set_note(core, viewer=caller.member, actor_id=profile.actor_id, note=said)
        return (await relate(house, caller.member, [profile.actor_id]))[0]

    _add_circles(routes, house, setting)


def _add_circles(routes: Blueprint, house: House, setting: Setting) -> None:
    """Add the routes of who is in a group, and which groups somebody is in."""
    core = house.core

    @routes.get(f"{_ACCOUNT}/followers")
    @needs(core, "read:accounts")
    async def followers(caller: Caller, account_id: str) -> Response:
        profile = await require_account(house, caller.member, account_id)
        span = read_plain_span(read_query(request))
        ids = []
        if profile.is_group:
            found = await roster.list_member_ids(
                core,
                viewer=caller.member,
                group_id=profile.actor_id,
                before_id=span.before_id,
                after_id=span.after_id,
                oldest_first=span.oldest_first,
            )
            ids = sorted(found[: span.limit], reverse=True)
        return await show(ids, span)

    @routes.get(f"{_ACCOUNT}/following")
    @needs(core, "read:accounts")
    async def following(caller: Caller, account_id: str) -> Response:
        profile = await require_account(house, caller.member, account_id)
        span = read_plain_span(read_query(request))
        groups = [] if profile.is_group else await _list_groups(house, caller.member, profile.actor_id)
        return await show(cut_out(groups, span), span)

    async def show(ids: list[int], span: Span) -> Response:
        shown = [build_account(each, setting) for each in await read_profiles(core, actor_ids=ids)]
        return send_page(f"{setting.origin}{request.path}", shown, [str(number) for number in ids], span)


async def _list_groups(house: House, viewer: Member, actor_id: int) -> list[int]:
    """Return the numbers of one's own groups, or of those that one shares with somebody else."""
    if actor_id == viewer.actor_id:
        return [group.group_id for group in await list_joined_groups(house.core, viewer=viewer)]
    return await roster.list_shared_ids(house.core, viewer=viewer, actor_id=actor_id)

"""`/api/v1/follow_requests`: who asks to join the groups of whose staff the member is.

An account says nothing of the group it asks for. So each has a first field that does, and gives the reason; whoever asks
for several of the member's groups is decided about on these groups' pages.

Spec: Mastodon API, methods/follow_requests.
"""

from __future__ import annotations

from quart import Blueprint, Response, request

from node.community.groups import roster
from node.community.house import House
from node.community.members.profiles import read_profiles
from node.foundation.errors import NotFound

from .accounts import relate
from .auth import Caller, needs
from .entities import Entity, Setting
from .entities.accounts import build_account, build_asking
from .entities.ids import parse_number
from .pagination import cut_out, read_plain_span, send_page
from .parameters import read_query

_REQUESTS = "/api/v1/follow_requests"


def add_requests(routes: Blueprint, house: House, setting: Setting) -> None:
    """Add the routes of requests to join."""
    core = house.core

    @routes.get(_REQUESTS)
    @needs(core, "read:follows")
    async def asking(caller: Caller) -> Response:
        before = await roster.list_asking(core, viewer=caller.member)
        span = read_plain_span(read_query(request))
        ids = cut_out({each.actor_id for each in before}, span)
        shown = [
            build_asking(
                build_account(profile, setting),
                [(each.title, each.reason) for each in before if each.actor_id == profile.actor_id],
            )
            for profile in await read_profiles(core, actor_ids=ids)
        ]
        return send_page(f"{setting.origin}{request.path}", shown, [str(number) for number in ids], span)

    @routes.post(f"{_REQUESTS}/<account_id>/authorize")
    @needs(core, "write:follows")
    async def authorize(caller: Caller, account_id: str) -> Entity:
        return await decide(caller, account_id, approve=True)

    @routes.post(f"{_REQUESTS}/<account_id>/reject")
    @needs(core, "write:follows")
    async def reject(caller: Caller, account_id: str) -> Entity:
        return await decide(caller, account_id, approve=False)

    async def decide(caller: Caller, account_id: str, *, approve: bool) -> Entity:
        number = parse_number(account_id)
        if number is None:
            raise NotFound
        await roster.decide_about(core, house.tables, staff=caller.member, actor_id=number, approve=approve)
        return (await relate(house, caller.member, [number]))[0]

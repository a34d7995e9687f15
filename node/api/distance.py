"""Mutes and blocks. Nobody is told: `blocked_by` is false, whatever is so.

Spec: Mastodon API, methods/accounts, mutes, blocks.
"""

from __future__ import annotations

from datetime import timedelta

from quart import Blueprint, Response, request

from node.community.distance import service as distance
from node.community.house import House
from node.community.members.profiles import read_profiles
from node.community.posts.reading import Span
from node.foundation.errors import NotFound
from node.store.distance import Kept

from .accounts import relate
from .auth import Caller, needs
from .entities import Entity, Setting, format_moment
from .entities.accounts import build_account
from .entities.ids import parse_number
from .pagination import read_plain_span, send_page
from .parameters import Parameters, is_true, read_parameters, read_query

_ACCOUNT = "/api/v1/accounts/<account_id>"
_LIFE_DIGITS = 10


def add_distance(routes: Blueprint, house: House, setting: Setting) -> None:
    """Add the routes of mutes and blocks."""
    _add_acts(routes, house)
    _add_lists(routes, house, setting)


def _add_acts(routes: Blueprint, house: House) -> None:
    core = house.core

    @routes.post(f"{_ACCOUNT}/mute")
    @needs(core, "write:mutes")
    async def mute(caller: Caller, account_id: str) -> Entity:
        number, parameters = _number(account_id), await read_parameters(request)
        notices = parameters.text("notifications")
        await distance.mute(
            core,
            viewer=caller.member,
            actor_id=number,
            for_notices=notices is None or is_true(notices),
            life=_read_life(parameters),
        )
        return await show(caller, number)

    @routes.post(f"{_ACCOUNT}/unmute")
    @needs(core, "write:mutes")
    async def unmute(caller: Caller, account_id: str) -> Entity:
        number = _number(account_id)
        await distance.unmute(core, viewer=caller.member, actor_id=number)
        return await show(caller, number)

    @routes.post(f"{_ACCOUNT}/block")
    @needs(core, "write:blocks")
    async def block(caller: Caller, account_id: str) -> Entity:
        number = _number(account_id)
        await distance.block(core, viewer=caller.member, actor_id=number)
        return await show(caller, number)

    @routes.post(f"{_ACCOUNT}/unblock")
    @needs(core, "write:blocks")
    async def unblock(caller: Caller, account_id: str) -> Entity:
        number = _number(account_id)
        await distance.unblock(core, viewer=caller.member, actor_id=number)
        return await show(caller, number)

    async def show(caller: Caller, number: int) -> Entity:
        return (await relate(house, caller.member, [number]))[0]


def _add_lists(routes: Blueprint, house: House, setting: Setting) -> None:
    core = house.core

    @routes.get("/api/v1/mutes")
    @needs(core, "read:mutes")
    async def mutes(caller: Caller) -> Response:
        span = read_plain_span(read_query(request))
        found = await distance.list_muted(
            core, viewer=caller.member, before_id=span.before_id, after_id=span.after_id, oldest_first=span.oldest_first
        )
        return await show(span, found, with_end=True)

    @routes.get("/api/v1/blocks")
    @needs(core, "read:blocks")
    async def blocks(caller: Caller) -> Response:
        span = read_plain_span(read_query(request))
        found = await distance.list_blocked(
            core, viewer=caller.member, before_id=span.before_id, after_id=span.after_id, oldest_first=span.oldest_first
        )
        return await show(span, found)

    async def show(span: Span, found: list[Kept], *, with_end: bool = False) -> Response:
        """Send a page of accounts, the one put at a distance last first; of mutes with when they end by themselves."""
        page = sorted(found[: span.limit], key=lambda row: row.row_id, reverse=True)
        people = {each.actor_id: each for each in await read_profiles(core, actor_ids=[row.target_id for row in page])}
        accounts = []
        for row in page:
            account = build_account(people[row.target_id], setting)
            end = None if row.until_at is None else format_moment(row.until_at)
            accounts.append({**account, "mute_expires_at": end} if with_end else account)
        ids = [str(row.row_id) for row in page]
        return send_page(f"{setting.origin}{request.path}", accounts, ids, span)


def _number(account_id: str) -> int:
    number = parse_number(account_id)
    if number is None:
        raise NotFound
    return number


def _read_life(parameters: Parameters) -> timedelta | None:
    """Return how long a mute lasts; 0, and what is no number of seconds, is until it is ended."""
    text = parameters.text("duration") or ""
    seconds = int(text) if text.isascii() and text.isdigit() and len(text) < _LIFE_DIGITS else 0
    return timedelta(seconds=seconds) if seconds else None

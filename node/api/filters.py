"""`/api/v2/filters`: what a member does not want to meet unprepared. Spec: Mastodon API, methods/filters."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

from quart import Blueprint, request

from node.community.house import House
from node.community.reading import filters
from node.community.reading.filters import FilterWish
from node.domain.actors import Member
from node.domain.filtering import USUAL_ACTION, Filter, FilteredPost, Keyword
from node.foundation.errors import Invalid, NotFound

from .auth import Caller, needs
from .entities import Entity
from .entities.filters import build_filter, build_filter_status, build_keyword
from .entities.ids import parse_number, parse_status_id
from .parameters import Parameters, is_true, read_parameters

_FILTERS = "/api/v2/filters"
_FILTER = f"{_FILTERS}/<filter_id>"
_YEARS_SECONDS = 100 * 366 * 86_400


def add_filters(routes: Blueprint, house: House) -> None:
    """Add the routes of filters."""
    core = house.core

    @routes.get(_FILTERS)
    @needs(core, "read:filters")
    async def index(caller: Caller) -> list[Entity]:
        return [await full(caller, each) for each in await filters.list_filters(core, owner=caller.member)]

    @routes.post(_FILTERS)
    @needs(core, "write:filters")
    async def create(caller: Caller) -> Entity:
        wish = _read_wish(await read_parameters(request), None, now=core.clock.now())
        return await full(caller, await filters.create_filter(core, owner=caller.member, wish=wish))

    @routes.get(_FILTER)
    @needs(core, "read:filters")
    async def one(caller: Caller, filter_id: str) -> Entity:
        return await full(caller, await filters.get_filter(core, owner=caller.member, filter_id=_number(filter_id)))

    @routes.put(_FILTER)
    @needs(core, "write:filters")
    async def change(caller: Caller, filter_id: str) -> Entity:
        parameters, now = await read_parameters(request), core.clock.now()

        def edit(before: Filter) -> Filter:
            return filters.apply_wish(core, before, _read_wish(parameters, before, now=now))

        changed = await filters.change_filter(core, owner=caller.member, filter_id=_number(filter_id), edit=edit)
        return await full(caller, changed)

    @routes.delete(_FILTER)
    @needs(core, "write:filters")
    async def end(caller: Caller, filter_id: str) -> Entity:
        await filters.delete_filter(core, owner=caller.member, filter_id=_number(filter_id))
        return {}

    async def full(caller: Caller, found: Filter) -> Entity:
        return build_filter(found, await filters.list_marked(core, owner=caller.member, posts=found.posts))

    _add_keywords(routes, house)
    _add_marks(routes, house)


def _add_keywords(routes: Blueprint, house: House) -> None:
    core = house.core

    @routes.get(f"{_FILTER}/keywords")
    @needs(core, "read:filters")
    async def keywords(caller: Caller, filter_id: str) -> list[Entity]:
        found = await filters.get_filter(core, owner=caller.member, filter_id=_number(filter_id))
        return [build_keyword(each) for each in found.keywords]

    @routes.post(f"{_FILTER}/keywords")
    @needs(core, "write:filters")
    async def add_keyword(caller: Caller, filter_id: str) -> Entity:
        parameters = await read_parameters(request)
        text = filters.clean_keyword(parameters.text("keyword") or "")
        made = Keyword(core.ids.number(), text, is_true(parameters.text("whole_word")))

        def edit(before: Filter) -> Filter:
            filters.check_keywords((*before.keywords, made))
            return replace(before, keywords=(*before.keywords, made))

        await filters.change_filter(core, owner=caller.member, filter_id=_number(filter_id), edit=edit)
        return build_keyword(made)

    @routes.get(f"{_FILTERS}/keywords/<keyword_id>")
    @needs(core, "read:filters")
    async def keyword(caller: Caller, keyword_id: str) -> Entity:
        return build_keyword((await _find_keyword(house, caller.member, keyword_id))[1])

    @routes.put(f"{_FILTERS}/keywords/<keyword_id>")
    @needs(core, "write:filters")
    async def change_keyword(caller: Caller, keyword_id: str) -> Entity:
        owning, before = await _find_keyword(house, caller.member, keyword_id)
        parameters = await read_parameters(request)
        text, whole = parameters.text("keyword"), parameters.text("whole_word")
        after = Keyword(
            before.keyword_id,
            before.text if text is None else filters.clean_keyword(text),
            before.is_whole_word if whole is None else is_true(whole),
        )
        await _put_keyword(house, caller.member, owning, before, after)
        return build_keyword(after)

    @routes.delete(f"{_FILTERS}/keywords/<keyword_id>")
    @needs(core, "write:filters")
    async def drop_keyword(caller: Caller, keyword_id: str) -> Entity:
        owning, before = await _find_keyword(house, caller.member, keyword_id)
        await _put_keyword(house, caller.member, owning, before, None)
        return {}


def _add_marks(routes: Blueprint, house: House) -> None:
    core = house.core

    @routes.get(f"{_FILTER}/statuses")
    @needs(core, "read:filters")
    async def marks(caller: Caller, filter_id: str) -> list[Entity]:
        found = await filters.get_filter(core, owner=caller.member, filter_id=_number(filter_id))
        shown = await filters.list_marked(core, owner=caller.member, posts=found.posts)
        return [build_filter_status(mark, post_id) for mark, post_id in shown]

    @routes.post(f"{_FILTER}/statuses")
    @needs(core, "write:filters")
    async def add_mark(caller: Caller, filter_id: str) -> Entity:
        post_id = parse_status_id((await read_parameters(request)).text("status_id") or "")
        if post_id is None:
            raise Invalid("Say which status the filter shall name.")
        mark = await filters.add_post(core, owner=caller.member, filter_id=_number(filter_id), post_id=post_id)
        return build_filter_status(mark, post_id)

    @routes.get(f"{_FILTERS}/statuses/<mark_id>")
    @needs(core, "read:filters")
    async def one_mark(caller: Caller, mark_id: str) -> Entity:
        return build_filter_status(*(await _find_mark(house, caller.member, mark_id))[1:])

    @routes.delete(f"{_FILTERS}/statuses/<mark_id>")
    @needs(core, "write:filters")
    async def drop_mark(caller: Caller, mark_id: str) -> Entity:
        owning, mark = await filters.find_mark(core, owner=caller.member, mark_id=_number(mark_id))

        def edit(before: Filter) -> Filter:
            return replace(before, posts=tuple(post for post in before.posts if post.mark_id != mark.mark_id))

        await filters.change_filter(core, owner=caller.member, filter_id=owning.filter_id, edit=edit)
        return {}


async def _find_keyword(house: House, owner: Member, keyword_id: str) -> tuple[Filter, Keyword]:
    return await filters.find_keyword(house.core, owner=owner, keyword_id=_number(keyword_id))


async def _find_mark(house: House, owner: Member, mark_id: str) -> tuple[Filter, FilteredPost, int]:
    """Return what names a post, with its filter and the post's number.

    Raises:
        NotFound: There is none, or its owner may not read the post any more.
    """
    owning, mark = await filters.find_mark(house.core, owner=owner, mark_id=_number(mark_id))
    for each, post_id in await filters.list_marked(house.core, owner=owner, posts=(mark,)):
        return owning, each, post_id
    raise NotFound


async def _put_keyword(house: House, owner: Member, owning: Filter, before: Keyword, after: Keyword | None) -> None:
    """Put a keyword in another one's place, or take it out."""

    def edit(found: Filter) -> Filter:
        kept = (after if each.keyword_id == before.keyword_id else each for each in found.keywords)
        return replace(found, keywords=tuple(each for each in kept if each is not None))

    await filters.change_filter(house.core, owner=owner, filter_id=owning.filter_id, edit=edit)


def _read_wish(parameters: Parameters, before: Filter | None, *, now: datetime) -> FilterWish:
    """Return what a filter shall be; what is not said stays as it was."""
    title, action = parameters.text("title"), parameters.text("filter_action")
    contexts = tuple(parameters.texts("context"))
    return FilterWish(
        title=title if title is not None else before.title if before else "",
        contexts=contexts or (before.contexts if before else ()),
        action=action or (before.action if before else USUAL_ACTION),
        expires_at=_read_expiry(parameters, before, now),
        words=_read_words(parameters, before),
    )


def _read_expiry(parameters: Parameters, before: Filter | None, now: datetime) -> datetime | None:
    if not parameters.is_named("expires_in"):
        return before.expires_at if before else None
    text = parameters.text("expires_in") or ""
    if not text:
        return None
    seconds = int(text) if text.isascii() and text.isdigit() and len(text) < 11 else 0
    if not 0 < seconds <= _YEARS_SECONDS:
        raise Invalid("A filter ends after some seconds, or never.")
    return now + timedelta(seconds=seconds)


def _read_words(parameters: Parameters, before: Filter | None) -> tuple[tuple[int | None, str, bool], ...]:
    """Return the keywords of a filter: those it had, as far as they are not taken out or changed, and new ones."""
    words = {each.keyword_id: (each.text, each.is_whole_word) for each in (before.keywords if before else ())}
    new: list[tuple[int | None, str, bool]] = []
    for said in parameters.structures("keywords_attributes"):
        number, text, whole = parse_number(said.text("id") or ""), said.text("keyword"), said.text("whole_word")
        if number is None or number not in words:
            new.append((None, text or "", is_true(whole)))
        elif is_true(said.text("_destroy")):
            del words[number]
        else:
            old_text, old_whole = words[number]
            words[number] = old_text if text is None else text, old_whole if whole is None else is_true(whole)
    return (*((number, text, whole) for number, (text, whole) in words.items()), *new)


def _number(text: str) -> int:
    number = parse_number(text)
    if number is None:
        raise NotFound
    return number

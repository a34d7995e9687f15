"""`/api/v1/statuses`: write, read, change and take back. Spec: Mastodon API, methods/statuses."""

from __future__ import annotations

from dataclasses import replace

from quart import Blueprint, request

from node.community.house import House
from node.community.posts.reading import Reading, read_post, read_thread
from node.community.posts.service import edit_post, withdraw_post
from node.domain.actors import Member
from node.domain.posts import Draft, Image, Post
from node.foundation.errors import Invalid, NotFound
from node.foundation.text import clean_line, markdown_to_html

from .auth import Caller, needs
from .entities import Entity, Setting
from .entities.ids import is_shared_id, parse_status_id
from .entities.statuses import Shelf, build_context
from .media import read_descriptions
from .parameters import Parameters, read_parameters
from .polls import check_unchanged
from .posting import post, read_wish
from .tickets import Tickets

_KEY_LIMIT = 1000


def add_statuses(routes: Blueprint, house: House, setting: Setting, tickets: Tickets) -> None:
    """Add the routes of statuses."""
    core = house.core

    @routes.post("/api/v1/statuses")
    @needs(core, "write:statuses")
    async def create(caller: Caller) -> Entity:
        key = request.headers.get("Idempotency-Key", "")[:_KEY_LIMIT]
        wish = read_wish(await read_parameters(request), author=caller.member, key=key or None)
        post_id = await post(house, caller.member, wish)
        return one(caller, await read_post(core, viewer=caller.member, post_id=post_id))

    @routes.get("/api/v1/statuses/<status_id>")
    @needs(core, "read:statuses")
    async def read(caller: Caller, status_id: str) -> Entity:
        reading = await read_post(core, viewer=caller.member, post_id=_number(status_id))
        shelf = Shelf(reading, setting, tickets.for_caller(caller))
        return shelf.build_shared(reading.posts[0]) if is_shared_id(status_id) else one(caller, reading)

    @routes.get("/api/v1/statuses/<status_id>/context")
    @needs(core, "read:statuses")
    async def context(caller: Caller, status_id: str) -> Entity:
        thread = await read_thread(core, viewer=caller.member, post_id=_number(status_id))
        return build_context(thread, Shelf(thread.reading, setting, tickets.for_caller(caller)))

    @routes.put("/api/v1/statuses/<status_id>")
    @needs(core, "write:statuses")
    async def edit(caller: Caller, status_id: str) -> Entity:
        parameters = await read_parameters(request)
        reading = await _own(house, caller.member, status_id)
        return one(caller, await _change(house, caller.member, parameters, reading))

    @routes.delete("/api/v1/statuses/<status_id>")
    @needs(core, "write:statuses")
    async def withdraw(caller: Caller, status_id: str) -> Entity:
        reading = await _own(house, caller.member, status_id)
        gone = one(caller, reading)
        await withdraw_post(core, house.tables, author=caller.member, post_id=reading.posts[0].post_id)
        return {**gone, "text": reading.posts[0].source}  # apps offer to write it anew

    def one(caller: Caller, reading: Reading) -> Entity:
        return Shelf(reading, setting, tickets.for_caller(caller)).build_status(reading.posts[0])


async def _change(house: House, author: Member, parameters: Parameters, reading: Reading) -> Reading:
    """Change a post, and return it as its author sees it now, wherever its host is."""
    core = house.core
    before = reading.posts[0]
    check_unchanged(parameters, reading.polls.get(before.post_id))
    text, warning = parameters.text("status"), parameters.text("spoiler_text")
    draft = Draft(
        text=before.source if text is None else text,
        title=before.title,
        warning=before.warning if warning is None else warning,
    )
    alts = read_descriptions(parameters, reading.images.get(before.post_id, ()))
    await edit_post(
        core,
        house.tables,
        author=author,
        post_id=before.post_id,
        draft=draft,
        forget_earlier=False,
        alts=alts,
    )
    after = await read_post(core, viewer=author, post_id=before.post_id)
    if after.posts[0].edited_at == before.edited_at:  # the host has it next; its author sees it now
        now = core.clock.now()
        shown = replace(
            after.posts[0], html=markdown_to_html(draft.text), warning=clean_line(draft.warning), edited_at=now
        )
        after = replace(after, posts=[shown], images={before.post_id: _describe(after, before.post_id, alts)})
    return after


def _describe(reading: Reading, post_id: int, alts: dict[str, str]) -> tuple[Image, ...]:
    return tuple(replace(image, alt=alts.get(image.token, image.alt)) for image in reading.images.get(post_id, ()))


def _number(status_id: str) -> int:
    number = parse_status_id(status_id)
    if number is None:
        raise NotFound
    return number


async def _own(house: House, author: Member, status_id: str) -> Reading:
    """Return a post that a member wrote into a group.

    Raises:
        NotFound: Absent, not theirs, or a group's sharing of it, which is the group's.
        Invalid: It is a private message.
    """
    reading = await read_post(house.core, viewer=author, post_id=_number(status_id))
    found: Post = reading.posts[0]
    if found.author_id != author.actor_id or is_shared_id(status_id):
        raise NotFound
    if found.audience == "people":
        raise Invalid("A private message that was sent cannot be changed or taken back.")
    return reading

"""Pages of private messages: who one talks with, one conversation, and a new message. What was typed is never lost.

Everybody in a conversation reads everything in it; the pages say who that is, and who else technically could. Opening one
marks it as read, unless the browser only fetches the page ahead of time.
"""

from __future__ import annotations

import re

from quart import Blueprint, Response, request
from quart.typing import ResponseReturnValue

from node.community.house import House
from node.community.members.profiles import find_named_people, list_people, reach_person
from node.community.messages import conversations
from node.community.messages.service import send_message
from node.domain.actors import Actor
from node.foundation.errors import Invalid, NotFound
from node.foundation.text import CONTENT_LIMIT_CHARACTERS, find_mentions

from .refusals import SHOWN_AGAIN, status_of
from .shell import Shell
from .visitor import Visitor, for_members, read_form, read_number, see

_BETWEEN = re.compile(r"[\s,;]+")
_NAMES_LIMIT = 2000


def build_messaging(house: House, shell: Shell) -> Blueprint:
    """Return the routes of private messages."""
    pages = Blueprint("messaging", __name__)
    _add_list(pages, house, shell)
    _add_new(pages, house, shell)
    _add_conversation(pages, house, shell)
    return pages


def _add_list(pages: Blueprint, house: House, shell: Shell) -> None:
    @pages.get("/messages")
    @for_members(house.core)
    async def messages(visitor: Visitor) -> ResponseReturnValue:
        before_id = read_number(request.args.get("before", ""))
        lines = await conversations.list_lines(
            house.core, viewer=visitor.member, before_id=2**62 if before_id is None else before_id
        )
        return shell.render(
            "messaging/list.html",
            visitor,
            place="messages",
            lines=lines,
            earlier_before=lines[-1].conversation.newest_id if len(lines) == conversations.LISTED else None,
        )


def _add_new(pages: Blueprint, house: House, shell: Shell) -> None:
    core = house.core

    async def show(
        visitor: Visitor, *, to: str, text: str, once: str = "", problem: str = "", status: int = 200
    ) -> Response:
        page = shell.render(
            "messaging/write.html",
            visitor,
            place="messages",
            to=to,
            text=text,
            once=once or core.ids.token(),
            problem=problem,
        )
        return Response(page, status)

    @pages.get("/messages/write")
    @for_members(core)
    async def write_page(visitor: Visitor) -> ResponseReturnValue:
        return await show(visitor, to=request.args.get("to", "")[:_NAMES_LIMIT], text="")

    @pages.post("/messages/write")
    @for_members(core)
    async def write(visitor: Visitor) -> ResponseReturnValue:
        form = await read_form()
        to, text, once = form.get("to", "")[:_NAMES_LIMIT], form.get("text", ""), form.get("once", "")
        try:
            people = await _find_people(house, visitor, to)
            number = await _send(house, visitor, people, text, once=once, in_reply_to=None)
        except SHOWN_AGAIN as error:
            return await show(visitor, to=to, text=text, once=once, problem=error.safe, status=status_of(error))
        return see(f"/messages/{number}")


def _add_conversation(pages: Blueprint, house: House, shell: Shell) -> None:
    core = house.core

    async def show(
        visitor: Visitor, number: int, *, text: str = "", once: str = "", problem: str = "", status: int = 200
    ) -> Response:
        page = await conversations.read_conversation(core, viewer=visitor.member, conversation_id=number)
        rendered = shell.render(
            "messaging/conversation.html",
            visitor,
            place="messages",
            page=page,
            text=text,
            once=once or core.ids.token(),
            problem=problem,
        )
        if page.conversation.is_unread and _is_read_now():
            await conversations.mark_conversation(core, viewer=visitor.member, conversation_id=number)
        return Response(rendered, status)

    @pages.get("/messages/<number>")
    @for_members(core)
    async def conversation(visitor: Visitor, number: str) -> ResponseReturnValue:
        return await show(visitor, _require(number))

    @pages.post("/messages/<number>")
    @for_members(core)
    async def answer(visitor: Visitor, number: str) -> ResponseReturnValue:
        page = await conversations.read_conversation(core, viewer=visitor.member, conversation_id=_require(number))
        form = await read_form()
        text, once = form.get("text", ""), form.get("once", "")
        others = [actor_id for actor_id in page.conversation.people if actor_id != visitor.member.actor_id]
        people = await list_people(core, actor_ids=others or [visitor.member.actor_id])
        newest = page.messages[-1].uri if page.messages else None
        try:
            sent_in = await _send(house, visitor, people, text, once=once, in_reply_to=newest)
        except SHOWN_AGAIN as error:
            return await show(
                visitor, _require(number), text=text, once=once, problem=error.safe, status=status_of(error)
            )
        return see(f"/messages/{sent_in}#answer")

    @pages.post("/messages/<number>/put-away")
    @for_members(core)
    async def put_away(visitor: Visitor, number: str) -> ResponseReturnValue:
        await conversations.delete_conversation(core, viewer=visitor.member, conversation_id=_require(number))
        return see("/messages")


async def _find_people(house: House, visitor: Visitor, to: str) -> list[Actor]:
    """Return whom a line of names means.

    Raises:
        Invalid: Nobody is named, or somebody whom the member cannot see.
    """
    names = [f"@{name.lstrip('@')}" for name in _BETWEEN.split(to) if name.strip("@")]
    people, unknown = await find_named_people(
        house.core, viewer=visitor.member, mentions=find_mentions(" ".join(names))
    )
    strangers = [f"@{each.handle}@{each.host}" if each.host else f"@{each.handle}" for each in unknown]
    if strangers:
        raise Invalid(f"Nobody called {', '.join(strangers)} is known to you here. Nothing was sent.")
    if not people:
        raise Invalid("Name the people this private message is for, such as @name. It goes to no group.")
    return people


async def _send(
    house: House, visitor: Visitor, people: list[Actor], text: str, *, once: str, in_reply_to: str | None
) -> int:
    """Send a message once, and return the conversation in which it stands."""
    core = house.core
    core.pressure.check_write()
    if len(text) > CONTENT_LIMIT_CHARACTERS:
        raise Invalid(f"A post has at most {CONTENT_LIMIT_CHARACTERS} characters.")
    uri = await send_message(
        core,
        author=visitor.member,
        people=[await reach_person(core, house.dereferencer, person) for person in people],
        text=text,
        in_reply_to=in_reply_to,
        idempotency=(f"message:{visitor.member.actor_id}", once[:100]) if once else None,
    )
    found = await conversations.find_conversation_of(core, viewer=visitor.member, uri=uri)
    return found.conversation_id


def _is_read_now() -> bool:
    return "prefetch" not in request.headers.get("Sec-Purpose", request.headers.get("Purpose", ""))


def _require(number: str) -> int:
    found = read_number(number)
    if found is None:
        raise NotFound("There is no such conversation.")
    return found

"""`/api/v1/conversations`: private messages by who is in them. Spec: Mastodon API, methods/conversations.

The cursor of this list is the id of the newest message, as Mastodon has it; a conversation's own id stays the same.
"""

from __future__ import annotations

from quart import Blueprint, Response, request

from node.community.house import House
from node.community.messages.conversations import delete_conversation, list_conversations, mark_conversation
from node.community.posts.reading import read_posts
from node.foundation.errors import NotFound
from node.store.conversations import Conversation

from .auth import Caller, needs
from .entities import Entity, Setting
from .entities.ids import parse_number, status_id
from .entities.notifications import build_conversation
from .entities.statuses import Shelf
from .pagination import read_span, send_page
from .parameters import read_query
from .tickets import Tickets


def add_conversations(routes: Blueprint, house: House, setting: Setting, tickets: Tickets) -> None:
    """Add the routes of conversations."""
    core = house.core

    @routes.get("/api/v1/conversations")
    @needs(core, "read:statuses")
    async def conversations(caller: Caller) -> Response:
        span = read_span(read_query(request))
        found = await list_conversations(
            core,
            viewer=caller.member,
            before_id=span.before_id,
            after_id=span.after_id,
            oldest_first=span.oldest_first,
        )
        kept = found[: span.limit]
        kept = kept[::-1] if span.oldest_first else kept
        ids = [status_id(each.newest_id) for each in kept]
        return send_page(f"{setting.origin}{request.path}", await show(caller, kept), ids, span)

    @routes.post("/api/v1/conversations/<conversation_id>/read")
    @needs(core, "write:conversations")
    async def read(caller: Caller, conversation_id: str) -> Entity:
        return await mark(caller, conversation_id, is_unread=False)

    @routes.post("/api/v1/conversations/<conversation_id>/unread")
    @needs(core, "write:conversations")
    async def unread(caller: Caller, conversation_id: str) -> Entity:
        return await mark(caller, conversation_id, is_unread=True)

    @routes.delete("/api/v1/conversations/<conversation_id>")
    @needs(core, "write:conversations")
    async def delete(caller: Caller, conversation_id: str) -> Entity:
        number = _require_number(conversation_id)
        await delete_conversation(core, viewer=caller.member, conversation_id=number)
        return {}

    async def mark(caller: Caller, conversation_id: str, *, is_unread: bool) -> Entity:
        marked = await mark_conversation(
            core, viewer=caller.member, conversation_id=_require_number(conversation_id), is_unread=is_unread
        )
        shown = await show(caller, [marked])
        if not shown:
            raise NotFound
        return shown[0]

    async def show(caller: Caller, found: list[Conversation]) -> list[Entity]:
        return await show_conversations(house, setting, tickets, caller, found)


async def show_conversations(
    house: House, setting: Setting, tickets: Tickets, caller: Caller, found: list[Conversation]
) -> list[Entity]:
    """Return Conversations; one whose newest message went away meanwhile is left out: without it, apps show a dead row."""
    ids = [each.newest_id for each in found]
    reading = await read_posts(house.core, viewer=caller.member, post_ids=ids)
    shelf = Shelf(reading, setting, tickets.for_caller(caller))
    posts = {post.post_id: post for post in reading.posts}
    return [
        build_conversation(each, posts[each.newest_id], shelf, viewer_id=caller.member.actor_id)
        for each in found
        if each.newest_id in posts
    ]


def _require_number(text: str) -> int:
    number = parse_number(text)
    if number is None:
        raise NotFound
    return number

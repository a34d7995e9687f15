"""Private messages as conversations: list, read, mark and put away. Everybody in one reads everything in it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from node.community.posts.service import label_author
from node.domain.actors import Member
from node.domain.posts import Post
from node.foundation.errors import NotFound
from node.store import conversations, objects
from node.store.conversations import Conversation
from node.store.core import Core
from node.store.engine import Tx

# A list has so many conversations at a time.
LISTED = 40


@dataclass(frozen=True, slots=True)
class ConversationLine:
    """A conversation in a list.

    newest: its newest message. others: (actor_id, uri, name, handle, host) of each but the viewer.
    """

    conversation: Conversation
    newest: Post
    others: list[Any]


@dataclass(frozen=True, slots=True)
class ConversationPage:
    """One conversation: its newest messages, the oldest of them first."""

    conversation: Conversation
    messages: list[Post]
    others: list[Any]


async def list_conversations(
    core: Core, *, viewer: Member, before_id: int = 2**62, after_id: int = 0, oldest_first: bool = False
) -> list[Conversation]:
    """Return at most 40 conversations of a member, with the newest message first unless told otherwise."""
    return await core.store.read(_list, viewer.actor_id, before_id, after_id, oldest_first)


async def list_lines(core: Core, *, viewer: Member, before_id: int = 2**62) -> list[ConversationLine]:
    """Return the same with what a page shows of each."""
    return await core.store.read(_lines, core, viewer.actor_id, before_id)


async def read_conversation(core: Core, *, viewer: Member, conversation_id: int) -> ConversationPage:
    """Return one conversation.

    Raises:
        NotFound: Absent, or somebody else's.
    """
    return await core.store.read(_page, core, viewer.actor_id, conversation_id)


async def find_conversation_of(core: Core, *, viewer: Member, uri: str) -> Conversation:
    """Return the conversation in which a message stands.

    Raises:
        NotFound: The message is absent, or not for this member.
    """
    return await core.store.read(_of_message, viewer.actor_id, uri)


async def mark_conversation(
    core: Core, *, viewer: Member, conversation_id: int, is_unread: bool = False
) -> Conversation:
    """Remember that a member has read a conversation, or wants it to stand as unread; return it.

    Raises:
        NotFound: Absent, or somebody else's.
    """
    return await core.store.write(_mark, viewer.actor_id, conversation_id, is_unread)


async def delete_conversation(core: Core, *, viewer: Member, conversation_id: int) -> None:
    """Put a conversation away until somebody writes in it again. The messages stay.

    Raises:
        NotFound: Absent, or somebody else's.
    """
    await core.store.write(_delete, viewer.actor_id, conversation_id)


async def count_unread(core: Core, *, viewer: Member) -> int:
    """Return how many conversations of a member have something unread."""
    return await core.store.read(_count, viewer.actor_id)


async def _list(tx: Tx, viewer_id: int, before_id: int, after_id: int, oldest_first: bool) -> list[Conversation]:
    return await conversations.list_conversations(
        tx, viewer_id=viewer_id, before_id=before_id, after_id=after_id, oldest_first=oldest_first
    )


async def _lines(tx: Tx, core: Core, viewer_id: int, before_id: int) -> list[ConversationLine]:
    found = await conversations.list_conversations(tx, viewer_id=viewer_id, before_id=before_id)
    ids = [each.newest_id for each in found]
    posts = await objects.list_posts_by_id(tx, viewer_id=viewer_id, post_ids=ids) if ids else []
    newest = {post.post_id: label_author(core, post) for post in posts}
    return [
        ConversationLine(each, newest[each.newest_id], await _others(tx, viewer_id, each.newest_id))
        for each in found
        if each.newest_id in newest
    ]


async def _page(tx: Tx, core: Core, viewer_id: int, conversation_id: int) -> ConversationPage:
    conversation = await _require(tx, viewer_id, conversation_id)
    newest = await conversations.list_newest_messages(tx, viewer_id=viewer_id, conversation=conversation)
    messages = (await objects.list_posts_by_id(tx, viewer_id=viewer_id, post_ids=newest))[::-1]
    others = await _others(tx, viewer_id, conversation.newest_id)
    return ConversationPage(conversation, [label_author(core, post) for post in messages], others)


async def _others(tx: Tx, viewer_id: int, post_id: int) -> list[Any]:
    people = await objects.list_message_people(tx, viewer_id=viewer_id, post_id=post_id)
    return [person for person in people if person.actor_id != viewer_id]


async def _of_message(tx: Tx, viewer_id: int, uri: str) -> Conversation:
    post = await objects.get_post_by_uri(tx, viewer_id=viewer_id, uri=uri)
    if post is None or post.audience != "people":
        raise NotFound("There is no such message.")
    people = await objects.list_message_people(tx, viewer_id=viewer_id, post_id=post.post_id)
    ids = [person.actor_id for person in people]
    found = await conversations.find_conversation(tx, viewer_id=viewer_id, root_id=post.root_id, actor_ids=ids)
    if found is None:
        raise NotFound("There is no such conversation.")
    return found


async def _mark(tx: Tx, viewer_id: int, conversation_id: int, is_unread: bool) -> Conversation:
    await _require(tx, viewer_id, conversation_id)
    await conversations.mark_conversation(tx, viewer_id=viewer_id, conversation_id=conversation_id, is_unread=is_unread)
    return await _require(tx, viewer_id, conversation_id)


async def _delete(tx: Tx, viewer_id: int, conversation_id: int) -> None:
    await _require(tx, viewer_id, conversation_id)
    await conversations.delete_conversation(tx, viewer_id=viewer_id, conversation_id=conversation_id)


async def _count(tx: Tx, viewer_id: int) -> int:
    return await conversations.count_unread_conversations(tx, viewer_id=viewer_id)


async def _require(tx: Tx, viewer_id: int, conversation_id: int) -> Conversation:
    found = await conversations.get_conversation(tx, viewer_id=viewer_id, conversation_id=conversation_id)
    if found is None:
        raise NotFound("There is no such conversation.")
    return found

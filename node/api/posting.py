"""From what an app wants to say to whom it is said. Never wider than the author can have meant.

A reply goes where the post it answers lives. A topic goes to the one group it names. `direct` goes to the people named
and to no group; so does an answer to a private message. Whatever else an app asks for means the group's members.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

from node.community.groups.lookup import find_named_groups
from node.community.house import House
from node.community.members.profiles import find_named_people, list_people, reach_person
from node.community.messages.service import send_message
from node.community.posts.reading import Reading, get_post_id, read_post
from node.community.posts.service import create_post
from node.domain.actors import Actor, Member
from node.domain.polls import NewPoll
from node.domain.posts import Draft, Post
from node.foundation.errors import Duplicate, Invalid, NotFound
from node.foundation.text import CONTENT_LIMIT_CHARACTERS, clean_text, find_mentions

from .entities.ids import parse_status_id
from .parameters import Parameters
from .polls import read_new_poll

_VISIBILITIES = ("public", "unlisted", "private", "direct")
_NOT_HERE = {
    "scheduled_at": "Posts cannot be scheduled here.",
    "quoted_status_id": "Posts of a group cannot be quoted.",
    "quote_id": "Posts of a group cannot be quoted.",
}
_NAME_A_GROUP = (
    "Name the group this is for, such as @group: what you write here goes to exactly one group that you are in."
)


@dataclass(frozen=True, slots=True)
class Wish:
    """What an app wants to post.

    reply_to: the number of the post answered. idempotency: (owner, key), so that a repeated request posts once.
    """

    text: str
    warning: str
    images: tuple[str, ...]
    is_direct: bool
    reply_to: int | None
    idempotency: tuple[str, str] | None
    poll: NewPoll | None = None


def read_wish(parameters: Parameters, *, author: Member, key: str | None) -> Wish:
    """Return what a request wants to post.

    Args:
        parameters: Of the request.
        author: Who writes.
        key: The Idempotency-Key, if any.

    Raises:
        Invalid: It wants something that is not had here.
        NotFound: It answers something that cannot be there.
    """
    for name, sentence in _NOT_HERE.items():
        if parameters.has(name):
            raise Invalid(sentence)
    visibility = parameters.text("visibility") or "private"
    if visibility not in _VISIBILITIES:
        raise Invalid(f"The visibility is one of {', '.join(_VISIBILITIES)}.")
    answered = parameters.text("in_reply_to_id")
    reply_to = parse_status_id(answered) if answered else None
    if answered and reply_to is None:
        raise NotFound
    idempotency = (f"api:{author.actor_id}", hashlib.sha256(key.encode()).hexdigest()) if key else None
    return Wish(
        text=_read_text(parameters.text("status") or ""),
        warning=parameters.text("spoiler_text") or "",
        images=tuple(token for token in parameters.texts("media_ids") if token),
        is_direct=visibility == "direct",
        reply_to=reply_to,
        idempotency=idempotency,
        poll=read_new_poll(parameters),
    )


def _read_text(text: str) -> str:
    cleaned = clean_text(text, limit=CONTENT_LIMIT_CHARACTERS + 1).strip()
    if len(cleaned) > CONTENT_LIMIT_CHARACTERS:
        raise Invalid(f"A post has at most {CONTENT_LIMIT_CHARACTERS} characters.")
    return cleaned


async def post(house: House, author: Member, wish: Wish) -> int:
    """Post what is wanted and return its number.

    Raises:
        Invalid: It cannot be said to whom it goes, or nothing is said.
        NotFound: What it answers is not there for this member.
        Forbidden: The author may not write there.
    """
    try:
        return await _post(house, author, wish)
    except Duplicate:  # the same request at the same moment was faster: now its post is there to be found
        return await _post(house, author, wish)


async def _post(house: House, author: Member, wish: Wish) -> int:
    answered = None
    if wish.reply_to is not None:
        answered = await read_post(house.core, viewer=author, post_id=wish.reply_to)
    parent = answered.posts[0] if answered else None
    if wish.is_direct or (parent is not None and parent.audience == "people"):
        return await _send_to_people(house, author, wish, answered)
    group_id = await _choose_group(house, author, wish, parent)
    posted = await create_post(
        house.core,
        house.tables,
        author=author,
        group_id=group_id,
        draft=Draft(wish.text, warning=wish.warning, images=wish.images, poll=wish.poll),
        reply_to=wish.reply_to,
        idempotency=wish.idempotency,
    )
    return posted.post_id


async def _choose_group(house: House, author: Member, wish: Wish, parent: Post | None) -> int:
    """Return the one group a post goes to."""
    named = await find_named_groups(house.core, viewer=author, mentions=find_mentions(wish.text))
    outside = [group.address for group in named if not group.is_joined]
    if outside:
        raise Invalid(f"You are not a member of {', '.join(outside)}. Join the group before you write to it.")
    wanted = {group.group_id for group in named}
    if parent is not None and parent.group_id is not None:
        wanted.add(parent.group_id)
    if not wanted:
        raise Invalid(_NAME_A_GROUP)
    if len(wanted) > 1:
        names = ", ".join(group.address for group in named)
        raise Invalid(f"This names more than one group ({names}), and a post goes to exactly one. Nothing was posted.")
    return wanted.pop()


async def _send_to_people(house: House, author: Member, wish: Wish, answered: Reading | None) -> int:
    """Send a private message to the people named; an answer that names nobody goes to whom it answers."""
    core = house.core
    if wish.images:
        raise Invalid("Pictures cannot be sent in private messages here.")
    if wish.poll is not None:
        raise Invalid("A poll is asked in a group, and cannot be sent in a private message.")
    mentions = find_mentions(wish.text)
    people, unknown = await find_named_people(core, viewer=author, mentions=mentions)
    groups = {group.address for group in await find_named_groups(core, viewer=author, mentions=unknown)}
    strangers = [f"@{each.handle}@{each.host}" if each.host else f"@{each.handle}" for each in unknown]
    strangers = [name for name in strangers if name not in groups]
    if strangers:
        raise Invalid(f"Nobody called {', '.join(strangers)} is known to you here. Nothing was sent.")
    is_answer = answered is not None and answered.posts[0].audience == "people"
    if not people and answered is not None and is_answer:
        people = await _people_of(house, author, answered)
    if not people:
        raise Invalid("Name the people this private message is for, such as @name. It goes to no group.")
    uri = await send_message(
        core,
        author=author,
        people=[await reach_person(core, house.dereferencer, person) for person in people],
        text=wish.text,
        warning=wish.warning,
        # A message that answers a group's post does not tell outsiders what it answers.
        in_reply_to=answered.posts[0].uri if answered is not None and is_answer else None,
        idempotency=wish.idempotency,
    )
    post_id = await get_post_id(core, viewer=author, uri=uri)
    if post_id is None:
        raise NotFound
    return post_id


async def _people_of(house: House, author: Member, answered: Reading) -> list[Actor]:
    """Return whom an answer to a private message goes to: who wrote it, or, to one's own, its other people."""
    message = answered.posts[0]
    if message.author_id != author.actor_id:
        return await list_people(house.core, actor_ids=[message.author_id])
    return await list_people(house.core, actor_ids=answered.named.get(message.post_id, []))

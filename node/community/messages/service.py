"""What members do with private messages: send and list. Who is named reads; operators of the nodes named technically can."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from node.community.hosting import own_arrival
from node.domain.actors import Actor, Member
from node.domain.audience import PEOPLE_LIMIT
from node.domain.posts import Post
from node.federation.vocabulary import ObjectView
from node.foundation.errors import Forbidden, Invalid
from node.foundation.text import TITLE_LIMIT_CHARACTERS, clean_line, clean_text
from node.outbox.publish import DIRECT, prove, send
from node.store.core import Core
from node.store.distance import NEAR, find_distances
from node.store.engine import Tx
from node.store.idempotency import get_result, keep_result
from node.store.objects import list_message_people, list_messages

from .activities import build_message, insert_message


@dataclass(frozen=True, slots=True)
class Message:
    """A private message with the people who can read it."""

    post: Post
    people: list[Any]


async def send_message(
    core: Core,
    *,
    author: Member,
    people: list[Actor],
    text: str,
    warning: str = "",
    in_reply_to: str | None = None,
    idempotency: tuple[str, str] | None = None,
) -> str:
    """Send a private message and return its id. Each peer concerned gets it in its own stream, in order.

    With `idempotency`, (owner, key) of a request that may be sent twice, the second gets the first one's message.

    Raises:
        Invalid: Nobody is named, too many are, or nothing is said.
        Forbidden: Somebody named is on a node that is not an active peer.
    """
    text = clean_text(text).strip()
    if not text:
        raise Invalid("A message says something.")
    if not people or len(people) > PEOPLE_LIMIT:
        raise Invalid(f"A message goes to at least one and at most {PEOPLE_LIMIT} people.")
    if author.state != "active":
        raise Forbidden("This account is not active.")
    named = [(person.uri, f"@{person.address}") for person in people]
    activity = build_message(
        core,
        author=author,
        people=named,
        text=text,
        warning=clean_line(warning, limit=TITLE_LIMIT_CHARACTERS),
        in_reply_to=in_reply_to,
    )
    keys = await core.keyring.own(author.actor_id)
    proved = prove(core, keys, activity)
    return await core.write(_send, core, author, people, proved, idempotency)


async def list_own_messages(core: Core, *, viewer: Member) -> list[Message]:
    """Return the newest 40 private messages to or from a member, newest first."""
    return await core.store.read(_list, viewer)


async def _send(
    tx: Tx,
    core: Core,
    author: Member,
    people: list[Actor],
    activity: dict[str, Any],
    idempotency: tuple[str, str] | None,
) -> str:
    uri = str(activity["object"]["id"])
    if idempotency is not None:
        owner, key = idempotency
        if (known := await get_result(tx, owner=owner, request_key=key)) is not None:
            return known
        await keep_result(tx, owner=owner, request_key=key, result=uri)
    arrival = own_arrival(activity)
    view = arrival.view.inner
    assert isinstance(view, ObjectView)
    ids = [person.actor_id for person in people]
    distances = await find_distances(tx, actor_id=author.actor_id, target_ids=ids)
    blocked = [person.name for person in people if distances.get(person.actor_id, NEAR).is_blocked]
    if blocked:
        raise Forbidden(f"You blocked {', '.join(blocked)}. End that before you write to them.")
    await insert_message(tx, core, arrival=arrival, view=view, author_id=author.actor_id, people=ids)
    inboxes: dict[int, str] = {}
    for person in people:
        if person.is_local:
            continue
        peer = core.peers.by_host(person.host)
        if peer is None or peer.state not in ("active", "paused") or person.inbox_uri is None:
            raise Forbidden(f"{person.address} is on a node that this node does not talk to.")
        inboxes[peer.peer_id] = person.inbox_uri
    for peer_id, inbox_uri in inboxes.items():
        await send(
            tx,
            core,
            peer_id=peer_id,
            stream=DIRECT,
            actor_id=author.actor_id,
            activity=activity,
            inbox_uri=inbox_uri,
        )
    return uri


async def _list(tx: Tx, viewer: Member) -> list[Message]:
    found = []
    for post in await list_messages(tx, viewer_id=viewer.actor_id):
        people = await list_message_people(tx, viewer_id=viewer.actor_id, post_id=post.post_id)
        found.append(Message(post, people))
    return found

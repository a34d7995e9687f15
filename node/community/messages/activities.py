"""Private messages on the wire: `Create{Note}` addressed to people and to nobody else. Spec: ActivityPub §6.2."""

from __future__ import annotations

from typing import Any

from node.community.addressing import read_addressed
from node.domain.actors import Member
from node.domain.audience import fits_people
from node.federation.vocabulary import ObjectView
from node.foundation.clock import format_instant
from node.foundation.text import TITLE_LIMIT_CHARACTERS, clean_line, clean_text, markdown_to_html
from node.inbox.dispatch import Arrival, Done, Dropped, Need, Outcome
from node.outbox.publish import encode
from node.store.actors import get_actor_by_uri
from node.store.conversations import note_message, take_from_top
from node.store.core import TIDY_BELL, Core
from node.store.engine import Tx
from node.store.notifications import tell
from node.store.objects import (
    empty_post,
    find_post,
    insert_people,
    insert_post,
    keep_version,
    update_post_text,
)

_CONTEXT = ["https://www.w3.org/ns/activitystreams", "https://w3id.org/security/data-integrity/v1"]
_MESSAGES = frozenset({"Note", "ChatMessage", "Article", "Page"})


def build_message(
    core: Core, *, author: Member, people: list[tuple[str, str]], text: str, warning: str, in_reply_to: str | None
) -> dict[str, Any]:
    """Return the Create of a private message; `people` are (id, name as mentioned)."""
    uri = f"{core.origin}/posts/{core.ids.token()}"
    to = [person for person, _ in people]
    note: dict[str, Any] = {
        "id": uri,
        "type": "Note",
        "attributedTo": author.uri,
        "to": to,
        "cc": [],
        "content": markdown_to_html(text),
        "mediaType": "text/html",
        "source": {"content": text, "mediaType": "text/markdown"},
        "tag": [{"type": "Mention", "href": person, "name": name} for person, name in people],
        "published": format_instant(core.clock.now()),
    }
    optional = {"summary": warning or None, "sensitive": True if warning else None, "inReplyTo": in_reply_to}
    note |= {name: value for name, value in optional.items() if value is not None}
    return {
        "@context": _CONTEXT,
        "type": "Create",
        "id": f"{core.origin}/activities/{core.ids.token()}",
        "actor": author.uri,
        "object": note,
        "to": to,
        "cc": [],
    }


async def on_message(tx: Tx, core: Core, arrival: Arrival) -> Outcome | None:
    """A private message for members of ours. Its audience is what it named on arrival, and is never widened (T18)."""
    view = arrival.view.inner
    if not isinstance(view, ObjectView) or view.type not in _MESSAGES:
        return None
    named = read_addressed(arrival.view, view)
    if (problem := fits_people(named)) is not None:
        return Dropped(problem)
    author = await get_actor_by_uri(tx, uri=arrival.actor_uri)
    if author is None:
        return Need(arrival.actor_uri)
    people = [await get_actor_by_uri(tx, uri=uri) for uri in sorted(named.uris)]
    known = [person for person in people if person is not None]
    if not any(person.is_local and person.kind == "person" for person in known):
        return Dropped("Nobody here is meant.")
    if await find_post(tx, uri=view.id) is not None:
        return Dropped("A message with this id is here already.")
    await insert_message(
        tx, core, arrival=arrival, view=view, author_id=author.actor_id, people=[each.actor_id for each in known]
    )
    return Done()


async def insert_message(
    tx: Tx, core: Core, *, arrival: Arrival, view: ObjectView, author_id: int, people: list[int]
) -> int:
    """Keep a private message with its people and return its number; its text is kept in the post alone."""
    parent = await find_post(tx, uri=view.in_reply_to) if view.in_reply_to else None
    parent = parent if parent is not None and parent.audience == "people" else None
    post_id = core.ids.number()
    published = min(view.published_at or tx.now, tx.now)
    await insert_post(
        tx,
        values={
            "post_id": post_id,
            "uri": view.id,
            "audience": "people",
            "group_id": None,
            "author_id": author_id,
            "parent_id": parent.post_id if parent else None,
            "root_id": parent.root_id if parent else post_id,
            "in_reply_to": view.in_reply_to,
            "seq": None,
            "state": "live",
            "title": clean_line(view.title or "", limit=TITLE_LIMIT_CHARACTERS),
            "warning": clean_line(view.warning or "", limit=TITLE_LIMIT_CHARACTERS),
            "source": clean_text(view.source or ""),
            "html": arrival.html,
            "document": encode(view.document).decode(),
            "activity_uri": arrival.uri,
            "published_at": published,
        },
    )
    everybody = sorted({author_id, *people})
    await insert_people(tx, post_id=post_id, actor_ids=everybody)
    root_id = parent.root_id if parent else post_id
    where = {"post_id": post_id, "root_id": root_id, "author_id": author_id}
    await note_message(tx, conversation_id=core.ids.number(), actor_ids=everybody, **where)
    told = [actor_id for actor_id in everybody if actor_id != author_id]
    number = core.ids.number()
    await tell(tx, notification_id=number, kind="message", actor_ids=told, from_id=author_id, post_id=post_id)
    return post_id


async def on_message_changed(tx: Tx, core: Core, arrival: Arrival) -> Outcome | None:
    """Its author changed a private message: the words change, who may read them does not (T18)."""
    view = arrival.view.inner
    post = await _own_message(tx, arrival, view.id if isinstance(view, ObjectView) else "")
    if post is None or not isinstance(view, ObjectView):
        return None
    if post.state != "live":
        return Dropped("This message was taken back.")
    await keep_version(tx, post=post)
    await update_post_text(
        tx,
        post_id=post.post_id,
        title=clean_line(view.title or "", limit=TITLE_LIMIT_CHARACTERS),
        warning=clean_line(view.warning or "", limit=TITLE_LIMIT_CHARACTERS),
        source=clean_text(view.source or ""),
        html=arrival.html,
        document=encode(view.document).decode(),
        activity_uri=arrival.uri,
        edited_at=min(view.updated_at or tx.now, tx.now),
    )
    return Done()


async def on_message_withdrawn(tx: Tx, core: Core, arrival: Arrival) -> Outcome | None:
    """Its author takes a private message back: the words go."""
    post = await _own_message(tx, arrival, arrival.view.object_id or "")
    if post is None:
        return None
    await empty_post(tx, post_id=post.post_id, state="withdrawn", reason=None)
    await take_from_top(tx, post_id=post.post_id, root_id=post.root_id)
    tx.after_commit(lambda: core.bell.ring(TIDY_BELL))
    return Done()


async def _own_message(tx: Tx, arrival: Arrival, uri: str) -> Any | None:
    """Return a private message if the one who speaks of it wrote it."""
    post = await find_post(tx, uri=uri)
    author = await get_actor_by_uri(tx, uri=arrival.actor_uri)
    if post is None or author is None or post.audience != "people" or post.author_id != author.actor_id:
        return None
    return post

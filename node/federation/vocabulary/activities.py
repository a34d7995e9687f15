"""Activities: what somebody did, to what, and who should know.

`understand` calls `read_activity`, with what is embedded in the activity already read. A verb listed here can be read;
whether anything is done about it is decided by the handlers of the rooms.
"""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Any, Final

import msgspec

from ...foundation.errors import RemoteMalformed
from .values import (
    CONTENT_LIMIT_CHARACTERS,
    OBJECTS_LIMIT,
    Document,
    read_addresses,
    read_id,
    read_instant,
    read_link,
    read_links,
    read_text,
)

if TYPE_CHECKING:
    from . import View

# Verbs that need an object. `Lock` is Lemmy's, `EmojiReact` Pleroma's.
TRANSITIVE_TYPES: Final = (
    "Follow",
    "Join",
    "Accept",
    "Reject",
    "TentativeAccept",
    "TentativeReject",
    "Undo",
    "Leave",
    "Create",
    "Update",
    "Delete",
    "Announce",
    "Add",
    "Remove",
    "Block",
    "Flag",
    "Invite",
    "Offer",
    "Lock",
    "Like",
    "Dislike",
    "EmojiReact",
    "Move",
    "View",
    "Read",
    "Listen",
    "Ignore",
)
INTRANSITIVE_TYPES: Final = ("Arrive", "Travel")
# Verbs that may have several objects: Mastodon and Mbin report an account together with its posts.
_PLURAL_TYPES: Final = frozenset({"Flag"})


class ActivityView(msgspec.Struct, frozen=True, kw_only=True):
    """What an activity's document says.

    object_id: the id of the object, None where it has none. object_ids: all of them (a Flag names several).
    object: the object as embedded, None where only an id came. inner: the same, read, where that was possible.
    content, summary: reasons and notes; Mastodon writes a Flag's reason into `content`, Lemmy into `summary`.
    end_time: when it ends, such as a Block.
    document: without `bto` and `bcc`; `object` is a part of it.
    """

    id: str
    type: str
    actor: str
    object_id: str | None
    object_ids: tuple[str, ...]
    object: Document | None
    inner: View | None
    target: str | None
    origin: str | None
    to: tuple[str, ...]
    cc: tuple[str, ...]
    audience: tuple[str, ...]
    summary: str | None
    content: str | None
    published_at: datetime | None
    end_time: datetime | None
    document: Document

    def __repr__(self) -> str:
        """Return type and id alone: reprs end up in logs, and what people write must not."""
        return f"<ActivityView {self.type} by {self.actor}: {self.id}>"


def read_activity(document: Document, type_name: str, inner: View | None) -> ActivityView:
    """Return an activity.

    Args:
        document: Without `bto` and `bcc`.
        type_name: The verb.
        inner: What `get_embedded` returned for the document, read; None where that is nothing we know.

    Raises:
        RemoteMalformed: Id, actor or object is missing or ambiguous, or something is beyond the limits.
    """
    object_ids = read_links(document, "object", limit=OBJECTS_LIMIT)
    embedded = get_embedded(document)
    if not object_ids and embedded is None and type_name in TRANSITIVE_TYPES:
        raise RemoteMalformed("The activity has no object.")
    if len(object_ids) > 1 and type_name not in _PLURAL_TYPES:
        raise RemoteMalformed("The activity has more than one object.")
    return ActivityView(
        id=read_id(document),
        type=type_name,
        actor=_read_actor(document),
        object_id=object_ids[0] if object_ids else None,
        object_ids=object_ids,
        object=embedded,
        inner=inner,
        target=read_link(document, "target"),
        origin=read_link(document, "origin"),
        to=read_addresses(document, "to"),
        cc=read_addresses(document, "cc"),
        audience=read_addresses(document, "audience"),
        summary=read_text(document, "summary", limit=CONTENT_LIMIT_CHARACTERS),
        content=_read_content(document),
        published_at=read_instant(document, "published"),
        # Mbin's Block has `expires` where Lemmy's has `endTime`.
        end_time=read_instant(document, "endTime") or read_instant(document, "expires"),
        document=document,
    )


def get_embedded(document: Document) -> Document | None:
    """Return the object that an activity carries whole, or None where it carries none, several, or only an id."""
    value: Any = document.get("object")
    if type(value) is list and len(value) == 1:
        value = value[0]
    return value if type(value) is dict and value.get("type") is not None else None


def _read_actor(document: Document) -> str:
    """Return the one actor; two would leave open who answers for it (T1)."""
    actors = read_links(document, "actor")
    if len(actors) != 1:
        raise RemoteMalformed("The activity has no actor, or more than one.")
    return actors[0]


def _read_content(document: Document) -> str | None:
    """Return words that come with the activity; Mobilizon's Join has its own name for them."""
    content = read_text(document, "content", limit=CONTENT_LIMIT_CHARACTERS)
    return content or read_text(document, "participationMessage", limit=CONTENT_LIMIT_CHARACTERS)

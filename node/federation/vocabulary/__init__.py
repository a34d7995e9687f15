"""ActivityStreams as typed, read-only views of documents.

    understand({"type": "Follow", "id": …, "actor": …, "object": …})  →  ActivityView(type="Follow", …)

Called on what `jsonld.normalize_document` returns, by the inbox, the client and the rooms' `activities.py`. A view
answers what a document says, never whether it is true: signatures, `origin` and the roster do. The document stays the
thing that is stored and forwarded.

A new type is one line in a tuple (`ACTOR_TYPES`, `OBJECT_TYPES`, …) and in `contexts/view.json`.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from ...foundation.errors import RemoteMalformed, UnsupportedActivity
from .activities import INTRANSITIVE_TYPES, TRANSITIVE_TYPES, ActivityView, get_embedded, read_activity
from .actors import ACTOR_TYPES, ActorView, read_actor, read_keys
from .addressing import PUBLIC, is_public_address, without_private_addressing
from .collections import COLLECTION_TYPES, CollectionView, read_collection
from .objects import OBJECT_TYPES, Attachment, ObjectView, Option, Tag, read_object
from .values import Document, list_names

__all__ = [
    "PUBLIC",
    "ActivityView",
    "ActorView",
    "Attachment",
    "CollectionView",
    "Document",
    "ObjectView",
    "Option",
    "Tag",
    "View",
    "is_public_address",
    "read_keys",
    "understand",
    "without_private_addressing",
]

View = ActivityView | ActorView | ObjectView | CollectionView

# What these carry is the message itself, so it must be readable. Others may carry a stub with little more than an id.
_CARRIERS: Final = frozenset({"Create", "Update", "Announce"})


def understand(document: Document) -> View:
    """Return what a document says, as a view of its type.

    Args:
        document: In the terms of `contexts/view.json`, as `jsonld.normalize_document` returns it. It is not changed.

    Returns:
        An `ActivityView`, `ActorView`, `ObjectView` or `CollectionView`. What an activity carries is read too, and
        stands in its `inner`.

    Raises:
        UnsupportedActivity: Its type, or the type of what it carries, is none that we take.
        RemoteMalformed: Something is missing, of the wrong kind, or beyond the limits (T42).

    Cost: 30 µs for a Create with a Note, 7 µs for a Follow.
    """
    return _read(without_private_addressing(document))


def _read(document: Document) -> View:
    for name in list_names(document.get("type")):
        reader = _READERS.get(name)
        if reader is not None:
            return reader(document, name)
    if not document.get("type"):
        raise RemoteMalformed("The document has no type.")
    raise UnsupportedActivity(
        "Documents of this type are not taken here.",
        internal=f"type {str(document['type'])[:80]!r} is not understood",
    )


def _read_activity(document: Document, type_name: str) -> View:
    embedded = get_embedded(document)
    return read_activity(document, type_name, None if embedded is None else _read_inner(embedded, type_name))


def _read_inner(embedded: Document, type_name: str) -> View | None:
    try:
        return _read(embedded)
    except (RemoteMalformed, UnsupportedActivity):
        if type_name in _CARRIERS:
            raise
        # Such as `{"type": "Follow", "id": …}` in an Accept, or a Person without inbox in a Delete: the id is enough.
        return None


def _read_question(document: Document, type_name: str) -> View:
    """Return a question; as an activity where somebody asks it without wrapping it in a Create.

    Spec: AS2 §5.7: a Question is an intransitive activity. Mastodon and all after it treat it as an object.
    """
    question = read_object(document, type_name)
    if document.get("actor") is None or document.get("attributedTo") is not None:
        return question
    return read_activity(document, type_name, question)


_READERS: Final[dict[str, Callable[[Document, str], View]]] = {
    **dict.fromkeys(ACTOR_TYPES, read_actor),
    **dict.fromkeys(OBJECT_TYPES, read_object),
    **dict.fromkeys(COLLECTION_TYPES, read_collection),
    **dict.fromkeys(TRANSITIVE_TYPES, _read_activity),
    **dict.fromkeys(INTRANSITIVE_TYPES, _read_activity),
    "Question": _read_question,
}

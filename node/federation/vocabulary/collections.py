"""Collections: outboxes, rosters, threads, and their pages.

`understand` calls `read_collection`. Following `next` from page to page, and stopping, is the client's task (T40).
"""

from __future__ import annotations

from typing import Any, Final

import msgspec

from ...foundation.errors import RemoteMalformed
from .values import ITEMS_LIMIT, Document, read_count, read_id, read_link

COLLECTION_TYPES: Final = ("Collection", "OrderedCollection", "CollectionPage", "OrderedCollectionPage")


class CollectionView(msgspec.Struct, frozen=True, kw_only=True):
    """What a collection or one of its pages says.

    items: ids and embedded documents, mixed as they came; of the first page too, where that is embedded.
    total_items: what the sender claims; nothing is decided by it (T40).
    next: the following page. part_of: the collection that a page belongs to.
    owner: who keeps it, where that is told.
    document: without `bto` and `bcc`.
    """

    id: str
    type: str
    total_items: int | None
    items: tuple[str | Document, ...]
    first: str | None
    next: str | None
    prev: str | None
    last: str | None
    part_of: str | None
    owner: str | None
    document: Document

    def __repr__(self) -> str:
        """Return type and id alone: reprs end up in logs, and what people write must not."""
        return f"<CollectionView {self.type} {self.id}>"


def read_collection(document: Document, type_name: str) -> CollectionView:
    """Return a collection or a page of one.

    Raises:
        RemoteMalformed: It has no id, or more than `ITEMS_LIMIT` items.
    """
    items = _read_items(document)
    embedded = document.get("first")
    following = read_link(document, "next")
    if not items and type(embedded) is dict:
        # Mastodon embeds the first page of replies.
        items, following = _read_items(embedded), read_link(embedded, "next")
    return CollectionView(
        id=read_id(document),
        type=type_name,
        total_items=read_count(document, "totalItems"),
        items=items,
        first=read_link(document, "first"),
        next=following,
        prev=read_link(document, "prev"),
        last=read_link(document, "last"),
        part_of=read_link(document, "partOf"),
        owner=read_link(document, "attributedTo"),
        document=document,
    )


def _read_items(document: Document) -> tuple[str | Document, ...]:
    value: Any = document.get("orderedItems")
    if value is None:
        value = document.get("items")
    items = value if type(value) is list else [value]
    if len(items) > ITEMS_LIMIT:
        raise RemoteMalformed(f"The collection has more than {ITEMS_LIMIT} items.")
    return tuple(item for item in items if type(item) is str or type(item) is dict)

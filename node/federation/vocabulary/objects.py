"""Objects: what people write, show, ask and plan, and what remains when it is taken away.

`understand` calls `read_object`. HTML in a view is as it came: `foundation.text` makes it harmless, pages show nothing
else. Nothing here says that the author really wrote it: `origin` and the signatures do.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any, Final

import msgspec

from ...foundation.errors import RemoteMalformed
from .values import (
    ATTACHMENTS_LIMIT,
    CONTENT_LIMIT_CHARACTERS,
    DESCRIPTION_LIMIT_CHARACTERS,
    LINKS_LIMIT,
    MENTIONS_LIMIT,
    NAME_LIMIT_CHARACTERS,
    OPTIONS_LIMIT,
    TAGS_LIMIT,
    TITLE_LIMIT_CHARACTERS,
    Document,
    is_true,
    list_names,
    read_addresses,
    read_count,
    read_id,
    read_instant,
    read_link,
    read_links,
    read_objects,
    read_text,
)

OBJECT_TYPES: Final = (
    "Note",
    "Page",
    "Article",
    "Event",
    "Question",
    "Document",
    "Image",
    "Video",
    "Audio",
    "ChatMessage",
    "Tombstone",
)

# Where `summary` stands above the text as a warning. In the others it is an excerpt, unless they are `sensitive`
# (FEP-b2b8; NodeBB and Lotide repeat the post there).
_WARNED_TYPES: Final = frozenset({"Note", "Question", "ChatMessage"})
_MARKDOWN: Final = frozenset({"text/markdown", "text/x-markdown"})
_LANGUAGE_LIMIT_CHARACTERS: Final = 35
_MEDIA_TYPE_LIMIT_CHARACTERS: Final = 255


class Tag(msgspec.Struct, frozen=True):
    """One thing a text refers to: type such as "Mention", "Hashtag" or "Link", name as shown, and where it leads."""

    type: str
    name: str | None
    href: str | None


class Attachment(msgspec.Struct, frozen=True, kw_only=True):
    """One file or link: `description` is what a picture shows, in words; sizes are in pixels."""

    type: str
    url: str
    media_type: str | None
    description: str | None
    width: int | None
    height: int | None


class Option(msgspec.Struct, frozen=True):
    """One answer of a question, and how many have given it, where that is told."""

    name: str
    votes: int | None


class ObjectView(msgspec.Struct, frozen=True, kw_only=True):
    """What an object's document says.

    author: the first of `authors`; from `attributedTo`, or `actor` where there is none (old polls).
    content: HTML unless `media_type` says otherwise, not yet sanitised; empty where there is none.
    source: the Markdown it was made from, if it was Markdown.
    warning: what is shown in place of the text until one asks for it. summary: the same property, whatever it means.
    context: the thread. audience: the group, as a rule.
    options, is_multiple_choice: of a Question. starts_at, ends_at, location: of an Event; ends_at of a Question too.
    deleted_at, former_type: of a Tombstone.
    document: without `bto` and `bcc`.
    """

    id: str
    type: str
    author: str | None
    authors: tuple[str, ...]
    title: str | None
    content: str
    media_type: str | None
    source: str | None
    summary: str | None
    warning: str | None
    language: str | None
    url: str | None
    in_reply_to: str | None
    context: str | None
    audience: tuple[str, ...]
    to: tuple[str, ...]
    cc: tuple[str, ...]
    tags: tuple[Tag, ...]
    mentions: tuple[Tag, ...]
    attachments: tuple[Attachment, ...]
    published_at: datetime | None
    updated_at: datetime | None
    sensitive: bool
    document: Document
    deleted_at: datetime | None = None
    former_type: str | None = None
    options: tuple[Option, ...] = ()
    is_multiple_choice: bool = False
    starts_at: datetime | None = None
    ends_at: datetime | None = None
    location: str | None = None

    def __repr__(self) -> str:
        """Return type and id alone: reprs end up in logs, and what people write must not."""
        return f"<ObjectView {self.type} {self.id}>"


def read_object(document: Document, type_name: str) -> ObjectView:
    """Return an object.

    Raises:
        RemoteMalformed: It has no id, or something in it is of the wrong kind or beyond the limits (T42).
    """
    authors = read_links(document, "attributedTo") or read_links(document, "actor")
    summary = read_text(document, "summary", limit=CONTENT_LIMIT_CHARACTERS)
    sensitive = is_true(document, "sensitive")
    tags, mentions = _read_tags(document)
    details = _DETAILS.get(type_name)
    return ObjectView(
        id=read_id(document),
        type=type_name,
        author=authors[0] if authors else None,
        authors=authors,
        title=read_text(document, "name", limit=TITLE_LIMIT_CHARACTERS),
        content=read_text(document, "content", limit=CONTENT_LIMIT_CHARACTERS) or "",
        media_type=read_text(document, "mediaType", limit=_MEDIA_TYPE_LIMIT_CHARACTERS),
        source=_read_source(document),
        summary=summary,
        warning=summary if sensitive or type_name in _WARNED_TYPES else None,
        language=_read_language(document),
        url=_read_url(document, "text/html"),
        in_reply_to=read_link(document, "inReplyTo"),
        context=read_link(document, "context"),
        audience=read_addresses(document, "audience"),
        to=read_addresses(document, "to"),
        cc=read_addresses(document, "cc"),
        tags=tags,
        mentions=mentions,
        attachments=_read_attachments(document),
        published_at=read_instant(document, "published"),
        updated_at=read_instant(document, "updated"),
        sensitive=sensitive,
        document=document,
        **(details(document) if details else {}),
    )


def _read_tags(document: Document) -> tuple[tuple[Tag, ...], tuple[Tag, ...]]:
    """Return what is not a mention, and what is."""
    tags: list[Tag] = []
    mentions: list[Tag] = []
    for entry in read_objects(document, "tag", limit=MENTIONS_LIMIT + TAGS_LIMIT):
        name = read_text(entry, "name", limit=NAME_LIMIT_CHARACTERS)
        tag = Tag(next(iter(list_names(entry.get("type"))), ""), name, read_link(entry, "href"))
        (mentions if tag.type == "Mention" else tags).append(tag)
    if len(mentions) > MENTIONS_LIMIT:
        raise RemoteMalformed(f"The document has more than {MENTIONS_LIMIT} mentions.")
    if len(tags) > TAGS_LIMIT:
        raise RemoteMalformed(f"The document has more than {TAGS_LIMIT} tags.")
    return tuple(tags), tuple(mentions)


def _read_attachments(document: Document) -> tuple[Attachment, ...]:
    """Return files and links; what leads nowhere, such as a `PropertyValue`, is left out."""
    entries = read_objects(document, "attachment", limit=ATTACHMENTS_LIMIT)
    found = [(entry, _read_url(entry, "") or read_link(entry, "href")) for entry in entries]
    return tuple(_read_attachment(entry, url) for entry, url in found if url)


def _read_attachment(entry: Document, url: str) -> Attachment:
    return Attachment(
        type=next(iter(list_names(entry.get("type"))), ""),
        url=url,
        media_type=read_text(entry, "mediaType", limit=_MEDIA_TYPE_LIMIT_CHARACTERS),
        description=read_text(entry, "name", limit=DESCRIPTION_LIMIT_CHARACTERS),
        width=read_count(entry, "width"),
        height=read_count(entry, "height"),
    )


def _read_poll(document: Document) -> dict[str, Any]:
    """Return the answers to choose from, whether one may choose several, and the end.

    Spec: FEP-9967. Pleroma sends both lists, one of them empty, and the end as `closed`.
    """
    several = read_objects(document, "anyOf", limit=OPTIONS_LIMIT)
    entries = several or read_objects(document, "oneOf", limit=OPTIONS_LIMIT)
    found = [(read_text(entry, "name", limit=NAME_LIMIT_CHARACTERS), entry) for entry in entries]
    return {
        "options": tuple(Option(name, _read_votes(entry)) for name, entry in found if name),
        "is_multiple_choice": bool(several),
        "ends_at": read_instant(document, "endTime") or read_instant(document, "closed"),
    }


def _read_votes(entry: Document) -> int | None:
    replies = entry.get("replies")
    return read_count(replies, "totalItems") if type(replies) is dict else None


def _read_url(document: Document, preferred: str) -> str | None:
    """Return where something can be seen; of several links the one of the preferred media type, else the first."""
    value = document.get("url")
    if type(value) is not list:
        return read_link(document, "url")
    for link in value[:LINKS_LIMIT]:
        if type(link) is dict and link.get("mediaType") == preferred:
            return read_link(link, "href")
    return read_link(document, "url")


def _read_source(document: Document) -> str | None:
    source = document.get("source")
    kind = source.get("mediaType") if type(source) is dict else None
    if type(source) is not dict or type(kind) is not str or kind not in _MARKDOWN:
        return None
    return read_text(source, "content", limit=CONTENT_LIMIT_CHARACTERS)


def _read_language(document: Document) -> str | None:
    """Return the language tag of the content, where there is exactly one that says something."""
    languages = document.get("contentMap")
    if type(languages) is not dict or len(languages) != 1:
        return None
    [(language, content)] = languages.items()
    is_plain = 0 < len(language) <= _LANGUAGE_LIMIT_CHARACTERS and type(content) is str
    return language if is_plain and language != "und" else None


def _read_event(document: Document) -> dict[str, Any]:
    """Return the times of an event, and the name of its first place.

    Spec: FEP-8a8e.
    """
    value: Any = document.get("location")
    place = value[0] if type(value) is list and value else value
    return {
        "starts_at": read_instant(document, "startTime"),
        "ends_at": read_instant(document, "endTime"),
        "location": read_text(place, "name", limit=TITLE_LIMIT_CHARACTERS) if type(place) is dict else None,
    }


def _read_tombstone(document: Document) -> dict[str, Any]:
    return {
        "deleted_at": read_instant(document, "deleted"),
        "former_type": next(iter(list_names(document.get("formerType"))), None),
    }


# What only some types have.
_DETAILS: Final[dict[str, Callable[[Document], dict[str, Any]]]] = {
    "Event": _read_event,
    "Question": _read_poll,
    "Tombstone": _read_tombstone,
}

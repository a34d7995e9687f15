"""Read single values out of documents that were written by others.

The readers of actors, objects, collections and activities call this; it knows JSON values and limits, and must not know
any type of document. What software writes differently is read alike here: a string, an object with an id, a list of
one, a text with or without a language. What is of a wrong kind, or more than the limits, is refused with a sentence.

Spec: signatures.md T42 for the limits; AS2 §4.7 for texts with languages.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any, Final

from ...foundation.errors import RemoteMalformed
from .addressing import PUBLIC, PUBLIC_SPELLINGS

Document = dict[str, Any]

URI_LIMIT_CHARACTERS: Final = 2_048
NAME_LIMIT_CHARACTERS: Final = 200
# Forums allow longer titles than people may have names; `foundation.text` stores as many.
TITLE_LIMIT_CHARACTERS: Final = 300
CONTENT_LIMIT_CHARACTERS: Final = 100_000
# What a picture shows, in words; Mastodon accepts as much.
DESCRIPTION_LIMIT_CHARACTERS: Final = 10_000
MENTIONS_LIMIT: Final = 50
TAGS_LIMIT: Final = 50
ATTACHMENTS_LIMIT: Final = 16
OPTIONS_LIMIT: Final = 20
# Times in other years cannot be reckoned with, nor shown in every zone.
_YEARS: Final = range(2, 9999)
ADDRESSEES_LIMIT: Final = 500
OBJECTS_LIMIT: Final = 50
KEYS_LIMIT: Final = 16
LINKS_LIMIT: Final = 20
ITEMS_LIMIT: Final = 5_000


def read_id(document: Document) -> str:
    """Return the id of a document.

    Raises:
        RemoteMalformed: There is none, or it is not one plain string.
    """
    value = document.get("id")
    if type(value) is not str or not value:
        raise RemoteMalformed("The document has no id.")
    return _check_uri(value)


def read_link(document: Document, name: str) -> str | None:
    """Return the id that a property points to: a URI, an object with an id, or the first of a list of such.

    Raises:
        RemoteMalformed: The value is something else, or not a plain URI.
    """
    value = document.get(name)
    if type(value) is str:
        return _check_uri(value) if value else None
    return None if value is None else _get_link(value[0] if type(value) is list and value else value, name)


def read_links(document: Document, name: str, *, limit: int = LINKS_LIMIT) -> tuple[str, ...]:
    """Return the ids that a property points to, in their order; members of a list that have no id are left out.

    Raises:
        RemoteMalformed: There are more than the limit, or one is not a plain URI.
    """
    value = document.get(name)
    if not value:
        return ()
    if type(value) is str:
        return (_check_uri(value),)
    found = [_check_uri(item) if type(item) is str else _get_link(item, name) for item in _as_list(value, name, limit)]
    return tuple([uri for uri in found if uri])


def read_addresses(document: Document, name: str) -> tuple[str, ...]:
    """Return the addressees in `to`, `cc` or `audience`; every spelling of "everybody" becomes `PUBLIC`."""
    found = read_links(document, name, limit=ADDRESSEES_LIMIT)
    if PUBLIC_SPELLINGS.isdisjoint(found):
        return found
    return tuple([PUBLIC if uri in PUBLIC_SPELLINGS else uri for uri in found])


def read_text(document: Document, name: str, *, limit: int) -> str | None:
    """Return a text; from `name` itself, or in any one language from `nameMap`.

    Raises:
        RemoteMalformed: It is not text, or longer than `limit` characters.
    """
    value = document.get(name)
    if value is None:
        languages = document.get(f"{name}Map")
        value = next(iter(languages.values()), None) if type(languages) is dict else None
    text = value if type(value) is str else _get_text(value, name)
    if text is not None and len(text) > limit:
        raise RemoteMalformed(f"The {name} is longer than {limit} characters.")
    return text or None


def read_objects(document: Document, name: str, *, limit: int) -> list[Document]:
    """Return the objects in a property; members that are no objects are left out.

    Raises:
        RemoteMalformed: There are more than the limit, of whatever kind.
    """
    value = document.get(name)
    if not value:
        return []
    return [item for item in _as_list(value, name, limit) if type(item) is dict]


def read_instant(document: Document, name: str) -> datetime | None:
    """Return a time as an aware UTC instant, or None where it is absent or cannot be read.

    Times without a zone are taken for UTC (Pleroma writes `closed` so). A time is the sender's claim and decides
    nothing, therefore an unreadable one is not worth losing the document for.
    """
    value = document.get(name)
    if type(value) is not str:
        return None
    try:
        instant = datetime.fromisoformat(value)
        instant = instant.replace(tzinfo=UTC) if instant.tzinfo is None else instant.astimezone(UTC)
    except (ValueError, OverflowError):
        return None
    return instant if instant.year in _YEARS else None


def read_count(document: Document, name: str) -> int | None:
    """Return a number that counts or measures something, or None."""
    value = document.get(name)
    return value if type(value) is int and value >= 0 else None


def is_true(document: Document, name: str) -> bool:
    """Return whether a property is exactly `true`; anything else is false."""
    return document.get(name) is True


def list_names(value: Any) -> Iterable[str]:
    """Return the names of types in a `type` property, without the prefix of ActivityStreams."""
    for name in value if type(value) is list else [value]:
        if type(name) is str:
            yield name.removeprefix("as:").removeprefix("https://www.w3.org/ns/activitystreams#")


def _check_uri(uri: str) -> str:
    # One printable word. Whether it is on the right origin is asked where it matters: `federation/origin.py`.
    if len(uri) > URI_LIMIT_CHARACTERS or " " in uri or not uri.isprintable():
        raise RemoteMalformed("The document has a URI that is too long, or not printable.")
    return uri


def _get_link(value: Any, name: str) -> str | None:
    """Return the id of a value, or the address of a Link."""
    if type(value) is dict:
        value = value.get("id") or value.get("href")
    if value is None or value == "" or value == []:
        return None
    if type(value) is not str:
        raise RemoteMalformed(f"The {name} is neither a URI nor an object with one.")
    return _check_uri(value)


def _get_text(value: Any, name: str) -> str | None:
    """Return a text that did not come as a plain string: a JSON-LD value, or the first of several."""
    if type(value) is list:
        value = value[0] if value else None
    if type(value) is dict and "@value" in value:
        value = value["@value"]
    if value is not None and type(value) is not str:
        raise RemoteMalformed(f"The {name} is not text.")
    return value


def _as_list(value: Any, name: str, limit: int) -> list[Any]:
    items = value if type(value) is list else [value]
    if len(items) > limit:
        raise RemoteMalformed(f"The document has more than {limit} entries in {name}.")
    return items

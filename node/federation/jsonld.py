"""Read JSON strictly, and bring documents with unusual contexts into the usual shape.

The inbox and the client call `parse_document` on bytes, then `normalize_document`, then the vocabulary. This module
knows JSON and JSON-LD; it must not know what a Note is, and it never uses the network.

How it works: nearly every document of the fediverse names contexts that we hold and uses their terms as they are. Such
a document is its own normal form and is returned untouched. When it names a context that we do not hold, writes
keywords or IRIs where terms are usual, or bends a term we read (`"kind": "@type"`), pyld expands it with contexts
from a closed list and compacts it to `contexts/view.json`. Either way a term means what JSON-LD says, or nothing (T39).

What is returned is a *view*. The document as received is what is stored, forwarded and proved (design.md D11).
"""

from __future__ import annotations

import json
import math
import re
import warnings
from collections.abc import Iterator
from functools import cache
from typing import TYPE_CHECKING, Any, Final

import msgspec

from ..foundation.errors import RemoteMalformed
from .contexts import VIEW_URL, find_plain_context, load_our_contexts, load_view_terms
from .contexts.usual import is_synonym, is_usual_context

if TYPE_CHECKING:
    from pyld.documentloader.frozen import FrozenDocumentLoader

LIMIT_BYTES: Final = 1_048_576
DEPTH_LIMIT: Final = 64
INTEGER_LIMIT: Final = 2**53
# What pyld is given at most: it needs milliseconds where the usual path needs microseconds.
UNUSUAL_LIMIT_BYTES: Final = 65_536
UNUSUAL_LIMIT_NODES: Final = 2_000
UNUSUAL_LIMIT_DEPTH: Final = 32
UNUSUAL_LIMIT_CONTEXTS: Final = 100

# A string, or what is left when the last one is not closed: it always matches at its first quote, so it is linear.
_STRING = re.compile(rb'"[^"\\]*+(?:\\.[^"\\]*+)*+(?:"|\\?\Z)', re.DOTALL)
_NOT_BRACKETS = bytes(set(range(256)) - set(b"[]{}"))
_ALL_SQUARE = bytes.maketrans(b"{}", b"[]")
_UNFIT_ESCAPES = (b"\\ud", b"\\uD", b"\\u0000")
_UNFIT_TEXT = re.compile("[\x00\ud800-\udfff]")

# Keywords and IRIs where terms are usual.
_ODD_KEY = re.compile(r"@|(?:as|ldp|sec|toot|https?):")
# Left out of inline contexts: nothing is imported (T38), and we do not read languages from contexts.
_IDLE_KEYWORDS = {"@import", "@language"}


class _Unfit(ValueError):
    """JSON that is well formed and still not taken; the message is a whole sentence."""


def parse_document(raw: bytes, *, limit_bytes: int = LIMIT_BYTES) -> dict[str, Any]:
    """Return the JSON object in a body, read strictly.

    Args:
        raw: UTF-8 without a byte order mark.
        limit_bytes: The longest body that is looked at.

    Raises:
        RemoteMalformed: Too long, not UTF-8, not JSON, not an object, nested deeper than 64, a name twice in one
            object, NaN or Infinity, an integer beyond ±2^53, half a surrogate pair or U+0000 in a string.

    Spec: signatures.md §1.4 step 10, T37; RFC 8259; RFC 7493 §2. U+0000 is refused because PostgreSQL cannot store it.
    """
    if len(raw) > limit_bytes:
        raise RemoteMalformed(f"The document is longer than {limit_bytes} bytes.")
    # Brackets inside strings only make this first count too high, so most documents need no second look.
    if raw.count(b"[") + raw.count(b"{") > DEPTH_LIMIT and _is_too_deep(raw):
        raise RemoteMalformed("The document is nested too deep, or its brackets do not match.")
    try:
        document = _DECODER.decode(raw.decode("utf-8"))
    except _Unfit as error:
        raise RemoteMalformed(str(error)) from None
    except ValueError as error:
        raise RemoteMalformed("The document is not JSON.", internal=f"not JSON: {error}"[:200]) from None
    if type(document) is not dict:
        raise RemoteMalformed("The document is not a JSON object.")
    if any(escape in raw for escape in _UNFIT_ESCAPES) and any(map(_UNFIT_TEXT.search, _list_texts(document))):
        raise RemoteMalformed("The document holds text that is not Unicode, or U+0000.")
    return document


def normalize_document(document: dict[str, Any]) -> dict[str, Any]:
    """Return a document in the terms of `contexts/view.json`; the same object where it is in them already.

    Contexts that we do not hold are left out, and what they would have meant stays opaque (T38).

    Args:
        document: From `parse_document`. It is not changed.

    Raises:
        RemoteMalformed: It needs JSON-LD processing and is too large for it, or is not JSON-LD.

    Cost: 5 µs; where JSON-LD processing is needed 5 ms, half a second at the limits, and then from one thread at a
        time, for pyld's caches have no lock.
    """
    if _is_usual(document):
        return document
    return normalize_unusual(document)


def normalize_unusual(document: dict[str, Any]) -> dict[str, Any]:
    """Return a document expanded and compacted by pyld; for `normalize_document`, and for the tests that compare."""
    _check_size(document)
    # Imported at first use: pyld brings 12 MB of lxml and takes half a second, and most nodes never need it.
    from pyld import jsonld

    # Expansion starts with the terms we read, as if every document named them: senders forget to declare `sensitive`
    # and `Hashtag`, and AS2 §2.1 asks to assume its context where none is named.
    loader = _load_contexts()
    to_expanded = {"documentLoader": loader, "expandContext": VIEW_URL}
    to_view = {"documentLoader": loader, "skipExpansion": True}
    try:
        # A peer's `"@future"` is no reason to write into our log.
        with warnings.catch_warnings(action="ignore"):
            expanded = jsonld.expand(_with_held_contexts(document), to_expanded)
            compacted = jsonld.compact(expanded, VIEW_URL, to_view)
    except jsonld.JsonLdError as error:
        raise RemoteMalformed("The document is not JSON-LD.", internal=f"not JSON-LD: {error.code}") from None
    except (ValueError, TypeError, KeyError, AttributeError, IndexError, RecursionError) as error:
        # What pyld trips over where it ought to complain.
        raise RemoteMalformed("The document is not JSON-LD.", internal=f"pyld: {type(error).__name__}") from None
    return dict(compacted)


def _is_too_deep(raw: bytes) -> bool:
    """Return whether brackets nest deeper than the limit; each round takes away the innermost level.

    Brackets of two kinds that cross are taken for pairs: the parser finds those.
    """
    brackets = _STRING.sub(b"", raw).translate(_ALL_SQUARE, _NOT_BRACKETS)
    for _ in range(DEPTH_LIMIT):
        if not brackets:
            return False
        brackets = brackets.replace(b"[]", b"")
    return bool(brackets)


def _build_object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    built = dict(pairs)
    if len(built) != len(pairs):
        # Two readers of one document would otherwise see two different values.
        raise _Unfit("The document has a name twice in one object.")
    return built


def _parse_integer(digits: str) -> int:
    if len(digits) > 17 or not -INTEGER_LIMIT <= (value := int(digits)) <= INTEGER_LIMIT:
        raise _Unfit("The document has an integer beyond 2^53.")
    return value


def _parse_float(digits: str) -> float:
    value = float(digits)
    if math.isinf(value):
        raise _Unfit("The document has a number that is too large.")
    return value


def _refuse_constant(name: str) -> Any:
    raise _Unfit("The document has a number that is none.")


# msgspec reads three times as fast, but says nothing of names that stand twice.
_DECODER = json.JSONDecoder(
    object_pairs_hook=_build_object,
    parse_int=_parse_integer,
    parse_float=_parse_float,
    parse_constant=_refuse_constant,
)


def _list_texts(document: dict[str, Any]) -> Iterator[str]:
    pending: list[Any] = [document]
    while pending:
        value = pending.pop()
        if type(value) is str:
            yield value
        elif type(value) is dict:
            pending.extend(value)
            pending.extend(value.values())
        elif type(value) is list:
            pending.extend(value)


def _is_usual(document: dict[str, Any]) -> bool:
    """Return whether reading the document as plain JSON gives what JSON-LD processing would give."""
    terms = load_view_terms()
    pending: list[Any] = [document]
    while pending:
        node = pending.pop()
        if type(node) is list:
            pending.extend([item for item in node if type(item) is dict or type(item) is list])
            continue
        for key, value in node.items():
            if key == "@context":
                if not is_usual_context(value):
                    return False
                continue
            if key not in terms and _ODD_KEY.match(key):
                return False
            if type(value) is dict or type(value) is list:
                pending.append(value)
    return True


def _check_size(document: dict[str, Any]) -> None:
    """Refuse what would keep pyld busy for too long; each context costs it as much as twenty nodes."""
    nodes = contexts = 0
    level: list[Any] = [document]
    for _ in range(UNUSUAL_LIMIT_DEPTH):
        nodes += len(level)
        contexts += sum(_count_contexts(value) for value in level)
        if nodes > UNUSUAL_LIMIT_NODES or contexts > UNUSUAL_LIMIT_CONTEXTS:
            break
        level = [child for value in level for child in _list_children(value)]
        if not level:
            if len(msgspec.json.encode(document)) > UNUSUAL_LIMIT_BYTES:
                break
            return
    raise RemoteMalformed("The document has an unusual context and is too large to be read with it.")


def _count_contexts(value: Any) -> int:
    if type(value) is not dict or "@context" not in value:
        return 0
    context = value["@context"]
    return len(context) if type(context) is list else 1


def _list_children(value: Any) -> list[Any]:
    if type(value) is dict:
        return [child for child in value.values() if type(child) is dict or type(child) is list]
    # Single values in lists count as nodes: each of them costs as much as a small object.
    return value if type(value) is list else []


@cache
def _load_contexts() -> FrozenDocumentLoader:
    from pyld.documentloader.frozen import BUNDLED_CONTEXTS, FrozenDocumentLoader

    return FrozenDocumentLoader({**BUNDLED_CONTEXTS, **load_our_contexts()})


def _with_held_contexts(value: Any, *, in_context: bool = False) -> Any:
    """Return a copy that names only contexts we hold, at every depth, in inline contexts too.

    Properties that are null are left out: to JSON-LD they say nothing, but `"id": null` would make it give up.
    """
    if type(value) is list:
        return [_with_held_contexts(item, in_context=in_context) for item in value]
    if type(value) is not dict:
        return value
    return {
        key: _hold_context(member) if key == "@context" else _with_held_contexts(member, in_context=in_context)
        for key, member in value.items()
        if member is not None or in_context or key == "@context"
    }


def _hold_context(context: Any) -> list[Any]:
    kept: list[Any] = []
    for entry in context if type(context) is list else [context]:
        if type(entry) is str:
            name = find_plain_context(entry) or (entry if entry in _load_contexts().documents else None)
            kept.extend([name] if name else [])
        elif type(entry) is dict:
            kept.append(
                {
                    term: _with_held_contexts(line, in_context=True)
                    for term, line in entry.items()
                    if term not in _IDLE_KEYWORDS and not is_synonym(term, line, entry)
                }
            )
        else:
            kept.append(entry)
    return kept

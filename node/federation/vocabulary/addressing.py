"""Who a document is addressed to: everybody, and those who must not be seen.

Called wherever a document arrives or leaves. Knows the property names of ActivityPub, nothing else.
"""

from __future__ import annotations

from typing import Any, Final

PUBLIC: Final = "https://www.w3.org/ns/activitystreams#Public"

# What ActivityPub §5.6 permits, and what has been seen besides. A spelling we did not know would be taken for
# somebody's address, and a post that says "everybody" for one that does not.
PUBLIC_SPELLINGS: Final = frozenset(
    {
        PUBLIC,
        "http://www.w3.org/ns/activitystreams#Public",
        "https://www.w3.org/ns/activitystreams/#Public",
        "http://www.w3.org/ns/activitystreams/#Public",
        "https://www.w3.org/ns/activitystreams/Public",
        "http://www.w3.org/ns/activitystreams/Public",
        "http://activityschema.org/collection/public",
        "as:Public",
        "as:public",
        "Public",
        "public",
    }
)

_PRIVATE: Final = frozenset(
    prefix + name for prefix in ("", "as:", "https://www.w3.org/ns/activitystreams#") for name in ("bto", "bcc")
)


def is_public_address(uri: str) -> bool:
    """Return whether an address means everybody, in any of its spellings.

    >>> is_public_address("as:Public"), is_public_address("https://a.example/groups/ward/followers")
    (True, False)

    Spec: ActivityPub §5.6.
    """
    return uri in PUBLIC_SPELLINGS


def without_private_addressing(document: dict[str, Any]) -> dict[str, Any]:
    """Return a document without `bto` and `bcc`, in itself and in everything embedded in it.

    Where there are none, the same object comes back. A proof over a document that had them no longer fits: whoever
    signs must take them out before (T29).

    >>> without_private_addressing({"type": "Note", "bcc": ["https://a.example/people/ana"]})
    {'type': 'Note'}

    Spec: ActivityPub §6; signatures.md T29.
    """
    if not _has_private_addressing(document):
        return document
    stripped: dict[str, Any] = _strip(document)
    return stripped


def _has_private_addressing(document: dict[str, Any]) -> bool:
    pending: list[Any] = [document]
    while pending:
        node = pending.pop()
        if type(node) is dict:
            if not _PRIVATE.isdisjoint(node):
                return True
            node = node.values()
        pending.extend([value for value in node if type(value) is dict or type(value) is list])
    return False


def _strip(value: Any) -> Any:
    if type(value) is list:
        return [_strip(item) for item in value]
    if type(value) is dict:
        return {key: _strip(member) for key, member in value.items() if key not in _PRIVATE}
    return value

"""Author cards: what a group's host says of whoever writes there, as it stands in the log. Spec: wire.md 4.9."""

from __future__ import annotations

from typing import Any

from node.federation.signatures.keys import load_multikey
from node.store.logs import Card


def read_card(seq: int, card: dict[str, Any], text: str) -> Card:
    """Return a card in the form in which it is kept.

    Args:
        seq: The number of its entry.
        card: An actor document with an `id` of text.
        text: The same as JSON.

    Raises:
        RemoteMalformed: Its key is not one.
    """
    method = _first_multikey(card)
    return Card(seq, text, method[0] if method else None, method[1] if method else None)


def _first_multikey(card: dict[str, Any]) -> tuple[str, str] | None:
    """Return (key id, Multikey) of a card, checked to be a key of the card's own actor."""
    methods = card.get("assertionMethod")
    methods = methods if isinstance(methods, list) else [methods] if methods else []
    for method in methods[:4]:
        if isinstance(method, dict) and method.get("type") == "Multikey":
            key_id, text = method.get("id"), method.get("publicKeyMultibase")
            if isinstance(key_id, str) and isinstance(text, str) and key_id.startswith(f"{card['id']}"):
                load_multikey(text)
                return key_id, text
    return None

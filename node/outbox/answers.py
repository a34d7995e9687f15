"""How answers to peers look: ActivityPub documents that nobody may keep."""

from __future__ import annotations

from typing import Any

from node.federation.message import Answer

from .publish import encode

CONTENT_TYPE = "application/activity+json"
PRIVATE_HEADERS = (
    ("cache-control", "private, no-store"),
    ("vary", "Accept, Signature, Signature-Input, Authorization"),
    ("x-content-type-options", "nosniff"),
)


def json_answer(document: Any) -> Answer:
    """Return an ActivityPub document that nobody may cache."""
    return Answer(200, (("content-type", CONTENT_TYPE), *PRIVATE_HEADERS), encode(document))


def read_number(text: str, otherwise: int) -> int:
    """Return a number of a query, or another where it is none."""
    return int(text) if text.isascii() and text.isdigit() and len(text) < 17 else otherwise

"""The documents of `tests/documents`, those of other projects where they exist, and views made comparable."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from node.federation.vocabulary import View, understand

PROJECT = Path(__file__).parents[3]
OWN_FOLDER = PROJECT / "tests" / "documents"
FOREIGN_FOLDER = PROJECT.parent / "shared" / "fixtures"


AS2 = "https://www.w3.org/ns/activitystreams"


def a_follow(**members: Any) -> dict[str, Any]:
    """Return a small sound activity, with other members."""
    return {
        "@context": AS2,
        "id": "https://a.example/activities/1",
        "type": "Follow",
        "actor": "https://a.example/people/ana",
        "object": "https://b.example/groups/ward",
        **members,
    }


def list_own_documents() -> list[str]:
    """Return the names of our own documents, such as "lemmy/follow"."""
    return sorted(str(path.relative_to(OWN_FOLDER).with_suffix("")) for path in OWN_FOLDER.rglob("*.json"))


def read_own_bytes(name: str) -> bytes:
    return (OWN_FOLDER / f"{name}.json").read_bytes()


def load_document(name: str) -> dict[str, Any]:
    document: dict[str, Any] = json.loads(read_own_bytes(name))
    return document


def understand_own(name: str) -> Any:
    """Return the view of one of our own documents, read as plain JSON."""
    return understand(load_document(name))


def list_facts(view: View | None) -> dict[str, Any]:
    """Return what a view says, without the documents in it, so that two ways of reading can be compared."""
    if view is None:
        return {}
    facts: dict[str, Any] = {name: getattr(view, name) for name in view.__struct_fields__}
    del facts["document"]
    facts.pop("object", None)
    if "inner" in facts:
        facts["inner"] = list_facts(facts["inner"])
    if "items" in facts:
        facts["items"] = [item if isinstance(item, str) else item.get("id") for item in facts["items"]]
    return {"view": type(view).__name__, **facts}

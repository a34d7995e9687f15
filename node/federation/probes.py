"""Test objects: how a node tries whether a peer erases and takes reports, with nothing of anybody in them.

The instance actor A of one node says to the instance actor B of the other, and to nobody else:

    {"type": "Create", "actor": A, "to": [B], "object":
        {"type": "Note", "id": "https://a.example/probes/R", "attributedTo": A, "to": [B], "content": "…"}}
    {"type": "Flag", "actor": A, "to": [B], "object": "https://a.example/probes/R", "content": "…"}
    {"type": "Delete", "actor": A, "to": [B], "object": {"type": "Tombstone", "id": "https://a.example/probes/R"}}

R are 26 base32 characters. Who understands one answers 202 with the header `Rounds-Probe: https://a.example/probes/R`, and
answers A's signed GET of `https://b.example/probes/R` with the Note, then with 410. Published format: exactly these
members; what says more or less is an ordinary activity, so another format needs another folder than `/probes/`.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

HEADER = "rounds-probe"
TEXT_LIMIT_CHARACTERS = 200
_CONTEXT = "https://www.w3.org/ns/activitystreams"
_TOKEN = re.compile(r"[a-z2-7]{26}")
_MEMBERS = frozenset({"@context", "id", "type", "actor", "to", "object", "content"})
_NOTE_MEMBERS = frozenset({"type", "id", "attributedTo", "to", "content"})
_TOMBSTONE_MEMBERS = frozenset({"type", "id"})


@dataclass(frozen=True, slots=True)
class Probe:
    """A step of a test. verb: Create, Flag or Delete. uri: the test object. text: what a Create says."""

    verb: str
    uri: str
    text: str = ""


def build_note(*, uri: str, actor: str, reader: str, text: str) -> dict[str, Any]:
    """Return a test object."""
    return {"type": "Note", "id": uri, "attributedTo": actor, "to": [reader], "content": text}


def build_probe(probe: Probe, *, activity_uri: str, actor: str, reader: str) -> dict[str, Any]:
    """Return the activity that says a step of a test."""
    activity: dict[str, Any] = {
        "@context": _CONTEXT,
        "id": activity_uri,
        "type": probe.verb,
        "actor": actor,
        "to": [reader],
    }
    if probe.verb == "Create":
        return activity | {"object": build_note(uri=probe.uri, actor=actor, reader=reader, text=probe.text)}
    if probe.verb == "Delete":
        return activity | {"object": {"type": "Tombstone", "id": probe.uri}}
    return activity | {"object": probe.uri, "content": probe.text}


def read_probe(document: dict[str, Any], *, origin: str, actor: str, reader: str) -> Probe | None:
    """Return the step of a test that an activity is, or None: whatever differs in anything is an ordinary activity.

    Args:
        document: The JSON value as received.
        origin: Of the peer that signed it; the test object must be there.
        actor: The peer's instance actor, which alone tests.
        reader: Our instance actor, to which alone it must be addressed.
    """
    if not document.keys() <= _MEMBERS or document.get("actor") != actor or document.get("to") != [reader]:
        return None
    verb, named = document.get("type"), document.get("object")
    if verb == "Create" and isinstance(named, dict):
        text = named.get("content")
        if named.keys() != _NOTE_MEMBERS or not isinstance(text, str) or len(text) > TEXT_LIMIT_CHARACTERS:
            return None
        probe = Probe(verb, str(named["id"]), text)
        if named != build_note(uri=probe.uri, actor=actor, reader=reader, text=text):
            return None
    elif verb == "Delete" and isinstance(named, dict):
        if named.keys() != _TOMBSTONE_MEMBERS or named["type"] != "Tombstone":
            return None
        probe = Probe(verb, str(named["id"]))
    elif verb == "Flag" and isinstance(named, str):
        probe = Probe(verb, named)
    else:
        return None
    return probe if is_probe_uri(probe.uri, origin=origin) else None


def is_probe_uri(uri: str, *, origin: str) -> bool:
    """Say whether an id is one of a test object of a node."""
    folder, _, token = uri.rpartition("/")
    return folder == f"{origin}/probes" and _TOKEN.fullmatch(token) is not None

"""Say what software this node is, and read what others say they are.

What NodeInfo says is a claim. It can only refuse (wire.md 4.5): software known to have no private groups is never let
into one, and no name opens anything. Our own answer counts nobody and nothing (T23).

Spec: NodeInfo 2.0 and 2.1 (FEP-f1d5); FEP-0151.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal, TypeVar

import msgspec

from ..foundation.errors import OriginMismatch, RemoteMalformed
from ..foundation.text import clean_line

SCHEMA_URL = "http://nodeinfo.diaspora.software/ns/schema/"
VERSIONS = ("2.1", "2.0")
LINK_LIMIT = 32
# What a node can say that it does about private groups; ours does all of it. Published names may never change.
CAPABILITIES = ("private-groups", "group-log", "erasure", "reports")
_CLAIM_LIMIT_CHARACTERS = 200
_CAPABILITIES_LIMIT = 32
VERSION_LIMIT_CHARACTERS = 100

NodeInfoVersion = Literal["2.0", "2.1"]

_Document = TypeVar("_Document")

_NAME = re.compile(r"[a-z0-9][a-z0-9._-]{0,62}")

_NONE = "has no private groups that federate, so what a group sends it can become visible to others"
_CHAT = "turns the posts of a private group into direct messages and knows no membership"
_PUBLIC = "is made for publishing and has no private groups"
_LEAKED = "has shown posts for followers to people who were never let in (CVE-2025-30741)"

# Why each software is refused, by its NodeInfo name. Only what is known goes in: an unknown name is not a reason, and
# the operators' own agreement decides about it. Sources: wire.md sections 1, 1.2 and 4.7; signatures.md 1.1, T17.
REFUSED_SOFTWARE: Mapping[str, tuple[str, str]] = {
    "kbin": ("kbin", _NONE),
    "mbin": ("Mbin", _NONE),
    "piefed": ("PieFed", _NONE),
    "discourse": ("Discourse", _NONE),
    "bonfire": ("Bonfire", _NONE),
    "misskey": ("Misskey", _NONE),
    "sharkey": ("Sharkey", _NONE),
    "firefish": ("Firefish", _NONE),
    "iceshrimp": ("Iceshrimp", _NONE),
    "iceshrimp.net": ("Iceshrimp.NET", _NONE),
    "cherrypick": ("CherryPick", _NONE),
    "foundkey": ("FoundKey", _NONE),
    "calckey": ("Calckey", _NONE),
    "nodebb": ("NodeBB", _CHAT),
    "wordpress": ("WordPress", _PUBLIC),
    "pixelfed": ("Pixelfed", _LEAKED),
}


@dataclass(frozen=True, slots=True)
class Software:
    """What a node says it runs: `name` in lower case, `version` as written, both short and harmless to show."""

    name: str
    version: str


@dataclass(frozen=True, slots=True)
class Claims:
    """What a node says of itself besides its software; short, harmless to show, and nothing to rely on.

    operator, contact: who answers for it, and how they are reached; empty when it does not say.
    capabilities: those of `CAPABILITIES` that it names.
    """

    operator: str = ""
    contact: str = ""
    capabilities: tuple[str, ...] = ()


class _Link(msgspec.Struct, frozen=True):
    rel: str = ""
    href: str = ""


class _Discovery(msgspec.Struct, frozen=True):
    links: list[_Link]


class _Claim(msgspec.Struct, frozen=True):
    name: str
    version: str


class _NodeInfo(msgspec.Struct, frozen=True):
    version: str
    software: _Claim


_DISCOVERY_DECODER = msgspec.json.Decoder(_Discovery)
_NODEINFO_DECODER = msgspec.json.Decoder(_NodeInfo)
_ANY_DECODER = msgspec.json.Decoder(object)


def build_discovery(base_url: str) -> dict[str, Any]:
    """Return the document at `/.well-known/nodeinfo`: where the answers in both versions are.

    Some client apps ask for `/nodeinfo/2.0` without looking here, so these paths may never change.
    """
    return {
        "links": [
            {"rel": f"{SCHEMA_URL}{version}", "href": f"{base_url}/nodeinfo/{version}"} for version in sorted(VERSIONS)
        ]
    }


def build_nodeinfo(
    version: NodeInfoVersion, software_version: str, *, features: Mapping[str, Any] | None = None
) -> dict[str, Any]:
    """Return the answer at `/nodeinfo/2.0` or `/nodeinfo/2.1`.

    The schema wants `usage.users`, and permits it to be empty: a private node tells nobody how many people it has.

    Args:
        version: Of the schema; any other is a mistake in the door that calls this.
        software_version: Ours.
        features: More members of `metadata`; they cannot replace `rounds`.
    """
    return {
        "version": version,
        "software": {"name": "rounds", "version": software_version},
        "protocols": ["activitypub"],
        "services": {"inbound": [], "outbound": []},
        "openRegistrations": False,
        "usage": {"users": {}},
        "metadata": {**(features or {}), "rounds": {"log": 1}},
    }


def build_features(*, operator: str, contact: str) -> dict[str, Any]:
    """Return the members of our `metadata`: what we can do, and who answers for us where the operator wants that told."""
    told = {"name": operator.strip(), "contact": contact.strip()}
    named = {name: value for name, value in told.items() if value}
    return {"capabilities": list(CAPABILITIES), **({"operator": named} if named else {})}


def choose_nodeinfo_link(discovery: bytes, *, origin: str) -> str:
    """Return where a node keeps its NodeInfo: version 2.1 if it has it, else 2.0.

    Args:
        discovery: The body of its `/.well-known/nodeinfo`.
        origin: The origin that was asked; the link must stay on it (T31).

    Raises:
        RemoteMalformed: Not a discovery document, or neither version in it.
        OriginMismatch: The link leads to another origin.
    """
    links = _decode(discovery, _DISCOVERY_DECODER).links
    if len(links) > LINK_LIMIT:
        raise RemoteMalformed(internal=f"a NodeInfo discovery with {len(links)} links")
    found = {link.rel: link.href for link in reversed(links)}
    for version in VERSIONS:
        href = found.get(f"{SCHEMA_URL}{version}")
        if href is not None:
            if not href.startswith(f"{origin}/"):
                raise OriginMismatch(internal=f"{origin} has its NodeInfo at {href[:200]!r}")
            return href
    raise RemoteMalformed(internal=f"{origin} has no NodeInfo 2.0 or 2.1")


def read_nodeinfo(document: bytes) -> Software:
    """Return the software a NodeInfo document names.

    Raises:
        RemoteMalformed: Not NodeInfo 2.x, or a name that is not a plain word.
    """
    info = _decode(document, _NODEINFO_DECODER)
    name = info.software.name.lower()
    if not info.version.startswith("2.") or not _NAME.fullmatch(name):
        raise RemoteMalformed(internal=f"NodeInfo {info.version[:20]!r} of software {name[:100]!r}")
    return Software(
        name, clean_line(info.software.version[: VERSION_LIMIT_CHARACTERS * 2], limit=VERSION_LIMIT_CHARACTERS)
    )


def read_claims(document: bytes) -> Claims:
    """Return what a NodeInfo document says in its `metadata`; whatever cannot be read there is not said.

    Raises:
        RemoteMalformed: Not JSON at all.
    """
    raw = _decode(document, _ANY_DECODER)
    metadata = raw.get("metadata") if isinstance(raw, dict) else None
    if not isinstance(metadata, dict):
        return Claims()
    operator, named = metadata.get("operator"), metadata.get("capabilities")
    told = operator if isinstance(operator, dict) else {}
    known = named[:_CAPABILITIES_LIMIT] if isinstance(named, list) else []
    return Claims(
        _read_line(told.get("name")),
        _read_line(told.get("contact")),
        tuple(name for name in CAPABILITIES if name in known),
    )


def _read_line(value: object) -> str:
    if not isinstance(value, str):
        return ""
    return clean_line(value[: _CLAIM_LIMIT_CHARACTERS * 2], limit=_CLAIM_LIMIT_CHARACTERS)


def refuse_software(software: Software | None) -> str | None:
    """Return why a node with this software may not have members in private groups, or None when that is not the reason.

    None grants nothing: the peer must be active, agreed upon and admitted all the same (signatures.md T17).
    """
    found = REFUSED_SOFTWARE.get(software.name) if software is not None else None
    if found is None:
        return None
    name, reason = found
    return f"{name} {reason}."


def _decode(document: bytes, decoder: msgspec.json.Decoder[_Document]) -> _Document:
    try:
        return decoder.decode(document)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        raise RemoteMalformed(internal=f"not NodeInfo: {str(error)[:200]}") from None

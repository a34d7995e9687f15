"""Find people by address: read what a member types, answer WebFinger, and read the answers of others (T36).

An answer is believed only about the origin that gave it, or about another origin on the list, and the actor must live
on the origin of the address. Whoever dereferences the actor afterwards has the last word: it must name itself the same.

Spec: RFC 7033 (WebFinger); RFC 7565 (acct); FEP-2c59.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any
from urllib.parse import urlsplit

import msgspec

from ..foundation.errors import Invalid, OriginMismatch, RemoteMalformed
from .mediatypes import ACTIVITY_JSON, is_activity_type

JRD_TYPE = "application/jrd+json"
PROFILE_REL = "http://webfinger.net/rel/profile-page"
LINK_LIMIT = 64

_ADDRESS_LIMIT_CHARACTERS = 320
# Handles of other software may hold dots and hyphens; hosts are names or literal addresses (test nodes), with a port
# where it is not the usual one. Letters beyond ASCII must come as A-labels, as they stand in the origin (T11).
_ADDRESS = re.compile(
    r"(?P<handle>[A-Za-z0-9_](?:[A-Za-z0-9_.-]{0,62}[A-Za-z0-9_])?)"
    r"@(?P<host>(?:[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?)(?:\.[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?)*"
    r"|\[[0-9A-Fa-f:.]{2,45}\])(?P<port>:[1-9][0-9]{0,4})?"
)


class _Link(msgspec.Struct, frozen=True):
    rel: str = ""
    type: str | None = None
    href: str | None = None


class _Jrd(msgspec.Struct, frozen=True):
    subject: str
    links: list[_Link] = []


_JRD_DECODER = msgspec.json.Decoder(_Jrd)


def parse_account(text: str) -> tuple[str, str]:
    """Return handle and host of an address as people and WebFinger write it.

    The handle keeps its case, because other software may care; the host is lower case and keeps its port.

    >>> parse_account("@ben@Hospital.example:9002"), parse_account("acct:ben@hospital.example")
    (('ben', 'hospital.example:9002'), ('ben', 'hospital.example'))

    Raises:
        Invalid: The text is no such address.
    """
    bare = text.strip() if len(text) <= _ADDRESS_LIMIT_CHARACTERS else ""
    bare = bare[5:] if bare[:5].lower() == "acct:" else bare.removeprefix("@")
    found = _ADDRESS.fullmatch(bare)
    if found is None or int((found["port"] or ":1")[1:]) > 65535:
        raise Invalid("Write the address as @name@host, such as @ben@hospital.example.")
    return found["handle"], f"{found['host']}{found['port'] or ''}".lower()


def build_jrd(subject: str, actor_uri: str, profile_url: str | None = None) -> dict[str, Any]:
    """Return the WebFinger answer for one actor, with nothing in it but where the actor is.

    Args:
        subject: "ana@society.example", without "acct:".
        actor_uri: The actor's id.
        profile_url: The page for people; None where there is none.

    Spec: RFC 7033 §4.4.
    """
    links = [{"rel": "self", "type": ACTIVITY_JSON, "href": actor_uri}]
    aliases = [actor_uri]
    if profile_url is not None:
        links.append({"rel": PROFILE_REL, "type": "text/html", "href": profile_url})
        aliases = list(dict.fromkeys((profile_url, actor_uri)))
    return {"subject": f"acct:{subject}", "aliases": aliases, "links": links}


def read_jrd(
    document: bytes, *, expected_origin: str, allowed_origins: Callable[[str], bool] = lambda origin: False
) -> str:
    """Return the id of the actor that a WebFinger answer leads to.

    Args:
        document: The body as it came.
        expected_origin: The origin that was asked, such as "https://hospital.example".
        allowed_origins: Says whether the answer may speak of an address on another origin; by default on none.

    Raises:
        RemoteMalformed: Not a JRD, no `acct:` subject, no link to an actor, or two that differ.
        OriginMismatch: The address is not of the asked host nor of an allowed one, or the actor lives elsewhere.

    Spec: RFC 7033 §4.4; signatures.md T36.
    """
    try:
        jrd = _JRD_DECODER.decode(document)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        raise RemoteMalformed(internal=f"not a JRD: {str(error)[:200]}") from None
    if len(jrd.links) > LINK_LIMIT:
        raise RemoteMalformed(internal=f"a JRD with {len(jrd.links)} links")
    origin = _get_subject_origin(jrd.subject, expected_origin)
    if origin != expected_origin and not allowed_origins(origin):
        raise OriginMismatch(internal=f"{expected_origin} answers about {jrd.subject[:200]!r}")
    actors = {link.href for link in jrd.links if link.rel == "self" and is_activity_type(link.type or "")}
    if len(actors) != 1 or None in actors:
        raise RemoteMalformed(internal=f"a JRD with {len(actors)} actors")
    actor_uri = str(actors.pop())
    if not _is_on_origin(actor_uri, origin):
        raise OriginMismatch(internal=f"{jrd.subject[:200]!r} leads to {actor_uri[:200]!r}")
    return actor_uri


def _get_subject_origin(subject: str, expected_origin: str) -> str:
    """Return the origin an `acct:` subject belongs to, taking the scheme from the origin that was asked."""
    try:
        if not subject.startswith("acct:"):
            raise Invalid
        _, host = parse_account(subject)
    except Invalid:
        raise RemoteMalformed(internal=f"subject {subject[:200]!r} is not an address") from None
    return f"{urlsplit(expected_origin).scheme}://{host}"


def _is_on_origin(uri: str, origin: str) -> bool:
    """Return whether a URI lies on an origin by its very characters, so that no port or user name is smuggled in."""
    return uri.startswith(f"{origin}/") and uri.isascii() and uri.isprintable() and not {" ", "\\"} & set(uri)

"""What a signed request claims, before anybody believed it, and the small parsers both dialects share.

Called by `cavage` and `rfc9421`, which make claims, and by `verify`, which judges them. A `Claim` proves nothing:
only a `verify.VerifiedRequest` does.
"""

from __future__ import annotations

import binascii
import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Literal

from node.federation.message import Request
from node.foundation.errors import LocalProtocolError, Malformed, SignatureInvalid

Dialect = Literal["cavage", "rfc9421"]

COMPONENT_LIMIT = 16
KEY_ID_LIMIT_CHARACTERS = 2048

# 3,072 characters hold more than the 1,024 bytes of the largest RSA key we take.
_SIGNATURE_LIMIT_CHARACTERS = 3072
_SECONDS = re.compile(r"[0-9]{1,11}")
# Visible ASCII without the characters that end a quoted text or that some parsers take for a slash (T11).
_KEY_ID = re.compile(r"[\x21\x23-\x5b\x5d-\x7e]+")
_FIELD_NAME = re.compile(r"[a-z0-9!#$%&'*+.^_`|~-]+")


@dataclass(frozen=True, slots=True)
class Claim:
    """What the signature headers of one request say.

    dialect: how it was signed.
    key_id: the key the sender names, as it was sent: not normalised, not yet on any list.
    algorithm: the label the sender wrote, lower case, or None. It can only lead to refusal.
    created_at: when it was signed, from a *covered* `(created)`, `date` or `created`; None when nothing says so.
    expires_at: the end of its validity, or None.
    covered: names of the covered components, lower case, in order.
    signature: the raw signature.
    base: the bytes that must have been signed (signing string or signature base).
    """

    dialect: Dialect
    key_id: str
    algorithm: str | None
    created_at: datetime | None
    expires_at: datetime | None
    covered: tuple[str, ...]
    signature: bytes
    base: bytes


def parse_seconds(text: str) -> datetime:
    """Return the instant of a text with whole seconds since 1970, up to the year 5138.

    Raises:
        Malformed: Signs, fractions, or anything else.
    """
    if not _SECONDS.fullmatch(text):
        raise Malformed(internal="a time in a signature that is not whole seconds")
    return datetime.fromtimestamp(int(text), UTC)


def parse_signature(text: str) -> bytes:
    """Return the bytes of a signature in strict base64: no other characters, all the padding, no unused bits set.

    So a signature has one spelling, and none can be passed off as another, newer one (T09).

    Raises:
        Malformed: Anything else, or more than any key we take could make.
    """
    if len(text) > _SIGNATURE_LIMIT_CHARACTERS:
        raise Malformed(internal=f"a signature of {len(text)} characters")
    try:
        signature = binascii.a2b_base64(text.encode("ascii"), strict_mode=True)
    except ValueError as error:
        raise Malformed(internal="a signature that is not base64") from error
    if binascii.b2a_base64(signature, newline=False).decode("ascii") != text:
        raise Malformed(internal="a signature in an unusual spelling of base64")
    return signature


def is_key_id(text: str) -> bool:
    """Say whether a text can stand in quotation marks as a key id: visible ASCII, no quotes, no backslash."""
    return len(text) <= KEY_ID_LIMIT_CHARACTERS and _KEY_ID.fullmatch(text) is not None


def is_field_name(text: str) -> bool:
    """Say whether a text is the lower-case name of a header."""
    return _FIELD_NAME.fullmatch(text) is not None


def field_value(request: Request, name: str) -> str:
    """Return what is signed for a header: its values in order, joined by a comma and a space.

    Raises:
        SignatureInvalid: The request has no such header, so nobody can have signed it.
    """
    values = request.all(name)
    if not values:
        raise SignatureInvalid(internal=f"the signature covers {name}, which is not there")
    return ", ".join(values)


def join_base(lines: Sequence[str]) -> bytes:
    """Return the bytes to sign: the lines, a line feed between them, as they were on the wire.

    Raises:
        Malformed: A value holds a line break, which would let one header pretend to be another.
    """
    base = "\n".join(lines)
    if base.count("\n") != len(lines) - 1 or "\r" in base or "\0" in base:
        raise Malformed(internal="a line break inside a signed value")
    try:
        return base.encode("latin-1")
    except UnicodeEncodeError as error:
        raise Malformed(internal="a signed value that cannot have been on the wire") from error


def check_signable(request: Request, key_id: str) -> None:
    """Return when one of our own requests can be signed.

    Raises:
        LocalProtocolError: It is signed already, or the key id cannot be written down.
    """
    if request.one("signature") is not None or request.one("signature-input") is not None:
        raise LocalProtocolError(internal="a request that is signed already; start again from the unsigned one")
    if not is_key_id(key_id):
        raise LocalProtocolError(internal=f"a key id that cannot stand in a header: {key_id!r}")

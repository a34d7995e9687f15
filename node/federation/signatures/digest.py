"""The header that ties a body to a signature: `Digest` (draft dialect) and `Content-Digest` (RFC 9421).

Called by the two dialects when they sign and by `verify` when a request came in. A digest alone proves nothing: it
counts only if the signature covers the header (T08), which is `verify`'s matter.

Spec: RFC 3230 §4.3.2 with the SHA-256 of RFC 5843; RFC 9530 §2.
"""

from __future__ import annotations

import base64
import functools
import hashlib
import hmac
from typing import Literal

from node.federation.message import Request
from node.foundation.errors import DigestMismatch

DigestHeader = Literal["digest", "content-digest"]

_LIMIT_CHARACTERS = 2048


def format_digest(body: bytes) -> str:
    """Return the value of a `Digest` header.

    >>> format_digest(b"")
    'SHA-256=47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU='
    """
    return f"SHA-256={_sha256(body)}"


def format_content_digest(body: bytes) -> str:
    """Return the value of a `Content-Digest` header.

    >>> format_content_digest(b"")
    'sha-256=:47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=:'
    """
    return f"sha-256=:{_sha256(body)}:"


def verify_digest(request: Request, header: DigestHeader) -> None:
    """Return when the header names the SHA-256 of the body.

    Other algorithms may stand beside it and are not looked at. SHA-256 must be there once: of two, one would be
    checked here and the other believed elsewhere (T10). The text is compared, not the bytes, so unpadded and
    otherwise unusual base64 is refused.

    Args:
        request: The request with its raw body.
        header: Which of the two headers; algorithm names are compared without regard to case, as Mastodon and
            Misskey do.

    Raises:
        DigestMismatch: No such header, more than one, no or several SHA-256, or another body.
    """
    values = request.all(header)
    if len(values) != 1:
        raise DigestMismatch(internal=f"{len(values)} {header} headers")
    if len(values[0]) > _LIMIT_CHARACTERS:
        raise DigestMismatch(internal=f"a {header} header of {len(values[0])} characters")
    claimed = [text for name, text in map(_member, values[0].split(",")) if name == "sha-256"]
    if len(claimed) != 1:
        raise DigestMismatch(internal=f"{len(claimed)} SHA-256 values in {header}")
    expected = _sha256(request.body)
    if header == "content-digest":
        expected = f":{expected}:"
    if not hmac.compare_digest(claimed[0].encode("utf-8", "replace"), expected.encode("ascii")):
        raise DigestMismatch(internal=f"the body is not the one {header} names")


def _member(text: str) -> tuple[str, str]:
    """Return (algorithm in lower case, value) of one member; base64 holds no comma, so members split safely."""
    name, _, value = text.strip(" \t").partition("=")
    return name.lower(), value


@functools.lru_cache(maxsize=8)
def _sha256(body: bytes) -> str:
    """Return the SHA-256 of a body as base64; an entry of a log goes to many peers in the same bytes."""
    return base64.b64encode(hashlib.sha256(body).digest()).decode("ascii")

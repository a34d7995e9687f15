"""The draft dialect: one `Signature` header over named headers, spoken by all of the fediverse.

Called by `verify` for what came in and by the client for what goes out. Knows no policy: what must be covered and how
old it may be is `verify`'s matter.

Wider than the draft, as Mastodon reads it: a missing `algorithm` counts as `hs2019`, names in `headers` may be in any
case, `created` and `expires` may stand in quotation marks. Narrower: no backslash escapes, no parameter or covered
name twice in any case, no obsolete dates, no fractions of a second.

Spec: draft-cavage-http-signatures-12.
"""

from __future__ import annotations

import base64
import functools
import re
from datetime import UTC, datetime
from email.utils import formatdate
from typing import Literal

from node.federation.message import Request
from node.federation.signatures.claims import (
    COMPONENT_LIMIT,
    Claim,
    check_signable,
    field_value,
    is_field_name,
    is_key_id,
    join_base,
    parse_seconds,
    parse_signature,
)
from node.federation.signatures.digest import format_digest
from node.federation.signatures.keys import PrivateKey
from node.foundation.errors import LocalProtocolError, Malformed, SignatureInvalid

CavageLabel = Literal["rsa-sha256", "hs2019"]

POST_HEADERS = ("(request-target)", "host", "date", "digest", "content-type")
# Lemmy answers a GET with its private content only if the digest of the empty body is covered.
GET_HEADERS = ("(request-target)", "host", "date", "digest")

# The key's type decides; a label not listed here can only mean what we would not verify anyway (T06).
_LABELS = ("hs2019", "rsa-sha256", "ed25519")
_PARAMETER = re.compile(r'([A-Za-z][A-Za-z0-9_-]{0,31})=(?:"([\x20\x21\x23-\x5b\x5d-\x7e]*)"|([0-9]{1,20}))')
_SEPARATOR = re.compile(r"[ \t]*,[ \t]*")
_HTTP_DATE = re.compile(
    r"(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun), ([0-9]{2}) ([A-Z][a-z]{2}) ([0-9]{4}) ([0-9]{2}):([0-9]{2}):([0-9]{2}) GMT"
)
_MONTHS = {
    "Jan": 1, "Feb": 2, "Mar": 3, "Apr": 4, "May": 5, "Jun": 6,
    "Jul": 7, "Aug": 8, "Sep": 9, "Oct": 10, "Nov": 11, "Dec": 12,
}  # fmt: skip


def read_cavage(request: Request) -> Claim:
    """Return what the one `Signature` header of a request claims.

    Raises:
        Malformed: The header, or a covered date, cannot be read in one way only.
        SignatureInvalid: It can be read, and no key we take could make it good.
    """
    parameters = _parse_parameters(request.one("signature") or "")
    key_id, text = parameters.get("keyId", ""), parameters.get("signature", "")
    if not is_key_id(key_id) or not text:
        raise Malformed(internal="a Signature header without a usable keyId or signature")
    # §2.1.6: without `headers`, only `(created)` is covered.
    covered = _parse_covered(parameters.get("headers", "(created)"))
    label = _parse_label(parameters, covered)
    created, expires = parameters.get("created"), parameters.get("expires")
    return Claim(
        dialect="cavage",
        key_id=key_id,
        algorithm=label,
        created_at=_signed_at(request, covered, created),
        # An expiry that is not covered proves nothing, but taking it at its word can only refuse.
        expires_at=None if expires is None else parse_seconds(expires),
        covered=covered,
        signature=parse_signature(text),
        base=signing_string(request, covered, created=created, expires=expires),
    )


def signing_string(
    request: Request,
    covered: tuple[str, ...],
    *,
    created: str | None = None,
    expires: str | None = None,
) -> bytes:
    """Return the bytes that are signed for these headers of a request.

    Raises:
        SignatureInvalid: A covered header or time is not there.
        Malformed: A covered value holds a line break.

    Spec: draft-cavage-http-signatures-12 §2.3.
    """
    lines = []
    for name in covered:
        if name == "(request-target)":
            value = f"{request.method.lower()} {request.target}"
        elif name == "(created)":
            value = _present(created, name)
        elif name == "(expires)":
            value = _present(expires, name)
        else:
            value = field_value(request, name)
        lines.append(f"{name}: {value}")
    return join_base(lines)


def without_query(request: Request, claim: Claim) -> bytes | None:
    """Return the signing string as a sender makes it that signs the path alone, or None when there is no such other.

    Only for GET: Mbin signs the path alone, GoToSocial does so at its second try.
    """
    if request.method != "GET" or "?" not in request.target or "(request-target)" not in claim.covered:
        return None
    # `join_base` made sure that there is one line for each covered name.
    lines = claim.base.split(b"\n")
    lines[claim.covered.index("(request-target)")] = f"(request-target): get {request.path}".encode("latin-1")
    return b"\n".join(lines)


def sign_cavage(
    request: Request,
    key: PrivateKey,
    key_id: str,
    *,
    now: datetime,
    headers: tuple[str, ...] | None = None,
    algorithm: CavageLabel = "rsa-sha256",
    host: str | None = None,
) -> Request:
    """Return the request with its signature, to be sent at once.

    Adds `host`, `date` and `digest` where they are covered and absent; leaves them alone where they are present.

    Args:
        request: What will be sent, with exactly the body that will be sent.
        key: An RSA key; an Ed25519 key only with the label `hs2019`.
        key_id: Such as `https://a.example/people/ana#main-key`.
        now: Goes into `date`.
        headers: What to cover; by default `GET_HEADERS` for GET and HEAD, else `POST_HEADERS`.
        algorithm: The label; Lemmy wants `hs2019`, everybody else takes `rsa-sha256`.
        host: The peer's host with a non-default port, needed when the request has no `host` header.

    Raises:
        LocalProtocolError: The request cannot be signed like that.
    """
    check_signable(request, key_id)
    if algorithm == "rsa-sha256" and key.algorithm != "rsa":
        raise LocalProtocolError(internal="the label rsa-sha256 for a key that is not RSA")
    covered = headers or (GET_HEADERS if request.method in ("GET", "HEAD") else POST_HEADERS)
    full = _completed(request, covered, now=now, host=host)
    try:
        base = signing_string(full, covered)
    except (SignatureInvalid, Malformed) as error:
        raise LocalProtocolError(internal=f"cannot sign: {error.internal}") from error
    signature = base64.b64encode(key.sign(base)).decode("ascii")
    value = f'keyId="{key_id}",algorithm="{algorithm}",headers="{" ".join(covered)}",signature="{signature}"'
    return Request(full.method, full.target, (*full.headers, ("signature", value)), full.body)


def format_http_date(instant: datetime) -> str:
    """Return an instant as `Sun, 06 Nov 1994 08:49:37 GMT`.

    Spec: RFC 9110 §5.6.7.
    """
    return _format_second(int(instant.timestamp()))


@functools.lru_cache(maxsize=4)
def _format_second(seconds: int) -> str:
    return formatdate(seconds, usegmt=True)


def parse_http_date(text: str) -> datetime | None:
    """Return the aware UTC instant of `Sun, 06 Nov 1994 08:49:37 GMT`, or None for any other form.

    The two obsolete forms are not read: no fediverse software writes them.

    Spec: RFC 9110 §5.6.7.
    """
    match = _HTTP_DATE.fullmatch(text)
    if match is None or match[2] not in _MONTHS:
        return None
    try:
        return datetime(
            int(match[3]), _MONTHS[match[2]], int(match[1]), int(match[4]), int(match[5]), int(match[6]), tzinfo=UTC
        )
    except ValueError:
        return None


def _parse_parameters(text: str) -> dict[str, str]:
    """Read `name="value",name="value"`, each name once, whatever its case (T10)."""
    parameters: dict[str, str] = {}
    seen: set[str] = set()
    position = 0
    while True:
        match = _PARAMETER.match(text, position)
        if match is None:
            raise Malformed(internal="a Signature header that is not a list of parameters")
        name, quoted, number = match.groups()
        if name.lower() in seen:
            raise Malformed(internal=f"the parameter {name} twice in a Signature header")
        seen.add(name.lower())
        parameters[name] = quoted if number is None else number
        position = match.end()
        if position == len(text):
            return parameters
        separator = _SEPARATOR.match(text, position)
        if separator is None:
            raise Malformed(internal="a Signature header that is not a list of parameters")
        position = separator.end()


def _parse_covered(text: str) -> tuple[str, ...]:
    """Read the list of covered headers: lower-cased, each once, at most `COMPONENT_LIMIT`."""
    covered = tuple(text.lower().split(" "))
    if len(covered) > COMPONENT_LIMIT or len(set(covered)) != len(covered):
        raise Malformed(internal="too many covered headers, or one of them twice")
    for name in covered:
        if name not in ("(request-target)", "(created)", "(expires)") and not is_field_name(name):
            raise Malformed(internal="a covered header whose name cannot be one")
    return covered


def _parse_label(parameters: dict[str, str], covered: tuple[str, ...]) -> str | None:
    """Read the algorithm's label, which can lead to refusal and to nothing else (T06)."""
    label = parameters.get("algorithm")
    if label is None:
        return None
    label = label.lower()
    if label not in _LABELS:
        raise SignatureInvalid(internal=f"the algorithm {label} is not taken")
    # §2.3: senders that know these two names know hs2019 as well; the mixture is a forger's or a bug's (vector C.3).
    if label.startswith("rsa") and ("(created)" in covered or "(expires)" in covered):
        raise SignatureInvalid(internal=f"(created) or (expires) under the algorithm {label}")
    return label


def _signed_at(request: Request, covered: tuple[str, ...], created: str | None) -> datetime | None:
    """Return the covered time of signing; a time that is not covered may be anybody's."""
    if "(created)" in covered:
        return None if created is None else parse_seconds(created)
    if "date" not in covered:
        return None
    instant = parse_http_date(field_value(request, "date"))
    if instant is None:
        raise Malformed(internal="a Date header that is not a date")
    return instant


def _present(value: str | None, name: str) -> str:
    """Return a time parameter that is covered and must therefore be there."""
    if value is None:
        raise SignatureInvalid(internal=f"the signature covers {name}, which is not there")
    return value


def _completed(request: Request, covered: tuple[str, ...], *, now: datetime, host: str | None) -> Request:
    """Return the request with the headers that must be there before it can be signed."""
    added: list[tuple[str, str]] = []
    if "host" in covered and request.one("host") is None:
        if host is None:
            raise LocalProtocolError(internal="a request without a host")
        added.append(("host", host))
    if "date" in covered and request.one("date") is None:
        added.append(("date", format_http_date(now)))
    if "digest" in covered and request.one("digest") is None:
        added.append(("digest", format_digest(request.body)))
    return Request(request.method, request.target, (*request.headers, *added), request.body) if added else request

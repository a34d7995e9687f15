"""The standard dialect: `Signature-Input` and `Signature` over named components, for our own nodes and new peers.

Called by `verify` for what came in and by the client for what goes out. Knows no policy: what must be covered and how
old it may be is `verify`'s matter.

Narrower than the standard: one label, no parameters on components, the six registered signature parameters, and only
the canonical spelling. So nothing is written anew when a base is made: the text behind the label *is* the value of
`@signature-params`, whatever the order of its parameters (Fedify and Mastodon differ there).

Spec: RFC 9421 §2, §3, §4; RFC 8941 §4.1 for the spelling.
"""

from __future__ import annotations

import base64
import re
from datetime import datetime

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
from node.federation.signatures.digest import format_content_digest
from node.federation.signatures.keys import PrivateKey
from node.foundation.errors import LocalProtocolError, Malformed, SignatureInvalid

POST_COMPONENTS = ("@method", "@target-uri", "content-digest", "content-type")
GET_COMPONENTS = ("@method", "@target-uri")
ALGORITHMS = {"rsa": "rsa-v1_5-sha256", "ed25519": "ed25519"}

_LABEL = "sig1"
_DERIVED = ("@method", "@target-uri", "@authority", "@path", "@query", "@request-target", "@scheme")
_DEFAULT_PORTS = {"https": ":443", "http": ":80"}
_KEY = r"[a-z*][a-z0-9_.*-]{0,63}"
_TEXT = r'"[\x20\x21\x23-\x5b\x5d-\x7e]*"'
_INPUT = re.compile(rf"({_KEY})=(\(((?:{_TEXT}(?: {_TEXT})*)?)\)((?:;{_KEY}=(?:{_TEXT}|[0-9]{{1,15}}))*))")
_PARAMETER = re.compile(rf";({_KEY})=(?:\"([^\"]*)\"|([0-9]+))")
_SIGNATURE = re.compile(rf"({_KEY})=:([A-Za-z0-9+/=]+):")
_TIMES = ("created", "expires")
_TEXTS = ("keyid", "alg", "nonce", "tag")


def read_rfc9421(request: Request, *, origin: str) -> Claim:
    """Return what the one `Signature-Input` and the one `Signature` header of a request claim.

    Args:
        request: As received.
        origin: Our configured public origin, such as `https://a.example`; never taken from the request (T07).

    Raises:
        Malformed: The headers cannot be read in one way only.
        SignatureInvalid: They can be read, and no key we take could make them good.
    """
    described = _INPUT.fullmatch(request.one("signature-input") or "")
    signed = _SIGNATURE.fullmatch(request.one("signature") or "")
    if described is None or signed is None:
        raise Malformed(internal="Signature-Input or Signature is not one labelled signature in canonical spelling")
    label, signature_params, listed, rest = described.groups()
    if signed[1] != label:
        raise Malformed(internal="Signature-Input and Signature have different labels")
    covered = _parse_covered(listed)
    parameters = _parse_parameters(rest)
    if not is_key_id(parameters.get("keyid", "")):
        raise Malformed(internal="a signature without a usable keyid")
    algorithm = parameters.get("alg")
    if algorithm is not None and algorithm not in ALGORITHMS.values():
        raise SignatureInvalid(internal=f"the algorithm {algorithm} is not taken")
    return Claim(
        dialect="rfc9421",
        key_id=parameters["keyid"],
        algorithm=algorithm,
        created_at=_instant(parameters.get("created")),
        expires_at=_instant(parameters.get("expires")),
        covered=covered,
        signature=parse_signature(signed[2]),
        base=signature_base(request, covered, signature_params, origin=origin),
    )


def signature_base(request: Request, covered: tuple[str, ...], signature_params: str, *, origin: str) -> bytes:
    """Return the bytes that are signed for these components of a request.

    Args:
        request: The request as received or about to be sent.
        covered: Names of components without parameters.
        signature_params: The value of `@signature-params`, verbatim.
        origin: The public origin of whoever receives the request.

    Raises:
        SignatureInvalid: A covered header is not there.
        Malformed: A covered value holds a line break.

    Spec: RFC 9421 §2.5.
    """
    lines = []
    for name in covered:
        value = _derived_value(request, name, origin) if name.startswith("@") else field_value(request, name)
        lines.append(f'"{name}": {value}')
    lines.append(f'"@signature-params": {signature_params}')
    return join_base(lines)


def sign_rfc9421(
    request: Request,
    key: PrivateKey,
    key_id: str,
    *,
    now: datetime,
    origin: str,
    expires_in_seconds: int = 300,
) -> Request:
    """Return the request with its signature, to be sent at once.

    Covers `POST_COMPONENTS`, adding `content-digest` where it is absent, or `GET_COMPONENTS` for GET and HEAD.

    Args:
        request: What will be sent, with exactly the body that will be sent.
        key: Ed25519 between our own nodes, RSA for others.
        key_id: Such as `https://a.example/people/ana#ed25519`.
        now: Goes into `created`.
        origin: The public origin of the *receiver*, such as `https://b.example`.
        expires_in_seconds: How long it may be used; Mastodon's profile says 300.

    Raises:
        LocalProtocolError: The request cannot be signed like that.
    """
    check_signable(request, key_id)
    covered = GET_COMPONENTS if request.method in ("GET", "HEAD") else POST_COMPONENTS
    headers = request.headers
    if "content-digest" in covered and request.one("content-digest") is None:
        headers = (*headers, ("content-digest", format_content_digest(request.body)))
    full = Request(request.method, request.target, headers, request.body)
    created = int(now.timestamp())
    listed = '" "'.join(covered)
    signature_params = (
        f'("{listed}");created={created};expires={created + expires_in_seconds}'
        f';keyid="{key_id}";alg="{ALGORITHMS[key.algorithm]}"'
    )
    try:
        base = signature_base(full, covered, signature_params, origin=origin)
    except (SignatureInvalid, Malformed) as error:
        raise LocalProtocolError(internal=f"cannot sign: {error.internal}") from error
    signature = base64.b64encode(key.sign(base)).decode("ascii")
    signed = (("signature-input", f"{_LABEL}={signature_params}"), ("signature", f"{_LABEL}=:{signature}:"))
    return Request(full.method, full.target, (*headers, *signed), full.body)


def _parse_covered(text: str) -> tuple[str, ...]:
    """Read the inner list of components: known names, each once, at most `COMPONENT_LIMIT`."""
    covered = tuple(text[1:-1].split('" "')) if text else ()
    if len(covered) > COMPONENT_LIMIT or len(set(covered)) != len(covered):
        raise Malformed(internal="too many covered components, or one of them twice")
    for name in covered:
        if name not in _DERIVED and not is_field_name(name):
            raise Malformed(internal="a covered component we do not know")
    return covered


def _parse_parameters(text: str) -> dict[str, str]:
    """Read the signature parameters: known names of the right type, each once (T10)."""
    parameters: dict[str, str] = {}
    for match in _PARAMETER.finditer(text):
        name, quoted, number = match.groups()
        if name in parameters:
            raise Malformed(internal=f"the parameter {name} twice in a Signature-Input header")
        if name in _TIMES and number is not None:
            parameters[name] = number
        elif name in _TEXTS and quoted is not None:
            parameters[name] = quoted
        else:
            raise Malformed(internal=f"a signature parameter we do not know: {name}")
    return parameters


def _instant(seconds: str | None) -> datetime | None:
    """Return the instant of a time parameter, or None when it is absent."""
    return None if seconds is None else parse_seconds(seconds)


def _derived_value(request: Request, name: str, origin: str) -> str:
    """Return the value of a derived component.

    Spec: RFC 9421 §2.2.
    """
    scheme, _, authority = origin.partition("://")
    if name == "@method":
        return request.method
    if name == "@target-uri":
        return origin + request.target
    if name == "@request-target":
        return request.target
    if name == "@path":
        return request.path or "/"
    if name == "@query":
        return f"?{request.query}"
    if name == "@scheme":
        return scheme.lower()
    return authority.lower().removesuffix(_DEFAULT_PORTS.get(scheme.lower(), ""))

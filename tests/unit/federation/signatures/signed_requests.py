"""Small requests, keys and instants for the signature tests; show only what matters to a test."""

from __future__ import annotations

import base64
import functools
import json
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from node.federation.message import Request
from node.federation.signatures.cavage import sign_cavage, signing_string
from node.federation.signatures.keys import (
    PrivateKey,
    PublicKey,
    generate_ed25519_key,
    generate_rsa_key,
)
from node.federation.signatures.rfc9421 import sign_rfc9421, signature_base
from node.federation.signatures.verify import VerifiedRequest, check_claim, read_claim, verify_claim

NOW = datetime(2026, 11, 21, 17, 40, tzinfo=UTC)
SECONDS = int(NOW.timestamp())
ORIGIN = "https://here.example"
AUTHORITY = "here.example"
ACTOR = "https://friend.example/people/ana"
RSA_KEY_ID = f"{ACTOR}#main-key"
ED25519_KEY_ID = f"{ACTOR}#ed25519"
BODY = b'{"type": "Follow"}'
VECTORS = Path(__file__).parents[3] / "vectors"


@functools.cache
def rsa_key() -> PrivateKey:
    """One RSA key for the whole run; making one takes 0.1 s."""
    return generate_rsa_key()


@functools.cache
def other_rsa_key() -> PrivateKey:
    """Another node's RSA key."""
    return generate_rsa_key()


@functools.cache
def ed25519_key() -> PrivateKey:
    """One Ed25519 key for the whole run."""
    return generate_ed25519_key()


def vector(name: str) -> Any:
    """Return a file of published vectors."""
    return json.loads((VECTORS / name).read_text("utf-8"))


def a_post(*, target: str = "/inbox", body: bytes = BODY, host: str = AUTHORITY, **headers: str) -> Request:
    """Return an unsigned POST; further headers with `_` for `-`."""
    more = tuple((name.replace("_", "-"), value) for name, value in headers.items())
    return Request("POST", target, (("host", host), ("content-type", "application/activity+json"), *more), body)


def a_get(*, target: str = "/groups/ward/log?after=3", host: str = AUTHORITY) -> Request:
    """Return an unsigned GET."""
    return Request("GET", target, (("host", host), ("accept", "application/activity+json")))


def with_header(request: Request, name: str, value: str) -> Request:
    """Return the request with all headers of a name replaced by one."""
    kept = tuple(header for header in request.headers if header[0] != name)
    return Request(request.method, request.target, (*kept, (name, value)), request.body)


def with_another(request: Request, name: str, value: str) -> Request:
    """Return the request with one header more."""
    return Request(request.method, request.target, (*request.headers, (name, value)), request.body)


def accept(
    request: Request,
    key: PublicKey,
    *,
    now: datetime = NOW,
    origin: str = ORIGIN,
    authority: str = AUTHORITY,
) -> VerifiedRequest:
    """Go the whole way a request goes: read, check, verify."""
    claim = read_claim(request, origin=origin)
    check_claim(claim, request, authority=authority, now=now)
    return verify_claim(claim, request, key, owner=ACTOR, authority=authority, now=now)


def cavage(request: Request, **options: object) -> Request:
    """Sign with the RSA key as our own node does."""
    return sign_cavage(request, rsa_key(), RSA_KEY_ID, now=NOW, **options)  # type: ignore[arg-type]


def rfc9421(request: Request, **options: object) -> Request:
    """Sign with the Ed25519 key as our own node does."""
    return sign_rfc9421(request, ed25519_key(), ED25519_KEY_ID, now=NOW, origin=ORIGIN, **options)  # type: ignore[arg-type]


def cavage_over(request: Request, covered: str, *, algorithm: str = "hs2019", times: str = "") -> Request:
    """Sign in the draft dialect over any headers, as a peer might."""
    created = str(SECONDS) if "(created)" in covered else None
    base = signing_string(request, tuple(covered.split(" ")), created=created)
    signature = base64.b64encode(rsa_key().sign(base)).decode("ascii")
    value = f'keyId="{RSA_KEY_ID}",algorithm="{algorithm}",headers="{covered}",signature="{signature}"{times}'
    return with_another(request, "signature", value)


def rfc9421_over(request: Request, covered: str, *, parameters: str | None = None) -> Request:
    """Sign by the standard over any components, as a peer might."""
    names = tuple(covered.split(" ")) if covered else ()
    listed = " ".join(f'"{name}"' for name in names)
    rest = f';alg="ed25519";keyid="{ED25519_KEY_ID}";created={SECONDS}' if parameters is None else parameters
    base = signature_base(request, names, f"({listed}){rest}", origin=ORIGIN)
    signature = base64.b64encode(ed25519_key().sign(base)).decode("ascii")
    return with_another(
        with_another(request, "signature-input", f"fed=({listed}){rest}"), "signature", f"fed=:{signature}:"
    )


SIGNERS: list[tuple[Callable[..., Request], PublicKey, str]] = [
    (cavage, rsa_key().public, RSA_KEY_ID),
    (rfc9421, ed25519_key().public, ED25519_KEY_ID),
]
BOTH = pytest.mark.parametrize(("sign", "key", "key_id"), SIGNERS, ids=["cavage", "rfc9421"])

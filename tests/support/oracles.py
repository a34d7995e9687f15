"""Other people's signature libraries, as independent judges of ours. Never imported by the node itself.

`httpsig` 1.3.0 asks for `pkg_resources`, which fresh environments do not have; a stub stands in for the length of the
import. Its `HeaderVerifier` believes the sender's algorithm: good for judging our rsa-sha256, and itself a test (T06).
"""

from __future__ import annotations

import importlib
import sys
from dataclasses import dataclass
from datetime import timedelta
from types import ModuleType
from typing import Any
from unittest import mock

from cryptography.hazmat.primitives import serialization
from http_message_signatures import (
    HTTPMessageSigner,
    HTTPMessageVerifier,
    HTTPSignatureKeyResolver,
    InvalidSignature,
    algorithms,
)

from node.federation.message import Request
from node.federation.signatures.keys import PrivateKey, PublicKey

RFC9421_ALGORITHMS = {"rsa": algorithms.RSA_V1_5_SHA256, "ed25519": algorithms.ED25519}


def load_httpsig() -> ModuleType:
    """Return the httpsig package, imported without setuptools."""
    if "httpsig" in sys.modules:
        return sys.modules["httpsig"]
    stub = ModuleType("pkg_resources")
    stub.DistributionNotFound = LookupError  # type: ignore[attr-defined]
    stub.get_distribution = mock.Mock(side_effect=LookupError)  # type: ignore[attr-defined]
    before = sys.modules.get("pkg_resources")
    sys.modules["pkg_resources"] = stub
    try:
        return importlib.import_module("httpsig")
    finally:
        del sys.modules["pkg_resources"]
        if before is not None:
            sys.modules["pkg_resources"] = before


def httpsig_sign(
    request: Request,
    secret: str,
    *,
    key_id: str,
    headers: list[str],
    algorithm: str = "rsa-sha256",
) -> Request:
    """Return the request signed by httpsig; `secret` is a private PEM, or anything for HMAC."""
    signer = load_httpsig().HeaderSigner(key_id, secret, algorithm=algorithm, headers=headers, sign_header="signature")
    signed = signer.sign(dict(request.headers), method=request.method, path=request.target)
    return Request(request.method, request.target, (*request.headers, ("signature", signed["signature"])), request.body)


def httpsig_accepts(request: Request, public_pem: str, *, required: list[str]) -> bool:
    """Say what httpsig's stock verifier answers."""
    verifier = load_httpsig().HeaderVerifier(
        dict(request.headers),
        public_pem,
        required_headers=required,
        method=request.method,
        path=request.target,
        sign_header="signature",
    )
    return bool(verifier.verify())


def private_pem(key: PrivateKey) -> str:
    """Return one of our keys in the form httpsig reads."""
    return key.handle.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    ).decode("ascii")


@dataclass
class OracleMessage:
    """A request in the shape http-message-signatures reads."""

    method: str
    url: str
    headers: dict[str, str]


@dataclass
class OneKey(HTTPSignatureKeyResolver):
    """Answers every key id with the same key."""

    private: Any = None
    public: Any = None

    def resolve_private_key(self, key_id: str) -> Any:
        return self.private

    def resolve_public_key(self, key_id: str) -> Any:
        return self.public


def rfc9421_sign(request: Request, key: PrivateKey, *, key_id: str, origin: str, components: list[str]) -> Request:
    """Return the request signed now by http-message-signatures, with its own digest when it covers one."""
    message = OracleMessage(request.method, origin + request.target, dict(request.headers))
    signer = HTTPMessageSigner(
        signature_algorithm=RFC9421_ALGORITHMS[key.algorithm], key_resolver=OneKey(private=key.handle)
    )
    body = request.body if "content-digest" in components else None
    signer.sign(message, key_id=key_id, covered_component_ids=components, body=body)
    headers = tuple((name.lower(), value) for name, value in message.headers.items())
    return Request(request.method, request.target, headers, request.body)


def rfc9421_accepts(request: Request, key: PublicKey, *, origin: str, components: list[str]) -> bool:
    """Say whether http-message-signatures accepts the request, signed now, with these components and this body."""
    message = OracleMessage(request.method, origin + request.target, dict(request.headers))
    verifier = HTTPMessageVerifier(
        signature_algorithm=RFC9421_ALGORITHMS[key.algorithm], key_resolver=OneKey(public=key.handle)
    )
    try:
        verifier.verify(message, max_age=timedelta(minutes=5), require_components=components, body=request.body or None)
    except InvalidSignature:
        return False
    return True

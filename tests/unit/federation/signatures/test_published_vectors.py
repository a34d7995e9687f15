"""The published vectors of both dialects."""

from __future__ import annotations

import base64
import doctest
from types import ModuleType
from typing import Any

import pytest
from cryptography.hazmat.primitives import serialization
from signed_requests import vector

from node.federation import integrity
from node.federation.message import Request
from node.federation.signatures import base58, digest
from node.federation.signatures.cavage import read_cavage
from node.federation.signatures.keys import PrivateKey, PublicKey, load_public_pem
from node.federation.signatures.rfc9421 import read_rfc9421
from node.federation.signatures.verify import check_claim, read_claim
from node.foundation.clock import parse_instant
from node.foundation.errors import Malformed, RemoteMalformed, SignatureInvalid

CAVAGE = vector("cavage12_c.json")
RFC9421 = vector("rfc9421_b2.json")
RFC9421_CASES = {case["label"]: case for case in RFC9421["cases"]}


def a_draft_request(case: dict[str, Any]) -> Request:
    """Build the request of appendix C with the signature of one case."""
    parameters = [
        'keyId="Test"',
        f'algorithm="{case["algorithm"]}"',
        *(f"{name}={case[name]}" for name in ("created", "expires") if case[name] is not None),
        f'headers="{case["headers_param"]}"',
        f'signature="{case["published_signature"]}"',
    ]
    request = CAVAGE["request"]
    headers = tuple((name.lower(), value) for name, value in request["headers"])
    signature = ("signature", ",".join(parameters))
    return Request(request["method"], request["target"], (*headers, signature), request["body"].encode("ascii"))


def a_standard_request(label: str) -> Request:
    """Build the request of appendix B with the signature of one case."""
    message, case = RFC9421["message"], RFC9421_CASES[label]
    method, target, _ = message["start_line"].split(" ")
    headers = tuple((name.lower(), value) for name, value in message["headers"])
    signed = (("signature-input", case["signature_input"]), ("signature", case["signature"]))
    return Request(method, target, (*headers, *signed), message["body"].encode("ascii"))


def the_draft_keys() -> tuple[PrivateKey, PublicKey]:
    """Load the draft's key past our own bounds: it has 1024 bits."""
    private = serialization.load_pem_private_key(CAVAGE["privateKeyPem"].encode("ascii"), None)
    public = serialization.load_pem_public_key(CAVAGE["publicKeyPem"].encode("ascii"))
    return PrivateKey("rsa", private), PublicKey("rsa", public)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "case", [case for case in CAVAGE["cases"] if case["expect"] == "accept"], ids=lambda c: c["title"]
)
def test_the_draft_vectors_c1_and_c2_are_read_and_made(case: dict[str, Any]) -> None:
    private, public = the_draft_keys()

    claim = read_cavage(a_draft_request(case))

    assert claim.base == case["signing_string"].encode("ascii")
    assert public.verify(claim.signature, claim.base)
    assert private.sign(claim.base) == base64.b64decode(case["published_signature"])


def test_the_draft_vector_c3_is_refused() -> None:
    case = next(case for case in CAVAGE["cases"] if case["expect"] == "reject")

    with pytest.raises(SignatureInvalid):
        read_cavage(a_draft_request(case))


def test_t06_the_drafts_own_key_is_too_short_for_us() -> None:
    with pytest.raises(RemoteMalformed):
        load_public_pem(CAVAGE["publicKeyPem"])


@pytest.mark.parametrize("label", ["sig-b21", "sig-b23", "sig-b25", "sig-b26"])
def test_the_standards_signature_bases_are_ours(label: str) -> None:
    claim = read_rfc9421(a_standard_request(label), origin="https://example.com")

    assert claim.base == RFC9421_CASES[label]["signature_base"].encode("ascii")
    assert claim.key_id == RFC9421_CASES[label]["key"]
    assert claim.created_at == parse_instant("2021-04-20T02:07:53Z")


def test_the_standards_vector_b26_verifies_and_is_made_again() -> None:
    keys = RFC9421["keys"]["test-key-ed25519"]
    private = serialization.load_pem_private_key(keys["privateKeyPem"].encode("ascii"), None)

    claim = read_rfc9421(a_standard_request("sig-b26"), origin="https://example.com")

    assert load_public_pem(keys["publicKeyPem"]).verify(claim.signature, claim.base)
    assert PrivateKey("ed25519", private).sign(claim.base) == claim.signature  # type: ignore[arg-type]


def test_t08_the_standards_vectors_cover_too_little_for_us() -> None:
    for label in ("sig-b21", "sig-b25", "sig-b26"):
        request = a_standard_request(label)
        claim = read_claim(request, origin="https://example.com")
        assert claim.created_at is not None

        with pytest.raises(SignatureInvalid):
            check_claim(claim, request, authority="example.com", now=claim.created_at)


def test_the_standards_vector_with_a_component_parameter_is_refused() -> None:
    with pytest.raises(Malformed):
        read_rfc9421(a_standard_request("sig-b22"), origin="https://example.com")


@pytest.mark.parametrize("label", ["sig-b21", "sig-b23", "sig-b25"])
def test_t06_the_standards_vectors_of_other_algorithms_verify_with_no_key(label: str) -> None:
    claim = read_rfc9421(a_standard_request(label), origin="https://example.com")

    for name in ("test-key-rsa", "test-key-rsa-pss", "test-key-ed25519"):
        assert not load_public_pem(RFC9421["keys"][name]["publicKeyPem"]).verify(claim.signature, claim.base)


@pytest.mark.parametrize("module", [base58, digest, integrity], ids=lambda module: module.__name__)
def test_the_examples_in_the_docstrings_are_true(module: ModuleType) -> None:
    result = doctest.testmod(module)

    assert result.attempted > 0
    assert result.failed == 0

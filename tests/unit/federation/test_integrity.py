"""Canonical form and proofs: published vectors, equality with rfc8785, refusals (T05, T39)."""

from __future__ import annotations

import base64
import copy
import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import rfc8785
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import given, settings
from hypothesis import strategies as st

from node.federation.integrity import (
    ProofInvalid,
    canonicalize,
    proof_method,
    sha256_hex,
    sign_document,
    verify_proof,
)
from node.federation.signatures.keys import PrivateKey, generate_ed25519_key, generate_rsa_key, load_multikey
from node.foundation.errors import LocalProtocolError, NodeError, SignatureInvalid

CASES = json.loads((Path(__file__).parents[2] / "vectors" / "fep8b32_eddsa_jcs_2022.json").read_text("utf-8"))["cases"]
METHOD = "https://friend.example/people/ana#ed25519"
CREATED = "2026-11-21T17:40:00Z"
NOW = datetime(2026, 11, 21, 17, 40, tzinfo=UTC)
CONTEXT = ["https://www.w3.org/ns/activitystreams", "https://w3id.org/security/data-integrity/v1"]
DOCUMENT = {
    "@context": CONTEXT,
    "type": "Create",
    "actor": "https://friend.example/people/ana",
    "object": {"type": "Note", "content": "Grüße, 世界", "unknown": [1, 2.5, None, {"a": False}]},
}
KEY = generate_ed25519_key()


def a_signed(document: dict[str, Any] = DOCUMENT, *, created: str | None = CREATED) -> dict[str, Any]:
    return sign_document(document, KEY, method=METHOD, created=created)


def a_resigned(**proof: object) -> dict[str, Any]:
    """Sign whatever the proof says, as a careless or wicked node might; None leaves a member out."""
    options: dict[str, Any] = {
        "type": "DataIntegrityProof",
        "cryptosuite": "eddsa-jcs-2022",
        "verificationMethod": METHOD,
        "proofPurpose": "assertionMethod",
        "created": CREATED,
        **proof,
    }
    options = {name: value for name, value in options.items() if value is not None}
    data = b"".join(bytes.fromhex(sha256_hex(rfc8785.dumps(part))) for part in (options, DOCUMENT))
    digits, number = "", int.from_bytes(KEY.sign(data), "big")
    while number:
        number, digit = divmod(number, 58)
        digits = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz"[digit] + digits
    return {**DOCUMENT, "proof": {**options, "proofValue": "z" + digits}}


@pytest.mark.parametrize("case", [case for case in CASES if case["expect"] == "valid"], ids=lambda case: case["title"])
def test_published_proofs_are_good(case: dict[str, Any]) -> None:
    verify_proof(case["secured_document"], load_multikey(case["publicKeyMultibase"]))


@pytest.mark.parametrize("case", [case for case in CASES if case["expect"] != "valid"], ids=lambda case: case["title"])
def test_published_forgeries_are_refused(case: dict[str, Any]) -> None:
    with pytest.raises(ProofInvalid):
        verify_proof(case["secured_document"], load_multikey(case["publicKeyMultibase"]))


@pytest.mark.parametrize("case", [case for case in CASES if "hash_data_hex" in case], ids=lambda case: case["title"])
def test_published_canonical_forms_and_hashes_are_ours(case: dict[str, Any]) -> None:
    secured = case["secured_document"]
    options = {name: value for name, value in secured["proof"].items() if name != "proofValue"}
    document = {name: value for name, value in secured.items() if name != "proof"}

    assert canonicalize(options) == case["canonical_proof_options"].encode()
    assert canonicalize(document) == case["canonical_document"].encode()
    assert sha256_hex(canonicalize(options)) + sha256_hex(canonicalize(document)) == case["hash_data_hex"]


def test_a_published_proof_is_made_again() -> None:
    case = CASES[0]
    raw = base64.urlsafe_b64decode(case["privateKeyJwk"]["d"] + "=")
    key = PrivateKey("ed25519", Ed25519PrivateKey.from_private_bytes(raw))
    proof = case["proof"]

    signed = sign_document(
        case["unsecured_document"], key, method=proof["verificationMethod"], created=proof["created"]
    )

    assert signed == case["secured_document"]


def test_a_document_is_signed_and_left_as_it_was() -> None:
    before = copy.deepcopy(DOCUMENT)

    signed = a_signed()
    signed["proof"]["@context"].append("https://stranger.example/")

    assert before == DOCUMENT
    assert {name: value for name, value in signed.items() if name != "proof"} == DOCUMENT
    assert list(signed["proof"]) == [
        "@context", "type", "cryptosuite", "verificationMethod", "proofPurpose", "created", "proofValue",
    ]  # fmt: skip


def test_a_proof_is_good_for_its_document_and_leaves_it_as_it_was() -> None:
    signed = a_signed()
    before = copy.deepcopy(signed)

    verify_proof(signed, KEY.public)
    verify_proof(signed, KEY.public)

    assert signed == before
    assert proof_method(signed) == METHOD


def test_a_proof_survives_another_order_and_spacing() -> None:
    signed = a_signed()
    shuffled = json.loads(json.dumps(dict(reversed(signed.items())), indent=3, ensure_ascii=True))

    verify_proof(shuffled, KEY.public)


def test_a_document_without_context_gets_a_proof_without_one() -> None:
    signed = a_signed({"type": "LogEntry", "seq": 1}, created=None)

    verify_proof(signed, KEY.public, need_created=False)

    assert set(signed["proof"]) == {"type", "cryptosuite", "verificationMethod", "proofPurpose", "proofValue"}


def test_a_proof_that_does_not_say_when_is_refused_where_it_must() -> None:
    signed = a_signed(created=None)

    verify_proof(signed, KEY.public, need_created=False)
    with pytest.raises(ProofInvalid):
        verify_proof(signed, KEY.public)


def test_our_own_mistakes_are_found_before_they_are_published() -> None:
    for document, key in [
        (DOCUMENT, generate_rsa_key()),
        (a_signed(), KEY),
        ({"proof": None}, KEY),
        ({"a": 2**60}, KEY),
        ({"a": "\ud800"}, KEY),
    ]:
        with pytest.raises(LocalProtocolError):
            sign_document(document, key, method=METHOD, created=CREATED)


@pytest.mark.parametrize(
    "change",
    [
        lambda document: document.update(type="Delete"),
        lambda document: document.update(extra=1),
        lambda document: document.pop("actor"),
        lambda document: document["object"].update(content="Grüsse, 世界"),
        lambda document: document["object"]["unknown"].reverse(),
        lambda document: document["object"]["unknown"].__setitem__(0, True),
        lambda document: document["proof"].update(created="2026-11-21T17:40:01Z"),
        lambda document: document["proof"].update(verificationMethod=METHOD + "2"),
        lambda document: document["proof"].update(extra="x"),
        lambda document: document["proof"].pop("@context"),
        lambda document: document["proof"].update({"@context": CONTEXT[:1]}),
        lambda document: document["proof"].update({"@context": []}),
    ],
)
def test_any_change_breaks_a_proof(change: Any) -> None:
    signed = copy.deepcopy(a_signed())
    change(signed)

    with pytest.raises(ProofInvalid):
        verify_proof(signed, KEY.public)


@pytest.mark.parametrize("name", ["object", "@context", "proof"])
@pytest.mark.parametrize("value", [2**60, "\ud800"], ids=["large", "half a pair"])
def test_a_document_without_canonical_form_is_refused(name: str, value: object) -> None:
    signed = copy.deepcopy(a_signed())
    if name == "proof":
        signed["proof"]["extra"] = value
    else:
        signed[name] = [value, value]

    with pytest.raises(ProofInvalid):
        verify_proof(signed, KEY.public)


def test_another_key_does_not_fit() -> None:
    for key in (generate_ed25519_key(), generate_rsa_key()):
        with pytest.raises(ProofInvalid):
            verify_proof(a_signed(), key.public)


def test_unknown_members_of_a_proof_are_signed_with_it() -> None:
    signed = a_resigned(nonce="x", domain="friend.example")

    verify_proof(signed, KEY.public)
    signed["proof"]["domain"] = "stranger.example"
    with pytest.raises(ProofInvalid):
        verify_proof(signed, KEY.public)


@pytest.mark.parametrize(
    "proof",
    [
        {"type": "Ed25519Signature2020"},
        {"type": ["DataIntegrityProof"]},
        {"type": None},
        {"cryptosuite": "eddsa-rdfc-2022"},
        {"cryptosuite": None},
        {"proofPurpose": "authentication"},
        {"proofPurpose": None},
        {"verificationMethod": None},
        {"verificationMethod": ""},
        {"verificationMethod": {"id": METHOD}},
        {"created": None},
        {"created": 1795282800},
        {"created": "yesterday"},
        {"created": "2026-11-21T17:40:00"},
    ],
)
def test_a_proof_of_another_kind_is_refused_even_if_it_is_signed(proof: dict[str, object]) -> None:
    with pytest.raises(ProofInvalid):
        verify_proof(a_resigned(**proof), KEY.public)


def test_a_proof_with_an_end_is_refused_after_it_and_by_who_has_no_clock() -> None:
    signed = a_resigned(expires="2026-11-21T18:00:00Z")

    verify_proof(signed, KEY.public, now=NOW)
    for now in (None, datetime(2026, 11, 21, 18, 0, 1, tzinfo=UTC)):
        with pytest.raises(ProofInvalid):
            verify_proof(signed, KEY.public, now=now)
    with pytest.raises(ProofInvalid):
        verify_proof(a_resigned(expires="never"), KEY.public, now=NOW)


@pytest.mark.parametrize(
    "value",
    [
        None, 1, "", "z", "z1", "zz", "m" + "A" * 86, "z" + "2" * 88, "z" + "1" * 64, "z" + "2" * 100_000, ["z2"],
    ],
)  # fmt: skip
def test_a_proof_value_that_is_none_is_refused(value: object) -> None:
    signed = a_signed()
    signed["proof"]["proofValue"] = value

    with pytest.raises(ProofInvalid):
        verify_proof(signed, KEY.public)


def test_addresses_behind_the_signed_context_are_let_through() -> None:
    signed = a_signed()
    signed["@context"] = [*CONTEXT, "https://w3id.org/security/multikey/v1"]

    verify_proof(signed, KEY.public)


@pytest.mark.parametrize(
    "context",
    [
        [*CONTEXT, {"content": "https://stranger.example/ns#ignored"}],
        [{"content": "https://stranger.example/ns#ignored"}, *CONTEXT],
        ["https://stranger.example/ns", *CONTEXT],
        list(reversed(CONTEXT)),
        CONTEXT[:1],
        CONTEXT[0],
        [],
        None,
        {"@vocab": "https://stranger.example/ns#"},
    ],
)
def test_t39_another_context_gives_no_signed_word_another_meaning(context: object) -> None:
    signed = a_signed()
    signed["@context"] = context

    with pytest.raises(ProofInvalid):
        verify_proof(signed, KEY.public)


def test_t39_contexts_that_python_thinks_equal_are_not() -> None:
    signed = a_signed({"@context": [{"@version": 1}], "type": "Note"})
    signed["@context"] = [{"@version": True}]

    with pytest.raises(ProofInvalid):
        verify_proof(signed, KEY.public)


@pytest.mark.parametrize(
    "proof",
    [None, [], "x", 1, {}, {"verificationMethod": 1}, [{"verificationMethod": METHOD}], [a_signed()["proof"]] * 2],
)
def test_a_proof_that_is_not_one_object_is_refused(proof: object) -> None:
    document = {**DOCUMENT, "proof": proof}

    with pytest.raises(ProofInvalid):
        proof_method(document)
    with pytest.raises(ProofInvalid):
        verify_proof(document, KEY.public)


def test_t39_a_linked_data_signature_is_no_proof() -> None:
    signature = {"type": "RsaSignature2017", "creator": METHOD, "created": CREATED, "signatureValue": "AAAA"}
    document = {**DOCUMENT, "signature": signature}

    assert proof_method(document) is None
    with pytest.raises(ProofInvalid):
        verify_proof(document, KEY.public)


def test_an_invalid_proof_is_an_invalid_signature_with_a_code_of_its_own() -> None:
    assert issubclass(ProofInvalid, SignatureInvalid)
    assert (ProofInvalid.code, ProofInvalid.status) == ("proof_invalid", 401)


JSON_VALUES = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(), st.floats(), st.text(max_size=8)),
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(st.text(max_size=4), inner, max_size=3)),
    max_leaves=8,
)
PROOF_MEMBERS = ["@context", "type", "cryptosuite", "verificationMethod", "proofPurpose", "created", "proofValue", "x"]


@settings(deadline=None)
@given(st.dictionaries(st.sampled_from(PROOF_MEMBERS), JSON_VALUES, min_size=1, max_size=4), JSON_VALUES)
def test_no_proof_fails_otherwise_or_is_accepted(changes: dict[str, Any], context: Any) -> None:
    signed = a_signed()
    wrong = {**signed, "@context": context, "proof": {**signed["proof"], **changes}}

    for document in (wrong, {**wrong, "@context": CONTEXT}, {**signed, "proof": context}):
        if isinstance(document["proof"], dict) and canonical_or_none(document["proof"]) == canonicalize(
            signed["proof"]
        ):
            continue
        with pytest.raises(ProofInvalid):
            verify_proof(document, KEY.public)


def canonical_or_none(value: Any) -> bytes | None:
    """Return the canonical form, or None where there is none."""
    try:
        return canonicalize(value)
    except NodeError:
        return None

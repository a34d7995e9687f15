"""The whole way of a signed request: key, label, host, target (T06, T07)."""

from __future__ import annotations

import base64
import hashlib
import hmac
from collections.abc import Callable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from signed_requests import (
    ACTOR,
    AUTHORITY,
    BODY,
    BOTH,
    ED25519_KEY_ID,
    NOW,
    ORIGIN,
    RSA_KEY_ID,
    SECONDS,
    a_get,
    a_post,
    accept,
    cavage,
    cavage_over,
    ed25519_key,
    other_rsa_key,
    rfc9421,
    rfc9421_over,
    rsa_key,
    with_another,
    with_header,
)

from node.federation.message import Request
from node.federation.signatures.cavage import sign_cavage, signing_string
from node.federation.signatures.digest import format_content_digest, format_digest
from node.federation.signatures.keys import PublicKey, format_public_pem, generate_ed25519_key
from node.federation.signatures.rfc9421 import sign_rfc9421
from node.federation.signatures.verify import VerifiedRequest, read_claim
from node.foundation.errors import (
    DigestMismatch,
    Malformed,
    NodeError,
    SignatureInvalid,
    SignatureMissing,
)


@BOTH
@pytest.mark.parametrize("unsigned", [a_post(), a_post(body=b""), a_get(), a_get(target="/")])
def test_a_signed_request_becomes_a_proof(
    sign: Callable[..., Request], key: PublicKey, key_id: str, unsigned: Request
) -> None:
    verified = accept(sign(unsigned), key)

    assert verified == VerifiedRequest(key_id=key_id, actor_uri=ACTOR, at=NOW)


def test_rsa_by_the_standard_and_ed25519_in_the_draft_dialect_are_accepted_too() -> None:
    by_standard = sign_rfc9421(a_post(), rsa_key(), RSA_KEY_ID, now=NOW, origin=ORIGIN)
    in_draft = sign_cavage(a_post(), ed25519_key(), ED25519_KEY_ID, now=NOW, algorithm="hs2019")

    assert accept(by_standard, rsa_key().public).key_id == RSA_KEY_ID
    assert accept(in_draft, ed25519_key().public).key_id == ED25519_KEY_ID


def test_a_request_without_signature_is_not_unsigned_but_fine() -> None:
    for request in (a_post(), a_get(), with_another(a_get(), "authorization", 'Signature keyId="x"')):
        with pytest.raises(SignatureMissing):
            read_claim(request, origin=ORIGIN)


@BOTH
def test_another_key_is_refused(sign: Callable[..., Request], key: PublicKey, key_id: str) -> None:
    for wrong in (other_rsa_key().public, generate_ed25519_key().public):
        with pytest.raises(SignatureInvalid):
            accept(sign(a_post()), wrong)


def test_t06_hmac_keyed_with_a_public_key_is_refused() -> None:
    public_pem = format_public_pem(rsa_key().public).encode("ascii")
    request = a_post(date="Sat, 21 Nov 2026 17:40:00 GMT", digest=format_digest(BODY))
    covered = ("(request-target)", "host", "date", "digest")
    forged = hmac.new(public_pem, signing_string(request, covered), hashlib.sha256).digest()

    for label in ('algorithm="hmac-sha256",', 'algorithm="hs2019",', 'algorithm="rsa-sha256",', ""):
        value = (
            f'keyId="{RSA_KEY_ID}",{label}headers="{" ".join(covered)}"'
            f',signature="{base64.b64encode(forged).decode("ascii")}"'
        )
        with pytest.raises(SignatureInvalid):
            accept(with_another(request, "signature", value), rsa_key().public)


@pytest.mark.parametrize("label", ["rsa-sha256", "ed25519"])
def test_t06_a_label_that_contradicts_the_key_is_refused(label: str) -> None:
    key = ed25519_key() if label == "rsa-sha256" else rsa_key()
    request = a_post(date="Sat, 21 Nov 2026 17:40:00 GMT", digest=format_digest(BODY))
    covered = ("(request-target)", "host", "date", "digest")
    signature = base64.b64encode(key.sign(signing_string(request, covered))).decode("ascii")
    value = f'keyId="k",algorithm="{label}",headers="{" ".join(covered)}",signature="{signature}"'
    in_draft = with_another(request, "signature", value)

    with pytest.raises(SignatureInvalid):
        accept(in_draft, key.public)


def test_t06_a_standard_label_that_contradicts_the_key_is_refused() -> None:
    rest = f';alg="rsa-v1_5-sha256";keyid="{ED25519_KEY_ID}";created={SECONDS}'
    signed = rfc9421_over(a_get(), "@method @target-uri", parameters=rest)
    unlabelled = rfc9421_over(a_get(), "@method @target-uri", parameters=rest.removeprefix(';alg="rsa-v1_5-sha256"'))

    assert accept(unlabelled, ed25519_key().public).actor_uri == ACTOR
    with pytest.raises(SignatureInvalid):
        accept(signed, ed25519_key().public)


@BOTH
def test_t07_a_signature_for_another_host_is_refused(sign: Callable[..., Request], key: PublicKey, key_id: str) -> None:
    for host in ("stranger.example", "HERE.EXAMPLE.", "here.example:443", "here.example:8443", ""):
        with pytest.raises(SignatureInvalid):
            accept(sign(a_post(host=host)), key)


def test_t07_our_host_is_the_configured_one_in_any_case() -> None:
    assert accept(cavage(a_post(host="Here.Example")), rsa_key().public).actor_uri == ACTOR
    with pytest.raises(SignatureInvalid):
        accept(cavage(a_post()), rsa_key().public, authority="there.example")


def test_t07_a_target_signed_for_another_origin_is_refused() -> None:
    signed = sign_rfc9421(a_post(), ed25519_key(), ED25519_KEY_ID, now=NOW, origin="https://stranger.example")

    with pytest.raises(SignatureInvalid):
        accept(signed, ed25519_key().public)


@BOTH
def test_t07_a_signature_moved_to_another_path_or_method_is_refused(
    sign: Callable[..., Request], key: PublicKey, key_id: str
) -> None:
    post, get = sign(a_post()), sign(a_get(target="/inbox"))

    for moved in (
        Request("POST", "/people/bob/inbox", post.headers, post.body),
        Request("POST", "/inbox?x=1", post.headers, post.body),
        Request("PUT", "/inbox", post.headers, post.body),
        Request("GET", "/inbox", post.headers, post.body),
        Request("GET", "/inbox", post.headers),
        Request("POST", "/inbox", get.headers),
        Request("POST", "/inbox", get.headers, BODY),
        Request("HEAD", "/inbox", get.headers),
    ):
        with pytest.raises((SignatureInvalid, DigestMismatch)):
            accept(moved, key)


def test_with_signature_input_a_request_is_never_tried_in_the_draft_dialect() -> None:
    good_draft = cavage(a_post())

    for described in ("", "sig1=()", 'sig1=("@method");keyid="x"'):
        with pytest.raises(Malformed):
            read_claim(with_another(good_draft, "signature-input", described), origin=ORIGIN)


def test_signature_input_without_signature_is_refused() -> None:
    with pytest.raises(Malformed):
        read_claim(with_another(a_get(), "signature-input", f'sig1=();keyid="{RSA_KEY_ID}"'), origin=ORIGIN)


def test_a_draft_get_may_have_been_signed_without_its_query() -> None:
    signed = cavage(a_get(target="/groups/ward/log"))
    asked = Request("GET", "/groups/ward/log?after=3", signed.headers)

    assert accept(asked, rsa_key().public).actor_uri == ACTOR


@pytest.mark.parametrize("covered", ["date (request-target) host", "x-trap (request-target) host date"])
def test_the_query_is_left_out_of_the_target_and_of_nothing_else(covered: str) -> None:
    short = Request(
        "GET",
        "/log",
        (
            ("host", AUTHORITY),
            ("date", "Sat, 21 Nov 2026 17:40:00 GMT"),
            ("x-trap", "(request-target): get /log?after=3"),
        ),
    )
    signed = cavage_over(short, covered)

    asked = Request("GET", "/log?after=3", signed.headers)

    assert accept(asked, rsa_key().public).actor_uri == ACTOR


def test_t07_only_a_draft_get_may_leave_the_query_out() -> None:
    post = cavage(a_post(target="/inbox"))
    by_standard = rfc9421(a_get(target="/log"))
    signed_with_query = cavage(a_get(target="/log?after=3"))

    for request, key in [
        (Request("POST", "/inbox?x=1", post.headers, post.body), rsa_key().public),
        (Request("GET", "/log?after=3", by_standard.headers), ed25519_key().public),
        (Request("GET", "/log", signed_with_query.headers), rsa_key().public),
        (Request("GET", "/log?after=4", signed_with_query.headers), rsa_key().public),
    ]:
        with pytest.raises(SignatureInvalid):
            accept(request, key)


NAMES = st.sampled_from(
    ["host", "date", "digest", "content-digest", "signature", "signature-input", "content-type", "content-length", "x"]
)
VALUES = st.one_of(
    st.text(max_size=60),
    st.sampled_from(
        [
            AUTHORITY,
            "Sat, 21 Nov 2026 17:40:00 GMT",
            format_digest(BODY),
            format_content_digest(BODY),
            cavage(a_post()).one("signature"),
            rfc9421(a_post()).one("signature"),
            rfc9421(a_post()).one("signature-input"),
        ]
    ),
)


@settings(deadline=None)
@given(
    st.sampled_from(["GET", "POST", "HEAD", "PUT", ""]),
    st.one_of(st.sampled_from(["/", "/inbox?", "*"]), st.text(max_size=20)),
    st.lists(st.tuples(NAMES, VALUES), max_size=9),
    st.sampled_from([b"", BODY, BODY + b" "]),
)
def test_no_request_fails_otherwise_or_is_accepted(
    method: str, target: str, headers: list[tuple[str, str]], body: bytes
) -> None:
    request = Request(method, target, tuple(headers), body)

    for key in (rsa_key().public, ed25519_key().public):
        with pytest.raises(NodeError):
            accept(request, key)


@BOTH
@settings(deadline=None)
@given(position=st.integers(min_value=0), replacement=st.characters(max_codepoint=255))
def test_no_change_of_one_character_is_accepted(
    sign: Callable[..., Request], key: PublicKey, key_id: str, position: int, replacement: str
) -> None:
    signed = SIGNED_ONCE[key_id]
    name = "signature" if position % 3 else ("signature-input" if sign is rfc9421 else "signature")
    before = signed.one(name) or ""
    place = position % len(before)
    after = before[:place] + replacement + before[place + 1 :]

    if read_or_none(with_header(signed, name, after)) == read_or_none(signed):
        return
    with pytest.raises(NodeError):
        accept(with_header(signed, name, after), key)


SIGNED_ONCE = {RSA_KEY_ID: cavage(a_post()), ED25519_KEY_ID: rfc9421(a_post())}


def read_or_none(request: Request) -> tuple[bytes, bytes] | None:
    """Return what is verified; the draft dialect leaves the key id out, which then names another key to ask."""
    try:
        claim = read_claim(request, origin=ORIGIN)
    except NodeError:
        return None
    return claim.base, claim.signature

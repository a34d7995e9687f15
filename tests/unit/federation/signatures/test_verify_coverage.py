"""What a signature must cover (T08)."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from signed_requests import (
    ACTOR,
    AUTHORITY,
    BODY,
    BOTH,
    ED25519_KEY_ID,
    NOW,
    ORIGIN,
    SECONDS,
    a_get,
    a_post,
    accept,
    cavage_over,
    ed25519_key,
    rfc9421_over,
    rsa_key,
    with_another,
    with_header,
)

from node.federation.message import Request
from node.federation.signatures.digest import format_content_digest, format_digest
from node.federation.signatures.keys import PublicKey
from node.federation.signatures.verify import check_claim, read_claim, verify_claim
from node.foundation.errors import (
    DigestMismatch,
    SignatureInvalid,
)


@BOTH
def test_t08_another_body_is_refused(sign: Callable[..., Request], key: PublicKey, key_id: str) -> None:
    signed = sign(a_post())
    swapped = Request(signed.method, signed.target, signed.headers, BODY + b" ")
    redigested = with_header(swapped, "digest", format_digest(swapped.body))
    redigested = with_header(redigested, "content-digest", format_content_digest(swapped.body))

    with pytest.raises(DigestMismatch):
        accept(swapped, key)
    with pytest.raises(SignatureInvalid):
        accept(redigested, key)


@pytest.mark.parametrize(
    ("covered", "is_enough"),
    [
        ("(request-target) host date digest", True),
        ("(request-target) host (created) digest", True),
        ("digest (created) host (request-target)", True),
        ("host date digest", False),
        ("(request-target) date digest", False),
        ("(request-target) host digest", False),
        ("(request-target) host date", False),
        ("(request-target) host (created)", False),
        ("(request-target) host date content-type", False),
        ("(request-target) host date content-digest", False),
        ("date", False),
        ("digest", False),
        ("host", False),
    ],
)
def test_t08_a_draft_post_must_cover_target_host_digest_and_time(covered: str, *, is_enough: bool) -> None:
    date, digest = "Sat, 21 Nov 2026 17:40:00 GMT", format_digest(BODY)
    request = a_post(date=date, digest=digest, content_digest=format_content_digest(BODY))
    times = f",created={SECONDS}"
    signed = cavage_over(request, covered, times=times)

    if is_enough:
        assert accept(signed, rsa_key().public).actor_uri == ACTOR
        return
    with pytest.raises(SignatureInvalid):
        check_claim(read_claim(signed, origin=ORIGIN), signed, authority=AUTHORITY, now=NOW)
    with pytest.raises(SignatureInvalid):
        accept(signed, rsa_key().public)


@pytest.mark.parametrize(
    ("covered", "is_enough"),
    [
        ("(request-target) host date", True),
        ("(request-target) host (created)", True),
        ("(request-target) host date accept", True),
        ("host date", False),
        ("(request-target) date", False),
        ("(request-target) host", False),
    ],
)
def test_t08_a_draft_get_must_cover_target_host_and_time(covered: str, *, is_enough: bool) -> None:
    request = with_another(a_get(), "date", "Sat, 21 Nov 2026 17:40:00 GMT")
    signed = cavage_over(request, covered, times=f",created={SECONDS}")

    if is_enough:
        assert accept(signed, rsa_key().public).actor_uri == ACTOR
        return
    with pytest.raises(SignatureInvalid):
        accept(signed, rsa_key().public)


@pytest.mark.parametrize(
    ("covered", "is_enough"),
    [
        ("@method @target-uri content-digest", True),
        ("@method @authority @path @query content-digest", True),
        ("@method @authority @request-target content-digest", True),
        ("@method @target-uri @authority host date content-digest", True),
        ("", False),
        ("@target-uri content-digest", False),
        ("@method content-digest", False),
        ("@method @path @query content-digest", False),
        ("@method @authority @path content-digest", False),
        ("@method @authority @query content-digest", False),
        ("@method @request-target content-digest", False),
        ("@method @authority @scheme host content-digest", False),
        ("@method @target-uri", False),
        ("@method @target-uri digest", False),
        ("@method @target-uri content-type", False),
    ],
)
def test_t08_a_standard_post_must_cover_method_target_and_digest(covered: str, *, is_enough: bool) -> None:
    request = a_post(
        date="Sat, 21 Nov 2026 17:40:00 GMT", digest=format_digest(BODY), content_digest=format_content_digest(BODY)
    )
    signed = rfc9421_over(request, covered)

    if is_enough:
        assert accept(signed, ed25519_key().public).actor_uri == ACTOR
        return
    with pytest.raises(SignatureInvalid):
        check_claim(read_claim(signed, origin=ORIGIN), signed, authority=AUTHORITY, now=NOW)
    with pytest.raises(SignatureInvalid):
        accept(signed, ed25519_key().public)


def test_t08_a_standard_signature_must_say_when_it_was_made() -> None:
    request = with_another(a_get(), "date", "Sat, 21 Nov 2026 17:40:00 GMT")

    with pytest.raises(SignatureInvalid):
        accept(
            rfc9421_over(request, "@method @target-uri date", parameters=f';keyid="{ED25519_KEY_ID}"'),
            ed25519_key().public,
        )


def test_t08_a_get_with_a_body_must_cover_the_body() -> None:
    request = Request("GET", "/", (("host", AUTHORITY), ("date", "Sat, 21 Nov 2026 17:40:00 GMT")), b"body")

    for signed, key in [
        (cavage_over(request, "(request-target) host date"), rsa_key().public),
        (rfc9421_over(request, "@method @target-uri"), ed25519_key().public),
    ]:
        with pytest.raises(SignatureInvalid):
            accept(signed, key)


def test_t08_no_order_of_calls_gets_past_the_checks() -> None:
    signed = cavage_over(a_post(date="Sat, 21 Nov 2026 17:40:00 GMT"), "date")
    claim = read_claim(signed, origin=ORIGIN)

    with pytest.raises(SignatureInvalid):
        verify_claim(claim, signed, rsa_key().public, owner=ACTOR, authority=AUTHORITY, now=NOW)

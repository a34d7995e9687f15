"""How old a signature may be, and what may be there only once (T09, T10)."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import pytest
from signed_requests import (
    ACTOR,
    AUTHORITY,
    BODY,
    BOTH,
    NOW,
    ORIGIN,
    SECONDS,
    a_get,
    a_post,
    accept,
    cavage,
    cavage_over,
    ed25519_key,
    rfc9421,
    rsa_key,
    with_another,
    with_header,
)

from node.federation.message import Request
from node.federation.signatures.keys import PublicKey
from node.federation.signatures.verify import GENERIC, Window, check_claim, read_claim
from node.foundation.errors import (
    Malformed,
    SignatureExpired,
)


@BOTH
@pytest.mark.parametrize(
    ("since_signing", "is_within"),
    [
        (timedelta(0), True),
        (timedelta(minutes=4), True),
        (timedelta(minutes=-4), True),
        (timedelta(minutes=-5), True),
        (timedelta(minutes=65), True),
        (timedelta(minutes=65, seconds=1), False),
        (timedelta(hours=13), False),
        (timedelta(days=3650), False),
        (timedelta(minutes=-5, seconds=-1), False),
        (timedelta(minutes=-10), False),
    ],
)
def test_t09_a_signature_is_good_for_65_minutes_and_5_minutes_ahead(
    sign: Callable[..., Request], key: PublicKey, key_id: str, since_signing: timedelta, *, is_within: bool
) -> None:
    signed = sign(a_post(), expires_in_seconds=10**9) if sign is rfc9421 else sign(a_post())

    if is_within:
        assert accept(signed, key, now=NOW + since_signing).at == NOW + since_signing
        return
    with pytest.raises(SignatureExpired):
        accept(signed, key, now=NOW + since_signing)


def test_t09_created_is_judged_like_a_date() -> None:
    signed = cavage_over(a_get(), "(request-target) host (created)", times=f",created={SECONDS}")

    assert accept(signed, rsa_key().public, now=NOW + timedelta(minutes=64)).actor_uri == ACTOR
    for since_signing in (timedelta(hours=13), timedelta(minutes=-10)):
        with pytest.raises(SignatureExpired):
            accept(signed, rsa_key().public, now=NOW + since_signing)


def test_t09_a_signature_ends_when_it_says_so() -> None:
    by_standard = rfc9421(a_post(), expires_in_seconds=60)
    in_draft = cavage_over(
        a_get(), "(request-target) host (created)", times=f",created={SECONDS},expires={SECONDS + 60}"
    )

    for signed, key in [(by_standard, ed25519_key().public), (in_draft, rsa_key().public)]:
        assert accept(signed, key, now=NOW + timedelta(seconds=60)).actor_uri == ACTOR
        with pytest.raises(SignatureExpired):
            accept(signed, key, now=NOW + timedelta(seconds=61))


def test_t09_a_peer_may_be_given_a_narrower_window() -> None:
    signed = cavage(a_post())
    claim = read_claim(signed, origin=ORIGIN)
    later = NOW + timedelta(minutes=6)

    check_claim(claim, signed, authority=AUTHORITY, now=later, window=GENERIC)
    with pytest.raises(SignatureExpired):
        check_claim(claim, signed, authority=AUTHORITY, now=later, window=Window(300, 300))


@BOTH
@pytest.mark.parametrize(
    "name",
    ["host", "signature", "signature-input", "digest", "content-digest", "date", "content-type", "content-length"],
)
@pytest.mark.parametrize("is_equal", [True, False])
def test_t10_a_header_that_must_be_there_once_is_refused_twice(
    sign: Callable[..., Request], key: PublicKey, key_id: str, name: str, *, is_equal: bool
) -> None:
    signed = sign(a_post())
    first = signed.one(name) or "x"
    doubled = with_another(with_header(signed, name, first), name, first if is_equal else first + "x")

    with pytest.raises(Malformed):
        read_claim(doubled, origin=ORIGIN)


@pytest.mark.parametrize("name", ["host", "date", "digest", "content-type", "signature"])
@pytest.mark.parametrize("fold", ["\r\n ", "\n ", "\r", "\0"])
def test_t10_a_folded_header_is_refused(name: str, fold: str) -> None:
    signed = cavage(a_post())

    with pytest.raises(Malformed):
        read_claim(with_header(signed, name, f"{signed.one(name)}{fold}x"), origin=ORIGIN)


def test_t10_two_lengths_for_one_body_are_refused() -> None:
    signed = cavage(a_post(content_length="18", transfer_encoding="chunked"))

    with pytest.raises(Malformed):
        read_claim(signed, origin=ORIGIN)


@pytest.mark.parametrize("name", ["signature", "signature-input"])
def test_t10_a_signature_header_above_8_kb_is_refused_unread(name: str) -> None:
    signed = rfc9421(a_post())

    with pytest.raises(Malformed):
        read_claim(with_header(signed, name, f"{signed.one(name)}{'a' * 8192}"), origin=ORIGIN)


def test_a_request_without_host_or_with_a_target_that_is_no_path_is_refused() -> None:
    signed = cavage(a_post())
    hostless = Request("POST", "/inbox", tuple(header for header in signed.headers if header[0] != "host"), BODY)

    for request in (
        hostless,
        *(Request("POST", target, signed.headers, BODY) for target in ("*", "", "https://here.example/inbox", "/a b")),
    ):
        with pytest.raises(Malformed):
            read_claim(request, origin=ORIGIN)

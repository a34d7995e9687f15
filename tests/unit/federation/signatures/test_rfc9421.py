"""RFC 9421: what is written, what is read, and what can be read in two ways (T06, T10, T11)."""

from __future__ import annotations

import base64
from datetime import UTC, datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from signed_requests import (
    ED25519_KEY_ID,
    NOW,
    ORIGIN,
    RSA_KEY_ID,
    a_get,
    a_post,
    ed25519_key,
    rsa_key,
    with_header,
)

from node.federation.message import Request
from node.federation.signatures.digest import format_content_digest
from node.federation.signatures.rfc9421 import read_rfc9421, sign_rfc9421, signature_base
from node.foundation.errors import LocalProtocolError, Malformed, SignatureInvalid

SIGNATURE = f"sig1=:{base64.b64encode(b'x' * 64).decode('ascii')}:"
COVERED = '"@method" "@target-uri"'
PARAMETERS = f';created=1795282800;keyid="{ED25519_KEY_ID}"'


def with_input(value: str, signature: str = SIGNATURE) -> Request:
    return with_header(with_header(a_post(), "signature-input", value), "signature", signature)


def an_input(*, covered: str = COVERED, parameters: str = PARAMETERS) -> str:
    return f"sig1=({covered}){parameters}"


@pytest.mark.parametrize(("key_id", "algorithm"), [(RSA_KEY_ID, "rsa-v1_5-sha256"), (ED25519_KEY_ID, "ed25519")])
def test_a_post_is_signed_as_mastodon_asks(key_id: str, algorithm: str) -> None:
    key = rsa_key() if key_id == RSA_KEY_ID else ed25519_key()

    signed = sign_rfc9421(a_post(), key, key_id, now=NOW, origin=ORIGIN)

    claim = read_rfc9421(signed, origin=ORIGIN)
    assert signed.one("signature-input") == (
        'sig1=("@method" "@target-uri" "content-digest" "content-type")'
        f';created=1795282800;expires=1795283100;keyid="{key_id}";alg="{algorithm}"'
    )
    assert signed.one("content-digest") == format_content_digest(signed.body)
    assert claim.covered == ("@method", "@target-uri", "content-digest", "content-type")
    assert (claim.dialect, claim.key_id, claim.algorithm, claim.created_at) == ("rfc9421", key_id, algorithm, NOW)
    assert claim.expires_at == datetime(2026, 11, 21, 17, 45, tzinfo=UTC)
    assert claim.base.startswith(b'"@method": POST\n"@target-uri": https://here.example/inbox\n"content-digest": ')
    assert key.public.verify(claim.signature, claim.base)


def test_a_get_is_signed_over_method_and_target() -> None:
    signed = sign_rfc9421(a_get(), ed25519_key(), ED25519_KEY_ID, now=NOW, origin=ORIGIN, expires_in_seconds=60)

    claim = read_rfc9421(signed, origin=ORIGIN)

    assert claim.covered == ("@method", "@target-uri")
    assert claim.expires_at == datetime(2026, 11, 21, 17, 41, tzinfo=UTC)
    assert signed.one("content-digest") is None
    assert b'"@target-uri": https://here.example/groups/ward/log?after=3\n' in claim.base


def test_our_own_mistakes_are_found_before_they_are_sent() -> None:
    signed = sign_rfc9421(a_post(), ed25519_key(), ED25519_KEY_ID, now=NOW, origin=ORIGIN)
    without_type = Request("POST", "/inbox", (("host", "here.example"),), b"{}")

    for request, key_id in [(signed, ED25519_KEY_ID), (without_type, ED25519_KEY_ID), (a_post(), 'a"b')]:
        with pytest.raises(LocalProtocolError):
            sign_rfc9421(request, ed25519_key(), key_id, now=NOW, origin=ORIGIN)


@pytest.mark.parametrize(
    ("target", "origin", "values"),
    [
        ("/", "https://h.example", ("https://h.example/", "h.example", "/", "?", "/", "https")),
        ("/a%20b?", "https://h.example", ("https://h.example/a%20b?", "h.example", "/a%20b", "?", "/a%20b?", "https")),
        (
            "/a?b=c?d",
            "https://h.example",
            ("https://h.example/a?b=c?d", "h.example", "/a", "?b=c?d", "/a?b=c?d", "https"),
        ),
        ("/a", "http://localhost:9001", ("http://localhost:9001/a", "localhost:9001", "/a", "?", "/a", "http")),
        ("/a", "https://H.example:443", ("https://H.example:443/a", "h.example", "/a", "?", "/a", "https")),
    ],
)
def test_derived_components_come_from_our_origin_and_the_raw_target(
    target: str, origin: str, values: tuple[str, ...]
) -> None:
    request = Request("GET", target, (("host", "evil.example"), ("x-forwarded-host", "evil.example")))
    names = ("@target-uri", "@authority", "@path", "@query", "@request-target", "@scheme")

    base = signature_base(request, names, "()", origin=origin).decode("ascii")

    assert base.splitlines() == [
        *(f'"{name}": {value}' for name, value in zip(names, values, strict=True)),
        '"@signature-params": ()',
    ]


@pytest.mark.parametrize(
    "parameters",
    [
        PARAMETERS,
        f';alg="ed25519";keyid="{ED25519_KEY_ID}";created=1795282800',
        f';created=1795282800;expires=1795283100;keyid="{ED25519_KEY_ID}";nonce="a b,c=";tag="x"',
        f';keyid="{ED25519_KEY_ID}"',
    ],
)
def test_signature_parameters_are_signed_as_they_were_sent(parameters: str) -> None:
    claim = read_rfc9421(with_input(an_input(parameters=parameters)), origin=ORIGIN)

    assert claim.base.endswith(f'\n"@signature-params": ({COVERED}){parameters}'.encode("ascii"))
    assert claim.key_id == ED25519_KEY_ID


@pytest.mark.parametrize(
    "value",
    [
        an_input(parameters=PARAMETERS + ";created=1795282801"),
        an_input(parameters=PARAMETERS + ';keyid="https://stranger.example/key"'),
        an_input(parameters=PARAMETERS + ";expires=1;expires=2"),
        an_input(covered='"@method" "@target-uri" "@method"'),
        an_input(covered='"host" "host"'),
    ],
)
def test_t10_a_parameter_or_component_that_is_there_twice_is_refused(value: str) -> None:
    with pytest.raises(Malformed):
        read_rfc9421(with_input(value), origin=ORIGIN)


@pytest.mark.parametrize(
    ("value", "signature"),
    [
        (f"{an_input()}, sig2=({COVERED}){PARAMETERS}", SIGNATURE),
        (an_input(), f"{SIGNATURE}, {SIGNATURE.replace('sig1', 'sig2')}"),
        (an_input(), SIGNATURE.replace("sig1", "sig2")),
        (an_input().replace("sig1", "Sig1"), SIGNATURE.replace("sig1", "Sig1")),
        (an_input(), ""),
        (an_input(), SIGNATURE[5:]),
        (an_input(), SIGNATURE[:-1]),
        (an_input(), SIGNATURE + ";x=1"),
        (an_input(), "sig1=::"),
        (an_input(), "sig1=:A:"),
        (an_input(), "sig1=:AAAA=AAA:"),
        (an_input(), f"sig1=:{'A' * 4000}:"),
        ("", SIGNATURE),
        (an_input()[5:], SIGNATURE),
        (an_input().replace("(", "( "), SIGNATURE),
        (an_input().replace('" "', '"  "'), SIGNATURE),
        (an_input().replace('" "', '""'), SIGNATURE),
        (an_input().replace(";", "; "), SIGNATURE),
        (an_input() + ";", SIGNATURE),
        (an_input() + ";flag", SIGNATURE),
        (an_input() + ";x=1", SIGNATURE),
        (an_input() + ';x="y"', SIGNATURE),
        (an_input(parameters=""), SIGNATURE),
        (an_input(parameters=";created=1795282800"), SIGNATURE),
        (an_input(parameters=f';created="1795282800";keyid="{ED25519_KEY_ID}"'), SIGNATURE),
        (an_input(parameters=f';created=1795282800.5;keyid="{ED25519_KEY_ID}"'), SIGNATURE),
        (an_input(parameters=f';created=-1;keyid="{ED25519_KEY_ID}"'), SIGNATURE),
        (an_input(parameters=f';created=999999999999;keyid="{ED25519_KEY_ID}"'), SIGNATURE),
        (an_input(parameters=";created=1795282800;keyid=7"), SIGNATURE),
        (an_input(parameters=';created=1795282800;keyid=""'), SIGNATURE),
        (an_input(parameters=";created=1795282800;keyid=token"), SIGNATURE),
        (an_input(covered='"@status"'), SIGNATURE),
        (an_input(covered='"@signature-params"'), SIGNATURE),
        (an_input(covered='"@query-param";name="a"'), SIGNATURE),
        (an_input(covered='"@query-param"'), SIGNATURE),
        (an_input(covered='"content-type";sf'), SIGNATURE),
        (an_input(covered='"@method";req'), SIGNATURE),
        (an_input(covered='"Content-Type"'), SIGNATURE),
        (an_input(covered='""'), SIGNATURE),
        (an_input(covered="@method"), SIGNATURE),
        (an_input(covered=" ".join(f'"x-{number}"' for number in range(17))), SIGNATURE),
    ],
)
def test_t10_headers_that_are_not_plainly_one_signature_are_refused(value: str, signature: str) -> None:
    with pytest.raises(Malformed):
        read_rfc9421(with_input(value, signature), origin=ORIGIN)


@pytest.mark.parametrize(
    "key_id",
    [
        "https://friend。example/people/ana",
        "https://fr\u200biend.example/people/ana".encode().decode("latin-1"),
        "https://friend.example\\@stranger.example/",
        "https://friend.example/ ana",
    ],
)
def test_t11_a_key_id_that_could_be_read_as_another_is_refused(key_id: str) -> None:
    with pytest.raises(Malformed):
        read_rfc9421(with_input(an_input(parameters=f';created=1;keyid="{key_id}"')), origin=ORIGIN)


@pytest.mark.parametrize(
    "algorithm",
    ["hmac-sha256", "rsa-pss-sha512", "ecdsa-p256-sha256", "ecdsa-p384-sha384", "rsa-sha256", "hs2019", "ED25519", ""],
)
def test_t06_another_algorithm_is_refused(algorithm: str) -> None:
    with pytest.raises(SignatureInvalid):
        read_rfc9421(with_input(an_input(parameters=f'{PARAMETERS};alg="{algorithm}"')), origin=ORIGIN)


def test_t08_a_covered_header_that_is_not_there_is_refused() -> None:
    with pytest.raises(SignatureInvalid):
        read_rfc9421(with_input(an_input(covered='"@method" "@target-uri" "content-digest"')), origin=ORIGIN)


@settings(deadline=None)
@given(
    st.one_of(
        st.text(max_size=200),
        st.lists(
            st.sampled_from(["sig1=", "(", ")", '"@method"', '"host"', " ", ";created=1", ";keyid=", '"a"', ";alg="]),
            max_size=12,
        ).map("".join),
    ),
    st.one_of(st.text(max_size=80), st.just(SIGNATURE)),
)
def test_reading_never_fails_otherwise_and_never_believes(value: str, signature: str) -> None:
    try:
        claim = read_rfc9421(with_input(value, signature), origin=ORIGIN)
    except (Malformed, SignatureInvalid):
        return

    assert not ed25519_key().public.verify(claim.signature, claim.base)

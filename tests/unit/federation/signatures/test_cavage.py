"""The draft dialect: what is written, what is read, and what can be read in two ways (T06, T10, T11)."""

from __future__ import annotations

import base64
from datetime import UTC, datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from signed_requests import ACTOR, NOW, RSA_KEY_ID, a_get, a_post, ed25519_key, rsa_key, with_header

from node.federation.message import Request
from node.federation.signatures.cavage import (
    format_http_date,
    parse_http_date,
    read_cavage,
    sign_cavage,
    signing_string,
)
from node.federation.signatures.digest import format_digest
from node.foundation.errors import LocalProtocolError, Malformed, SignatureInvalid

DATE = "Sat, 21 Nov 2026 17:40:00 GMT"
SIGNATURE = base64.b64encode(b"x" * 256).decode("ascii")


def a_signature(
    *,
    keyId: str = f'"{RSA_KEY_ID}"',
    algorithm: str | None = '"rsa-sha256"',
    headers: str | None = '"(request-target) host date digest"',
    signature: str = f'"{SIGNATURE}"',
    **more: str,
) -> str:
    """Write a Signature header; each value stands as given, quotation marks included."""
    parameters = {"keyId": keyId, "algorithm": algorithm, "headers": headers, "signature": signature, **more}
    return ",".join(f"{name}={value}" for name, value in parameters.items() if value is not None)


def with_signature(value: str, **headers: str) -> Request:
    return with_header(a_post(date=DATE, digest="SHA-256=x", **headers), "signature", value)


def test_a_post_is_signed_over_target_host_date_digest_and_type() -> None:
    signed = sign_cavage(a_post(), rsa_key(), RSA_KEY_ID, now=NOW)

    claim = read_cavage(signed)

    assert signed.one("date") == DATE
    assert signed.one("digest") == format_digest(signed.body)
    assert claim.covered == ("(request-target)", "host", "date", "digest", "content-type")
    assert (claim.dialect, claim.key_id, claim.algorithm) == ("cavage", RSA_KEY_ID, "rsa-sha256")
    assert (claim.created_at, claim.expires_at) == (NOW, None)
    assert claim.base.startswith(b"(request-target): post /inbox\nhost: here.example\ndate: Sat, 21 Nov 2026")
    assert rsa_key().public.verify(claim.signature, claim.base)


def test_a_get_is_signed_with_its_query_and_the_digest_of_nothing() -> None:
    signed = sign_cavage(a_get(), rsa_key(), RSA_KEY_ID, now=NOW, algorithm="hs2019")

    claim = read_cavage(signed)

    assert claim.covered == ("(request-target)", "host", "date", "digest")
    assert claim.algorithm == "hs2019"
    assert signed.one("digest") == "SHA-256=47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU="
    assert b"(request-target): get /groups/ward/log?after=3\n" in claim.base


def test_what_is_present_is_signed_as_it_is() -> None:
    request = a_post(date="Sat, 21 Nov 2026 17:39:59 GMT", digest="SHA-256=mine")

    signed = sign_cavage(request, rsa_key(), RSA_KEY_ID, now=NOW)

    assert signed.headers[:-1] == request.headers
    assert request.one("signature") is None


def test_a_missing_host_is_added_when_it_is_known() -> None:
    request = Request("GET", "/", ())

    signed = sign_cavage(request, rsa_key(), RSA_KEY_ID, now=NOW, host="peer.example:8443")

    assert signed.one("host") == "peer.example:8443"
    with pytest.raises(LocalProtocolError):
        sign_cavage(request, rsa_key(), RSA_KEY_ID, now=NOW)


def test_an_ed25519_key_signs_under_the_label_that_names_no_algorithm() -> None:
    signed = sign_cavage(a_post(), ed25519_key(), RSA_KEY_ID, now=NOW, algorithm="hs2019")

    claim = read_cavage(signed)

    assert ed25519_key().public.verify(claim.signature, claim.base)
    with pytest.raises(LocalProtocolError):
        sign_cavage(a_post(), ed25519_key(), RSA_KEY_ID, now=NOW)


def test_our_own_mistakes_are_found_before_they_are_sent() -> None:
    signed = sign_cavage(a_post(), rsa_key(), RSA_KEY_ID, now=NOW)
    without_type = Request("POST", "/inbox", (("host", "here.example"),), b"{}")
    broken = with_header(a_post(), "content-type", "a\nb: c")

    for request, key_id in [
        (signed, RSA_KEY_ID),
        (without_type, RSA_KEY_ID),
        (broken, RSA_KEY_ID),
        (a_post(), 'https://friend.example/"'),
        (a_post(), "https://friend.example/é"),
        (a_post(), ""),
    ]:
        with pytest.raises(LocalProtocolError):
            sign_cavage(request, rsa_key(), key_id, now=NOW)


@pytest.mark.parametrize(
    "value",
    [
        a_signature(algorithm=None),
        a_signature(algorithm='"hs2019"'),
        a_signature(algorithm='"RSA-SHA256"'),
        a_signature(headers='"(Request-Target) Host DATE Digest"'),
        a_signature(opaque='"x"'),
        a_signature().replace(",", ", "),
        a_signature().replace(",", "\t,"),
    ],
)
def test_headers_as_peers_send_them_are_read(value: str) -> None:
    claim = read_cavage(with_signature(value))

    assert claim.key_id == RSA_KEY_ID
    assert claim.covered == ("(request-target)", "host", "date", "digest")
    assert claim.created_at == NOW
    assert claim.signature == b"x" * 256


@pytest.mark.parametrize("key_id", [RSA_KEY_ID, f"{ACTOR}/main-key", ACTOR, "https://friend.example/%61?b=%20#c"])
def test_every_form_of_key_id_is_handed_on_as_it_was_sent(key_id: str) -> None:
    assert read_cavage(with_signature(a_signature(keyId=f'"{key_id}"'))).key_id == key_id


@pytest.mark.parametrize("quote", ["", '"'])
def test_created_and_expires_stand_for_the_date(quote: str) -> None:
    value = a_signature(
        algorithm='"hs2019"',
        headers='"(request-target) host (created) (expires) digest"',
        created=f"{quote}1795282800{quote}",
        expires=f"{quote}1795283100{quote}",
    )

    claim = read_cavage(with_signature(value))

    assert claim.created_at == datetime(2026, 11, 21, 17, 40, tzinfo=UTC)
    assert claim.expires_at == datetime(2026, 11, 21, 17, 45, tzinfo=UTC)
    assert b"\n(created): 1795282800\n(expires): 1795283100\n" in claim.base


def test_t08_a_time_that_is_not_covered_is_no_time() -> None:
    value = a_signature(algorithm='"hs2019"', headers='"(request-target) host digest"', created="1795282800")

    assert read_cavage(with_signature(value)).created_at is None


def test_values_of_a_covered_header_are_joined_in_order() -> None:
    request = Request("GET", "/", (("x-a", "1"), ("host", "h"), ("x-a", ""), ("x-a", "3")))

    assert signing_string(request, ("x-a", "host")) == b"x-a: 1, , 3\nhost: h"


@pytest.mark.parametrize(
    "value",
    [
        a_signature() + f',keyId="{RSA_KEY_ID}"',
        a_signature() + ',keyid="https://stranger.example/key"',
        a_signature() + f',signature="{SIGNATURE}"',
        a_signature() + ',headers="date"',
        a_signature() + ',Algorithm="hs2019"',
        a_signature(created="1", CREATED="1"),
        a_signature(headers='"(request-target) host host date digest"'),
        a_signature(headers='"(request-target) host Host date digest"'),
    ],
)
def test_t10_a_parameter_or_name_that_is_there_twice_is_refused(value: str) -> None:
    with pytest.raises(Malformed):
        read_cavage(with_signature(value))


@pytest.mark.parametrize(
    "value",
    [
        "",
        ",",
        "Signature " + a_signature(),
        a_signature() + ",",
        "," + a_signature(),
        a_signature().replace(",", ",,", 1),
        a_signature().replace(",", ";"),
        a_signature().replace("=", " = ", 1),
        a_signature().replace('"', "'"),
        a_signature() + ' x="y"',
        a_signature() + ',x="y',
        a_signature() + ",x=y",
        a_signature(keyId='""'),
        a_signature(signature='""'),
        a_signature(signature='"!!!!"'),
        a_signature(signature=f'"!{SIGNATURE}"'),
        a_signature(signature=f'"{SIGNATURE.rstrip("=")}"'),
        a_signature(signature=f'"{SIGNATURE} "'),
        a_signature(signature=f'"{SIGNATURE[:-3]}B=="'),
        a_signature(signature=f'"{SIGNATURE}{SIGNATURE}"'),
        a_signature(signature='"' + "A" * 4000 + '"'),
        a_signature(headers='""'),
        a_signature(headers='" host"'),
        a_signature(headers='"host  date"'),
        a_signature(headers='"(request-target) host date (digest)"'),
        a_signature(headers='"host:"'),
        a_signature(headers='"' + " ".join(f"x-{number}" for number in range(17)) + '"'),
        a_signature(algorithm='"hs2019"', headers='"host (created)"', created='"1e9"'),
        a_signature(algorithm='"hs2019"', headers='"host (created)"', created='"-5"'),
        a_signature(algorithm='"hs2019"', headers='"host (created)"', created="1795282800.5"),
        a_signature(algorithm='"hs2019"', headers='"host (created)"', created="9" * 12),
        a_signature(algorithm='"hs2019"', headers='"host date"', expires='"never"'),
        a_signature(keyId='"https://friend.example/' + "a" * 2048 + '"'),
    ],
)
def test_t10_a_header_that_is_not_plainly_one_thing_is_refused(value: str) -> None:
    with pytest.raises(Malformed):
        read_cavage(with_signature(value))


@pytest.mark.parametrize(
    "key_id",
    [
        "https://friend。example/people/ana",
        "https://friend。example/people/ana".encode().decode("latin-1"),
        "https://fr\u200biend.example/people/ana",
        "https://fr\u200biend.example/people/ana".encode().decode("latin-1"),
        "https://ﬁrst.example/people/ana",
        "https://friend.example\\@stranger.example/",
        'https://friend.example/\\"people',
        " https://friend.example/people/ana",
        "https://friend.example/people/ana ",
        "https://friend.example/\tana",
        "https://friend.example/\x00ana",
        "https://friend.example/\x7fana",
    ],
)
def test_t11_a_key_id_that_could_be_read_as_another_is_refused(key_id: str) -> None:
    with pytest.raises(Malformed):
        read_cavage(with_signature(a_signature(keyId=f'"{key_id}"')))


@pytest.mark.parametrize(
    "key_id",
    [
        "https://FRIEND.EXAMPLE./people/ana",
        "https://friend.example:443/people/ana",
        "https://friend.example@stranger/",
        "https://[::ffff:7f00:1]/people/ana",
    ],
)
def test_t11_a_key_id_is_never_tidied_before_its_origin_is_judged(key_id: str) -> None:
    assert read_cavage(with_signature(a_signature(keyId=f'"{key_id}"'))).key_id == key_id


@pytest.mark.parametrize(
    "algorithm",
    ["rsa-sha1", "hmac-sha256", "hmac-sha1", "hmac-sha512", "rsa-sha512", "ecdsa-sha256", "none", "", "rsa-sha256 "],
)
def test_t06_another_algorithm_is_refused(algorithm: str) -> None:
    with pytest.raises(SignatureInvalid):
        read_cavage(with_signature(a_signature(algorithm=f'"{algorithm}"')))


@pytest.mark.parametrize("name", ["(created)", "(expires)"])
@pytest.mark.parametrize("algorithm", ["rsa-sha256", "RSA-SHA256"])
def test_the_mixture_the_draft_forbids_is_refused(name: str, algorithm: str) -> None:
    value = a_signature(
        algorithm=f'"{algorithm}"',
        headers=f'"(request-target) host date digest {name}"',
        created="1795282800",
        expires="1795283100",
    )

    with pytest.raises(SignatureInvalid):
        read_cavage(with_signature(value))


@pytest.mark.parametrize(
    "headers", ['"(request-target) host date x-absent"', '"host (created)"', '"host date (expires)"', None]
)
def test_t08_what_is_covered_and_not_there_is_refused(headers: str | None) -> None:
    with pytest.raises(SignatureInvalid):
        read_cavage(with_signature(a_signature(algorithm=None, headers=headers)))


@pytest.mark.parametrize("value", ["a\nhost: here.example", "a\r\nb", "a\0", "世界"])
def test_t10_a_line_break_or_what_is_no_byte_inside_a_covered_value_is_refused(value: str) -> None:
    headers = '"(request-target) host date digest x-folded"'

    with pytest.raises(Malformed):
        read_cavage(with_signature(a_signature(headers=headers), x_folded=value))


@pytest.mark.parametrize("date", ["", "yesterday", "2026-11-21T17:40:00Z", "Sat, 21 Nov 2026 17:40:00 +0000"])
def test_a_covered_date_that_is_no_date_is_refused(date: str) -> None:
    with pytest.raises(Malformed):
        read_cavage(with_header(with_signature(a_signature()), "date", date))


@settings(deadline=None)
@given(st.datetimes(min_value=datetime(1, 1, 1), max_value=datetime(9999, 12, 31)))
def test_http_dates_survive(instant: datetime) -> None:
    instant = instant.replace(microsecond=0, tzinfo=UTC)

    assert parse_http_date(format_http_date(instant)) == instant


@pytest.mark.parametrize(
    "text",
    [
        "Sat, 31 Feb 2026 17:40:00 GMT",
        "Sat, 21 Nov 2026 24:00:00 GMT",
        "Sat, 21 Nov 2026 17:40:60 GMT",
        "Sat, 21 Nov 0000 17:40:00 GMT",
        "Sat, 21 Abc 2026 17:40:00 GMT",
        "Saturday, 21-Nov-26 17:40:00 GMT",
        "Sat Nov 21 17:40:00 2026",
        "Sat, 21 Nov 2026 17:40:00 GMT\n",
        "Sat, ２１ Nov 2026 17:40:00 GMT",
    ],
)
def test_other_dates_are_not_read(text: str) -> None:
    assert parse_http_date(text) is None


PARAMETER = st.tuples(
    st.sampled_from(["keyId", "algorithm", "headers", "signature", "created", "expires", "x"]) | st.text(max_size=5),
    st.one_of(
        st.sampled_from([RSA_KEY_ID, "hs2019", "rsa-sha256", "host date", "(created)", SIGNATURE, "1795282800"]),
        st.text(max_size=30),
    ),
).map(lambda pair: f'{pair[0]}="{pair[1]}"')


@settings(deadline=None)
@given(st.one_of(st.text(max_size=300), st.lists(PARAMETER, max_size=8).map(",".join)), st.text(max_size=30))
def test_reading_never_fails_otherwise_and_never_believes(value: str, date: str) -> None:
    request = with_header(with_signature(value), "date", date)

    try:
        claim = read_cavage(request)
    except (Malformed, SignatureInvalid):
        return

    assert not rsa_key().public.verify(claim.signature, claim.base)

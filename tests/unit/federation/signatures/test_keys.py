"""Keys: read, measured, published, sealed (T06)."""

from __future__ import annotations

import base64
import hashlib
import itertools
import secrets
import time

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed448, ed25519
from hypothesis import given, settings
from hypothesis import strategies as st
from signed_requests import ed25519_key, other_rsa_key, rsa_key, vector

from node.federation.message import KeyDocument
from node.federation.signatures import keys
from node.federation.signatures.base58 import encode_base58
from node.federation.signatures.keys import (
    PublicKey,
    SealBroken,
    fingerprint_hex,
    format_multikey,
    format_public_pem,
    generate_ed25519_key,
    load_key_document,
    load_multikey,
    load_private,
    load_public_pem,
    raw_ed25519,
    seal,
    serialize_private,
    unseal,
)
from node.foundation.errors import LocalProtocolError, RemoteMalformed

NODE_KEY = bytes(range(32))
A_MULTIKEY = "z6MkrJVnaZkeFzdQyMZu1cgjg7k1pZZ6pvBQ7XJPt4swbTQ2"


def der(tag: int, content: bytes) -> bytes:
    size = len(content)
    if size < 128:
        return bytes((tag, size)) + content
    size_bytes = size.to_bytes((size.bit_length() + 7) // 8, "big")
    return bytes((tag, 0x80 | len(size_bytes))) + size_bytes + content


def der_integer(number: int) -> bytes:
    return der(2, number.to_bytes(number.bit_length() // 8 + 1, "big"))


def an_rsa_pem(modulus: int, exponent: int) -> str:
    """Write an SPKI by hand: libraries refuse to make such keys."""
    algorithm = der(0x30, bytes.fromhex("06092a864886f70d0101010500"))
    key = der(0x30, der_integer(modulus) + der_integer(exponent))
    text = base64.encodebytes(der(0x30, algorithm + der(3, b"\0" + key))).decode("ascii")
    return f"-----BEGIN PUBLIC KEY-----\n{text}-----END PUBLIC KEY-----\n"


def an_odd_number(bits: int) -> int:
    return secrets.randbits(bits) | 1 << (bits - 1) | 1


def test_an_rsa_key_survives_being_published() -> None:
    key = rsa_key().public

    again = load_public_pem(format_public_pem(key))

    assert again.algorithm == "rsa"
    assert again.verify(rsa_key().sign(b"words"), b"words")
    assert format_public_pem(key).startswith("-----BEGIN PUBLIC KEY-----\n")


def test_an_ed25519_key_survives_being_published() -> None:
    key = ed25519_key().public

    as_multikey, as_pem = load_multikey(format_multikey(key)), load_public_pem(format_public_pem(key))

    assert raw_ed25519(as_multikey) == raw_ed25519(as_pem) == raw_ed25519(key)
    assert as_multikey.algorithm == as_pem.algorithm == "ed25519"
    assert format_multikey(key).startswith("z6Mk")


def test_a_pkcs1_rsa_key_is_read() -> None:
    pem = vector("rfc9421_b2.json")["keys"]["test-key-rsa"]["publicKeyPem"]

    key = load_public_pem(pem)

    assert pem.startswith("-----BEGIN RSA PUBLIC KEY-----")
    assert key.algorithm == "rsa"


def test_a_published_multikey_is_the_key_of_its_jwk() -> None:
    case = vector("fep8b32_eddsa_jcs_2022.json")["cases"][0]

    raw = raw_ed25519(load_multikey(case["publicKeyMultibase"]))

    assert raw == base64.urlsafe_b64decode(case["privateKeyJwk"]["x"] + "=")


@pytest.mark.parametrize("make", [rsa_key, ed25519_key])
def test_a_signature_is_good_for_its_bytes_and_key_alone(make: object) -> None:
    key = rsa_key() if make is rsa_key else ed25519_key()
    other = other_rsa_key() if make is rsa_key else generate_ed25519_key()

    signature = key.sign(b"words")

    assert key.public.verify(signature, b"words")
    assert not key.public.verify(signature, b"swords")
    assert not other.public.verify(signature, b"words")
    for broken in (b"", signature[:-1], signature + b"\0", b"\0" + signature, b"\0" * len(signature)):
        assert not key.public.verify(broken, b"words")


@pytest.mark.parametrize(
    ("modulus", "exponent"),
    [
        pytest.param(an_odd_number(512), 65537, id="512 bits"),
        pytest.param(an_odd_number(1024), 65537, id="1024 bits"),
        pytest.param(an_odd_number(2047), 65537, id="2047 bits"),
        pytest.param(an_odd_number(8200), 65537, id="8200 bits"),
        pytest.param(an_odd_number(16384), 65537, id="16384 bits"),
        pytest.param(an_odd_number(65536), 3, id="65536 bits"),
        pytest.param(an_odd_number(2048), 0, id="exponent 0"),
        pytest.param(an_odd_number(2048), 1, id="exponent 1"),
        pytest.param(an_odd_number(2048), 2, id="exponent 2"),
        pytest.param(an_odd_number(2048), 65536, id="even exponent"),
        pytest.param(an_odd_number(2048), 2**32 + 1, id="exponent above 32 bits"),
        pytest.param(an_odd_number(8192), an_odd_number(8190), id="exponent as long as the modulus"),
        pytest.param(an_odd_number(2048), an_odd_number(4096), id="exponent above the modulus"),
        pytest.param(an_odd_number(2048) - 1, 65537, id="even modulus"),
    ],
)
def test_t06_an_absurd_rsa_key_is_refused_at_once(modulus: int, exponent: int) -> None:
    pem = an_rsa_pem(modulus, exponent)
    started = time.thread_time()

    with pytest.raises(RemoteMalformed):
        load_public_pem(pem)

    assert time.thread_time() - started < 0.1


def test_t06_the_dearest_rsa_key_we_take_is_checked_in_time() -> None:
    key = load_public_pem(an_rsa_pem(an_odd_number(8192), 2**32 - 1))
    started = time.thread_time()

    is_good = key.verify(b"\1" * 1024, b"words")

    assert not is_good
    assert time.thread_time() - started < 0.1


@pytest.mark.parametrize(
    "pem",
    [
        "",
        "-----BEGIN PUBLIC KEY-----\n-----END PUBLIC KEY-----\n",
        "-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----\n",
        "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n",
        "-----BEGIN PUBLIC KEY-----\n" + "A" * 20_000 + "\n-----END PUBLIC KEY-----\n",
        "sécret",
        "\ud800",
    ],
    ids=map(str, itertools.count()),
)
def test_a_text_that_is_no_public_key_is_refused(pem: str) -> None:
    with pytest.raises(RemoteMalformed):
        load_public_pem(pem)


@pytest.mark.parametrize("kind", [ec.SECP256R1, ed448.Ed448PrivateKey])
def test_t06_a_key_of_another_kind_is_refused(kind: object) -> None:
    private = ec.generate_private_key(ec.SECP256R1()) if kind is ec.SECP256R1 else ed448.Ed448PrivateKey.generate()
    pem = private.public_key().public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)

    with pytest.raises(RemoteMalformed):
        load_public_pem(pem.decode("ascii"))


def test_a_private_key_is_not_taken_for_a_public_one() -> None:
    pem = vector("rfc9421_b2.json")["keys"]["test-key-rsa"]["privateKeyPem"]

    with pytest.raises(RemoteMalformed):
        load_public_pem(pem)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "z",
        A_MULTIKEY[1:],
        "m" + A_MULTIKEY[1:],
        "u" + A_MULTIKEY[1:],
        A_MULTIKEY + "1",
        A_MULTIKEY[:-1],
        A_MULTIKEY + "\n",
        "z" + encode_base58(b"\xec\x01" + bytes(range(32))),
        "z" + encode_base58(b"\xed\x01" + bytes(range(31))),
        "z" + encode_base58(b"\x80\x26" + bytes(range(32))),
        "z" + "6" * 1_000_000,
    ],
    ids=map(str, itertools.count()),
)
def test_a_text_that_is_no_ed25519_multikey_is_refused(text: str) -> None:
    with pytest.raises(RemoteMalformed):
        load_multikey(text)


@pytest.mark.parametrize("y", sorted(keys._SMALL_ORDER), ids=lambda y: y.hex()[:8])
@pytest.mark.parametrize("sign", [0, 0x80])
def test_a_key_for_which_everybody_can_sign_is_refused(y: bytes, sign: int) -> None:
    raw = y[:31] + bytes((y[31] | sign,))
    forged = b"\1" + bytes(63)
    handle = ed25519.Ed25519PublicKey.from_public_bytes(raw)
    accepted = sum(PublicKey("ed25519", handle).verify(forged, bytes((number,))) for number in range(256))

    with pytest.raises(RemoteMalformed):
        load_multikey("z" + encode_base58(b"\xed\x01" + raw))

    # Of 256 texts nobody signed, the library takes an eighth and more.
    assert accepted >= 30


@settings(deadline=None)
@given(st.text(max_size=300))
def test_reading_keys_never_fails_otherwise_and_never_accepts(text: str) -> None:
    for load in (load_public_pem, load_multikey, lambda pem: load_public_pem(f"-----BEGIN PUBLIC KEY-----\n{pem}")):
        with pytest.raises(RemoteMalformed):
            load(text)


def test_a_key_document_is_read_by_the_kind_it_names() -> None:
    rsa_document = KeyDocument("a#main-key", "a", "rsa", format_public_pem(rsa_key().public))
    multikey_document = KeyDocument("a#ed25519", "a", "ed25519", format_multikey(ed25519_key().public))
    pem_document = KeyDocument("a#ed25519", "a", "ed25519", format_public_pem(ed25519_key().public))

    assert load_key_document(rsa_document).algorithm == "rsa"
    assert load_key_document(multikey_document).algorithm == "ed25519"
    assert load_key_document(pem_document).algorithm == "ed25519"


def test_t06_a_key_document_that_holds_another_kind_than_it_names_is_refused() -> None:
    texts = {
        "rsa": (format_multikey(ed25519_key().public), format_public_pem(ed25519_key().public)),
        "ed25519": (format_public_pem(rsa_key().public),),
        "hmac": (format_public_pem(rsa_key().public), format_multikey(ed25519_key().public)),
    }

    for algorithm, wrong in texts.items():
        for text in wrong:
            with pytest.raises(RemoteMalformed):
                load_key_document(KeyDocument("a#key", "a", algorithm, text))


def test_an_rsa_key_has_no_multikey_and_no_raw_bytes() -> None:
    for ask in (format_multikey, raw_ed25519):
        with pytest.raises(LocalProtocolError):
            ask(rsa_key().public)


def test_fingerprints_are_those_two_operators_can_compute() -> None:
    rsa, ed = rsa_key().public, ed25519_key().public
    spki = base64.b64decode("".join(format_public_pem(rsa).splitlines()[1:-1]))

    assert fingerprint_hex(ed) == hashlib.sha256(raw_ed25519(ed)).hexdigest()
    assert fingerprint_hex(rsa) == hashlib.sha256(spki).hexdigest()


@pytest.mark.parametrize("make", [rsa_key, ed25519_key])
def test_our_own_keys_survive_being_stored(make: object) -> None:
    key = rsa_key() if make is rsa_key else ed25519_key()

    again = load_private(
        unseal(seal(serialize_private(key), node_key=NODE_KEY, context="k"), node_key=NODE_KEY, context="k")
    )

    assert again.algorithm == key.algorithm
    assert key.public.verify(again.sign(b"words"), b"words")


def test_our_own_rsa_key_is_loaded_without_the_slow_test() -> None:
    data = serialize_private(rsa_key())
    started = time.thread_time()

    load_private(data)

    assert time.thread_time() - started < 0.02


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"\x30\x00",
        b"not a key",
        ec.generate_private_key(ec.SECP256R1()).private_bytes(
            serialization.Encoding.DER, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        ),
    ],
    ids=["empty", "empty sequence", "text", "another kind"],
)
def test_stored_bytes_that_are_no_key_of_ours_are_refused(data: bytes) -> None:
    with pytest.raises(SealBroken):
        load_private(data)


def test_keys_do_not_show_themselves() -> None:
    assert repr(ed25519_key()) == "PrivateKey(algorithm='ed25519')"
    assert repr(rsa_key().public) == "PublicKey(algorithm='rsa')"


def test_a_sealed_secret_opens_with_its_key_and_context() -> None:
    sealed = seal(b"secret", node_key=NODE_KEY, context="actor-key:17")

    assert sealed.startswith("v1.")
    assert "=" not in sealed
    assert unseal(sealed, node_key=NODE_KEY, context="actor-key:17") == b"secret"


def test_a_secret_is_never_sealed_the_same_way_twice() -> None:
    sealed = {seal(b"secret", node_key=NODE_KEY, context="c") for _ in range(50)}

    assert len(sealed) == 50


def test_a_secret_stored_by_an_earlier_release_still_opens() -> None:
    stored = "v1.AAECAwQFBgcICQoL-p5rckxjX8_Ipf1AAVHUamAZzYwSZg"

    assert unseal(stored, node_key=NODE_KEY, context="actor-key:17") == b"secret"


def test_a_sealed_secret_does_not_open_otherwise() -> None:
    sealed = seal(b"secret", node_key=NODE_KEY, context="actor-key:17")
    flipped = sealed[:-5] + ("A" if sealed[-5] != "A" else "B") + sealed[-4:]

    for text, node_key, context in [
        (sealed, bytes(32), "actor-key:17"),
        (sealed, NODE_KEY, "actor-key:18"),
        (sealed, NODE_KEY, ""),
        (sealed, NODE_KEY[:16], "actor-key:17"),
        ("v2" + sealed[2:], NODE_KEY, "actor-key:17"),
        (sealed[3:], NODE_KEY, "actor-key:17"),
        (sealed[:-4], NODE_KEY, "actor-key:17"),
        ("v1." + "A" + sealed[4:] if sealed[3] != "A" else "v1.B" + sealed[4:], NODE_KEY, "actor-key:17"),
        (flipped, NODE_KEY, "actor-key:17"),
        ("v1.", NODE_KEY, "actor-key:17"),
    ]:
        with pytest.raises(SealBroken):
            unseal(text, node_key=node_key, context=context)


def test_a_node_key_of_another_size_seals_nothing() -> None:
    with pytest.raises(SealBroken):
        seal(b"secret", node_key=b"short", context="c")


@settings(deadline=None)
@given(st.one_of(st.text(max_size=100), st.text(max_size=100).map("v1.".__add__)))
def test_opening_a_secret_never_fails_otherwise_and_never_accepts(text: str) -> None:
    with pytest.raises(SealBroken):
        unseal(text, node_key=NODE_KEY, context="c")

"""Two independent libraries judge our signatures, and we theirs; one of them can be forged (T06)."""

from __future__ import annotations

import sys
from datetime import UTC, datetime

import pytest
from signed_requests import (
    ED25519_KEY_ID,
    NOW,
    ORIGIN,
    RSA_KEY_ID,
    a_get,
    a_post,
    accept,
    ed25519_key,
    other_rsa_key,
    rsa_key,
    with_another,
)

from node.federation.message import Request
from node.federation.signatures.cavage import GET_HEADERS, POST_HEADERS, format_http_date, sign_cavage
from node.federation.signatures.digest import format_digest
from node.federation.signatures.keys import PrivateKey, format_public_pem
from node.federation.signatures.rfc9421 import GET_COMPONENTS, POST_COMPONENTS, sign_rfc9421
from node.foundation.errors import SignatureInvalid
from tests.support.oracles import (
    httpsig_accepts,
    httpsig_sign,
    load_httpsig,
    private_pem,
    rfc9421_accepts,
    rfc9421_sign,
)

POST_REQUIRED, GET_REQUIRED = list(POST_HEADERS), list(GET_HEADERS)
KEYS = pytest.mark.parametrize(
    ("key", "key_id"), [(rsa_key(), RSA_KEY_ID), (ed25519_key(), ED25519_KEY_ID)], ids=["rsa", "ed25519"]
)


def prepared(request: Request) -> Request:
    """Add what a peer adds before it signs in the draft dialect."""
    dated = with_another(request, "date", format_http_date(NOW))
    return with_another(dated, "digest", format_digest(request.body))


def test_httpsig_is_imported_without_leaving_its_stub_behind() -> None:
    before = sys.modules.get("pkg_resources")

    httpsig = load_httpsig()

    assert hasattr(httpsig, "HeaderVerifier")
    assert sys.modules.get("pkg_resources") is before


def test_httpsig_accepts_what_we_sign_and_nothing_else() -> None:
    pem = format_public_pem(rsa_key().public)
    post = sign_cavage(a_post(), rsa_key(), RSA_KEY_ID, now=NOW)
    get = sign_cavage(a_get(), rsa_key(), RSA_KEY_ID, now=NOW)

    assert httpsig_accepts(post, pem, required=POST_REQUIRED)
    assert httpsig_accepts(get, pem, required=GET_REQUIRED)
    assert not httpsig_accepts(Request("POST", "/other", post.headers, post.body), pem, required=POST_REQUIRED)
    assert not httpsig_accepts(post, format_public_pem(other_rsa_key().public), required=POST_REQUIRED)


def test_we_accept_what_httpsig_signs_and_nothing_else() -> None:
    pem = private_pem(rsa_key())
    post = httpsig_sign(prepared(a_post()), pem, key_id=RSA_KEY_ID, headers=POST_REQUIRED)
    get = httpsig_sign(prepared(a_get()), pem, key_id=RSA_KEY_ID, headers=GET_REQUIRED)

    assert accept(post, rsa_key().public).key_id == RSA_KEY_ID
    assert accept(get, rsa_key().public).key_id == RSA_KEY_ID
    for request, key in [
        (Request("POST", "/other", post.headers, post.body), rsa_key().public),
        (post, other_rsa_key().public),
    ]:
        with pytest.raises(SignatureInvalid):
            accept(request, key)


def test_t06_the_forgery_httpsig_accepts_is_refused() -> None:
    public_pem = format_public_pem(rsa_key().public)
    forged = httpsig_sign(
        prepared(a_post()), public_pem, key_id=RSA_KEY_ID, headers=POST_REQUIRED, algorithm="hmac-sha256"
    )

    assert httpsig_accepts(forged, public_pem, required=POST_REQUIRED)
    with pytest.raises(SignatureInvalid):
        accept(forged, rsa_key().public)


def test_t06_the_forgery_under_an_honest_label_is_refused() -> None:
    public_pem = format_public_pem(rsa_key().public)
    forged = httpsig_sign(
        prepared(a_post()), public_pem, key_id=RSA_KEY_ID, headers=POST_REQUIRED, algorithm="hmac-sha256"
    )
    value = (forged.one("signature") or "").replace("hmac-sha256", "hs2019")

    with pytest.raises(SignatureInvalid):
        accept(with_another(prepared(a_post()), "signature", value), rsa_key().public)


def test_t06_the_sha1_httpsig_accepts_is_refused() -> None:
    weak = httpsig_sign(
        prepared(a_post()), private_pem(rsa_key()), key_id=RSA_KEY_ID, headers=POST_REQUIRED, algorithm="rsa-sha1"
    )

    assert httpsig_accepts(weak, format_public_pem(rsa_key().public), required=POST_REQUIRED)
    with pytest.raises(SignatureInvalid):
        accept(weak, rsa_key().public)


@KEYS
def test_http_message_signatures_accepts_what_we_sign_and_nothing_else(key: PrivateKey, key_id: str) -> None:
    now = datetime.now(UTC)
    post = sign_rfc9421(a_post(), key, key_id, now=now, origin=ORIGIN)
    get = sign_rfc9421(a_get(), key, key_id, now=now, origin=ORIGIN)

    def is_accepted(request: Request, components: tuple[str, ...]) -> bool:
        return rfc9421_accepts(request, key.public, origin=ORIGIN, components=list(components))

    assert is_accepted(post, POST_COMPONENTS)
    assert is_accepted(get, GET_COMPONENTS)
    assert not is_accepted(Request("POST", "/other", post.headers, post.body), POST_COMPONENTS)
    assert not is_accepted(Request("POST", "/inbox", post.headers, b"{}"), POST_COMPONENTS)


@KEYS
def test_we_accept_what_http_message_signatures_signs_and_nothing_else(key: PrivateKey, key_id: str) -> None:
    post = rfc9421_sign(a_post(), key, key_id=key_id, origin=ORIGIN, components=list(POST_COMPONENTS))
    get = rfc9421_sign(
        a_get(), key, key_id=key_id, origin=ORIGIN, components=["@method", "@authority", "@path", "@query"]
    )
    now = datetime.now(UTC)

    assert accept(post, key.public, now=now).key_id == key_id
    assert accept(get, key.public, now=now).key_id == key_id
    with pytest.raises(SignatureInvalid):
        accept(Request("POST", "/other", post.headers, post.body), key.public, now=now)

"""Hosts have one spelling (T11), and actors one origin (T3)."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from node.federation.origin import check_actor_origins, parse_origin, same_origin
from node.federation.vocabulary import ActorView, understand
from node.foundation.errors import OriginMismatch, RemoteMalformed

ANA = "https://friend.example/people/ana"
BEN = "https://friend.example/people/ben"
EVE = "https://friend2.example/people/eve"


@pytest.mark.parametrize(
    ("uri", "origin"),
    [
        ("https://friend.example", "https://friend.example"),
        ("https://friend.example/", "https://friend.example"),
        ("https://friend.example/people/ana#main-key", "https://friend.example"),
        ("https://friend.example?author=0#main-key", "https://friend.example"),
        ("https://a-b.c1.friend.example/x", "https://a-b.c1.friend.example"),
        ("https://localhost/actor", "https://localhost"),
        ("https://xn--bcher-kva.example/x", "https://xn--bcher-kva.example"),
        ("https://bücher.example/x", "https://xn--bcher-kva.example"),
        ("https://faß.example/x", "https://xn--fa-hia.example"),
        ("https://friend.example/@ana", "https://friend.example"),
        ("https://friend.example/a:b@c", "https://friend.example"),
    ],
)
def test_the_origin_of_a_plain_id_is_its_scheme_and_host(uri: str, origin: str) -> None:
    assert parse_origin(uri) == origin


CONFUSABLE = [
    "https://friend。example/people/ana",
    "https://fr\u200biend.example/people/ana",
    "https://FRIEND.EXAMPLE./people/ana",
    "https://friend.example:443/people/ana",
    "https://friend.example@stranger/people/ana",
    "https://friend.example\\@stranger/people/ana",
    "https://[::ffff:7f00:1]/people/ana",
    # and their kin
    "https://Friend.example/people/ana",
    "https://friend.example./people/ana",
    "https://friend.example:8443/people/ana",
    "https://friend.example:/people/ana",
    "https://ana:secret@friend.example/people/ana",
    "https://@friend.example/people/ana",
    "https:\\\\friend.example/people/ana",
    "https:/friend.example/people/ana",
    "https:friend.example/people/ana",
    "https:///people/ana",
    "https://",
    "https:// friend.example/",
    " https://friend.example/",
    "https://friend.example/people/ana\n",
    "https://friend.example/peo ple/ana",
    "https://friend.example\t/people/ana",
    "https://friend.example\u00a0/people/ana",
    "https://friend.example%2e/people/ana",
    "https://friend%2eexample/people/ana",
    "https://friend．example/people/ana",
    "https://friend｡example/people/ana",
    "https://ﬁrst.example/people/ana",
    "https://ⓔxample.example/people/ana",
    "https://friend\u00ad.example/people/ana",
    "https://BÜCHER.example/people/ana",
    "https://xn--BCHER-KVA.example/people/ana",
    "https://xn--zzzzzz.example/people/ana",
    "https://-friend.example/people/ana",
    "https://friend-.example/people/ana",
    "https://fr--iend.example/people/ana",
    "https://fr_iend.example/people/ana",
    "https://friend..example/people/ana",
    "https://.friend.example/people/ana",
    f"https://{'a' * 64}.example/people/ana",
    f"https://{'a.' * 127}example/people/ana",
    f"https://friend.example/{'a' * 2_048}",
    "https://127.0.0.1/people/ana",
    "https://10.0.0.1/people/ana",
    "https://93.184.216.34/people/ana",
    "https://127.1/people/ana",
    "https://2130706433/people/ana",
    "https://0x7f000001/people/ana",
    "https://0x7f.0.0.0x1/people/ana",
    "https://017700000001/people/ana",
    "https://[::1]/people/ana",
    "https://[2001:db8::1]/people/ana",
    "https://[friend.example]/people/ana",
    "HTTPS://friend.example/people/ana",
    "http://friend.example/people/ana",
    "ftp://friend.example/people/ana",
    "file:///etc/passwd",
    "data:text/plain,x",
    "javascript:alert(1)",
    "acct:ana@friend.example",
    "friend.example/people/ana",
    "//friend.example/people/ana",
    "",
]


@pytest.mark.parametrize("uri", CONFUSABLE)
def test_t11_a_host_in_any_but_its_one_spelling_is_refused(uri: str) -> None:
    with pytest.raises(OriginMismatch):
        parse_origin(uri)

    assert not same_origin(uri, "https://friend.example/people/ana")
    assert not same_origin("https://friend.example/people/ana", uri)


@pytest.mark.parametrize("uri", CONFUSABLE)
def test_t11_a_confusable_actor_id_or_inbox_gets_nowhere(uri: str) -> None:
    for document in (
        {"id": uri, "type": "Person", "inbox": f"{ANA}/inbox"},
        {"id": ANA, "type": "Person", "inbox": uri},
        {"id": ANA, "type": "Person", "inbox": f"{ANA}/inbox", "endpoints": {"sharedInbox": uri or 5}},
    ):
        with pytest.raises((OriginMismatch, RemoteMalformed)):
            actor = understand(document)
            assert isinstance(actor, ActorView)
            check_actor_origins(actor, expected_origin="https://friend.example")


@pytest.mark.parametrize(
    ("uri", "origin"),
    [
        ("http://localhost:9001/people/ana", "http://localhost:9001"),
        ("http://localhost:80/people/ana", "http://localhost"),
        ("https://localhost:443/people/ana", "https://localhost"),
        ("http://localhost:443/people/ana", "http://localhost:443"),
        ("http://127.0.0.1:9001/", "http://127.0.0.1:9001"),
        ("http://127.0.0.2/", "http://127.0.0.2"),
        ("http://[::1]:9001/", "http://[::1]:9001"),
        ("http://[::1]/", "http://[::1]"),
        ("https://friend.example/people/ana", "https://friend.example"),
    ],
)
def test_insecure_loopback_permits_http_ports_and_loopback_addresses(uri: str, origin: str) -> None:
    assert parse_origin(uri, allow_insecure=True) == origin


@pytest.mark.parametrize(
    "uri",
    [
        "http://[::ffff:7f00:1]/",
        "http://[::ffff:127.0.0.1]/",
        "http://[0:0:0:0:0:0:0:1]/",
        "http://[::1%25lo]/",
        "http://10.0.0.1/",
        "http://127.1/",
        "http://127.0.0.01/",
        "http://2130706433/",
        "http://0.0.0.0/",
        "http://localhost:0/",
        "http://localhost:65536/",
        "http://localhost:09001/",
        "http://localhost:9001:9002/",
        "http://localhost:９００１/",
        "http://LOCALHOST:9001/",
        "http://a@localhost:9001/",
        "http://localhost:9001\\@stranger/",
        "ftp://localhost:9001/",
    ],
)
def test_t11_insecure_loopback_permits_nothing_else(uri: str) -> None:
    with pytest.raises(OriginMismatch):
        parse_origin(uri, allow_insecure=True)


@settings(deadline=None)
@given(st.text(st.characters(codec="utf-8"), max_size=30), st.booleans())
def test_t11_no_text_raises_anything_but_our_error(text: str, allow_insecure: bool) -> None:
    for uri in (text, f"https://{text}", f"http://{text}/x", f"https://friend.example{text}"):
        try:
            origin = parse_origin(uri, allow_insecure=allow_insecure)
        except OriginMismatch:
            continue
        assert origin.isascii() and origin == origin.lower()
        assert parse_origin(f"{origin}/x", allow_insecure=allow_insecure) == origin


def an_actor(**members: Any) -> ActorView:
    key = {"id": f"{ANA}#main-key", "owner": ANA, "publicKeyPem": "p"}
    view = understand({"id": ANA, "type": "Person", "inbox": f"{ANA}/inbox", "publicKey": key, **members})
    assert isinstance(view, ActorView)
    return view


def test_an_actor_of_the_expected_origin_passes() -> None:
    check_actor_origins(an_actor(), expected_origin="https://friend.example")


@pytest.mark.parametrize(
    "change",
    [
        {"id": EVE},
        {"inbox": f"{EVE}/inbox"},
        {"endpoints": {"sharedInbox": "https://friend2.example/inbox"}},
        {"publicKey": {"id": f"{EVE}#main-key", "owner": ANA, "publicKeyPem": "p"}},
        {"publicKey": {"id": f"{ANA}#main-key", "owner": EVE, "publicKeyPem": "p"}},
        {"publicKey": {"id": f"{ANA}#main-key", "owner": BEN, "publicKeyPem": "p"}},
    ],
)
def test_t03_an_actor_that_reaches_to_another_origin_or_owner_is_refused(change: dict[str, Any]) -> None:
    with pytest.raises(OriginMismatch):
        check_actor_origins(an_actor(**change), expected_origin="https://friend.example")


def test_t03_an_actor_served_by_another_origin_is_refused() -> None:
    with pytest.raises(OriginMismatch):
        check_actor_origins(an_actor(), expected_origin="https://friend2.example")

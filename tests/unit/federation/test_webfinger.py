"""Addresses, WebFinger answers, and those who answer about somebody else."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from node.federation.webfinger import build_jrd, parse_account, read_jrd
from node.foundation.errors import Invalid, NodeError, OriginMismatch, RemoteMalformed

ORIGIN = "https://hospital.example"
BEN = "https://hospital.example/people/ben"
AS_PROFILE = 'application/ld+json; profile="https://www.w3.org/ns/activitystreams"'


def a_jrd(
    *, subject: Any = "acct:ben@hospital.example", href: Any = BEN, kind: Any = "application/activity+json", **more: Any
) -> bytes:
    link = {"rel": "self", "type": kind, "href": href}
    return json.dumps({"subject": subject, "links": [link], **more}).encode()


@pytest.mark.parametrize(
    ("text", "account"),
    [
        ("ben@hospital.example", ("ben", "hospital.example")),
        ("@ben@hospital.example", ("ben", "hospital.example")),
        ("acct:ben@hospital.example", ("ben", "hospital.example")),
        ("ACCT:ben@hospital.example", ("ben", "hospital.example")),
        ("@ben@host:9002", ("ben", "host:9002")),
        ("@ben@[::1]:9002", ("ben", "[::1]:9002")),
        ("  @Ben.Mc-Coy_2@Hospital.EXAMPLE \n", ("Ben.Mc-Coy_2", "hospital.example")),
        ("b@xn--bcher-kva.example", ("b", "xn--bcher-kva.example")),
    ],
)
def test_an_address_is_read_as_people_write_it(text: str, account: tuple[str, str]) -> None:
    assert parse_account(text) == account


@pytest.mark.parametrize(
    "text",
    [
        "",
        "@",
        "ben",
        "@ben",
        "ben@",
        "@@ben@hospital.example",
        "acct:@ben@hospital.example",
        "ben@hospital.example@stranger.example",
        "ben@hospital.example/people",
        "ben@hospital.example:0",
        "ben@hospital.example:99999",
        "ben@hospital.example:",
        "ben@hospital.example.",
        "ben@-hospital.example",
        "ben@hospital..example",
        "ben@hospital。example",
        "ben@bücher.example",
        "ben@hos\u200bpital.example",
        "ben@hospital.example#x",
        "ben@hospital.example?x",
        "b\u0435n@hospital.example",
        "ben smith@hospital.example",
        ".ben@hospital.example",
        "ben.@hospital.example",
        "https://hospital.example/people/ben",
        "a" * 65 + "@hospital.example",
        "ben@" + "a" * 64 + ".example",
        "ben@" + "a." * 200 + "example",
    ],
)
def test_t11_text_that_is_no_plain_address_is_refused(text: str) -> None:
    with pytest.raises(Invalid):
        parse_account(text)


def test_our_answer_says_where_the_actor_is_and_nothing_else() -> None:
    jrd = build_jrd("ana@society.example", "https://society.example/people/ana", "https://society.example/people/ana")

    assert jrd == {
        "subject": "acct:ana@society.example",
        "aliases": ["https://society.example/people/ana"],
        "links": [
            {"rel": "self", "type": "application/activity+json", "href": "https://society.example/people/ana"},
            {
                "rel": "http://webfinger.net/rel/profile-page",
                "type": "text/html",
                "href": "https://society.example/people/ana",
            },
        ],
    }


def test_our_answer_is_understood_by_our_reader() -> None:
    jrd = build_jrd("localhost:9001@localhost:9001", "http://localhost:9001/actor")
    jrd["subject"] = "acct:node@localhost:9001"

    actor_uri = read_jrd(json.dumps(jrd).encode(), expected_origin="http://localhost:9001")

    assert actor_uri == "http://localhost:9001/actor"
    assert len(jrd["links"]) == 1


def test_an_answer_with_links_of_every_kind_leads_to_its_actor() -> None:
    links = [
        {"rel": "http://webfinger.net/rel/profile-page", "type": "text/html", "href": f"{ORIGIN}/@ben"},
        {"rel": "self", "type": "text/html", "href": "https://stranger.example/"},
        {"rel": "self", "type": "application/activity+json", "href": BEN},
        {"rel": "self", "type": AS_PROFILE, "href": BEN},
        {"rel": "http://ostatus.org/schema/1.0/subscribe", "template": f"{ORIGIN}/follow?uri={{uri}}"},
        {"rel": "http://webfinger.net/rel/avatar", "type": None, "href": f"{ORIGIN}/b.png", "properties": {"x": None}},
    ]
    document = a_jrd(links=links, aliases=[f"{ORIGIN}/@ben"], properties={"y": "z"})

    assert read_jrd(document, expected_origin=ORIGIN) == BEN


@pytest.mark.parametrize(
    "document",
    [
        a_jrd(subject="acct:ben@stranger.example", href="https://stranger.example/people/ben"),
        a_jrd(subject="acct:ben@stranger.example"),
        a_jrd(subject="acct:ben@hospital.example:8443", href="https://hospital.example:8443/people/ben"),
        a_jrd(subject="acct:ben@sub.hospital.example"),
        a_jrd(href="https://stranger.example/people/ben"),
        a_jrd(href="http://hospital.example/people/ben"),
        a_jrd(href="https://hospital.example:8443/people/ben"),
        a_jrd(href="https://hospital.example@stranger.example/people/ben"),
        a_jrd(href="https://hospital.example.stranger.example/people/ben"),
        a_jrd(href="https://hospital.example\\@stranger.example/people/ben"),
        a_jrd(href="https://hospital.example"),
        a_jrd(href="https://hospital.example/people/ben stranger"),
        a_jrd(href="https://hospital.example/people/b\u0435n"),
        a_jrd(href="//hospital.example/people/ben"),
        a_jrd(href="/people/ben"),
        a_jrd(href=""),
    ],
)
def test_t36_an_answer_about_another_origin_is_refused(document: bytes) -> None:
    with pytest.raises(OriginMismatch):
        read_jrd(document, expected_origin=ORIGIN)


def test_t36_an_answer_may_speak_of_an_allowed_origin_if_the_actor_lives_there() -> None:
    allowed = {"https://social.hospital.example"}.__contains__
    there = "https://social.hospital.example/people/ben"

    moved = a_jrd(subject="acct:ben@social.hospital.example", href=there)
    split = a_jrd(subject="acct:ben@hospital.example", href=there)
    crossed = a_jrd(subject="acct:ben@social.hospital.example", href=BEN)

    assert read_jrd(moved, expected_origin=ORIGIN, allowed_origins=allowed) == there
    for document in (split, crossed):
        with pytest.raises(OriginMismatch):
            read_jrd(document, expected_origin=ORIGIN, allowed_origins=allowed)


@pytest.mark.parametrize(
    "document",
    [
        b"",
        b"[]",
        b"\xff\xfe",
        b'{"links":[]}',
        a_jrd(subject=None),
        a_jrd(subject=["acct:ben@hospital.example"]),
        a_jrd(subject="ben@hospital.example"),
        a_jrd(subject=BEN),
        a_jrd(subject="acct:ben"),
        a_jrd(kind="text/html"),
        a_jrd(kind=None),
        a_jrd(kind="application/json"),
        a_jrd(href=None),
        a_jrd(href=1),
        a_jrd(links={}),
        a_jrd(links=[]),
        a_jrd(links=["self"]),
        a_jrd(links=[{"rel": "self", "type": AS_PROFILE, "href": BEN + str(n)} for n in range(2)]),
        a_jrd(links=[{"rel": "self", "type": AS_PROFILE, "href": BEN}] * 65),
        b'{"subject":"acct:ben@hospital.example","links":' + b"[" * 100_000 + b"]" * 100_000 + b"}",
        b'{"subject":"acct:ben@hospital.example","x":' + b"[" * 100_000 + b"]" * 100_000 + b"}",
    ],
)
def test_t36_an_answer_that_is_not_a_plain_jrd_is_refused(document: bytes) -> None:
    with pytest.raises(RemoteMalformed):
        read_jrd(document, expected_origin=ORIGIN)


@given(
    st.one_of(
        st.binary(),
        st.text().map(lambda text: a_jrd(subject=f"acct:{text}")),
        st.text().map(lambda text: a_jrd(href=text)),
    )
)
def test_t36_no_bytes_lead_to_another_origin(document: bytes) -> None:
    try:
        actor_uri = read_jrd(document, expected_origin=ORIGIN)
    except NodeError:
        return
    assert actor_uri.startswith(f"{ORIGIN}/")

"""What we say about ourselves, what others say, and what follows from it: refusals only."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from node.federation.nodeinfo import (
    CAPABILITIES,
    REFUSED_SOFTWARE,
    SCHEMA_URL,
    Claims,
    Software,
    build_discovery,
    build_features,
    build_nodeinfo,
    choose_nodeinfo_link,
    read_claims,
    read_nodeinfo,
    refuse_software,
)
from node.foundation.errors import NodeError, OriginMismatch, RemoteMalformed

ORIGIN = "https://hospital.example"


def a_discovery(*links: tuple[str, Any]) -> bytes:
    return json.dumps({"links": [{"rel": SCHEMA_URL + version, "href": href} for version, href in links]}).encode()


def a_nodeinfo(*, name: Any = "mastodon", version: Any = "4.7.0", schema: Any = "2.0", **more: Any) -> bytes:
    return json.dumps({"version": schema, "software": {"name": name, "version": version}, **more}).encode()


def test_both_versions_are_found_where_clients_look() -> None:
    discovery = build_discovery("http://localhost:9001")

    assert [link["href"] for link in discovery["links"]] == [
        "http://localhost:9001/nodeinfo/2.0",
        "http://localhost:9001/nodeinfo/2.1",
    ]


@pytest.mark.parametrize("version", ["2.0", "2.1"])
def test_t23_our_nodeinfo_counts_nobody(version: Any) -> None:
    nodeinfo = build_nodeinfo(version, "0.1.0", features={"groups": "private", "rounds": "replaced?"})

    assert nodeinfo == {
        "version": version,
        "software": {"name": "rounds", "version": "0.1.0"},
        "protocols": ["activitypub"],
        "services": {"inbound": [], "outbound": []},
        "openRegistrations": False,
        "usage": {"users": {}},
        "metadata": {"groups": "private", "rounds": {"log": 1}},
    }


def test_our_answers_are_understood_by_our_reader() -> None:
    discovery = json.dumps(build_discovery(ORIGIN)).encode()
    document = json.dumps(build_nodeinfo("2.1", "0.1.0")).encode()

    assert choose_nodeinfo_link(discovery, origin=ORIGIN) == f"{ORIGIN}/nodeinfo/2.1"
    assert read_nodeinfo(document) == Software("rounds", "0.1.0")


def test_what_we_say_of_ourselves_is_understood_and_an_operator_is_named_only_where_they_want_that() -> None:
    named = build_nodeinfo("2.1", "0.1.0", features=build_features(operator=" Ola ", contact="+00 1"))
    unnamed = build_nodeinfo("2.1", "0.1.0", features=build_features(operator="", contact=" "))

    assert read_claims(json.dumps(named).encode()) == Claims("Ola", "+00 1", CAPABILITIES)
    assert read_claims(json.dumps(unnamed).encode()) == Claims("", "", CAPABILITIES)
    assert "operator" not in unnamed["metadata"]


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.text(),
        lambda inner: (
            st.lists(inner) | st.dictionaries(st.sampled_from(["operator", "name", "contact", "capabilities"]), inner)
        ),
    )
)
def test_whatever_a_node_says_of_itself_is_short_and_harmless(metadata: Any) -> None:
    claims = read_claims(a_nodeinfo(metadata=metadata))

    assert set(claims.capabilities) <= set(CAPABILITIES)
    for line in (claims.operator, claims.contact):
        assert len(line) <= 200
        assert "\n" not in line


def test_the_newer_version_is_chosen_wherever_it_stands() -> None:
    old, new = ("2.0", f"{ORIGIN}/n/2.0"), ("2.1", f"{ORIGIN}/n/2.1")

    assert choose_nodeinfo_link(a_discovery(old, new), origin=ORIGIN) == f"{ORIGIN}/n/2.1"
    assert choose_nodeinfo_link(a_discovery(new, old), origin=ORIGIN) == f"{ORIGIN}/n/2.1"
    assert choose_nodeinfo_link(a_discovery(("1.0", "x"), old), origin=ORIGIN) == f"{ORIGIN}/n/2.0"


@pytest.mark.parametrize(
    "href",
    [
        "https://stranger.example/nodeinfo/2.1",
        "http://hospital.example/nodeinfo/2.1",
        "https://hospital.example@stranger.example/",
        "https://hospital.example:22/",
        "http://169.254.169.254/latest/meta-data",
        "/nodeinfo/2.1",
        "",
    ],
)
def test_t31_a_link_to_another_origin_is_not_chosen(href: str) -> None:
    with pytest.raises(OriginMismatch):
        choose_nodeinfo_link(a_discovery(("2.1", href), ("2.0", f"{ORIGIN}/nodeinfo/2.0")), origin=ORIGIN)


@pytest.mark.parametrize(
    "discovery",
    [
        b"",
        b"{}",
        b'{"links":{}}',
        a_discovery(),
        a_discovery(("1.0", f"{ORIGIN}/nodeinfo/1.0")),
        a_discovery(("2.1", None)),
        a_discovery(*[("2.1", f"{ORIGIN}/nodeinfo/2.1")] * 33),
        b"[" * 100_000,
    ],
)
def test_a_discovery_document_without_a_usable_link_is_refused(discovery: bytes) -> None:
    with pytest.raises(RemoteMalformed):
        choose_nodeinfo_link(discovery, origin=ORIGIN)


@pytest.mark.parametrize(
    ("document", "software"),
    [
        (
            a_nodeinfo(usage={"users": {"total": 3}}, metadata=[], protocols=["activitypub"]),
            Software("mastodon", "4.7.0"),
        ),
        (a_nodeinfo(name="Mobilizon", schema="2.1", version="5.1.0"), Software("mobilizon", "5.1.0")),
        (a_nodeinfo(name="iceshrimp.net", version="2025.1+a\u202eb\n c"), Software("iceshrimp.net", "2025.1+ab c")),
        (a_nodeinfo(version="9" * 5000), Software("mastodon", "9" * 100)),
        (a_nodeinfo(version=""), Software("mastodon", "")),
    ],
)
def test_software_is_read_short_and_harmless(document: bytes, software: Software) -> None:
    assert read_nodeinfo(document) == software


@pytest.mark.parametrize(
    "document",
    [
        b"",
        b"null",
        b'{"version":"2.0"}',
        a_nodeinfo(schema="1.0"),
        a_nodeinfo(schema=2.0),
        a_nodeinfo(name=None),
        a_nodeinfo(name=""),
        a_nodeinfo(name="a" * 64),
        a_nodeinfo(name="<b>mastodon</b>"),
        a_nodeinfo(name="pixelfed "),
        a_nodeinfo(name="p\u0456xelfed"),
        a_nodeinfo(version=4),
        b'{"version":"2.0","software":{"name":"x","version":"\\ud800"}}',
        b'{"version":"2.0","metadata":' + b"[" * 100_000 + b"]" * 100_000 + b"}",
    ],
)
def test_a_document_that_is_not_nodeinfo_is_refused(document: bytes) -> None:
    with pytest.raises(RemoteMalformed):
        read_nodeinfo(document)


@given(st.one_of(st.binary(), st.text().map(lambda name: a_nodeinfo(name=name))))
def test_no_bytes_crash_the_reader(document: bytes) -> None:
    try:
        software = read_nodeinfo(document)
    except NodeError:
        return
    assert software.name.isascii()
    assert len(software.name) <= 63


@pytest.mark.parametrize(
    "name", ["kbin", "mbin", "discourse", "nodebb", "piefed", "bonfire", "pixelfed", "wordpress", "misskey", "sharkey"]
)
def test_t17_software_known_not_to_keep_groups_private_is_refused_with_a_reason(name: str) -> None:
    reason = refuse_software(Software(name, "99.0"))

    assert reason is not None
    assert name in reason.lower()
    assert reason.endswith(".")


@pytest.mark.parametrize("name", ["rounds", "mastodon", "gotosocial", "lemmy", "smithereen", "unheard-of"])
def test_t17_other_software_is_not_refused_and_gains_nothing_by_it(name: str) -> None:
    assert refuse_software(Software(name, "1.0")) is None
    assert refuse_software(None) is None


def test_refused_names_are_written_as_they_are_read() -> None:
    for name in REFUSED_SOFTWARE:
        assert read_nodeinfo(a_nodeinfo(name=name)).name == name

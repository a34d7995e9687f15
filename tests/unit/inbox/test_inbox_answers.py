"""What an inbox answers to the unreadable, the wrong and the absurd: a 4xx, never a 5xx, and never with an effect."""

from __future__ import annotations

import json
import time
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from node.federation.message import Request
from node.foundation.text import TITLE_LIMIT_CHARACTERS
from tests.support.corridor import Corridor
from tests.support.lone_house import HOST, ORIGIN
from tests.support.requesters import ACTIVITY, a_post, ask, with_header

FRIEND = "https://friend.example"
AS_PROFILE = 'application/ld+json; profile="https://www.w3.org/ns/activitystreams"'
_QUIETLY = settings(
    max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
)


@pytest.mark.parametrize("content_type", [ACTIVITY, AS_PROFILE, f"{ACTIVITY}; charset=utf-8"])
async def test_both_types_of_activitypub_are_taken(corridor: Corridor, content_type: str) -> None:
    request = a_post(corridor.fay.activity("View", ORIGIN), content_type=content_type)

    assert (await corridor.post(corridor.fay.sign(request, corridor.now))).status == 202


async def test_another_media_type_is_not_taken(corridor: Corridor) -> None:
    for content_type in ("application/json", "text/html", "application/ld+json", "image/png", ACTIVITY + "x", "*/*"):
        request = a_post(corridor.fay.post_in(corridor.ward.uri, "Hello"), content_type=content_type)
        assert (await corridor.post(corridor.fay.sign(request, corridor.now))).status == 415, content_type

    assert await corridor.texts() == []


async def test_a_body_above_the_limit_is_refused_for_its_size_whoever_sends_it(corridor: Corridor) -> None:
    limit = corridor.lone.core.config.limits.inbox_bytes
    document = corridor.fay.activity("View", ORIGIN, content="")
    largest = json.dumps(document | {"content": "x" * (limit - len(json.dumps(document)))}).encode()

    signed = [corridor.fay.sign(a_post(body), corridor.now) for body in (largest, largest + b" ")]
    unsigned = a_post(largest + b" ")

    assert [(await corridor.post(request)).status for request in (*signed, unsigned)][1:] == [413, 413]
    assert (await corridor.post(signed[0])).status in (202, 400)


@pytest.mark.parametrize("method", ["GET", "HEAD", "PUT", "PATCH", "DELETE", "OPTIONS"])
async def test_an_inbox_takes_post_and_nothing_else(corridor: Corridor, method: str) -> None:
    request = replace(a_post(corridor.fay.post_in(corridor.ward.uri, "Hello")), method=method)
    for target in ("/inbox", "/people/mia/inbox", "/groups/ward/inbox", "/groups/nothing/inbox"):
        signed = corridor.fay.sign(replace(request, target=target), corridor.now)
        assert (await corridor.post(signed)).status == 404, target

    assert await corridor.texts() == []


_ODD_BODIES = (
    b"", b" ", b"{", b"[]", b'"text"', b"null", b"{}{}", b"\xff\xfe", b"\xef\xbb\xbf{}", b"[" * 100_000,
    b'{"a":' * 100_000, b'{"type":"View","type":"View"}', b'{"type":NaN}', b'{"type":1e999}', b'{"type":' + b"9" * 5000 + b"}",
    rb'{"type":"\ud800"}', rb'{"type":"\u0000"}', b'{"type":"View"', b"[" * 60 + b"]" * 60, b'{"a":"' + b"\\" * 100_001,
    b"<html>", b"\0" * 1000,
)  # fmt: skip


async def test_t37_odd_json_is_refused_quickly_and_has_no_effect(corridor: Corridor) -> None:
    before = await corridor.effects()

    for body in _ODD_BODIES:
        started = time.monotonic()
        answer = await corridor.post(corridor.fay.sign(a_post(body), corridor.now))
        assert answer.status == 400, body[:40]
        assert time.monotonic() - started < 2

    assert await corridor.effects() == before


_ODD_CONTEXTS: tuple[Any, ...] = (
    "https://stranger.example/context.jsonld",
    [ORIGIN, "https://www.w3.org/ns/activitystreams"],
    {"@import": "https://stranger.example/context.jsonld"},
    {"kind": "@type", "speaker": "@id"},
    {"as": "https://stranger.example/ns#"},
    "https://www.w3.org/ns/credentials/v2",
    [["https://www.w3.org/ns/activitystreams"]],
    None,
    7,
)


async def test_t38_no_context_makes_the_node_fetch_anything(corridor: Corridor) -> None:
    for number, context in enumerate(_ODD_CONTEXTS):
        activity = corridor.fay.activity("View", ORIGIN, number=number) | {"@context": context}
        answer = await corridor.send(corridor.fay, activity)
        assert answer.status in (202, 400, 403), context

    assert corridor.lone.wire.requests == 0


async def test_t39_a_linked_data_signature_lends_nobody_a_voice(corridor: Corridor) -> None:
    signature = {"type": "RsaSignature2017", "creator": corridor.fay.rsa_key_id, "signatureValue": "AAAA"}
    activity = corridor.fay.post_in(corridor.ward.uri, "Hello") | {"signature": signature}

    unsigned = await corridor.post(a_post(activity))
    by_a_neighbour = await corridor.send(corridor.finn, activity)

    assert (unsigned.status, by_a_neighbour.status) == (401, 403)
    assert await corridor.texts() == []


async def test_t39_an_alias_for_a_keyword_changes_nothing_that_was_signed(corridor: Corridor) -> None:
    before = await corridor.effects()
    activity = corridor.fay.post_in(corridor.ward.uri, "Hello")
    activity["@context"] = [*activity["@context"], {"kind": "@type", "speaker": {"@id": "as:actor", "@type": "@id"}}]
    activity |= {"kind": "Delete", "speaker": corridor.finn.uri}

    await corridor.send(corridor.fay, activity)

    assert await corridor.effects() == before


async def test_t40_a_collection_is_never_walked(corridor: Corridor) -> None:
    endless = {"type": "OrderedCollection", "id": f"{FRIEND}/c", "first": f"{FRIEND}/c?page=1", "totalItems": 10**9}
    note = corridor.fay.post_in(corridor.ward.uri, "Hello", replies=endless, likes=f"{FRIEND}/likes", shares=endless)

    assert (await corridor.send(corridor.fay, note)).status == 202

    assert await corridor.texts() == ["<p>Hello</p>"]
    assert corridor.lone.wire.asked == []


async def test_t41_a_reply_to_what_is_not_here_fetches_nothing_and_is_refused_by_the_host(corridor: Corridor) -> None:
    for number in range(20):
        parent = f"{FRIEND}/posts/deep-{number}"
        await corridor.send(
            corridor.fay, corridor.fay.post_in(corridor.ward.uri, "Hi", number=number, inReplyTo=parent)
        )

    assert await corridor.texts() == []
    assert corridor.lone.wire.asked == []


_BOMBS: tuple[dict[str, Any], ...] = (
    {"oneOf": [{"type": "Note", "name": str(n)} for n in range(21)], "type": "Question"},
    {"tag": [{"type": "Mention", "href": f"{FRIEND}/people/p{n}", "name": f"@p{n}"} for n in range(51)]},
    {"tag": [{"type": "Hashtag", "name": f"#t{n}"} for n in range(51)]},
    {"attachment": [{"type": "Image", "url": f"{FRIEND}/{n}.png", "mediaType": "image/png"} for n in range(17)]},
    {"name": "n" * (TITLE_LIMIT_CHARACTERS + 1)},
    {"content": "c" * 100_001},
    {"to": [f"{FRIEND}/people/p{n}" for n in range(1000)]},
)


async def test_t42_one_more_than_the_limit_is_refused_or_cut_and_stored_nowhere_whole(corridor: Corridor) -> None:
    for number, bomb in enumerate(_BOMBS):
        activity = corridor.fay.post_in(corridor.ward.uri, "Hello", number=number)
        activity["object"] |= bomb
        assert (await corridor.send(corridor.fay, activity)).status in (202, 400), bomb.keys()

    stored = await corridor.lone.core.store.read(_longest)
    assert max(stored) <= TITLE_LIMIT_CHARACTERS
    assert corridor.lone.wire.asked == []


async def _longest(tx: Any) -> list[int]:
    mentions = await tx.value("SELECT COALESCE(MAX(n), 0) FROM (SELECT COUNT(*) AS n FROM mentions GROUP BY post_id) m")
    media = await tx.value("SELECT COALESCE(MAX(n), 0) FROM (SELECT COUNT(*) AS n FROM media GROUP BY post_id) m")
    return [int(mentions), int(media), *[len(row.title) for row in await tx.all("SELECT title FROM posts")]]


_JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**53), 2**53)
    | st.text(max_size=30)
    | st.floats(allow_nan=False, allow_infinity=False),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=12), inner, max_size=4),
    max_leaves=12,
)
_VERBS = (
    "Create", "Update", "Delete", "Follow", "Join", "Leave", "Undo", "Accept", "Reject", "Add", "Remove", "Announce", "Like",
    "Block", "Invite", "Flag", "Lock", "Move", "Offer", "TentativeAccept", "Question", "View", "Nonsense",
)  # fmt: skip
_NAMES = (
    "@context", "type", "id", "actor", "object", "to", "cc", "bto", "audience", "target", "origin", "summary", "content",
    "published", "result", "checkpoint", "logEntry", "logSalt", "proof", "signature", "role", "forgetEarlier",
)  # fmt: skip


@pytest.mark.long_on("postgresql")
@_QUIETLY
@given(verb=st.sampled_from(_VERBS), changes=st.dictionaries(st.sampled_from(_NAMES), _JSON, max_size=4), inner=_JSON)
async def test_t37_no_signed_activity_whatever_its_shape_gets_a_5xx_or_speaks_for_another(
    corridor: Corridor, verb: str, changes: dict[str, Any], inner: Any
) -> None:
    activity = corridor.abe.activity(verb, inner, number=corridor.lone.core.ids.number()) | changes
    before = await corridor.effects()

    answer = await corridor.post(corridor.abe.sign(a_post(activity), corridor.now))

    dead = await corridor.lone.core.store.read(lambda tx: tx.value("SELECT COUNT(*) FROM activities WHERE tries > 0"))
    assert answer.status < 500
    assert dead == 0, "a handler failed"
    assert await corridor.effects() == before


@pytest.mark.long_on("postgresql")
@_QUIETLY
@given(
    headers=st.lists(
        st.tuples(
            st.sampled_from(
                [
                    "signature",
                    "signature-input",
                    "digest",
                    "content-digest",
                    "date",
                    "host",
                    "content-type",
                    "accept",
                    "rounds-log",
                    "x",
                ]
            ),
            st.text(st.characters(max_codepoint=255), max_size=120),
        ),
        max_size=6,
    ),
    body=st.binary(max_size=200),
    is_signed=st.booleans(),
    method=st.sampled_from(["POST", "GET", "PUT"]),
    target=st.sampled_from(
        ["/inbox", "/people/mia/inbox", "/groups/ward/inbox", "/groups/ward/log?after=x", "/posts/" + "a" * 26]
    ),
)
async def test_t08_t10_no_headers_or_bytes_get_a_5xx_or_have_an_effect(
    corridor: Corridor, headers: list[tuple[str, str]], body: bytes, is_signed: bool, method: str, target: str
) -> None:
    request = Request(method, target, (("host", HOST), ("content-type", ACTIVITY), ("accept", ACTIVITY)), body)
    signed = corridor.abe.sign(request, corridor.now) if is_signed else request
    before = await corridor.effects()

    answer = await corridor.post(replace(signed, headers=(*signed.headers, *headers)))

    assert answer.status < 500
    assert await corridor.effects() == before


@_QUIETLY
@given(name=st.sampled_from(["signature", "digest", "date", "host"]), data=st.data())
async def test_t08_no_changed_character_of_what_was_signed_is_believed(
    corridor: Corridor, name: str, data: st.DataObject
) -> None:
    signed = corridor.abe.deliver(corridor.abe.activity("View", ORIGIN), corridor.now)
    value = signed.one(name) or ""
    # The label proves nothing and is not signed: without it, or under another name, the key decides alone.
    label = range(value.find("algorithm"), value.find('headers="')) if name == "signature" else range(0)
    place = data.draw(st.sampled_from([place for place in range(len(value)) if place not in label]))
    other = data.draw(st.characters(min_codepoint=33, max_codepoint=126).filter(lambda c: c != value[place]))
    changed = value[:place] + other + value[place + 1 :]

    answer = await ask(corridor.lone.app, with_header(signed, name, changed))

    # Names of headers may be written either way (RFC 9110 §5.1), also where a signature lists what it covers.
    names = range(value.find('headers="'), value.find('signature="')) if name == "signature" else range(0)
    is_spelling = changed.lower() == value.lower() and (name in ("host", "digest") or place in names)
    assert answer.status in (400, 401, 403) or is_spelling

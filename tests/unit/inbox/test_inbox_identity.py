"""Who is speaking: through the whole inbox, an activity has effect only in the name of the key that signed it."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from node.foundation.clock import format_instant
from tests.support.corridor import Corridor
from tests.support.lone_house import ORIGIN
from tests.support.requesters import ACTIVITY, a_foreign_actor, a_get, a_post, ask, sign_over, with_header

FRIEND, ALLY = "https://friend.example", "https://ally.example"
_REFUSED = range(400, 500)


async def test_a_post_of_a_member_is_taken_and_stands_in_the_group(corridor: Corridor) -> None:
    answer = await corridor.send(corridor.fay, corridor.fay.post_in(corridor.ward.uri, "Hello"))

    assert (answer.status, answer.body) == (202, b"")
    assert await corridor.texts() == ["<p>Hello</p>"]


_OTHER_ACTORS: tuple[Any, ...] = (
    f"{FRIEND}/people/finn",
    f"{ALLY}/people/abe",
    f"{ORIGIN}/people/mia",
    f"{FRIEND}/people/fay/",
    f"{FRIEND}/people/fay#main-key",
    f"{FRIEND}/people/FAY",
    f"{FRIEND}/actor",
    [f"{FRIEND}/people/fay", f"{FRIEND}/people/finn"],
    [f"{FRIEND}/people/finn"],
    {"id": f"{FRIEND}/people/finn"},
    None,
    "",
    1,
)


async def test_t01_an_actor_that_is_not_the_keys_owner_is_refused(corridor: Corridor) -> None:
    before = await corridor.effects()
    activity = corridor.fay.post_in(corridor.ward.uri, "Hello")

    answers = [await corridor.send(corridor.fay, activity | {"actor": actor}) for actor in _OTHER_ACTORS]

    assert [answer.status for answer in answers if answer.status not in _REFUSED] == []
    assert await corridor.effects() == before
    assert corridor.lone.wire.asked == []


_OTHER_AUTHORS: tuple[Any, ...] = (
    "1",
    1,
    f"{ORIGIN}/people/mia",
    f"{FRIEND}/people/finn",
    f"{ALLY}/people/abe",
    [f"{FRIEND}/people/fay", f"{FRIEND}/people/finn"],
    {"id": f"{FRIEND}/people/fay"},
    {"type": "Person", "id": f"{FRIEND}/people/finn"},
    [],
    "",
    None,
    True,
)


async def test_t02_a_post_attributed_to_anything_but_its_sender_is_refused(corridor: Corridor) -> None:
    before = await corridor.effects()
    activities = [corridor.fay.post_in(corridor.ward.uri, "Hello", attributedTo=author) for author in _OTHER_AUTHORS]

    answers = [await corridor.send(corridor.fay, activity) for activity in activities]

    assert [answer.status for answer in answers if answer.status not in _REFUSED] == []
    assert await corridor.effects() == before


_OTHER_IDS: tuple[tuple[str, Any], ...] = (
    ("activity", f"{ORIGIN}/activities/1"),
    ("activity", f"{ALLY}/activities/1"),
    ("activity", "1"),
    ("activity", None),
    ("object", f"{ORIGIN}/posts/1"),
    ("object", f"{ALLY}/posts/1"),
    ("object", "tag:friend.example,2026:1"),
    ("object", None),
)


async def test_t02_an_id_of_another_origin_or_of_ours_is_refused(corridor: Corridor) -> None:
    before = await corridor.effects()

    for place, uri in _OTHER_IDS:
        activity = corridor.fay.post_in(corridor.ward.uri, "Hello")
        (activity if place == "activity" else activity["object"])["id"] = uri

        assert (await corridor.send(corridor.fay, activity)).status in _REFUSED, uri

    assert await corridor.effects() == before


async def test_t07_t08_a_signature_made_for_another_request_is_refused(corridor: Corridor) -> None:
    plain = a_post(corridor.fay.prove(corridor.fay.post_in(corridor.ward.uri, "Hello"), corridor.now))
    signed = corridor.fay.sign(plain, corridor.now)
    read = with_header(corridor.fay.sign(a_get("/inbox"), corridor.now), "content-type", ACTIVITY)
    before = await corridor.effects()

    answers = {
        "other host": await corridor.post(with_header(signed, "host", "ally.example")),
        "made for another host": await corridor.post(
            corridor.fay.sign(replace(plain, headers=(("host", "ally.example"), *plain.headers[1:])), corridor.now)
        ),
        "other path": await corridor.post(replace(signed, target="/people/mia/inbox")),
        "a query more": await corridor.post(replace(signed, target="/inbox?a=1")),
        "a GET as POST": await corridor.post(replace(read, method="POST", body=signed.body)),
        "other method": await corridor.post(replace(signed, method="PUT")),
        "other body": await corridor.post(replace(signed, body=signed.body.replace(b"Hello", b"Hallo"))),
        "no body": await corridor.post(replace(signed, body=b"")),
    }

    assert {case: answer.status for case, answer in answers.items()} == dict.fromkeys(answers, 401)
    assert await corridor.effects() == before


@pytest.mark.parametrize(
    ("covered", "status"),
    [
        ("(request-target) host date digest", 202),
        ("(request-target) host (created) digest", 202),
        ("(request-target) host date", 401),
        ("(request-target) host digest", 401),
        ("(request-target) date digest", 401),
        ("host date digest", 401),
        ("date", 401),
        ("digest", 401),
        ("(created)", 401),
        ("content-type", 401),
    ],
)
async def test_t08_what_is_not_covered_is_not_believed(corridor: Corridor, covered: str, status: int) -> None:
    plain = a_post(corridor.fay.prove(corridor.fay.post_in(corridor.ward.uri, "Hello"), corridor.now))
    complete = corridor.fay.sign(plain, corridor.now)
    unsigned = replace(complete, headers=tuple(pair for pair in complete.headers if pair[0] != "signature"))

    answer = await corridor.post(sign_over(corridor.fay, unsigned, covered, corridor.now))

    assert answer.status == status
    assert await corridor.texts() == (["<p>Hello</p>"] if status == 202 else [])


async def test_t06_a_key_of_another_kind_under_a_known_name_is_refused(corridor: Corridor) -> None:
    request = corridor.fay.sign_9421(a_post(corridor.fay.post_in(corridor.ward.uri, "Hello")), corridor.now)
    swapped = with_header(
        request, "signature-input", (request.one("signature-input") or "").replace("#ed25519", "#main-key")
    )

    assert (await corridor.post(swapped)).status == 401
    assert (await corridor.post(request)).status == 202


_CONFUSABLE = (
    "https://friend。example/people/fay",
    "https://fr\u200biend.example/people/fay",
    "https://FRIEND.example/people/fay",
    "https://friend.example./people/fay",
    "https://friend.example:443/people/fay",
    "https://friend.example:8443/people/fay",
    "https://friend.example@stranger.example/people/fay",
    "https://stranger.example@friend.example/people/fay",
    "https://friend.example\\@stranger.example/people/fay",
    "https://[::ffff:7f00:1]/people/fay",
    "https://127.0.0.1/people/fay",
    "http://friend.example/people/fay",
    "//friend.example/people/fay",
    "https://xn--friend-9ta.example/people/fay",
    "https://friend.example.stranger.example/people/fay",
)


async def test_t11_a_key_id_that_only_looks_like_a_friend_is_refused_unfetched(corridor: Corridor) -> None:
    signed = corridor.fay.deliver(corridor.fay.post_in(corridor.ward.uri, "Hello"), corridor.now)

    for uri in _CONFUSABLE:
        renamed = (signed.one("signature") or "").replace(corridor.fay.uri, uri).encode().decode("latin-1")
        assert (await corridor.post(with_header(signed, "signature", renamed))).status in (400, 401, 403), uri

    assert await corridor.texts() == []
    assert corridor.lone.wire.asked == []


@pytest.mark.parametrize("place", ["actor", "attributedTo", "inbox"])
async def test_t11_a_name_that_only_looks_like_a_friend_gets_nowhere(corridor: Corridor, place: str) -> None:
    before = await corridor.effects()

    for uri in _CONFUSABLE:
        activity = corridor.fay.post_in(corridor.ward.uri, "Hello")
        if place == "inbox":
            moved = corridor.fay.document(inbox=f"{uri}/inbox", endpoints={})
            activity = corridor.fay.activity("Update", moved, number=_CONFUSABLE.index(uri))
        else:
            (activity if place == "actor" else activity["object"])[place] = uri
        await corridor.send(corridor.fay, activity)

    assert await corridor.effects() == before
    assert corridor.lone.wire.requests == 0


async def test_t09_the_instant_of_signing_is_within_the_window(corridor: Corridor) -> None:
    answers = {}
    for minutes in (-66, -64, -5, 4, 6, 10, 13 * -60):
        clock_time = corridor.now.timestamp() + minutes * 60
        at = type(corridor.now).fromtimestamp(clock_time, corridor.now.tzinfo)
        activity = corridor.fay.activity("View", corridor.mia.uri, number=format_instant(at))
        answers[minutes] = (await corridor.post(corridor.fay.sign(a_post(activity), at))).status

    assert answers == {-66: 401, -64: 202, -5: 202, 4: 202, 6: 401, 10: 401, 13 * -60: 401}


async def test_t15_whoever_is_no_active_peer_is_refused_before_anything_is_fetched(corridor: Corridor) -> None:
    unknown = a_foreign_actor("stranger.example", "unheard_of")

    answer = await ask(corridor.lone.app, unknown.deliver(unknown.activity("View", corridor.mia.uri), corridor.now))

    assert answer.status == 403
    assert corridor.lone.wire.requests == 0

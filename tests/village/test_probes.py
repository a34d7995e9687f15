"""A test between two nodes: an object of nobody is laid there, reported and erased, and whoever misuses that gets nowhere."""

from __future__ import annotations

import json
from typing import Any

import pytest
from aiohttp import web

from tests.support.commands import CommandRefused
from tests.support.foreign import ForeignActor, ForeignPeer, Received, Reply
from tests.support.village import Node, Village

pytestmark = pytest.mark.long_on("postgresql")

_TOKEN = "abcdefghijklmnopqrstuvwxy2"
_AS2 = "https://www.w3.org/ns/activitystreams"


def probe(verb: str, peer: ForeignPeer, node: Node, *, token: str = _TOKEN, text: str = "Here.") -> dict[str, Any]:
    """Return a step of a test by an outside party, as FEDERATION.md says it."""
    uri, reader, actor = f"{peer.origin}/probes/{token}", f"{node.origin}/actor", peer.instance.uri
    objects: dict[str, Any] = {
        "Create": {"type": "Note", "id": uri, "attributedTo": actor, "to": [reader], "content": text},
        "Flag": uri,
        "Delete": {"type": "Tombstone", "id": uri},
    }
    made = peer.activity(verb, peer.instance, objects[verb], proved=False, to=[reader])
    return {**made, "@context": _AS2}


async def send(peer: ForeignPeer, node: Node, document: dict[str, Any], by: ForeignActor | None = None) -> Reply:
    """Bring something to the node's inbox, by the outside party's own actor unless another is named."""
    return await peer.send(f"{node.origin}/inbox", document, by or peer.instance)


async def kept(node: Node) -> tuple[list[Any], int]:
    """Return the test objects that lie with a node, and how many activities wait or were handled."""
    rows = await node.select("SELECT uri, text FROM probes ORDER BY uri")
    return [tuple(row) for row in rows], len(await node.select("SELECT uri FROM activities"))


async def lines(node: Node, host: str) -> dict[str, tuple[bool | None, str]]:
    """Return the lines of a test, by their name."""
    try:
        tested = await node.run("peer", "test", host)
    except CommandRefused as refused:
        tested = json.loads(refused.sentence)
    return {step["name"]: (step["ok"], step["sentence"]) for step in tested["steps"]}


async def test_a_test_between_two_nodes_tries_erasure_and_reports_and_leaves_nothing(village: Village) -> None:
    a, b, _ = await village.shared_ward()
    before = await a.content()

    tested = await b.run("peer", "test", a.host)
    await village.rest()

    found = {step["name"]: step["ok"] for step in tested["steps"]}
    assert (tested["ok"], found["erasure"], found["report"]) == (True, True, True)
    [[(_, text)], _] = await kept(a)
    assert text is None
    assert await a.content() == before  # nor does anything stand before the staff
    await a.core.store.tidy()
    assert await village.find_kept("It is of nobody", a) == []


async def test_a_node_that_knows_no_tests_is_not_called_good(village: Village) -> None:
    a = await village.node("society")
    friend = await village.foreign_friend(a)

    found = await lines(a, friend.host)

    assert (
        found["erasure"]
        == found["report"]
        == (None, "Not offered by this node: it does not understand a test of this.")
    )
    assert [each.type for each in friend.deliveries] == ["View", "Create"]


async def test_a_node_that_does_not_have_us_on_its_list_is_not_tried(village: Village) -> None:
    a, b = await village.node("society"), await village.node("hospital")
    await a.add_peer(b)

    found = await lines(a, b.host)

    assert (found["listed"][0], found["erasure"][0], found["report"][0]) == (False, None, None)
    assert await kept(b) == ([], 0)


@pytest.mark.parametrize(
    ("after", "sentence"),
    [(200, "still gives the test object"), (404, "does not say that the test object was erased")],
)
async def test_a_node_that_does_not_erase_is_found_out(village: Village, after: int, sentence: str) -> None:
    a = await village.node("society")
    friend = await village.foreign_friend(a)
    laid: dict[str, Any] = {}

    def take(request: Received) -> web.Response:
        named = request.document["object"]
        if request.type == "Create":
            laid.update(named)
            friend.answers[f"/probes/{named['id'].rpartition('/')[2]}"] = give
        if request.type == "Delete" and after != 200:
            friend.answers[f"/probes/{laid['id'].rpartition('/')[2]}"] = lambda _: web.Response(status=after)
        return web.Response(status=202, headers={"Rounds-Probe": str(laid.get("id", ""))})

    def give(request: Received) -> web.Response:
        return web.json_response({"@context": _AS2, **laid}, content_type="application/activity+json")

    friend.answers["/inbox"] = take

    found = await lines(a, friend.host)

    assert found["report"][0] is True
    assert found["erasure"][0] is False
    assert sentence in found["erasure"][1]


async def test_the_steps_of_a_test_are_taken_as_the_papers_say(village: Village) -> None:
    a = await village.node("society")
    friend, ally = await village.foreign_friend(a), await village.foreign_friend(a)
    url = f"{a.origin}/probes/{_TOKEN}"

    statuses = []
    for verb in ("Create", "Flag", "Delete"):
        answer = await send(friend, a, probe(verb, friend, a))
        assert answer.headers["rounds-probe"] == f"{friend.origin}/probes/{_TOKEN}"
        statuses.append([answer.status, (await friend.get(url)).status, (await ally.get(url)).status])

    assert statuses == [[202, 200, 404], [202, 200, 404], [202, 410, 404]]
    assert await kept(a) == ([(f"{friend.origin}/probes/{_TOKEN}", None)], 0)


@pytest.mark.parametrize("state", ["stranger", "draft", "verified", "paused", "parted"])
async def test_who_is_no_active_peer_tests_nothing(village: Village, state: str) -> None:
    a = await village.node("society")
    friend = await village.foreign()
    if state != "stranger":
        more = ["--yes"] if state in ("paused", "parted") else []
        await a.run("peer", "add", friend.origin, *(["--unpinned", *more] if state != "draft" else []))
    if state in ("paused", "parted"):
        await a.run("peer", {"paused": "pause", "parted": "part"}[state], friend.host)

    answers = [await send(friend, a, probe(verb, friend, a)) for verb in ("Create", "Flag", "Delete")]

    assert {answer.status for answer in answers} == {503 if state == "paused" else 403}
    assert all("rounds-probe" not in answer.headers for answer in answers)
    assert await kept(a) == ([], 0)


async def test_a_flood_of_tests_is_stopped_and_leaves_one_row(village: Village) -> None:
    a = await village.node("society")
    friend = await village.foreign_friend(a)
    tokens = [_TOKEN[:-2] + first + second for first in "abcd" for second in "abcde"]

    statuses = [(await send(friend, a, probe("Create", friend, a, token=token))).status for token in tokens]
    rows, activities = await kept(a)
    await village.pass_time(61)
    later = (await send(friend, a, probe("Create", friend, a))).status

    assert statuses == [202] * 12 + [429] * 8
    assert (len(rows), activities, later) == (1, 0, 202)
    assert len((await kept(a))[0]) == 1


async def test_a_test_object_of_another_host_is_no_test(village: Village) -> None:
    a = await village.node("society")
    friend, ally = await village.foreign_friend(a), await village.foreign_friend(a)
    await send(ally, a, probe("Create", ally, a))
    elsewhere = f"{ally.origin}/probes/{_TOKEN}"
    foreign_create = probe("Create", friend, a)
    foreign_create["object"]["id"] = elsewhere

    created = await send(friend, a, foreign_create)
    flagged = await send(friend, a, probe("Flag", friend, a) | {"object": elsewhere})
    deleted = await send(friend, a, probe("Delete", friend, a) | {"object": {"type": "Tombstone", "id": elsewhere}})

    assert all("rounds-probe" not in answer.headers for answer in (created, flagged, deleted))
    assert created.status >= 400
    assert deleted.status >= 400
    assert (await kept(a))[0] == [(elsewhere, "Here.")]


async def test_what_differs_from_a_test_in_anything_is_an_ordinary_activity(village: Village) -> None:
    a = await village.node("society")
    await a.member("ana")
    ward = await a.group("ward", owner="ana")
    friend = await village.foreign_friend(a)
    person = friend.person("pia")
    wider = probe("Create", friend, a)
    wider["to"] = wider["object"]["to"] = [f"{a.origin}/actor", ward]
    by_person = json.loads(json.dumps(probe("Create", friend, a)).replace(friend.instance.uri, person.uri))
    documents = [
        (probe("Create", friend, a, text="x" * 201), friend.instance),
        (probe("Create", friend, a) | {"cc": [ward]}, friend.instance),
        (probe("Create", friend, a) | {"summary": "and more"}, friend.instance),
        (wider, friend.instance),
        (by_person, person),
        (probe("Flag", friend, a), friend.instance),  # nothing of that name lies here
        (probe("Delete", friend, a), friend.instance),
        (probe("Create", friend, a, token="../people/ana"), friend.instance),
    ]

    answers = [await send(friend, a, document, by) for document, by in documents]
    await village.rest()

    assert all("rounds-probe" not in answer.headers for answer in answers)
    assert (await kept(a))[0] == []
    assert await a.posts(ward, as_="ana") == []


async def test_a_report_of_a_test_object_to_a_group_is_not_swallowed(village: Village) -> None:
    a = await village.node("society")
    await a.member("ana")
    ward = await a.group("ward", owner="ana")
    friend = await village.foreign_friend(a)
    pia = friend.person("pia")
    await village.let_foreign_in(a, ward, friend, pia)
    await send(friend, a, probe("Create", friend, a))
    report = probe("Flag", friend, a) | {"to": [ward], "audience": ward}

    answer = await friend.send(f"{ward}/inbox", friend.prove(report, friend.instance), friend.instance)
    await village.rest()

    assert (answer.status, "rounds-probe" in answer.headers) == (202, False)
    [row] = await a.select("SELECT state FROM activities WHERE type = 'Flag'")
    assert row.state == "done"


async def test_a_parted_peers_test_object_goes_with_it(village: Village) -> None:
    a = await village.node("society")
    friend = await village.foreign_friend(a)
    await send(friend, a, probe("Create", friend, a))

    await a.run("peer", "part", friend.host)

    assert (await kept(a))[0] == []

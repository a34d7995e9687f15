"""Too much, and too late: storms of deletions, a peer that floods, peers that are paused or parted meanwhile."""

from __future__ import annotations

import asyncio
from collections import Counter
from dataclasses import replace

import pytest

from node.community.peering.service import part_peer, pause_peer, resume_peer
from node.inbox import receive
from tests.support.clock import FrozenClock
from tests.support.corridor import Corridor, a_corridor
from tests.support.databases import Databases
from tests.support.lone_house import ORIGIN, rsa_key
from tests.support.requesters import ForeignActor, a_foreign_actor, a_get, a_post, ask
from tests.support.waiting import until

FRIEND = "https://friend.example"


async def test_t14_five_hundred_deletions_of_strangers_cost_no_request_and_no_row(corridor: Corridor) -> None:
    before = await corridor.effects()
    statuses: Counter[int] = Counter()

    for number in range(500):
        gone = ForeignActor(f"{FRIEND}/people/gone-{number}", corridor.fay.rsa, corridor.fay.ed25519)
        answer = await ask(corridor.lone.app, gone.deliver(gone.activity("Delete", gone.uri), corridor.now))
        statuses[answer.status] += 1
    await corridor.lone.work()

    kept = await corridor.lone.core.store.read(lambda tx: tx.value("SELECT COUNT(*) FROM activities"))
    assert statuses == {202: 500}
    assert corridor.lone.wire.requests == 0
    assert (await corridor.effects(), kept) == (before, 0)


@pytest.mark.parametrize("target", ["/inbox", "/people/mia/inbox", "/groups/ward/inbox", "/groups/nothing/inbox"])
async def test_t14_the_deletion_of_a_stranger_is_answered_alike_everywhere(corridor: Corridor, target: str) -> None:
    gone = a_foreign_actor("friend.example", "gone")
    document = gone.activity("Delete", {"type": "Person", "id": gone.uri})

    answer = await corridor.send(gone, document, target=target)

    assert answer.status == 202
    assert corridor.lone.wire.requests == 0


@pytest.mark.parametrize("host", ["stranger.example", "unheard.example"])
async def test_t14_a_stranger_node_is_refused_even_for_a_deletion(corridor: Corridor, host: str) -> None:
    gone = a_foreign_actor(host, "gone")

    answer = await corridor.send(gone, gone.activity("Delete", gone.uri))

    assert answer.status == 403
    assert corridor.lone.wire.requests == 0


async def test_t14_nobody_is_deleted_by_somebody_elses_key(corridor: Corridor) -> None:
    forger = replace(corridor.fay, rsa=rsa_key("an attacker's"))
    delete = corridor.fay.activity("Delete", corridor.fay.uri)
    before = await corridor.effects()

    by_forger = await corridor.send(forger, delete)
    by_neighbour = await corridor.send(corridor.finn, delete)
    unknown_key = await corridor.post(
        forger.sign(a_post(delete), corridor.now, key_id=f"{corridor.fay.uri}#another-key")
    )

    assert (by_forger.status, by_neighbour.status) == (401, 403)
    assert unknown_key.status in (202, 401)
    assert await corridor.effects() == before


async def test_t14_somebody_who_is_gone_leaves_their_groups(corridor: Corridor) -> None:
    answer = await corridor.send(corridor.fay, corridor.fay.activity("Delete", corridor.fay.uri))

    after = await corridor.send(corridor.fay, corridor.fay.post_in(corridor.ward.uri, "Still here?"))
    assert (answer.status, after.status) == (202, 202)
    assert await corridor.texts() == []


async def test_t45_a_peer_that_floods_waits_for_itself_and_for_nobody_else(
    databases: Databases, clock: FrozenClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(receive, "WAIT_FOR_TURN_SECONDS", 0.2)
    async with a_corridor(databases, clock, limits={"in_flight_per_peer": 4}) as corridor:
        wire, app, now = corridor.lone.wire, corridor.lone.app, corridor.now
        newcomer = a_foreign_actor("friend.example", "newcomer")
        wire.documents, wire.held = {newcomer.uri: newcomer.document()}, asyncio.Event()

        flood = [
            asyncio.create_task(ask(app, newcomer.deliver(newcomer.activity("View", ORIGIN, number=n), now)))
            for n in range(12)
        ]
        done, waiting = await asyncio.wait(flood, timeout=1.0)
        other_peer = await corridor.send(corridor.abe, corridor.abe.activity("View", ORIGIN))
        member = await ask(app, a_get("/about", accept="text/html"))
        wire.held.set()
        late = [await task for task in waiting]

        refused = [task.result() for task in done]
        assert [(answer.status, answer.one("retry-after")) for answer in refused] == [(429, "5")] * 8
        assert [answer.status for answer in late] == [202] * 4
        assert (other_peer.status, member.status) == (202, 200)
        assert wire.asked == [newcomer.uri]


async def test_t45_a_peer_that_floods_with_posts_is_handled_beside_others_and_in_its_own_order(
    corridor: Corridor,
) -> None:
    for number in range(40):
        activity = corridor.fay.post_in(corridor.ward.uri, f"{number}", number=number)
        await ask(corridor.lone.app, corridor.fay.deliver(activity, corridor.now))
    request = corridor.abe.activity("Follow", corridor.ward.uri, to=[corridor.ward.uri])
    await ask(corridor.lone.app, corridor.abe.deliver(request, corridor.now))

    await corridor.lone.house.processor.round()

    states = await corridor.lone.core.store.read(lambda tx: tx.all("SELECT actor_uri, state FROM activities"))
    assert {row.state for row in states} == {"done"}
    assert await corridor.texts() == [f"<p>{number}</p>" for number in range(40)]


async def test_t15_what_a_peer_sent_and_nobody_acted_on_is_dropped_when_it_is_parted_from(corridor: Corridor) -> None:
    request = corridor.fay.deliver(corridor.fay.post_in(corridor.ward.uri, "Hello"), corridor.now)
    assert (await ask(corridor.lone.app, request)).status == 202
    before = await corridor.effects()

    await part_peer(corridor.lone.core, "friend.example", by="operator", reason="")
    await corridor.lone.work()
    after = await corridor.post(request)

    assert await corridor.texts() == []
    assert after.status == 403
    effects = await corridor.effects()
    assert {table: rows for table, rows in effects.items() if rows != before[table]}.keys() == {"audit"}


async def test_t15_what_a_peer_sent_waits_while_it_is_paused_and_goes_on_afterwards(corridor: Corridor) -> None:
    request = corridor.fay.deliver(corridor.fay.post_in(corridor.ward.uri, "Hello"), corridor.now)
    assert (await ask(corridor.lone.app, request)).status == 202

    await pause_peer(corridor.lone.core, "friend.example", by="operator", reason="")
    await corridor.lone.work()
    meanwhile = await corridor.texts()
    refused = await corridor.post(request)
    await resume_peer(corridor.lone.core, "friend.example", by="operator", reason="")
    await corridor.lone.work()

    assert (meanwhile, refused.status, refused.one("retry-after")) == ([], 503, "300")
    assert await corridor.texts() == ["<p>Hello</p>"]


async def test_t15_a_signature_verified_before_a_parting_is_no_ticket(corridor: Corridor) -> None:
    corridor.lone.wire.held = asyncio.Event()
    newcomer = a_foreign_actor("friend.example", "newcomer")
    corridor.lone.wire.documents = {newcomer.uri: newcomer.document()}
    request = newcomer.deliver(newcomer.activity("Follow", corridor.ward.uri), corridor.now)
    before = await corridor.effects()
    answer = asyncio.create_task(ask(corridor.lone.app, request))
    await until(lambda: bool(corridor.lone.wire.asked))

    await part_peer(corridor.lone.core, "friend.example", by="operator", reason="")
    corridor.lone.wire.held.set()

    assert (await answer).status in (401, 403)
    await corridor.lone.work()
    effects = await corridor.effects()
    assert effects["memberships"] == before["memberships"]

"""Who is sent a group's words: nodes with a current member, and nobody else, at the moment of sending."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from node.community.peering.service import part_peer, pause_peer, resume_peer
from node.domain.actors import Actor, Member
from node.domain.groups import Group
from node.domain.peers import Peer
from node.federation.message import Answer
from node.store.engine import Tx
from node.store.rosters import get_admission
from tests.support.group_life import let_in, make_group, put_out, say
from tests.support.lone_house import Delivery, LoneHouse
from tests.support.requesters import a_foreign_actor, know_actor, know_peer

_CHAIN = "0" * 64


def entries_to(lone: LoneHouse, host: str) -> list[int]:
    """Return the numbers of the log entries that were sent to a host, in order."""
    return [
        delivery.document["logEntry"]["seq"]
        for delivery in lone.wire.deliveries
        if "logEntry" in delivery.document and delivery.url.startswith(f"https://{host}/")
    ]


async def know_somebody(lone: LoneHouse, host: str, handle: str = "fay") -> tuple[Actor, Peer]:
    """Make an active peer and somebody on it."""
    peer = await know_peer(lone.core, host, software="rounds")
    return await know_actor(lone.core, a_foreign_actor(host, handle)), peer


async def a_ward(lone: LoneHouse, *, history: str = "all") -> tuple[Group, Member]:
    """Make a group with a member of ours who talks."""
    mia = await lone.member("mia")
    return await make_group(lone, "ward", mia, history=history), mia


def at_first_entry(act: Callable[[], Awaitable[Any]]) -> Callable[[Delivery], Awaitable[Answer]]:
    """Return a reply of 202 that lets something happen here while the first log entry is on its way."""
    done = []

    async def reply(delivery: Delivery) -> Answer:
        if "logEntry" in delivery.document and not done:
            done.append(delivery)
            await act()
        return Answer(202)

    return reply


async def _base_of(tx: Tx, group: Group, peer: Peer) -> int:
    admission = await get_admission(tx, group_id=group.group_id, peer_id=peer.peer_id)
    return admission.base_seq if admission else -1


async def test_t17_nothing_more_goes_to_a_node_whose_last_member_is_removed_while_entries_are_sent(
    lone: LoneHouse,
) -> None:
    ward, mia = await a_ward(lone)
    fay, friend = await know_somebody(lone, "friend.example")
    await let_in(lone, ward, fay, friend)
    for number in range(6):
        await say(lone, ward, mia, f"Number {number}")
    lone.wire.reply = at_first_entry(lambda: put_out(lone, ward, fay))

    await lone.deliver()

    assert len(entries_to(lone, "friend.example")) == 1


@pytest.mark.parametrize("end", [pause_peer, part_peer])
async def test_t17_nothing_more_goes_to_a_peer_that_is_paused_or_parted_while_entries_are_sent(
    lone: LoneHouse, end: Any
) -> None:
    ward, mia = await a_ward(lone)
    fay, friend = await know_somebody(lone, "friend.example")
    await let_in(lone, ward, fay, friend)
    for number in range(6):
        await say(lone, ward, mia, f"Number {number}")
    lone.wire.reply = at_first_entry(lambda: end(lone.core, "friend.example", by="operator", reason=""))

    await lone.deliver()

    assert len(entries_to(lone, "friend.example")) == 1


async def test_t17_a_pause_loses_nothing(lone: LoneHouse) -> None:
    ward, mia = await a_ward(lone)
    fay, friend = await know_somebody(lone, "friend.example")
    await let_in(lone, ward, fay, friend)
    await pause_peer(lone.core, "friend.example", by="operator", reason="")
    for number in range(25):
        await say(lone, ward, mia, f"Number {number}")
    await lone.deliver()
    assert lone.wire.deliveries == []

    await resume_peer(lone.core, "friend.example", by="operator", reason="")
    await lone.deliver()

    assert entries_to(lone, "friend.example") == list(range(1, 28))


@pytest.mark.parametrize("held", [0, 1, 3])
async def test_t17_a_peer_that_says_it_holds_less_is_never_sent_what_was_written_before_it_came(
    lone: LoneHouse, held: int
) -> None:
    ward, mia = await a_ward(lone, history="since_join")
    for number in range(5):
        await say(lone, ward, mia, f"Before, {number}")
    fay, friend = await know_somebody(lone, "friend.example")
    await let_in(lone, ward, fay, friend)
    await say(lone, ward, mia, "After")
    position = (("rounds-log", f"{ward.uri}; epoch=1; seq={held}; chain={_CHAIN}"),)
    answers = [Answer(409, position)] * 3

    async def reply(delivery: Delivery) -> Answer:
        return answers.pop() if "logEntry" in delivery.document and answers else Answer(202)

    lone.wire.reply = reply
    await lone.deliver()
    lone.clock.advance(3600)
    await lone.deliver()

    base = await lone.core.store.read(_base_of, ward, friend)
    assert base > 3
    assert min(entries_to(lone, "friend.example")) == base + 1


async def test_t17_a_peer_that_always_says_it_holds_less_is_not_asked_without_end(lone: LoneHouse) -> None:
    ward, mia = await a_ward(lone)
    fay, friend = await know_somebody(lone, "friend.example")
    await let_in(lone, ward, fay, friend)
    for number in range(5):
        await say(lone, ward, mia, f"Number {number}")
    told = iter(range(10_000))

    async def reply(delivery: Delivery) -> Answer:
        if "logEntry" not in delivery.document:
            return Answer(202)
        return Answer(409, (("rounds-log", f"{ward.uri}; epoch=1; seq={next(told) % 5}; chain={_CHAIN}"),))

    lone.wire.reply = reply
    for _ in range(20):
        await lone.house.deliverer.look()
        await lone.settle()

    assert len(entries_to(lone, "friend.example")) <= 30


async def test_t11_t17_an_inbox_on_another_origin_is_never_delivered_to(lone: LoneHouse) -> None:
    ward, mia = await a_ward(lone)
    fay, friend = await know_somebody(lone, "friend.example")
    await know_somebody(lone, "ally.example")
    await let_in(lone, ward, fay, friend)
    foreign = a_foreign_actor("friend.example", "fay")
    moved = foreign.document(inbox="https://ally.example/inbox", endpoints={})
    update = foreign.activity("Update", moved)
    await lone.receive(foreign, update)

    await say(lone, ward, mia, "Hello")
    await lone.deliver()

    assert entries_to(lone, "ally.example") == []
    assert entries_to(lone, "friend.example") != []

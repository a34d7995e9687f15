"""Two processes over one database: what they send between them, and what one knows of what the other did."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest

from node.community.duties import RECOVERY, Duties
from node.community.peering.service import pause_peer
from node.domain.actors import Actor, Member
from node.domain.groups import Group
from node.domain.peers import Peer
from node.federation.message import Answer
from node.store.actors import retire_keys_of_host
from node.store.company import Company
from node.store.core import Core
from node.store.engine import Tx
from node.store.leases import LeaseLost, open_duties
from node.store.streams import get_lane
from tests.support.clock import FrozenClock
from tests.support.databases import Databases
from tests.support.group_life import let_in, make_group, put_out, say
from tests.support.lone_house import Delivery, LoneHouse, a_lone_house
from tests.support.requesters import a_foreign_actor, know_actor, know_peer
from tests.support.waiting import until_true

_LAPSE_LANES = "UPDATE lanes SET leased_until_at = 1"
_LAPSE_DUTIES = "UPDATE duties SET leased_until_at = 1"
_HOST = "friend.example"
_ENTRIES = 8

pytestmark = pytest.mark.only_on("postgresql", reason="one process alone opens a file")


class Two:
    """The processes, and a group of theirs with somebody on a peer in it and something to send."""

    def __init__(self, one: LoneHouse, two: LoneHouse, ward: Group, fay: Actor, friend: Peer, mia: Member) -> None:
        self.one, self.two, self.ward, self.fay, self.friend, self.mia = one, two, ward, fay, friend, mia
        self.cursor = 0

    async def waiting_before(self) -> list[int]:
        """Return the numbers of the entries that waited to be sent."""
        lane = await self.one.core.store.read(get_lane, peer_id=self.friend.peer_id, stream=self.ward.uri)
        assert lane is not None
        return list(range(self.cursor + 1, lane.head + 1))

    @property
    def sent(self) -> list[int]:
        """The numbers of the entries that were sent, by one and then by the other."""
        return [
            delivery.document["logEntry"]["seq"]
            for lone in (self.one, self.two)
            for delivery in lone.wire.deliveries
            if "logEntry" in delivery.document
        ]


@pytest.fixture
async def two(databases: Databases, clock: FrozenClock) -> AsyncIterator[Two]:
    """Give two processes of one node."""
    async with a_lone_house(databases, clock) as one:
        ward = await make_group(one, "ward", mia := await one.member("mia"))
        friend = await know_peer(one.core, _HOST, software="rounds")
        fay = await know_actor(one.core, a_foreign_actor(_HOST, "fay"))
        await let_in(one, ward, fay, friend)
        await one.deliver()
        one.wire.deliveries.clear()
        for number in range(_ENTRIES):
            await say(one, ward, mia, f"Number {number}")
        data = one.core.data.with_name(f"{one.core.data.name}-two")
        (data / "keys").mkdir(parents=True)
        (data / "keys" / "node.key").write_bytes((one.core.data / "keys" / "node.key").read_bytes())
        async with a_lone_house(databases, clock, place=(one.core.config.database, data)) as other:
            made = Two(one, other, ward, fay, friend, mia)
            made.cursor = await one.core.store.read(_cursor, made)
            yield made


def company(lone: LoneHouse) -> Company:
    """Return what a process knows of the others."""
    assert lone.core.company is not None
    return lone.core.company


async def _lapse(tx: Tx, sql: str) -> None:
    await tx.run(sql)


async def _cursor(tx: Tx, two: Two) -> int:
    row = await get_lane(tx, peer_id=two.friend.peer_id, stream=two.ward.uri)
    return -1 if row is None else row.cursor


def at_first(act: Any) -> Any:
    """Return a reply that lets something happen while the first entry is on its way."""
    done: list[Delivery] = []

    async def reply(delivery: Delivery) -> Answer:
        if not done:
            done.append(delivery)
            await act()
        return Answer(202)

    return reply


async def test_two_that_deliver_at_once_send_each_entry_once(two: Two) -> None:
    await asyncio.gather(two.one.deliver(), two.two.deliver())

    assert two.sent == await two.waiting_before()


async def test_who_lost_a_lane_sends_no_more_of_it_and_does_not_touch_its_cursor(two: Two) -> None:
    async def stand_still() -> None:
        await two.two.core.store.write(_lapse, _LAPSE_LANES)
        await two.two.deliver()

    two.one.wire.reply = at_first(stand_still)

    await two.one.deliver()

    first, *others = two.sent
    assert others == await two.waiting_before()  # the one on its way was sent again by whoever took over
    assert first == others[0]
    assert await two.one.core.store.read(_cursor, two) == others[-1]


async def test_t17_nothing_more_goes_to_a_peer_that_another_process_paused(two: Two) -> None:
    two.one.wire.reply = at_first(lambda: pause_peer(two.two.core, _HOST, by="operator", reason=""))

    await two.one.deliver()

    assert len(two.sent) == 1
    known = two.one.core.peers.by_host(_HOST)
    assert known is not None
    assert known.state == "active"  # what counts is what the database says


async def test_t17_nothing_more_goes_to_a_node_whose_last_member_another_process_removed(two: Two) -> None:
    two.one.wire.reply = at_first(lambda: put_out(two.two, two.ward, two.fay))

    await two.one.deliver()

    assert len(two.sent) == 1


async def test_t17_a_peer_that_one_process_paused_is_refused_by_the_other_once_it_has_looked(two: Two) -> None:
    await company(two.one).look()
    await pause_peer(two.two.core, _HOST, by="operator", reason="")

    await company(two.one).look()

    known = two.one.core.peers.by_host(_HOST)
    assert known is not None
    assert known.state == "paused"
    assert two.one.core.peers.active(known.origin) is None


async def test_t05_a_key_that_one_process_retired_is_not_taken_from_memory_by_the_other(two: Two) -> None:
    key_id = f"{two.fay.uri}#main-key"
    await company(two.one).look()
    assert await two.one.core.keyring.known(key_id) is not None

    await two.two.core.store.write(retire_keys_of_host, host=_HOST)
    await company(two.one).look()

    assert await two.one.core.keyring.known(key_id) is None


async def test_a_peer_that_reached_one_process_counts_as_contact_for_the_other(two: Two, clock: FrozenClock) -> None:
    await company(two.one).look()
    clock.advance(60)
    await two.two.core.store.write(_reach, two.friend.peer_id)

    await company(two.one).look()

    assert two.one.core.peers.take_contacted() == {two.friend.peer_id}


async def _reach(tx: Tx, peer_id: int) -> None:
    await tx.run("UPDATE peers SET last_received_at = :now_at WHERE peer_id = :peer_id", now_at=tx.now, peer_id=peer_id)


async def test_what_no_restore_may_undo_stands_in_the_journal_of_every_process(two: Two) -> None:
    await company(two.one).look()
    await put_out(two.two, two.ward, two.fay)

    await company(two.one).look()

    files = [(lone.core.data / "journal.log").read_text() for lone in (two.one, two.two)]
    assert '"out"' in files[0]
    assert sorted(files[0].splitlines()) == sorted(files[1].splitlines())


async def test_what_one_process_doubts_is_asked_by_the_one_that_asks(two: Two) -> None:
    company(two.one).takes_doubts = True
    two.two.core.doubt(two.ward.group_id, two.friend.peer_id, "abc")

    await company(two.two).look()
    await company(two.one).look()

    assert two.two.core.doubts == {}
    assert two.one.core.doubts == {(two.ward.group_id, two.friend.peer_id): "abc"}


async def test_a_bell_that_is_rung_in_one_process_wakes_who_sleeps_in_the_other(two: Two) -> None:
    running = [asyncio.create_task(company(lone).run()) for lone in (two.one, two.two)]
    await until_true(_both_attend(two))

    two.one.core.bell.ring("inbox")

    assert await two.two.core.bell.wait("inbox", at_most_seconds=5)
    for task in running:
        task.cancel()


def _both_attend(two: Two) -> Any:
    async def attend() -> bool:
        return bool(company(two.one).owner and company(two.two).owner)

    return attend


class Marker:
    """Work that a duty is done with: it waits, and can write."""

    def __init__(self, core: Core) -> None:
        self.core = core

    async def run(self) -> None:
        """Wait until cancelled."""
        await asyncio.Event().wait()


async def test_a_duty_is_done_by_one_and_goes_on_with_the_other_when_it_is_gone(two: Two) -> None:
    first, second = (Duties(lone.core, company(lone), {RECOVERY: Marker}) for lone in (two.one, two.two))
    await two.one.core.store.write(_open_duties)
    await first.round()
    await second.round()
    held = (first.held, second.held)

    await company(two.one).close()

    async def goes_on() -> bool:
        await second.round()
        return bool(second.held)

    await until_true(goes_on, seconds=5)
    assert held == ({RECOVERY}, frozenset())
    assert company(two.two).takes_doubts
    await first.stop()
    await second.stop()
    assert second.held == frozenset()


async def test_who_does_a_duty_writes_nothing_once_another_has_it(two: Two) -> None:
    made: list[Marker] = []

    def make(core: Core) -> Marker:
        made.append(Marker(core))
        return made[-1]

    first, second = (Duties(lone.core, company(lone), {"marking": make}) for lone in (two.one, two.two))
    await two.one.core.store.write(_open_duties)
    await first.round()
    await made[0].core.store.write(_lapse, _LAPSE_DUTIES)
    await second.round()

    with pytest.raises(LeaseLost):
        await made[0].core.store.write(_lapse, _LAPSE_LANES)
    await made[1].core.store.write(_lapse, _LAPSE_LANES)
    await first.stop()
    await second.stop()


async def _open_duties(tx: Tx) -> None:
    await open_duties(tx, names=["marking", RECOVERY])

"""Leases: one holder at a time, a fence that counts up, an end by the database's clock and with the session."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import pytest

from node.store.engine import Store, Tx
from node.store.fenced import fence
from node.store.leases import (
    LaneKey,
    Lease,
    LeaseLost,
    check_duty,
    claim_duties,
    claim_lanes,
    keep_duties,
    keep_lanes,
    may_send,
    open_duties,
    release_duties,
    release_lanes,
)
from node.store.postgres import PostgresStore, PostgresTx
from node.store.streams import get_lane, open_lane, save_lane
from tests.support.waiting import until_true

_LAPSE_LANES = "UPDATE lanes SET leased_until_at = 1"
_LAPSE_DUTIES = "UPDATE duties SET leased_until_at = 1"
_PEER = """INSERT INTO peers (peer_id, host, origin, name, state, is_pinned, policy_json, created_at, version)
  VALUES (:peer_id, :host, :host, :host, 'active', 1, '{}', 1, 1)"""
_PAUSE = "UPDATE peers SET state = 'paused' WHERE peer_id = :peer_id"
_MARK = "UPDATE lanes SET cursor = 99 WHERE peer_id = 1"
_KEYS: list[LaneKey] = [(1, "control"), (1, "direct"), (2, "control")]

Begin = Callable[[], Awaitable[str]]


@pytest.fixture
async def begin(store: Store) -> AsyncIterator[Begin]:
    """Give what begins a process: it returns to whom leases are given."""
    sessions: list[Any] = []

    async def session() -> str:
        if not isinstance(store, PostgresStore):
            sessions.append(None)
            return f"process {len(sessions)}"
        opened, owner = await store.open_session("test", lambda *_: None)
        sessions.append(opened)
        return owner

    begin_one: Any = session
    begin_one.sessions = sessions
    yield begin_one
    for opened in sessions:
        if opened is not None:
            await opened.close()


@pytest.fixture(autouse=True)
async def lanes(store: Store) -> None:
    """Make two peers with three lanes, and two duties."""

    async def body(tx: Tx) -> None:
        for peer_id in (1, 2):
            await tx.run(_PEER, peer_id=peer_id, host=f"{peer_id}.example")
        for peer_id, stream in _KEYS:
            await open_lane(tx, peer_id=peer_id, stream=stream, group_id=None, cursor=0)
        await open_duties(tx, names=["arrivals", "pulls"])

    await store.write(body)


async def _run(tx: Tx, sql: str, **values: Any) -> int:
    return await tx.run(sql, **values)


async def _cursor(tx: Tx) -> int:
    row = await get_lane(tx, peer_id=1, stream="control")
    return -1 if row is None else row.cursor


async def test_a_lane_has_one_holder_and_each_new_one_a_higher_fence(store: Store, begin: Begin) -> None:
    one, two = await begin(), await begin()

    first = await store.write(claim_lanes, owner=one, keys=_KEYS[:2])
    second = await store.write(claim_lanes, owner=two, keys=_KEYS)
    await store.write(release_lanes, owner=one, keys=[_KEYS[0]])
    third = await store.write(claim_lanes, owner=two, keys=_KEYS[:2])

    assert first == {_KEYS[0]: Lease(one, 1), _KEYS[1]: Lease(one, 1)}
    assert second == {_KEYS[2]: Lease(two, 1)}
    assert third == {_KEYS[0]: Lease(two, 2)}


async def test_a_lease_that_was_not_kept_is_given_to_another(store: Store, begin: Begin) -> None:
    one, two = await begin(), await begin()
    await store.write(claim_lanes, owner=one, keys=_KEYS)

    kept = await store.write(keep_lanes, owner=one, keys=_KEYS)
    await store.write(_run, _LAPSE_LANES)
    too_late = await store.write(keep_lanes, owner=one, keys=_KEYS)
    taken = await store.write(claim_lanes, owner=two, keys=_KEYS)

    assert kept == dict.fromkeys(_KEYS, 1)
    assert too_late == {}
    assert taken == dict.fromkeys(_KEYS, Lease(two, 2))


async def test_who_lost_a_lane_saves_nothing_and_sends_nothing(store: Store, begin: Begin) -> None:
    one, two = await begin(), await begin()
    key = _KEYS[0]
    [old] = (await store.write(claim_lanes, owner=one, keys=[key])).values()
    values: dict[str, Any] = dict.fromkeys(
        ["last_success_at", "error_code", "error_status", "error_sentence", "error_since_at"]
    )
    values |= {"cursor": 7, "state": "idle", "fails": 0, "item_tries": 0, "due_at": None}

    await store.write(_run, _LAPSE_LANES)
    [new] = (await store.write(claim_lanes, owner=two, keys=[key])).values()

    assert not await store.read(may_send, key=key, lease=old)
    assert await store.read(may_send, key=key, lease=new)
    with pytest.raises(LeaseLost):
        await store.write(_save, key, values, old)
    assert await store.read(_cursor) == 0
    await store.write(_save, key, values, new)
    assert await store.read(_cursor) == 7


async def _save(tx: Tx, key: LaneKey, values: dict[str, Any], lease: Lease) -> None:
    await save_lane(tx, peer_id=key[0], stream=key[1], values=values | {"due_at": tx.now}, lease=lease)


async def test_t17_a_peer_that_was_paused_gets_nothing_of_a_lane_that_is_held(store: Store, begin: Begin) -> None:
    one = await begin()
    [lease] = (await store.write(claim_lanes, owner=one, keys=[_KEYS[0]])).values()

    await store.write(_run, _PAUSE, peer_id=1)

    assert not await store.read(may_send, key=_KEYS[0], lease=lease)


async def test_a_duty_has_one_holder_and_goes_on_with_another(store: Store, begin: Begin) -> None:
    one, two = await begin(), await begin()

    first = await store.write(claim_duties, owner=one, names=["arrivals", "pulls"])
    nothing = await store.write(claim_duties, owner=two, names=["arrivals", "pulls"])
    kept = await store.write(keep_duties, owner=one, names=["arrivals", "pulls"])
    await store.write(release_duties, owner=one, names=["pulls"])
    released = await store.write(claim_duties, owner=two, names=["arrivals", "pulls"])
    await store.write(_run, _LAPSE_DUTIES)
    lapsed = await store.write(claim_duties, owner=two, names=["arrivals"])

    assert first == {"arrivals": Lease(one, 1), "pulls": Lease(one, 1)}
    assert nothing == {}
    assert kept == {"arrivals": 1, "pulls": 1}
    assert released == {"pulls": Lease(two, 2)}
    assert lapsed == {"arrivals": Lease(two, 2)}


async def test_a_store_behind_a_fence_writes_while_its_duty_is_held_and_not_after(store: Store, begin: Begin) -> None:
    one, two = await begin(), await begin()
    [lease] = (await store.write(claim_duties, owner=one, names=["arrivals"])).values()
    fenced = fence(store, "arrivals", lease)

    await fenced.write(_run, _MARK)
    marked = await fenced.read(_cursor)
    await store.write(_run, _LAPSE_DUTIES)
    await store.write(claim_duties, owner=two, names=["arrivals"])

    assert marked == 99
    with pytest.raises(LeaseLost):
        await fenced.write(_run, "UPDATE lanes SET cursor = 1 WHERE peer_id = 1")
    assert await store.read(_cursor) == 99


@pytest.mark.only_on("postgresql", reason="on SQLite there are no sessions")
async def test_the_leases_of_a_session_end_with_it(store: Store, begin: Any) -> None:
    one, two = await begin(), await begin()
    await store.write(claim_duties, owner=one, names=["arrivals"])
    await store.write(claim_lanes, owner=one, keys=_KEYS)

    begin.sessions[0].terminate()

    async def takes_over() -> bool:
        return bool(await store.write(claim_duties, owner=two, names=["arrivals"]))

    await until_true(takes_over, seconds=5)
    assert set(await store.write(claim_lanes, owner=two, keys=_KEYS)) == set(_KEYS)


@pytest.mark.only_on("postgresql", reason="on SQLite no two transactions write at once")
async def test_nobody_takes_a_duty_whose_holder_is_in_the_middle_of_a_transaction(store: Store, begin: Begin) -> None:
    assert isinstance(store, PostgresStore)
    one, two = await begin(), await begin()
    [lease] = (await store.write(claim_duties, owner=one, names=["arrivals"])).values()
    other = await PostgresStore.open(store._address, clock=store.clock)

    async def hold(tx: Tx) -> tuple[dict[str, Lease], dict[str, int]]:
        await check_duty(tx, name="arrivals", lease=lease)
        return await _ask_meanwhile(other, one, two)

    taken, kept = await store.write(hold)
    after = await store.write(claim_duties, owner=two, names=["arrivals"])
    await other.close()

    assert taken == {}
    assert kept == {"arrivals": 1}  # its own heartbeat is no obstacle
    assert after == {"arrivals": Lease(two, 2)}


async def _ask_meanwhile(other: PostgresStore, one: str, two: str) -> tuple[dict[str, Lease], dict[str, int]]:
    """Claim through another pool, as another process would; a body may not do this, a test may."""
    async with other._writers.acquire() as connection:
        tx: Any = PostgresTx(connection, other)
        kept = await keep_duties(tx, owner=one, names=["arrivals"])
        await tx.run(_LAPSE_DUTIES)
        return await claim_duties(tx, owner=two, names=["arrivals"]), kept


@pytest.mark.only_on("postgresql", reason="on SQLite a transaction waits for nobody")
async def test_a_transaction_that_nobody_goes_on_with_is_ended_by_the_server(store: Store) -> None:
    assert isinstance(store, PostgresStore)

    async with store._writers.acquire() as connection:
        limit = await connection.fetchval("SHOW idle_in_transaction_session_timeout")

    assert limit == "10s"

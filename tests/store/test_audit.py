"""The audit chain: a row that was changed, moved or taken out is found at its place."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import Any

import pytest

from node.store.audit import find_first_bad, list_audit, write_audit
from node.store.engine import Store, Tx
from tests.support.clock import FrozenClock

_ROWS = 7
_TAMPERED = 4
_CHANGES = {
    "actor": "UPDATE audit SET actor = 'somebody else' WHERE n = 4",
    "action": "UPDATE audit SET action = 'member.show' WHERE n = 4",
    "target": "UPDATE audit SET target = 'nobody' WHERE n = 4",
    "reason": "UPDATE audit SET reason = 'a better reason' WHERE n = 4",
    "reason_taken_away": "UPDATE audit SET reason = NULL WHERE n = 4",
    "instant": "UPDATE audit SET written_at = written_at + 1 WHERE n = 4",
    "hash": "UPDATE audit SET hash = 'ffff' WHERE n = 4",
    "hash_of_the_row_before": "UPDATE audit SET hash = (SELECT hash FROM audit WHERE n = 3) WHERE n = 4",
}
_DELETE = "DELETE FROM audit WHERE n = 4"
_SWAP = (
    "UPDATE audit SET n = 100 WHERE n = 4",
    "UPDATE audit SET n = 4 WHERE n = 5",
    "UPDATE audit SET n = 5 WHERE n = 100",
)
_INSERT = """INSERT INTO audit (n, written_at, actor, action, target, reason, hash)
  SELECT n + 1, written_at, actor, action, target, reason, hash FROM audit WHERE n = 7"""


async def _write_some(store: Store, clock: FrozenClock) -> None:
    for number in range(1, _ROWS + 1):
        clock.advance(1)
        await store.write(
            write_audit, actor="operator", action="member.suspend", target=f"member{number}", reason=f"reason {number}"
        )


async def _tamper(tx: Tx, *statements: str) -> None:
    for statement in statements:
        assert await tx.run(statement) == 1


async def test_an_untouched_chain_is_good(store: Store, clock: FrozenClock) -> None:
    await _write_some(store, clock)

    assert await store.read(find_first_bad) == (_ROWS, None)


async def test_an_empty_chain_is_good(store: Store) -> None:
    assert await store.read(find_first_bad) == (0, None)


@pytest.mark.parametrize("change", _CHANGES)
async def test_a_changed_row_is_found_at_that_row(store: Store, clock: FrozenClock, change: str) -> None:
    await _write_some(store, clock)

    await store.write(_tamper, _CHANGES[change])

    assert await store.read(find_first_bad) == (_TAMPERED - 1, _TAMPERED)


async def test_a_row_that_was_taken_out_is_found_at_the_row_behind_it(store: Store, clock: FrozenClock) -> None:
    await _write_some(store, clock)

    await store.write(_tamper, _DELETE)

    assert await store.read(find_first_bad) == (_TAMPERED - 1, _TAMPERED + 1)


async def test_two_rows_that_changed_places_are_found_at_the_first(store: Store, clock: FrozenClock) -> None:
    await _write_some(store, clock)

    await store.write(_tamper, *_SWAP)

    assert await store.read(find_first_bad) == (_TAMPERED - 1, _TAMPERED)


async def test_a_row_added_by_hand_is_found(store: Store, clock: FrozenClock) -> None:
    await _write_some(store, clock)

    await store.write(_tamper, _INSERT)

    assert await store.read(find_first_bad) == (_ROWS, _ROWS + 1)


async def test_rows_written_at_the_same_time_stand_in_one_chain(store: Store) -> None:
    writes = [store.write(write_audit, actor="operator", action="peer.add", target=str(n)) for n in range(40)]

    await asyncio.gather(*writes)

    assert await store.read(find_first_bad) == (40, None)


async def test_an_act_that_fails_leaves_no_row_and_no_gap(store: Store) -> None:
    async def fail(tx: Tx) -> None:
        await write_audit(tx, actor="operator", action="peer.add", target="a.example")
        raise LookupError

    with pytest.raises(LookupError):
        await store.write(fail)

    await store.write(write_audit, actor="operator", action="peer.add", target="b.example")
    rows: list[Any] = await store.read(list_audit)
    assert [(row.n, row.target) for row in rows] == [(1, "b.example")]


async def test_rows_come_oldest_first_with_who_what_whom_when_and_why(store: Store, clock: FrozenClock) -> None:
    start = clock.now()
    await _write_some(store, clock)

    rows: list[Any] = await store.read(list_audit, after=_ROWS - 1)

    [row] = rows
    assert (row.n, row.actor, row.action, row.target) == (7, "operator", "member.suspend", "member7")
    assert (row.reason, row.written_at) == ("reason 7", start + timedelta(seconds=7))

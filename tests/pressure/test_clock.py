"""A clock that is set while the node runs signs nothing until it is known to be right; wrong clocks elsewhere are named."""

from __future__ import annotations

from datetime import timedelta

import pytest

from node.community.operating.checks import read_skews
from node.foundation.errors import Unreachable
from tests.support.browser_form import Browser
from tests.support.clock import FrozenClock
from tests.support.corridor import Corridor
from tests.support.requesters import a_get

MINUTE = 60.0
pytestmark = pytest.mark.only_on("sqlite", reason="the clock is the machine's, whatever the database")


def _set(clock: FrozenClock, seconds: float) -> None:
    """Set the clock under the node's feet: its steady time does not move."""
    clock._now += timedelta(seconds=seconds)


async def _something_to_send(corridor: Corridor) -> None:
    mia = await Browser(corridor.lone).enter("mia")
    await mia.get("/groups/ward/write")
    await mia.submit("write", title="Nights", text="How do you sleep?", action="send")


@pytest.mark.parametrize("jump", [10 * MINUTE, -10 * MINUTE, 3 * 3600.0])
async def test_after_a_jump_nothing_is_signed_until_an_operator_accepts_the_clock(
    corridor: Corridor, clock: FrozenClock, jump: float
) -> None:
    lone, core = corridor.lone, corridor.lone.core
    await lone.house.watcher.look()
    _set(clock, jump)
    clock.advance(1)

    await lone.house.watcher.look()
    await _something_to_send(corridor)
    await lone.deliver()
    keys = await core.keyring.own(core.instance_id)
    with pytest.raises(Unreachable):
        core.sign_rsa(keys)(a_get("/actor"))
    silent, alerts = len(lone.wire.deliveries), core.pressure.alerts
    await _run(corridor, "clock", "accept")
    await lone.house.watcher.look()
    await lone.deliver()

    assert (silent, alerts) == (0, ("clock_jump",))
    assert len(lone.wire.deliveries) > 0
    assert core.pressure.alerts == ()


async def test_a_clock_that_is_set_back_is_trusted_again(corridor: Corridor, clock: FrozenClock) -> None:
    watcher, pressure = corridor.lone.house.watcher, corridor.lone.core.pressure
    await watcher.look()
    _set(clock, 3600)
    await watcher.look()
    assert not pressure.may_sign

    _set(clock, -3590)
    await watcher.look()

    assert pressure.may_sign


async def test_a_clock_with_which_a_peers_signature_agrees_is_trusted_again(
    corridor: Corridor, clock: FrozenClock
) -> None:
    watcher, pressure = corridor.lone.house.watcher, corridor.lone.core.pressure
    await corridor.send(corridor.fay, corridor.fay.post_in(corridor.ward.uri, "Before", number=1))
    await watcher.look()
    _set(clock, 3600)  # the machine slept for an hour, and its clock is right
    await watcher.look()
    assert not pressure.may_sign  # what was heard before says nothing

    clock.advance(5)
    await corridor.send(corridor.fay, corridor.fay.post_in(corridor.ward.uri, "After", number=2))
    await watcher.look()

    assert pressure.may_sign


@pytest.mark.parametrize("steps", [[200.0, 90.0], [-250.0], [1.0] * 5])
async def test_small_corrections_of_the_clock_are_nothing(
    corridor: Corridor, clock: FrozenClock, steps: list[float]
) -> None:
    await corridor.lone.house.watcher.look()

    for step in steps:
        _set(clock, step)
        clock.advance(1)
        await corridor.lone.house.watcher.look()

    assert corridor.lone.core.pressure.may_sign


@pytest.mark.parametrize(
    ("ahead", "status"),
    [(30, 202), (-30, 202), (-10 * MINUTE, 202), (10 * MINUTE, 401), (3 * 3600, 401), (-3 * 3600, 401)],
)
async def test_t09_a_peers_wrong_clock_is_refused_beyond_the_window_and_named(
    corridor: Corridor, ahead: float, status: int
) -> None:
    fay, now = corridor.fay, corridor.now
    await corridor.send(fay, fay.post_in(corridor.ward.uri, "Hello", number=1))  # its key is known
    request = fay.deliver(fay.post_in(corridor.ward.uri, "Hello", number=2), now + timedelta(seconds=ahead))

    answer = await corridor.post(request)
    await corridor.lone.house.watcher.look()

    peer = corridor.lone.core.peers.by_host("friend.example")
    assert peer is not None
    assert answer.status == status
    assert read_skews(corridor.lone.core, now) == {peer.peer_id: ahead}
    assert corridor.lone.core.pressure.alerts == (("peer_clocks",) if abs(ahead) > 300 else ())


async def test_t09_a_forged_signature_says_nothing_of_a_peers_clock(corridor: Corridor) -> None:
    fay, finn = corridor.fay, corridor.finn
    await corridor.send(fay, fay.post_in(corridor.ward.uri, "Hello", number=1))
    forged = corridor.abe.sign(a_get("/groups/ward"), corridor.now + timedelta(hours=3), key_id=fay.rsa_key_id)

    answer = await corridor.post(forged)

    assert answer.status == 401
    assert all(abs(skew) < 1 for skew in read_skews(corridor.lone.core, corridor.now).values()), finn


async def _run(corridor: Corridor, *argv: str) -> None:
    from node.cli.runner import run_command

    said: list[str] = []
    assert await run_command(corridor.lone.house, list(argv), "", said.append, said.append) == 0, said

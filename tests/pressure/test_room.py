"""What a node gives up when its disk fills, step by step, and how it comes back."""

from __future__ import annotations

from datetime import timedelta

import pytest

from node.community.operating.making_room import choose_to_let_go
from node.community.operating.service import read_audit
from node.community.operating.watching import CAREFUL_SECONDS
from node.community.posts.uploads import add_image
from node.domain.pressure import Room, judge_room
from node.foundation.errors import Invalid, Unavailable
from node.store.picture_cache import CachedPicture
from tests.pressure.conftest import GIGABYTE, Disk
from tests.support.browser_form import Browser
from tests.support.clock import NOON
from tests.support.corridor import Corridor

_NO_PICTURE = b"not a picture"
_on_sqlite = pytest.mark.only_on("sqlite", reason="the ladder is the data directory's, whatever the database")


async def _look(corridor: Corridor) -> None:
    await corridor.lone.house.watcher.look()


@pytest.mark.parametrize(
    ("free", "step"),
    [(500, Room.PLENTY), (100, Room.PLENTY), (99, Room.LOW), (49, Room.SCARCE), (19, Room.FULL), (0, Room.FULL)],
)
def test_a_step_begins_below_a_part_of_the_disk(free: int, step: Room) -> None:
    assert judge_room(total_bytes=1000, free_bytes=free) == step


def test_a_step_ends_only_when_a_quarter_more_is_free() -> None:
    assert judge_room(total_bytes=100_000, free_bytes=2400, before=Room.FULL) is Room.FULL
    assert judge_room(total_bytes=100_000, free_bytes=2600, before=Room.FULL) is Room.SCARCE


def test_a_large_disk_is_not_short_of_room_for_a_part_that_is_much() -> None:
    assert judge_room(total_bytes=4000 * GIGABYTE, free_bytes=50 * GIGABYTE) is Room.PLENTY
    assert judge_room(total_bytes=4000 * GIGABYTE, free_bytes=4 * GIGABYTE) is Room.SCARCE


@_on_sqlite
@pytest.mark.parametrize(
    ("free", "caches", "arrival", "uploads", "writes", "works"),
    [
        (50, True, 202, True, 303, True),
        (8, False, 202, True, 303, True),
        (4, False, 503, False, 303, True),
        (1, False, 503, False, 503, False),
    ],
    ids=["plenty", "low", "scarce", "full"],
)
async def test_each_step_gives_up_what_it_says(
    corridor: Corridor, disk: Disk, free: float, caches: bool, arrival: int, uploads: bool, writes: int, works: bool
) -> None:
    disk.free_bytes = free * GIGABYTE
    mia = Browser(corridor.lone)
    await mia.enter("mia")

    await _look(corridor)
    answer = await corridor.send(corridor.fay, corridor.fay.post_in(corridor.ward.uri, "Hello"))
    try:
        await add_image(corridor.lone.core, owner=corridor.mia, data=_NO_PICTURE, alt="")
    except Unavailable:
        is_taken = False
    except Invalid:  # it was looked at
        is_taken = True
    await mia.get("/groups/ward/write")
    await mia.submit("write", title="Nights", text="How do you sleep?", action="send")
    status = mia.steps[0]
    await mia.get("/groups/ward")

    pressure = corridor.lone.core.pressure
    assert (pressure.may_cache, answer.status, is_taken) == (caches, arrival, uploads)
    assert (status, mia.status, pressure.may_work) == (writes, 200, works)
    assert int(answer.one("retry-after") or "0") >= (120 if arrival == 503 else 0)


@_on_sqlite
async def test_on_a_full_disk_people_sign_in_and_take_back_but_write_nothing(corridor: Corridor, disk: Disk) -> None:
    mia = Browser(corridor.lone)
    await mia.enter("mia")
    await mia.get("/groups/ward/write")
    await mia.submit("write", title="Nights", text="How do you sleep?", action="send")
    thread = mia.path
    disk.free_bytes = GIGABYTE

    await _look(corridor)
    await mia.get("/groups/ward/write")
    await mia.submit("write", title="Days", text="Kept in the page.", action="send")
    refused = (mia.status, "Kept in the page." in mia.text, "The disk of this node is full" in mia.text)
    level = (await mia.post("/groups/ward/level", {"level": "all"})).status
    await mia.get(f"{thread.partition('#')[0]}/withdraw")
    await mia.submit("withdraw")
    taken_back = mia.status
    again = Browser(corridor.lone)
    await again.get("/sign-in")

    assert refused == (503, True, True)
    assert (level, taken_back, again.status) == (503, 200, 200)


@_on_sqlite
async def test_where_a_quota_and_not_the_disk_is_full_the_node_stays_careful_for_a_minute(corridor: Corridor) -> None:
    core, seen = corridor.lone.core, []
    await _look(corridor)
    core.store.trouble = "full"

    for _ in range(3):
        await _look(corridor)
        seen.append((core.pressure.room, core.pressure.is_spent))
        corridor.lone.clock.advance(CAREFUL_SECONDS / 2)

    assert seen == [(Room.FULL, True), (Room.FULL, True), (Room.PLENTY, False)]


async def test_operators_are_told_once_for_each_step(corridor: Corridor, disk: Disk) -> None:
    disk.free_bytes = 8 * GIGABYTE
    for _ in range(3):
        await _look(corridor)
    disk.free_bytes = 4 * GIGABYTE
    for _ in range(3):
        await _look(corridor)
    disk.free_bytes = 1 * GIGABYTE
    for _ in range(3):
        await _look(corridor)
    disk.free_bytes = 50 * GIGABYTE
    for _ in range(3):
        await _look(corridor)

    rows = (await read_audit(corridor.lone.core, before=None)).rows[::-1]
    told = [(row.action, row.reason) for row in rows if row.action.startswith("pressure.")]
    assert told == [
        ("pressure.begun", "disk_low"),
        ("pressure.begun", "disk_scarce"),
        ("pressure.ended", "disk_low"),
        ("pressure.begun", "disk_full"),
        ("pressure.ended", "disk_scarce"),
        ("pressure.ended", "disk_full"),
    ]


@pytest.mark.parametrize(
    ("quota", "expected"), [(1000, ["old"]), (30, ["old"]), (20, ["old"]), (19, ["old", "a"]), (0, ["old", "a", "b"])]
)
def test_the_longest_unused_go_first(quota: int, expected: list[str]) -> None:
    pictures = [
        CachedPicture("old", 10, NOON - timedelta(days=31)),
        CachedPicture("a", 10, NOON - timedelta(days=3)),
        CachedPicture("b", 10, NOON - timedelta(days=2)),
    ]

    chosen = choose_to_let_go(pictures, used_bytes=30, quota_bytes=quota, unused_since=NOON - timedelta(days=30))

    assert [picture.token for picture in chosen] == expected

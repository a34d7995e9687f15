"""Backups by themselves: when they are due, one process at a time, the oldest go; and what health says of them."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from node.cli.doctor_backups import judge_backups
from node.community.house import House
from node.community.members.sessions import Preferences
from node.community.operating.checks import check_backups, is_private
from node.community.operating.schedule import BackupSchedule, find_backups
from node.foundation.config import build_config
from node.foundation.errors import ConfigError, NodeError
from node.store.backups import BackupState, claim_backups, list_backups, read_backup_state
from node.views.operating import say_check
from node.views.words import Words
from tests.support.backups import give_recovery_key
from tests.support.clock import NOON, FrozenClock
from tests.support.databases import Databases
from tests.support.lone_house import LoneHouse, a_lone_house

HOUR = 3600


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "backups"


@pytest.fixture
async def lone(databases: Databases, clock: FrozenClock, folder: Path) -> AsyncIterator[LoneHouse]:
    async with a_lone_house(databases, clock, backup={"folder": str(folder), "every": 6, "keep": 2}) as made:
        (made.core.data / "rounds.toml").write_text('base_url = "https://home.example"\n')
        give_recovery_key(made.core.data)
        yield made


async def test_a_backup_is_made_when_it_is_due_and_the_oldest_go(
    lone: LoneHouse, clock: FrozenClock, folder: Path
) -> None:
    schedule, names = BackupSchedule(lone.core), []
    for hours in (0, 5, 1, 6, 3):
        clock.advance(hours * HOUR)
        made = await schedule.look()
        names.append(made.name if made else None)

    assert names == [
        "rounds-20261121T120000Z.backup", None, "rounds-20261121T180000Z.backup", "rounds-20261122T000000Z.backup", None,
    ]  # fmt: skip
    assert [path.name for path in find_backups(folder)] == [names[3], names[2]]
    assert is_private(folder)
    assert (await lone.core.store.read(read_backup_state)).newest_at == NOON + timedelta(hours=12)


async def test_of_two_processes_one_makes_the_backup(lone: LoneHouse, folder: Path, clock: FrozenClock) -> None:
    await lone.core.store.write(lambda tx: claim_backups(tx, owner="another", until=NOON + timedelta(minutes=10)))

    assert await BackupSchedule(lone.core).look() is None
    clock.advance(601)
    assert await BackupSchedule(lone.core).look() is not None
    assert await BackupSchedule(lone.core).look() is None


async def test_one_that_fails_is_said_and_tried_again_within_the_hour(
    lone: LoneHouse, folder: Path, clock: FrozenClock
) -> None:
    _put_in_the_way(folder)
    schedule = BackupSchedule(lone.core)

    with pytest.raises(NodeError):
        await schedule.look()
    state = await lone.core.store.read(read_backup_state)
    again = await schedule.look()
    _take_away(folder)
    clock.advance(HOUR)
    made = await schedule.look()

    assert "cannot be made" in state.problem
    assert (state.newest_at, again) == (None, None)
    assert made is not None
    assert (await lone.core.store.read(read_backup_state)).problem == ""


async def test_backups_that_somebody_makes_by_hand_do_not_keep_the_schedule_from_its_own(
    lone: LoneHouse, folder: Path
) -> None:
    await lone.core.store.write(_note_by_hand)

    assert await BackupSchedule(lone.core).look() is not None
    assert len(await lone.core.store.read(list_backups)) == 2


async def test_the_house_makes_backups_while_it_works(lone: LoneHouse, folder: Path) -> None:
    house = House(lone.core)
    left = lone.core.data / "drill.work"
    left.mkdir()
    (left / "rounds.sqlite").write_bytes(b"words")
    house.start()
    try:
        for _ in range(400):
            if find_backups(folder):
                break
            await house.core.bell.wait("nothing", at_most_seconds=0.05)
    finally:
        await house.stop()

    assert len(find_backups(folder)) == 1
    assert not left.exists()


async def test_without_a_schedule_nothing_is_made(databases: Databases, clock: FrozenClock) -> None:
    async with a_lone_house(databases, clock) as lone:
        await BackupSchedule(lone.core).run()

        assert await lone.core.store.read(list_backups) == []


@pytest.mark.parametrize(
    "settings", [{"every": 6}, {"every": -1, "folder": "/x"}, {"folder": "x"}, {"keep": 0}, {"often": 1}]
)
def test_a_schedule_that_cannot_be_is_refused(settings: dict[str, Any]) -> None:
    with pytest.raises(ConfigError):
        build_config({"base_url": "https://a.example", "backup": settings})


def _state(hours: float | None = None, drill_days: int | None = 1, **more: Any) -> BackupState:
    newest = None if hours is None else NOON - timedelta(hours=hours)
    drilled = None if drill_days is None else NOON - timedelta(days=drill_days)
    return BackupState(**{"newest_at": newest, "drilled_at": drilled, "drill_is_good": True, **more})


@pytest.mark.parametrize(
    ("state", "every", "has_code", "is_test", "found"),
    [
        (_state(), 0, True, False, ["backup bad"]),
        (_state(), 0, True, True, ["backup warn"]),
        (_state(), 0, False, False, ["recovery bad", "backup bad"]),
        (_state(1), 0, True, False, ["backup_age good", "drill good"]),
        (_state(12), 6, True, False, ["backup_age good", "drill good"]),
        (_state(12.1), 6, True, False, ["backup_age warn", "drill good"]),
        (_state(49), 0, True, False, ["backup_age warn", "drill good"]),
        (_state(169), 24, True, False, ["backup_age bad", "drill good"]),
        (_state(169), 200, True, False, ["backup_age bad", "drill good"]),
        (_state(1, problem="No room."), 1, True, False, ["backup_failed warn", "backup_age good", "drill good"]),
        (_state(1, None), 0, True, False, ["backup_age good", "drill_never warn"]),
        (_state(1, 36), 0, True, False, ["backup_age good", "drill warn"]),
        (_state(1, 1, drill_is_good=False), 0, True, False, ["backup_age good", "drill bad"]),
    ],
)
def test_backups_are_judged_by_their_age_and_whether_one_was_tried(
    state: BackupState, every: int, has_code: bool, is_test: bool, found: list[str]
) -> None:
    checks = check_backups(state, every=timedelta(hours=every), now=NOON, has_code=has_code, is_test=is_test)

    assert [f"{check.name} {check.state}" for check in checks] == found
    for check in checks:
        for language in ("en", "de"):
            said = say_check(Words(Preferences(language=language), NOON), check)
            assert "{" not in f"{said.sentence}{said.advice}"


def test_doctor_says_the_same_in_its_own_words(tmp_path: Path) -> None:
    config = build_config({"base_url": "https://a.example"})

    said = judge_backups(tmp_path, config, _state(49, 36, problem="No room."), now=NOON)

    assert [each[:3] for each in said] == [
        ("recovery code", "bad", "This node has no recovery code: there is nothing to seal backups to."),
        ("backup", "warn", "The last backup could not be made. No room."),
        ("backup", "warn", "The newest backup is 49 hours old."),
        ("drill", "warn", "A backup was last restored on trial 36 days ago."),
    ]
    assert all(each[3] for each in said)


def _put_in_the_way(folder: Path) -> None:
    folder.write_text("no folder")


def _take_away(folder: Path) -> None:
    folder.unlink()


async def _note_by_hand(tx: Any) -> None:
    await tx.run(
        """INSERT INTO backups (backup_id, name, size_bytes, problem, taken_at, finished_at)
  VALUES (1, '', 5, '', :at_at, :at_at)""",
        at_at=NOON,
    )

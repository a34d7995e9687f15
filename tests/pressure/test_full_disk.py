"""A disk that is full: a small one, mounted for the test. Nothing acknowledged is lost, reading goes on, and it comes back."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from node.community.operating.watching import Watcher
from node.domain.pressure import Room
from node.foundation.errors import Busy, Unavailable
from node.store.engine import Tx
from node.store.files import save_file
from node.store.reserve import RESERVE_NAME
from tests.pressure.conftest import Disk
from tests.support.browser_form import Browser
from tests.support.clock import FrozenClock
from tests.support.databases import Databases
from tests.support.lone_house import a_lone_house

_RESERVE_BYTES = 2 * 2**20
_INSERT = "INSERT INTO settings (name, value) VALUES (:name, :value)"
pytestmark = pytest.mark.only_on("sqlite", reason="the disk of PostgreSQL is not the node's")


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """Give a disk of 12 MB."""
    place = tmp_path / "small"
    place.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=12m", "tmpfs", place], capture_output=True, check=False
    )
    if mounted.returncode != 0:
        pytest.skip("A small disk can be mounted by root alone.")
    yield place
    subprocess.run(["umount", place], check=True)


async def _write(tx: Tx, name: str) -> None:
    await tx.run(_INSERT, name=name, value="x" * 20_000)


async def _count(tx: Tx) -> int:
    return int(await tx.value("SELECT COUNT(*) AS n FROM settings WHERE name LIKE 'row %'"))


def _fill(place: Path) -> Path:
    """Take all room that is left."""
    ballast = place / "ballast"
    with ballast.open("wb", buffering=0) as file:
        try:
            while True:
                file.write(b"\0" * 65_536)
        except OSError:
            return ballast


async def test_a_node_on_a_full_disk_reads_on_gives_up_its_reserve_and_comes_back(
    databases: Databases, clock: FrozenClock, small_disk: Path
) -> None:
    address, made = await databases.new_data()
    data = small_disk / "node"
    shutil.copytree(made, data)
    (data / "keys").mkdir()
    (data / "keys" / "node.key").write_bytes(bytes(range(32)))
    (data / "media").mkdir()
    async with a_lone_house(databases, clock, place=(address, data), disk={"reserve_bytes": _RESERVE_BYTES}) as lone:
        core, written = lone.core, 0
        watch = Watcher(core, look_at_own=Disk().look_at_own)
        await lone.member("mia")
        await watch.look()
        mia = await Browser(lone).enter("mia")
        assert (data / RESERVE_NAME).stat().st_size == _RESERVE_BYTES
        assert core.pressure.room is Room.PLENTY

        ballast = _fill(small_disk)
        with pytest.raises(Busy):
            while True:
                await core.store.write(_write, f"row {written}")
                written += 1
        with pytest.raises(Unavailable):
            save_file(core, os.urandom(100_000))
        kept = await core.store.read(_count)
        await watch.look()
        full = (core.pressure.room, core.pressure.is_spent, "reserve" in core.pressure.alerts)
        await mia.get("/groups")
        again = await Browser(lone).enter("mia")  # a session is written into the room that the reserve gave
        await again.get("/groups")

        assert kept == written
        assert full == (Room.FULL, True, True)
        assert (mia.status, again.status) == (200, 200)
        assert "The disk of this node is full" in mia.text

        ballast.unlink()
        await watch.look()
        await core.store.write(_write, "row again")
        await watch.look()

        assert (core.pressure.room, core.pressure.alerts) == (Room.PLENTY, ())
        assert (data / RESERVE_NAME).stat().st_size == _RESERVE_BYTES
        assert await core.store.read(_count) == written + 1


async def test_a_node_starts_on_a_full_disk(databases: Databases, clock: FrozenClock, small_disk: Path) -> None:
    address, made = await databases.new_data()
    data = small_disk / "node"
    shutil.copytree(made, data)
    (data / "keys").mkdir()
    (data / "keys" / "node.key").write_bytes(bytes(range(32)))
    async with a_lone_house(databases, clock, place=(address, data), disk={"reserve_bytes": _RESERVE_BYTES}) as lone:
        await lone.member("mia")
        await Watcher(lone.core, look_at_own=Disk().look_at_own).look()
    _fill(small_disk)

    async with a_lone_house(databases, clock, place=(address, data), disk={"reserve_bytes": _RESERVE_BYTES}) as lone:
        mia = await Browser(lone).enter("mia")
        await mia.get("/groups")

    assert mia.status == 200
    assert not (data / RESERVE_NAME).exists()

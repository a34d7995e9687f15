"""What an operator is told, wherever they look: `rounds status`, `rounds doctor`, the health page, and every page of theirs."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from typing import Any

import pytest

from node.cli import doctor
from node.cli.runner import run_command
from node.store.core import Core
from node.store.recovering import begin
from tests.pressure.conftest import GIGABYTE, Disk
from tests.support.browser_form import Browser
from tests.support.clock import FrozenClock
from tests.support.corridor import Corridor
from tests.support.databases import Databases
from tests.support.group_life import make_group
from tests.support.lone_house import a_lone_house


async def _status(corridor: Corridor) -> dict[str, Any]:
    said: list[str] = []
    assert await run_command(corridor.lone.house, ["status", "--json"], "", said.append, said.append) == 0
    return dict(json.loads("".join(said)))


def _fail_journal(core: Core) -> None:
    core.store.journal.is_failing = True


def _jump(core: Core) -> None:
    core.pressure.jumped_seconds = 3600


@pytest.mark.parametrize(
    ("trouble", "words"),
    [(_fail_journal, "The journal cannot be written"), (_jump, "was set by 3600 seconds")],
    ids=["journal", "clock"],
)
async def test_a_trouble_is_told_everywhere(corridor: Corridor, trouble: Callable[[Core], None], words: str) -> None:
    lone = corridor.lone
    await lone.member("ola", role="operator")
    ola, mia = await Browser(lone).enter("ola"), await Browser(lone).enter("mia")
    await lone.house.watcher.look()
    trouble(lone.core)
    found = doctor._alerts(json.dumps({"alerts": []}))

    if trouble is _fail_journal:
        status = await _status(corridor)
        found = doctor._alerts(json.dumps(status))
        assert words in found[0].sentence
        assert found[0].fix
    await ola.get("/node")
    health = ola.text
    await lone.house.watcher._tell()
    await ola.get("/groups")
    await mia.get("/groups")

    assert words in health
    assert "Something about this node needs you." in ola.text
    assert "Something about this node needs you." not in mia.text


async def test_groups_on_their_way_back_are_told_everywhere(corridor: Corridor) -> None:
    lone = corridor.lone
    await lone.member("ola", role="operator")
    ola = await Browser(lone).enter("ola")
    await lone.core.store.write(begin, group_id=corridor.ward.group_id, next_epoch=2)

    status = await _status(corridor)
    await ola.get("/node")

    assert status["state"] == "recovering"
    assert [alert["name"] for alert in status["alerts"]] == ["recovering"]
    assert "1 group was restored and asks the other nodes" in ola.text


async def test_the_doctor_looks_into_a_node_that_does_not_run(databases: Databases, clock: FrozenClock) -> None:
    address, data = await databases.new_data()
    (data / "keys").mkdir()
    (data / "keys" / "node.key").write_bytes(bytes(range(32)))
    (data / "rounds.toml").write_text(f'base_url = "https://home.example"\ndatabase = "{address}"\n')
    async with a_lone_house(databases, clock, place=(address, data)) as lone:
        ward = await make_group(lone, "ward", await lone.member("mia"))
        await lone.core.store.write(begin, group_id=ward.group_id, next_epoch=2)

    checks, known = await asyncio.to_thread(doctor._opens, data)

    assert known is not None
    assert [check.name for check in checks] == ["opens", "recovering"]


async def test_a_full_disk_is_told_everywhere(corridor: Corridor, disk: Disk) -> None:
    lone = corridor.lone
    await lone.member("ola", role="operator")
    ola, mia = await Browser(lone).enter("ola"), await Browser(lone).enter("mia")
    await lone.house.watcher.look()
    disk.free_bytes = GIGABYTE

    status = await _status(corridor)
    await ola.get("/node")
    await mia.get("/groups")

    assert status["state"] == "read_only"
    assert [(alert["name"], alert["state"]) for alert in status["alerts"]] == [("disk_full", "bad")]
    assert "The disk is full" in ola.text
    assert "The disk of this node is full" in mia.text


async def test_a_peers_wrong_clock_is_named_on_its_page(corridor: Corridor) -> None:
    lone = corridor.lone
    await lone.member("ola", role="operator")
    ola = await Browser(lone).enter("ola")
    peer = lone.core.peers.by_host("friend.example")
    assert peer is not None
    lone.core.tally.hear_clock(peer.peer_id, "Sat, 21 Nov 2026 12:10:00 GMT", lone.clock.now())

    await ola.get("/peers/friend.example")

    assert "Its clock is 10 minutes ahead of ours." in ola.text

"""Row 18: keys change while people talk. Nothing is lost, and nothing is refused: gap 0."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from tests.support.neighbours import Neighbours, the_neighbours
from tests.support.process_node import ProcessNode
from tests.support.waiting import until_true

pytestmark = [pytest.mark.slow, pytest.mark.timeout(180), pytest.mark.asyncio]


async def _refused(node: ProcessNode) -> list[str]:
    return [lane["error"]["code"] for lane in (await node.tell("lane", "list"))["lanes"] if lane["error"]]


async def _is_changed(pair: Neighbours) -> bool:
    keys = [key for node in pair.nodes for key in (await node.tell("key", "list"))["keys"]]
    coming = [key for key in keys if key["state"] == "overlap" and key["expires_at"] is None]
    return not coming and any(key["state"] == "overlap" for key in keys)


async def _keep_talking(pair: Neighbours, ended: asyncio.Event) -> int:
    count = 0
    while not ended.is_set():
        for node in pair.nodes:
            await pair.speak(node)
            count += 1
    return count


async def test_row_18_every_key_of_two_nodes_changes_while_people_talk_and_nothing_is_lost(tmp_path: Path) -> None:
    async with the_neighbours(tmp_path, ["sqlite:"] * 2) as pair:
        await pair.rest()
        ended = asyncio.Event()
        talking = asyncio.create_task(_keep_talking(pair, ended))

        for node in pair.nodes:
            await node.tell("key", "rotate", "--all")
        await until_true(lambda: _is_changed(pair), seconds=60)
        ended.set()
        count = await talking
        await pair.rest()

        assert count > 0
        assert [await _refused(node) for node in pair.nodes] == [[], []]
        assert await pair.check() == []


async def test_row_18_a_key_that_leaked_is_revoked_while_people_talk_and_a_crash_does_not_bring_it_back(
    tmp_path: Path,
) -> None:
    async with the_neighbours(tmp_path, ["sqlite:"] * 2) as pair:
        await pair.rest()
        keys = (await pair.a.tell("key", "list"))["keys"]
        leaked = next(key["key_id"] for key in keys if key["owner"] == pair.ward and key["algorithm"] == "ed25519")
        ended = asyncio.Event()
        talking = asyncio.create_task(_keep_talking(pair, ended))

        await pair.a.tell("key", "revoke", leaked)
        ended.set()
        await talking
        await pair.a.kill()
        await pair.a.start()
        await pair.speak(pair.a)
        await pair.rest()

        after = {key["key_id"]: key["is_revoked"] for key in (await pair.a.tell("key", "list"))["keys"]}
        assert after[leaked]
        assert await pair.check() == []

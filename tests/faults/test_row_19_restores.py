"""Row 19: a host, a member's node, or both come back from a backup of an hour or seven days ago; real commands, real processes.

The backup is made while the nodes live in the past; then they live now, and what they do since is what the backup lacks.
"""

from __future__ import annotations

import asyncio
import random
import re
import shutil
from pathlib import Path

import pytest

from tests.support.backups import CODE, give_recovery_key
from tests.support.commands import CommandRefused
from tests.support.fake_time import at_another_time
from tests.support.foreign import ForeignPeer
from tests.support.holdings import read_holding
from tests.support.neighbours import Neighbours, the_neighbours
from tests.support.process_node import ProcessNode
from tests.support.village import MovingClock
from tests.support.waiting import until_true

pytestmark = [
    pytest.mark.slow,
    pytest.mark.timeout(240),
    pytest.mark.only_on("sqlite", reason="restores onto PostgreSQL are tried in tests/backup and tests/village"),
]
_SINCE = 8


async def _speak(nodes: Neighbours, node: ProcessNode) -> str:
    nodes.count += 1
    word = f"canary-{nodes.count}x{random.randrange(10**9)}"
    posted = await node.tell("post", "add", nodes.ward, "--as", nodes.reader(node).handle, text=word)
    nodes.truth.add(nodes.ward, posted["uri"], word)
    return str(posted["uri"])


async def _live_now(nodes: Neighbours) -> None:
    """Start all nodes anew, in the present."""
    for node in nodes.nodes:
        await node.stop()
        node.environment.clear()
    await asyncio.gather(*(node.start() for node in nodes.nodes))


async def _back_up(node: ProcessNode, folder: Path) -> Path:
    file = folder / f"{node.data.name}.backup"
    await node.run("backup", str(file))
    return file


async def _restore(node: ProcessNode, backup: Path) -> None:
    """Put a backup in the place of a stopped node's directory, as docs/operate/backup.md says; the journal stays."""
    old = node.data.with_name(f"{node.data.name}.lost")
    node.data.rename(old)
    node.data.mkdir()
    if (old / "journal.log").exists():
        shutil.copy(old / "journal.log", node.data / "journal.log")
    code, _, said = await node.run_raw("restore", str(backup), text=CODE)
    assert code == 0, said


async def _come_back(nodes: Neighbours, *restored: ProcessNode) -> None:
    async def are_ready() -> bool:
        states = [(await node.tell("status"))["state"] for node in restored]
        return states == ["ready"] * len(states)

    await until_true(are_ready, seconds=120)
    for node in nodes.nodes:  # somebody says something, as somebody always does
        await _speak(nodes, node)
    await nodes.rest(seconds=90)


async def _head(nodes: Neighbours, node: ProcessNode) -> int:
    return int((await read_holding(nodes.place(node))).groups[nodes.ward].head_seq)


def _count_entries(node: ProcessNode, since: int) -> int:
    """Return how many entries of logs the node handed over in pages since so many conversations."""
    talks = node.proxy.conversations[since:]
    return sum(len(re.findall(rb'"logEntry"', bytes(talk.answered))) for talk in talks)


@pytest.mark.parametrize(
    ("who", "age"),
    [
        ("a member's node", "-1h"),
        *(pytest.param(who, "-7d", marks=pytest.mark.long) for who in ("the host", "both")),
    ],
)
async def test_row_19_what_came_after_the_backup_comes_back_from_the_others(
    who: str, age: str, tmp_path: Path, database_kind: str
) -> None:
    past = at_another_time(age)

    def prepare(node: ProcessNode) -> None:
        give_recovery_key(node.data)
        node.environment.update(past)

    kinds = ["sqlite:"] * (3 if who == "both" else 2)
    async with the_neighbours(tmp_path, kinds, prepare=prepare) as nodes:
        for node in nodes.nodes:
            await _speak(nodes, node)
        erased = await _speak(nodes, nodes.a)
        await nodes.rest()
        restored = {"the host": [nodes.a], "a member's node": [nodes.b], "both": [nodes.a, nodes.b]}[who]
        backups = [await _back_up(node, tmp_path) for node in restored]
        head = await _head(nodes, nodes.a)
        await _live_now(nodes)
        for _ in range(_SINCE):
            for node in nodes.nodes:
                await _speak(nodes, node)
        await nodes.a.tell("post", "withdraw", erased, "--as", "ana")
        nodes.truth.take_back(erased)
        await nodes.rest()
        missing = await _head(nodes, nodes.a) - head
        for node, backup in zip(restored, backups, strict=True):
            await node.stop()
            await _restore(node, backup)
        passed = {node.host: len(node.proxy.conversations) for node in nodes.nodes}

        await asyncio.gather(*(node.start() for node in restored))
        await _come_back(nodes, *restored)

        assert await nodes.check() == []
        moved = sum(_count_entries(node, passed[node.host]) for node in nodes.nodes)
        assert moved <= 2 * missing * len(restored), (
            f"{moved} entries went over the wire for {missing} that were missing"
        )


async def test_row_19_who_was_removed_stays_out_when_the_host_is_restored_and_its_peers_are_down(
    tmp_path: Path, database_kind: str
) -> None:
    outsider = ForeignPeer(MovingClock().now)
    await outsider.start()
    async with the_neighbours(tmp_path, ["sqlite:"] * 2, prepare=lambda node: give_recovery_key(node.data)) as nodes:
        a, b, ward = nodes.a, nodes.b, nodes.ward
        guy = outsider.person("guy")
        await a.tell("peer", "add", outsider.origin, "--unpinned", "--yes")
        await a.tell("group", "admit", ward, outsider.host, "--yes")
        await outsider.send(f"{ward}/inbox", outsider.activity("Follow", guy, ward, to=[ward]), guy)
        await _speak(nodes, a)
        await nodes.rest()
        before = await outsider.get(f"{ward}/log?after=0")
        backup = await _back_up(a, tmp_path)
        nodes.truth.removed[b.host, ward] = await _head(nodes, a)
        for person in (b.person("ben"), guy.uri):
            await a.tell("group", "remove", ward, person, "--yes")
        await a.stop()
        await b.stop()

        await _restore(a, backup)
        await a.start()
        roster = {row["uri"]: row["state"] for row in (await a.tell("group", "roster", ward))["members"]}
        await _speak_when_it_may(nodes)
        answers = [await outsider.get(f"{ward}/{what}") for what in ("log?after=0", "outbox", "followers")]
        await b.start()
        await nodes.rest()

        assert before.status == 200
        assert {roster[b.person("ben")], roster[guy.uri]} == {"removed"}
        assert {answer.status for answer in answers} == {404}
        with pytest.raises(CommandRefused):
            await b.tell("post", "add", ward, "--as", "ben", text="let me in")
        assert await nodes.check() == []
        passed = b"".join(bytes(talk.sent + talk.answered) for talk in b.proxy.conversations)
        assert nodes.truth.acknowledged[-1].word.encode() not in passed
        assert nodes.truth.acknowledged[-1].word.encode() not in b"".join(each.body for each in outsider.requests)
    await outsider.stop()


async def _speak_when_it_may(nodes: Neighbours) -> None:
    """Post at the host once its group gives numbers again: nobody is left to be asked."""

    async def is_ready() -> bool:
        return bool((await nodes.a.tell("status"))["state"] == "ready")

    await until_true(is_ready, seconds=60)
    await _speak(nodes, nodes.a)

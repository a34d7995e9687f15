"""Backup, restore and move in processes that are ended by force, on disks that are full, while members write."""

from __future__ import annotations

import asyncio
import json
import os
import random
import resource
import signal
import stat
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from tests.support.backups import CODE, give_recovery_key
from tests.support.process_node import ROUNDS, ProcessNode, _environment
from tests.support.traces import find_in_folder, read_rows

pytestmark = [pytest.mark.slow, pytest.mark.timeout(240)]
CANARY = "canary-77aa01"
_POSTS = 2


@pytest.fixture
async def node(address: str, tmp_path: Path) -> AsyncIterator[tuple[ProcessNode, str]]:
    """Give a node that serves, with a few posts, and its recovery code."""
    made = await ProcessNode.make(tmp_path / "node", name="Society", database=address)
    give_recovery_key(made.data)
    try:
        await made.start()
        await made.member("ana")
        ward = await made.group("ward", owner="ana")
        for number in range(_POSTS):
            await made.post(ward, f"{CANARY} {number} " + "words " * 2000, as_="ana")
        yield made, CODE
    finally:
        await made.close()


async def _begin(data: Path, *argv: str, text: str = "", limit_bytes: int | None = None) -> asyncio.subprocess.Process:
    def limit() -> None:
        if limit_bytes is not None:
            resource.setrlimit(resource.RLIMIT_FSIZE, (limit_bytes, limit_bytes))

    process = await asyncio.create_subprocess_exec(
        ROUNDS, "--data", data, *argv, stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE, env=_environment(), preexec_fn=limit,
    )  # fmt: skip
    assert process.stdin is not None
    process.stdin.write(text.encode())
    process.stdin.close()
    return process


async def _run(data: Path, *argv: str, **more: Any) -> tuple[int, str]:
    process = await _begin(data, *argv, **more)
    assert process.stdout is not None
    assert process.stderr is not None
    out, err = await asyncio.gather(process.stdout.read(), process.stderr.read())
    return await process.wait(), (out + err).decode()


async def _kill_after(data: Path, seconds: float, *argv: str, text: str = "") -> None:
    process = await _begin(data, *argv, text=text)
    try:
        async with asyncio.timeout(seconds):
            await process.wait()
    except TimeoutError:
        process.send_signal(signal.SIGKILL)
        await process.wait()


def _leftovers(folder: Path) -> list[str]:
    return find_in_folder(CANARY, folder)


@pytest.mark.long_on("postgresql")
async def test_a_backup_while_members_write_holds_what_was_acknowledged_and_restores(
    node: tuple[ProcessNode, str], tmp_path: Path, address: str
) -> None:
    made, code = node
    ward, backup = f"{made.origin}/groups/ward", tmp_path / "out" / "one.backup"
    backup.parent.mkdir()
    early = [post["uri"] for post in await made.posts(ward, as_="ana")]
    writing = [asyncio.create_task(made.post(ward, f"late {n}", as_="ana")) for n in range(3)]

    status, said = await _run(made.data, "backup", str(backup), "--json")
    await asyncio.gather(*writing)
    restored, told = await _run(tmp_path / "new", "restore", str(backup), text=code)
    drilled, drill = await _run(made.data, "backup", "drill", str(backup), "--json", text=code)

    assert (status, restored, drilled) == (0, 0, 0), said + told + drill
    posts = "\n".join((await read_rows("sqlite:", tmp_path / "new"))["posts"])
    assert [uri for uri in early if uri not in posts] == []
    assert stat.S_IMODE(backup.stat().st_mode) == 0o600
    assert _leftovers(backup.parent) == []
    listed = await made.run("backup", "list")
    assert [each["ok"] for each in listed["drills"]] == [True]
    assert len(listed["backups"]) == 1
    assert json.loads(drill.splitlines()[0])["ok"]
    assert {name for name in os.listdir(made.data) if name.endswith(".work")} == set()


@pytest.mark.long_on("postgresql")
async def test_kill_9_in_a_backup_or_a_restore_leaves_nothing_or_all(
    node: tuple[ProcessNode, str], tmp_path: Path
) -> None:
    made, code = node
    await made.stop()
    out = tmp_path / "out"
    out.mkdir()
    backup, done = out / "one.backup", []

    for _ in range(3):
        await _kill_after(made.data, random.uniform(0.3, 1.6), "backup", str(backup))
        done.append(backup.exists())
        if backup.exists():
            assert (await _run(tmp_path, "backup", "drill", str(backup), text=code))[0] == 0
            backup.unlink()
    assert (await _run(made.data, "backup", str(backup)))[0] == 0
    for number in range(3):
        data = tmp_path / f"new{number}"
        await _kill_after(data, random.uniform(0.3, 1.4), "restore", str(backup), text=code)
        if not data.exists():
            assert (await _run(data, "restore", str(backup), text=code))[0] == 0
        assert (await _run(data, "status"))[0] == 0
        assert len((await read_rows("sqlite:", data))["posts"]) == _POSTS
    assert os.listdir(out) == ["one.backup"]
    assert [name for name in os.listdir(tmp_path) if name.endswith((".partial", ".before"))] == []
    assert [name for name in os.listdir(made.data) if name.endswith(".work")] == []


@pytest.mark.only_on("sqlite", reason="it moves from there")
async def test_kill_9_in_a_move_leaves_the_node_on_one_database_and_the_next_try_ends_it(
    node: tuple[ProcessNode, str], request: pytest.FixtureRequest
) -> None:
    made, _ = node
    await made.stop()
    server = request.getfixturevalue("durable")
    await _administer(server, "CREATE DATABASE moved")
    address = server.address("moved")

    try:
        for _ in range(3):
            await _kill_after(made.data, random.uniform(0.4, 2.5), "migrate", "--to", address)
            shown = json.loads((await _run(made.data, "config", "show", "--json"))[1])
            is_moved = shown["database"] == "set"
            assert (await _run(made.data, "group", "list"))[0] == 0
            if is_moved:
                break
        status, said = await _run(made.data, "migrate", "--to", address)

        assert status == 0, said
        assert len((await read_rows(address, made.data))["posts"]) == _POSTS
        assert (made.data / "rounds.sqlite.moved").exists()
        assert not (made.data / "rounds.sqlite").exists()
        await made.start()
        assert len(await made.posts(f"{made.origin}/groups/ward", as_="ana")) == _POSTS
        assert (await _run(made.data, "migrate", "--to", address)) == (
            2,
            "The node is running. Stop it, move it, and start it again.\n",
        )
        await made.stop()
    finally:
        await _administer(server, "DROP DATABASE moved WITH (FORCE)")


@pytest.mark.only_on("sqlite", reason="the disk is the same for both")
async def test_a_full_disk_is_said_and_leaves_no_file(node: tuple[ProcessNode, str], tmp_path: Path) -> None:
    made, code = node
    out = tmp_path / "out"
    out.mkdir()
    running = await _run(made.data, "backup", str(out / "one.backup"), limit_bytes=200_000)
    await made.stop()
    stopped = await _run(made.data, "backup", str(out / "one.backup"), limit_bytes=200_000)
    whole = await _run(made.data, "backup", str(out / "one.backup"))
    restored = await _run(tmp_path / "new", "restore", str(out / "one.backup"), text=code, limit_bytes=200_000)

    assert (running[0], stopped[0], whole[0], restored[0]) == (1, 1, 0, 1)
    assert "Nothing was kept" in running[1]
    assert "cannot be" in stopped[1]
    assert "cannot be written" in restored[1]
    assert os.listdir(out) == ["one.backup"]
    assert not (tmp_path / "new").exists()
    assert [name for name in os.listdir(made.data) if name.endswith(".work")] == []


@pytest.mark.only_on("sqlite", reason="the words are the same for both")
async def test_a_code_is_asked_for_never_taken_from_the_arguments_and_mistakes_are_said(
    node: tuple[ProcessNode, str], tmp_path: Path
) -> None:
    made, code = node
    backup = tmp_path / "one.backup"
    assert (await _run(made.data, "backup", str(backup)))[0] == 0
    wrong = code[:-1] + ("a" if code[-1] != "a" else "b")
    other = str((await made.run("key", "recovery", "--yes"))["recovery_code"])

    mistyped = await _run(tmp_path / "new", "restore", str(backup), text=wrong)
    another = await _run(tmp_path / "new", "restore", str(backup), text=other)
    missing = await _run(tmp_path / "new", "restore", str(backup))
    twice = await _run(made.data, "key", "recovery")
    old = await _run(tmp_path / "new", "restore", str(backup), text=code.upper().replace("-", " "))

    assert mistyped == (1, f"There is a typing mistake in the eighth group of the recovery code: {wrong[-5:]}\n")
    assert another[0] == 1
    assert "older or newer sheet" in another[1]
    assert missing[0] == 1
    assert twice[0] == 1
    assert old[0] == 0
    for row in await made.audit():
        assert code not in json.dumps(row)
    assert find_in_folder(code, made.data) == find_in_folder(other, made.data) == []


async def _administer(server: Any, statement: str) -> None:
    import asyncpg

    connection: Any = await asyncpg.connect(server.address("postgres"))
    try:
        await connection.execute(statement)
    finally:
        await connection.close()

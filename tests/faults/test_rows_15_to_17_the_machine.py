"""Rows 15 to 17: a full disk, a disk that fails or is read-only, a locked database, nodes that all come back at once.

A file system cannot be made read-only while a database writes to it, so that and I/O errors come from a shim under the process
(`shim.c`), which answers its writes and syncs as such a disk would. The full disk is a real one of 24 MB.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import shutil
import sqlite3
import subprocess
from collections import Counter
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
import pytest_asyncio

from tests.support.foreign import ForeignPeer
from tests.support.neighbours import Neighbours, the_neighbours
from tests.support.process_node import ProcessNode
from tests.support.village import MovingClock
from tests.support.waiting import until, until_true

pytestmark = [pytest.mark.long, pytest.mark.slow, pytest.mark.timeout(240), pytest.mark.asyncio(loop_scope="module")]
_PEERS = 30


def _compile(folder: Path) -> Path:
    """Return the shim, compiled; the test is skipped where there is no compiler."""
    if shutil.which("gcc") is None:
        pytest.skip("There is no C compiler: run `sudo apt-get install gcc`.")
    made = folder / "shim.so"
    source = Path(__file__).with_name("shim.c")
    subprocess.run(["gcc", "-shared", "-fPIC", "-O1", "-o", made, source, "-ldl"], check=True, capture_output=True)
    return made


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def pair(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Neighbours]:
    """Give two nodes, the first over a disk that can be told to fail."""
    folder = tmp_path_factory.mktemp("pair")
    shim = _compile(folder)

    def prepare(node: ProcessNode) -> None:
        if node.data.name == "society":
            node.environment |= {
                "LD_PRELOAD": str(shim),
                "FAULT_FILE": str(folder / "fault"),
                "FAULT_PATH": "rounds.sqlite",
            }

    async with the_neighbours(folder, ["sqlite:"] * 2, prepare=prepare) as made:
        await made.rest()
        yield made


@pytest.fixture
def disk(pair: Neighbours) -> Iterator[Path]:
    """Give the file that says how the disk under the first node fails."""
    file = pair.a.data.with_name("fault")
    yield file
    file.unlink(missing_ok=True)


async def _reads(pair: Neighbours, node: ProcessNode) -> bool:
    return await pair.reader(node).status("/api/v1/timelines/home") == 200


@pytest.mark.parametrize("error", ["EIO", "EROFS", pytest.param("ENOSPC", marks=pytest.mark.long)])
async def test_row_15_while_the_disk_fails_nothing_is_acknowledged_and_reading_goes_on(
    pair: Neighbours, disk: Path, error: str
) -> None:
    await pair.say(pair.a)

    _say_how(disk, error)
    said = [await pair.say(pair.a) for _ in range(3)]
    statuses = {await _post_status(pair) for _ in range(2)}
    reads = [await _reads(pair, pair.a) for _ in range(3)]
    elsewhere = await pair.say(pair.b)
    _say_how(disk, "")
    await until_true(lambda: pair.say(pair.a), seconds=90)  # a node stays careful for a minute

    assert said == [None, None, None]
    assert statuses <= {503, 507}, statuses
    assert reads == [True, True, True]
    assert elsewhere is not None
    await pair.rest()
    assert await pair.check() == []


def _say_how(disk: Path, error: str) -> None:
    """Let the disk fail in some way from now on; nothing: let it be well."""
    disk.write_text(error)


async def _post_status(pair: Neighbours) -> int:
    """Return the status with which a post is refused."""
    try:
        await pair.reader(pair.a).say("@ward words that nobody keeps")
    except Exception as error:
        return int(getattr(error, "status", 0))
    return 200


@pytest.mark.skipif(os.geteuid() != 0, reason="Only root can mount a small disk here.")
async def test_row_15_a_full_disk_loses_nothing_and_is_over_when_there_is_room(tmp_path: Path) -> None:
    with _a_small_disk(tmp_path / "society") as small:
        async with the_neighbours(tmp_path, ["sqlite:"] * 2) as pair:
            await pair.say(pair.a)
            filler = small / "filler"
            _fill(filler)

            said = []
            for _ in range(40):  # what is left of the log's room may take a few
                said.append(await pair.say(pair.a))
            reads = [await _reads(pair, pair.a) for _ in range(3)]
            filler.unlink()
            await until_true(lambda: pair.say(pair.a), seconds=90)  # a node stays careful for a minute

            assert said[-1] is None
            assert reads == [True, True, True]
            await pair.rest()
            assert await pair.check() == []


@contextlib.contextmanager
def _a_small_disk(small: Path) -> Iterator[Path]:
    """Give a disk of 24 MB; the test is skipped where none can be mounted."""
    small.mkdir()
    done = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=24m", "tmpfs", small], capture_output=True, check=False)
    if done.returncode != 0:
        pytest.skip("A small disk cannot be mounted here.")
    try:
        yield small
    finally:
        subprocess.run(["umount", "-l", small], check=True)


def _fill(file: Path) -> None:
    """Take all the room that a disk has."""
    with contextlib.suppress(OSError), file.open("wb", buffering=0) as out:
        for size in (1 << 20, 1 << 12, 1):
            with contextlib.suppress(OSError):
                while out.write(bytes(size)):
                    pass


async def test_row_16_while_somebody_locks_the_database_members_read_and_are_told_later(pair: Neighbours) -> None:
    lock = sqlite3.connect(pair.a.data / "rounds.sqlite", isolation_level=None)
    lock.execute("BEGIN IMMEDIATE")  # writes nothing; a backup program of somebody else's does this

    said = [asyncio.create_task(pair.say(pair.a)) for _ in range(3)]
    reads = [await _reads(pair, pair.a) for _ in range(5)]
    answers = await asyncio.gather(*said)
    lock.execute("ROLLBACK")
    lock.close()
    await until_true(lambda: pair.say(pair.a), seconds=20)

    assert answers == [None, None, None]
    assert reads == [True] * 5
    await pair.rest()
    assert await pair.check() == []


async def test_row_16_a_reader_that_stays_long_lets_the_log_grow_no_further_than_it_must(pair: Neighbours) -> None:
    wal = pair.a.data / "rounds.sqlite-wal"
    reader = sqlite3.connect(f"file:{pair.a.data / 'rounds.sqlite'}?mode=ro", uri=True, isolation_level=None)
    reader.execute("BEGIN")
    reader.execute("SELECT COUNT(*) FROM posts").fetchone()

    for _ in range(10):
        assert await pair.say(pair.a) is not None
    grown = wal.stat().st_size
    reader.close()
    await pair.rest()
    await pair.a.stop()
    await pair.a.start()

    assert grown < 256 * 2**20
    assert not wal.exists() or wal.stat().st_size <= 64 * 2**20
    assert await pair.check() == []


async def test_row_17_lanes_of_peers_that_all_come_back_start_ten_a_second_at_most(pair: Neighbours) -> None:
    arrived: list[float] = []
    loop = asyncio.get_running_loop()
    peers = [ForeignPeer(MovingClock().now) for _ in range(_PEERS)]
    for peer in peers:
        await peer.start()
        peer.inbox_status = 503
        await pair.a.tell("peer", "add", peer.origin, "--unpinned", "--yes")
        guy = peer.person("guy")  # who says something is somebody one can write to
        await peer.send(f"{pair.a.origin}/inbox", peer.activity("View", guy, pair.a.origin), guy)
    people = [peer.person("guy").uri for peer in peers]
    for person in people:
        await pair.a.tell("message", "send", person, "--as", "ana", text="Hello")
    await until(lambda: all(peer.deliveries for peer in peers))

    for peer in peers:
        had = len(peer.deliveries)
        peer.inbox_status = 202
        peer.answers["/inbox"] = _note_arrival(arrived, loop)
        view = peer.activity("View", peer.instance, pair.a.origin, proved=False)
        assert (await peer.send(f"{pair.a.origin}/inbox", view, peer.instance)).status == 202, had
    await until(lambda: len(arrived) >= _PEERS, seconds=60)
    for peer in peers:
        await pair.a.tell("peer", "part", peer.host, "--yes")
        await peer.stop()

    within = Counter(int(at - min(arrived)) for at in arrived)
    assert max(within.values()) <= 15, within  # ten a second, told by a clock whose second begins elsewhere
    assert max(arrived) - min(arrived) > 1


def _note_arrival(arrived: list[float], loop: asyncio.AbstractEventLoop):  # type: ignore[no-untyped-def]
    from aiohttp import web

    def answer(received: object) -> web.Response:
        if getattr(received, "method", "") == "POST":
            arrived.append(loop.time())
        return web.Response(status=202)

    return answer


async def test_row_17_a_node_that_restarts_again_and_again_loses_and_doubles_nothing(pair: Neighbours) -> None:
    for number in range(4):
        writing = [asyncio.create_task(pair.say(node)) for node in pair.nodes for _ in range(3)]
        await asyncio.wait(writing, return_when=asyncio.FIRST_COMPLETED)
        await (pair.b.kill() if number % 2 else pair.b.stop())
        await asyncio.gather(*writing)
        await pair.b.start()

    await pair.rest()
    assert await pair.check() == []

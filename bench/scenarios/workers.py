"""The same deliveries by one, two and four `rounds worker` processes over one PostgreSQL."""

from __future__ import annotations

import contextlib
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

from bench.hosted import add_owner
from bench.nodes import SERVE, NodeFailed, a_running_node, init_node
from bench.peers import make_peer
from bench.processes import cpu_seconds
from bench.report import Line
from bench.run import Run
from bench.scenarios.reading import create_database
from bench.seating import seat, write_posts
from bench.world import World, a_world
from tests.support.postgres import PostgresMissing, a_cluster

WORKERS = (1, 2, 4)
HOSTS = 100
_START_SECONDS, _STOP_SECONDS = 60.0, 40.0
_KEPT = ("rounds.toml", "keys")


def measure(run: Run) -> list[Line]:
    """Measure deliveries a second and what one costs, workers and server together; nothing is judged but that none doubles."""
    try:
        with a_cluster(is_durable=True) as cluster:
            return _measure(run, create_database(cluster.address, "workers"), cluster.process.pid)
    except PostgresMissing as error:
        return [Line("deliveries by several workers", None, "CPU-ms", note=str(error))]


def _measure(run: Run, address: str, server: int) -> list[Line]:
    peers = [make_peer(run.keys, speaks_rounds=True) for _ in range(HOSTS)]
    data = run.folder / "workers"
    origin = init_node(data, database=address)
    group = f"{origin}/groups/ward"
    with a_running_node(data, origin) as node:
        add_owner(node)
        node.run("group", "create", "ward", "--title", "Ward", "--policy", "open", "--owner", "ana")
    seat(data, [group], peers)
    posts = 20 if run.is_quick else 60
    lines = []
    with a_world(peers) as world:
        _deliver(world, data, group, 1, workers=1, server=server)  # the author's card
        for count in WORKERS:
            each, rate = _deliver(world, data, group, posts, workers=count, server=server)
            lines.append(
                Line(f"{posts * HOSTS:,} deliveries, {count} at work on PostgreSQL", each, "CPU-ms", rate=rate)
            )
    return lines


def _deliver(world: World, data: Path, group: str, posts: int, *, workers: int, server: int) -> tuple[float, float]:
    """Let so many workers deliver what was written while nobody was there; return CPU-ms each and deliveries a second."""
    write_posts(data, group, "ana", posts)
    world.reset()
    with contextlib.ExitStack() as stack:
        running = [stack.enter_context(_a_worker(data, place)) for place in range(workers)]
        pids = [server, *(process.pid for process, _ in running)]
        cpu = [sum(map(cpu_seconds, pids)), time.monotonic()]
        for process, log_path in running:
            _wait_until_working(process, log_path)
        ended = world.wait_for_posts(posts)
        spent = sum(map(cpu_seconds, pids)) - cpu[0]
        times = world.times()
        began = min(min(host) for host in times)
    if any(host["posts"] - posts not in (0, 1) for host in world.state()):  # the first time, a card goes before
        raise ValueError("not every host was sent every post once")
    return spent * 1000 / (posts * HOSTS), (posts * HOSTS) / (ended - began)


@contextlib.contextmanager
def _a_worker(data: Path, place: int) -> Iterator[tuple[subprocess.Popen[bytes], Path]]:
    """Run a worker in a directory of its own, with the node's configuration and key; give it with its log."""
    own = data.with_name(f"{data.name}-{place}")
    if not own.exists():
        own.mkdir()
        for name in _KEPT:
            (shutil.copytree if (data / name).is_dir() else shutil.copy)(data / name, own / name)
    log_path = own / "worker.log"
    command = [sys.executable, *SERVE, "--data", str(own), "worker"]
    with log_path.open("wb") as log:
        shared = os.environ | {"ROUNDS_MEDIA": f"file:{data / 'media'}"}  # without pictures for all none starts
        process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=log, stderr=log, env=shared)
    try:
        yield process, log_path
    finally:
        process.terminate()
        try:
            process.wait(_STOP_SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _wait_until_working(process: subprocess.Popen[bytes], log_path: Path) -> None:
    deadline = time.monotonic() + _START_SECONDS
    while time.monotonic() < deadline and process.poll() is None:
        if b"Working.\n" in log_path.read_bytes():
            return
        time.sleep(0.02)
    raise NodeFailed(f"a worker does not start: {log_path.read_text()[-2000:]}")

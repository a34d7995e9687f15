"""What this machine can do at all: the parts of the work that no cleverness removes, each by itself.

They are measured in the same run as what they are compared with, because they differ from machine to machine and from
hour to hour.
"""

from __future__ import annotations

import contextlib
import os
import sqlite3
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from .load import send_all
from .nodes import find_port
from .peers import KeyBox
from .processes import cpu_seconds
from .report import Line, Section

_ROUNDS = 5
_ROW = "x" * 500
_BATCH = 16


@dataclass(frozen=True, slots=True)
class Limits:
    """CPU milliseconds each, except where the name says otherwise.

    post, post_per_second: one POST of an activity through a bare application on uvicorn.
    rsa_verify, rsa_sign, ed25519_verify, ed25519_sign: one operation over 500 bytes.
    row, rows_per_second: one row of 500 bytes inserted in SQLite, sixteen to a commit, FULL.
    syncs_per_second: writes of one page, each waiting for the disk.
    """

    post: float
    post_per_second: float
    rsa_verify: float
    rsa_sign: float
    ed25519_verify: float
    ed25519_sign: float
    row: float
    rows_per_second: float
    syncs_per_second: float

    def section(self) -> Section:
        """Return them as lines of the report."""
        units = {"post": "bare ASGI POST on uvicorn", "row": "SQLite row of 500 bytes, 16 a commit, FULL"}
        rates = {"post": self.post_per_second, "row": self.rows_per_second}
        section = Section("limits")
        for name, value in asdict(self).items():
            if not name.endswith("_per_second"):
                what = units.get(name, name.replace("_", " "))
                section.lines.append(Line(what, value, "CPU-ms", rate=rates.get(name)))
        section.lines.append(Line("waits for the disk", self.syncs_per_second, "a second"))
        return section


def measure_limits(folder: Path, keys: KeyBox) -> Limits:
    """Measure them all, in about ten seconds."""
    pair = keys.take()
    data = os.urandom(500)
    rsa, ed25519 = pair.rsa.sign(data), pair.ed25519.sign(data)
    rsa_public, ed25519_public = pair.rsa.public, pair.ed25519.public
    post, post_rate = _measure_post()
    row, row_rate = _measure_rows(folder)
    return Limits(
        post=post,
        post_per_second=post_rate,
        rsa_verify=_cost(lambda: rsa_public.verify(rsa, data), 500),
        rsa_sign=_cost(lambda: pair.rsa.sign(data), 100),
        ed25519_verify=_cost(lambda: ed25519_public.verify(ed25519, data), 200),
        ed25519_sign=_cost(lambda: pair.ed25519.sign(data), 500),
        row=row,
        rows_per_second=row_rate,
        syncs_per_second=_measure_syncs(folder),
    )


@contextlib.contextmanager
def a_bare_server() -> Iterator[tuple[int, int]]:
    """Serve the bare application; give (process id, port)."""
    port = find_port()
    root = Path(__file__).parent.parent
    process = subprocess.Popen([sys.executable, "-m", "bench.bare", str(port)], cwd=root)
    try:
        for _ in range(500):
            with contextlib.suppress(OSError):
                send_all(port, [[b"GET / HTTP/1.1\r\nhost: localhost\r\n\r\n"]])
                break
            time.sleep(0.02)
        yield process.pid, port
    finally:
        process.terminate()
        process.wait()


def cost_of_posts(pid: int, port: int, queues: Sequence[Sequence[bytes]]) -> tuple[float, float]:
    """Return (CPU-ms each, requests a second) of sending these to the bare application."""
    before = cpu_seconds(pid)
    outcome = send_all(port, queues).require(202)
    count = sum(map(len, queues))
    return (cpu_seconds(pid) - before) * 1000 / count, count / outcome.seconds


def _measure_post() -> tuple[float, float]:
    body = b"x" * 500
    request = b"POST /inbox HTTP/1.1\r\nhost: localhost\r\ncontent-length: 500\r\n" + b"signature: y\r\n\r\n" + body
    with a_bare_server() as (pid, port):
        found = [cost_of_posts(pid, port, [[request] * 125] * 16) for _ in range(_ROUNDS)]
    return statistics.median(cost for cost, _ in found), statistics.median(rate for _, rate in found)


def _measure_rows(folder: Path) -> tuple[float, float]:
    path = folder / "limits.sqlite"
    connection = sqlite3.connect(path, isolation_level=None)
    for pragma in ("journal_mode=WAL", "synchronous=FULL", "secure_delete=ON"):
        connection.execute(f"PRAGMA {pragma}")
    connection.execute("CREATE TABLE rows (n INTEGER PRIMARY KEY, uri TEXT NOT NULL UNIQUE, document TEXT)")
    costs, rates, n = [], [], 0
    for _ in range(_ROUNDS):
        cpu, wall = time.thread_time(), time.perf_counter()
        for _ in range(50):
            connection.execute("BEGIN IMMEDIATE")
            for _ in range(_BATCH):
                n += 1
                connection.execute("INSERT INTO rows VALUES (?, ?, ?)", (n, f"{os.urandom(13).hex()}", _ROW))
            connection.execute("COMMIT")
        costs.append((time.thread_time() - cpu) * 1000 / (50 * _BATCH))
        rates.append(50 * _BATCH / (time.perf_counter() - wall))
    connection.close()
    return statistics.median(costs), statistics.median(rates)


def _measure_syncs(folder: Path) -> float:
    path, page, rates = folder / "limits.sync", b"x" * 4096, []
    descriptor = os.open(path, os.O_CREAT | os.O_WRONLY, 0o600)
    try:
        for _ in range(_ROUNDS):
            began = time.perf_counter()
            for _ in range(100):
                os.write(descriptor, page)
                os.fdatasync(descriptor)
            rates.append(100 / (time.perf_counter() - began))
    finally:
        os.close(descriptor)
    return statistics.median(rates)


def _cost(work: Callable[[], object], count: int) -> float:
    """Return the CPU milliseconds of one run of `work`: the median of several rounds."""
    costs = []
    for _ in range(_ROUNDS):
        began = time.thread_time()
        for _ in range(count):
            work()
        costs.append((time.thread_time() - began) * 1000 / count)
    return statistics.median(costs)

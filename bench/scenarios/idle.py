"""A node with nothing to do: what it took to start, and how much memory it holds."""

from __future__ import annotations

import time

from bench.nodes import a_running_node, init_node
from bench.report import Line, line_of
from bench.run import Run

MEMORY_LIMIT, MEMORY_HOPE = 110.0, 80.0
START_LIMIT = 2.5
_SETTLED_SECONDS = 2.0
_IDLE_SECONDS = 6.0


def measure(run: Run) -> list[Line]:
    """Start a new node several times; let it rest; look."""
    data = run.folder / "idle"
    origin = init_node(data)
    seconds = _IDLE_SECONDS / (2 if run.is_quick else 1)
    starts: list[float] = []
    memory: list[float] = []
    idle: list[float] = []
    for _ in range(run.rounds):
        with a_running_node(data, origin) as node:
            starts.append(node.started_cpu_seconds)
            time.sleep(_SETTLED_SECONDS)
            memory.append(node.memory_bytes / 2**20)
            cpu = node.cpu
            time.sleep(seconds)
            idle.append((node.cpu - cpu) * 1000 / seconds)
    return [
        line_of("memory of all processes (PSS)", memory, "MiB", limit=MEMORY_LIMIT, hope=MEMORY_HOPE),
        line_of("start until /ready", starts, "CPU-s", limit=START_LIMIT),
        line_of("a second of doing nothing", idle, "CPU-ms"),
    ]

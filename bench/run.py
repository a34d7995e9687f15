"""What every scenario is given, and the round that most of them repeat: send, wait until at rest, see what it cost."""

from __future__ import annotations

import statistics
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from .limits import Limits
from .load import send_all
from .nodes import Node
from .peers import KeyBox


@dataclass(frozen=True, slots=True)
class Run:
    """One run of the benchmark.

    folder: for data directories; on the disk that is measured. keys: for synthetic actors.
    limits: what the machine can do. rounds, items: how often, and with how much each time.
    is_quick: a look, not a verdict.
    """

    folder: Path
    keys: KeyBox
    limits: Limits
    is_quick: bool

    @property
    def rounds(self) -> int:
        """How many rounds a median is taken of."""
        return 3 if self.is_quick else 7

    @property
    def items(self) -> int:
        """How many activities a round sends."""
        return 480 if self.is_quick else 1600


@dataclass(frozen=True, slots=True)
class Spent:
    """What one round cost: CPU-ms each, items a second until at rest, and what the store did for each."""

    each: float
    rate: float
    commits: float
    reads: float
    statements: float


def describe_work(rounds: Sequence[Spent]) -> str:
    """Return what the store did for one item: counts, which no other work on the machine disturbs."""
    statements = statistics.median(each.statements for each in rounds)
    reads = statistics.median(each.reads for each in rounds)
    commits = statistics.median(each.commits for each in rounds)
    return f"{statements:.1f} statements, {reads:.2f} reads, {commits:.2f} commits"


def send_until_rest(node: Node, queues: Sequence[Sequence[bytes]], *, status: int = 202) -> Spent:
    """Send requests to a node and return what they cost until nothing waits any more.

    Raises:
        ValueError: One of them was answered with another status.
    """
    count = sum(map(len, queues))
    before, cpu, began = node.status()["counts"], node.cpu, time.perf_counter()
    send_all(node.port, queues).require(status)
    after = node.wait_at_rest()["counts"]
    seconds = time.perf_counter() - began
    done = {name: (after[name] - before[name]) / count for name in ("commits", "reads", "statements")}
    return Spent((node.cpu - cpu) * 1000 / count, count / seconds, **done)

"""What every scenario is given, and the round that most of them repeat: send, wait until at rest, see what it cost."""

from __future__ import annotations

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
    """What one round cost: CPU-ms each, items a second until at rest, commits each."""

    each: float
    rate: float
    commits: float


def send_until_rest(node: Node, queues: Sequence[Sequence[bytes]], *, status: int = 202) -> Spent:
    """Send requests to a node and return what they cost until nothing waits any more.

    Raises:
        ValueError: One of them was answered with another status.
    """
    count = sum(map(len, queues))
    commits, cpu, began = node.status()["counts"]["commits"], node.cpu, time.perf_counter()
    send_all(node.port, queues).require(status)
    shown = node.wait_at_rest()
    seconds = time.perf_counter() - began
    return Spent((node.cpu - cpu) * 1000 / count, count / seconds, (shown["counts"]["commits"] - commits) / count)

"""Recovery: what a host does between a restore and its next entry. Pure.

Nothing goes out and nothing gets a number until every member node has been asked for what it holds: a number given
twice is two histories. The nodes are asked one after the other, so that each gives only what those before did not have.
A node that cannot be reached is waited for, a quarter of an hour or until the operator says so; it is asked on, at longer
intervals, and what it brings later is said anew at the end (`handed`).

A hosted group always has a recovery; in calm times it is over and waits for nobody. A node whose position shows that it
may hold more is asked like one that was not heard.

Spec: reliability.md 4.7; decision 0012.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Set
from dataclasses import dataclass, replace

from .position import Position

PATIENCE_SECONDS = 900.0
ASK_AGAIN_SECONDS = 15.0
ASK_LATE_SECONDS = 300.0


@dataclass(frozen=True, slots=True)
class Recovery:
    """One hosted group on its way back.

    epoch: the one that begins afterwards. began: when, in seconds of any clock. waiting: the nodes that were not heard.
    heard: (node, the chain that it told when it gave all it holds). asked: (node, when it was asked last).
    """

    epoch: int
    began: float
    waiting: frozenset[str]
    heard: tuple[tuple[str, str], ...] = ()
    asked: tuple[tuple[str, float], ...] = ()

    def list_due(self, now: float, bases: Mapping[str, int] | None = None) -> list[str]:
        """Return the nodes that are to be asked now: the first alone, and while no other question is on its way.

        Args:
            now: Seconds of any clock.
            bases: Behind what each node's copy starts; who has most is asked first, and the others have little to add.
        """
        asked = dict(self.asked)
        pause = ASK_LATE_SECONDS if now - self.began >= PATIENCE_SECONDS else ASK_AGAIN_SECONDS
        due = [node for node in self.waiting if now - asked.get(node, -ASK_LATE_SECONDS) >= pause]
        return sorted(due, key=lambda node: (asked.get(node, -ASK_LATE_SECONDS), (bases or {}).get(node, 0), node))

    def ask(self, node: str, now: float) -> Recovery:
        """Return the recovery after a node was asked."""
        return replace(self, asked=(*((each, at) for each, at in self.asked if each != node), (node, now)))

    def hear(self, node: str, chain: str = "") -> Recovery:
        """Return the recovery after a node gave all it holds, and told where it stands."""
        heard = (*((each, told) for each, told in self.heard if each != node), (node, chain))
        return replace(self, waiting=self.waiting - {node}, heard=heard)

    def drop(self, node: str) -> Recovery:
        """Return the recovery after a node was put out of the group: it is neither asked nor waited for."""
        return replace(self, waiting=self.waiting - {node})

    def suspect(self, node: str, chain: str, now: float) -> Recovery:
        """Return the recovery after a node seems to hold more: it is asked soon, though never twice in 15 seconds.

        Whoever was heard and still stands where it stood has nothing new: it is asked again after five minutes.
        """
        pause = ASK_LATE_SECONDS if (node, chain) in self.heard else ASK_AGAIN_SECONDS
        if node in self.waiting or now - dict(self.asked).get(node, -ASK_LATE_SECONDS) < pause:
            return self
        asked = tuple((each, at) for each, at in self.asked if each != node)
        return replace(self, waiting=self.waiting | {node}, asked=asked)

    def learn(self, epoch: int) -> Recovery:
        """Return the recovery after an entry with our own signature showed an epoch that we had."""
        return replace(self, epoch=max(self.epoch, epoch + 1))

    def is_over(self, now: float, *, has_consent: bool = False) -> bool:
        """Say whether the log may go on: all were heard, or those missing were waited for long enough."""
        return not self.waiting or has_consent or now - self.began >= PATIENCE_SECONDS


def begin_recovery(*, epochs: Set[int], nodes: Iterable[str], now: float) -> Recovery:
    """Return the recovery of a group after a restore.

    Args:
        epochs: Every epoch that the journal or the restored log knows of; the next one is larger than all.
        nodes: The nodes that hold the group, after the journal's removals were replayed.
        now: Seconds of the clock that `list_due` and `is_over` will be asked by.
    """
    return Recovery(max(epochs) + 1, now, frozenset(nodes))


def be_calm(epoch: int) -> Recovery:
    """Return the recovery of a group whose host was not restored: over, and waiting for nobody."""
    return Recovery(epoch, float("-inf"), frozenset())


def choose_base(base_seq: int, *, head_seq: int) -> int:
    """Return the number behind which a node's copy starts, when a new epoch begins behind `head_seq`.

    Who joined behind what was lost has a base that does not exist any more; what comes now comes after they joined.
    Not before an entry of the new epoch is written: until then the lost end may come back as it was.
    """
    return min(base_seq, head_seq)


def is_done_with(told: Position, *, heard_chain: str | None, chain_here: str | None) -> bool:
    """Say whether we need nothing more of what a node keeps for us: it may let it go. Asked when we hold nothing back.

    Args:
        told: The position that the node's request tells.
        heard_chain: Where it stood when it had given us all.
        chain_here: What our log has at that number: what stands there as it stood need not be given back.
    """
    return told.chain in (chain_here, heard_chain)

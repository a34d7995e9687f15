"""Which decision is whose: every one is a core's. A switch takes one away, to see that the checker misses it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

from node.domain import journal
from node.federation.grouplog import align, handed, position, recovery, waiting
from node.federation.grouplog.entry import LogEntry
from node.federation.grouplog.position import Verdict
from node.outbox import lane


@dataclass(frozen=True)
class Rules:
    """The decisions of production, by name."""

    judge: Callable[..., position.Verdict] = position.judge
    choose_way: Callable[..., align.Way] = align.choose_way
    judge_handed: Callable[..., handed.Use] = handed.judge_handed
    proves_loss: Callable[..., bool] = handed.proves_loss
    begin_recovery: Callable[..., recovery.Recovery] = recovery.begin_recovery
    judge_parent: Callable[..., waiting.Parent] = waiting.judge_parent
    judge_submission: Callable[..., waiting.Turn] = waiting.judge_submission
    is_resend_due: Callable[..., bool] = waiting.is_resend_due
    is_look_due: Callable[..., bool] = align.is_look_due
    shows_restore: Callable[..., bool] = journal.shows_restore
    add_up: Callable[..., journal.Told] = journal.add_up
    advance: Callable[..., Any] = lane.advance
    needs_parents: bool = True


def _believe_gaps(entry: LogEntry, ours: position.Position, **known: Any) -> Verdict:
    verdict = position.judge(entry, ours, **known)
    return Verdict.NEXT if verdict is Verdict.GAP else verdict


def _ignore_chains(entry: LogEntry, ours: position.Position, **known: Any) -> Verdict:
    if entry.seq <= ours.seq:
        return Verdict.HELD
    return Verdict.NEXT if entry.seq == ours.seq + 1 else Verdict.GAP


def _trust_the_answer(*, is_in_log: bool, is_on_its_way: bool, since_sent_seconds: float) -> bool:
    return False


def _ask_nobody(*, epochs: Any, nodes: Any, now: float) -> recovery.Recovery:
    return recovery.be_calm(max(epochs))


def _forget(lines: Any) -> journal.Told:
    return journal.Told()


def _always_ask(*, asks: int, waited_seconds: float) -> waiting.Parent:
    return waiting.Parent.ASK


def _always_wait(*, asks: int, waited_seconds: float, **known: bool) -> waiting.Turn:
    return waiting.judge_submission(asks=0, waited_seconds=0.0, **known)


SWITCHES: dict[str, dict[str, Any]] = {
    "gaps": {"judge": _believe_gaps},
    "chain": {"judge": _ignore_chains, "choose_way": lambda ours, host, host_chain: align.Way.PULL},
    "end-to-end": {"is_resend_due": _trust_the_answer},
    "recovery": {"begin_recovery": _ask_nobody, "proves_loss": lambda *told, **known: False},
    "journal": {"add_up": _forget, "shows_restore": lambda **known: False},
    "idle-heads": {"is_look_due": lambda since_heard_seconds: False},
    "parents": {"needs_parents": False},
    "bounded-wait": {"judge_parent": _always_ask, "judge_submission": _always_wait},
}


def choose_rules(switched_off: str | None = None) -> Rules:
    """Return production's decisions, one of them taken away if asked."""
    return Rules() if switched_off is None else replace(Rules(), **SWITCHES[switched_off])

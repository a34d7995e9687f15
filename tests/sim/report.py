"""How often everything happened: a fault or a repair that no seed met is a hole in the simulation."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

# What every run of at least `ENOUGH_SEEDS` seeds must have met at least once.
MUST_HAPPEN = (
    "work: create", "work: update", "work: delete", "work: join", "work: leave", "work: remove",
    "fault: lost", "fault: answer lost", "fault: twice", "fault: late", "fault: changed", "fault: answer changed",
    "fault: odd answer", "fault: partition", "fault: one-way partition", "fault: crash", "fault: crash before a commit",
    "fault: restore", "fault: silent restore", "fault: journal burned", "fault: unreachable",
    "malice: tells another past", "malice: tells another next", "malice: tells another branch", "malice: tells far ahead",
    "malice: tells no key", "malice: withholds its log", "malice: withholds its copy", "malice: hands over forged entries",
    "malice: hands over what was erased", "malice: lies about its position",
    "verdict: next", "verdict: held", "verdict: gap", "verdict: recounted", "verdict: diverged",
    "lane: advance", "lane: rewind", "lane: keep", "lane: position", "lane: unreachable", "lane: unavailable", "lane: gone",
    "lane: refused", "lane: redirect", "lane: item",
    "align: search", "align: wait", "align: forked", "align: fork proved",
    "handed: adopt", "handed: adopt without its content", "handed: say anew", "handed: known", "handed: later",
    "handed: skip", "refused: forged or corrupt", "refused: delivery that nobody believes",
    "refused: handed over without proof", "submission refused",
    "repair: recovery begun", "repair: restore shown by the journal", "repair: restore shown by a peer",
    "repair: node asked for its copy", "repair: entry pulled", "repair: submission sent again", "repair: contact clears a lane",
    "repair: end of a copy taken back", "repair: kept entry was shown again", "repair: kept entry let go",
    "repair: parent asked for", "repair: place kept free", "repair: lost copy begun again",
    "repair: put out again by the journal", "repair: let in again by the journal", "repair: erased again",
)  # fmt: skip
ENOUGH_SEEDS = 60


def list_never_met(counts: Counter[str]) -> list[str]:
    """Return what did not happen once."""
    return [name for name in MUST_HAPPEN if not counts[name]]


def format_counts(counts: Counter[str]) -> str:
    """Return the counts as lines, names in order."""
    return "\n".join(f"{counts[name]:10} {name}" for name in sorted({*+counts, *MUST_HAPPEN}))


def format_command(seed: int, switched_off: str | None) -> str:
    """Return the command that runs one seed again."""
    words = f"python -m tests.sim --seeds 1 --first {seed}"
    return words if switched_off is None else f"{words} --switch-off {switched_off}"


def format_broken(seed: int, broken: Iterable[str], switched_off: str | None) -> str:
    """Return what a seed broke, with the command that shows it again."""
    lines = [f"seed {seed} fails: {format_command(seed, switched_off)}", *(f"    {each}" for each in broken)]
    return "\n".join(lines[:9])

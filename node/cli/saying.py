"""The checks of the health page in words for the command line: the page's own English sentences."""

from __future__ import annotations

from typing import Any

from node.community.operating.checks import GOOD, Check
from node.views.words import load_sentences

_GIGABYTE, _MEGABYTE = 1e9, 1e6


def say_state(check: Check) -> str:
    """Return how it is."""
    return _say(check, check.state)


def say_fix(check: Check) -> str | None:
    """Return what to do, or None where all is good."""
    return None if check.state == GOOD else _say(check, "do")


def _say(check: Check, ending: str) -> str:
    sentence: Any = load_sentences("en")[f"checks.{check.name}_{ending}"]
    if isinstance(sentence, dict):
        sentence = sentence["one" if check.values.get("n") == 1 else "other"]
    values = dict(check.values)
    if "size" in values:
        values["size"] = _say_size(values["size"])
    return str(sentence.format(**values))


def _say_size(size_bytes: int) -> str:
    if size_bytes >= _GIGABYTE:
        return f"{size_bytes / _GIGABYTE:.1f} GB"
    return f"{size_bytes / _MEGABYTE:.1f} MB"

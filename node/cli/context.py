"""What a command is given, and how it answers: JSON or lines on stdout, sentences on stderr, an exit code.

Exit codes: 0 done (also "already so"), 1 refused, not found, unreachable, check failed, 2 usage, configuration, locked.
"""

from __future__ import annotations

import argparse
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import msgspec

from node.community.house import House
from node.foundation.clock import format_instant

DONE, REFUSED, USAGE = 0, 1, 2


@dataclass(slots=True)
class Context:
    """One run of one command inside a house.

    text: what came on stdin, when the command reads it.
    write, warn: take text for stdout and stderr.
    send: takes bytes for whoever asks, from a thread, and waits until they are on their way; None where nobody takes any.
    """

    house: House
    args: argparse.Namespace
    text: str
    write: Callable[[str], None]
    warn: Callable[[str], None]
    by: str = field(default="operator")
    send: Callable[[bytes], None] | None = None

    def emit(self, document: dict[str, Any], *lines: str) -> int:
        """Answer with one JSON document where `--json` was given, else with lines; return 0."""
        if getattr(self.args, "json", False):
            self.write(msgspec.json.encode(_plain(document)).decode() + "\n")
        else:
            for line in lines:
                self.write(line + "\n")
        return DONE


Verb = Callable[[Context], Awaitable[int]]


def instant(value: datetime | None) -> str | None:
    """Return an instant as commands print it, or None."""
    return None if value is None else format_instant(value)


def _plain(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _plain(member) for name, member in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(member) for member in value]
    return format_instant(value) if isinstance(value, datetime) else value

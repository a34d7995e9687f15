"""For commands that work outside a node and need it for a part: run a command inside it, wherever it is; read a code."""

from __future__ import annotations

import getpass
import signal
import sys
from collections.abc import Callable
from pathlib import Path
from types import FrameType
from typing import NoReturn

from node.foundation.errors import ConfigError
from node.foundation.recovery_code import read_recovery_code

from .inside import run_inside
from .remote import run_remote


def call(
    data: Path,
    argv: list[str],
    text: str = "",
    *,
    write: Callable[[str], object] = sys.stdout.write,
    take: Callable[[bytes], None] | None = None,
) -> int:
    """Run a command in the running node, or open the node where none runs; return its exit code."""
    code = run_remote(data, argv, text, write, take)
    return run_inside(data, argv, text, write, take) if code is None else code


def ask_recovery_code(file: Path | None) -> str:
    """Return the recovery code from a file, or from stdin; a terminal is asked for it. Never from the arguments.

    Raises:
        Invalid: It has a typing mistake; the sentence says where.
        ConfigError: The file cannot be read.
    """
    if file is not None:
        try:
            return read_recovery_code(file.read_text("utf-8"))
        except (OSError, UnicodeDecodeError) as error:
            raise ConfigError(f"{file} cannot be read: {getattr(error, 'strerror', error)}.") from None
    if sys.stdin.isatty():
        return read_recovery_code(getpass.getpass("Recovery code: "))
    return read_recovery_code(sys.stdin.readline())


def end_tidily() -> None:
    """Have SIGTERM end this command as Ctrl-C does: what was begun is taken away."""

    def leave(number: int, frame: FrameType | None) -> NoReturn:
        raise KeyboardInterrupt

    signal.signal(signal.SIGTERM, leave)

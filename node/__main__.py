"""The `rounds` command: hands the words to the running node through its socket, or opens the data directory itself.

Kept light on purpose: a command to a running node imports nothing of the node.
"""

from __future__ import annotations

import os
import signal
import sys
from pathlib import Path

_READS_STDIN = {("post", "add"), ("post", "edit"), ("message", "send"), ("peer", "import"), ("guard", "check")}
_OUTSIDE = {"init", "serve", "worker", "demo", "backup", "restore", "migrate", "config", "doctor"}


def main(argv: list[str] | None = None) -> int:
    """Run one command and return its exit code."""
    words = list(sys.argv[1:] if argv is None else argv)
    data, words = _take_data(words)
    if not words or words[0] in ("-h", "--help", "help"):
        from node.cli.outside import print_help

        return print_help()
    if words[0] in ("--version", "version"):
        from node import __version__

        print(f"rounds {__version__}")
        return 0
    if words[0] in _OUTSIDE:
        from node.cli.outside import run_outside

        return run_outside(data, words)
    from node.cli.remote import attach_images, run_remote

    problem = attach_images(words)
    if problem is not None:
        print(problem, file=sys.stderr)
        return 2
    text = _read_stdin(words)
    signal.signal(signal.SIGPIPE, signal.SIG_DFL)  # `rounds … | head -1` ends quietly, like any other command
    code = run_remote(data, words, text)
    if code is None:
        from node.cli.inside import run_inside

        code = run_inside(data, words, text)
    return code


def _take_data(words: list[str]) -> tuple[Path, list[str]]:
    """Return the data directory and the words without `--data DIR`, wherever that stands before the verb."""
    data = Path(os.environ.get("ROUNDS_DATA") or "./data")
    rest = []
    while words:
        word = words.pop(0)
        if word == "--data" and words:
            data = Path(words.pop(0))
        elif word.startswith("--data="):
            data = Path(word.partition("=")[2])
        else:
            rest.append(word)
    return data, rest


def _read_stdin(words: list[str]) -> str:
    if "--password-stdin" in words or tuple(words[:2]) in _READS_STDIN:
        return sys.stdin.read()
    return ""


if __name__ == "__main__":
    sys.exit(main())

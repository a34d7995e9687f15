"""The socket in the data directory: commands reach the running node through it, so one process owns all writes.

One connection is one command. The client sends one line of JSON, {"argv": […], "text": "…"}; the node answers with lines
{"out": "…"}, {"err": "…"}, {"bytes": n} with so many bytes behind it, and at last {"exit": n}. Both ends go through
`/proc/self/fd/N/…`, because the path of a socket may have 108 bytes only. Imports nothing of the node.
"""

from __future__ import annotations

import base64
import json
import os
import socket
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

SOCKET_NAME = "rounds.sock"
LINE_LIMIT_BYTES = 64 * 1024 * 1024
IMAGE_LIMIT_BYTES = 16 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class Reply:
    """What a command said, and its exit code."""

    code: int
    out: str
    err: str


@dataclass(frozen=True, slots=True)
class _Hands:
    """What takes text for stdout and stderr, and bytes."""

    write: Callable[[str], Any]
    warn: Callable[[str], Any]
    take: Callable[[bytes], None] | None = None


def run_remote(
    data: Path,
    argv: list[str],
    text: str,
    write: Callable[[str], Any] = sys.stdout.write,
    take: Callable[[bytes], None] | None = None,
) -> int | None:
    """Run a command in the node that serves this data directory, saying what it says; None when none does."""
    return _connect(data, lambda connection: _talk(connection, argv, text, _Hands(write, sys.stderr.write, take)))


def ask(data: Path, argv: list[str], text: str = "") -> Reply | None:
    """Run a command in the node that serves this data directory and return what it says; None when none does."""
    out: list[str] = []
    err: list[str] = []
    code = _connect(data, lambda connection: _talk(connection, argv, text, _Hands(out.append, err.append)))
    return None if code is None else Reply(code, "".join(out), "".join(err))


def _connect(data: Path, talk: Callable[[socket.socket], int]) -> int | None:
    try:
        folder = os.open(data, os.O_RDONLY | os.O_DIRECTORY)
    except OSError:
        return None
    try:
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as connection:
            try:
                connection.connect(f"/proc/self/fd/{folder}/{SOCKET_NAME}")
            except OSError:
                return None
            return talk(connection)
    finally:
        os.close(folder)


def attach_images(argv: list[str]) -> str | None:
    """Put the bytes of pictures named by `--image FILE` into the words; the node may run elsewhere in the file system.

    Returns:
        A sentence when a file cannot be read; None when all is well.
    """
    if argv[:2] != ["post", "add"]:
        return None
    for place in range(len(argv) - 1):
        if argv[place] == "--image":
            try:
                content = Path(argv[place + 1]).read_bytes()
            except OSError as error:
                return f"{argv[place + 1]} cannot be read: {error.strerror}."
            if len(content) > IMAGE_LIMIT_BYTES:
                return f"{argv[place + 1]} is too large."
            argv[place : place + 2] = ["--image-data", base64.b64encode(content).decode()]
    return None


def _talk(connection: socket.socket, argv: list[str], text: str, hands: _Hands) -> int:
    try:
        code = _hear(connection, argv, text, hands)
    except ConnectionError:  # ended by force
        code = None
    if code is None:
        hands.warn("The node stopped while it carried out this command.\n")
        return 1
    return code


def _hear(connection: socket.socket, argv: list[str], text: str, hands: _Hands) -> int | None:
    """Say the command and hand on what the node answers; None when the answers end before they are complete."""
    connection.sendall(json.dumps({"argv": argv, "text": text}).encode() + b"\n")
    with connection.makefile("rb") as answers:
        for line in answers:
            answer = json.loads(line)
            if "out" in answer:
                hands.write(answer["out"])
            elif "err" in answer:
                hands.warn(answer["err"])
            elif "bytes" in answer:
                data = answers.read(int(answer["bytes"]))
                if hands.take is not None:
                    hands.take(data)
            elif "exit" in answer:
                sys.stdout.flush()
                return int(answer["exit"])
    return None

"""A real node under test: its own data directory, its own `rounds serve` process, commands through its socket."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from .processes import cpu_seconds, pss_bytes

PASSWORD = "correct-horse-battery"
SERVE = ("-m", "node")
_START_SECONDS = 120.0
_STOP_SECONDS = 30.0
_REST_SECONDS = 120.0
_LOOK_SECONDS = 0.03


class NodeFailed(Exception):
    """The node did not do what every scenario takes for granted."""


@dataclass(slots=True)
class Node:
    """A running node.

    data: its data directory. origin: such as "http://localhost:9001". started_cpu_seconds: spent until `/ready`.
    """

    data: Path
    origin: str
    process: subprocess.Popen[bytes]
    started_cpu_seconds: float = 0.0

    @property
    def host(self) -> str:
        """Its authority, such as "localhost:9001"."""
        return self.origin.partition("://")[2]

    @property
    def port(self) -> int:
        """Where it listens."""
        return int(self.origin.rpartition(":")[2])

    @property
    def cpu(self) -> float:
        """CPU seconds spent so far, by all its processes."""
        return cpu_seconds(self.process.pid)

    @property
    def memory_bytes(self) -> int:
        """Memory of all its processes now (PSS)."""
        return pss_bytes(self.process.pid)

    def run(self, *words: str, text: str = "") -> str:
        """Run a command inside the node, as `rounds` does, and return what it printed.

        Raises:
            NodeFailed: It ended with another code than 0.
        """
        out, err, code = "", "", 1
        with _connect(self.data) as connection:
            connection.sendall(json.dumps({"argv": words, "text": text}).encode() + b"\n")
            with connection.makefile("r", encoding="utf-8") as answers:
                for answer in map(json.loads, answers):
                    out += answer.get("out", "")
                    err += answer.get("err", "")
                    code = answer.get("exit", code)
        if code != 0:
            raise NodeFailed(f"rounds {' '.join(words)}: exit {code}: {err or out}")
        return out

    def ask(self, *words: str, text: str = "") -> dict[str, Any]:
        """Run a command with `--json` and return its document."""
        document: dict[str, Any] = json.loads(self.run(*words, "--json", text=text))
        return document

    def status(self) -> dict[str, Any]:
        """Return `rounds status`."""
        return self.ask("status")

    def wait_at_rest(self) -> dict[str, Any]:
        """Wait until nothing waits, is in flight or due; return the status then.

        Raises:
            NodeFailed: It does not come to rest.
        """
        deadline = time.monotonic() + _REST_SECONDS
        while time.monotonic() < deadline:
            shown = self.status()
            if shown["at_rest"]:
                return shown
            time.sleep(_LOOK_SECONDS)
        raise NodeFailed(f"the node does not come to rest: {shown['waiting']}")

    def stop(self) -> None:
        """End the process as an operator would."""
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
            try:
                self.process.wait(_STOP_SECONDS)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()


def init_node(data: Path, *, database: str = "sqlite:") -> str:
    """Make a data directory for a test node on a free port and return its origin."""
    origin = f"http://localhost:{find_port()}"
    command = [
        sys.executable, *SERVE, "--data", str(data), "init", "--base-url", origin, "--name", "Bench",
        "--insecure-loopback", "--operator", "ola", "--password-stdin", "--database", database,
    ]  # fmt: skip
    done = subprocess.run(command, input=PASSWORD.encode(), capture_output=True, check=False)
    if done.returncode != 0:
        raise NodeFailed(f"init: {done.stderr.decode()}")
    return origin


@contextlib.contextmanager
def a_running_node(data: Path, origin: str, *, program: Sequence[str] = SERVE) -> Iterator[Node]:
    """Serve a data directory until the block ends. `program`: what follows `python`; by default the real command."""
    port = origin.rpartition(":")[2]
    command = [sys.executable, *program, "--data", str(data), "serve", "--bind", f"127.0.0.1:{port}"]
    environment = os.environ | {"ROUNDS_LIMITS__APP_CALLS": "100000000"}  # what is measured is work, not its limit
    with (data / "node.log").open("ab") as log:
        process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=log, stderr=log, env=environment)
    node = Node(data, origin, process)
    try:
        _wait_until_ready(node)
        node.started_cpu_seconds = node.cpu
        yield node
    finally:
        node.stop()


@contextlib.contextmanager
def a_node(folder: Path, name: str, *, database: str = "sqlite:", program: Sequence[str] = SERVE) -> Iterator[Node]:
    """Make and serve a new node until the block ends."""
    data = folder / name
    origin = init_node(data, database=database)
    with a_running_node(data, origin, program=program) as node:
        yield node


def find_port() -> int:
    """Return a port on loopback that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _wait_until_ready(node: Node) -> None:
    deadline = time.monotonic() + _START_SECONDS
    while time.monotonic() < deadline:
        if node.process.poll() is not None:
            break
        with contextlib.suppress(OSError), urllib.request.urlopen(f"{node.origin}/ready", timeout=2) as answer:
            if answer.status == 200:
                return
        time.sleep(0.02)
    log = (node.data / "node.log").read_text(errors="replace")[-2000:]
    raise NodeFailed(f"the node does not start: {log}")


def _connect(data: Path) -> socket.socket:
    """Return a connection to a node's command socket; a socket's path may have 108 bytes only."""
    folder = os.open(data, os.O_RDONLY | os.O_DIRECTORY)
    connection = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        connection.connect(f"/proc/self/fd/{folder}/rounds.sock")
    finally:
        os.close(folder)
    return connection

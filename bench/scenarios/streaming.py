"""Apps that listen by websocket: what each holds, what all of them ask of the store, and how soon they are told."""

from __future__ import annotations

import base64
import json
import os
import selectors
import socket
import time

from bench.nodes import Node, a_node
from bench.report import Line, line_of
from bench.run import Run
from bench.scenarios.live import count_statements, settle

APPS = 200
OF_A_TOKEN = 16
MORE_STATEMENTS_LIMIT = 0.5
MEMORY_LIMIT_KIB = 150.0
LATENCY_LIMIT_SECONDS = 2.5
_SETTLE_SECONDS = 1.5
_PATIENCE_SECONDS = 15.0


def measure(run: Run) -> list[Line]:
    """Measure on SQLite: one app, then all of them."""
    seconds = 5.0 if run.is_quick else 12.0
    with a_node(run.folder, "streaming") as node:
        settle(node)
        tokens = [_make_token(node) for _ in range(APPS // OF_A_TOKEN + 1)]
        apps = [_open(node, tokens[0])]
        time.sleep(_SETTLE_SECONDS)
        alone, before = count_statements(node, seconds), node.memory_bytes
        apps += [_open(node, tokens[number // OF_A_TOKEN]) for number in range(1, APPS)]
        time.sleep(_SETTLE_SECONDS)
        cpu, among_many = node.cpu, count_statements(node, seconds)
        idle, memory = (node.cpu - cpu) * 1000 / seconds, node.memory_bytes
        told = [_tell(node, apps, number) for number in range(run.rounds)]
        for app in apps:
            app.close()
    return [
        Line("memory of an app that listens", (memory - before) / 1024 / (APPS - 1), "KiB", limit=MEMORY_LIMIT_KIB),
        Line(f"statements a second with {APPS} apps, beyond those with one", among_many - alone, "",
             limit=MORE_STATEMENTS_LIMIT, note=f"{among_many:.1f} against {alone:.1f}"),
        Line(f"a second of {APPS} apps to which nothing is new", idle, "CPU-ms"),
        line_of(f"until the last of {APPS} apps is told", [each[0] for each in told], "s", limit=LATENCY_LIMIT_SECONDS),
        line_of("telling one app", [each[1] for each in told], "CPU-ms"),
        line_of(f"statements of telling {APPS} apps", [each[2] for each in told], ""),
    ]  # fmt: skip


def _make_token(node: Node) -> str:
    made = json.loads(node.run("member", "token", "dee", "--scopes", "read", "--json"))
    return str(made["access_token"])


def _open(node: Node, token: str) -> socket.socket:
    """Open a websocket that listens to home; the token is its sub-protocol."""
    connection = socket.create_connection(("127.0.0.1", node.port), timeout=_PATIENCE_SECONDS)
    key = base64.b64encode(os.urandom(16)).decode()
    connection.sendall(
        f"GET /api/v1/streaming?stream=user HTTP/1.1\r\nHost: {node.host}\r\nConnection: Upgrade\r\n"
        f"Upgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: {key}\r\n"
        f"Sec-WebSocket-Protocol: {token}\r\n\r\n".encode()
    )
    received = b""
    while b"\r\n\r\n" not in received:
        received += connection.recv(4096)
        if received and not received.startswith(b"HTTP/1.1 101"):
            raise ValueError(f"no websocket: {received[:100]!r}")
    connection.setblocking(False)
    return connection


def _tell(node: Node, apps: list[socket.socket], number: int) -> tuple[float, float, float]:
    """Write a post; return (seconds until every app was told, CPU-ms for each app, statements)."""
    time.sleep(0.3 * number % 1.0)  # somewhere in the second between two rounds
    cpu, statements = node.cpu, node.status()["counts"]["statements"]
    node.run("post", "add", "ward", "--as", "ana", "--title", f"Nights {number}", text="Well.")
    written, waiting, last = time.monotonic(), selectors.DefaultSelector(), 0.0
    for app in apps:
        waiting.register(app, selectors.EVENT_READ, bytearray())
    while waiting.get_map():
        ready = waiting.select(_PATIENCE_SECONDS)
        if not ready:
            raise ValueError(f"{len(waiting.get_map())} apps were told nothing")
        for key, _ in ready:
            said = key.fileobj.recv(16_384)  # type: ignore[union-attr]
            if not said:
                raise ValueError("a websocket has ended")
            key.data.extend(said)
            if b'"event":"update"' in key.data and f"Nights {number}".encode() in key.data:
                last = time.monotonic()
                waiting.unregister(key.fileobj)
    waiting.close()
    asked = float(node.status()["counts"]["statements"] - statements)
    return last - written, (node.cpu - cpu) * 1000 / len(apps), asked
